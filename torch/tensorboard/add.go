package tensorboard

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// AddScalar adds a point of a curve: add_scalar(tag, value, step). TensorBoard keeps a value as float32.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_scalar
func (w *SummaryWriter) AddScalar(tag string, value float64, step int) error {
	return w.write(event{step: step, summary: scalar{tag, value}})
}

// AddScalars adds a point to each of several curves that are drawn together: add_scalars(tag, values, step). As in
// Python, each curve has a folder of its own.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_scalars
func (w *SummaryWriter) AddScalars(tag string, values map[string]float64, step int) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		s, err := w.sub(strings.ReplaceAll(tag, "/", "_") + "_" + name)
		if err != nil {
			return err
		}
		if err := s.AddScalar(tag, values[name], step); err != nil {
			return err
		}
	}
	return nil
}

// AddText adds a text in Markdown: add_text(tag, text, step).
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_text
func (w *SummaryWriter) AddText(tag, markdown string, step int) error {
	return w.write(event{step: step, summary: text{tag, markdown}})
}

// AddHistogram adds the distribution of a tensor's elements, in the buckets of TensorFlow:
// add_histogram(tag, values, step). The error for a tensor without elements, or with one that is not a number, names the
// tag.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_histogram
func (w *SummaryWriter) AddHistogram(tag string, values *torch.Tensor, step int) error {
	var data []float64
	err := torch.Try(func() {
		torch.Scope(func() { data = torch.Data[float64](values.Detach().To(torch.CPU).ToDType(torch.Float64)) })
	})
	if err != nil {
		return err
	}
	h, err := newHistogram(tag, data)
	if err != nil {
		return fmt.Errorf("tensorboard: the histogram %q: %w", tag, err)
	}
	return w.write(event{step: step, summary: h})
}

// limits are the limits of TensorFlow's buckets: powers of 1.1 of both signs and 0.
var limits = func() []float64 {
	var positive []float64
	for v := 1e-12; v < 1e20; v *= 1.1 {
		positive = append(positive, v)
	}
	all := make([]float64, 0, 2*len(positive)+1)
	for _, v := range slices.Backward(positive) {
		all = append(all, -v)
	}
	return append(append(all, 0), positive...)
}()

func newHistogram(tag string, data []float64) (histogram, error) {
	if len(data) == 0 {
		return histogram{}, errors.New("the tensor has no elements")
	}
	counts := make([]float64, len(limits)-1) // of the elements from limits[i] to below limits[i+1]
	h := histogram{tag: tag, min: data[0], max: data[0], n: len(data)}
	first, last := len(counts), -1
	for _, v := range data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return histogram{}, fmt.Errorf("an element is %v; a histogram is of finite numbers", v)
		}
		h.min, h.max = min(h.min, v), max(h.max, v)
		h.sum, h.square = h.sum+v, h.square+v*v
		i, found := slices.BinarySearch(limits, v)
		if !found {
			i--
		}
		if i == len(counts) && found { // the last bucket has its upper limit
			i--
		}
		if i < 0 || i >= len(counts) {
			continue // beyond the buckets, as in Python
		}
		counts[i]++
		first, last = min(first, i), max(last, i)
	}
	if last < 0 {
		return histogram{}, fmt.Errorf("no element is between %g and %g, where the buckets are", limits[0], limits[len(limits)-1])
	}
	// TensorBoard has the upper limits only: an empty bucket before the first tells its lower one.
	if first > 0 {
		h.counts = counts[first-1 : last+1]
	} else {
		h.counts = append([]float64{0}, counts[:last+1]...)
	}
	h.limits = limits[first : last+2]
	return h, nil
}

// AddImage adds a picture, a tensor [C, H, W] with 1, 3 or 4 channels: add_image(tag, x, step). Its elements are from 0
// to 255 if they are of uint8, and otherwise from 0 to 1; others become the nearest of those.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_image
func (w *SummaryWriter) AddImage(tag string, x *torch.Tensor, step int) error {
	return w.addPicture("AddImage", tag, x, 3, step)
}

// AddImages adds a batch of pictures [N, C, H, W], with 1 or 3 channels, as one, eight of them in a row:
// add_images(tag, x, step).
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_images
func (w *SummaryWriter) AddImages(tag string, x *torch.Tensor, step int) error {
	return w.addPicture("AddImages", tag, x, 4, step)
}

func (w *SummaryWriter) addPicture(method, tag string, x *torch.Tensor, dims, step int) error {
	var p picture
	err := torch.Try(func() {
		torch.Scope(func() {
			if x.Dim() != dims {
				panic(&torch.Error{Op: "SummaryWriter." + method, Msg: fmt.Sprintf("%d dimensions are needed, and the tensor has %d", dims, x.Dim())})
			}
			x = x.Detach().To(torch.CPU)
			if dims == 4 {
				x = grid(x, max(min(x.Size(0), 8), 1))
			}
			p = newPicture(tag, "SummaryWriter."+method, x)
		})
	})
	if err != nil {
		return err
	}
	return w.write(event{step: step, summary: p})
}

// grid returns a batch [N, C, H, W] as one picture [C, rows*H, columns*W], black where no picture is.
func grid(x *torch.Tensor, columns int) *torch.Tensor {
	n, height, width := x.Size(0), x.Size(2), x.Size(3)
	canvas := torch.Options{DType: x.DType()}.Zeros(x.Size(1), height*((n+columns-1)/columns), width*columns)
	for i := range n {
		top, left := i/columns*height, i%columns*width
		canvas.Narrow(1, top, height).Narrow(2, left, width).CopyInPlace(x.Select(0, i))
	}
	return canvas
}

func newPicture(tag, op string, x *torch.Tensor) picture {
	channels, height, width := x.Size(0), x.Size(1), x.Size(2)
	if channels != 1 && channels != 3 && channels != 4 || height == 0 || width == 0 {
		panic(&torch.Error{Op: op, Msg: fmt.Sprintf("a picture has 1, 3 or 4 channels and some pixels, and the tensor's shape is %v", x.Shape())})
	}
	if x.DType() != torch.Uint8 {
		x = x.ToDType(torch.Float32).MulScalar(255)
	}
	bytes8 := torch.Data[uint8](x.Clamp(0, 255).ToDType(torch.Uint8).Permute(1, 2, 0).Contiguous())
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range height * width {
		c := color.NRGBA{A: 255}
		switch v := bytes8[i*channels : (i+1)*channels]; channels {
		case 1:
			c.R, c.G, c.B = v[0], v[0], v[0]
		case 4:
			c.A = v[3]
			fallthrough
		default:
			c.R, c.G, c.B = v[0], v[1], v[2]
		}
		m.SetNRGBA(i%width, i/width, c)
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, m); err != nil {
		panic(&torch.Error{Op: op, Msg: err.Error()})
	}
	return picture{tag, height, width, max(channels, 3), buf.Bytes()}
}
