package tensorboard

import (
	"cmp"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/torchhub/torchhub/torch"
)

// AddPRCurveOptions are the options of [SummaryWriter.AddPRCurve].
type AddPRCurveOptions struct {
	NumThresholds int           // num_thresholds: of the curve, from 2 to 127; 0 means 127, and more are 127, as in Python
	Weights       *torch.Tensor // weights: of the elements; nil is 1 for each
}

// AddPRCurve adds a curve of precision and recall by thresholds of the probability: add_pr_curve(tag, labels,
// predictions, step). labels are true or false, or 1 or 0, and predictions are the probabilities that they are true,
// from 0 to 1, in a tensor with as many elements. The error for other tensors names the tag.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_pr_curve
func (w *SummaryWriter) AddPRCurve(tag string, labels, predictions *torch.Tensor, step int, options ...AddPRCurveOptions) error {
	o := torch.Only(options)
	n, err := o.thresholds(tag)
	if err != nil {
		return err
	}
	var truth, weights, bucket []float64
	err = torch.Try(func() {
		torch.Scope(func() {
			truth = floats(labels)
			bucket = floats(predictions.Detach().MulScalar(n - 1).Floor()) // rounded in the dtype of the predictions
			if o.Weights != nil {
				weights = floats(o.Weights)
			}
		})
	})
	if err != nil {
		return err
	}
	c, err := newPRCurve(n, truth, bucket, weights)
	if err != nil {
		return fmt.Errorf("tensorboard: the curve %q: %w", tag, err)
	}
	c.tag = tag
	return w.write(event{step: step, summary: c})
}

// AddPRCurveRaw adds a curve of precision and recall that has been computed: add_pr_curve_raw(tag, true_positive_counts,
// false_positive_counts, true_negative_counts, false_negative_counts, precision, recall, step). Each tensor has one
// dimension, and a number for each threshold. As in Python, the weights of the options are not used, and NumThresholds is
// written beside the numbers as it is. The error for other tensors names the tag.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_pr_curve_raw
func (w *SummaryWriter) AddPRCurveRaw(tag string, truePositives, falsePositives, trueNegatives, falseNegatives, precision, recall *torch.Tensor, step int, options ...AddPRCurveOptions) error {
	n, err := torch.Only(options).thresholds(tag)
	if err != nil {
		return err
	}
	c := prCurve{tag: tag, n: n}
	var bad error
	err = torch.Try(func() {
		torch.Scope(func() {
			for i, x := range []*torch.Tensor{truePositives, falsePositives, trueNegatives, falseNegatives, precision, recall} {
				if shape := x.Shape(); len(shape) != 1 || shape[0] == 0 || i > 0 && shape[0] != len(c.rows[0]) {
					bad = fmt.Errorf("tensorboard: the curve %q: tensor %d has the shape %v; each must have one dimension, and as many numbers as the first", tag, i, shape)
					return
				}
				c.rows[i] = floats(x)
			}
		})
	})
	if err = cmp.Or(err, bad); err != nil {
		return err
	}
	return w.write(event{step: step, summary: c})
}

// thresholds returns the number of thresholds that is written.
func (o AddPRCurveOptions) thresholds(tag string) (int, error) {
	switch {
	case o.NumThresholds == 0:
		return 127, nil
	case o.NumThresholds < 2:
		return 0, fmt.Errorf("tensorboard: the curve %q: there are %d thresholds, and at least 2 are needed", tag, o.NumThresholds)
	}
	return min(o.NumThresholds, 127), nil // TensorBoard takes no more
}

// floats returns the elements of a tensor.
func floats(x *torch.Tensor) []float64 {
	return torch.Data[float64](x.Detach().To(torch.CPU).ToDType(torch.Float64).Contiguous())
}

// A prCurve has, for each threshold, the true and false positives, the true and false negatives, the precision and the
// recall.
type prCurve struct {
	tag  string
	n    int // of thresholds
	rows [6][]float64
}

// newPRCurve computes the curve of labels, of which bucket has the number of the largest threshold that each exceeds.
func newPRCurve(n int, labels, bucket, weights []float64) (prCurve, error) {
	if len(labels) == 0 || len(bucket) != len(labels) || weights != nil && len(weights) != len(labels) {
		return prCurve{}, fmt.Errorf("there are %d labels, %d predictions and %d weights; there must be as many of each, and one at least", len(labels), len(bucket), len(weights))
	}
	c := prCurve{n: n}
	for i := range c.rows {
		c.rows[i] = make([]float64, n)
	}
	tp, fp, tn, fn, precision, recall := c.rows[0], c.rows[1], c.rows[2], c.rows[3], c.rows[4], c.rows[5]
	for i, b := range bucket {
		if math.IsNaN(b) || b < 0 || b >= float64(n) {
			return prCurve{}, fmt.Errorf("prediction %d is not from 0 to 1", i)
		}
		weight := 1.
		if weights != nil {
			weight = weights[i]
		}
		tp[int(b)] += labels[i] * weight
		fp[int(b)] += (1 - labels[i]) * weight
	}
	for i := n - 2; i >= 0; i-- {
		tp[i] += tp[i+1]
		fp[i] += fp[i+1]
	}
	const least = 1e-7
	for i := range n {
		tn[i], fn[i] = fp[0]-fp[i], tp[0]-tp[i]
		precision[i], recall[i] = tp[i]/max(least, tp[i]+fp[i]), tp[i]/max(least, tp[i]+fn[i])
	}
	return c, nil
}

func (c prCurve) append(b []byte) []byte {
	const dtFloat = 1
	var floats []byte
	for _, row := range c.rows {
		for _, v := range row {
			floats = protowire.AppendFixed32(floats, math.Float32bits(float32(v)))
		}
	}
	shape := appendBytes(appendBytes(nil, 2, appendInt(nil, 1, len(c.rows))), 2, appendInt(nil, 1, len(c.rows[0])))
	tensor := appendBytes(appendBytes(appendInt(nil, 1, dtFloat), 2, shape), 5, floats)
	return plugin{tag: c.tag, name: "pr_curves", content: appendInt(nil, 2, c.n), tensor: tensor}.append(b)
}
