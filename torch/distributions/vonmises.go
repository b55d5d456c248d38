package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// VonMises is a distribution of angles, in radians: torch.distributions.VonMises.
// NewVonMises makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#vonmises
type VonMises struct {
	core
	Loc, Concentration *torch.Tensor
}

// NewVonMises returns a circular distribution around the angle loc: VonMises(loc, concentration).
//
// https://docs.pytorch.org/docs/stable/distributions.html#vonmises
func NewVonMises(loc, concentration TensorOrNumber, options ...Options) *VonMises {
	x := broadcast("VonMises", named{"loc", loc}, named{"concentration", concentration})
	d := (&VonMises{Loc: x[0], Concentration: x[1]}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *VonMises) setup() *VonMises {
	d.set(d, "VonMises", d.Loc.Shape(), nil, given("loc", constraints.Real, d.Loc), given("concentration", constraints.Positive, d.Concentration))
	return d
}

// Expand implements [Distribution].
func (d *VonMises) Expand(batchShape ...int) Distribution {
	n := (&VonMises{Loc: d.Loc.Expand(batchShape...), Concentration: d.Concentration.Expand(batchShape...)}).setup()
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *VonMises) Support() constraints.Constraint { return constraints.Real }

// Sample implements [Distribution]. It draws until no number is rejected (Best and Fisher,
// Efficient Simulation of the von Mises Distribution, 1979).
func (d *VonMises) Sample(sampleShape ...int) *torch.Tensor {
	return noGrad(func() *torch.Tensor {
		loc, kappa := d.Loc.ToDType(torch.Float64), d.Concentration.ToDType(torch.Float64)
		r := proposal(kappa)
		x := like(loc).Empty(d.extended(sampleShape...)...)
		done := torch.Options{DType: torch.Bool, Device: loc.Device()}.Zeros(x.Shape()...)
		for !torch.Item[bool](done.All()) {
			u := like(loc).Rand(append([]int{3}, x.Shape()...)...).Unbind(0)
			z := u[0].MulScalar(math.Pi).Cos()
			f := r.Mul(z).AddScalar(1).Div(r.Add(z))
			c := kappa.Mul(r.Sub(f))
			accept := c.Mul(c.RSubScalar(2)).Sub(u[1]).GtScalar(0).
				LogicalOr(c.Div(u[1]).Log().AddScalar(1).Sub(c).GeScalar(0))
			x = torch.Where(accept, u[2].SubScalar(0.5).Sign().Mul(f.Acos()), x)
			done = done.LogicalOr(accept)
		}
		x = x.AddScalar(math.Pi).Add(loc).RemainderScalar(2 * math.Pi).SubScalar(math.Pi)
		return x.ToDType(d.Loc.DType())
	})
}

// proposal returns the parameter of the distribution of which proposals are drawn.
func proposal(kappa *torch.Tensor) *torch.Tensor {
	tau := kappa.PowScalar(2).MulScalar(4).AddScalar(1).Sqrt().AddScalar(1)
	rho := tau.Sub(tau.MulScalar(2).Sqrt()).Div(kappa.MulScalar(2))
	r := rho.PowScalar(2).AddScalar(1).Div(rho.MulScalar(2))
	return torch.Where(kappa.LtScalar(1e-5), kappa.Reciprocal().Add(kappa), r)
}

// LogProb implements [Distribution].
func (d *VonMises) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	return d.Concentration.Mul(value.Sub(d.Loc).Cos()).SubScalar(log2Pi).Sub(logBessel(d.Concentration, 0))
}

// Mean implements [Distribution]. It is the circular mean.
func (d *VonMises) Mean() *torch.Tensor { return d.Loc }

// Mode implements [Distribution].
func (d *VonMises) Mode() *torch.Tensor { return d.Loc }

// Variance implements [Distribution]. It is the circular variance.
func (d *VonMises) Variance() *torch.Tensor {
	return logBessel(d.Concentration, 1).Sub(logBessel(d.Concentration, 0)).Exp().RSubScalar(1)
}

// The coefficients of the polynomials that approximate the modified Bessel functions of the
// orders 0 and 1 (Abramowitz and Stegun, Handbook of Mathematical Functions, 9.8.1 to 9.8.4).
var (
	besselSmall = [2][]float64{
		{1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.360768e-1, 0.45813e-2},
		{0.5, 0.87890594, 0.51498869, 0.15084934, 0.2658733e-1, 0.301532e-2, 0.32411e-3},
	}
	besselLarge = [2][]float64{
		{0.39894228, 0.1328592e-1, 0.225319e-2, -0.157565e-2, 0.916281e-2, -0.2057706e-1, 0.2635537e-1, -0.1647633e-1, 0.392377e-2},
		{0.39894228, -0.3988024e-1, -0.362018e-2, 0.163801e-2, -0.1031555e-1, 0.2282967e-1, -0.2895312e-1, 0.1787654e-1, -0.420059e-2},
	}
)

// logBessel returns the logarithm of the modified Bessel function of an order.
func logBessel(x *torch.Tensor, order int) *torch.Tensor {
	y := x.DivScalar(3.75)
	small := polynomial(y.Mul(y), besselSmall[order])
	if order == 1 {
		small = x.Abs().Mul(small)
	}
	inverse := x.Reciprocal().MulScalar(3.75)
	large := x.Sub(x.Log().MulScalar(0.5)).Add(polynomial(inverse, besselLarge[order]).Log())
	return torch.Where(x.LtScalar(3.75), small.Log(), large)
}

// polynomial returns the value of a polynomial, by its coefficients from the constant one on.
func polynomial(x *torch.Tensor, coefficients []float64) *torch.Tensor {
	n := len(coefficients) - 1
	result := x.MulScalar(coefficients[n]).AddScalar(coefficients[n-1])
	for i := n - 2; i >= 0; i-- {
		result = x.Mul(result).AddScalar(coefficients[i])
	}
	return result
}
