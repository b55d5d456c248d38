package nn

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// The losses have no parameters, so that a struct of options is a loss:
//
//	criterion := &nn.CrossEntropyLoss{LabelSmoothing: 0.1}
//	loss := criterion.Forward(logits, target)

// L1Loss is the mean of absolute differences: torch.nn.L1Loss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
type L1Loss struct {
	Reduction string // "mean", the default, "sum" or "none"
}

// Forward returns the loss of x and target, which have the same shape or are broadcast.
func (m *L1Loss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.L1Loss(x, target, F.L1LossOptions{Reduction: m.Reduction})
}

// MSELoss is the mean of squared differences: torch.nn.MSELoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
type MSELoss struct {
	Reduction string // "mean", the default, "sum" or "none"
}

// Forward returns the loss of x and target, which have the same shape or are broadcast.
func (m *MSELoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.MSELoss(x, target, F.MSELossOptions{Reduction: m.Reduction})
}

// SmoothL1Loss is the mean of differences, squared below Beta and divided by it, absolute above: torch.nn.SmoothL1Loss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
type SmoothL1Loss struct {
	Reduction string   // "mean", the default, "sum" or "none"
	Beta      *float64 // default 1
}

// Forward returns the loss of x and target, which have the same shape or are broadcast.
func (m *SmoothL1Loss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.SmoothL1Loss(x, target, F.SmoothL1LossOptions{Reduction: m.Reduction, Beta: m.Beta})
}

// HuberLoss is the mean of differences, squared below Delta, absolute above: torch.nn.HuberLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
type HuberLoss struct {
	Reduction string   // "mean", the default, "sum" or "none"
	Delta     *float64 // default 1
}

// Forward returns the loss of x and target, which have the same shape or are broadcast.
func (m *HuberLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.HuberLoss(x, target, F.HuberLossOptions{Reduction: m.Reduction, Delta: m.Delta})
}

// NLLLoss is the negative log-likelihood of classes: torch.nn.NLLLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
type NLLLoss struct {
	Weight      *torch.Tensor `nn:",buffer"` // of each class [C], nil for none
	IgnoreIndex *int          // a class that is left out, default -100
	Reduction   string        // "mean", the default, "sum" or "none"
}

// Forward returns the loss of logarithms of probabilities x [N, C, *] or [C], and int64 classes target [N, *] or [].
func (m *NLLLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.NLLLoss(x, target, F.NLLLossOptions{Weight: m.Weight, Reduction: m.Reduction, IgnoreIndex: m.IgnoreIndex})
}

// CrossEntropyLoss is the cross entropy of classes: torch.nn.CrossEntropyLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
type CrossEntropyLoss struct {
	Weight         *torch.Tensor `nn:",buffer"` // of each class [C], nil for none
	IgnoreIndex    *int          // a class that is left out, default -100
	Reduction      string        // "mean", the default, "sum" or "none"
	LabelSmoothing float64       // the share of a uniform distribution in the target, in [0, 1]
}

// Forward returns the loss of logits x [N, C, *] or [C], and int64 classes target [N, *] or [], or probabilities of the shape of x.
func (m *CrossEntropyLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.CrossEntropy(x, target, F.CrossEntropyOptions{Weight: m.Weight, Reduction: m.Reduction, IgnoreIndex: m.IgnoreIndex, LabelSmoothing: m.LabelSmoothing})
}

// BCELoss is the binary cross entropy: torch.nn.BCELoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
type BCELoss struct {
	Weight    *torch.Tensor `nn:",buffer"` // of each element, broadcast, nil for none
	Reduction string        // "mean", the default, "sum" or "none"
}

// Forward returns the loss of probabilities x and target, in [0, 1], of the same shape.
func (m *BCELoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.BinaryCrossEntropy(x, target, F.BinaryCrossEntropyOptions{Weight: m.Weight, Reduction: m.Reduction})
}

// BCEWithLogitsLoss is the binary cross entropy of the sigmoid of x: torch.nn.BCEWithLogitsLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
type BCEWithLogitsLoss struct {
	Weight    *torch.Tensor `nn:",buffer"` // of each element, broadcast, nil for none
	PosWeight *torch.Tensor `nn:",buffer"` // of the target 1, broadcast, nil for none
	Reduction string        // "mean", the default, "sum" or "none"
}

// Forward returns the loss of logits x and target, in [0, 1], of the same shape.
func (m *BCEWithLogitsLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.BinaryCrossEntropyWithLogits(x, target, F.BinaryCrossEntropyWithLogitsOptions{Weight: m.Weight, PosWeight: m.PosWeight, Reduction: m.Reduction})
}

// KLDivLoss is the Kullback-Leibler divergence: torch.nn.KLDivLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
type KLDivLoss struct {
	Reduction string // "mean", the default, "batchmean": the sum by the size of the batch, "sum" or "none"
	LogTarget bool   // target is given as logarithms too
}

// Forward returns the loss of logarithms of probabilities x and probabilities target, of the same shape.
func (m *KLDivLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.KLDiv(x, target, F.KLDivOptions{Reduction: m.Reduction, LogTarget: m.LogTarget})
}

// PoissonNLLLoss is the negative log-likelihood of Poisson distributions: torch.nn.PoissonNLLLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html
type PoissonNLLLoss struct {
	NoLogInput bool     // x is the rate and not its logarithm: log_input=False
	Full       bool     // with Stirling's approximation of log(target!)
	Eps        *float64 // added to x before its logarithm, with NoLogInput, default 1e-8
	Reduction  string   // "mean", the default, "sum" or "none"
}

// Forward returns the loss of logarithms of rates x, and target, of the same shape.
func (m *PoissonNLLLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.PoissonNLLLoss(x, target, F.PoissonNLLLossOptions{NoLogInput: m.NoLogInput, Full: m.Full, Eps: m.Eps, Reduction: m.Reduction})
}

// GaussianNLLLoss is the negative log-likelihood of normal distributions: torch.nn.GaussianNLLLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html
type GaussianNLLLoss struct {
	Full      bool     // with the constant ½·log(2π)
	Eps       *float64 // the least variance, default 1e-6
	Reduction string   // "mean", the default, "sum" or "none"
}

// Forward returns the loss of means x, target, and variances, which have the shape of x, or 1 or nothing as its last size.
func (m *GaussianNLLLoss) Forward(x, target, variance *torch.Tensor) *torch.Tensor {
	return F.GaussianNLLLoss(x, target, variance, F.GaussianNLLLossOptions{Full: m.Full, Eps: m.Eps, Reduction: m.Reduction})
}

// HingeEmbeddingLoss is x where the target is 1, and max(0, Margin - x) where it is -1: torch.nn.HingeEmbeddingLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html
type HingeEmbeddingLoss struct {
	Margin    *float64 // default 1
	Reduction string   // "mean", the default, "sum" or "none"
}

// Forward returns the loss of distances x, and target, of the same shape.
func (m *HingeEmbeddingLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.HingeEmbeddingLoss(x, target, F.HingeEmbeddingLossOptions{Margin: m.Margin, Reduction: m.Reduction})
}

// SoftMarginLoss is the logistic loss of two classes: torch.nn.SoftMarginLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html
type SoftMarginLoss struct {
	Reduction string // "mean", the default, "sum" or "none"
}

// Forward returns the loss of x, and target of 1 and -1, of the same shape.
func (m *SoftMarginLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.SoftMarginLoss(x, target, F.SoftMarginLossOptions{Reduction: m.Reduction})
}

// MultiLabelMarginLoss is the hinge loss of several classes: torch.nn.MultiLabelMarginLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html
type MultiLabelMarginLoss struct {
	Reduction string // "mean", the default, "sum" or "none"
}

// Forward returns the loss of x [N, C] or [C], and int64 classes target of the same shape, of which each row ends before its first -1.
func (m *MultiLabelMarginLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.MultilabelMarginLoss(x, target, F.MultilabelMarginLossOptions{Reduction: m.Reduction})
}

// MultiLabelSoftMarginLoss is the mean of the binary cross entropies of classes: torch.nn.MultiLabelSoftMarginLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html
type MultiLabelSoftMarginLoss struct {
	Weight    *torch.Tensor `nn:",buffer"` // of each class [C], nil for none
	Reduction string        // "mean", the default, "sum" or "none"
}

// Forward returns the loss of logits x [N, C], and target of 0 and 1 of the same shape.
func (m *MultiLabelSoftMarginLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.MultilabelSoftMarginLoss(x, target, F.MultilabelSoftMarginLossOptions{Weight: m.Weight, Reduction: m.Reduction})
}

// MultiMarginLoss is the hinge loss of classes: torch.nn.MultiMarginLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html
type MultiMarginLoss struct {
	P         torch.Number  // the power of each term, 1, the default, or 2
	Margin    torch.Number  // default 1
	Weight    *torch.Tensor `nn:",buffer"` // of each class [C], nil for none
	Reduction string        // "mean", the default, "sum" or "none"
}

// Forward returns the loss of x [N, C] or [C], and int64 classes target [N] or [].
func (m *MultiMarginLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	return F.MultiMarginLoss(x, target, F.MultiMarginLossOptions{P: m.P, Margin: m.Margin, Weight: m.Weight, Reduction: m.Reduction})
}

// CosineEmbeddingLoss is 1 - cos(x1, x2) where the target is 1, and max(0, cos(x1, x2) - Margin) where it is -1: torch.nn.CosineEmbeddingLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
type CosineEmbeddingLoss struct {
	Margin    float64 // from -1 to 1
	Reduction string  // "mean", the default, "sum" or "none"
}

// Forward returns the loss of x1 and x2 [N, D] or [D], and target [N] or [].
func (m *CosineEmbeddingLoss) Forward(x1, x2, target *torch.Tensor) *torch.Tensor {
	return F.CosineEmbeddingLoss(x1, x2, target, F.CosineEmbeddingLossOptions{Margin: m.Margin, Reduction: m.Reduction})
}

// MarginRankingLoss is max(0, -target·(x1 - x2) + Margin): torch.nn.MarginRankingLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html
type MarginRankingLoss struct {
	Margin    float64
	Reduction string // "mean", the default, "sum" or "none"
}

// Forward returns the loss of x1 and x2, and target of 1 and -1, all of the same shape.
func (m *MarginRankingLoss) Forward(x1, x2, target *torch.Tensor) *torch.Tensor {
	return F.MarginRankingLoss(x1, x2, target, F.MarginRankingLossOptions{Margin: m.Margin, Reduction: m.Reduction})
}

// TripletMarginLoss is max(0, d(anchor, positive) - d(anchor, negative) + Margin): torch.nn.TripletMarginLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
type TripletMarginLoss struct {
	Margin    *float64 // above 0, default 1
	P         *float64 // of the distance, a p-norm, default 2
	Eps       *float64 // added to the differences, default 1e-6
	Swap      bool     // the distance of negative is to anchor or to positive, whichever is less
	Reduction string   // "mean", the default, "sum" or "none"
}

// Forward returns the loss of three tensors [N, D] or [D].
func (m *TripletMarginLoss) Forward(anchor, positive, negative *torch.Tensor) *torch.Tensor {
	return F.TripletMarginLoss(anchor, positive, negative, F.TripletMarginLossOptions{Margin: m.Margin, P: m.P, Eps: m.Eps, Swap: m.Swap, Reduction: m.Reduction})
}

// TripletMarginWithDistanceLossOptions are the options of [NewTripletMarginWithDistanceLoss].
type TripletMarginWithDistanceLossOptions struct {
	// DistanceFunction is a func(x1, x2 *torch.Tensor) *torch.Tensor, or a module with such
	// a method Forward. The default is a PairwiseDistance.
	DistanceFunction any
	Margin           *float64 // above 0, default 1
	Swap             bool     // the distance of negative is to anchor or to positive, whichever is less
	Reduction        string   // "mean", the default, "sum" or "none"
}

// TripletMarginWithDistanceLoss is [TripletMarginLoss] with any distance:
// torch.nn.TripletMarginWithDistanceLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html
type TripletMarginWithDistanceLoss struct {
	DistanceFunction any // a func(x1, x2 *torch.Tensor) *torch.Tensor, or a module
	Margin           *float64
	Swap             bool
	Reduction        string
}

// NewTripletMarginWithDistanceLoss makes a loss: nn.TripletMarginWithDistanceLoss(). It
// panics with a *torch.Error if the margin is not positive, or if the distance is neither
// a function nor a module of two tensors.
func NewTripletMarginWithDistanceLoss(options ...TripletMarginWithDistanceLossOptions) *TripletMarginWithDistanceLoss {
	o := torch.Only(options)
	if o.Margin != nil && *o.Margin <= 0 {
		fail("TripletMarginWithDistanceLoss: Margin is %v; it must be above 0", *o.Margin)
	}
	if o.DistanceFunction == nil {
		o.DistanceFunction = &PairwiseDistance{}
	}
	m := TripletMarginWithDistanceLoss(o)
	m.distance()
	return &m
}

func (m *TripletMarginWithDistanceLoss) distance() func(x1, x2 *torch.Tensor) *torch.Tensor {
	switch d := m.DistanceFunction.(type) {
	case func(x1, x2 *torch.Tensor) *torch.Tensor:
		return d
	case interface {
		Forward(x1, x2 *torch.Tensor) *torch.Tensor
	}:
		return d.Forward
	}
	fail("TripletMarginWithDistanceLoss: DistanceFunction is a %T; it must be a func(x1, x2 *torch.Tensor) *torch.Tensor, or a module with such a method Forward", m.DistanceFunction)
	return nil
}

// Forward returns the loss of three tensors that the distance takes.
func (m *TripletMarginWithDistanceLoss) Forward(anchor, positive, negative *torch.Tensor) *torch.Tensor {
	return F.TripletMarginWithDistanceLoss(anchor, positive, negative, F.TripletMarginWithDistanceLossOptions{
		Distance: m.distance(), Margin: m.Margin, Swap: m.Swap, Reduction: m.Reduction,
	})
}

// CTCLoss is the connectionist temporal classification loss: torch.nn.CTCLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html
type CTCLoss struct {
	Blank        int    // the class of the blank label
	Reduction    string // "mean", the default, of the losses by the length of their target, "sum" or "none"
	ZeroInfinity bool   // infinite losses and their gradients are 0
}

// Forward returns the loss of logarithms of probabilities [T, N, C] or [T, C], and integer
// targets [N, S] or [S], or [the sum of the lengths], of sequences of the given lengths.
func (m *CTCLoss) Forward(logProbs, targets *torch.Tensor, inputLengths, targetLengths []int) *torch.Tensor {
	return F.CTCLoss(logProbs, targets, inputLengths, targetLengths, F.CTCLossOptions{Blank: m.Blank, Reduction: m.Reduction, ZeroInfinity: m.ZeroInfinity})
}

// LinearCrossEntropyLossOptions are the options of [NewLinearCrossEntropyLoss].
type LinearCrossEntropyLossOptions struct {
	OutFeatures    []int         // further dimensions of the logits, after the classes
	Bias           bool          // the map has a bias
	Reduction      string        // "mean", the default, "sum" or "none"
	Weight         *torch.Tensor // of each class [C], nil for none
	IgnoreIndex    *int          // a class that is left out, default -100
	LabelSmoothing float64       // the share of a uniform distribution in the target, in [0, 1]
}

// LinearCrossEntropyLoss is the [CrossEntropyLoss] of the output of a [Linear]:
// torch.nn.LinearCrossEntropyLoss, without its options that save memory.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LinearCrossEntropyLoss.html
type LinearCrossEntropyLoss struct {
	Weight     *torch.Tensor `nn:",buffer"` // [C], nil for none
	Linear     *Linear       // to all logits
	NumClasses int
	Options    LinearCrossEntropyLossOptions `nn:"-"`
}

// NewLinearCrossEntropyLoss makes a loss with a map of in features to logits of a number
// of classes: nn.LinearCrossEntropyLoss(in, classes). It panics with a *torch.Error if
// the weight has another shape or if LabelSmoothing is outside of [0, 1].
func NewLinearCrossEntropyLoss(in, classes int, options ...LinearCrossEntropyLossOptions) *LinearCrossEntropyLoss {
	o := torch.Only(options)
	if o.Weight != nil && !slices.Equal(o.Weight.Shape(), []int{classes}) {
		fail("LinearCrossEntropyLoss: the weight is %v; it must be %v", o.Weight.Shape(), []int{classes})
	}
	if !(o.LabelSmoothing >= 0 && o.LabelSmoothing <= 1) {
		fail("LinearCrossEntropyLoss: LabelSmoothing is %v; it must be between 0 and 1", o.LabelSmoothing)
	}
	out := classes
	for _, n := range o.OutFeatures {
		out *= n
	}
	return &LinearCrossEntropyLoss{Weight: o.Weight, Linear: NewLinear(in, out, LinearOptions{NoBias: !o.Bias}), NumClasses: classes, Options: o}
}

// Forward returns the loss of x [N, in] or [in], and int64 classes target [N, …] or [],
// or probabilities [N, C, …] or [C].
func (m *LinearCrossEntropyLoss) Forward(x, target *torch.Tensor) *torch.Tensor {
	o := m.Options
	logits := F.Linear(x, m.Linear.Weight, m.Linear.Bias)
	size := append(x.Shape()[:max(x.Dim()-1, 0)], m.NumClasses)
	logits = logits.Reshape(append(size, o.OutFeatures...)...)
	return F.CrossEntropy(logits, target, F.CrossEntropyOptions{Weight: m.Weight, Reduction: o.Reduction, IgnoreIndex: o.IgnoreIndex, LabelSmoothing: o.LabelSmoothing})
}

func (m *LinearCrossEntropyLoss) extraRepr() string {
	o := m.Options
	ignore := "None"
	if o.IgnoreIndex != nil {
		ignore = fmt.Sprint(*o.IgnoreIndex)
	}
	return fmt.Sprintf("in_features=%d, num_classes=%d, out_features=%s, bias=%s, reduction=%s, ignore_index=%s, label_smoothing=%s, options=None",
		m.Linear.Weight.Size(1), m.NumClasses, tuple(o.OutFeatures...), boolean(o.Bias), cmp.Or(o.Reduction, "mean"), ignore, pyrepr.Float(o.LabelSmoothing))
}
