package nn_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// TestRNNLive compares recurrent layers with PyTorch's bit for bit: their parameters, outputs, final states, gradients
// and dropout, of padded and packed sequences.
func TestRNNLive(t *testing.T) { live(t, rNNLive) }

func rNNLive(t *testing.T, p *torchtest.Interpreter) {
	type lstm = nn.LSTMOptions
	type gru = nn.GRUOptions
	type rnn = nn.RNNOptions
	for _, c := range []struct {
		python  string
		g       func() any
		shape   []int
		state   bool
		lengths []int
		eval    bool
	}{
		{"nn.RNN(3, 4)", func() any { return nn.NewRNN(3, 4) }, []int{5, 2, 3}, false, nil, false},
		{"nn.RNN(3, 4, 2, 'relu', False, True)", func() any {
			return nn.NewRNN(3, 4, rnn{NumLayers: 2, Nonlinearity: "relu", NoBias: true, BatchFirst: true})
		}, []int{2, 5, 3}, true, nil, false},
		{"nn.RNN(3, 4, 3, dropout=0.4, bidirectional=True)", func() any { return nn.NewRNN(3, 4, rnn{NumLayers: 3, Dropout: 0.4, Bidirectional: true}) }, []int{5, 2, 3}, true, nil, false},
		{"nn.RNN(3, 4, batch_first=True)", func() any { return nn.NewRNN(3, 4, rnn{BatchFirst: true}) }, []int{5, 3}, true, nil, false},
		{"nn.GRU(3, 4)", func() any { return nn.NewGRU(3, 4) }, []int{5, 2, 3}, true, nil, true},
		{"nn.GRU(3, 4, 2, bidirectional=True)", func() any { return nn.NewGRU(3, 4, gru{NumLayers: 2, Bidirectional: true}) }, []int{5, 3}, false, nil, false},
		{"nn.GRU(3, 4, 2, False, True, 0.5)", func() any { return nn.NewGRU(3, 4, gru{NumLayers: 2, NoBias: true, BatchFirst: true, Dropout: 0.5}) }, []int{2, 5, 3}, true, nil, false},
		{"nn.LSTM(3, 4)", func() any { return nn.NewLSTM(3, 4) }, []int{5, 2, 3}, false, nil, false},
		{"nn.LSTM(3, 20, 2, dropout=0.3, batch_first=True)", func() any { return nn.NewLSTM(3, 20, lstm{NumLayers: 2, Dropout: 0.3, BatchFirst: true}) }, []int{2, 5, 3}, true, nil, false},
		{"nn.LSTM(3, 20, 2, dropout=0.3)", func() any { return nn.NewLSTM(3, 20, lstm{NumLayers: 2, Dropout: 0.3}) }, []int{5, 2, 3}, true, nil, true},
		{"nn.LSTM(3, 5, 2, proj_size=2, bidirectional=True, bias=False)", func() any {
			return nn.NewLSTM(3, 5, lstm{NumLayers: 2, ProjSize: 2, Bidirectional: true, NoBias: true})
		}, []int{5, 2, 3}, true, nil, false},
		{"nn.LSTM(3, 5, proj_size=2)", func() any { return nn.NewLSTM(3, 5, lstm{ProjSize: 2}) }, []int{5, 3}, true, nil, false},
		{"nn.LSTM(3, 4, 2, bidirectional=True, dropout=0.5)", func() any {
			return nn.NewLSTM(3, 4, lstm{NumLayers: 2, Bidirectional: true, Dropout: 0.5})
		}, []int{5, 3, 3}, true, []int{5, 3, 1}, false},
		{"nn.LSTM(3, 5, 2, proj_size=2, batch_first=True)", func() any { return nn.NewLSTM(3, 5, lstm{NumLayers: 2, ProjSize: 2, BatchFirst: true}) }, []int{4, 5, 3}, true, []int{2, 5, 2, 4}, false},
		{"nn.GRU(3, 4, bidirectional=True)", func() any { return nn.NewGRU(3, 4, gru{Bidirectional: true}) }, []int{5, 4, 3}, false, []int{2, 5, 2, 4}, false},
		{"nn.RNN(3, 4, 2, 'relu', dropout=0.5)", func() any { return nn.NewRNN(3, 4, rnn{NumLayers: 2, Nonlinearity: "relu", Dropout: 0.5}) }, []int{5, 4, 3}, true, []int{1, 1, 5, 4}, false},
		{"nn.RNN(3, 4)", func() any { return nn.NewRNN(3, 4) }, []int{5, 2, 3}, false, []int{4, 4}, false},
	} {
		var lengths torch.Value
		if c.lengths != nil {
			lengths = c.lengths
		}
		want := p.Call("recurrent", c.python, c.shape, c.state, lengths, !c.eval).([]torch.Value)
		torch.ManualSeed(7)
		m := c.g()
		if c.eval {
			nn.Eval(m)
		}
		sameState(t, m, want[0], c.python)
		x := torch.Options{RequiresGrad: true}.Randn(c.shape...)
		var states []*torch.Tensor
		if c.state {
			states = randomStates(m, c.shape)
		}
		torch.ManualSeed(8)
		y, h := recurrent(m, x, c.lengths, states)
		after := torch.Rand(3)
		require.NoError(t, torchtest.CheckClose(append(detached(h...), detached(y)...), want[1], exactly), c.python)
		loss := y.PowScalar(2).Sum()
		for _, s := range h {
			loss = loss.Add(s.PowScalar(2).Sum())
		}
		loss.Backward()
		require.NoError(t, torchtest.CheckClose(gradients(m, append([]*torch.Tensor{x}, states...)...), want[2], exactly), c.python)
		require.NoError(t, torchtest.CheckClose(after, want[3], exactly), c.python)
	}
}

func baseOf(m any) nn.RNNBase {
	switch m := m.(type) {
	case *nn.RNN:
		return m.RNNBase
	case *nn.GRU:
		return m.RNNBase
	}
	return m.(*nn.LSTM).RNNBase
}

// randomStates returns initial states of a layer for an input of a shape.
func randomStates(m any, shape []int) (states []*torch.Tensor) {
	b := baseOf(m)
	size := []int{b.NumLayers}
	if b.Bidirectional {
		size[0] *= 2
	}
	if len(shape) == 3 && b.BatchFirst {
		size = append(size, shape[0])
	} else if len(shape) == 3 {
		size = append(size, shape[1])
	}
	draw := func(features int) {
		states = append(states, torch.Options{RequiresGrad: true}.Randn(append(size[:len(size):len(size)], features)...))
	}
	if b.ProjSize > 0 {
		draw(b.ProjSize)
	} else {
		draw(b.HiddenSize)
	}
	if _, ok := m.(*nn.LSTM); ok {
		draw(b.HiddenSize)
	}
	return states
}

// recurrent calls a layer with x, packed if there are lengths.
func recurrent(m any, x *torch.Tensor, lengths []int, states []*torch.Tensor) (y *torch.Tensor, h []*torch.Tensor) {
	var packed *nn.PackedSequence
	first := baseOf(m).BatchFirst
	if lengths != nil {
		sorted := slices.IsSortedFunc(lengths, func(a, b int) int { return b - a })
		packed = nn.PackPaddedSequence(x, lengths, nn.PackPaddedSequenceOptions{BatchFirst: first, Unsorted: !sorted})
	}
	switch m := m.(type) {
	case interface {
		Forward(*torch.Tensor, ...*torch.Tensor) (y, h *torch.Tensor)
		ForwardPacked(*nn.PackedSequence, ...*torch.Tensor) (*nn.PackedSequence, *torch.Tensor)
	}:
		h = make([]*torch.Tensor, 1)
		if packed == nil {
			y, h[0] = m.Forward(x, states...)
		} else {
			packed, h[0] = m.ForwardPacked(packed, states...)
		}
	case *nn.LSTM:
		var s0 []nn.LSTMState
		if states != nil {
			s0 = []nn.LSTMState{{H: states[0], C: states[1]}}
		}
		var s nn.LSTMState
		if packed == nil {
			y, s = m.Forward(x, s0...)
		} else {
			packed, s = m.ForwardPacked(packed, s0...)
		}
		h = []*torch.Tensor{s.H, s.C}
	}
	if packed != nil {
		y, _ = nn.PadPackedSequence(packed, nn.PadPackedSequenceOptions{BatchFirst: first})
	}
	return y, h
}

// TestRNNCellsLive compares cells with PyTorch's bit for bit.
func TestRNNCellsLive(t *testing.T) { live(t, rNNCellsLive) }

func rNNCellsLive(t *testing.T, p *torchtest.Interpreter) {
	for _, c := range []struct {
		python string
		g      func() any
		shape  []int
		state  bool
	}{
		{"nn.RNNCell(3, 4)", func() any { return nn.NewRNNCell(3, 4) }, []int{2, 3}, true},
		{"nn.RNNCell(3, 4, False, 'relu')", func() any { return nn.NewRNNCell(3, 4, nn.RNNCellOptions{NoBias: true, Nonlinearity: "relu"}) }, []int{3}, false},
		{"nn.GRUCell(3, 4)", func() any { return nn.NewGRUCell(3, 4) }, []int{2, 3}, false},
		{"nn.GRUCell(3, 4, bias=False)", func() any { return nn.NewGRUCell(3, 4, nn.GRUCellOptions{NoBias: true}) }, []int{3}, true},
		{"nn.LSTMCell(3, 4)", func() any { return nn.NewLSTMCell(3, 4) }, []int{2, 3}, false},
		{"nn.LSTMCell(3, 4, bias=False)", func() any { return nn.NewLSTMCell(3, 4, nn.LSTMCellOptions{NoBias: true}) }, []int{3}, true},
	} {
		want := p.Call("cell", c.python, c.shape, c.state, 3).([]torch.Value)
		torch.ManualSeed(7)
		m := c.g()
		sameState(t, m, want[0], c.python)
		x := torch.Options{RequiresGrad: true}.Randn(c.shape...)
		size := append(c.shape[:len(c.shape)-1:len(c.shape)-1], 4)
		var s nn.LSTMState
		if _, ok := m.(*nn.LSTMCell); c.state && ok {
			s = nn.LSTMState{H: torch.Randn(size...), C: torch.Randn(size...)}
		} else if c.state {
			s.H = torch.Randn(size...)
		}
		for range 3 {
			switch m := m.(type) {
			case *nn.RNNCell:
				s.H = m.Forward(x, s.H)
			case *nn.GRUCell:
				s.H = m.Forward(x, s.H)
			case *nn.LSTMCell:
				s = m.Forward(x, s)
			}
		}
		got, loss := detached(s.H), s.H.PowScalar(2).Sum()
		if s.C != nil {
			got, loss = detached(s.H, s.C), loss.Add(s.C.PowScalar(2).Sum())
		}
		require.NoError(t, torchtest.CheckClose(got, want[1], exactly), c.python)
		loss.Backward()
		require.NoError(t, torchtest.CheckClose(gradients(m, x), want[2], exactly), c.python)
	}
}

// TestPackedLive compares packing with PyTorch's.
func TestPackedLive(t *testing.T) { live(t, packedLive) }

func packedLive(t *testing.T, p *torchtest.Interpreter) {
	parts := func(p *nn.PackedSequence) []any {
		return detached(p.Data, p.BatchSizes, p.SortedIndices, p.UnsortedIndices)
	}
	list := func(xs []*torch.Tensor) []any { return detached(xs...) }
	for _, first := range []bool{false, true} {
		x := torch.Randn(6, 6, 2)
		lengths := []int{3, 6, 3, 1, 6, 2}
		want := p.Call("packing", x, lengths, first)
		packed := nn.PackPaddedSequence(x, lengths, nn.PackPaddedSequenceOptions{BatchFirst: first, Unsorted: true})
		y, n := nn.PadPackedSequence(packed, nn.PadPackedSequenceOptions{BatchFirst: !first, PaddingValue: -1.5, TotalLength: 9})
		require.NoError(t, torchtest.CheckClose([]any{parts(packed), y.Contiguous(), n, list(nn.UnpackSequence(packed))}, want, exactly))
	}
	xs := []*torch.Tensor{torch.Randn(2, 3), torch.Randn(4, 3), torch.Randn(1, 3), torch.Randn(4, 3)}
	want := p.Call("lists", xs)
	packed := nn.PackSequence(xs, nn.PackSequenceOptions{Unsorted: true})
	require.NoError(t, torchtest.CheckClose([]any{
		nn.PadSequence(xs, nn.PadSequenceOptions{BatchFirst: true, PaddingValue: 2.5, PaddingSide: "left"}), nn.PadSequence(xs),
		parts(packed), list(nn.UnpackSequence(packed)), list(nn.UnpadSequence(nn.PadSequence(xs), []int{2, 4, 1, 4})),
	}, want, exactly))
}

func TestRNNMistakes(t *testing.T) {
	x := torch.Zeros(5, 2, 3)
	lstm := nn.NewLSTM(3, 4)
	type state = nn.LSTMState
	for want, f := range map[string]func(){
		"the input size is 0; it must be positive":                                    func() { nn.NewLSTM(0, 4) },
		"the hidden size is -1; it must be positive":                                  func() { nn.NewGRU(3, -1) },
		"the number of layers is -2; it must be positive":                             func() { nn.NewRNN(3, 4, nn.RNNOptions{NumLayers: -2}) },
		"the probability is 1.5; it must be between 0 and 1":                          func() { nn.NewRNN(3, 4, nn.RNNOptions{Dropout: 1.5}) },
		"the nonlinearity is \"gelu\"; it can be \"tanh\" or \"relu\"":                func() { nn.NewRNN(3, 4, nn.RNNOptions{Nonlinearity: "gelu"}) },
		"the projections have 4 features; there must be fewer than the hidden size 4": func() { nn.NewLSTM(3, 4, nn.LSTMOptions{ProjSize: 4}) },
		"LSTM: x is [5]; it must have 3 dimensions, or 2 without a batch":             func() { lstm.Forward(torch.Zeros(5)) },
		"LSTM: x has 2 features; the layer takes 3":                                   func() { lstm.Forward(torch.Zeros(5, 1, 2)) },
		"LSTM: x is float64 and the weights are float32; convert x, or the layer":     func() { lstm.Forward(x.ToDType(torch.Float64)) },
		"LSTM: the hidden state is [1 3 4]; it must be [1 2 4]":                       func() { lstm.Forward(x, state{H: torch.Zeros(1, 3, 4)}) },
		"LSTM: the cell state is [1 4]; it must be [1 2 4]":                           func() { lstm.Forward(x, state{C: torch.Zeros(1, 4)}) },
		"LSTM: the hidden state is [1 2 4]; it must be [1 4]":                         func() { lstm.Forward(torch.Zeros(5, 3), state{H: torch.Zeros(1, 2, 4)}) },
		"LSTM: the packed sequence is nil or lacks its data":                          func() { lstm.ForwardPacked(nil) },
		"batch size 1 of the packed sequence is 3": func() {
			lstm.ForwardPacked(&nn.PackedSequence{Data: torch.Zeros(5, 3), BatchSizes: torch.FromSlice([]int64{2, 3}, 2)})
		},
		"the batch sizes of the packed sequence are of 5 elements, and its data have 4": func() {
			lstm.ForwardPacked(&nn.PackedSequence{Data: torch.Zeros(4, 3), BatchSizes: torch.FromSlice([]int64{3, 2}, 2)})
		},
		"there are 1 lengths, and 2 sequences in x":                 func() { nn.PackPaddedSequence(x, []int{5}) },
		"length 1 is 6; it must be in [1, 5]":                       func() { nn.PackPaddedSequence(x, []int{5, 6}, nn.PackPaddedSequenceOptions{Unsorted: true}) },
		"length 0 is 0; it must be in [1, 5]":                       func() { nn.PackPaddedSequence(x, []int{0, 5}) },
		"the lengths [2 5] increase at 1; give the option Unsorted": func() { nn.PackPaddedSequence(x, []int{2, 5}) },
		"the total length is 3; the longest sequence has 5": func() {
			nn.PadPackedSequence(nn.PackPaddedSequence(x, []int{5, 5}), nn.PadPackedSequenceOptions{TotalLength: 3})
		},
		"PadSequence: there are no sequences":                                       func() { nn.PadSequence(nil) },
		"sequence 1 is [3 2] and the first one [2 3]; they may differ in the first": func() { nn.PackSequence([]*torch.Tensor{torch.Zeros(2, 3), torch.Zeros(3, 2)}) },
		"the padding side is \"top\"; it can be \"right\" or \"left\"":              func() { nn.PadSequence([]*torch.Tensor{x}, nn.PadSequenceOptions{PaddingSide: "top"}) },
		"GRUCell: x is [1 2 3]; it must be [N, in] or [in]":                         func() { nn.NewGRUCell(3, 4).Forward(torch.Zeros(1, 2, 3)) },
		"LSTMCell: x is [2 3] and a state [4]; both must have a batch, or neither":  func() { nn.NewLSTMCell(3, 4).Forward(torch.Zeros(2, 3), state{C: torch.Zeros(4)}) },
		"2 values are given; give at most one":                                      func() { nn.NewGRUCell(3, 4).Forward(torch.Zeros(2, 3), x, x) },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
}
