package graph

import (
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// An affine is the function x·scale + shift of each channel, by tensors [C] of float64.
type affine struct{ scale, shift *torch.Tensor }

// batchNorm returns what a node computes of its first argument if it is a batch normalization by known statistics.
func (n *Node) batchNorm() (a affine, ok bool) {
	base, _, _ := strings.Cut(n.Op, ".")
	eps := 0
	switch base {
	case "aten::batch_norm", "aten::native_batch_norm":
		if n.Args[5] != false {
			return a, false
		}
		eps = 7
	case "aten::_native_batch_norm_legit_no_training":
		eps = 6
	case "aten::_batch_norm_no_update":
		eps = 6
	default:
		return a, false
	}
	var s [4]*torch.Tensor // weight, bias, mean, variance
	for i := range s {
		switch v := n.tensor(i + 1); {
		case v != nil && v.Tensor != nil:
			s[i] = v.Tensor.To(torch.CPU, torch.ToOptions{DType: torch.Float64})
		case v != nil || i > 1:
			return a, false
		}
	}
	a.scale = s[3].AddScalar(n.Args[eps]).Rsqrt()
	if s[0] != nil {
		a.scale = a.scale.Mul(s[0])
	}
	a.shift = s[2].Mul(a.scale).Neg()
	if s[1] != nil {
		a.shift = a.shift.Add(s[1])
	}
	return a, true
}

// into returns the weight and the bias of a convolution or a linear layer, of whose results a is computed then. The
// channels of the results are dimension dim of the weight, and bias may be nil.
func (a affine) into(weight, bias *torch.Tensor, dim, groups int) (w, b *torch.Tensor) {
	w = weight.To(torch.CPU, torch.ToOptions{DType: torch.Float64, Copy: true})
	if dim == 0 {
		w.MulInPlace(a.scale.Reshape(append([]int{-1}, ones(w.Dim()-1)...)...))
	} else { // of a transposed convolution, [C in, C out / groups, …]
		shape := w.Shape()
		parts := append([]int{groups, shape[0] / groups}, shape[1:]...)
		w = w.Reshape(parts...).Mul(a.scale.Reshape(append([]int{groups, 1, shape[1]}, ones(w.Dim()-2)...)...)).Reshape(shape...)
	}
	b = a.shift
	if bias != nil {
		b = b.Add(bias.To(torch.CPU, torch.ToOptions{DType: torch.Float64}).Mul(a.scale))
	}
	back := torch.ToOptions{DType: weight.DType()}
	return w.To(weight.Device(), back), b.To(weight.Device(), back)
}

func ones(n int) []int { return slices.Repeat([]int{1}, n) }

// foldBatchNorm computes batch normalizations by the convolutions and linear layers before them.
func (e *editor) foldBatchNorm() {
	uses, makers := e.uses(), e.makers()
	e.rewrite(func(n *Node) []*Node {
		var before *Node
		if x := n.tensor(0); x != nil && uses[x] == 1 {
			before = makers[x]
		}
		if before == nil {
			return []*Node{n}
		}
		weight, bias, dim, groups := before.layer()
		if weight == nil || used(n.Results[1:], uses) || before.Op == "aten::linear" && len(before.Results[0].Shape) != 2 {
			return []*Node{n}
		}
		lasting(func() (none struct{}) {
			torch.Scope(func() {
				a, ok := n.batchNorm()
				if !ok {
					return
				}
				var b *torch.Tensor
				if bias != nil {
					b = bias.Tensor
				}
				w, b := a.into(weight.Tensor, b, dim, groups)
				before.Args[1] = e.constant(torch.Keep(w), weight.Name)
				before.Args[2] = e.constant(torch.Keep(b), weight.Name+"_bias")
				e.become[n.Results[0]] = before.Results[0]
				if weight.own && uses[weight] == 1 { // at once, so that not all layers' are there twice
					weight.Tensor.Free()
				}
			})
			return none
		})
		if e.become[n.Results[0]] != nil {
			if weight.own {
				torch.EmptyCache() // which is of other sizes than the next layer's
			}
			return nil
		}
		return []*Node{n}
	})
}

func used(vs []*Value, uses map[*Value]int) bool {
	return slices.ContainsFunc(vs, func(v *Value) bool { return uses[v] > 0 })
}

// layer returns the constant weight and bias, the weight's dimension of the results' channels, and the groups, of a
// convolution or a linear layer; weight is nil of other nodes. Bias is nil without.
func (n *Node) layer() (weight, bias *Value, dim, groups int) {
	base, _, _ := strings.Cut(n.Op, ".")
	groups = 1
	switch base {
	case "aten::linear":
	case "aten::conv1d", "aten::conv2d", "aten::conv3d":
		groups = n.integer(6, 1)
	case "aten::conv_transpose1d", "aten::conv_transpose2d", "aten::conv_transpose3d":
		dim, groups = 1, n.integer(6, 1)
	case "aten::convolution", "aten::_convolution":
		if n.Args[6] == true {
			dim = 1
		}
		groups = n.integer(8, 1)
	default:
		return nil, nil, 0, 0
	}
	weight, bias = n.tensor(1), n.tensor(2)
	if weight == nil || weight.Tensor == nil || bias != nil && bias.Tensor == nil || len(n.tensor(0).Shape) == len(weight.Shape)-1 {
		return nil, nil, 0, 0
	}
	return weight, bias, dim, groups
}
