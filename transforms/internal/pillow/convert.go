package pillow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Convert returns the picture in another mode: img.convert(mode). Colors become
// black or white (mode 1) and indices (mode P, of the "web" palette) with
// Floyd-Steinberg dithering, as by default in Pillow. A see-through color becomes
// alpha where the mode has it. A picture of the mode already is returned itself.
//
// From RGBA to P, the palette is made for the picture, without dithering.
//
// It refuses what Pillow refuses, such as L to RGBa; and besides, RGBA to PA.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.convert
func (p *Image) Convert(mode Mode) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if mode.Bands() == 0 {
		return nil, fmt.Errorf("no mode is called %q", mode)
	}
	if p.Mode == mode {
		return p, nil
	}
	if p.Mode == ModeRGBA && mode == ModePA {
		return nil, errors.New("the conversion from RGBA to PA is not supported; convert to P or RGB")
	}
	if p.Mode == ModeRGBA && mode == ModeP {
		return p.quantize()
	}
	if p.Transparency != nil || p.Alphas != nil {
		return p.convertSeeThrough(mode)
	}
	return p.convert(mode)
}

// convertSeeThrough converts a picture with a see-through color.
func (p *Image) convertSeeThrough(mode Mode) (*Image, error) {
	plain := *p
	plain.Transparency, plain.Alphas = nil, nil
	is := func(m Mode, modes ...Mode) bool { return slices.Contains(modes, m) }
	from, to := p.Mode, mode
	switch {
	case is(from, Mode1, ModeL, ModeI, ModeI16) && is(to, ModeLA, ModeRGBA),
		is(from, ModeRGB) && is(to, ModeLa, ModeLA, ModeRGBa, ModeRGBA):
		return plain.convertColor(mode, p.Transparency)
	case is(from, ModeL, ModeRGB, ModeP) && is(to, ModeL, ModeRGB, ModeP):
		q, err := plain.convert(mode)
		if err != nil || p.Alphas != nil {
			return q, err
		}
		if err := q.setTransparency(&plain, p.Transparency); err != nil {
			return nil, err
		}
		return q, nil
	case from == ModeP && is(to, ModeLA, ModePA, ModeRGBA):
		return p.convertAlphas(mode)
	}
	q, err := plain.convert(mode)
	if err != nil {
		return nil, err
	}
	q.Transparency, q.Alphas = p.Transparency, p.Alphas
	return q, nil
}

// setTransparency makes the color t of the picture from, which was converted to
// q, see-through in q. The color is converted as the pixels are, but not
// dithered: it gets a place in the palette.
func (q *Image) setTransparency(from *Image, t []int) error {
	if from.Mode == ModeP && from.Palette == nil {
		return errors.New("the picture has a transparent color, and no palette")
	}
	one := *from
	one.W, one.H, one.Pix = 1, 1, nil
	for _, v := range t {
		one.Pix = append(one.Pix, clip8(v))
	}
	if len(one.Pix) > from.Mode.Bands() {
		return fmt.Errorf("the transparency has %d numbers; want 1", len(one.Pix))
	}
	if len(one.Pix) < from.Mode.Bands() { // a color in one number, as a gray picture leaves behind
		one.Pix = []uint8{uint8(t[0]), uint8(t[0] >> 8), uint8(t[0] >> 16)}
	}
	if q.Mode == ModeP {
		c, err := one.Convert(ModeRGB)
		if err != nil {
			return err
		}
		var index int
		q.Palette, index = q.Palette.with(c.Pix)
		q.Transparency = []int{index}
		return nil
	}
	c, err := one.Convert(q.Mode)
	if err != nil {
		return err
	}
	for _, v := range c.Pix {
		q.Transparency = append(q.Transparency, int(v))
	}
	return nil
}

// convertAlphas converts a picture with a palette to a mode with alpha: the
// palette's colors get the Alphas or, where there are none, the color
// Transparency gets 0.
func (p *Image) convertAlphas(mode Mode) (*Image, error) {
	table := p.Palette.table()
	for i, a := range p.Alphas {
		table[i][3] = a
	}
	if p.Alphas == nil {
		i := p.Transparency[0]
		if i < 0 || i > 255 || len(p.Transparency) > 1 {
			return nil, fmt.Errorf("the transparency is %d; want an index of the palette", p.Transparency)
		}
		table[i][3] = 0
	}
	plain := *p
	plain.Transparency, plain.Alphas = nil, nil
	plain.Palette = &Palette{Mode: ModeRGBA}
	for _, c := range table {
		plain.Palette.Colors = append(plain.Palette.Colors, c[:]...)
	}
	q, err := plain.convert(mode)
	if err == nil && q.Palette != nil {
		q.Palette = p.Palette.rgb()
	}
	return q, err
}

// convertColor converts to a mode with alpha, which is 0 where the pixel has
// the color t and 255 elsewhere.
func (p *Image) convertColor(mode Mode, t []int) (*Image, error) {
	if len(t) != 1 && len(t) != 3 {
		return nil, fmt.Errorf("the transparency has %d numbers; want 1 or 3", len(t))
	}
	var c [3]uint8
	for i := range c {
		switch {
		case p.Mode != ModeRGB:
			c[i] = uint8(t[0])
		case i < len(t):
			c[i] = uint8(t[i])
		}
	}
	// Gray is looked up in the result, colors in the source.
	key := p
	if p.Mode != ModeRGB {
		q, err := p.convert(ModeRGB)
		if err != nil {
			return nil, err
		}
		key = q
	}
	through := map[Mode]Mode{ModeRGBa: ModeRGBA, ModeLa: ModeLA}
	m := mode
	if via, ok := through[mode]; ok {
		m = via
	}
	q, err := key.convert(m)
	if err != nil {
		return nil, err
	}
	q.Mode = mode
	n := mode.BytesPerPixel()
	for i := range p.W * p.H {
		if k := key.Pix[3*i:][:3]; k[0] == c[0] && k[1] == c[1] && k[2] == c[2] {
			to := q.Pix[n*i:][:n]
			clear(to)
			if m == mode { // not premultiplied: the color stays
				copy(to[:n-1], c[:])
			}
		}
	}
	return q, nil
}

var errConversion = errors.New("conversion not supported")

// convert converts without regard to transparency: directly, or by way of the
// mode that Pillow calls the base of the picture's.
func (p *Image) convert(mode Mode) (*Image, error) {
	q, err := p.direct(mode)
	if err == nil {
		return q, nil
	}
	base := ModeL
	switch p.Mode {
	case ModeP:
		base = ModeP
	case ModeRGB, ModeRGBX, ModeRGBA, ModeRGBa, ModeCMYK, ModeYCbCr, ModeHSV, ModePA:
		base = ModeRGB
	}
	if base != p.Mode {
		if q, err := p.direct(base); err == nil {
			if q, err := q.direct(mode); err == nil {
				return q, nil
			}
		}
	}
	return nil, fmt.Errorf("the conversion from %s to %s is not supported", p.Mode, mode)
}

func (p *Image) direct(mode Mode) (*Image, error) {
	switch {
	case p.Mode == mode:
		return p, nil
	case p.Mode == ModeP || p.Mode == ModePA:
		return p.fromPalette(mode)
	case mode == ModeP || mode == ModePA:
		return p.toPalette(mode)
	case mode == Mode1:
		return p.toBilevel()
	}
	f := converters[[2]Mode{p.Mode, mode}]
	if f == nil {
		return nil, errConversion
	}
	q := p.withMode(mode)
	Parallel(p.H, 4*p.W, func(lo, hi int) {
		n, m := p.W*p.Mode.BytesPerPixel(), q.W*mode.BytesPerPixel()
		for y := lo; y < hi; y++ {
			f(q.Pix[m*y:m*y+m], p.Pix[n*y:n*y+n])
		}
	})
	return q, nil
}

// A converter makes pixels of one mode from those of another.
type converter func(to, from []uint8)

// each returns the converter that calls f for every pixel, of n and m bytes.
func each(m, n int, f func(to, from []uint8)) converter {
	return func(to, from []uint8) {
		for ; len(to) >= m && len(from) >= n; to, from = to[m:], from[n:] {
			f(to[:m:m], from[:n:n])
		}
	}
}

// gray returns the converter that makes one byte of each pixel, by n bytes, and
// calls f with that byte.
func gray(m, n int, byte func(from []uint8) uint8, f func(to []uint8, v uint8)) converter {
	return each(m, n, func(to, from []uint8) { f(to, byte(from)) })
}

// What a gray pixel becomes.
var (
	asL     = func(to []uint8, v uint8) { to[0] = v }
	asLA    = func(to []uint8, v uint8) { to[0], to[1] = v, 255 }
	asRGB   = func(to []uint8, v uint8) { to[0], to[1], to[2] = v, v, v }
	asRGBA  = func(to []uint8, v uint8) { to[0], to[1], to[2], to[3] = v, v, v, 255 }
	asCMYK  = func(to []uint8, v uint8) { to[0], to[1], to[2], to[3] = 0, 0, 0, ^v }
	asYCbCr = func(to []uint8, v uint8) { to[0], to[1], to[2] = v, 128, 128 }
	asHSV   = func(to []uint8, v uint8) { to[0], to[1], to[2] = 0, 0, v }
	asI     = func(to []uint8, v uint8) { binary.LittleEndian.PutUint32(to, uint32(v)) }
	asF     = func(to []uint8, v uint8) { putFloat(to, float32(v)) }
	asI16   = func(to []uint8, v uint8) { to[0], to[1] = v, 0 }
)

// What is gray of a pixel.
var (
	of1 = func(from []uint8) uint8 {
		if from[0] != 0 {
			return 255
		}
		return 0
	}
	ofL = func(from []uint8) uint8 { return from[0] }
	ofI = func(from []uint8) uint8 {
		return uint8(min(max(int32(binary.LittleEndian.Uint32(from)), 0), 255))
	}
	ofF = func(from []uint8) uint8 {
		switch f := getFloat(from); {
		case f >= 255:
			return 255
		case f > 0:
			return uint8(f)
		}
		return 0 // NaN too
	}
	ofI16 = func(from []uint8) uint8 {
		if from[1] != 0 {
			return 255
		}
		return from[0]
	}
	ofRGB = func(from []uint8) uint8 { return luma(from) }
)

func getFloat(b []uint8) float32    { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
func putFloat(b []uint8, f float32) { binary.LittleEndian.PutUint32(b, math.Float32bits(f)) }

// luma is ITU-R 601-2's gray of a color.
func luma(c []uint8) uint8 {
	return uint8((uint32(c[0])*19595 + uint32(c[1])*38470 + uint32(c[2])*7471 + 0x8000) >> 16)
}

// luma1000 is the same times a thousand, with coefficients of three digits.
func luma1000(c []uint8) int { return int(c[0])*299 + int(c[1])*587 + int(c[2])*114 }

// toInt32 is C's cast on x86, where numbers out of range, and NaN, become the smallest integer.
func toInt32(f float64) int32 {
	if !(f > -2147483649 && f < 2147483648) {
		return math.MinInt32
	}
	return int32(f)
}

// muldiv is a*b/255, rounded.
func muldiv(a, b uint32) uint32 {
	t := a*b + 128
	return (t>>8 + t) >> 8
}

// converters holds what Pillow converts directly, but for palettes and the mode 1.
var converters = map[[2]Mode]converter{
	{Mode1, ModeL}:     gray(1, 1, of1, asL),
	{Mode1, ModeI}:     gray(4, 1, of1, asI),
	{Mode1, ModeF}:     gray(4, 1, of1, asF),
	{Mode1, ModeLA}:    gray(2, 1, of1, asLA),
	{Mode1, ModeRGB}:   gray(3, 1, of1, asRGB),
	{Mode1, ModeRGBA}:  gray(4, 1, of1, asRGBA),
	{Mode1, ModeRGBX}:  gray(4, 1, of1, asRGBA),
	{Mode1, ModeCMYK}:  gray(4, 1, of1, asCMYK),
	{Mode1, ModeYCbCr}: gray(3, 1, of1, asYCbCr),
	{Mode1, ModeHSV}:   gray(3, 1, of1, asHSV),

	{ModeL, ModeLA}:    gray(2, 1, ofL, asLA),
	{ModeL, ModeI}:     gray(4, 1, ofL, asI),
	{ModeL, ModeF}:     gray(4, 1, ofL, asF),
	{ModeL, ModeI16}:   gray(2, 1, ofL, asI16),
	{ModeL, ModeRGB}:   fromL,
	{ModeL, ModeRGBA}:  gray(4, 1, ofL, asRGBA),
	{ModeL, ModeRGBX}:  gray(4, 1, ofL, asRGBA),
	{ModeL, ModeCMYK}:  gray(4, 1, ofL, asCMYK),
	{ModeL, ModeYCbCr}: gray(3, 1, ofL, asYCbCr),
	{ModeL, ModeHSV}:   gray(3, 1, ofL, asHSV),

	{ModeLA, ModeL}:     gray(1, 2, ofL, asL),
	{ModeLA, ModeRGB}:   gray(3, 2, ofL, asRGB),
	{ModeLA, ModeRGBA}:  each(4, 2, func(to, from []uint8) { to[0], to[1], to[2], to[3] = from[0], from[0], from[0], from[1] }),
	{ModeLA, ModeRGBX}:  each(4, 2, func(to, from []uint8) { to[0], to[1], to[2], to[3] = from[0], from[0], from[0], from[1] }),
	{ModeLA, ModeCMYK}:  gray(4, 2, ofL, asCMYK),
	{ModeLA, ModeYCbCr}: gray(3, 2, ofL, asYCbCr),
	{ModeLA, ModeHSV}:   gray(3, 2, ofL, asHSV),
	{ModeLA, ModeLa}: each(2, 2, func(to, from []uint8) {
		to[0], to[1] = uint8(muldiv(uint32(from[0]), uint32(from[1]))), from[1]
	}),
	{ModeLa, ModeLA}: each(2, 2, func(to, from []uint8) {
		if a := int(from[1]); a == 255 || a == 0 {
			to[0] = from[0]
		} else {
			to[0] = uint8(min(255*int(from[0])/a, 255))
		}
		to[1] = from[1]
	}),

	{ModeI, ModeL}:    gray(1, 4, ofI, asL),
	{ModeI, ModeRGB}:  gray(3, 4, ofI, asRGB),
	{ModeI, ModeRGBA}: gray(4, 4, ofI, asRGBA),
	{ModeI, ModeRGBX}: gray(4, 4, ofI, asRGBA),
	{ModeI, ModeHSV}:  gray(3, 4, ofI, asHSV),
	{ModeI, ModeF}: each(4, 4, func(to, from []uint8) {
		putFloat(to, float32(int32(binary.LittleEndian.Uint32(from))))
	}),
	{ModeI, ModeI16}: each(2, 4, func(to, from []uint8) {
		binary.LittleEndian.PutUint16(to, uint16(min(max(int32(binary.LittleEndian.Uint32(from)), 0), 65535)))
	}),

	{ModeF, ModeL}: gray(1, 4, ofF, asL),
	{ModeF, ModeI}: each(4, 4, func(to, from []uint8) {
		binary.LittleEndian.PutUint32(to, uint32(toInt32(float64(getFloat(from)))))
	}),

	{ModeI16, ModeL}:   gray(1, 2, ofI16, asL),
	{ModeI16, ModeRGB}: gray(3, 2, ofI16, asRGB),
	{ModeI16, ModeI}: each(4, 2, func(to, from []uint8) {
		binary.LittleEndian.PutUint32(to, uint32(binary.LittleEndian.Uint16(from)))
	}),
	{ModeI16, ModeF}: each(4, 2, func(to, from []uint8) {
		putFloat(to, float32(binary.LittleEndian.Uint16(from)))
	}),

	{ModeRGB, ModeL}:   toL,
	{ModeRGB, ModeLA}:  gray(2, 3, ofRGB, asLA),
	{ModeRGB, ModeLa}:  gray(2, 3, ofRGB, asLA),
	{ModeRGB, ModeI}:   gray(4, 3, ofRGB, asI),
	{ModeRGB, ModeI16}: gray(2, 3, ofRGB, asI16),
	{ModeRGB, ModeF}: each(4, 3, func(to, from []uint8) {
		putFloat(to, float32(luma1000(from))/1000)
	}),
	{ModeRGB, ModeRGBA}:  addAlphas,
	{ModeRGB, ModeRGBa}:  addAlphas,
	{ModeRGB, ModeRGBX}:  addAlphas,
	{ModeRGB, ModeCMYK}:  each(4, 3, toCMYK),
	{ModeRGB, ModeYCbCr}: each(3, 3, toYCbCr),
	{ModeRGB, ModeHSV}:   each(3, 3, toHSV),

	{ModeRGBA, ModeL}:  gray(1, 4, ofRGB, asL),
	{ModeRGBA, ModeLA}: each(2, 4, func(to, from []uint8) { to[0], to[1] = luma(from), from[3] }),
	{ModeRGBA, ModeI}:  gray(4, 4, ofRGB, asI),
	{ModeRGBA, ModeF}: each(4, 4, func(to, from []uint8) {
		putFloat(to, float32(luma1000(from))/1000)
	}),
	{ModeRGBA, ModeRGB}:   dropAlphas,
	{ModeRGBA, ModeRGBa}:  premultiply,
	{ModeRGBA, ModeRGBX}:  each(4, 4, addAlpha),
	{ModeRGBA, ModeCMYK}:  each(4, 4, toCMYK),
	{ModeRGBA, ModeYCbCr}: each(3, 4, toYCbCr),
	{ModeRGBA, ModeHSV}:   each(3, 4, toHSV),

	{ModeRGBa, ModeRGBA}: each(4, 4, unmultiply),
	{ModeRGBa, ModeRGB}: each(3, 4, func(to, from []uint8) {
		var c [4]uint8
		unmultiply(c[:], from)
		to[0], to[1], to[2] = c[0], c[1], c[2]
	}),

	{ModeRGBX, ModeL}:  gray(1, 4, ofRGB, asL),
	{ModeRGBX, ModeLA}: gray(2, 4, ofRGB, asLA),
	{ModeRGBX, ModeI}:  gray(4, 4, ofRGB, asI),
	{ModeRGBX, ModeF}: each(4, 4, func(to, from []uint8) {
		putFloat(to, float32(luma1000(from))/1000)
	}),
	{ModeRGBX, ModeRGB}:   dropAlphas,
	{ModeRGBX, ModeCMYK}:  each(4, 4, toCMYK),
	{ModeRGBX, ModeYCbCr}: each(3, 4, toYCbCr),
	{ModeRGBX, ModeHSV}:   each(3, 4, toHSV),

	{ModeCMYK, ModeRGB}:  each(3, 4, fromCMYK),
	{ModeCMYK, ModeRGBA}: each(4, 4, func(to, from []uint8) { fromCMYK(to[:3], from); to[3] = 255 }),
	{ModeCMYK, ModeRGBX}: each(4, 4, func(to, from []uint8) { fromCMYK(to[:3], from); to[3] = 255 }),
	{ModeCMYK, ModeHSV}:  each(3, 4, func(to, from []uint8) { fromCMYK(to, from); toHSV(to, to) }),

	{ModeYCbCr, ModeL}:   gray(1, 3, ofL, asL),
	{ModeYCbCr, ModeLA}:  gray(2, 3, ofL, asLA),
	{ModeYCbCr, ModeRGB}: each(3, 3, fromYCbCr),

	{ModeHSV, ModeRGB}: each(3, 3, fromHSV),
}

func toL(to, from []uint8) {
	for i := range to {
		c := from[3*i:][:3]
		to[i] = uint8((uint32(c[0])*19595 + uint32(c[1])*38470 + uint32(c[2])*7471 + 0x8000) >> 16)
	}
}

func fromL(to, from []uint8) {
	for i, v := range from {
		c := to[3*i:][:3]
		c[0], c[1], c[2] = v, v, v
	}
}

func addAlpha(to, from []uint8) { to[0], to[1], to[2], to[3] = from[0], from[1], from[2], 255 }

func addAlphas(to, from []uint8) {
	for ; len(to) >= 4 && len(from) >= 3; to, from = to[4:], from[3:] {
		to[0], to[1], to[2], to[3] = from[0], from[1], from[2], 255
	}
}

func dropAlphas(to, from []uint8) {
	for ; len(to) >= 3 && len(from) >= 4; to, from = to[3:], from[4:] {
		to[0], to[1], to[2] = from[0], from[1], from[2]
	}
}

func premultiply(to, from []uint8) {
	for ; len(to) >= 4 && len(from) >= 4; to, from = to[4:], from[4:] {
		a := uint32(from[3])
		to[0], to[1], to[2], to[3] = uint8(muldiv(uint32(from[0]), a)), uint8(muldiv(uint32(from[1]), a)), uint8(muldiv(uint32(from[2]), a)), from[3]
	}
}

func toCMYK(to, from []uint8) {
	to[0], to[1], to[2], to[3] = ^from[0], ^from[1], ^from[2], 0
}

// fromCMYK is Pillow's conversion, which knows no color profiles.
func fromCMYK(to, from []uint8) {
	rest := 255 - int(from[3])
	for i := range to {
		v := int(from[i])*rest + 128
		to[i] = uint8(max(rest-(v>>8+v)>>8, 0))
	}
}

// Pillow's tables between RGB and YCbCr have six fractional bits.
var (
	yR, yG, yB = sixBits(0.299), sixBits(0.587), sixBits(0.114)
	cbR, cbG   = sixBits(-0.16874), sixBits(-0.33126)
	half6      = sixBits(0.5) // of blue in Cb and of red in Cr
	crG, crB   = sixBits(-0.41869), sixBits(-0.08131)
	rCr, bCb   = sixBitsAround(1.402), sixBitsAround(1.772)
	gCb, gCr   = sixBitsAround(-0.34414), sixBitsAround(-0.71414)
)

func sixBits(factor float64) (t [256]int16) {
	for i := range t {
		t[i] = int16(float64(factor*64*float64(i)) + 0.5)
	}
	return t
}

func sixBitsAround(factor float64) (t [256]int16) {
	for i := range t {
		t[i] = int16(float64(factor*64*float64(i-128)) + 0.5)
	}
	return t
}

func toYCbCr(to, from []uint8) {
	r, g, b := from[0], from[1], from[2]
	to[0] = uint8((yR[r] + yG[g] + yB[b]) >> 6)
	to[1] = uint8((cbR[r]+cbG[g]+half6[b])>>6 + 128)
	to[2] = uint8((half6[r]+crG[g]+crB[b])>>6 + 128)
}

func fromYCbCr(to, from []uint8) {
	y, cb, cr := int16(from[0]), from[1], from[2]
	to[0] = uint8(min(max(y+rCr[cr]>>6, 0), 255))
	to[1] = uint8(min(max(y+(gCb[cb]+gCr[cr])>>6, 0), 255))
	to[2] = uint8(min(max(y+bCb[cb]>>6, 0), 255))
}

// toHSV keeps Pillow's mixture of float32 and float64. to and from may be the same.
func toHSV(to, from []uint8) {
	r, g, b := from[0], from[1], from[2]
	most, least := max(r, g, b), min(r, g, b)
	if most == least {
		to[0], to[1], to[2] = 0, 0, most
		return
	}
	span := float32(most - least)
	s := span / float32(most)
	rc, gc, bc := float32(most-r)/span, float32(most-g)/span, float32(most-b)/span
	var h float32
	switch most {
	case r:
		h = bc - gc
	case g:
		h = float32(2 + float64(rc) - float64(bc))
	default:
		h = float32(4 + float64(gc) - float64(rc))
	}
	// h is in [-1, 5], so that this is fmod(h / 6 + 1, 1).
	turn := float64(h)/6 + 1
	if turn >= 1 {
		turn--
	}
	h = float32(turn)
	to[0], to[1], to[2] = uint8(min(int(float64(h)*255), 255)), uint8(min(int(float64(s)*255), 255)), most
}

// hues holds the sector and the part of it of each hue.
var hues = func() (t [256]struct {
	sector int
	part   float32
}) {
	for i := range t {
		x := float64(float32(i)) * 6 / 255
		t[i].sector = int(x)
		t[i].part = float32(x - float64(float32(t[i].sector)))
		t[i].sector %= 6
	}
	return t
}()

func fromHSV(to, from []uint8) {
	h, v := &hues[from[0]], from[2]
	if from[1] == 0 {
		to[0], to[1], to[2] = v, v, v
		return
	}
	s := float32(float64(float32(from[1])) / 255)
	value := float64(v)
	// C's round; the arguments are not negative.
	round := func(x float64) uint8 { return uint8(min(int(math.Floor(x+0.5)), 255)) }
	p := round(float64(value * (1 - float64(s))))
	q := func() uint8 { return round(float64(value * (1 - float64(s*h.part)))) }
	t := func() uint8 { return round(float64(value * (1 - float64(float64(s)*(1-float64(h.part)))))) }
	switch h.sector {
	case 0:
		to[0], to[1], to[2] = v, t(), p
	case 1:
		to[0], to[1], to[2] = q(), v, p
	case 2:
		to[0], to[1], to[2] = p, v, t()
	case 3:
		to[0], to[1], to[2] = p, q(), v
	case 4:
		to[0], to[1], to[2] = t(), p, v
	default:
		to[0], to[1], to[2] = v, p, q()
	}
}
