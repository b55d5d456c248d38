package pillow

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// maxCrop is where Pillow takes a crop for a decompression bomb.
const maxCrop = 2 * 89478485

// Crop returns the part r of the picture: img.crop(r). What lies outside the
// picture is zeros. It refuses rectangles that end before they begin, and those of
// more than Pillow's limit of 178,956,970 pixels.
func (p *Image) Crop(r image.Rectangle) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	for _, v := range []int{r.Min.X, r.Min.Y, r.Max.X, r.Max.Y} {
		if v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fmt.Errorf("the crop's edge at %d is out of range", v)
		}
	}
	switch {
	case r == p.Bounds():
		return p, nil
	case r.Max.X < r.Min.X || r.Max.Y < r.Min.Y:
		return nil, fmt.Errorf("the crop ends before it begins: from (%d, %d) to (%d, %d)", r.Min.X, r.Min.Y, r.Max.X, r.Max.Y)
	case max(r.Dx(), 1) > maxCrop/max(r.Dy(), 1):
		return nil, fmt.Errorf("the crop has %d×%d pixels; want %d at most", r.Dx(), r.Dy(), maxCrop)
	}
	q := p.like(r.Dx(), r.Dy())
	q.paste(p, -r.Min.X, -r.Min.Y)
	return q, nil
}

// paste copies src, of the same mode, into p, moved by x and y; what falls outside is lost.
func (p *Image) paste(src *Image, x, y int) {
	n := p.Mode.BytesPerPixel()
	r := image.Rect(x, y, x+src.W, y+src.H).Intersect(p.Bounds())
	for v := r.Min.Y; v < r.Max.Y; v++ {
		copy(p.row(v)[n*r.Min.X:n*r.Max.X], src.row(v - y)[n*(r.Min.X-x):])
	}
}

// A PadMode says what [Image.Pad] puts around a picture, by torchvision's name.
type PadMode string

// torchvision's padding modes.
const (
	PadConstant  PadMode = "constant"  // the fill
	PadEdge      PadMode = "edge"      // the outermost pixels
	PadReflect   PadMode = "reflect"   // a mirror on the outermost pixels, which are not repeated
	PadSymmetric PadMode = "symmetric" // a mirror behind the outermost pixels
)

// Pad surrounds a picture, as torchvision.transforms.functional.pad does for
// pictures of Pillow; negative numbers cut off instead.
//
// The fill, for PadConstant, is nil for zeros, one number for every channel, or
// one for each; numbers are cut off to integers, except in the mode F. In the
// mode P it is an index. A palette loses its alphas here. The other modes of
// padding go through numpy in torchvision, and so there come out LA for La and
// PA, RGB for YCbCr and HSV, and RGBA for RGBX, RGBa and CMYK, all with the same bytes.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.pad.html
func (p *Image) Pad(left, top, right, bottom int, fill []float64, mode PadMode) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	// Sums of sides must not wrap around.
	for _, d := range []int{left, top, right, bottom} {
		if d > maxPixels || d < -maxPixels {
			return nil, fmt.Errorf("the padding of %d pixels is out of range", d)
		}
	}
	w, h := p.W+left+right, p.H+top+bottom
	if mode == PadConstant {
		return p.padConstant(left, top, w, h, fill)
	}
	source, ok := padSources[mode]
	if !ok {
		return nil, fmt.Errorf("no padding mode is called %q; want constant, edge, reflect or symmetric", mode)
	}
	// Sides are cut off first, and then padded.
	cut, err := p.cutOff(left, top, right, bottom)
	if err != nil {
		return nil, err
	}
	if err := checkSize(w, h); err != nil {
		return nil, err
	}
	xs, ys := make([]int, w), make([]int, h)
	for x := range xs {
		xs[x] = cut.Min.X + source(x-max(left, 0), cut.Dx())
	}
	for y := range ys {
		ys[y] = cut.Min.Y + source(y-max(top, 0), cut.Dy())
	}
	return p.gather(xs, ys), nil
}

// padConstant returns a picture of w by h pixels of the fill, with p on it at (x, y).
func (p *Image) padConstant(x, y, w, h int, fill []float64) (*Image, error) {
	ink, err := p.Mode.ink(fill)
	if err != nil {
		return nil, err
	}
	if err := checkSize(w, h); err != nil {
		return nil, err
	}
	q := p.like(w, h)
	if p.Mode == ModeP {
		q.Palette = p.Palette.rgb()
	}
	q.flood(ink)
	q.paste(p, x, y)
	return q, nil
}

// padSources tell, for each mode, which of the n pixels of an axis is repeated
// at i, which is negative before the first one.
var padSources = map[PadMode]func(i, n int) int{
	PadEdge: func(i, n int) int { return min(max(i, 0), n-1) },
	PadReflect: func(i, n int) int {
		if n == 1 {
			return 0
		}
		return fold(i, n, 2*(n-1), 0)
	},
	PadSymmetric: func(i, n int) int { return fold(i, n, 2*n, 1) },
}

// cutOff returns the part of the picture that negative paddings leave. It is an
// error if there is nothing left to pad with.
func (p *Image) cutOff(left, top, right, bottom int) (image.Rectangle, error) {
	cut := image.Rectangle{
		Min: image.Pt(max(0, -left), max(0, -top)),
		Max: image.Pt(p.W-max(0, -right), p.H-max(0, -bottom)),
	}
	if cut.Dx() < 0 || cut.Dy() < 0 {
		return cut, fmt.Errorf("the padding cuts off more than there is: %d×%d pixels, padding %d, %d, %d, %d", p.W, p.H, left, top, right, bottom)
	}
	if max(left, 0)+max(right, 0) > 0 && cut.Dx() == 0 || max(top, 0)+max(bottom, 0) > 0 && cut.Dy() == 0 {
		return cut, errors.New("there are no pixels to pad with")
	}
	return cut, nil
}

// gather returns the picture of p's pixels (xs[x], ys[y]), in the mode and with
// the palette that numpy gives it.
func (p *Image) gather(xs, ys []int) *Image {
	w, n := len(xs), p.Mode.BytesPerPixel()
	q := &Image{Mode: p.throughNumpy(), W: w, H: len(ys), Pix: make([]uint8, w*len(ys)*n)}
	if p.Mode == ModeP {
		q.Mode = ModeP
		q.Palette = p.Palette.rgb()
	}
	for y := range ys {
		from, to := p.row(ys[y]), q.row(y)
		for x := 0; x < w; {
			// Runs of neighbors, such as the picture itself, are copied at once.
			run := 1
			for x+run < w && xs[x+run] == xs[x]+run {
				run++
			}
			copy(to[n*x:n*(x+run)], from[n*xs[x]:])
			x += run
		}
		if p.Mode == Mode1 {
			for i, v := range to {
				if v != 0 {
					to[i] = 255
				}
			}
		}
	}
	return q
}

// fold maps i to the mirrored axis of n pixels with that period.
func fold(i, n, period, repeat int) int {
	i %= period
	if i < 0 {
		i += period
	}
	if i >= n {
		i = period - repeat - i
	}
	return i
}

// throughNumpy returns the mode of Image.fromarray(numpy.asarray(p)).
func (p *Image) throughNumpy() Mode {
	switch p.Mode {
	case ModeLa, ModePA:
		return ModeLA
	case ModeYCbCr, ModeHSV:
		return ModeRGB
	case ModeRGBX, ModeRGBa, ModeCMYK:
		return ModeRGBA
	case ModeP:
		return ModeL
	}
	return p.Mode
}
