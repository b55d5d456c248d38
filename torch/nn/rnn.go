package nn

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
)

// RNNBase is what [RNN], [LSTM] and [GRU] have in common: torch.nn.RNNBase. Its
// parameters are weight_ih_l0, weight_hh_l0, bias_ih_l0 and bias_hh_l0, of an LSTM with
// projections weight_hr_l0 too, then those of the reverse direction, such as
// weight_ih_l0_reverse, and those of the other layers:
//
//	lstm := nn.NewLSTM(10, 20)
//	w := lstm.Get("weight_ih_l0") // [gates·hidden, in]
//
// The rows of a weight are those of the gates: i, f, g, o of an LSTM, and r, z, n of a GRU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNBase.html
type RNNBase struct {
	ParameterDict
	InputSize, HiddenSize int
	NumLayers             int
	ProjSize              int // 0 without projections
	NoBias                bool
	BatchFirst            bool
	Bidirectional         bool
	Dropout               float64
	Training              bool // true in a new layer

	name string // "RNN"
}

// RNNOptions are the options of [NewRNN].
type RNNOptions struct {
	NumLayers     int     // layers on top of each other; 0 means 1
	Nonlinearity  string  // "tanh" or "relu"; "" means "tanh"
	NoBias        bool    // bias=False
	BatchFirst    bool    // sequences are [N, L, features] in place of [L, N, features]
	Dropout       float64 // probability, in [0, 1], of the outputs of all layers but the last
	Bidirectional bool    // a second direction reads the sequence from its end
}

// GRUOptions are the options of [NewGRU].
type GRUOptions struct {
	NumLayers     int     // layers on top of each other; 0 means 1
	NoBias        bool    // bias=False
	BatchFirst    bool    // sequences are [N, L, features] in place of [L, N, features]
	Dropout       float64 // probability, in [0, 1], of the outputs of all layers but the last
	Bidirectional bool    // a second direction reads the sequence from its end
}

// LSTMOptions are the options of [NewLSTM].
type LSTMOptions struct {
	NumLayers     int     // layers on top of each other; 0 means 1
	NoBias        bool    // bias=False
	BatchFirst    bool    // sequences are [N, L, features] in place of [L, N, features]
	Dropout       float64 // probability, in [0, 1], of the outputs of all layers but the last
	Bidirectional bool    // a second direction reads the sequence from its end
	ProjSize      int     // features to which hidden states are projected; 0 means no projections
}

func newRNNBase(op string, gates, in, hidden int, o LSTMOptions) RNNBase {
	m := RNNBase{
		InputSize: in, HiddenSize: hidden, NumLayers: cmp.Or(o.NumLayers, 1), ProjSize: o.ProjSize,
		NoBias: o.NoBias, BatchFirst: o.BatchFirst, Bidirectional: o.Bidirectional, Dropout: o.Dropout,
		Training: true, name: op,
	}
	checkProbability(op, o.Dropout)
	checkPositive(op, "input size", in)
	checkPositive(op, "hidden size", hidden)
	checkPositive(op, "number of layers", m.NumLayers)
	if m.ProjSize < 0 || m.ProjSize >= hidden {
		fail("%s: the projections have %d features; there must be fewer than the hidden size %d, or 0 for none", op, m.ProjSize, hidden)
	}
	bound := 1 / math.Sqrt(float64(hidden))
	add := func(name, suffix string, shape ...int) {
		w := parameter(shape, func(x *torch.Tensor) { x.UniformInPlace(-bound, bound) })
		m.ParameterDict = append(m.ParameterDict, torch.Named{Name: name + suffix, Tensor: w})
	}
	rows, out := gates*hidden, cmp.Or(m.ProjSize, hidden)
	for layer := range m.NumLayers {
		if layer > 0 {
			in = out * m.directions()
		}
		for d := range m.directions() {
			suffix := fmt.Sprintf("_l%d%s", layer, []string{"", "_reverse"}[d])
			add("weight_ih", suffix, rows, in)
			add("weight_hh", suffix, rows, out)
			if !m.NoBias {
				add("bias_ih", suffix, rows)
				add("bias_hh", suffix, rows)
			}
			if m.ProjSize > 0 {
				add("weight_hr", suffix, m.ProjSize, hidden)
			}
		}
	}
	return m
}

func checkPositive(op, what string, n int) {
	if n <= 0 {
		fail("%s: the %s is %d; it must be positive", op, what, n)
	}
}

func (m *RNNBase) extraRepr() string {
	s := fmt.Sprintf("%d, %d", m.InputSize, m.HiddenSize)
	if m.ProjSize != 0 {
		s += fmt.Sprintf(", proj_size=%d", m.ProjSize)
	}
	if m.NumLayers != 1 {
		s += fmt.Sprintf(", num_layers=%d", m.NumLayers)
	}
	if m.NoBias {
		s += ", bias=False"
	}
	if m.BatchFirst {
		s += ", batch_first=True"
	}
	if m.Dropout != 0 {
		s += ", dropout=" + float(&m.Dropout, 0)
	}
	if m.Bidirectional {
		s += ", bidirectional=True"
	}
	return s
}

func (m *RNNBase) directions() int {
	if m.Bidirectional {
		return 2
	}
	return 1
}

// sequence is an input of a recurrent layer, as its operator takes it.
type sequence struct {
	data    *torch.Tensor
	packed  *PackedSequence // nil if data are padded
	batch   int
	noBatch bool // the caller's tensors have no dimension N
}

// padded prepares an input [L, N, in], [N, L, in] with BatchFirst, or [L, in].
func (m *RNNBase) padded(x *torch.Tensor) sequence {
	s := sequence{data: x}
	switch x.Dim() {
	case 2:
		s.noBatch = true
		s.data = x.Unsqueeze(m.batchDim())
	case 3:
	default:
		fail("%s: x is %v; it must have 3 dimensions, or 2 without a batch", m.name, x.Shape())
	}
	s.batch = s.data.Size(m.batchDim())
	m.checkInput(s.data)
	return s
}

func (m *RNNBase) packed(x *PackedSequence) sequence {
	x.check(m.name)
	if x.Data.Dim() != 2 {
		fail("%s: the data of the packed sequence are %v; they must be [total, %d]", m.name, x.Data.Shape(), m.InputSize)
	}
	m.checkInput(x.Data)
	return sequence{data: x.Data, packed: x, batch: x.batch()}
}

func (m *RNNBase) batchDim() int {
	if m.BatchFirst {
		return 0
	}
	return 1
}

func (m *RNNBase) checkInput(x *torch.Tensor) {
	if n := x.Size(-1); n != m.InputSize {
		fail("%s: x has %d features; the layer takes %d", m.name, n, m.InputSize)
	}
	w := m.ParameterDict[0].Tensor
	if x.DType() != w.DType() && !anyAutocast() {
		fail("%s: x is %v and the weights are %v; convert x, or the layer", m.name, x.DType(), w.DType())
	}
}

func anyAutocast() bool {
	return amp.IsAutocastEnabled(torch.CPU) || amp.IsAutocastEnabled(torch.CUDA)
}

// state prepares an initial state [layers·directions, N, features], which is zeros if h is nil.
func (m *RNNBase) state(s sequence, what string, h *torch.Tensor, features int) *torch.Tensor {
	layers := m.NumLayers * m.directions()
	if h == nil {
		return torch.Options{DType: s.data.DType(), Device: s.data.Device()}.Zeros(layers, s.batch, features)
	}
	want := []int{layers, s.batch, features}
	if s.noBatch {
		want = []int{layers, features}
	}
	if got := h.Shape(); !slices.Equal(got, want) {
		fail("%s: the %s is %v; it must be %v", m.name, what, got, want)
	}
	if s.noBatch {
		return h.Unsqueeze(1)
	}
	if s.packed != nil && s.packed.SortedIndices != nil {
		return h.IndexSelect(1, s.packed.SortedIndices)
	}
	return h
}

// call runs the operator on a sequence and initial states, and returns its output and final states.
func (m *RNNBase) call(s sequence, input, data *torch.Op, states ...*torch.Tensor) []*torch.Tensor {
	weights := make([]*torch.Tensor, len(m.ParameterDict))
	for i, p := range m.ParameterDict {
		weights[i] = p.Tensor
	}
	op := input
	var c torch.Call
	c.Tensor(s.data)
	if s.packed != nil {
		op = data
		c.Tensor(s.packed.BatchSizes)
	}
	if len(states) == 1 {
		c.Tensor(states[0])
	} else {
		c.Tensors(states)
	}
	c.Tensors(weights)
	c.Bool(!m.NoBias)
	c.Int(m.NumLayers)
	c.Float(m.Dropout)
	c.Bool(m.Training)
	c.Bool(m.Bidirectional)
	if s.packed == nil {
		c.Bool(m.BatchFirst)
	}
	var out []*torch.Tensor
	if len(states) == 1 {
		y, h := c.Two(op)
		out = []*torch.Tensor{y, h}
	} else {
		y, h, cell := c.Three(op)
		out = []*torch.Tensor{y, h, cell}
	}
	if s.noBatch {
		out[0] = out[0].Squeeze(m.batchDim())
	}
	for i, h := range out[1:] {
		switch {
		case s.noBatch:
			out[i+1] = h.Squeeze(1)
		case s.packed != nil && s.packed.UnsortedIndices != nil:
			out[i+1] = h.IndexSelect(1, s.packed.UnsortedIndices)
		}
	}
	return out
}

// run calls f in a scope and keeps the tensors that it returns.
func run(f func() []*torch.Tensor) (out []*torch.Tensor) {
	torch.Scope(func() {
		out = f()
		for _, x := range out {
			torch.Keep(x)
		}
	})
	return out
}

var (
	opRNNTanh     = torch.NewOp("aten::rnn_tanh", "input")
	opRNNTanhData = torch.NewOp("aten::rnn_tanh", "data")
	opRNNReLU     = torch.NewOp("aten::rnn_relu", "input")
	opRNNReLUData = torch.NewOp("aten::rnn_relu", "data")
	opGRU         = torch.NewOp("aten::gru", "input")
	opGRUData     = torch.NewOp("aten::gru", "data")
	opLSTM        = torch.NewOp("aten::lstm", "input")
	opLSTMData    = torch.NewOp("aten::lstm", "data")
)

// RNN is a recurrent network of Elman's: torch.nn.RNN.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html
type RNN struct {
	RNNBase
	Nonlinearity string // "tanh" or "relu"
}

// NewRNN makes a network from in features to hidden ones: nn.RNN(in, hidden). It panics
// with a *torch.Error if a size is not positive or an option has no such value. A dropout
// needs more than one layer to have an effect.
func NewRNN(in, hidden int, options ...RNNOptions) *RNN {
	o := torch.Only(options)
	nonlinearity := checkNonlinearity("RNN", o.Nonlinearity)
	return &RNN{newRNNBase("RNN", 1, in, hidden, LSTMOptions{o.NumLayers, o.NoBias, o.BatchFirst, o.Dropout, o.Bidirectional, 0}), nonlinearity}
}

// checkNonlinearity returns the name of a nonlinearity, or the default if it is empty.
func checkNonlinearity(op, name string) string {
	switch name {
	case "":
		return "tanh"
	case "tanh", "relu":
		return name
	}
	fail("%s: the nonlinearity is %q; it can be \"tanh\" or \"relu\"", op, name)
	return ""
}

// Forward maps a sequence x [L, N, in], or [N, L, in] with BatchFirst, or [L, in], to the
// outputs of the last layer, [L, N, hidden·directions] and so on, and the final hidden
// state h [layers·directions, N, hidden], or [layers·directions, hidden] without N. It
// starts from h0, which has the shape of h, or from zeros if there is none.
//
//	rnn := nn.NewRNN(10, 20)
//	y, h := rnn.Forward(x)
//	y, h = rnn.Forward(x, h)
func (m *RNN) Forward(x *torch.Tensor, h0 ...*torch.Tensor) (y, h *torch.Tensor) {
	defer ready(m)()
	out := run(func() []*torch.Tensor { return m.forward(m.padded(x), torch.Only(h0)) })
	return out[0], out[1]
}

// ForwardPacked is [RNN.Forward] of sequences of several lengths.
func (m *RNN) ForwardPacked(x *PackedSequence, h0 ...*torch.Tensor) (y *PackedSequence, h *torch.Tensor) {
	defer ready(m)()
	out := run(func() []*torch.Tensor { return m.forward(m.packed(x), torch.Only(h0)) })
	return x.with(out[0]), out[1]
}

func (m *RNN) forward(s sequence, h *torch.Tensor) []*torch.Tensor {
	h = m.state(s, "hidden state", h, m.HiddenSize)
	if m.Nonlinearity == "relu" {
		return m.call(s, opRNNReLU, opRNNReLUData, h)
	}
	return m.call(s, opRNNTanh, opRNNTanhData, h)
}

// GRU is a network of gated recurrent units: torch.nn.GRU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
type GRU struct{ RNNBase }

// NewGRU makes a network from in features to hidden ones: nn.GRU(in, hidden). It panics
// with a *torch.Error if a size is not positive or an option has no such value. A dropout
// needs more than one layer to have an effect.
func NewGRU(in, hidden int, options ...GRUOptions) *GRU {
	o := torch.Only(options)
	return &GRU{newRNNBase("GRU", 3, in, hidden, LSTMOptions{o.NumLayers, o.NoBias, o.BatchFirst, o.Dropout, o.Bidirectional, 0})}
}

// Forward maps a sequence to outputs and the final hidden state. The shapes are those of
// [RNN.Forward].
func (m *GRU) Forward(x *torch.Tensor, h0 ...*torch.Tensor) (y, h *torch.Tensor) {
	defer ready(m)()
	out := run(func() []*torch.Tensor { return m.forward(m.padded(x), torch.Only(h0)) })
	return out[0], out[1]
}

// ForwardPacked is [GRU.Forward] of sequences of several lengths.
func (m *GRU) ForwardPacked(x *PackedSequence, h0 ...*torch.Tensor) (y *PackedSequence, h *torch.Tensor) {
	defer ready(m)()
	out := run(func() []*torch.Tensor { return m.forward(m.packed(x), torch.Only(h0)) })
	return x.with(out[0]), out[1]
}

func (m *GRU) forward(s sequence, h *torch.Tensor) []*torch.Tensor {
	return m.call(s, opGRU, opGRUData, m.state(s, "hidden state", h, m.HiddenSize))
}

// LSTM is a network of long short-term memory: torch.nn.LSTM.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
type LSTM struct{ RNNBase }

// An LSTMState is the state of an [LSTM] or an [LSTMCell]: the tuple (h, c). A nil tensor
// stands for zeros.
type LSTMState struct {
	H *torch.Tensor // the hidden state
	C *torch.Tensor // the cell state
}

// NewLSTM makes a network from in features to hidden ones: nn.LSTM(in, hidden). It panics
// with a *torch.Error if a size is not positive or an option has no such value. A dropout
// needs more than one layer to have an effect.
func NewLSTM(in, hidden int, options ...LSTMOptions) *LSTM {
	return &LSTM{newRNNBase("LSTM", 4, in, hidden, torch.Only(options))}
}

// Forward maps a sequence x [L, N, in], or [N, L, in] with BatchFirst, or [L, in], to the
// outputs of the last layer, [L, N, out·directions] and so on, and the final state, whose H
// is [layers·directions, N, out] and C [layers·directions, N, hidden], without N if x has
// none. The number out is ProjSize with projections, and hidden otherwise. It starts from the
// state s0, or from zeros if there is none.
//
//	lstm := nn.NewLSTM(10, 20)
//	y, s := lstm.Forward(x)
//	y, s = lstm.Forward(x, s)
func (m *LSTM) Forward(x *torch.Tensor, s0 ...LSTMState) (y *torch.Tensor, s LSTMState) {
	defer ready(m)()
	out := run(func() []*torch.Tensor { return m.forward(m.padded(x), torch.Only(s0)) })
	return out[0], LSTMState{out[1], out[2]}
}

// ForwardPacked is [LSTM.Forward] of sequences of several lengths.
func (m *LSTM) ForwardPacked(x *PackedSequence, s0 ...LSTMState) (y *PackedSequence, s LSTMState) {
	defer ready(m)()
	out := run(func() []*torch.Tensor { return m.forward(m.packed(x), torch.Only(s0)) })
	return x.with(out[0]), LSTMState{out[1], out[2]}
}

func (m *LSTM) forward(s sequence, from LSTMState) []*torch.Tensor {
	h := m.state(s, "hidden state", from.H, cmp.Or(m.ProjSize, m.HiddenSize))
	return m.call(s, opLSTM, opLSTMData, h, m.state(s, "cell state", from.C, m.HiddenSize))
}
