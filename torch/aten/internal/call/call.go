// Package call has the helpers of the generated functions of package aten and
// its subpackages need besides torch.Call.
package call

import "github.com/torchhub/torchhub/torch"

// Optional adds the value to which v points, or None.
func Optional[T any](c *torch.Call, v *T, put func(*torch.Call, T)) {
	if v == nil {
		c.None()
		return
	}
	put(c, *v)
}

// Tensor takes a tensor out of a result; an undefined one is nil.
func Tensor(v torch.Value) *torch.Tensor {
	x, _ := v.(*torch.Tensor)
	return x
}

// Tensors takes a list of tensors out of a result.
func Tensors(v torch.Value) []*torch.Tensor {
	vs := v.([]torch.Value)
	out := make([]*torch.Tensor, len(vs))
	for i, v := range vs {
		out[i] = Tensor(v)
	}
	return out
}
