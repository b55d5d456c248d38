package graph

import (
	"errors"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
)

// sum lowers x + alpha·y, x - alpha·y, and alpha·y - x.
func sum(b *builder, n *Node) (*form, error) {
	alpha, ok := 1.0, true
	if len(n.Args) > 2 {
		alpha, ok = number(n.Args[2])
	}
	if !ok {
		return nil, errors.New("alpha is no number")
	}
	x, y := n.Args[0], n.Args[1]
	base, _, _ := strings.Cut(n.Op, ".")
	switch base {
	case "aten::sub":
		alpha = -alpha
	case "aten::rsub": // y - alpha·x
		x, y, alpha = y, x, -alpha
	}
	if isConstant(x) {
		return b.affine(n, y, alpha, x, 1)
	}
	if isConstant(y) {
		return b.affine(n, x, 1, y, alpha)
	}
	return b.binary(n, kernels.Add, x.(*Value), y.(*Value), alpha)
}

// times lowers x·y, x / y for constants y, and -x.
func times(b *builder, n *Node) (*form, error) {
	base, overload, _ := strings.Cut(n.Op, ".")
	x := n.Args[0]
	if base == "aten::neg" {
		return b.affine(n, x, -1, nil, 0)
	}
	y := n.Args[1]
	if base == "aten::div" {
		if f := b.lengths(n.tensor(1)); f != nil {
			return b.normalized(n, f)
		}
		if strings.HasSuffix(overload, "mode") && n.Args[2] != nil || !isConstant(y) {
			return nil, errors.New("it is no division by a constant")
		}
		return b.scaled(n, x, y, true)
	}
	if isConstant(x) {
		x, y = y, x
	}
	if isConstant(y) {
		return b.scaled(n, x, y, false)
	}
	return b.binary(n, kernels.Mul, x.(*Value), y.(*Value), 1)
}

// isConstant reports whether an argument is a number or a constant tensor.
func isConstant(a any) bool {
	v, ok := a.(*Value)
	return !ok || v.Tensor != nil
}

// operand returns the form of x in the shape of the result, for which channels are those of a tensor y.
func (b *builder) operand(n *Node, x any) (*form, error) {
	v, ok := x.(*Value)
	if !ok {
		return nil, errors.New("both operands are constants")
	}
	f, err := b.form(v, usual(v))
	if err != nil {
		return nil, err
	}
	return f.expanded(n.Results[0].Shape)
}

// scaled appends x · y of a constant y, or x / y.
func (b *builder) scaled(n *Node, x, y any, inverse bool) (*form, error) {
	f, err := b.operand(n, x)
	if err != nil {
		return nil, err
	}
	c, perChannel, err := f.constant(y)
	if err != nil {
		return nil, err
	}
	if inverse {
		c = lasting(func() *torch.Tensor { return c.Reciprocal() })
	}
	if perChannel {
		return b.pointwise(f, kernels.Instruction{Kind: kernels.Scale, Weight: c})
	}
	return b.withConstant(f, kernels.Mul, c)
}

// affine appends alpha·x + beta·y of a constant y, or alpha·x if y is nil.
func (b *builder) affine(n *Node, x any, alpha float64, y any, beta float64) (*form, error) {
	f, err := b.operand(n, x)
	if err != nil {
		return nil, err
	}
	filled := func(v float64) *torch.Tensor {
		return lasting(func() *torch.Tensor { return torch.Full(v, len(f.channels)).ToDType(torch.Float32) })
	}
	in := kernels.Instruction{Kind: kernels.Scale}
	if alpha != 1 {
		in.Weight = filled(alpha)
	}
	if y != nil {
		c, perChannel, err := f.constant(y)
		if err != nil {
			return nil, err
		}
		if beta != 1 {
			c = lasting(func() *torch.Tensor { return c.MulScalar(beta) })
		}
		if !perChannel {
			if alpha != 1 {
				if f, err = b.pointwise(f, in); err != nil {
					return nil, err
				}
			}
			return b.withConstant(f, kernels.Add, c)
		}
		in.Bias = c
	}
	return b.pointwise(f, in)
}

// constant returns a constant for an operation with a tensor: of each channel, [C], or one that is broadcast to the tensor.
func (f *form) constant(y any) (c *torch.Tensor, perChannel bool, err error) {
	if f.flat {
		return nil, false, errMixed
	}
	if v, ok := number(y); ok {
		return lasting(func() *torch.Tensor { return torch.Full(v, len(f.channels)).ToDType(torch.Float32) }), true, nil
	}
	v, ok := y.(*Value)
	if !ok || v.Tensor == nil || v.DType != torch.Float32 || v.Device != torch.CPU {
		return nil, false, errors.New("the other operand is no constant of float32")
	}
	shape := append(ones(len(f.shape)-len(v.Shape)), v.Shape...)
	perChannel = true
	var deep []int
	for d, n := range shape {
		perChannel = perChannel && (n == 1 || f.deep[d])
		if f.deep[d] {
			deep = append(deep, f.shape[d])
		} else {
			deep = append(deep, n)
		}
	}
	return lasting(func() *torch.Tensor {
		c := v.Tensor.Reshape(shape...)
		if perChannel {
			c = c.Expand(deep...).Reshape(-1).Contiguous()
		}
		return c
	}), perChannel, nil
}

// withConstant appends an operation with a constant that is broadcast to the tensor of f.
func (b *builder) withConstant(f *form, kind kernels.Kind, c *torch.Tensor) (*form, error) {
	f, err := b.settled(f)
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(f.shape)
	sizes, part := f.sizes(false), 1
	n := 0 // dimensions whose product is N of the image
	for n < len(sizes) && part < f.size[0] {
		part *= sizes[n]
		n++
	}
	size := f.size
	k := 0
	alone := part == f.size[0] // whether samples are alike
	for d := range shape {
		if f.deep[d] {
			continue
		}
		alone = alone && (k >= n || c.Size(d) == 1)
		k++
	}
	if alone {
		size[0] = 1
		k = 0
		for d := range shape {
			if !f.deep[d] {
				if k < n {
					shape[d] = 1
				}
				k++
			}
		}
	}
	image := lasting(func() *torch.Tensor { return f.imageOf(c.Expand(shape...), size) })
	x, err := b.together(f.channels, f.size)
	if err != nil {
		return nil, err
	}
	y := b.emit(kernels.Instruction{Kind: kernels.Const, Weight: image}, size, len(f.channels))
	return b.result(b.emit(kernels.Instruction{Kind: kind, In: []int{x, y}}, f.size, len(f.channels)), f.shape, f.deep), nil
}

// binary appends an operation of x and alpha·y.
func (b *builder) binary(n *Node, kind kernels.Kind, xv, yv *Value, alpha float64) (*form, error) {
	shape := n.Results[0].Shape
	if product(xv.Shape...) < product(yv.Shape...) && (kind == kernels.Mul || alpha == 1) {
		xv, yv = yv, xv
	}
	// a tensor without a form has its channels where the other one has them
	dim := usual(xv)
	if g := b.forms[yv]; b.forms[xv] == nil && g != nil {
		dim = g.dim(len(xv.Shape), dim)
	}
	x, err := b.form(xv, dim)
	if err != nil {
		return nil, err
	}
	if len(yv.Shape) > 0 {
		dim = max(x.dim(len(yv.Shape), dim), 0)
	}
	y, err := b.form(yv, min(dim, max(len(yv.Shape)-1, 0)))
	if err != nil {
		return nil, err
	}
	if alpha != 1 {
		w := lasting(func() *torch.Tensor { return torch.Full(alpha, len(y.channels)).ToDType(torch.Float32) })
		if y, err = b.pointwise(y, kernels.Instruction{Kind: kernels.Scale, Weight: w}); err != nil {
			return nil, err
		}
	}
	if x.flat || y.flat {
		if !x.flat || !y.flat || x.size != y.size {
			return nil, errMixed
		}
		return b.together2(kind, x, y)
	}
	if x, err = x.expanded(shape); err != nil {
		return nil, err
	}
	if y, err = y.reshape(append(ones(len(shape)-len(y.shape)), y.shape...)); err != nil {
		return nil, err
	}
	if !y.is(x.deep...) {
		for d := range shape { // where x has one element, y decides
			if x.shape[d] == 1 {
				continue
			}
			if y.shape[d] != 1 && y.deep[d] != x.deep[d] {
				return nil, errForm
			}
		}
	}
	g := *y
	g.deep = x.deep
	y = &g
	if len(y.channels) != len(x.channels) {
		if y, err = y.expanded(shape); err != nil {
			return nil, err
		}
	}
	if slices.Equal(y.shape, shape) && equalPixels(x, y) && x.complete() {
		return b.together2(kind, x, y)
	}
	if x.pixels != nil && y.pixels == nil && slices.Equal(y.shape, shape) {
		x, y = y, x
	}
	if x, err = b.settled(x); err != nil {
		return nil, err
	}
	size, ok := x.broadcastSize(y)
	if !ok {
		if y, err = y.expanded(shape); err != nil {
			return nil, err
		}
		size = x.size
	}
	v, err := b.image(y, size)
	if err != nil {
		return nil, err
	}
	return b.together2(kind, x, b.result(v, y.shape, y.deep))
}

// dim returns the one dimension of channels of a tensor of as many dimensions as the last ones of f, or otherwise.
func (f *form) dim(rank, otherwise int) int {
	for d := range f.shape {
		if f.deep[d] && f.shape[d] > 1 && d >= len(f.shape)-rank {
			return d - (len(f.shape) - rank)
		}
	}
	return min(otherwise, rank-1)
}

// broadcastSize returns the size of an image of y for an operation with the image of x, all of whose pixels are in order.
func (x *form) broadcastSize(y *form) (size [3]int, ok bool) {
	xs, ys := x.sizes(false), y.sizes(false)
	n, part := 0, 1
	for n < len(xs) && part < x.size[0] {
		part *= xs[n]
		n++
	}
	if part != x.size[0] {
		return size, slices.Equal(xs, ys)
	}
	size = x.size
	for i, s := range [][2]int{{0, n}, {n, len(xs)}} {
		a, c := xs[s[0]:s[1]], ys[s[0]:s[1]]
		switch {
		case slices.Equal(a, c):
		case product(c...) == 1 && i == 0:
			size[0] = 1
		case product(c...) == 1:
			size[1], size[2] = 1, 1
		default:
			return size, false
		}
	}
	return size, true
}

// together2 appends an operation of two tensors in images that fit.
func (b *builder) together2(kind kernels.Kind, x, y *form) (*form, error) {
	v, err := b.together(x.channels, x.size)
	if err != nil {
		return nil, err
	}
	w, err := b.together(y.channels, y.size)
	if err != nil {
		return nil, err
	}
	out := *x
	out.channels = ofValue(b.emit(kernels.Instruction{Kind: kind, In: []int{v, w}}, x.size, len(x.channels)), len(x.channels))
	return &out, nil
}
