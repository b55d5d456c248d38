package pillow

import (
	"fmt"
	"math"
	"slices"
)

// Histogram counts the values of each channel: img.histogram(), 256 numbers a
// channel. The modes I and F are spread over 256 between their extremes, as Pillow does.
func (p *Image) Histogram() ([]int, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	n := p.Mode.Bands()
	h := make([]int, 256*n)
	switch p.Mode.kind() {
	case ints16:
		return nil, fmt.Errorf("the mode %s has no histogram", p.Mode)
	case ints32:
		v := p.Int32s()
		if len(v) == 0 {
			return h, nil
		}
		low, high := slices.Min(v), slices.Max(v)
		if low >= high {
			return h, nil
		}
		scale := float32(255) / float32(high-low) // which wraps around, as in Pillow
		for _, x := range v {
			if i := toInt32(float64(float32(x-low) * scale)); i >= 0 && i < 256 {
				h[i]++
			}
		}
		return h, nil
	case floats32:
		v := p.Float32s()
		if len(v) == 0 {
			return h, nil
		}
		low, high := v[0], v[0]
		for _, x := range v {
			if low > x {
				low = x
			} else if high < x {
				high = x
			}
		}
		if !(low < high) {
			return h, nil
		}
		scale := 255 / (high - low)
		for _, x := range v {
			if i := toInt32(float64((x - low) * scale)); i >= 0 && i < 256 {
				h[i]++
			}
		}
		return h, nil
	}
	pix := p.Pix[:n*p.W*p.H]
	switch n {
	case 1:
		for _, v := range pix {
			h[v]++
		}
	case 3:
		r, g, b := (*[256]int)(h), (*[256]int)(h[256:]), (*[256]int)(h[512:])
		for ; len(pix) >= 3; pix = pix[3:] {
			r[pix[0]]++
			g[pix[1]]++
			b[pix[2]]++
		}
	default:
		for i, v := range pix {
			h[256*(i%n)+int(v)]++
		}
	}
	return h, nil
}

// Point maps bytes through a table of 256 for each channel: img.point(table).
// Pictures of mode P map their indices.
func (p *Image) Point(table []uint8) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	n := p.Mode.Bands()
	switch {
	case p.Mode.kind() != bytes8:
		return nil, fmt.Errorf("the mode %s cannot be mapped through a table", p.Mode)
	case len(table) != 256*n:
		return nil, fmt.Errorf("the table has %d bytes; want %d for the mode %s", len(table), 256*n, p.Mode)
	}
	q := p.like(p.W, p.H)
	Parallel(p.H, p.W*n, func(lo, hi int) {
		from := p.Pix[n*p.W*lo : n*p.W*hi]
		to := q.Pix[n*p.W*lo:][:len(from)]
		switch n {
		case 1:
			t := (*[256]uint8)(table)
			for i, v := range from {
				to[i] = t[v]
			}
		case 3:
			r, g, b := (*[256]uint8)(table), (*[256]uint8)(table[256:]), (*[256]uint8)(table[512:])
			for i := 0; i+3 <= len(from) && i+3 <= len(to); i += 3 {
				f, o := from[i:i+3], to[i:i+3]
				o[0], o[1], o[2] = r[f[0]], g[f[1]], b[f[2]]
			}
		default:
			for i, v := range from {
				to[i] = table[256*(i%n)+int(v)]
			}
		}
	})
	return q, nil
}

// lut applies one table to gray, to the three colors, or, where palettes says
// so, to a palette's: ImageOps' _lut. The table has 256 bytes, or 256 for each channel.
func (p *Image) lut(table []uint8, palettes bool) (*Image, error) {
	switch {
	case p.Mode == ModeP && palettes:
		q := *p
		q.Palette = &Palette{Mode: ModeRGB}
		if p.Palette != nil {
			n := p.Palette.Mode.Bands()
			q.Palette = &Palette{Mode: p.Palette.Mode, Colors: slices.Clone(p.Palette.Colors)}
			for i, v := range q.Palette.Colors {
				if i%n < 3 {
					q.Palette.Colors[i] = table[v]
				}
			}
		}
		return &q, nil
	case p.Mode == ModeRGB && len(table) == 256:
		table = slices.Concat(table, table, table)
	}
	return p.Point(table)
}

// tableOf returns the table of f.
func tableOf(f func(v int) int) []uint8 {
	t := make([]uint8, 256)
	for i := range t {
		t[i] = uint8(f(i))
	}
	return t
}

// Invert returns the negative of a picture of mode 1, L, P or RGB: ImageOps.invert.
//
// https://pillow.readthedocs.io/en/stable/reference/ImageOps.html#PIL.ImageOps.invert
func Invert(p *Image) (*Image, error) {
	if err := p.only(Mode1, ModeL, ModeP, ModeRGB); err != nil {
		return nil, err
	}
	return p.lut(tableOf(func(v int) int { return 255 - v }), true)
}

// Posterize keeps the upper bits, 1 to 8, of each channel of a picture of mode L, P or
// RGB: ImageOps.posterize(p, bits).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageOps.html#PIL.ImageOps.posterize
func Posterize(p *Image, bits int) (*Image, error) {
	if bits < 1 || bits > 8 {
		return nil, fmt.Errorf("the number of bits is %d; want 1 to 8", bits)
	}
	if err := p.only(ModeL, ModeP, ModeRGB); err != nil {
		return nil, err
	}
	return p.lut(tableOf(func(v int) int { return v &^ (1<<(8-bits) - 1) }), true)
}

// Solarize inverts the values of a picture of mode L, P or RGB that are not below the
// threshold: ImageOps.solarize(p, threshold).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageOps.html#PIL.ImageOps.solarize
func Solarize(p *Image, threshold float64) (*Image, error) {
	if err := p.only(ModeL, ModeP, ModeRGB); err != nil {
		return nil, err
	}
	return p.lut(tableOf(func(v int) int {
		if float64(v) < threshold {
			return v
		}
		return 255 - v
	}), true)
}

// Autocontrast stretches each channel of a picture of mode L or RGB to the whole
// range: ImageOps.autocontrast(p).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageOps.html#PIL.ImageOps.autocontrast
func Autocontrast(p *Image) (*Image, error) {
	if err := p.only(ModeL, ModeRGB); err != nil {
		return nil, err
	}
	h, err := p.Histogram()
	if err != nil {
		return nil, err
	}
	var table []uint8
	for ; len(h) > 0; h = h[256:] {
		low, high := 0, 255
		for low < 255 && h[low] == 0 {
			low++
		}
		for high > 0 && h[high] == 0 {
			high--
		}
		scale, offset := 1.0, 0.0
		if high > low {
			scale = 255 / float64(high-low)
			offset = float64(-float64(low) * scale)
		}
		table = append(table, tableOf(func(v int) int {
			return min(max(int(float64(float64(v)*scale)+offset), 0), 255)
		})...)
	}
	return p.lut(table, false)
}

// Equalize spreads the values of each channel evenly in a picture of mode L, RGB or P,
// which becomes RGB: ImageOps.equalize(p).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageOps.html#PIL.ImageOps.equalize
func Equalize(p *Image) (*Image, error) {
	if err := p.only(ModeL, ModeP, ModeRGB); err != nil {
		return nil, err
	}
	if p.Mode == ModeP {
		q, err := p.Convert(ModeRGB)
		if err != nil {
			return nil, err
		}
		p = q
	}
	h, err := p.Histogram()
	if err != nil {
		return nil, err
	}
	var table []uint8
	for ; len(h) > 0; h = h[256:] {
		used, sum, last := 0, 0, 0
		for _, n := range h[:256] {
			if n > 0 {
				used, sum, last = used+1, sum+n, n
			}
		}
		step := (sum - last) / 255
		if used <= 1 || step == 0 {
			table = append(table, tableOf(func(v int) int { return v })...)
			continue
		}
		n := step / 2
		table = append(table, tableOf(func(v int) int {
			level := n / step
			n += h[v]
			return min(level, 255)
		})...)
	}
	return p.lut(table, false)
}

// Grayscale returns the picture in gray with one channel (mode L) or three equal
// ones (mode RGB): torchvision.transforms.functional.to_grayscale.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.to_grayscale.html
func Grayscale(p *Image, channels int) (*Image, error) {
	if channels != 1 && channels != 3 {
		return nil, fmt.Errorf("the number of channels is %d; want 1 or 3", channels)
	}
	q, err := p.Convert(ModeL)
	if err != nil || channels == 1 {
		return q, err
	}
	plain := *q
	plain.Transparency = nil
	return plain.Convert(ModeRGB)
}

// AdjustHue turns the hues by a part of the circle, -0.5 to 0.5, of 255 steps:
// torchvision.transforms.functional.adjust_hue. Pictures of modes 1, L, I and F
// are returned themselves; others go through HSV and lose their alpha.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_hue.html
func AdjustHue(p *Image, factor float64) (*Image, error) {
	if !(factor >= -0.5 && factor <= 0.5) {
		return nil, fmt.Errorf("the hue factor is %v; want -0.5 to 0.5", factor)
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	switch p.Mode {
	case Mode1, ModeL, ModeI, ModeF:
		return p, nil
	}
	step := uint8(int(factor * 255))
	if p.Mode == ModeRGB { // at once, without pictures between
		q := &Image{Mode: ModeRGB, W: p.W, H: p.H, Pix: make([]uint8, 3*p.W*p.H)}
		Parallel(p.H, 30*p.W, func(lo, hi int) {
			to := q.Pix[3*p.W*lo : 3*p.W*hi]
			for from := p.Pix[3*p.W*lo:]; len(to) >= 3; to, from = to[3:], from[3:] {
				var hsv [3]uint8
				toHSV(hsv[:], from[:3:3])
				hsv[0] += step
				fromHSV(to[:3:3], hsv[:])
			}
		})
		return q, nil
	}
	hsv, err := p.Convert(ModeHSV)
	if err != nil {
		return nil, err
	}
	turned := &Image{Mode: ModeHSV, W: p.W, H: p.H, Pix: slices.Clone(hsv.Pix[:3*p.W*p.H])}
	for i := 0; i < len(turned.Pix); i += 3 {
		turned.Pix[i] += step
	}
	return turned.Convert(p.Mode)
}

// AdjustGamma maps the values v of each channel to 255.999*gain*(v/255)^gamma:
// torchvision.transforms.functional.adjust_gamma. All modes are converted to RGB,
// and so lose alpha and values outside 0 to 255.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_gamma.html
func AdjustGamma(p *Image, gamma, gain float64) (*Image, error) {
	if gamma < 0 {
		return nil, fmt.Errorf("gamma is %v; want 0 or more", gamma)
	}
	rgb, err := p.Convert(ModeRGB)
	if err != nil {
		return nil, err
	}
	table := make([]uint8, 256)
	for i := range table {
		v := float64((256 - 1e-3) * gain * math.Pow(float64(i)/255, gamma))
		// Pillow takes the table as 32-bit integers.
		if !(math.Abs(v) < math.MaxInt32) {
			return nil, fmt.Errorf("gamma %v and gain %v map %d to %v, which is out of range", gamma, gain, i, v)
		}
		table[i] = uint8(min(max(int(v), 0), 255))
	}
	q, err := rgb.lut(table, false)
	if err != nil {
		return nil, err
	}
	return q.Convert(p.Mode)
}

// Split returns the channels as pictures of one each: img.split().
func (p *Image) Split() ([]*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	n := p.Mode.Bands()
	if n == 1 {
		return []*Image{p}, nil
	}
	out := make([]*Image, n)
	for c := range out {
		q := p.withMode(ModeL)
		for i := range q.Pix {
			q.Pix[i] = p.Pix[n*i+c]
		}
		out[c] = q
	}
	return out, nil
}

// Merge returns a picture made of channels of mode L, or of the mode itself where
// it has one; PA takes a P first, whose palette it keeps: Image.merge(mode, bands).
func Merge(mode Mode, bands ...*Image) (*Image, error) {
	n := mode.Bands()
	if n == 0 {
		return nil, fmt.Errorf("no mode is called %q", mode)
	}
	if n != len(bands) {
		return nil, fmt.Errorf("there are %d channels; want %d for the mode %s", len(bands), n, mode)
	}
	want := ModeL
	if n == 1 && mode.kind() != bytes8 {
		want = mode
	}
	for i, b := range bands {
		if err := b.Check(); err != nil {
			return nil, err
		}
		if b.Mode != want && !(b.Mode == ModeP && i == 0 && (mode == ModeP || mode == ModePA)) && !(n == 1 && b.Mode == mode) {
			return nil, fmt.Errorf("channel %d has the mode %s; want %s", i, b.Mode, want)
		}
		if b.W != bands[0].W || b.H != bands[0].H {
			return nil, fmt.Errorf("channel %d has %d×%d pixels, and channel 0 has %d×%d", i, b.W, b.H, bands[0].W, bands[0].H)
		}
	}
	q := bands[0].withMode(mode)
	if n == 1 {
		copy(q.Pix, bands[0].Pix)
		return q, nil
	}
	for c, b := range bands {
		for i, v := range b.Pix[:b.W*b.H] {
			q.Pix[n*i+c] = v
		}
	}
	return q, nil
}

// Blend returns a + alpha*(b-a), cut off at 0 and 255: Image.blend(a, b, alpha).
// The pictures have one size and as many channels of bytes; the modes 1, P and PA are refused.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.blend
func Blend(a, b *Image, alpha float64) (*Image, error) {
	for _, p := range []*Image{a, b} {
		if err := p.only(ModeL, ModeLA, ModeLa, ModeRGB, ModeRGBA, ModeRGBa, ModeRGBX, ModeCMYK, ModeYCbCr, ModeHSV); err != nil {
			return nil, err
		}
	}
	if a.W != b.W || a.H != b.H || a.Mode.Bands() != b.Mode.Bands() {
		return nil, fmt.Errorf("the pictures do not match: %v and %v", a, b)
	}
	f := float32(alpha)
	switch f {
	case 0:
		return a, nil
	case 1:
		q := *b
		q.Transparency, q.Alphas = a.Transparency, a.Alphas
		return &q, nil
	}
	q := a.withMode(a.Mode)
	n := a.W * a.Mode.Bands()
	mix := newMixer(f)
	Parallel(a.H, n, func(lo, hi int) {
		mix.blend(q.Pix[n*lo:n*hi], a.Pix[n*lo:n*hi], b.Pix[n*lo:n*hi])
	})
	return q, nil
}

// A mixer blends bytes by one factor.
type mixer struct {
	factor float32
	steps  *[512]step // of each difference b-a from -255 on; nil where it takes more than that
}

// A step is what is added to a: whole, and one more where float32's rounding
// brings the sum up to the next integer, which it does for large a.
type step struct{ whole, from int16 }

func newMixer(factor float32) mixer {
	m := mixer{factor: factor, steps: new([512]step)}
	for i := range 511 {
		d := float64(float32(factor * float32(i-255)))
		whole := math.Floor(d)
		s := &m.steps[i]
		*s = step{int16(min(max(whole, -256), 256)), 256}
		if part := d - whole; part > 1-1./(1<<14) || !(math.Abs(d) < 1<<14) {
			low, high := max(0, 255-i), min(255, 510-i)
			for a := low; a <= high; a++ {
				if s.from == 256 && m.one(uint8(a), uint8(a+i-255)) > s.plus(a) {
					s.from = int16(a)
				}
				if m.one(uint8(a), uint8(a+i-255)) != s.plus(a) {
					return mixer{factor: factor}
				}
			}
		}
	}
	return m
}

// plus returns a with the step added, cut off.
func (s *step) plus(a int) uint8 {
	return clip8(a + int(s.whole) + (int(s.from)-1-a)>>63&1)
}

func clip8(v int) uint8 { return uint8(min(max(v, 0), 255)) }

// one blends two bytes as Pillow does, in float32 and without a fused multiply-add.
func (m *mixer) one(a, b uint8) uint8 {
	v := float32(a) + float32(m.factor*float32(int32(b)-int32(a)))
	switch {
	case v >= 255:
		return 255
	case v > 0:
		return uint8(int32(v))
	}
	return 0
}

func (m *mixer) blend(to, a, b []uint8) {
	a, b = a[:len(to)], b[:len(to)]
	if m.steps == nil {
		for i := range to {
			to[i] = m.one(a[i], b[i])
		}
		return
	}
	for i := range to {
		v := int(a[i])
		to[i] = m.steps[(int(b[i])-v+255)&511].plus(v)
	}
}

// Composite returns a where the mask, of mode L or 1, is 255, b where it is 0,
// and the two mixed elsewhere, byte by byte in every mode: Image.composite(a, b, mask).
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.composite
func Composite(a, b, mask *Image) (*Image, error) {
	for _, p := range []*Image{a, b} {
		if err := p.Check(); err != nil {
			return nil, err
		}
	}
	if err := mask.only(Mode1, ModeL); err != nil {
		return nil, err
	}
	if a.W != b.W || a.H != b.H || a.W != mask.W || a.H != mask.H {
		return nil, fmt.Errorf("the sizes differ: %v, %v and a mask of %d×%d", a, b, mask.W, mask.H)
	}
	if a.Mode != b.Mode {
		c, err := a.Convert(b.Mode)
		if err != nil {
			return nil, err
		}
		a = c
	}
	q := b.Copy()
	n := b.Mode.BytesPerPixel()
	if b.Mode == ModeI16 && mask.Mode == ModeL {
		// Pillow takes the rows for bytes here, as many as there are pixels.
		for y := range q.H {
			blendBytes(q.row(y)[:q.W], a.row(y), mask.row(y), 1)
		}
		return q, nil
	}
	for i, m := range mask.Pix[:mask.W*mask.H] {
		if mask.Mode == Mode1 && m != 0 {
			m = 255
		}
		blendBytes(q.Pix[n*i:n*i+n], a.Pix[n*i:], []uint8{m}, n)
	}
	return q, nil
}

// blendBytes mixes from into to by a mask's byte for every n.
func blendBytes(to, from, mask []uint8, n int) {
	for i, v := range to {
		m := uint32(mask[i/n])
		t := uint32(v)*(255-m) + uint32(from[i])*m + 128
		to[i] = uint8((t>>8 + t) >> 8)
	}
}
