package hub

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"slices"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// A Segmentation gives each pixel of a picture a class. The pixels are in rows from the top left.
type Segmentation struct {
	Width, Height int       // of the picture as the preset of the model resizes it; see Resize
	Labels        []string  // the names of the classes; nil where they have none
	Classes       []int     // the most probable class of each pixel
	Scores        []float32 // its probability by softmax, in [0, 1]
}

// Segment returns the most probable class of each pixel of a picture:
// model(preprocess(img).unsqueeze(0))["out"].softmax(1).max(1). A model for another task is a [*TaskError]; that of
// a program may return a tensor [1, classes, H, W] or a dict with one under "out".
//
// https://docs.pytorch.org/vision/stable/models.html#semantic-segmentation
func (m *Model) Segment(ctx context.Context, img image.Image) (*Segmentation, error) {
	var s *Segmentation
	err := m.infer(ctx, models.Segmentation, transforms.Value{Image: img}, func(output torch.Value) (err error) {
		s, err = m.segment(output)
		return err
	})
	if err != nil {
		return nil, newError("model", m.name, err)
	}
	return s, nil
}

// segment reads the output for a picture, which it frees.
func (m *Model) segment(output torch.Value) (*Segmentation, error) {
	if d, ok := output.(*torch.Dict); ok {
		for _, e := range d.Entries {
			if e.Key == "out" {
				output = e.Value
			}
		}
	}
	if o, ok := output.(*models.SegmentationOutput); ok {
		if o.Aux != nil {
			o.Aux.Free()
		}
		output = o.Out
	}
	want := "[1, classes, H, W]"
	if m.labels != nil {
		want = fmt.Sprintf("[1, %d, H, W]", len(m.labels))
	}
	y, ok := output.(*torch.Tensor)
	if !ok {
		return nil, &OutputError{torch.Describe(output), want}
	}
	defer y.Free()
	if y.Dim() != 4 || y.Size(0) != 1 || !y.DType().IsFloatingPoint() || m.labels != nil && y.Size(1) != len(m.labels) {
		return nil, &OutputError{fmt.Sprintf("%v %v", y.Shape(), y.DType()), want}
	}
	p := y.Softmax(1)
	defer p.Free()
	scores, classes := p.MaxDim(1)
	defer classes.Free()
	scores = scores.Then(func(x *torch.Tensor) *torch.Tensor { return x.ToDType(torch.Float32) })
	defer scores.Free()
	s := &Segmentation{Width: y.Size(3), Height: y.Size(2), Labels: m.labels, Scores: torch.Data[float32](scores)}
	for _, c := range torch.Data[int64](classes) {
		s.Classes = append(s.Classes, int(c))
	}
	return s, nil
}

// Resize returns the segmentation of a picture of another size, such as that of the original one: each pixel
// is that at its place.
func (s *Segmentation) Resize(width, height int) *Segmentation {
	out := &Segmentation{Width: width, Height: height, Labels: s.Labels, Classes: make([]int, width*height), Scores: make([]float32, width*height)}
	for y := range height {
		for x := range width {
			at := (2*y+1)*s.Height/(2*height)*s.Width + (2*x+1)*s.Width/(2*width)
			out.Classes[y*width+x], out.Scores[y*width+x] = s.Classes[at], s.Scores[at]
		}
	}
	return out
}

// A Region is the pixels of a class.
type Region struct {
	Index int     `json:"index"` // of the class
	Name  string  `json:"label"` // such as "person"; "" where it has none
	Share float64 `json:"share"` // of all pixels, in [0, 1]
	Score float64 `json:"score"` // the mean of the scores of its pixels
}

// Regions returns the classes that there are, the largest first.
func (s *Segmentation) Regions() []Region {
	var all []Region
	for i, c := range s.Classes {
		for c >= len(all) {
			all = append(all, Region{Index: len(all)})
		}
		all[c].Share++
		all[c].Score += float64(s.Scores[i])
	}
	all = slices.DeleteFunc(all, func(r Region) bool { return r.Share == 0 })
	for i := range all {
		r := &all[i]
		if r.Index < len(s.Labels) {
			r.Name = s.Labels[r.Index]
		}
		r.Score /= r.Share
		r.Share /= float64(len(s.Classes))
	}
	slices.SortStableFunc(all, func(a, b Region) int { return cmp.Compare(b.Share, a.Share) })
	return all
}

// Mask returns the pixels of a class as bools, [Height, Width], such as draw.DrawSegmentationMasks takes them.
func (s *Segmentation) Mask(class int) *torch.Tensor {
	mask := make([]bool, len(s.Classes))
	for i, c := range s.Classes {
		mask[i] = c == class
	}
	return torch.FromSlice(mask, s.Height, s.Width)
}

// ClassColor returns torchvision's color for a class: that for object number class in torchvision.utils. Class 0 is black.
func ClassColor(class int) color.NRGBA {
	part := func(p int) uint8 { return uint8(class * p % 255) }
	return color.NRGBA{part(1<<25 - 1), part(1<<15 - 1), part(1<<21 - 1), 255}
}

// Image returns a picture whose values are the classes, up to 255, in the colors of [ClassColor].
func (s *Segmentation) Image() *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, s.Width, s.Height), make(color.Palette, 256))
	for i := range img.Palette {
		img.Palette[i] = ClassColor(i)
	}
	for i, c := range s.Classes {
		img.Pix[i] = uint8(min(c, 255))
	}
	return img
}
