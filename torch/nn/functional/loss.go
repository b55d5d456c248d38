package functional

import (
	"cmp"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

var (
	opMSELoss        = torch.NewOp("aten::mse_loss", "")
	opL1Loss         = torch.NewOp("aten::l1_loss", "")
	opHuberLoss      = torch.NewOp("aten::huber_loss", "")
	opKLDiv          = torch.NewOp("aten::kl_div", "")
	opPoissonNLLLoss = torch.NewOp("aten::poisson_nll_loss", "")
)

// checkWeight refuses a weight of another shape than x.
func checkWeight(op string, x, weight *torch.Tensor) {
	if !x.SameShape(weight) {
		fail(op, "the weight is %v and x %v; they must have the same shape", weight.Shape(), x.Shape())
	}
}

// weighted applies the reduction of a loss times its weight: the mean is by the sum of the weights.
func weighted(how string, loss, weight *torch.Tensor) *torch.Tensor {
	loss = loss.Mul(weight)
	if how == "" || how == "mean" {
		return loss.Sum().Div(weight.Sum())
	}
	return reduce(how, loss)
}

// broadcast expands two tensors to one shape, as Python does first: a number of no
// dimensions then counts when the dtype of the result is chosen.
func broadcast(x, target *torch.Tensor) (_, _ *torch.Tensor) {
	if x.SameShape(target) {
		return x, target
	}
	both := torch.BroadcastTensors([]*torch.Tensor{x, target})
	return both[0], both[1]
}

// MSELossOptions are the options of [MSELoss].
type MSELossOptions struct {
	Weight    *torch.Tensor // of each element, in x's shape
	Reduction string        // "mean", the default, "sum" or "none"
}

// MSELoss returns the squared differences: F.mse_loss(x, target, weight=…, reduction=…).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
func MSELoss(x, target *torch.Tensor, options ...MSELossOptions) *torch.Tensor {
	const op = "MSELoss"
	o := torch.Only(options)
	checkReduction(op, o.Reduction)
	if o.Weight != nil {
		checkWeight(op, x, o.Weight)
		x, target = broadcast(x, target)
		return weighted(o.Reduction, x.Sub(target).PowScalar(2), o.Weight)
	}
	x, target = broadcast(x, target)
	var c torch.Call
	c.Tensor(x)
	c.Tensor(target)
	c.Reduction(cmp.Or(o.Reduction, "mean"))
	return c.One(opMSELoss)
}

// L1LossOptions are the options of [L1Loss].
type L1LossOptions struct {
	Weight    *torch.Tensor // of each element, in x's shape
	Reduction string        // "mean", the default, "sum" or "none"
}

// L1Loss returns the absolute differences: F.l1_loss(x, target, weight=…, reduction=…).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
func L1Loss(x, target *torch.Tensor, options ...L1LossOptions) *torch.Tensor {
	const op = "L1Loss"
	o := torch.Only(options)
	checkReduction(op, o.Reduction)
	if o.Weight != nil {
		checkWeight(op, x, o.Weight)
		x, target = broadcast(x, target)
		return weighted(o.Reduction, x.Sub(target).Abs(), o.Weight)
	}
	x, target = broadcast(x, target)
	var c torch.Call
	c.Tensor(x)
	c.Tensor(target)
	c.Reduction(cmp.Or(o.Reduction, "mean"))
	return c.One(opL1Loss)
}

// HuberLossOptions are the options of [HuberLoss].
type HuberLossOptions struct {
	Weight    *torch.Tensor // of each element, in x's shape
	Reduction string        // "mean", the default, "sum" or "none"
	Delta     *float64      // default 1
}

// HuberLoss returns the differences squared below delta, absolute above:
// F.huber_loss(x, target, reduction=…, delta=…, weight=…). As in PyTorch, the mean with
// a weight is by the number of elements.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html
func HuberLoss(x, target *torch.Tensor, options ...HuberLossOptions) *torch.Tensor {
	const op = "HuberLoss"
	o := torch.Only(options)
	checkReduction(op, o.Reduction)
	how := cmp.Or(o.Reduction, "mean")
	if o.Weight != nil {
		checkWeight(op, x, o.Weight)
		how = "none"
	}
	x, target = broadcast(x, target)
	var c torch.Call
	c.Tensor(x)
	c.Tensor(target)
	c.Reduction(how)
	c.Float(or(o.Delta, 1))
	loss := c.One(opHuberLoss)
	if o.Weight != nil {
		loss = reduce(o.Reduction, loss.Mul(o.Weight))
	}
	return loss
}

// KLDivOptions are the options of [KLDiv].
type KLDivOptions struct {
	Reduction string // "mean", the default, "batchmean": the sum by x's first size, "sum" or "none"
	LogTarget bool   // target is given as logarithms too
}

// KLDiv returns the Kullback-Leibler divergence, x given as logarithms: F.kl_div(x,
// target, reduction=…, log_target=…).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
func KLDiv(x, target *torch.Tensor, options ...KLDivOptions) *torch.Tensor {
	o := torch.Only(options)
	how := cmp.Or(o.Reduction, "mean")
	switch how {
	case "batchmean":
		how = "sum"
	case "mean", "sum", "none":
	default:
		fail("KLDiv", `the reduction is %q; it can be "mean", "batchmean", "sum" or "none"`, how)
	}
	var c torch.Call
	c.Tensor(x)
	c.Tensor(target)
	c.Reduction(how)
	c.Bool(o.LogTarget)
	loss := c.One(opKLDiv)
	if o.Reduction == "batchmean" && x.Dim() > 0 {
		return loss.DivScalar(x.Size(0))
	}
	return loss
}

// PoissonNLLLossOptions are the options of [PoissonNLLLoss].
type PoissonNLLLossOptions struct {
	NoLogInput bool     // x is the rate and not its logarithm: log_input=False
	Full       bool     // with Stirling's approximation of log(target!)
	Eps        *float64 // added to x before its logarithm, with NoLogInput, default 1e-8
	Reduction  string   // "mean", the default, "sum" or "none"
}

// PoissonNLLLoss returns the negative log-likelihood of target under Poisson
// distributions: F.poisson_nll_loss(x, target, log_input, full, eps=…, reduction=…).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html
func PoissonNLLLoss(x, target *torch.Tensor, options ...PoissonNLLLossOptions) *torch.Tensor {
	o := torch.Only(options)
	checkReduction("PoissonNLLLoss", o.Reduction)
	var c torch.Call
	c.Tensor(x)
	c.Tensor(target)
	c.Bool(!o.NoLogInput)
	c.Bool(o.Full)
	c.Float(or(o.Eps, 1e-8))
	c.Reduction(cmp.Or(o.Reduction, "mean"))
	return c.One(opPoissonNLLLoss)
}

// TripletMarginWithDistanceLossOptions are the options of [TripletMarginWithDistanceLoss].
type TripletMarginWithDistanceLossOptions struct {
	Distance  func(a, b *torch.Tensor) *torch.Tensor // default [PairwiseDistance]
	Margin    *float64                               // default 1
	Swap      bool                                   // the negative's distance is to anchor or to positive, whichever is less
	Reduction string                                 // "mean", the default, "sum" or "none"
}

// TripletMarginWithDistanceLoss returns max(0, d(anchor, positive) - d(anchor,
// negative) + margin): F.triplet_margin_with_distance_loss(anchor, positive, negative,
// distance_function=…, margin=…, swap=…, reduction=…).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_with_distance_loss.html
func TripletMarginWithDistanceLoss(anchor, positive, negative *torch.Tensor, options ...TripletMarginWithDistanceLossOptions) *torch.Tensor {
	const op = "TripletMarginWithDistanceLoss"
	o := torch.Only(options)
	checkReduction(op, o.Reduction)
	checkMargin(op, o.Margin)
	checkSameDim(op, "anchor, positive and negative", anchor, positive, negative)
	distance := o.Distance
	if distance == nil {
		distance = func(a, b *torch.Tensor) *torch.Tensor { return PairwiseDistance(a, b) }
	}
	near, far := distance(anchor, positive), distance(anchor, negative)
	if o.Swap {
		far = far.Minimum(distance(positive, negative))
	}
	return reduce(o.Reduction, near.AddScalar(or(o.Margin, 1)).Sub(far).ClampMin(0))
}

// GaussianNLLLossOptions are the options of [GaussianNLLLoss].
type GaussianNLLLossOptions struct {
	Full      bool     // with the constant ½·log(2π)
	Eps       *float64 // the least variance, default 1e-6
	Reduction string   // "mean", the default, "sum" or "none"
}

// GaussianNLLLoss is the negative log likelihood of target under normal
// distributions of mean x and variance variance, which is as large as x or has 1, or
// nothing, as its last size: F.gaussian_nll_loss(x, target, variance, full, eps, reduction).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
func GaussianNLLLoss(x, target, variance *torch.Tensor, options ...GaussianNLLLossOptions) *torch.Tensor {
	o := torch.Only(options)
	checkReduction("GaussianNLLLoss", o.Reduction)
	if variance.LtScalar(0).Any().Item() != 0 {
		fail("GaussianNLLLoss", "the variance has negative elements")
	}
	if have, want := variance.Shape(), x.Shape(); !slices.Equal(have, want) {
		if len(want) > 0 && slices.Equal(have, want[:len(want)-1]) {
			variance = variance.Unsqueeze(-1)
		} else if sum := 0; len(have) == len(want) {
			for i := range have {
				if have[i] != want[i] {
					sum += have[i]
				}
			}
			if sum != 1 { // one size of 1
				fail("GaussianNLLLoss", "the variance %v does not fit x %v", have, want)
			}
		} else {
			fail("GaussianNLLLoss", "the variance %v does not fit x %v", have, want)
		}
	}
	variance = variance.Clone()
	torch.NoGrad(func() { variance.ClampMinInPlace(or(o.Eps, 1e-6)) })
	loss := variance.Log().Add(x.Sub(target).Square().Div(variance)).MulScalar(0.5)
	if o.Full {
		loss = loss.AddScalar(0.5 * math.Log(2*math.Pi))
	}
	return reduce(o.Reduction, loss)
}

// MultilabelSoftMarginLossOptions are the options of [MultilabelSoftMarginLoss].
type MultilabelSoftMarginLossOptions struct {
	Weight    *torch.Tensor // of each class [C]
	Reduction string        // "mean", the default, "sum" or "none"
}

// MultilabelSoftMarginLoss is the mean, over the classes, of the binary cross
// entropies of logits x [N, C] and target [N, C] of 0 and 1:
// F.multilabel_soft_margin_loss(x, target, weight, reduction=…).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
func MultilabelSoftMarginLoss(x, target *torch.Tensor, options ...MultilabelSoftMarginLossOptions) *torch.Tensor {
	o := torch.Only(options)
	checkReduction("MultilabelSoftMarginLoss", o.Reduction)
	if x.Dim() == 0 {
		fail("MultilabelSoftMarginLoss", "x must have at least 1 dimension")
	}
	loss := target.Mul(LogSigmoid(x)).Add(target.Neg().AddScalar(1).Mul(LogSigmoid(x.Neg()))).Neg()
	if o.Weight != nil {
		loss = loss.Mul(o.Weight)
	}
	last := x.Dim() - 1
	return reduce(o.Reduction, loss.Sum(last).DivScalar(x.Size(last)))
}
