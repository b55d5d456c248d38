package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// LogitRelaxedBernoulli is the distribution of the log-odds of [RelaxedBernoulli]:
// torch.distributions.relaxed_bernoulli.LogitRelaxedBernoulli. NewLogitRelaxedBernoulli
// makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#logitrelaxedbernoulli
type LogitRelaxedBernoulli struct {
	core
	odds
	Temperature *torch.Tensor
}

// RelaxedBernoulliOptions are the options of [NewRelaxedBernoulli] and [NewLogitRelaxedBernoulli].
type RelaxedBernoulliOptions struct {
	Logits       TensorOrNumber // the logarithms of the odds of 1, instead of probs
	ValidateArgs *bool          // as in [Options]
}

// NewLogitRelaxedBernoulli returns a logistic distribution by a temperature and the
// probability of 1: LogitRelaxedBernoulli(temperature, probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#logitrelaxedbernoulli
func NewLogitRelaxedBernoulli(temperature *torch.Tensor, probs TensorOrNumber, options ...RelaxedBernoulliOptions) *LogitRelaxedBernoulli {
	o := torch.Only(options)
	d := &LogitRelaxedBernoulli{Temperature: temperature}
	d.setBinary("LogitRelaxedBernoulli", probs, o.Logits)
	d.setup().check(o.ValidateArgs)
	return d
}

func (d *LogitRelaxedBernoulli) setup() *LogitRelaxedBernoulli {
	d.set(d, "LogitRelaxedBernoulli", d.param.Shape(), nil, d.binaryParameters()...)
	return d
}

// Expand implements [Distribution].
func (d *LogitRelaxedBernoulli) Expand(batchShape ...int) Distribution {
	n := &LogitRelaxedBernoulli{Temperature: d.Temperature}
	n.expandFrom(&d.odds, batchShape...)
	n.setup().validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *LogitRelaxedBernoulli) Support() constraints.Constraint { return constraints.Real }

// RSample implements [Distribution].
func (d *LogitRelaxedBernoulli) RSample(sampleShape ...int) *torch.Tensor {
	shape := d.extended(sampleShape...)
	p := clampProbs(d.Probs().Expand(shape...))
	u := clampProbs(like(p).Rand(shape...))
	return u.Log().Sub(u.Neg().Log1p()).Add(p.Log()).Sub(p.Neg().Log1p()).Div(d.Temperature)
}

// LogProb implements [Distribution].
func (d *LogitRelaxedBernoulli) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	x := torch.BroadcastTensors([]*torch.Tensor{d.Logits(), value})
	diff := x[0].Sub(x[1].Mul(d.Temperature))
	return d.Temperature.Log().Add(diff).Sub(diff.Exp().Log1p().MulScalar(2))
}

// RelaxedBernoulli is a distribution on the interval from 0 to 1 that approaches a
// [Bernoulli] distribution as the temperature approaches 0:
// torch.distributions.RelaxedBernoulli. NewRelaxedBernoulli makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#relaxedbernoulli
type RelaxedBernoulli struct{ TransformedDistribution }

// NewRelaxedBernoulli returns a relaxed Bernoulli distribution by a temperature and the
// probability of 1: RelaxedBernoulli(temperature, probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#relaxedbernoulli
func NewRelaxedBernoulli(temperature *torch.Tensor, probs TensorOrNumber, options ...RelaxedBernoulliOptions) *RelaxedBernoulli {
	o := torch.Only(options)
	d := new(RelaxedBernoulli)
	base := NewLogitRelaxedBernoulli(temperature, probs, RelaxedBernoulliOptions{Logits: o.Logits})
	d.transform(d, "RelaxedBernoulli", base, []Transform{SigmoidTransform{}})
	d.check(o.ValidateArgs)
	return d
}

// Expand implements [Distribution].
func (d *RelaxedBernoulli) Expand(batchShape ...int) Distribution {
	n := new(RelaxedBernoulli)
	d.expandTo(&n.TransformedDistribution, n, batchShape)
	return n
}

func (d *RelaxedBernoulli) relaxed() *LogitRelaxedBernoulli { return d.Base.(*LogitRelaxedBernoulli) }

// Temperature returns the temperature: temperature.
func (d *RelaxedBernoulli) Temperature() *torch.Tensor { return d.relaxed().Temperature }

// Probs returns the probability of 1: probs.
func (d *RelaxedBernoulli) Probs() *torch.Tensor { return d.relaxed().Probs() }

// Logits returns the logarithm of the odds of 1: logits.
func (d *RelaxedBernoulli) Logits() *torch.Tensor { return d.relaxed().Logits() }

// Support implements [Distribution].
func (d *RelaxedBernoulli) Support() constraints.Constraint { return constraints.UnitInterval }

// HasRSample implements [Distribution].
func (d *RelaxedBernoulli) HasRSample() bool { return true }

// ExpRelaxedCategorical is the distribution of the logarithms of [RelaxedOneHotCategorical]:
// torch.distributions.relaxed_categorical.ExpRelaxedCategorical. NewExpRelaxedCategorical
// makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.relaxed_categorical.ExpRelaxedCategorical
type ExpRelaxedCategorical struct {
	core
	Temperature *torch.Tensor
	categorical *Categorical
}

// RelaxedOneHotCategoricalOptions are the options of [NewRelaxedOneHotCategorical] and [NewExpRelaxedCategorical].
type RelaxedOneHotCategoricalOptions struct {
	Logits       *torch.Tensor // [..., n], logarithms of probabilities that need not be normalized, instead of probs
	ValidateArgs *bool         // as in [Options]
}

// NewExpRelaxedCategorical returns a distribution of logarithms of points in a simplex:
// ExpRelaxedCategorical(temperature, probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.relaxed_categorical.ExpRelaxedCategorical
func NewExpRelaxedCategorical(temperature, probs *torch.Tensor, options ...RelaxedOneHotCategoricalOptions) *ExpRelaxedCategorical {
	o := torch.Only(options)
	d := &ExpRelaxedCategorical{Temperature: temperature, categorical: NewCategorical(probs, CategoricalOptions{Logits: o.Logits})}
	d.setup().check(o.ValidateArgs)
	return d
}

// setup leaves the parameters to be checked to the categorical distribution.
func (d *ExpRelaxedCategorical) setup() *ExpRelaxedCategorical {
	d.set(d, "ExpRelaxedCategorical", d.categorical.batchShape, []int{d.categorical.events})
	return d
}

// Expand implements [Distribution].
func (d *ExpRelaxedCategorical) Expand(batchShape ...int) Distribution {
	n := &ExpRelaxedCategorical{Temperature: d.Temperature, categorical: d.categorical.expand(batchShape)}
	n.setup().validate = d.validate
	return n
}

// Probs returns the probabilities: probs.
func (d *ExpRelaxedCategorical) Probs() *torch.Tensor { return d.categorical.Probs() }

// Logits returns the logarithms of the probabilities: logits.
func (d *ExpRelaxedCategorical) Logits() *torch.Tensor { return d.categorical.Logits() }

// Support implements [Distribution].
func (d *ExpRelaxedCategorical) Support() constraints.Constraint { return constraints.RealVector }

// HasRSample implements [Distribution].
func (d *ExpRelaxedCategorical) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *ExpRelaxedCategorical) RSample(sampleShape ...int) *torch.Tensor {
	logits := d.Logits()
	u := clampProbs(like(logits).Rand(d.extended(sampleShape...)...))
	gumbels := u.Log().Neg().Log().Neg()
	scores := logits.Add(gumbels).Div(d.Temperature)
	return scores.Sub(logsumexpLast(scores))
}

// LogProb implements [Distribution].
func (d *ExpRelaxedCategorical) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	k := d.categorical.events
	x := torch.BroadcastTensors([]*torch.Tensor{d.Logits(), value})
	scale := torch.FullLike(d.Temperature, float64(k)).Lgamma().Sub(d.Temperature.Log().MulScalar(-(k - 1)))
	score := x[0].Sub(x[1].Mul(d.Temperature))
	return score.Sub(logsumexpLast(score)).Sum(-1).Add(scale)
}

// RelaxedOneHotCategorical is a distribution on the simplex that approaches a
// [OneHotCategorical] distribution as the temperature approaches 0:
// torch.distributions.RelaxedOneHotCategorical. NewRelaxedOneHotCategorical makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#relaxedonehotcategorical
type RelaxedOneHotCategorical struct{ TransformedDistribution }

// NewRelaxedOneHotCategorical returns a relaxed categorical distribution by a temperature
// and probabilities [..., n]: RelaxedOneHotCategorical(temperature, probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#relaxedonehotcategorical
func NewRelaxedOneHotCategorical(temperature, probs *torch.Tensor, options ...RelaxedOneHotCategoricalOptions) *RelaxedOneHotCategorical {
	d := new(RelaxedOneHotCategorical)
	d.transform(d, "RelaxedOneHotCategorical", NewExpRelaxedCategorical(temperature, probs, options...), []Transform{ExpTransform{}})
	d.check(torch.Only(options).ValidateArgs)
	return d
}

// Expand implements [Distribution].
func (d *RelaxedOneHotCategorical) Expand(batchShape ...int) Distribution {
	n := new(RelaxedOneHotCategorical)
	d.expandTo(&n.TransformedDistribution, n, batchShape)
	return n
}

func (d *RelaxedOneHotCategorical) relaxed() *ExpRelaxedCategorical {
	return d.Base.(*ExpRelaxedCategorical)
}

// Temperature returns the temperature: temperature.
func (d *RelaxedOneHotCategorical) Temperature() *torch.Tensor { return d.relaxed().Temperature }

// Probs returns the probabilities: probs.
func (d *RelaxedOneHotCategorical) Probs() *torch.Tensor { return d.relaxed().Probs() }

// Logits returns the logarithms of the probabilities: logits.
func (d *RelaxedOneHotCategorical) Logits() *torch.Tensor { return d.relaxed().Logits() }

// Support implements [Distribution].
func (d *RelaxedOneHotCategorical) Support() constraints.Constraint { return constraints.Simplex }
