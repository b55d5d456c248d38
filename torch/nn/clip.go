package nn

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

var (
	opForeachNorm     = torch.NewOp("aten::_foreach_norm", "Scalar")
	opForeachMul      = torch.NewOp("aten::_foreach_mul_", "Tensor")
	opForeachClampMin = torch.NewOp("aten::_foreach_clamp_min_", "Scalar")
	opForeachClampMax = torch.NewOp("aten::_foreach_clamp_max_", "Scalar")
	opVectorNorm      = torch.NewOp("aten::linalg_vector_norm", "")
)

// A group is a list of tensors of one dtype on one device.
type group struct {
	device  torch.Device
	tensors []*torch.Tensor
}

// groups returns tensors by device and dtype, the last kind first as PyTorch does.
func groups(tensors []*torch.Tensor) (all []group) {
	type kind struct {
		torch.Device
		torch.DType
	}
	at := map[kind]int{}
	for _, x := range tensors {
		k := kind{x.Device(), x.DType()}
		i, ok := at[k]
		if !ok {
			i = len(all)
			at[k] = i
			all = append(all, group{device: k.Device})
		}
		all[i].tensors = append(all[i].tensors, x)
	}
	slices.Reverse(all)
	return all
}

// grads returns the gradients that there are.
func grads(op string, parameters []*torch.Tensor) (all []*torch.Tensor) {
	for i, p := range parameters {
		if p == nil {
			fail("%s: parameter %d is nil", op, i)
		}
		if g := p.Grad(); g != nil {
			all = append(all, g)
		}
	}
	return all
}

// GetTotalNormOptions are the options of [GetTotalNorm].
type GetTotalNormOptions struct {
	NormType         *float64 // the order of the norm, default 2; math.Inf(1) is the largest absolute value
	ErrorIfNonfinite bool     // panics if the norm is NaN or infinite
}

// GetTotalNorm returns the norm of all tensors as one vector: torch.nn.utils.get_total_norm(tensors).
// It is 0 of no tensors. It panics with a *torch.Error if the norm is not finite and
// ErrorIfNonfinite is given.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.get_total_norm.html
func GetTotalNorm(tensors []*torch.Tensor, options ...GetTotalNormOptions) *torch.Tensor {
	o := torch.Only(options)
	order := or(o.NormType, 2)
	if len(tensors) == 0 {
		return torch.Scalar(float32(0))
	}
	if i := slices.Index(tensors, nil); i >= 0 {
		fail("GetTotalNorm: tensor %d is nil", i)
	}
	var total *torch.Tensor
	torch.NoGrad(func() {
		torch.Scope(func() {
			var norms []*torch.Tensor
			for _, g := range groups(tensors) {
				var c torch.Call
				c.Tensors(g.tensors)
				c.Number(order)
				c.Default()
				for _, n := range c.Several(opForeachNorm) {
					norms = append(norms, n.To(tensors[0].Device()))
				}
			}
			total = torch.Keep(vectorNorm(torch.Stack(norms, 0), order, nil))
			if v := total.Item(); o.ErrorIfNonfinite && (math.IsNaN(v) || math.IsInf(v, 0)) {
				fail("the total norm of order %v is %v, so gradients cannot be clipped by it; without ErrorIfNonfinite they are scaled by it anyway", order, v)
			}
		})
	})
	return total
}

// vectorNorm is torch.linalg.vector_norm(x, n, dims); nil is all dimensions.
func vectorNorm(x *torch.Tensor, n float64, dims []int) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	c.Number(n)
	c.OptInts(dims)
	c.Bool(false)
	c.Default()
	return c.One(opVectorNorm)
}

// ClipGradsWithNorm scales the gradients of parameters in place so that their total norm, which
// is given, is at most maxNorm: torch.nn.utils.clip_grads_with_norm_(parameters, maxNorm, totalNorm).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grads_with_norm_.html
func ClipGradsWithNorm(parameters []*torch.Tensor, maxNorm float64, totalNorm *torch.Tensor) {
	all := grads("ClipGradsWithNorm", parameters)
	if len(all) == 0 {
		return
	}
	torch.NoGrad(func() {
		torch.Scope(func() {
			scale := totalNorm.AddScalar(1e-6).Reciprocal().MulScalar(maxNorm).ClampMax(1.0)
			for _, g := range groups(all) {
				var c torch.Call
				c.Tensors(g.tensors)
				c.Tensor(scale.To(g.device))
				c.Do(opForeachMul)
			}
		})
	})
}

// ClipGradNormOptions are the options of [ClipGradNorm].
type ClipGradNormOptions struct {
	NormType         *float64 // the order of the norm, default 2; math.Inf(1) is the largest absolute value
	ErrorIfNonfinite bool     // panics if the norm is NaN or infinite
}

// ClipGradNorm scales the gradients of parameters in place so that their norm as one vector
// is at most maxNorm, and returns the norm that they had:
// torch.nn.utils.clip_grad_norm_(parameters, maxNorm).
//
//	nn.ClipGradNorm(nn.Parameters(model), 1.0)
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
func ClipGradNorm(parameters []*torch.Tensor, maxNorm float64, options ...ClipGradNormOptions) *torch.Tensor {
	total := GetTotalNorm(grads("ClipGradNorm", parameters), GetTotalNormOptions(torch.Only(options)))
	ClipGradsWithNorm(parameters, maxNorm, total)
	return total
}

// ClipGradValue limits the gradients of parameters in place to [-value, value]:
// torch.nn.utils.clip_grad_value_(parameters, value).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
func ClipGradValue(parameters []*torch.Tensor, value float64) {
	all := grads("ClipGradValue", parameters)
	torch.NoGrad(func() {
		for _, g := range groups(all) {
			for _, limit := range []struct {
				op *torch.Op
				at float64
			}{{opForeachClampMin, -value}, {opForeachClampMax, value}} {
				var c torch.Call
				c.Tensors(g.tensors)
				c.Number(limit.at)
				c.Do(limit.op)
			}
		}
	})
}

// ParametersToVector returns the elements of all parameters as one vector:
// torch.nn.utils.parameters_to_vector(parameters). It panics with a *torch.Error if they are
// on several devices, or if the elements of one are not in order in memory.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html
func ParametersToVector(parameters []*torch.Tensor) *torch.Tensor {
	checkOneDevice("ParametersToVector", parameters)
	if len(parameters) == 0 {
		fail("ParametersToVector: there are no parameters")
	}
	vectors := make([]*torch.Tensor, len(parameters))
	for i, p := range parameters {
		vectors[i] = p.View(-1)
	}
	return torch.Cat(vectors, 0)
}

// VectorToParameters sets the parameters to the elements of a vector, whose memory they
// share then: torch.nn.utils.vector_to_parameters(vector, parameters). Further elements of
// the vector are ignored. It panics with a *torch.Error if the parameters are on several devices, or
// if there are fewer elements than theirs.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html
func VectorToParameters(vector *torch.Tensor, parameters []*torch.Tensor) {
	checkOneDevice("VectorToParameters", parameters)
	need := 0
	for _, p := range parameters {
		need += p.Numel()
	}
	if vector.Dim() != 1 || vector.Numel() < need {
		fail("VectorToParameters: the vector is %v; it must have one dimension and the %d elements of the parameters", vector.Shape(), need)
	}
	torch.NoGrad(func() {
		torch.Scope(func() {
			at := 0
			for _, p := range parameters {
				n := p.Numel()
				var c torch.Call
				c.Tensor(p)
				c.Tensor(vector.Narrow(0, at, n).ViewAs(p).Detach())
				c.Do(opSetData)
				at += n
			}
		})
	})
}

func checkOneDevice(op string, parameters []*torch.Tensor) {
	for i, p := range parameters {
		if p == nil {
			fail("%s: parameter %d is nil", op, i)
		}
		if d := p.Device(); d != parameters[0].Device() {
			fail("%s: parameter %d is on %v and the first one on %v; all must be on one device", op, i, d, parameters[0].Device())
		}
	}
}
