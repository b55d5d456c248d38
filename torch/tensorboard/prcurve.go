package tensorboard

import (
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
	if o.NumThresholds == 0 {
		o.NumThresholds = 127
	}
	n := min(o.NumThresholds, 127) // TensorBoard takes no more
	if n < 2 {
		return fmt.Errorf("tensorboard: the curve %q: there are %d thresholds, and at least 2 are needed", tag, n)
	}
	var truth, weights, bucket []float64
	err := torch.Try(func() {
		torch.Scope(func() {
			floats := func(x *torch.Tensor) []float64 {
				return torch.Data[float64](x.Detach().To(torch.CPU).ToDType(torch.Float64).Contiguous())
			}
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

// A prCurve has, for each threshold, the true and false positives, the true and false negatives, the precision and the
// recall.
type prCurve struct {
	tag  string
	n    int
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
	shape := appendBytes(appendBytes(nil, 2, appendInt(nil, 1, len(c.rows))), 2, appendInt(nil, 1, c.n))
	tensor := appendBytes(appendBytes(appendInt(nil, 1, dtFloat), 2, shape), 5, floats)
	return plugin{tag: c.tag, name: "pr_curves", content: appendInt(nil, 2, c.n), tensor: tensor}.append(b)
}
