package distributions

import (
	"log/slog"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	"github.com/torchhub/torchhub/torch/linalg"
)

// Wishart is the Wishart distribution of covariance matrices: torch.distributions.Wishart.
// NewWishart makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#wishart
type Wishart struct {
	core
	matrix
	DF   *torch.Tensor // the degrees of freedom
	chi2 *Chi2
}

// WishartOptions are the options of [NewWishart].
type WishartOptions struct {
	PrecisionMatrix *torch.Tensor // the inverse of the covariance matrix, instead of it
	ScaleTril       *torch.Tensor // a lower-triangular factor of the covariance matrix, instead of it; the fastest
	ValidateArgs    *bool         // as in [Options]
}

// NewWishart returns a Wishart distribution of n×n matrices by df degrees of freedom, more
// than n-1, and a covariance matrix [..., n, n]: Wishart(df, covariance_matrix).
//
// https://docs.pytorch.org/docs/stable/distributions.html#wishart
func NewWishart(df TensorOrNumber, covarianceMatrix *torch.Tensor, options ...WishartOptions) *Wishart {
	o := torch.Only(options)
	f := forms{"Wishart", covarianceMatrix, o.PrecisionMatrix, o.ScaleTril}
	x := f.given()
	batch := x.Shape()[:x.Dim()-2]
	d := new(Wishart)
	if y, ok := df.(*torch.Tensor); ok && y != nil {
		batch = broadcastShapes(f.op, batch, y.Shape())
		d.DF = y.Expand(batch...)
	} else {
		// a number stays without dimensions, as in Python
		d.DF = broadcast(f.op, named{"df", df}, named{"covarianceMatrix", like(x).Zeros()})[0]
	}
	n := x.Size(-1)
	if torch.Item[bool](d.DF.LeScalar(n - 1).Any()) {
		fail(f.op, "df must be greater than %d, one less than the number of rows", n-1)
	}
	if torch.Item[bool](d.DF.LtScalar(n).Any()) {
		slog.Warn("distributions.Wishart: samples are likely to be singular, as df is less than the number of rows")
	}
	d.expandTo(f, batch)
	d.setup(batch).check(o.ValidateArgs)
	d.factorize(f)
	d.setChi2()
	return d
}

func (d *Wishart) setup(batchShape []int) *Wishart {
	event := d.shape[len(d.shape)-2:]
	df := given("df", constraints.GreaterThan(event[1]-1), d.DF)
	d.set(d, "Wishart", slices.Clone(batchShape), event, append(d.matrix.parameters(), df)...)
	return d
}

// setChi2 sets the distribution of the squares of the diagonal in Bartlett's decomposition.
func (d *Wishart) setChi2() {
	n := d.eventShape[1]
	steps := like(d.factor).Arange(n).Expand(append(d.BatchShape(), n)...)
	d.chi2 = NewChi2(d.DF.Unsqueeze(-1).Sub(steps))
}

// Expand implements [Distribution].
func (d *Wishart) Expand(batchShape ...int) Distribution {
	n := &Wishart{DF: d.DF.Expand(batchShape...)}
	n.expandFrom(&d.matrix, batchShape)
	n.factor = d.factor.Expand(n.shape...)
	n.setup(batchShape).validate = d.validate
	n.setChi2()
	return n
}

// PrecisionMatrix returns the inverse of the covariance matrix: precision_matrix.
func (d *Wishart) PrecisionMatrix() *torch.Tensor {
	return d.precision.get(func() *torch.Tensor {
		identity := like(d.factor).Eye(d.eventShape[1])
		return aten.CholeskySolve(identity, d.factor, false).Expand(d.shape...)
	})
}

// Support implements [Distribution].
func (d *Wishart) Support() constraints.Constraint { return constraints.PositiveDefinite }

// HasRSample implements [Distribution].
func (d *Wishart) HasRSample() bool { return true }

// bartlett draws by Bartlett's decomposition.
func (d *Wishart) bartlett(sampleShape []int) *torch.Tensor {
	n := d.eventShape[1]
	root := d.chi2.RSample(sampleShape...).Sqrt()
	noise := root.ClampMin(eps(root)).DiagEmbed()
	at := aten.TrilIndices(n, n, -1, torch.Int64, nil, noise.Device(), nil)
	below := like(noise).Randn(slices.Concat(sampleShape, d.batchShape, []int{n * (n - 1) / 2})...)
	noise.SetIndex(below, torch.Ellipsis, at.Select(0, 0), at.Select(0, 1))
	factor := d.factor.MatMul(noise)
	return factor.MatMul(factor.Transpose(-2, -1))
}

// RSample implements [Distribution]. As in PyTorch it draws again, up to ten times.
func (d *Wishart) RSample(sampleShape ...int) *torch.Tensor {
	sample := d.bartlett(sampleShape)
	ok := func(x *torch.Tensor) *torch.Tensor { return d.Support().Check(x) }
	over := func(x *torch.Tensor) *torch.Tensor { // the batch
		for range d.batchShape {
			x = x.Amax(-1)
		}
		return x
	}
	// PyTorch draws those again that are not singular, and with them the same numbers.
	again := over(ok(sample))
	for range 10 {
		n := torch.Item[int](again.Sum())
		if n == 0 {
			break
		}
		drawn := d.bartlett([]int{n})
		sample.SetIndex(drawn, again)
		singular := over(ok(drawn).LogicalNot())
		again = again.Clone().SetIndex(singular, again)
	}
	return sample
}

// LogProb implements [Distribution].
func (d *Wishart) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	p := d.eventShape[1]
	_, logDet := linalg.Slogdet(value)
	trace := diagonal(aten.CholeskySolve(value, d.factor, false)).Sum(-1).DivScalar(2)
	return d.DF.Neg().Mul(d.logScale()).
		Sub(d.DF.DivScalar(2).Mvlgamma(p)).
		Add(d.DF.SubScalar(p).SubScalar(1).DivScalar(2).Mul(logDet)).
		Sub(trace)
}

// logScale returns half the logarithm of the determinant of twice the covariance matrix.
func (d *Wishart) logScale() *torch.Tensor {
	return d.halfLogDet().AddScalar(float64(d.eventShape[1]) * log2 / 2)
}

// Entropy implements [Distribution].
func (d *Wishart) Entropy() *torch.Tensor {
	p := d.eventShape[1]
	steps := like(d.DF).Arange(p).DivScalar(2)
	digamma := d.DF.DivScalar(2).Unsqueeze(-1).Sub(steps).Digamma().Sum(-1)
	return d.logScale().MulScalar(p + 1).
		Add(d.DF.DivScalar(2).Mvlgamma(p)).
		Sub(d.DF.SubScalar(p).SubScalar(1).DivScalar(2).Mul(digamma)).
		Add(d.DF.MulScalar(p).DivScalar(2))
}

// wide returns the degrees of freedom for products with matrices.
func (d *Wishart) wide(x *torch.Tensor) *torch.Tensor {
	return x.View(append(d.BatchShape(), 1, 1)...)
}

// Mean implements [Distribution].
func (d *Wishart) Mean() *torch.Tensor { return d.wide(d.DF).Mul(d.CovarianceMatrix()) }

// Mode implements [Distribution]. It is NaN where there is none.
func (d *Wishart) Mode() *torch.Tensor {
	factor := d.DF.SubScalar(d.eventShape[1]).SubScalar(1)
	return d.wide(factor.MaskedFill(factor.LeScalar(0), math.NaN())).Mul(d.CovarianceMatrix())
}

// Variance implements [Distribution].
func (d *Wishart) Variance() *torch.Tensor {
	v := d.CovarianceMatrix()
	diag := diagonal(v)
	outer := torch.Einsum("...i,...j->...ij", []*torch.Tensor{diag, diag})
	return d.wide(d.DF).Mul(v.PowScalar(2).Add(outer))
}

func (d *Wishart) naturalParams() []*torch.Tensor {
	p := d.eventShape[1]
	return []*torch.Tensor{d.PrecisionMatrix().Neg().DivScalar(2), d.DF.SubScalar(p).SubScalar(1).DivScalar(2)}
}

func (d *Wishart) logNormalizer(x []*torch.Tensor) *torch.Tensor {
	p := d.eventShape[1]
	half := func() *torch.Tensor { return x[1].AddScalar(float64(p+1) / 2) }
	y := half()
	_, logDet := linalg.Slogdet(x[0].MulScalar(-2))
	return y.Mul(logDet.Neg().AddScalar(log2 * float64(p))).Add(half().Mvlgamma(p))
}
