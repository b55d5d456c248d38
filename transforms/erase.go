package transforms

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
)

// RandomErasingOptions are the options of [RandomErasing]. The zero value is torchvision's default.
type RandomErasingOptions struct {
	P       *float64  // the probability; nil is 0.5
	Scale   []float64 // the least and the greatest part of the area that is erased; nil is 0.02 to 0.33
	Ratio   []float64 // the least and the greatest aspect, height to width, of that part; nil is 0.3 to 3.3
	Value   Floats    // the value to write: a number, or a []float64 of one for each channel; nil is 0
	Random  bool      // write normally distributed numbers in place of Value: value="random"
	InPlace bool      // change the tensor itself
}

// RandomErasing overwrites a rectangle at a random place of a tensor [..., C, H, W]:
// torchvision.transforms.RandomErasing(p, scale, ratio, value, inplace). If the random draw decides
// not to erase, any value passes, as in Python.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomErasing.html
func RandomErasing(options ...RandomErasingOptions) Transform {
	const op = "RandomErasing"
	o := torch.Only(options)
	p := probability(op, o.P, 0.5)
	if p < 0 || p > 1 {
		refuse(op, "the probability is %v; want 0 to 1", p)
	}
	scale, ratio := patch(op, o.Scale, []float64{0.02, 0.33}, o.Ratio, []float64{0.3, 3.3})
	if scale[1] > 1 {
		refuse(op, "Scale is %v; want 0 to 1", scale)
	}
	value, text := floats(op, "Value", o.Value), filling(o.Value)
	switch {
	case o.Random && value != nil:
		refuse(op, "both Random and a Value are given; leave one out")
	case o.Random:
		text = "random"
	case value == nil:
		value = []float64{0}
	}
	text = fmt.Sprintf("RandomErasing(p=%s, scale=%s, ratio=%s, value=%s, inplace=%s)", float(p), tuple(scale), tuple(ratio), text, boolean(o.InPlace))
	var t *step
	t = &step{text, func(v Value) Value {
		if !happens(v, p) {
			return v
		}
		if v.Tensor == nil || v.Tensor.Dim() < 3 {
			fail(t, v, "a tensor [..., C, H, W] is needed here; put it behind ToTensor()")
		}
		c, h, w := functional.GetDimensions(v)
		if value != nil && len(value) != 1 && len(value) != c {
			fail(t, v, "there are %d values for %d channels", len(value), c)
		}
		var out Value
		torch.Scope(func() {
			ph, pw, ok := patchSize(v, h, w, scale, ratio, func(area, aspect float64) (h, w int) {
				return sqrt(area * aspect), sqrt(area / aspect)
			}, func(ph, pw int) bool { return ph < h && pw < w })
			if !ok { // Python writes the tensor onto itself
				if out = v; !o.InPlace {
					out = v.WithTensor(torch.Keep(v.Tensor.Clone()))
				}
				return
			}
			var x *torch.Tensor
			if o.Random {
				x = onCPU.Empty(c, ph, pw).NormalInPlace(0, 1, generator(v))
			} else {
				x = torch.FromSlice(value, len(value), 1, 1).ToDType(torch.Float32)
			}
			i := randint(v, 0, h-ph+1)
			j := randint(v, 0, w-pw+1)
			out = functional.Erase(v, i, j, ph, pw, x, functional.EraseOptions{InPlace: o.InPlace})
			if out.Tensor != v.Tensor {
				torch.Keep(out.Tensor)
			}
		})
		return out
	}}
	return t
}
