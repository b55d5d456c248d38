package nn

import (
	"cmp"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// WeightNormOptions are the options of [WeightNorm].
type WeightNormOptions struct {
	Name string // of the tensor; "" means "weight"
	Dim  *int   // the dimension whose slices have norms of their own, default 0; -1 is one norm of the whole tensor: dim=None
}

// WeightNorm splits a weight into its norm and its direction, which are trained in its
// place, and returns the module: torch.nn.utils.parametrizations.weight_norm(m). Their keys
// are parametrizations.weight.original0 and original1. [LoadStateDict] also loads the keys
// weight_g and weight_v of torch.nn.utils.weight_norm. See [RegisterParametrization].
//
//	m := nn.WeightNorm(nn.NewLinear(20, 40))
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html
func WeightNorm[M any](m M, options ...WeightNormOptions) M {
	o := torch.Only(options)
	name := cmp.Or(o.Name, "weight")
	w := weightOf("WeightNorm", m, name)
	dim := or(o.Dim, 0)
	if dim != -1 && (dim < 0 || dim >= w.Dim()) {
		fail("WeightNorm: the dimension is %d, and the weight is %v; it must be one of its dimensions, or -1", dim, w.Shape())
	}
	RegisterParametrization(m, name, &weightNorm{dim: dim}, RegisterParametrizationOptions{Unsafe: true})
	return m
}

// weightOf returns a tensor that is to be parametrized.
func weightOf(op string, m any, name string) *torch.Tensor {
	at, _ := tensorField(m, name)
	if at == nil {
		fail("%s: a %T has no parameter or buffer %q", op, m, name)
	}
	return *at
}

type weightNorm struct{ dim int }

var (
	opWeightNorm    = torch.NewOp("aten::_weight_norm", "")
	opNormExceptDim = torch.NewOp("aten::norm_except_dim", "")
)

func (p *weightNorm) Forward(originals ...*torch.Tensor) *torch.Tensor {
	var c torch.Call
	c.Tensor(originals[1])
	c.Tensor(originals[0])
	c.Int(p.dim)
	return c.One(opWeightNorm)
}

func (p *weightNorm) RightInverse(x *torch.Tensor) []*torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	c.Int(2)
	c.Int(p.dim)
	return []*torch.Tensor{c.One(opNormExceptDim), x}
}

// weightNorms are the names of tensors of a module that have a weight norm.
type weightNorms []string

// UpgradeState renames the keys of torch.nn.utils.weight_norm.
func (names weightNorms) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	for _, name := range names {
		g, v := prefix+name+"_g", prefix+name+"_v"
		if s[g] == nil || s[v] == nil {
			continue
		}
		s[prefix+"parametrizations."+name+".original0"], s[prefix+"parametrizations."+name+".original1"] = s[g], s[v]
		delete(s, g)
		delete(s, v)
	}
}

// SpectralNormOptions are the options of [SpectralNorm].
type SpectralNormOptions struct {
	Name            string   // of the tensor; "" means "weight"
	PowerIterations int      // in each call while training; 0 means 1
	Eps             *float64 // the least norm of a vector, default 1e-12
	Dim             *int     // the dimension of outputs, default 1 of a transposed convolution and 0 of others
}

// SpectralNorm divides a weight by its largest singular value, which it estimates, and
// returns the module: torch.nn.utils.parametrizations.spectral_norm(m). It draws the
// vectors of the estimate, whose keys are parametrizations.weight.0._u and _v. Each call
// of the module while training improves them. See [RegisterParametrization].
//
//	m := nn.SpectralNorm(nn.NewLinear(20, 40))
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html
func SpectralNorm[M any](m M, options ...SpectralNormOptions) M {
	o := torch.Only(options)
	name := cmp.Or(o.Name, "weight")
	w := weightOf("SpectralNorm", m, name)
	dim := 0
	switch any(m).(type) {
	case *ConvTranspose1d, *ConvTranspose2d, *ConvTranspose3d:
		dim = 1
	}
	dim = or(o.Dim, dim)
	if dim < -w.Dim() || dim >= w.Dim() {
		fail("SpectralNorm: the dimension is %d; it must be in [%d, %d] for a weight %v", dim, -w.Dim(), w.Dim()-1, w.Shape())
	}
	if dim < 0 {
		dim += w.Dim()
	}
	p := &spectralNorm{dim: dim, iterations: cmp.Or(o.PowerIterations, 1), eps: or(o.Eps, 1e-12), Training: true}
	if p.iterations < 1 {
		fail("SpectralNorm: there are %d power iterations; their number must be positive", p.iterations)
	}
	if w.Dim() > 1 {
		torch.NoGrad(func() { p.start(p.matrix(w)) })
	}
	RegisterParametrization(m, name, p)
	return m
}

type spectralNorm struct {
	U        *torch.Tensor `nn:"_u,buffer"` // the left singular vector
	V        *torch.Tensor `nn:"_v,buffer"` // the right singular vector
	Training bool

	dim, iterations int
	eps             float64
}

// matrix returns a weight as a matrix, whose first dimension is that of outputs.
func (p *spectralNorm) matrix(w *torch.Tensor) *torch.Tensor {
	if p.dim != 0 {
		dims := []int{p.dim}
		for d := range w.Dim() {
			if d != p.dim {
				dims = append(dims, d)
			}
		}
		w = w.Permute(dims...)
	}
	return w.Flatten(1)
}

func (p *spectralNorm) normalize(x *torch.Tensor) *torch.Tensor {
	return F.Normalize(x, F.NormalizeOptions{Dim: new(0), Eps: &p.eps})
}

// start draws the vectors and brings them near the singular ones.
func (p *spectralNorm) start(w *torch.Tensor) {
	o := torch.Options{DType: w.DType(), Device: w.Device()}
	u, v := o.Empty(w.Size(0)), o.Empty(w.Size(1))
	initialize(u, func(x *torch.Tensor) { x.NormalInPlace(0, 1) })
	initialize(v, func(x *torch.Tensor) { x.NormalInPlace(0, 1) })
	p.U, p.V = p.normalize(u), p.normalize(v)
	p.iterate(w, 15)
}

// iterate improves the vectors in place, so that they stay the same buffers.
func (p *spectralNorm) iterate(w *torch.Tensor, n int) {
	torch.NoGrad(func() {
		torch.Scope(func() {
			for range n {
				p.U.CopyInPlace(p.normalize(w.MV(p.V)))
				p.V.CopyInPlace(p.normalize(w.Adjoint().MV(p.U)))
			}
		})
	})
}

func (p *spectralNorm) Forward(w *torch.Tensor) *torch.Tensor {
	if w.Dim() == 1 {
		return p.normalize(w)
	}
	m := p.matrix(w)
	if p.Training {
		p.iterate(m, p.iterations)
	}
	u, v := p.U.Clone(), p.V.Clone() // a later call changes the vectors, which the graph needs
	return w.Div(u.Vdot(m.MV(v)))
}

// RightInverse returns x.
func (p *spectralNorm) RightInverse(x *torch.Tensor) *torch.Tensor { return x }

// OrthogonalOptions are the options of [Orthogonal].
type OrthogonalOptions struct {
	Name             string // of the tensor; "" means "weight"
	Map              string // "matrix_exp", "cayley" or "householder"; "" means "matrix_exp" for square and complex matrices and "householder" for others
	NoTrivialization bool   // use_trivialization=False: saves memory, and except with householder the weight cannot be set
}

// Orthogonal makes a weight, a matrix or a batch of matrices, orthogonal, and returns the
// module: torch.nn.utils.parametrizations.orthogonal(m). It draws numbers if the matrix is not
// square. See [RegisterParametrization].
//
//	m := nn.Orthogonal(nn.NewLinear(20, 40))
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.orthogonal.html
func Orthogonal[M any](m M, options ...OrthogonalOptions) M {
	o := torch.Only(options)
	name := cmp.Or(o.Name, "weight")
	w := weightOf("Orthogonal", m, name)
	if w.Dim() < 2 {
		fail("Orthogonal: the weight is %v; it must be a matrix or a batch of matrices", w.Shape())
	}
	kind := o.Map
	switch {
	case kind == "" && (w.Size(-2) == w.Size(-1) || w.DType().IsComplex()):
		kind = "matrix_exp"
	case kind == "":
		kind = "householder"
	case kind == "householder" && w.DType().IsComplex():
		fail("Orthogonal: the map householder does not support complex numbers")
	case !slices.Contains([]string{"matrix_exp", "cayley", "householder"}, kind):
		fail("Orthogonal: the map is %q; it can be \"matrix_exp\", \"cayley\" or \"householder\"", kind)
	}
	p := &orthogonal{kind: kind, shape: w.Shape(), trivialization: !o.NoTrivialization}
	RegisterParametrization(m, name, p, RegisterParametrizationOptions{Unsafe: true})
	return m
}

type orthogonal struct {
	Base *torch.Tensor `nn:",buffer"` // [*, n, n], nil without trivialization

	kind           string
	shape          []int
	trivialization bool
}

var (
	opGeqrf       = torch.NewOp("aten::geqrf", "")
	opHouseholder = torch.NewOp("aten::linalg_householder_product", "")
	opSolve       = torch.NewOp("aten::linalg_solve", "")
)

func two(op *torch.Op, x *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	var c torch.Call
	c.Tensor(x)
	return c.Two(op)
}

func householder(a, tau *torch.Tensor) *torch.Tensor {
	var c torch.Call
	c.Tensor(a)
	c.Tensor(tau)
	return c.One(opHouseholder)
}

func diagonal(x *torch.Tensor) *torch.Tensor {
	return x.Diagonal(torch.DiagonalOptions{Dim1: -2, Dim2: new(-1)})
}

func (p *orthogonal) Forward(x *torch.Tensor) *torch.Tensor {
	n, k := x.Size(-2), x.Size(-1)
	transposed := n < k
	if transposed {
		x = x.MT()
		n, k = k, n
	}
	var q *torch.Tensor
	if p.kind == "householder" {
		a := x.Tril(torch.TrilOptions{Diagonal: -1})
		tau := a.Mul(a).Sum(-2).AddScalar(1).Reciprocal().MulScalar(2)
		q = householder(a, tau).Mul(diagonal(x).ToDType(torch.Int32).Unsqueeze(-2))
	} else {
		q = p.square(x, n, k)
	}
	if p.Base != nil {
		q = p.Base.MatMul(q)
	}
	if transposed {
		q = q.MT()
	}
	return q
}

// square returns the orthogonal matrix [*, n, k] of the lower triangle of x.
func (p *orthogonal) square(x *torch.Tensor, n, k int) *torch.Tensor {
	x = x.Tril()
	if n != k {
		size := append(slices.Clone(x.Shape()[:x.Dim()-2]), -1, -1)
		zeros := torch.Options{DType: x.DType(), Device: x.Device()}.Zeros(n, n-k).Expand(size...)
		x = torch.Cat([]*torch.Tensor{x, zeros}, -1)
	}
	a := x.Sub(x.Adjoint())
	var q *torch.Tensor
	if p.kind == "matrix_exp" {
		q = a.MatrixExp()
	} else {
		id := torch.Options{DType: a.DType(), Device: a.Device()}.Eye(n)
		var c torch.Call
		c.Tensor(id.Add(a, torch.AddOptions{Alpha: -0.5}))
		c.Tensor(id.Add(a, torch.AddOptions{Alpha: 0.5}))
		c.Bool(true)
		q = c.One(opSolve)
	}
	if n != k {
		q = q.Narrow(-1, 0, k)
	}
	return q
}

// RightInverse returns the original of q, or nil where there is none.
func (p *orthogonal) RightInverse(q *torch.Tensor) *torch.Tensor {
	if !slices.Equal(q.Shape(), p.shape) {
		fail("Orthogonal: the tensor is %v; it must be %v", q.Shape(), p.shape)
	}
	given := q
	n, k := q.Size(-2), q.Size(-1)
	transposed := n < k
	if transposed {
		q = q.MT()
		n, k = k, n
	}
	if !p.trivialization {
		if p.kind != "householder" {
			return nil
		}
		a, tau := two(opGeqrf, q)
		d := diagonal(a)
		d.SignInPlace()
		d.CopyInPlace(torch.Where(tau.EqScalar(0), d.Neg(), d))
		if transposed {
			return a.MT()
		}
		return a
	}
	switch {
	case n != k:
		size := append(slices.Clone(q.Shape()[:q.Dim()-2]), n, n-k)
		q = madeOrthogonal(torch.Cat([]*torch.Tensor{q, torch.Options{DType: q.DType(), Device: q.Device()}.Randn(size...)}, -1))
	case !isOrthogonal(q):
		q = madeOrthogonal(q)
	default:
		q = q.Clone()
	}
	p.Base = q
	minusOne := torch.ZerosLike(given)
	diagonal(minusOne).FillInPlace(-1.0)
	return minusOne
}

func madeOrthogonal(a *torch.Tensor) *torch.Tensor {
	x, tau := two(opGeqrf, a)
	return householder(x, tau).MulInPlace(diagonal(x).Sgn().Unsqueeze(-2))
}

func isOrthogonal(q *torch.Tensor) bool {
	n, k := q.Size(-2), q.Size(-1)
	eps := math.Ldexp(1, -23)
	switch q.DType() {
	case torch.Float64, torch.Complex128:
		eps = math.Ldexp(1, -52)
	}
	id := torch.Options{DType: q.DType(), Device: q.Device()}.Eye(k)
	return q.Adjoint().MatMul(q).AllClose(id, 1e-5, 10*float64(n)*eps)
}
