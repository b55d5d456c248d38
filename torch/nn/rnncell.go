package nn

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/torch"
)

// RNNCellBase is what [RNNCell], [LSTMCell] and [GRUCell] have in common.
type RNNCellBase struct {
	WeightIH *torch.Tensor // [gates·hidden, in]
	WeightHH *torch.Tensor // [gates·hidden, hidden]
	BiasIH   *torch.Tensor // [gates·hidden], nil without bias
	BiasHH   *torch.Tensor // [gates·hidden], nil without bias

	InputSize, HiddenSize int
	name                  string
}

func newRNNCell(op string, gates, in, hidden int, noBias bool) RNNCellBase {
	if in < 0 || hidden < 0 {
		fail("%s: the input size is %d and the hidden size %d; they must not be negative", op, in, hidden)
	}
	bound := 0.0
	if hidden > 0 {
		bound = 1 / math.Sqrt(float64(hidden))
	}
	draw := func(shape ...int) *torch.Tensor {
		return parameter(shape, func(x *torch.Tensor) { x.UniformInPlace(-bound, bound) })
	}
	m := RNNCellBase{InputSize: in, HiddenSize: hidden, name: op}
	m.WeightIH, m.WeightHH = draw(gates*hidden, in), draw(gates*hidden, hidden)
	if !noBias {
		m.BiasIH, m.BiasHH = draw(gates*hidden), draw(gates*hidden)
	}
	return m
}

func (m *RNNCellBase) extraRepr() string {
	s := fmt.Sprintf("%d, %d", m.InputSize, m.HiddenSize)
	if m.BiasIH == nil {
		s += ", bias=False"
	}
	return s
}

// call runs the operator of a cell on x [N, in] or [in] and states [N, hidden] or [hidden].
func (m *RNNCellBase) call(op *torch.Op, x *torch.Tensor, states ...*torch.Tensor) []*torch.Tensor {
	noBatch := x.Dim() == 1
	if !noBatch && x.Dim() != 2 {
		fail("%s: x is %v; it must be [N, in] or [in]", m.name, x.Shape())
	}
	for _, h := range states {
		if h != nil && h.Dim() != x.Dim() {
			fail("%s: x is %v and a state %v; both must have a batch, or neither", m.name, x.Shape(), h.Shape())
		}
	}
	return run(func() []*torch.Tensor {
		if noBatch {
			x = x.Unsqueeze(0)
		}
		for i, h := range states {
			switch {
			case h == nil:
				states[i] = torch.Options{DType: x.DType(), Device: x.Device()}.Zeros(x.Size(0), m.HiddenSize)
			case noBatch:
				states[i] = h.Unsqueeze(0)
			}
		}
		var c torch.Call
		c.Tensor(x)
		if len(states) == 1 {
			c.Tensor(states[0])
		} else {
			c.Tensors(states)
		}
		c.Tensor(m.WeightIH)
		c.Tensor(m.WeightHH)
		c.OptTensor(m.BiasIH)
		c.OptTensor(m.BiasHH)
		var out []*torch.Tensor
		if len(states) == 1 {
			out = []*torch.Tensor{c.One(op)}
		} else {
			h, cell := c.Two(op)
			out = []*torch.Tensor{h, cell}
		}
		if noBatch {
			for i, h := range out {
				out[i] = h.Squeeze(0)
			}
		}
		return out
	})
}

var (
	opRNNTanhCell = torch.NewOp("aten::rnn_tanh_cell", "")
	opRNNReLUCell = torch.NewOp("aten::rnn_relu_cell", "")
	opGRUCell     = torch.NewOp("aten::gru_cell", "")
	opLSTMCell    = torch.NewOp("aten::lstm_cell", "")
)

// RNNCellOptions are the options of [NewRNNCell].
type RNNCellOptions struct {
	NoBias       bool   // bias=False
	Nonlinearity string // "tanh" or "relu"; "" means "tanh"
}

// RNNCell is one step of an [RNN]: torch.nn.RNNCell.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
type RNNCell struct {
	RNNCellBase
	Nonlinearity string // "tanh" or "relu"
}

func (m *RNNCell) extraRepr() string {
	s := m.RNNCellBase.extraRepr()
	if m.Nonlinearity != "tanh" {
		s += ", nonlinearity=" + m.Nonlinearity
	}
	return s
}

// NewRNNCell makes a cell from in features to hidden ones: nn.RNNCell(in, hidden). It
// panics with a *torch.Error if the nonlinearity is unknown.
func NewRNNCell(in, hidden int, options ...RNNCellOptions) *RNNCell {
	o := torch.Only(options)
	nonlinearity := checkNonlinearity("RNNCell", o.Nonlinearity)
	return &RNNCell{newRNNCell("RNNCell", 1, in, hidden, o.NoBias), nonlinearity}
}

// Forward returns the hidden state [N, hidden] that follows h, given an input x [N, in];
// both may lack N. Without h it starts from zeros.
//
//	cell := nn.NewRNNCell(10, 20)
//	h := cell.Forward(x)
//	h = cell.Forward(x, h)
func (m *RNNCell) Forward(x *torch.Tensor, h ...*torch.Tensor) *torch.Tensor {
	defer ready(m)()
	op := opRNNTanhCell
	if m.Nonlinearity == "relu" {
		op = opRNNReLUCell
	}
	return m.call(op, x, torch.Only(h))[0]
}

// GRUCellOptions are the options of [NewGRUCell].
type GRUCellOptions struct {
	NoBias bool // bias=False
}

// GRUCell is one step of a [GRU]: torch.nn.GRUCell.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
type GRUCell struct{ RNNCellBase }

// NewGRUCell makes a cell from in features to hidden ones: nn.GRUCell(in, hidden).
func NewGRUCell(in, hidden int, options ...GRUCellOptions) *GRUCell {
	return &GRUCell{newRNNCell("GRUCell", 3, in, hidden, torch.Only(options).NoBias)}
}

// Forward returns the hidden state [N, hidden] that follows h, given an input x [N, in];
// both may lack N. Without h it starts from zeros.
func (m *GRUCell) Forward(x *torch.Tensor, h ...*torch.Tensor) *torch.Tensor {
	defer ready(m)()
	return m.call(opGRUCell, x, torch.Only(h))[0]
}

// LSTMCellOptions are the options of [NewLSTMCell].
type LSTMCellOptions struct {
	NoBias bool // bias=False
}

// LSTMCell is one step of an [LSTM]: torch.nn.LSTMCell.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
type LSTMCell struct{ RNNCellBase }

// NewLSTMCell makes a cell from in features to hidden ones: nn.LSTMCell(in, hidden).
func NewLSTMCell(in, hidden int, options ...LSTMCellOptions) *LSTMCell {
	return &LSTMCell{newRNNCell("LSTMCell", 4, in, hidden, torch.Only(options).NoBias)}
}

// Forward returns the state [N, hidden] that follows s, given an input x [N, in]; all may
// lack N. Without s it starts from zeros.
//
//	cell := nn.NewLSTMCell(10, 20)
//	s := cell.Forward(x)
//	s = cell.Forward(x, s)
func (m *LSTMCell) Forward(x *torch.Tensor, s ...LSTMState) LSTMState {
	defer ready(m)()
	from := torch.Only(s)
	out := m.call(opLSTMCell, x, from.H, from.C)
	return LSTMState{out[0], out[1]}
}
