package nn

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// AdaptiveLogSoftmaxWithLossOptions are the options of [NewAdaptiveLogSoftmaxWithLoss].
type AdaptiveLogSoftmaxWithLossOptions struct {
	DivValue *float64 // the features of each cluster are those of the one before by it, default 4
	HeadBias bool     // the head has a bias
}

// AdaptiveLogSoftmaxWithLoss approximates the logarithm of a softmax over many classes, of
// which the frequent ones come first: torch.nn.AdaptiveLogSoftmaxWithLoss.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html
type AdaptiveLogSoftmaxWithLoss struct {
	Head    *Linear      // to the frequent classes, and to one number for each cluster
	Tail    []Sequential // to the classes of each cluster
	Cutoffs []int        // where the clusters begin, and the number of classes
	Options AdaptiveLogSoftmaxWithLossOptions
}

// NewAdaptiveLogSoftmaxWithLoss makes the layer for a number of features and of classes,
// and the classes with which clusters begin: nn.AdaptiveLogSoftmaxWithLoss(in, classes,
// cutoffs). It panics with a *torch.Error if these are not between 1 and classes-1, in
// increasing order.
func NewAdaptiveLogSoftmaxWithLoss(in, classes int, cutoffs []int, options ...AdaptiveLogSoftmaxWithLossOptions) *AdaptiveLogSoftmaxWithLoss {
	const op = "AdaptiveLogSoftmaxWithLoss"
	o := torch.Only(options)
	if len(cutoffs) == 0 {
		fail("%s: there are no cutoffs; there must be at least 1", op)
	}
	for i, c := range cutoffs {
		if c < 1 || c > classes-1 || i > 0 && c <= cutoffs[i-1] {
			fail("%s: the cutoffs are %v; they must be between 1 and %d, in increasing order", op, cutoffs, classes-1)
		}
	}
	m := &AdaptiveLogSoftmaxWithLoss{Cutoffs: append(slices.Clone(cutoffs), classes), Options: o}
	m.Head = NewLinear(in, cutoffs[0]+len(cutoffs), LinearOptions{NoBias: !o.HeadBias})
	noBias := LinearOptions{NoBias: true}
	for i := range cutoffs {
		hidden := int(math.Floor(float64(in) / libm.Pow(or(o.DivValue, 4), float64(i+1))))
		m.Tail = append(m.Tail, Sequential{NewLinear(in, hidden, noBias), NewLinear(hidden, m.Cutoffs[i+1]-m.Cutoffs[i], noBias)})
	}
	return m
}

// Forward returns the logarithms of the probabilities of the classes target [N] or [] given
// x [N, in] or [in], and their mean with the opposite sign, the loss.
func (m *AdaptiveLogSoftmaxWithLoss) Forward(x, target *torch.Tensor) (output, loss *torch.Tensor) {
	const op = "AdaptiveLogSoftmaxWithLoss"
	dims := target.Dim()
	switch {
	case dims > 1:
		fail("%s: the target is %v; it must be [N] or []", op, target.Shape())
	case x.Dim() != dims+1 || dims == 1 && x.Size(0) != target.Size(0):
		fail("%s: x is %v and the target %v; they must be [N, in] and [N], or [in] and []", op, x.Shape(), target.Shape())
	}
	if dims == 0 {
		x, target = x.Unsqueeze(0), target.Unsqueeze(0)
	}
	n := target.Size(0)
	output = torch.Options{DType: x.DType(), Device: x.Device()}.Zeros(n)
	gather := torch.Options{DType: target.DType(), Device: target.Device()}.Empty(n)
	used, low := 0, 0
	for i, high := range m.Cutoffs {
		mask := target.GeScalar(low).LogicalAnd(target.LtScalar(high))
		rows := mask.Nonzero().Squeeze()
		if rows.Numel() > 0 {
			inside := target.MaskedSelect(mask)
			if i == 0 {
				gather.IndexCopyInPlace(0, rows, inside)
			} else {
				gather.IndexFillInPlace(0, rows, m.Cutoffs[0]+i-1)
				log := Call(m.Tail[i-1], x.IndexSelect(0, rows)).LogSoftmax(1)
				output.IndexCopyInPlace(0, rows, log.Gather(1, inside.SubScalar(low).Unsqueeze(1)).Squeeze(1))
			}
			used += rows.Numel()
		}
		low = high
	}
	if used != n {
		fail("%s: the target has values from %v to %v; they must be from 0 to %d", op, target.Min().Item(), target.Max().Item(), low-1)
	}
	head := m.Head.Forward(x).LogSoftmax(1)
	output.AddInPlace(head.Gather(1, gather.Unsqueeze(1)).Squeeze())
	loss = output.Neg().Mean()
	if dims == 0 {
		output = output.Squeeze(0)
	}
	return output, loss
}

// LogProb returns the logarithms of the probabilities of all classes [N, classes] given
// x [N, in]: m.log_prob(x).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html#torch.nn.AdaptiveLogSoftmaxWithLoss.log_prob
func (m *AdaptiveLogSoftmaxWithLoss) LogProb(x *torch.Tensor) *torch.Tensor {
	return m.logProb(x, m.Head.Forward(x))
}

func (m *AdaptiveLogSoftmaxWithLoss) logProb(x, head *torch.Tensor) *torch.Tensor {
	short := m.Cutoffs[0]
	out := torch.Options{DType: x.DType(), Device: x.Device()}.Empty(head.Size(0), m.Cutoffs[len(m.Cutoffs)-1])
	head = head.LogSoftmax(1)
	out.Narrow(1, 0, short).CopyInPlace(head.Narrow(1, 0, short))
	for i, tail := range m.Tail {
		cluster := Call(tail, x).LogSoftmax(1)
		start := m.Cutoffs[i]
		out.Narrow(1, start, m.Cutoffs[i+1]-start).CopyInPlace(cluster.Add(head.Select(1, short+i).Unsqueeze(1)))
	}
	return out
}

// Predict returns the most probable classes [N] given x [N, in]: m.predict(x). It computes
// only what it needs.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html#torch.nn.AdaptiveLogSoftmaxWithLoss.predict
func (m *AdaptiveLogSoftmaxWithLoss) Predict(x *torch.Tensor) *torch.Tensor {
	head := m.Head.Forward(x)
	output := head.ArgMax(1)
	rare := output.GeScalar(m.Cutoffs[0])
	switch rows := rare.Nonzero().Squeeze(1); {
	case rows.Numel() == 0:
	case rows.Numel() == output.Numel():
		output = m.logProb(x, head).ArgMax(1)
	default:
		output.IndexCopyInPlace(0, rows, m.logProb(x.IndexSelect(0, rows), head.IndexSelect(0, rows)).ArgMax(1))
	}
	return output
}
