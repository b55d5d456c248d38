package codec

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"golang.org/x/image/ccitt"
	"golang.org/x/image/tiff/lzw"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// The tags of a TIFF that say how its pixels lie.
const (
	tagWidth, tagHeight       = 256, 257
	tagBits                   = 258
	tagCompression            = 259
	tagPhotometric            = 262
	tagFillOrder              = 266
	tagOffsets, tagCounts     = 273, 279
	tagSamples                = 277
	tagRows                   = 278
	tagPlanar                 = 284
	tagT4                     = 292
	tagPredictor              = 317
	tagColorMap               = 320
	tagTileWidth, tagTileRows = 322, 323
	tagTileOffsets            = 324
	tagTileCounts             = 325
	tagExtra                  = 338
	tagFormat                 = 339
	tagJPEGTables             = 347
)

// The photometric interpretations that Pillow reads.
const (
	whiteIsZero, blackIsZero, photoRGB, photoPalette, photoCMYK, photoYCbCr = 0, 1, 2, 3, 5, 6
)

// The compressions.
const (
	tiffRaw, tiffRLE, tiffG3, tiffG4, tiffLZW, tiffJPEG, tiffDeflate, tiffPackBits, tiffOldDeflate = 1, 2, 3, 4, 5, 7, 8, 32773, 32946
)

// A tiffFile is the first directory of a TIFF.
type tiffFile struct {
	data  []byte
	order binary.ByteOrder
	tags  map[uint16]tiffEntry
}

type tiffEntry struct {
	kind  uint16
	count int
	value []byte
}

// tiffSizes are the bytes of a value, by the kind of it.
var tiffSizes = map[uint16]int{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}

func readTIFF(data []byte) (*tiffFile, error) {
	if len(data) < 8 {
		return nil, io.ErrUnexpectedEOF
	}
	f := &tiffFile{data: data, order: binary.LittleEndian, tags: map[uint16]tiffEntry{}}
	if data[0] == 'M' {
		f.order = binary.BigEndian
	}
	at := int64(f.order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return nil, io.ErrUnexpectedEOF
	}
	d := data[at+2:]
	for range f.order.Uint16(data[at:]) {
		if len(d) < 12 {
			return nil, io.ErrUnexpectedEOF
		}
		e := tiffEntry{kind: f.order.Uint16(d[2:]), count: int(f.order.Uint32(d[4:])), value: d[8:12]}
		if n := tiffSizes[e.kind]; n > 0 {
			if n *= e.count; n > 4 {
				from := int(f.order.Uint32(e.value))
				if from > len(data) || n > len(data)-from {
					e.value = nil // an error only where somebody needs it
				} else {
					e.value = data[from : from+n]
				}
			}
			f.tags[f.order.Uint16(d)] = e
		}
		d = d[12:]
	}
	return f, nil
}

// numbers returns the whole numbers of a tag, or the defaults where it is missing.
func (f *tiffFile) numbers(tag uint16, otherwise ...int) ([]int, error) {
	e, ok := f.tags[tag]
	if !ok {
		return otherwise, nil
	}
	n := tiffSizes[e.kind]
	if len(e.value) < n*e.count {
		return nil, io.ErrUnexpectedEOF
	}
	out := make([]int, e.count)
	for i := range out {
		switch v := e.value[n*i:]; e.kind {
		case 1, 7:
			out[i] = int(v[0])
		case 3:
			out[i] = int(f.order.Uint16(v))
		case 4, 13:
			out[i] = int(f.order.Uint32(v))
		default:
			return nil, fmt.Errorf("its tag %d is of kind %d", tag, e.kind)
		}
	}
	return out, nil
}

// number returns the first number of a tag.
func (f *tiffFile) number(tag uint16, otherwise int) (int, error) {
	v, err := f.numbers(tag, otherwise)
	if err == nil && len(v) == 0 {
		err = fmt.Errorf("its tag %d is empty", tag)
	}
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

func tiffSize(data []byte) (int, int, error) {
	f, err := readTIFF(data)
	if err != nil {
		return 0, 0, err
	}
	w, err := f.number(tagWidth, 0)
	if err != nil {
		return 0, 0, err
	}
	h, err := f.number(tagHeight, 0)
	return w, h, err
}

// A tiffLayout says how the pixels of a TIFF lie.
type tiffLayout struct {
	w, h                                int
	bits, samples                       int // bits a sample, samples a pixel
	photometric, compression            int
	planar, predictor, fill, format, t4 int
	extra                               []int
	tables                              []byte
	// Strips are tiles of the picture's width.
	tileW, tileH    int
	offsets, counts []int
}

func (f *tiffFile) layout() (l tiffLayout, err error) {
	for _, v := range []struct {
		to        *int
		tag       uint16
		otherwise int
	}{
		{&l.w, tagWidth, 0}, {&l.h, tagHeight, 0}, {&l.photometric, tagPhotometric, 0}, {&l.compression, tagCompression, 1},
		{&l.samples, tagSamples, 1}, {&l.planar, tagPlanar, 1}, {&l.predictor, tagPredictor, 1}, {&l.fill, tagFillOrder, 1}, {&l.t4, tagT4, 0},
	} {
		if *v.to, err = f.number(v.tag, v.otherwise); err != nil {
			return l, err
		}
	}
	depths, err := f.numbers(tagBits, 1)
	if err != nil {
		return l, err
	}
	formats, err := f.numbers(tagFormat, 1)
	if err != nil {
		return l, err
	}
	if l.extra, err = f.numbers(tagExtra); err != nil {
		return l, err
	}
	const most = 6 // samples of a pixel
	if l.samples < 1 || l.samples > most || len(depths) == 0 || len(formats) == 0 || len(depths) > 1 && len(depths) < l.samples {
		return l, fmt.Errorf("it has %d samples a pixel of %d depths", l.samples, len(depths))
	}
	if len(depths) > l.samples {
		depths = depths[:l.samples]
	}
	l.bits, l.format = depths[0], formats[0]
	for _, d := range depths {
		if d != l.bits {
			return l, fmt.Errorf("its samples have %v bits; want the same of each", depths)
		}
	}
	for _, v := range formats {
		if v != l.format {
			return l, fmt.Errorf("its samples have the formats %v; want the same for each", formats)
		}
	}
	if e, ok := f.tags[tagJPEGTables]; ok {
		l.tables = e.value
	}
	offsets, counts := uint16(tagOffsets), uint16(tagCounts)
	if _, ok := f.tags[tagTileOffsets]; ok {
		offsets, counts = tagTileOffsets, tagTileCounts
		if l.tileW, err = f.number(tagTileWidth, 0); err != nil {
			return l, err
		}
		if l.tileH, err = f.number(tagTileRows, 0); err != nil {
			return l, err
		}
	} else {
		l.tileW = l.w
		if l.tileH, err = f.number(tagRows, l.h); err != nil {
			return l, err
		}
		l.tileH = min(l.tileH, l.h)
	}
	if l.tileW < 1 || l.tileH < 1 {
		return l, fmt.Errorf("its parts have %d×%d pixels", l.tileW, l.tileH)
	}
	if l.offsets, err = f.numbers(offsets); err != nil {
		return l, err
	}
	l.counts, err = f.numbers(counts)
	return l, err
}

func decodeTIFF(data []byte, o Options) (*pillow.Image, error) {
	f, err := readTIFF(data)
	if err != nil {
		return nil, err
	}
	l, err := f.layout()
	if err != nil {
		return nil, err
	}
	// A part may be larger than the picture, but not without limit.
	if err := fits(l.tileW, l.tileH, o); err != nil {
		return nil, err
	}
	c, err := f.pixelsOf(&l)
	if err != nil {
		return nil, err
	}
	planes, samples := 1, l.samples
	if l.planar == 2 && l.samples > 1 {
		planes, samples = l.samples, 1
		if l.bits%8 != 0 {
			return nil, fmt.Errorf("its %d planes have %d bits a pixel", planes, l.bits)
		}
	}
	p := pillow.New(c.mode, l.w, l.h)
	p.Palette = c.palette
	across, down := (l.w+l.tileW-1)/l.tileW, (l.h+l.tileH-1)/l.tileH
	if len(l.offsets) < across*down*planes {
		return nil, io.ErrUnexpectedEOF
	}
	// Parts may reach beyond the picture, but a file whose parts are mostly
	// that would cost more time than its size says; all may be the same few bytes.
	const small = 1 << 22
	if area := float64(across*l.tileW) * float64(down*l.tileH); area > small && area > 4*float64(l.w)*float64(l.h) {
		return nil, fmt.Errorf("its parts of %d×%d pixels are too large for %d×%d", l.tileW, l.tileH, l.w, l.h)
	}
	stride := (l.tileW*samples*l.bits + 7) / 8
	whole := (l.tileW*l.samples*l.bits + 7) / 8
	line := make([]uint8, whole)
	for ty := range down {
		rows := l.tileH
		if l.tileW == l.w && len(f.tags[tagTileOffsets].value) == 0 {
			rows = min(rows, l.h-ty*l.tileH) // the last strip is shorter
		}
		for tx := range across {
			parts := make([][]byte, planes)
			for i := range parts {
				if parts[i], err = l.part((i*down+ty)*across+tx, data, stride, rows, samples, f.order); err != nil {
					return nil, err
				}
			}
			width := min(l.tileW, l.w-tx*l.tileW)
			for y := range min(rows, l.h-ty*l.tileH) {
				from := parts[0][y*stride:][:stride]
				if planes > 1 {
					n := l.bits / 8
					for i, part := range parts {
						row := part[y*stride:]
						for x := range l.tileW {
							copy(line[(x*planes+i)*n:][:n], row[x*n:])
						}
					}
					from = line
				}
				n := c.mode.BytesPerPixel()
				c.row(p.Pix[n*((ty*l.tileH+y)*l.w+tx*l.tileW):][:n*width], from)
			}
		}
	}
	return upright(p, orientationTag(data)) // Pillow turns TIFFs by itself
}

// part returns the bytes of strip or tile i, not compressed: rows of stride bytes.
func (l *tiffLayout) part(i int, data []byte, stride, rows, samples int, order binary.ByteOrder) ([]byte, error) {
	from, want := l.offsets[i], stride*rows
	if from > len(data) {
		return nil, io.ErrUnexpectedEOF
	}
	src := data[from:]
	if i < len(l.counts) && l.compression != tiffRaw {
		if l.counts[i] > len(src) {
			return nil, io.ErrUnexpectedEOF
		}
		src = src[:l.counts[i]]
	}
	if l.fill == 2 && l.compression != tiffRaw && l.compression != tiffG3 && l.compression != tiffG4 {
		src = reversed(src)
	}
	var r io.Reader
	switch l.compression {
	case tiffRaw:
		if len(src) < want {
			return nil, io.ErrUnexpectedEOF
		}
		src = src[:want]
		if l.fill == 2 {
			src = reversed(src)
		}
		return src, nil
	case tiffLZW:
		z := lzw.NewReader(bytes.NewReader(src), lzw.MSB, 8)
		defer z.Close()
		r = z
	case tiffDeflate, tiffOldDeflate:
		z, err := zlib.NewReader(bytes.NewReader(src))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	case tiffPackBits:
		return unpackBits(src, want)
	case tiffG3, tiffG4:
		if l.bits != 1 || samples != 1 {
			return nil, fmt.Errorf("it is a fax of %d bits a pixel", l.bits*samples)
		}
		if l.compression == tiffG3 && l.t4&1 != 0 {
			return nil, errors.New("it is a two-dimensional fax of group 3, which is not read")
		}
		order, group := ccitt.MSB, ccitt.Group4
		if l.fill == 2 {
			order = ccitt.LSB
		}
		if l.compression == tiffG3 {
			group = ccitt.Group3
		}
		// A fax's black is 1, as whiteIsZero has it; the reader's is 0.
		r = ccitt.NewReader(bytes.NewReader(src), order, group, l.tileW, rows, &ccitt.Options{Invert: true})
	case tiffJPEG:
		return l.jpegPart(src, stride, rows, samples)
	default:
		return nil, fmt.Errorf("its compression %d is not read; want none, PackBits, LZW, deflate, JPEG or fax", l.compression)
	}
	out := make([]byte, want)
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, err
	}
	if l.compression == tiffDeflate || l.compression == tiffOldDeflate {
		// zlib compares its checksum once it comes to the end of the data, which may hold more rows than
		// are asked for, or lack the checksum.
		var more [1]byte
		if _, err := r.Read(more[:]); err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
	}
	switch {
	case l.predictor == 1 || l.compression == tiffG3 || l.compression == tiffG4:
	case l.predictor == 2 && (l.bits == 8 || l.bits == 16 || l.bits == 32):
		for y := range rows {
			undo(out[y*stride:][:stride], l.bits/8, samples, order)
		}
	default:
		return nil, fmt.Errorf("its predictor %d of %d bits is not read", l.predictor, l.bits)
	}
	return out, nil
}

// undo adds to each number of a row the one before, of n bytes each.
func undo(row []byte, n, samples int, order binary.ByteOrder) {
	for i := n * samples; i+n <= len(row); i += n {
		a, b := row[i-n*samples:], row[i:]
		switch n {
		case 1:
			b[0] += a[0]
		case 2:
			order.PutUint16(b, order.Uint16(b)+order.Uint16(a))
		case 4:
			order.PutUint32(b, order.Uint32(b)+order.Uint32(a))
		}
	}
}

func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i, v := range b {
		out[i] = bits.Reverse8(v)
	}
	return out
}

func unpackBits(src []byte, want int) ([]byte, error) {
	out := make([]byte, 0, want)
	for len(out) < want {
		if len(src) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		n := int(int8(src[0]))
		src = src[1:]
		switch {
		case n >= 0:
			if n+1 > len(src) {
				return nil, io.ErrUnexpectedEOF
			}
			out = append(out, src[:n+1]...)
			src = src[n+1:]
		case n != -128:
			out = append(out, bytes.Repeat(src[:1], 1-n)...)
			src = src[1:]
		}
	}
	return out[:want], nil
}

// jpegPart decodes a part that is a JPEG, whose tables may lie elsewhere.
func (l *tiffLayout) jpegPart(src []byte, stride, rows, samples int) ([]byte, error) {
	if l.bits != 8 {
		return nil, fmt.Errorf("its JPEGs have %d bits a sample", l.bits)
	}
	if len(src) < 4 || src[0] != 0xff || src[1] != 0xd8 {
		return nil, io.ErrUnexpectedEOF
	}
	jpeg := []byte{0xff, 0xd8}
	if n := len(l.tables); n > 4 && l.tables[0] == 0xff && l.tables[1] == 0xd8 {
		jpeg = append(jpeg, bytes.TrimSuffix(l.tables[2:], []byte{0xff, 0xd9})...)
	}
	// TIFF says what the channels are, and not the JPEG; Adobe's marker tells its decoder so.
	transform := byte(0)
	if l.photometric == photoYCbCr {
		transform = 1
	}
	if samples >= 3 {
		jpeg = append(jpeg, 0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, transform)
	}
	jpeg = append(jpeg, src[2:]...)
	w, h, err := jpegSize(jpeg)
	if err != nil {
		return nil, err
	}
	if w != l.tileW || h < rows && h*stride < rows*stride {
		return nil, fmt.Errorf("a JPEG in it has %d×%d pixels; want %d×%d", w, h, l.tileW, rows)
	}
	if h > rows+l.tileH {
		return nil, fmt.Errorf("a JPEG in it has %d rows; want %d", h, rows)
	}
	p, err := jpegPixels(jpeg, Options{})
	if err != nil {
		return nil, err
	}
	if p.Mode.Bands() != samples {
		return nil, fmt.Errorf("a JPEG in it has %d channels; want %d", p.Mode.Bands(), samples)
	}
	return p.Pix, nil
}

// A tiffPixels turns rows of a TIFF into a mode's.
type tiffPixels struct {
	mode    pillow.Mode
	palette *pillow.Palette
	row     func(to, from []uint8)
}

// pixelsOf chooses the mode of a TIFF, after Pillow's table of them.
func (f *tiffFile) pixelsOf(l *tiffLayout) (c tiffPixels, err error) {
	refused := fmt.Errorf("pixels of photometric interpretation %d, %d samples of %d bits, format %d, extra samples %v are not read", l.photometric, l.samples, l.bits, l.format, l.extra)
	const unsigned, signed, float = 1, 2, 3
	// Samples beyond the colours.
	colours := map[int]int{photoRGB: 3, photoCMYK: 4, photoYCbCr: 3}[l.photometric]
	if colours == 0 {
		colours = 1
	}
	extra := l.samples - colours
	first := -1 // what the first of them means
	if len(l.extra) > 0 {
		first = l.extra[0]
		for _, e := range l.extra[1:] {
			if e != 0 {
				return c, refused
			}
		}
	}
	const nothing, premultiplied, alpha, corel = 0, 1, 2, 999
	if extra < 0 || len(l.extra) > 0 && extra != len(l.extra) || len(l.extra) == 0 && extra > 0 && !(l.photometric == photoRGB && extra == 1) {
		return c, refused
	}
	big := f.order == binary.BigEndian
	n := l.samples
	// Of 16 bits the upper 8 count.
	size, at := l.bits/8, 0
	if l.bits == 16 && !big {
		at = 1
	}
	pick := func(count int) func(to, from []uint8) {
		return func(to, from []uint8) {
			for len(to) > 0 {
				for i := range count {
					to[i] = from[i*size+at]
				}
				to, from = to[count:], from[min(n*size, len(from)):]
			}
		}
	}
	switch {
	case l.photometric == whiteIsZero || l.photometric == blackIsZero:
		white := l.photometric == whiteIsZero
		switch {
		case n == 1 && l.bits <= 8 && (l.format == unsigned || l.format == signed && l.bits == 8 && !white && l.fill == 1):
			if c.mode = pillow.ModeL; l.bits == 1 {
				c.mode = pillow.Mode1
			}
			scale, ok := map[int]uint8{1: 255, 2: 85, 4: 17, 8: 1}[l.bits]
			if !ok {
				return c, refused
			}
			c.row = func(to, from []uint8) {
				for i, v := range unpack(from, l.bits, len(to)) {
					if to[i] = v * scale; white {
						to[i] = ^to[i]
					}
				}
			}
		case n == 1 && l.bits == 16 && l.format == unsigned && !(big && white):
			c.mode = pillow.ModeI16
			c.row = func(to, from []uint8) {
				for i := 0; i < len(to); i += 2 {
					binary.LittleEndian.PutUint16(to[i:], f.order.Uint16(from[i:]))
				}
			}
		case n == 1 && l.bits == 16 && l.format == signed && !white:
			c.mode = pillow.ModeI
			c.row = func(to, from []uint8) {
				for i := 0; i < len(to); i += 4 {
					binary.LittleEndian.PutUint32(to[i:], uint32(int32(int16(f.order.Uint16(from[i/2:])))))
				}
			}
		case n == 1 && l.bits == 32 && (l.format == float || !white && (l.format == signed || !big)):
			if c.mode = pillow.ModeI; l.format == float {
				c.mode = pillow.ModeF
			}
			c.row = func(to, from []uint8) {
				for i := 0; i < len(to); i += 4 {
					binary.LittleEndian.PutUint32(to[i:], f.order.Uint32(from[i:]))
				}
			}
		case n == 2 && l.bits == 8 && l.format == unsigned && !white:
			modes := map[int]pillow.Mode{nothing: pillow.ModeL, premultiplied: pillow.ModeLa, alpha: pillow.ModeLA}
			if c.mode = modes[first]; c.mode == "" {
				return c, refused
			}
			c.row = pick(c.mode.Bands())
		default:
			return c, refused
		}
	case l.format != unsigned:
		return c, refused
	case l.photometric == photoRGB && (l.bits == 8 || l.bits == 16):
		switch {
		case extra == 0 || first == nothing:
			c.mode, c.row = pillow.ModeRGB, pick(3)
		case first == -1 || first == alpha || first == corel:
			c.mode, c.row = pillow.ModeRGBA, pick(4)
		case first == premultiplied:
			c.mode = pillow.ModeRGBA
			four := pick(4)
			c.row = func(to, from []uint8) {
				four(to, from)
				for ; len(to) > 0; to = to[4:] {
					if a := int(to[3]); a != 0 {
						for i, v := range to[:3] {
							to[i] = uint8(min(int(v)*255/a, 255))
						}
					} else {
						to[0], to[1], to[2] = 0, 0, 0
					}
				}
			}
		default:
			return c, refused
		}
	case l.photometric == photoPalette && l.bits <= 8 && extra <= 1:
		colors, err := f.numbers(tagColorMap)
		if err != nil {
			return c, err
		}
		k := len(colors) / 3
		c.palette = &pillow.Palette{Mode: pillow.ModeRGB}
		for i := range min(k, 256) {
			for j := range 3 {
				c.palette.Colors = append(c.palette.Colors, uint8(colors[j*k+i]/256))
			}
		}
		switch {
		case n == 1 && (l.bits == 1 || l.bits == 2 || l.bits == 4 || l.bits == 8):
			c.mode = pillow.ModeP
			c.row = func(to, from []uint8) { copy(to, unpack(from, l.bits, len(to))) }
		case n == 2 && l.bits == 8 && first == nothing:
			c.mode, c.row = pillow.ModeP, pick(1)
		case n == 2 && l.bits == 8 && first == alpha:
			c.mode, c.row = pillow.ModePA, pick(2)
		default:
			return c, refused
		}
	case l.photometric == photoCMYK && (l.bits == 8 || l.bits == 16 && extra == 0) && (extra == 0 || first == nothing):
		c.mode, c.row = pillow.ModeCMYK, pick(4)
	case l.photometric == photoYCbCr && l.bits == 8 && n == 3 && l.compression == tiffJPEG && l.planar == 1:
		c.mode, c.row = pillow.ModeRGB, pick(3) // the JPEG's decoder converts
	case l.photometric == photoYCbCr && l.bits == 8 && n == 1:
		c.mode, c.row = pillow.ModeL, pick(1)
	default:
		return c, refused
	}
	return c, nil
}
