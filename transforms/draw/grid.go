package draw

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// GridOptions are the options of [MakeGrid] and [SaveImage]. The zero value is torchvision's default.
type GridOptions struct {
	NRow       int         // pictures in a row; 0 is 8
	Padding    *int        // pixels between pictures; nil is 2
	PadValue   float64     // of the pixels between pictures
	Normalize  bool        // shift and scale to 0 to 1
	ValueRange *[2]float64 // the values that become 0 and 1; nil is the least and the greatest value
	ScaleEach  bool        // find the least and greatest value of each picture
}

// MakeGrid puts the pictures of a batch [N, C, H, W] side by side, and returns a picture [C, …, …] of
// its dtype: torchvision.utils.make_grid(tensor, …). Pictures of one channel get three. A single
// picture, [1, C, H, W], [C, H, W] or [H, W], is returned without padding.
//
// It panics with a *torch.Error if the tensor or an option is invalid.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.utils.make_grid.html
func MakeGrid(x *torch.Tensor, options ...GridOptions) *torch.Tensor {
	const op = "MakeGrid"
	o := torch.Only(options)
	if x.Dim() < 2 || x.Dim() > 4 {
		refuseTensor(op, x, "the pictures' shape is [N, C, H, W], [C, H, W] or [H, W]")
	}
	switch {
	case x.Numel() == 0:
		refuseTensor(op, x, "there are no pixels")
	case o.NRow < 0:
		refuse(op, "NRow is %d; want 1 or more, or 0 for 8", o.NRow)
	case o.Padding != nil && (*o.Padding < 0 || *o.Padding > math.MaxInt32):
		refuse(op, "Padding is %d; want 0 or more", *o.Padding)
	case o.Normalize && !x.DType().IsFloatingPoint():
		refuseTensor(op, x, "Normalize takes floating-point numbers")
	}
	if o.NRow == 0 {
		o.NRow = 8
	}
	if o.Padding == nil {
		o.Padding = new(2)
	}
	var grid *torch.Tensor
	torch.NoGrad(func() { torch.Scope(func() { grid = torch.Keep(makeGrid(x, o)) }) })
	return grid
}

func makeGrid(x *torch.Tensor, o GridOptions) *torch.Tensor {
	for x.Dim() < 4 {
		if x.Dim() == 3 && x.Size(0) == 1 {
			x = torch.Cat([]*torch.Tensor{x, x, x}, 0)
		}
		x = x.Unsqueeze(0)
	}
	if x.Size(1) == 1 {
		x = torch.Cat([]*torch.Tensor{x, x, x}, 1)
	}
	if o.Normalize {
		x = x.Clone()
		if o.ScaleEach {
			for i := range x.Size(0) {
				normalize(x.Select(0, i), o.ValueRange)
			}
		} else {
			normalize(x, o.ValueRange)
		}
	}
	n := x.Size(0)
	if n == 1 {
		return x.Squeeze(0)
	}
	cols := min(o.NRow, n)
	rows := (n + cols - 1) / cols
	padding := *o.Padding
	h, w := x.Size(2)+padding, x.Size(3)+padding
	grid := torch.Options{DType: x.DType(), Device: x.Device()}.Full(o.PadValue, x.Size(1), h*rows+padding, w*cols+padding)
	for i := range n {
		grid.Narrow(1, i/cols*h+padding, h-padding).Narrow(2, i%cols*w+padding, w-padding).CopyInPlace(x.Select(0, i))
	}
	return grid
}

// normalize scales x in place.
func normalize(x *torch.Tensor, to *[2]float64) {
	if to == nil {
		to = &[2]float64{x.Min().Item(), x.Max().Item()}
	}
	// Not in place: with a number, libtorch rounds float16 in place otherwise than Python does.
	x.CopyInPlace(x.Clamp(to[0], to[1]).SubScalar(to[0]).DivScalar(max(to[1]-to[0], 1e-5)))
}

// SaveImage writes a picture, or a batch as [MakeGrid] arranges it, of values from 0 to 1 to a file, in the format of
// its extension: torchvision.utils.save_image(tensor, path, …). See [transforms.Save].
//
// It returns an error where the file cannot be written, and panics with a
// [*torch.Error] as [MakeGrid] does.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.utils.save_image.html
func SaveImage(x *torch.Tensor, path string, options ...GridOptions) error {
	grid := MakeGrid(x, options...)
	switch grid.Size(0) {
	case 3, 4:
	default:
		refuseTensor("SaveImage", x, "the pictures have %d channels; want 1, 3 or 4", grid.Size(0))
	}
	var img *torch.Tensor
	torch.NoGrad(func() {
		torch.Scope(func() {
			img = torch.Keep(grid.MulScalar(255).AddScalar(0.5).Clamp(0, 255).ToDType(torch.Uint8).To(torch.CPU))
		})
	})
	return transforms.Save(path, ToImage(img))
}
