package graph

import (
	"errors"

	"github.com/torchhub/torchhub/torch/internal/kernels"
)

var errLengths = errors.New("lengths of vectors are in no image")

// lengths lowers the first step of torch.nn.functional.normalize(x, dim=-1), x / max(‖x‖, eps).
func lengths(b *builder, n *Node) (*form, error) {
	x, err := b.tensorForm(n, 0, -1)
	if err != nil {
		return nil, err
	}
	p, _ := number(n.Args[1])
	over, rank := n.integers(2), len(x.shape)
	if len(n.Args) < 4 || p != 2 || len(over) != 1 || from(over[0], rank) != rank-1 || n.Args[3] != true || len(n.Args) > 4 && n.Args[4] != nil || n.Results[0].DType != n.tensor(0).DType {
		return nil, errors.New("it is no euclidean norm of the last dimension, which it keeps")
	}
	if x.flat || !x.deep[rank-1] || x.channelsOf(rank-1) != x.shape[rank-1] {
		return nil, errForm
	}
	return &form{shape: n.Results[0].Shape, deep: make([]bool, rank), lengthsOf: x}, nil
}

// channelsOf returns the number of consecutive channels that the last dimensions of channels have, from dimension d on.
func (f *form) channelsOf(d int) int {
	n := 1
	for i := d; i < len(f.shape); i++ {
		if f.deep[i] {
			n *= f.shape[i]
		}
	}
	return n
}

// lengths returns the form of a value if it is of lengths, or nil.
func (b *builder) lengths(v *Value) *form {
	if f := b.forms[v]; f != nil && f.lengthsOf != nil {
		return f
	}
	return nil
}

// clamped returns the lengths at a least value.
func (f *form) clamped(n *Node) (*form, error) {
	least, ok := number(n.Args[1])
	if n.Op != "aten::clamp_min" || !ok || f.least != 0 || least < 0 {
		return nil, errLengths
	}
	out := *f
	out.least = least
	return &out, nil
}

// normalized appends the division of a tensor by its lengths.
func (b *builder) normalized(n *Node, by *form) (*form, error) {
	x, err := b.tensorForm(n, 0, -1)
	if err != nil {
		return nil, err
	}
	if x != by.lengthsOf || len(n.Args) > 2 {
		return nil, errLengths
	}
	size := x.shape[len(x.shape)-1]
	return b.pointwise(x, kernels.Instruction{Kind: kernels.Normalize, Groups: len(x.channels) / size, Eps: by.least})
}
