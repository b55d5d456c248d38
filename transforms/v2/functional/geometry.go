package functional

import (
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// HorizontalFlip mirrors left and right: horizontal_flip(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.horizontal_flip.html
func HorizontalFlip[T any](x T) T {
	return call(x, horizontalFlipKernels())
}

func horizontalFlipKernels() kernels {
	return kernels{
		name:  "HorizontalFlip",
		image: HorizontalFlipImage, mask: HorizontalFlipMask, boxes: HorizontalFlipBoundingBoxes, points: HorizontalFlipKeyPoints, picture: pictureHFlip,
	}
}

// HFlip is another name of [HorizontalFlip]: hflip.
func HFlip[T any](x T) T { return HorizontalFlip(x) }

// HorizontalFlipImage is [HorizontalFlip] of a tensor [..., C, H, W].
func HorizontalFlipImage(x *torch.Tensor) *torch.Tensor { return x.Flip(-1) }

// HorizontalFlipVideo is [HorizontalFlip] of a tensor [..., T, C, H, W].
func HorizontalFlipVideo(x *torch.Tensor) *torch.Tensor { return x.Flip(-1) }

// HorizontalFlipMask is [HorizontalFlip] of a tensor [..., H, W].
func HorizontalFlipMask(x *torch.Tensor) *torch.Tensor { return x.Flip(-1) }

// HorizontalFlipKeyPoints is [HorizontalFlip] of key points.
func HorizontalFlipKeyPoints(k tv.KeyPoints) tv.KeyPoints { return flipPoints(k, 0, k.CanvasSize[1]) }

// HorizontalFlipBoundingBoxes is [HorizontalFlip] of boxes.
func HorizontalFlipBoundingBoxes(b tv.BoundingBoxes) tv.BoundingBoxes {
	return flipBoxes(b, 0, b.CanvasSize[1])
}

// VerticalFlip mirrors top and bottom: vertical_flip(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.vertical_flip.html
func VerticalFlip[T any](x T) T {
	return call(x, verticalFlipKernels())
}

func verticalFlipKernels() kernels {
	return kernels{
		name:  "VerticalFlip",
		image: VerticalFlipImage, mask: VerticalFlipMask, boxes: VerticalFlipBoundingBoxes, points: VerticalFlipKeyPoints, picture: pictureVFlip,
	}
}

// VFlip is another name of [VerticalFlip]: vflip.
func VFlip[T any](x T) T { return VerticalFlip(x) }

// VerticalFlipImage is [VerticalFlip] of a tensor [..., C, H, W].
func VerticalFlipImage(x *torch.Tensor) *torch.Tensor { return x.Flip(-2) }

// VerticalFlipVideo is [VerticalFlip] of a tensor [..., T, C, H, W].
func VerticalFlipVideo(x *torch.Tensor) *torch.Tensor { return x.Flip(-2) }

// VerticalFlipMask is [VerticalFlip] of a tensor [..., H, W].
func VerticalFlipMask(x *torch.Tensor) *torch.Tensor { return x.Flip(-2) }

// VerticalFlipKeyPoints is [VerticalFlip] of key points.
func VerticalFlipKeyPoints(k tv.KeyPoints) tv.KeyPoints { return flipPoints(k, 1, k.CanvasSize[0]) }

// VerticalFlipBoundingBoxes is [VerticalFlip] of boxes.
func VerticalFlipBoundingBoxes(b tv.BoundingBoxes) tv.BoundingBoxes {
	return flipBoxes(b, 1, b.CanvasSize[0])
}

// flipPoints mirrors the numbers at axis, 0 for x and 1 for y, of points on a canvas as long as size.
func flipPoints(k tv.KeyPoints, axis, size int) tv.KeyPoints {
	x := k.Clone()
	column(x, axis).SubScalarInPlace(size - 1).NegInPlace()
	return k.With(x)
}

// flipBoxes mirrors boxes along an axis, 0 for x and 1 for y, of a canvas as long as size.
func flipBoxes(b tv.BoundingBoxes, axis, size int) tv.BoundingBoxes {
	x := b.Clone()
	at := func(i int) *torch.Tensor { return column(x, i) }
	mirror := func(v *torch.Tensor) *torch.Tensor { return v.SubScalarInPlace(size).NegInPlace() }
	turned := func() {
		r := at(4).NegInPlace()
		if axis == 1 {
			r.AddScalarInPlace(180)
		}
	}
	switch b.Format {
	case tv.XYXY:
		near, far := at(axis), at(axis+2)
		was := near.Clone()
		near.CopyInPlace(mirror(far.Clone()))
		far.CopyInPlace(mirror(was))
	case tv.XYWH:
		mirror(at(axis).AddInPlace(at(axis + 2)))
	case tv.CXCYWH:
		mirror(at(axis))
	case tv.XYXYXYXY:
		mirror(columns(x, axis, torch.End, 2))
		x = x.Index(torch.Ellipsis, []int{2, 3, 0, 1, 6, 7, 4, 5})
	case tv.XYWHR:
		r := at(4).MulScalar(math.Pi).DivScalar(180)
		across, along := at(2).Mul(r.Cos()), at(2).Mul(r.Sin())
		if axis == 0 {
			mirror(at(0).AddInPlace(across))
			at(1).SubInPlace(along)
		} else {
			mirror(at(1).SubInPlace(along))
			at(0).AddInPlace(across)
		}
		turned()
	default:
		mirror(at(axis))
		turned()
	}
	return b.With(x)
}

// ResizeOptions are the options of [Resize] and [ResizedCrop].
type ResizeOptions struct {
	Interpolation Interpolation // "" is Bilinear
	MaxSize       int           // limit of the long side, for Resize by the short side, or by none: the length of the long side; 0 is none
	NoAntialias   bool          // shrink images by Bilinear and Bicubic without it; pictures always have it
}

func (o ResizeOptions) interpolation() Interpolation {
	if o.Interpolation == "" {
		return Bilinear
	}
	return o.Interpolation
}

// Resize scales to a size: the height and width, or one number for the short side, or nil with
// MaxSize as the long side: resize(x, size, …). Masks are always resized by Nearest or
// NearestExact. A value that already has the size is returned unchanged.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.resize.html
func Resize[T any](x T, size torch.Ints, options ...ResizeOptions) T {
	o := torch.Only(options)
	return call(x, resizeKernels(size, o), size, o)
}

func resizeKernels(size torch.Ints, o ResizeOptions) kernels {
	return kernels{
		name:    "Resize",
		image:   func(x *torch.Tensor) *torch.Tensor { return ResizeImage(x, size, o) },
		mask:    func(x *torch.Tensor) *torch.Tensor { return ResizeMask(x, size, o) },
		boxes:   func(b tv.BoundingBoxes) tv.BoundingBoxes { return ResizeBoundingBoxes(b, size, o) },
		points:  func(k tv.KeyPoints) tv.KeyPoints { return ResizeKeyPoints(k, size, o) },
		picture: func(p image.Image) image.Image { return pictureResize(p, size, o) },
	}
}

// resized returns the size that h×w becomes.
func resized(x any, h, w int, want torch.Ints, maxSize int) (int, int) {
	const op = "Resize"
	size := list(op, x, "size", want)
	if len(size) == 2 && maxSize == 0 {
		if min(size[0], size[1]) < 1 {
			fail(op, x, "the size is %v; want 1 or more", size)
		}
		return size[0], size[1]
	}
	short, long := min(h, w), max(h, w)
	if short < 1 {
		fail(op, x, "the value has a side of %d pixels, so its aspect is not defined", short)
	}
	// As Python: int(a * b / c), where the division is of integers and correctly rounded.
	scale := func(a, b, c int) int { return int(float64(a) * float64(b) / float64(c)) }
	switch {
	case len(size) == 0 && maxSize > 0:
		short, long = scale(maxSize, short, long), maxSize
	case len(size) == 1 && size[0] > 0:
		short, long = size[0], scale(size[0], long, short)
		if maxSize != 0 {
			if maxSize <= size[0] {
				fail(op, x, "MaxSize is %d; want more than the size of the short side, %d", maxSize, size[0])
			}
			if long > maxSize {
				short, long = scale(maxSize, short, long), maxSize
			}
		}
	case len(size) == 2:
		fail(op, x, "MaxSize is %d, but both sides are given already", maxSize)
	default:
		fail(op, x, "the size is %v and MaxSize %d; want a height and a width, a short side, or a MaxSize, of 1 or more", size, maxSize)
	}
	if w <= h {
		return long, short
	}
	return short, long
}

// ResizeImage is [Resize] of a tensor [..., C, H, W].
func ResizeImage(x *torch.Tensor, size torch.Ints, options ...ResizeOptions) *torch.Tensor {
	const op = "Resize"
	o := torch.Only(options)
	how := checked(o.interpolation(), op, x)
	in := F.InterpolateOptions{Mode: string(how)}
	switch how {
	case Bilinear, Bicubic, Lanczos:
		in.Antialias = !o.NoAntialias
		if how == Lanczos && o.NoAntialias {
			fail(op, x, "lanczos cannot do without antialias")
		}
	}
	c, h, w := chw(op, x)
	nh, nw := resized(x, h, w, size, o.MaxSize)
	if nh == h && nw == w {
		return x
	}
	shape := reshaped(x.Shape(), 3, c, nh, nw)
	if x.Numel() == 0 {
		return x.Reshape(shape...)
	}
	if how == Box || how == Hamming {
		fail(op, x, "tensors are not resized by %s; want nearest, nearest-exact, bilinear, bicubic or lanczos", how)
	}
	dtype := x.DType()
	cast := dtype != torch.Float32 && dtype != torch.Float64 &&
		!(dtype == torch.Uint8 && (in.Mode[0] == 'n' || x.Device() == torch.CPU && nativeUint8(how)))
	y := squash(x)
	// One image among channels-last ones may have a stride of N that libtorch takes for another memory format.
	if s := y.Strides(); y.Size(0) == 1 && channelsLast(y) && s[0] != x.Numel() {
		y = y.AsStrided(y.Shape(), append([]int{x.Numel()}, s[1:]...))
	}
	if cast {
		y = y.ToDType(torch.Float32)
	}
	in.Size = []int{nh, nw}
	y = F.Interpolate(y, in)
	if cast {
		if dtype == torch.Uint8 && (how == Bicubic || how == Lanczos) {
			y = y.ClampInPlace(0, 255)
		}
		switch dtype {
		case torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64:
			y = y.RoundInPlace()
		}
		y = y.ToDType(dtype)
	}
	return y.Reshape(shape...)
}

// channelsLast reports whether x, [N, C, H, W], is contiguous in the order N, H, W, C.
func channelsLast(x *torch.Tensor) bool {
	size, stride := x.Shape(), x.Strides()
	want := 1
	for _, d := range []int{1, 3, 2, 0} {
		if size[d] != 1 {
			if stride[d] != want {
				return false
			}
			want *= size[d]
		}
	}
	return true
}

// ResizeVideo is [Resize] of a tensor [..., T, C, H, W].
func ResizeVideo(x *torch.Tensor, size torch.Ints, options ...ResizeOptions) *torch.Tensor {
	return ResizeImage(x, size, options...)
}

// ResizeMask is [Resize] of a tensor [..., H, W].
func ResizeMask(x *torch.Tensor, size torch.Ints, options ...ResizeOptions) *torch.Tensor {
	o := torch.Only(options)
	if how := checked(o.interpolation(), "Resize", x); how != NearestExact {
		o.Interpolation = Nearest
	}
	return asImage(x, func(x *torch.Tensor) *torch.Tensor { return ResizeImage(x, size, o) })
}

// ResizeKeyPoints is [Resize] of key points.
func ResizeKeyPoints(k tv.KeyPoints, size torch.Ints, options ...ResizeOptions) tv.KeyPoints {
	h, w := k.CanvasSize[0], k.CanvasSize[1]
	nh, nw := resized(k, h, w, size, torch.Only(options).MaxSize)
	if nh == h && nw == w {
		return k
	}
	ratios := floats([]float64{float64(nw) / float64(w), float64(nh) / float64(h)}, torch.Float32, k.Tensor)
	k.Tensor = k.Mul(ratios).ToDType(k.DType())
	k.CanvasSize = [2]int{nh, nw}
	return k
}

// ResizeBoundingBoxes is [Resize] of boxes.
func ResizeBoundingBoxes(b tv.BoundingBoxes, size torch.Ints, options ...ResizeOptions) tv.BoundingBoxes {
	h, w := b.CanvasSize[0], b.CanvasSize[1]
	nh, nw := resized(b, h, w, size, torch.Only(options).MaxSize)
	if nh == h && nw == w {
		return b
	}
	pair := []float64{float64(nw) / float64(w), float64(nh) / float64(h)}
	dtype, x := b.DType(), b.Tensor
	if b.Format.Rotated() {
		shape := x.Shape()
		x = convert(x, b.Format, tv.XYXYXYXY, false).Reshape(-1, 8).Mul(floats(slices.Repeat(pair, 4), torch.Float32, x))
		x = clamp(uprightBoxes(x), tv.XYXYXYXY, [2]int{nh, nw}, b.ClampingMode)
		x = convert(x, tv.XYXYXYXY, b.Format, false).ToDType(dtype).Reshape(shape...)
	} else {
		x = x.Mul(floats(slices.Repeat(pair, 2), torch.Float32, x)).ToDType(dtype)
	}
	b.CanvasSize = [2]int{nh, nw}
	return b.With(x)
}

// A PaddingMode is the way in which [Pad] fills.
type PaddingMode string

// The padding modes.
const (
	Constant  PaddingMode = "constant"  // the fill
	Edge      PaddingMode = "edge"      // the pixel at the edge
	Reflect   PaddingMode = "reflect"   // the picture mirrored, without the pixel at the edge
	Symmetric PaddingMode = "symmetric" // the picture mirrored, with it
)

// A Fill is the value of pixels that come from outside of an image: one number, or one for
// each channel. A nil Fill is Python's None.
type Fill []float64

// PadOptions are the options of [Pad].
type PadOptions struct {
	Fill        Fill        // nil is 0
	PaddingMode PaddingMode // "" is Constant
}

func (o PadOptions) mode() PaddingMode {
	if o.PaddingMode == "" {
		return Constant
	}
	return o.PaddingMode
}

// Pad adds pixels around: padding holds one number for all sides, two for left and
// right and for top and bottom, or four for left, top, right and bottom. Negative
// numbers crop: pad(x, padding, fill, padding_mode). Boxes and points take Constant only.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.pad.html
func Pad[T any](x T, padding torch.Ints, options ...PadOptions) T {
	o := torch.Only(options)
	return call(x, padKernels(padding, o), padding, o)
}

func padKernels(padding torch.Ints, o PadOptions) kernels {
	return kernels{
		name:    "Pad",
		image:   func(x *torch.Tensor) *torch.Tensor { return PadImage(x, padding, o) },
		mask:    func(x *torch.Tensor) *torch.Tensor { return PadMask(x, padding, o) },
		boxes:   func(b tv.BoundingBoxes) tv.BoundingBoxes { return PadBoundingBoxes(b, padding, o) },
		points:  func(k tv.KeyPoints) tv.KeyPoints { return PadKeyPoints(k, padding, o) },
		picture: func(p image.Image) image.Image { return picturePad(p, padding, o) },
	}
}

// sides returns the padding of the left, right, top and bottom.
func sides(x any, padding torch.Ints) (l, r, t, b int) {
	p := list("Pad", x, "padding", padding)
	switch len(p) {
	case 1:
		return p[0], p[0], p[0], p[0]
	case 2:
		return p[0], p[0], p[1], p[1]
	case 4:
		return p[0], p[2], p[1], p[3]
	}
	fail("Pad", x, "the padding is %v; want one, two or four numbers", p)
	return 0, 0, 0, 0
}

// PadImage is [Pad] of a tensor [..., C, H, W].
func PadImage(x *torch.Tensor, padding torch.Ints, options ...PadOptions) *torch.Tensor {
	const op = "Pad"
	o := torch.Only(options)
	l, r, t, b := sides(x, padding)
	switch o.mode() {
	case Constant, Edge, Reflect, Symmetric:
	default:
		fail(op, x, "the padding mode is %q; want constant, edge, reflect or symmetric", o.PaddingMode)
	}
	if len(o.Fill) <= 1 {
		fill := 0.0
		if len(o.Fill) == 1 {
			fill = o.Fill[0]
		}
		return pad(x, l, r, t, b, fill, o.mode())
	}
	if o.mode() != Constant {
		fail(op, x, "the padding mode %s takes no fill of several numbers", o.mode())
	}
	if c, _, _ := chw(op, x); max(l, r, t, b) > 0 && c != len(o.Fill) {
		fail(op, x, "the fill has %d numbers for %d channels", len(o.Fill), c)
	}
	out := pad(x, l, r, t, b, 0, Constant)
	fill := floats(o.Fill, torch.Float32, x).ToDType(x.DType()).Reshape(-1, 1, 1)
	for _, side := range []struct {
		n    int
		part []any
	}{
		{t, []any{torch.Slice(0, t), torch.All}},
		{l, []any{torch.All, torch.Slice(0, l)}},
		{b, []any{torch.Slice(-b, torch.End), torch.All}},
		{r, []any{torch.All, torch.Slice(-r, torch.End)}},
	} {
		if side.n > 0 {
			out.SetIndex(fill, torch.Ellipsis, side.part[0], side.part[1])
		}
	}
	return out
}

func pad(x *torch.Tensor, l, r, t, b int, fill float64, mode PaddingMode) *torch.Tensor {
	chw("Pad", x)
	shape := x.Shape()
	batch := 1
	for _, s := range shape[:len(shape)-3] {
		batch *= s
	}
	y := x.Reshape(append([]int{batch}, shape[len(shape)-3:]...)...)
	switch mode {
	case Constant:
		y = F.Pad(y, []int{l, r, t, b}, F.PadOptions{Mode: "constant", Value: &fill})
	case Edge, Reflect:
		name := "reflect"
		if mode == Edge {
			name = "replicate"
		}
		y = F.Pad(compute(y), []int{l, r, t, b}, F.PadOptions{Mode: name}).ToDType(x.DType())
	default:
		y = padSymmetric(y, l, r, t, b)
	}
	return y.Reshape(reshaped(shape, 2, y.Size(-2), y.Size(-1))...)
}

// padSymmetric mirrors with the pixel at the edge; libtorch has no such padding.
func padSymmetric(x *torch.Tensor, l, r, t, b int) *torch.Tensor {
	h, w := x.Size(-2), x.Size(-1)
	top, left := max(0, -t), max(0, -l)
	x = cut(x, top, h-max(0, -b), left, w-max(0, -r))
	h, w = x.Size(-2), x.Size(-1)
	index := func(name string, n, before, after int) *torch.Tensor {
		before, after = max(0, before), max(0, after)
		if max(before, after) > n || n == 0 {
			fail("Pad", x, "symmetric padding of %d and %d is more than the %s of %d pixels", before, after, name, n)
		}
		order := make([]int64, 0, before+n+after)
		for i := before - 1; i >= 0; i-- {
			order = append(order, int64(i))
		}
		for i := range n {
			order = append(order, int64(i))
		}
		for i := range after {
			order = append(order, int64(n-1-i))
		}
		return torch.FromSlice(order).To(x.Device())
	}
	return x.IndexSelect(-2, index("height", h, t, b)).IndexSelect(-1, index("width", w, l, r))
}

// PadVideo is [Pad] of a tensor [..., T, C, H, W].
func PadVideo(x *torch.Tensor, padding torch.Ints, options ...PadOptions) *torch.Tensor {
	return PadImage(x, padding, options...)
}

// PadMask is [Pad] of a tensor [..., H, W].
func PadMask(x *torch.Tensor, padding torch.Ints, options ...PadOptions) *torch.Tensor {
	o := torch.Only(options)
	if len(o.Fill) > 1 {
		fail("Pad", x, "the fill of a mask is one number, not %d", len(o.Fill))
	}
	return asImage(x, func(x *torch.Tensor) *torch.Tensor { return PadImage(x, padding, o) })
}

// PadKeyPoints is [Pad] of key points.
func PadKeyPoints(k tv.KeyPoints, padding torch.Ints, options ...PadOptions) tv.KeyPoints {
	if m := torch.Only(options).mode(); m != Constant {
		fail("Pad", k, "the padding mode %s is not defined for key points", m)
	}
	l, r, t, b := sides(k, padding)
	k.CanvasSize = [2]int{k.CanvasSize[0] + t + b, k.CanvasSize[1] + l + r}
	return k.With(k.Add(ints(k.Tensor, l, t)))
}

// shift returns the changes of the numbers of boxes that move by dx and dy.
func shift(b tv.BoundingBoxes, dx, dy int) *torch.Tensor {
	move := make([]int, b.Format.Numbers())
	for i := range move {
		if i < 2 || b.Format == tv.XYXY || b.Format == tv.XYXYXYXY {
			move[i] = []int{dx, dy}[i%2]
		}
	}
	return ints(b.Tensor, move...)
}

// PadBoundingBoxes is [Pad] of boxes.
func PadBoundingBoxes(b tv.BoundingBoxes, padding torch.Ints, options ...PadOptions) tv.BoundingBoxes {
	if m := torch.Only(options).mode(); m != Constant {
		fail("Pad", b, "the padding mode %s is not defined for boxes", m)
	}
	l, r, t, bottom := sides(b, padding)
	b.CanvasSize = [2]int{b.CanvasSize[0] + t + bottom, b.CanvasSize[1] + l + r}
	return b.With(clamp(b.Add(shift(b, l, t)), b.Format, b.CanvasSize, b.ClampingMode))
}

// Crop keeps the part of a height and a width whose corner is at top and left;
// pixels outside of x are 0: crop(x, top, left, height, width).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.crop.html
func Crop[T any](x T, top, left, height, width int) T {
	return call(x, cropKernels(top, left, height, width), top, left, height, width)
}

func cropKernels(top, left, height, width int) kernels {
	return kernels{
		name:    "Crop",
		image:   func(x *torch.Tensor) *torch.Tensor { return CropImage(x, top, left, height, width) },
		mask:    func(x *torch.Tensor) *torch.Tensor { return CropMask(x, top, left, height, width) },
		boxes:   func(b tv.BoundingBoxes) tv.BoundingBoxes { return CropBoundingBoxes(b, top, left, height, width) },
		points:  func(k tv.KeyPoints) tv.KeyPoints { return CropKeyPoints(k, top, left, height, width) },
		picture: func(p image.Image) image.Image { return pictureCrop(p, top, left, height, width) },
	}
}

// CropImage is [Crop] of a tensor [..., C, H, W].
func CropImage(x *torch.Tensor, top, left, height, width int) *torch.Tensor {
	if height < 0 || width < 0 {
		fail("Crop", x, "the part is %d×%d; want 0 or more", height, width)
	}
	h, w := hw("Crop", x)
	right, bottom := left+width, top+height
	if left < 0 || top < 0 || right > w || bottom > h {
		x = cut(x, max(top, 0), bottom, max(left, 0), right)
		return pad(x, max(min(right, 0)-left, 0), max(right-max(w, left), 0),
			max(min(bottom, 0)-top, 0), max(bottom-max(h, top), 0), 0, Constant)
	}
	return cut(x, top, bottom, left, right)
}

// CropVideo is [Crop] of a tensor [..., T, C, H, W].
func CropVideo(x *torch.Tensor, top, left, height, width int) *torch.Tensor {
	return CropImage(x, top, left, height, width)
}

// CropMask is [Crop] of a tensor [..., H, W].
func CropMask(x *torch.Tensor, top, left, height, width int) *torch.Tensor {
	return asImage(x, func(x *torch.Tensor) *torch.Tensor { return CropImage(x, top, left, height, width) })
}

// CropKeyPoints is [Crop] of key points.
func CropKeyPoints(k tv.KeyPoints, top, left, height, width int) tv.KeyPoints {
	k.CanvasSize = [2]int{height, width}
	return k.With(k.Sub(ints(k.Tensor, left, top)))
}

// CropBoundingBoxes is [Crop] of boxes.
func CropBoundingBoxes(b tv.BoundingBoxes, top, left, height, width int) tv.BoundingBoxes {
	x := b.Sub(shift(b, left, top))
	b.CanvasSize = [2]int{height, width}
	if b.Format == tv.XYXYXYXY {
		x = uprightBoxes(x)
	}
	return b.With(clamp(x, b.Format, b.CanvasSize, b.ClampingMode))
}

// CenterCrop keeps the center, of a height and a width or of one number for both,
// and pads a smaller x with 0: center_crop(x, output_size=size).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.center_crop.html
func CenterCrop[T any](x T, size torch.Ints) T {
	return call(x, centerCropKernels(size), size)
}

func centerCropKernels(size torch.Ints) kernels {
	return kernels{
		name:    "CenterCrop",
		image:   func(x *torch.Tensor) *torch.Tensor { return CenterCropImage(x, size) },
		mask:    func(x *torch.Tensor) *torch.Tensor { return CenterCropMask(x, size) },
		boxes:   func(b tv.BoundingBoxes) tv.BoundingBoxes { return CenterCropBoundingBoxes(b, size) },
		points:  func(k tv.KeyPoints) tv.KeyPoints { return CenterCropKeyPoints(k, size) },
		picture: func(p image.Image) image.Image { return pictureCenterCrop(p, size) },
	}
}

// list returns an int or a list of them as a list, and nil as nil.
func list(op string, x any, name string, v torch.Ints) []int {
	switch v := v.(type) {
	case nil:
		return nil
	case int:
		return []int{v}
	case []int:
		return v
	}
	fail(op, x, "the %s is a %T; want an int or a []int", name, v)
	return nil
}

// square returns a height and a width of one or two numbers.
func square(op string, x any, want torch.Ints) (h, w int) {
	size := list(op, x, "size", want)
	switch {
	case len(size) == 1 && size[0] > 0:
		return size[0], size[0]
	case len(size) == 2 && size[0] > 0 && size[1] > 0:
		return size[0], size[1]
	}
	fail(op, x, "the size is %v; want a height and a width, or one number for both, of 1 or more", size)
	return 0, 0
}

// anchor returns where a crop of h×w at the center of an image of ih×iw starts.
func anchor(h, w, ih, iw int) (top, left int) {
	return roundEven(float64(ih-h) / 2.0), roundEven(float64(iw-w) / 2.0)
}

// centerPadding returns the padding from ih×iw to h×w, on the left, right, top and bottom.
func centerPadding(h, w, ih, iw int) (l, r, t, b int) {
	dh, dw := max(h-ih, 0), max(w-iw, 0)
	return dw / 2, (dw + 1) / 2, dh / 2, (dh + 1) / 2
}

// CenterCropImage is [CenterCrop] of a tensor [..., C, H, W].
func CenterCropImage(x *torch.Tensor, size torch.Ints) *torch.Tensor {
	h, w := square("CenterCrop", x, size)
	ih, iw := hw("CenterCrop", x)
	if x.Numel() == 0 {
		return x.Reshape(reshaped(x.Shape(), 2, h, w)...)
	}
	if h > ih || w > iw {
		l, r, t, b := centerPadding(h, w, ih, iw)
		zero := 0.0
		x = F.Pad(x, []int{l, r, t, b}, F.PadOptions{Mode: "constant", Value: &zero})
		if ih, iw = hw("CenterCrop", x); h == ih && w == iw {
			return x
		}
	}
	top, left := anchor(h, w, ih, iw)
	return cut(x, top, top+h, left, left+w)
}

// CenterCropVideo is [CenterCrop] of a tensor [..., T, C, H, W].
func CenterCropVideo(x *torch.Tensor, size torch.Ints) *torch.Tensor { return CenterCropImage(x, size) }

// CenterCropMask is [CenterCrop] of a tensor [..., H, W].
func CenterCropMask(x *torch.Tensor, size torch.Ints) *torch.Tensor {
	return asImage(x, func(x *torch.Tensor) *torch.Tensor { return CenterCropImage(x, size) })
}

// CenterCropKeyPoints is [CenterCrop] of key points.
func CenterCropKeyPoints(k tv.KeyPoints, size torch.Ints) tv.KeyPoints {
	h, w := square("CenterCrop", k, size)
	top, left := anchor(h, w, k.CanvasSize[0], k.CanvasSize[1])
	return CropKeyPoints(k, top, left, h, w)
}

// CenterCropBoundingBoxes is [CenterCrop] of boxes.
func CenterCropBoundingBoxes(b tv.BoundingBoxes, size torch.Ints) tv.BoundingBoxes {
	h, w := square("CenterCrop", b, size)
	top, left := anchor(h, w, b.CanvasSize[0], b.CanvasSize[1])
	return CropBoundingBoxes(b, top, left, h, w)
}

// ResizedCrop crops as [Crop] and resizes as [Resize]: resized_crop(x, top, left, height, width, size, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.resized_crop.html
func ResizedCrop[T any](x T, top, left, height, width int, size torch.Ints, options ...ResizeOptions) T {
	o := torch.Only(options)
	return call(x, resizedCropKernels(top, left, height, width, size, o), top, left, height, width, size, o)
}

func resizedCropKernels(top, left, height, width int, size torch.Ints, o ResizeOptions) kernels {
	return kernels{
		name:  "ResizedCrop",
		image: func(x *torch.Tensor) *torch.Tensor { return ResizedCropImage(x, top, left, height, width, size, o) },
		mask:  func(x *torch.Tensor) *torch.Tensor { return ResizedCropMask(x, top, left, height, width, size) },
		boxes: func(b tv.BoundingBoxes) tv.BoundingBoxes {
			return ResizedCropBoundingBoxes(b, top, left, height, width, size)
		},
		points: func(k tv.KeyPoints) tv.KeyPoints { return ResizedCropKeyPoints(k, top, left, height, width, size) },
		picture: func(p image.Image) image.Image {
			return pictureResize(pictureCrop(p, top, left, height, width), size, o)
		},
	}
}

// ResizedCropImage is [ResizedCrop] of a tensor [..., C, H, W].
func ResizedCropImage(x *torch.Tensor, top, left, height, width int, size torch.Ints, options ...ResizeOptions) *torch.Tensor {
	return ResizeImage(CropImage(x, top, left, height, width), size, options...)
}

// ResizedCropVideo is [ResizedCrop] of a tensor [..., T, C, H, W].
func ResizedCropVideo(x *torch.Tensor, top, left, height, width int, size torch.Ints, options ...ResizeOptions) *torch.Tensor {
	return ResizedCropImage(x, top, left, height, width, size, options...)
}

// ResizedCropMask is [ResizedCrop] of a tensor [..., H, W].
func ResizedCropMask(x *torch.Tensor, top, left, height, width int, size torch.Ints) *torch.Tensor {
	return ResizeMask(CropMask(x, top, left, height, width), size)
}

// ResizedCropKeyPoints is [ResizedCrop] of key points.
func ResizedCropKeyPoints(k tv.KeyPoints, top, left, height, width int, size torch.Ints) tv.KeyPoints {
	return ResizeKeyPoints(CropKeyPoints(k, top, left, height, width), size)
}

// ResizedCropBoundingBoxes is [ResizedCrop] of boxes.
func ResizedCropBoundingBoxes(b tv.BoundingBoxes, top, left, height, width int, size torch.Ints) tv.BoundingBoxes {
	return ResizeBoundingBoxes(CropBoundingBoxes(b, top, left, height, width), size)
}

// FiveCrop returns the four corners and the center, each of a size as for
// [CenterCrop]: five_crop(x, size). It panics with a [*torch.Error] if x is smaller.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.five_crop.html
func FiveCrop[T any](x T, size torch.Ints) []T {
	return crops("FiveCrop", x, func(x any) []any { return fiveCrop("FiveCrop", x, size) }, size)
}

// TenCrop returns the crops of [FiveCrop] and those of x flipped, left to right or
// top to bottom: ten_crop(x, size, vertical_flip=vertical).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.ten_crop.html
func TenCrop[T any](x T, size torch.Ints, vertical bool) []T {
	return crops("TenCrop", x, func(x any) []any {
		out := fiveCrop("TenCrop", x, size)
		flipped := HorizontalFlip[any]
		if vertical {
			flipped = VerticalFlip[any]
		}
		return append(out, fiveCrop("TenCrop", flipped(x), size)...)
	}, size, vertical)
}

func crops[T any](op string, x T, f func(any) []any, a ...any) []T {
	defer named(op, x)
	takesOrFails(op, x)
	if tv.KindOf(x) == tv.CustomKind {
		return []T{as[T](op, x, customOf(op, x)(x, a))}
	}
	parts := f(x)
	out := make([]T, len(parts))
	for i, p := range parts {
		out[i] = as[T](op, x, p)
	}
	return out
}

func fiveCrop(op string, x any, size torch.Ints) []any {
	h, w := square(op, x, size)
	ih, iw := GetSize(x)
	if w > iw || h > ih {
		fail(op, x, "crops of %d×%d are larger than the value of %d×%d", h, w, ih, iw)
	}
	return []any{
		Crop(x, 0, 0, h, w), Crop(x, 0, iw-w, h, w), Crop(x, ih-h, 0, h, w), Crop(x, ih-h, iw-w, h, w),
		CenterCrop(x, []int{h, w}),
	}
}

// FiveCropImage is [FiveCrop] of a tensor [..., C, H, W].
func FiveCropImage(x *torch.Tensor, size torch.Ints) []*torch.Tensor { return FiveCrop(x, size) }

// FiveCropVideo is [FiveCrop] of a tensor [..., T, C, H, W].
func FiveCropVideo(x *torch.Tensor, size torch.Ints) []*torch.Tensor { return FiveCrop(x, size) }

// TenCropImage is [TenCrop] of a tensor [..., C, H, W].
func TenCropImage(x *torch.Tensor, size torch.Ints, vertical bool) []*torch.Tensor {
	return TenCrop(x, size, vertical)
}

// TenCropVideo is [TenCrop] of a tensor [..., T, C, H, W].
func TenCropVideo(x *torch.Tensor, size torch.Ints, vertical bool) []*torch.Tensor {
	return TenCrop(x, size, vertical)
}

// Erase sets a part of an image, video or picture, of h×w from row i and column
// j on, to v, which is broadcast to it: erase(x, i, j, h, w, v).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.erase.html
func Erase[T any](x T, i, j, h, w int, v *torch.Tensor) T {
	return call(x, eraseKernels(i, j, h, w, v), i, j, h, w, v)
}

func eraseKernels(i, j, h, w int, v *torch.Tensor) kernels {
	return kernels{
		name:  "Erase",
		image: func(x *torch.Tensor) *torch.Tensor { return EraseImage(x, i, j, h, w, v) },
		picture: func(p image.Image) image.Image {
			return throughTensor(p, func(x *torch.Tensor) *torch.Tensor { return EraseImage(x, i, j, h, w, v) })
		},
	}
}

// EraseInPlace is [Erase] in x's own memory, for tensors: erase(x, i, j, h, w, v, inplace=True).
func EraseInPlace[T any](x T, i, j, h, w int, v *torch.Tensor) T {
	return call(x, eraseInPlaceKernels(i, j, h, w, v), i, j, h, w, v)
}

func eraseInPlaceKernels(i, j, h, w int, v *torch.Tensor) kernels {
	return kernels{name: "Erase", image: func(x *torch.Tensor) *torch.Tensor { return eraseIn(x, i, j, h, w, v) }}
}

func eraseIn(x *torch.Tensor, i, j, h, w int, v *torch.Tensor) *torch.Tensor {
	if h < 0 || w < 0 {
		fail("Erase", x, "the part is %s; want 0 or more", fmt.Sprintf("%d×%d", h, w))
	}
	return x.SetIndex(v, torch.Ellipsis, torch.Slice(i, i+h), torch.Slice(j, j+w))
}

// EraseImage is [Erase] of a tensor [..., C, H, W].
func EraseImage(x *torch.Tensor, i, j, h, w int, v *torch.Tensor) *torch.Tensor {
	return eraseIn(x.Clone(), i, j, h, w, v)
}

// EraseVideo is [Erase] of a tensor [..., T, C, H, W].
func EraseVideo(x *torch.Tensor, i, j, h, w int, v *torch.Tensor) *torch.Tensor {
	return EraseImage(x, i, j, h, w, v)
}
