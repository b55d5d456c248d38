package nn

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Linear is an affine map: torch.nn.Linear.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
type Linear struct {
	Weight *torch.Tensor // [out, in]
	Bias   *torch.Tensor // [out], nil without bias
}

// LinearOptions are the options of [NewLinear].
type LinearOptions struct {
	NoBias bool // bias=False
}

// NewLinear makes a map from in to out features: nn.Linear(in, out). It panics with a
// *torch.Error if one of them is negative.
func NewLinear(in, out int, options ...LinearOptions) *Linear {
	o := torch.Only(options)
	if in < 0 || out < 0 {
		fail("Linear: there are %d input and %d output features; their numbers must not be negative", in, out)
	}
	m := &Linear{Weight: parameter([]int{out, in}, uniformWeight)}
	if !o.NoBias {
		m.Bias = parameter([]int{out}, uniformBias(m.Weight))
	}
	return m
}

// Forward maps x [*, in] to [*, out].
func (m *Linear) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Linear).forward) }

func (m *Linear) forward(x *torch.Tensor) *torch.Tensor { return F.Linear(x, m.Weight, m.Bias) }

func (m *Linear) extraRepr() string {
	return fmt.Sprintf("in_features=%d, out_features=%d, bias=%s", m.Weight.Size(1), m.Weight.Size(0), boolean(m.Bias != nil))
}

// BilinearOptions are the options of [NewBilinear].
type BilinearOptions struct {
	NoBias bool // bias=False
}

// Bilinear maps two inputs: torch.nn.Bilinear.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
type Bilinear struct {
	Weight *torch.Tensor // [out, in1, in2]
	Bias   *torch.Tensor // [out], nil without bias
}

// NewBilinear makes a map from in1 and in2 to out features: nn.Bilinear(in1, in2, out). It
// panics with a *torch.Error if in1 is not positive, or another number is negative.
func NewBilinear(in1, in2, out int, options ...BilinearOptions) *Bilinear {
	o := torch.Only(options)
	if in1 < 1 || in2 < 0 || out < 0 {
		fail("Bilinear: there are %d and %d input and %d output features; the first number must be positive, and none negative", in1, in2, out)
	}
	bound := 1 / math.Sqrt(float64(in1))
	uniform := func(x *torch.Tensor) { x.UniformInPlace(-bound, bound) }
	m := &Bilinear{Weight: parameter([]int{out, in1, in2}, uniform)}
	if !o.NoBias {
		m.Bias = parameter([]int{out}, uniform)
	}
	return m
}

// Forward maps x1 [*, in1] and x2 [*, in2] to [*, out].
func (m *Bilinear) Forward(x1, x2 *torch.Tensor) *torch.Tensor {
	return F.Bilinear(x1, x2, m.Weight, m.Bias)
}

func (m *Bilinear) extraRepr() string {
	return fmt.Sprintf("in1_features=%d, in2_features=%d, out_features=%d, bias=%s", m.Weight.Size(1), m.Weight.Size(2), m.Weight.Size(0), boolean(m.Bias != nil))
}

// Identity returns its input: torch.nn.Identity.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Identity.html
type Identity struct {
	_ byte // distinguishes two of them
}

// Forward returns x itself.
func (m *Identity) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Identity).forward) }

func (*Identity) forward(x *torch.Tensor) *torch.Tensor { return x }

// Flatten joins dimensions: torch.nn.Flatten.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html
type Flatten struct {
	StartDim *int // the first of them, default 1
	EndDim   *int // the last of them, default -1
}

// Forward maps x [N, *] to [N, the product of *], with the default dimensions.
func (m *Flatten) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Flatten).forward) }

func (m *Flatten) forward(x *torch.Tensor) *torch.Tensor {
	return x.Flatten(or(m.StartDim, 1), torch.FlattenOptions{EndDim: m.EndDim})
}

func (m *Flatten) extraRepr() string {
	return fmt.Sprintf("start_dim=%d, end_dim=%d", or(m.StartDim, 1), or(m.EndDim, -1))
}

// Unflatten splits a dimension: torch.nn.Unflatten.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
type Unflatten struct {
	Dim             int
	UnflattenedSize []int // one of them may be -1, which is computed
}

// NewUnflatten makes a layer that splits dim into the given sizes: nn.Unflatten(dim, unflattened_size).
func NewUnflatten(dim int, unflattenedSize ...int) *Unflatten {
	return &Unflatten{dim, unflattenedSize}
}

// Forward maps x [N, the product of *] to [N, *], with the dim 1.
func (m *Unflatten) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Unflatten).forward) }

func (m *Unflatten) forward(x *torch.Tensor) *torch.Tensor {
	return x.Unflatten(m.Dim, m.UnflattenedSize...)
}

func (m *Unflatten) extraRepr() string {
	return fmt.Sprintf("dim=%d, unflattened_size=%s", m.Dim, tuple(m.UnflattenedSize...))
}

// or returns what p points to, or the default if it is nil.
func or[T any](p *T, standard T) T {
	if p == nil {
		return standard
	}
	return *p
}
