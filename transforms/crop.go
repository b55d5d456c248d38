package transforms

import (
	"fmt"
	"image"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
)

// area panics unless a crop of h×w pixels can be.
func area(op string, size torch.Ints) (h, w int) {
	h, w = args.Sides("transforms."+op, size)
	if min(h, w) < 1 || h > math.MaxInt32/w {
		refuse(op, "the size is %d×%d (height × width); want 1 pixel or more each, and not more than %d together", h, w, math.MaxInt32)
	}
	return h, w
}

type centerCrop struct{ h, w int }

// CenterCrop cuts the central part out of a picture or a tensor [..., H, W]:
// torchvision.transforms.CenterCrop(size). The size is an int for a square or a
// []int of height and width. A smaller picture is padded with zeros (black). If
// an odd number of pixels is removed, the half pixel is rounded to even, as in
// Python.
//
// It panics with a *torch.Error if a side is less than 1.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.CenterCrop.html
func CenterCrop(size torch.Ints) Transform {
	h, w := area("CenterCrop", size)
	return &centerCrop{h, w}
}

// CenterCropTo is [CenterCrop] of a height and a width in pixels:
// torchvision.transforms.CenterCrop((h, w)).
func CenterCropTo(h, w int) Transform { return CenterCrop([]int{h, w}) }

// String returns the transform as Python writes it.
func (t *centerCrop) String() string { return fmt.Sprintf("CenterCrop(size=(%d, %d))", t.h, t.w) }

// Transform crops the picture or tensor.
func (t *centerCrop) Transform(v Value) Value {
	return named(t, v, func() Value { return functional.CenterCrop(v, []int{t.h, t.w}) })
}

// cropStart returns where a crop of a dimension begins. It is negative where the crop is longer.
func cropStart(in, crop int) int {
	d := in - crop
	if d < 0 {
		return -(-d / 2) // the padding rounds down
	}
	return int(math.RoundToEven(float64(d) / 2))
}

// A resizeCrop is a resize followed by a centerCrop, which computes only the pixels that the
// crop keeps.
type resizeCrop struct {
	resize *resize
	crop   *centerCrop
}

// Transform resizes and crops the picture or tensor.
func (t *resizeCrop) Transform(v Value) Value {
	if p := rgb(t.resize, v); p != nil {
		return v.WithImage(t.draw(v, p.W, p.H).picture(p))
	}
	return t.crop.Transform(t.resize.Transform(v))
}

func (t *resizeCrop) draw(v Value, w, h int) view {
	d := t.resize.draw(v, w, h)
	x, y := cropStart(d.w, t.crop.w), cropStart(d.h, t.crop.h)
	d.crop = image.Rect(x, y, x+t.crop.w, y+t.crop.h)
	return d
}

func (t *resizeCrop) see(v Value, d view) Value {
	return seen(t.resize, v, d, func() Value { return t.Transform(v) })
}

// FiveCrop cuts out the four corners and the center of a picture or a tensor [..., H, W]:
// torchvision.transforms.FiveCrop(size). The size is an int for a square or a []int of height and width. The
// result has five parts: top left, top right, bottom left, bottom right, center; see [Lambda] for how to use
// them.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.FiveCrop.html
func FiveCrop(size torch.Ints) Transform {
	h, w := area("FiveCrop", size)
	return &step{fmt.Sprintf("FiveCrop(size=(%d, %d))", h, w), func(v Value) Value {
		return functional.FiveCrop(v, []int{h, w})
	}}
}

// TenCropOptions are the options of [TenCrop]. The zero value is torchvision's default.
type TenCropOptions struct {
	VerticalFlip bool // mirror upside down, not left to right
}

// TenCrop is [FiveCrop], of the picture and then of its mirror image:
// torchvision.transforms.TenCrop(size, vertical_flip). The result has ten parts.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.TenCrop.html
func TenCrop(size torch.Ints, options ...TenCropOptions) Transform {
	h, w := area("TenCrop", size)
	vertical := torch.Only(options).VerticalFlip
	text := fmt.Sprintf("TenCrop(size=(%d, %d), vertical_flip=%s)", h, w, boolean(vertical))
	return &step{text, func(v Value) Value { return functional.TenCrop(v, []int{h, w}, vertical) }}
}

// PadOptions are the options of [Pad]. The zero value is torchvision's default.
type PadOptions = functional.PadOptions

// Pad surrounds a picture or a tensor with pixels: torchvision.transforms.Pad(padding,
// fill, padding_mode). The padding is an int for all borders or a []int, of left
// and right, top and bottom, or of left, top, right, bottom. See [functional.Pad].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Pad.html
func Pad(padding torch.Ints, options ...PadOptions) Transform {
	const op = "Pad"
	o := torch.Only(options)
	args.Borders("transforms."+op, padding)
	checkPad(op, o)
	padding = copied(padding)
	text := fmt.Sprintf("Pad(padding=%s, fill=%s, padding_mode=%s)", integers(padding), filling(o.Fill), mode(o.PaddingMode))
	return &step{text, func(v Value) Value { return functional.Pad(v, padding, o) }}
}

func checkPad(op string, o PadOptions) {
	args.Floats("transforms."+op, "the fill", o.Fill)
	args.PaddingMode("transforms."+op, o.PaddingMode)
}

// copied returns sizes that the caller cannot change.
func copied(n torch.Ints) torch.Ints {
	if list, ok := n.([]int); ok {
		return append([]int{}, list...)
	}
	return n
}

func mode(padding string) string {
	if padding == "" {
		return "constant"
	}
	return padding
}

// RandomCropOptions are the options of [RandomCrop]. The zero value is torchvision's default.
type RandomCropOptions struct {
	Padding     torch.Ints // padding to add first, as for [Pad]; nil is none
	PadIfNeeded bool       // pad a smaller picture, on both sides by the whole difference
	PadOptions
}

// RandomCrop cuts a part of the given size out of a picture or a tensor [..., H, W]
// at a random place: torchvision.transforms.RandomCrop(size, padding, pad_if_needed,
// fill, padding_mode). The size is an int for a square or a []int of height and
// width. A picture smaller than the size is a mistake, unless it is padded.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomCrop.html
func RandomCrop(size torch.Ints, options ...RandomCropOptions) Transform {
	const op = "RandomCrop"
	th, tw := area(op, size)
	o := torch.Only(options)
	checkPad(op, o.PadOptions)
	if o.Padding != nil {
		args.Borders("transforms."+op, o.Padding)
	}
	o.Padding = copied(o.Padding)
	return &step{fmt.Sprintf("RandomCrop(size=(%d, %d), padding=%s)", th, tw, integers(o.Padding)), func(v Value) Value {
		if o.Padding != nil {
			v = functional.Pad(v, o.Padding, o.PadOptions)
		}
		_, h, w := functional.GetDimensions(v)
		if o.PadIfNeeded && w < tw {
			v = functional.Pad(v, []int{tw - w, 0}, o.PadOptions)
		}
		if o.PadIfNeeded && h < th {
			v = functional.Pad(v, []int{0, th - h}, o.PadOptions)
		}
		_, h, w = functional.GetDimensions(v)
		if h < th || w < tw {
			mistake(v, "a crop of %d×%d pixels (height × width) is larger than the picture of %d×%d", th, tw, h, w)
		}
		i, j := 0, 0
		if h != th || w != tw {
			i = randint(v, 0, h-th+1)
			j = randint(v, 0, w-tw+1)
		}
		return functional.Crop(v, i, j, th, tw)
	}}
}

// RandomResizedCropOptions are the options of [RandomResizedCrop]. The zero value is torchvision's default.
type RandomResizedCropOptions struct {
	Scale         []float64     // the least and the greatest part of the picture's area that is kept; nil is 0.08 to 1
	Ratio         []float64     // the least and the greatest aspect, width to height, of that part; nil is 3/4 to 4/3
	Interpolation Interpolation // "" is Bilinear
	NoAntialias   bool          // tensors are resized without antialias: antialias=False; pictures always have it
}

// RandomResizedCrop cuts a part of random size, aspect and place out of a picture or a
// tensor [..., C, H, W], and resizes it: torchvision.transforms.RandomResizedCrop(size,
// scale, ratio, interpolation, antialias). The size is an int for a square or a []int of
// height and width.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomResizedCrop.html
func RandomResizedCrop(size torch.Ints, options ...RandomResizedCropOptions) Transform {
	const op = "RandomResizedCrop"
	th, tw := area(op, size)
	o := torch.Only(options)
	scale, ratio := patch(op, o.Scale, []float64{0.08, 1}, o.Ratio, []float64{3. / 4, 4. / 3})
	how := functional.ResizeOptions{Interpolation: o.Interpolation, NoAntialias: o.NoAntialias}
	interpolation(op, &how.Interpolation, Bilinear)
	return &randomResizedCrop{th, tw, scale, ratio, how}
}

type randomResizedCrop struct {
	h, w         int
	scale, ratio []float64
	functional.ResizeOptions
}

// String returns the transform as Python writes it.
func (t *randomResizedCrop) String() string {
	return fmt.Sprintf("RandomResizedCrop(size=(%d, %d), scale=%s, ratio=%s, interpolation=%s, antialias=%s)",
		t.h, t.w, rounded(t.scale), rounded(t.ratio), t.Interpolation, boolean(!t.NoAntialias))
}

// Transform cuts the part out of the picture or tensor, and resizes it.
func (t *randomResizedCrop) Transform(v Value) Value {
	return named(t, v, func() Value {
		_, h, w := functional.GetDimensions(v)
		return t.cut(v, t.box(v, w, h))
	})
}

// cut returns a part of the picture or tensor, resized.
func (t *randomResizedCrop) cut(v Value, box image.Rectangle) Value {
	return functional.ResizedCrop(v, box.Min.Y, box.Min.X, box.Dy(), box.Dx(), []int{t.h, t.w}, t.ResizeOptions)
}

func (t *randomResizedCrop) draw(v Value, w, h int) view {
	return view{box: t.box(v, w, h), w: t.w, h: t.h, how: filter(t.Interpolation), crop: image.Rect(0, 0, t.w, t.h)}
}

func (t *randomResizedCrop) see(v Value, d view) Value {
	return seen(t, v, d, func() Value {
		return named(t, v, func() Value { return t.cut(v, d.box) })
	})
}

// box draws the part of w×h pixels that is kept: RandomResizedCrop.get_params.
func (t *randomResizedCrop) box(v Value, w, h int) image.Rectangle {
	ph, pw, ok := patchSize(v, h, w, t.scale, t.ratio, func(area, aspect float64) (h, w int) {
		return sqrt(area / aspect), sqrt(area * aspect)
	}, func(ph, pw int) bool { return 0 < pw && pw <= w && 0 < ph && ph <= h })
	if ok {
		i := randint(v, 0, h-ph+1)
		j := randint(v, 0, w-pw+1)
		return image.Rect(j, i, j+pw, i+ph)
	}
	if h == 0 {
		mistake(v, "the picture has no height, so its aspect is unknown")
	}
	ph, pw = h, w
	least, greatest := min(t.ratio[0], t.ratio[1]), max(t.ratio[0], t.ratio[1])
	switch aspect := float64(w) / float64(h); {
	case aspect < least:
		ph = int(math.RoundToEven(float64(w) / least))
	case aspect > greatest:
		pw = int(math.RoundToEven(float64(h) * greatest))
	}
	i, j := (h-ph)/2, (w-pw)/2
	return image.Rect(j, i, j+pw, i+ph)
}

// patch returns the ranges of scale and ratio, checked.
func patch(op string, scale, standardScale, ratio, standardRatio []float64) (_, _ []float64) {
	scale, ratio = interval(op, "Scale", scale, standardScale), interval(op, "Ratio", ratio, standardRatio)
	if scale[0] < 0 || scale[0] > scale[1] {
		refuse(op, "Scale is %v; want the least, 0 or more, and the greatest", scale)
	}
	if ratio[0] <= 0 || ratio[0] > ratio[1] {
		refuse(op, "Ratio is %v; want the least, above 0, and the greatest", ratio)
	}
	return scale, ratio
}

// patchSize draws up to ten sizes of a part of a picture of h×w pixels, until one fits.
func patchSize(v Value, h, w int, scale, ratio []float64, size func(area, aspect float64) (h, w int), fits func(h, w int) bool) (ph, pw int, ok bool) {
	area := float64(h * w)
	var logs []float64
	torch.Scope(func() {
		x := torch.FromSlice([]float32{float32(ratio[0]), float32(ratio[1])}).Log()
		logs = torch.Data[float64](x.ToDType(torch.Float64))
	})
	for range 10 {
		part := area * between(v, scale)
		var aspect float64
		torch.Scope(func() { aspect = onCPU.Empty(1).UniformInPlace(logs[0], logs[1], generator(v)).Exp().Item() })
		if ph, pw = size(part, aspect); fits(ph, pw) {
			return ph, pw, true
		}
	}
	return 0, 0, false
}

// sqrt is Python's int(round(math.sqrt(x))).
func sqrt(x float64) int { return int(math.RoundToEven(math.Sqrt(x))) }
