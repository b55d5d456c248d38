package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A layout defines how libtiff finds the strips or tiles of a page.
type layout struct {
	order                 binary.ByteOrder
	w, h                  int
	compression           int
	photometric           int
	bits, samples, format int
	extra                 []int
	planar, fill          int
	predictor             int
	t4                    int // T4Options
	tiled                 bool
	tileW, tileH          int // of tiles; strips have tileH rows
	subH, subV            int // how many columns and rows of YCbCr share a color
	coefficients          []float32
	blackWhite            []float32
	tables                []byte // JPEGTables
	offsets, counts       []uint64
	perPlane              int  // how many strips or tiles a plane has
	rgb                   bool // JPEG is decoded to RGB
	old                   oldJPEGs
	at                    int // where the strip or tile is that is decoded
}

// fieldSet has the fields of a directory by libtiff's rules: the first of equal tags counts.
type fieldSet struct {
	file   *File
	fields map[uint16]field
}

// libtiffFields reads the directory at an offset.
func (f *File) libtiffFields(at uint64) (fieldSet, []field, error) {
	const most = 4096
	s := fieldSet{f, map[uint16]field{}}
	if f.big && f.order.Uint32(f.data[4:]) != 8 || f.order.Uint16(f.data[2:]) > 43 {
		return s, nil, errors.New("its header is damaged")
	}
	fields, _, _ := f.fields(at)
	size := uint64(2)
	if f.big {
		size = 8
	}
	if at > uint64(len(f.data)) || size > uint64(len(f.data))-at {
		return s, nil, errors.New("it has no directory")
	}
	n := uint64(f.order.Uint16(f.data[at:]))
	if f.big {
		n = f.order.Uint64(f.data[at:])
	}
	if n == 0 || n > most || n != uint64(len(fields)) {
		return s, nil, fmt.Errorf("its directory of %d tags is not whole", n)
	}
	for _, e := range fields {
		if _, ok := s.fields[e.tag]; !ok {
			s.fields[e.tag] = e
		}
	}
	return s, fields, nil
}

// values returns the first whole numbers of a tag, n at most, which may be from least to most. ok is
// false where the tag is missing or has other values.
func (s fieldSet) values(tag uint16, n uint64, least, most int64) (v []uint64, ok bool) {
	e, ok := s.fields[tag]
	if !ok || e.kind == typeIFD || e.kind == typeIFD8 {
		return nil, false
	}
	b, ok := s.file.fieldData(e, min(n, e.count))
	if !ok {
		return nil, false
	}
	size := int(typeSizes[e.kind])
	for ; len(b) > 0; b = b[size:] {
		x, ok := integer(s.file.order, e.kind, b)
		if !ok || x < least || x > most {
			return nil, false
		}
		v = append(v, uint64(x))
	}
	return v, true
}

// one returns the number of a tag that has one. ok is false if it has none, or several.
func (s fieldSet) one(tag uint16, most int64) (v int, ok bool) {
	x, ok := s.values(tag, 2, 0, most)
	if !ok || len(x) != 1 || s.fields[tag].count != 1 {
		return 0, false
	}
	return int(x[0]), true
}

// required sets to to the number of a tag if there is one. The tag may be missing, but
// not have another value.
func (s fieldSet) required(to *int, tag uint16, least, most int64) error {
	if _, ok := s.fields[tag]; !ok {
		return nil
	}
	v, ok := s.one(tag, most)
	if !ok || int64(v) < least {
		return fmt.Errorf("its tag %d has a value that is not supported", tag)
	}
	*to = v
	return nil
}

// optional sets to to the number of a tag if there is one.
func (s fieldSet) optional(to *int, tag uint16, least, most int64) {
	if v, ok := s.one(tag, most); ok && int64(v) >= least {
		*to = v
	}
}

// perSample sets to to the number that a tag has once or for each sample.
func (s fieldSet) perSample(to *int, tag uint16, samples int, least, most int64) error {
	e, ok := s.fields[tag]
	if !ok {
		return nil
	}
	v, ok := s.values(tag, uint64(samples), 0, math.MaxUint16)
	if e.count > 1 { // libtiff reads all the values before it takes those it needs
		_, ok = s.values(tag, e.count, 0, math.MaxUint16)
	}
	if !ok || len(v) == 0 || slices.Max(v) != slices.Min(v) || int64(v[0]) < least || int64(v[0]) > most {
		return fmt.Errorf("its tag %d has values that are not supported", tag)
	}
	*to = int(v[0])
	return nil
}

// floats returns the n fractions of a tag, or others if it does not have n.
func (s fieldSet) floats(tag uint16, n int, otherwise ...float32) []float32 {
	e, ok := s.fields[tag]
	if !ok || e.count != uint64(n) {
		return otherwise
	}
	b, ok := s.file.fieldData(e, e.count)
	if !ok {
		return otherwise
	}
	order := s.file.order
	size := int(typeSizes[e.kind])
	out := make([]float32, n)
	for i := range out {
		v := b[size*i:]
		switch e.kind {
		case typeRational:
			if d := order.Uint32(v[4:]); d != 0 {
				out[i] = float32(order.Uint32(v)) / float32(d)
			}
		case typeSRational:
			if d := order.Uint32(v[4:]); d != 0 {
				out[i] = float32(int32(order.Uint32(v))) / float32(d)
			}
		case typeFloat:
			out[i] = math.Float32frombits(order.Uint32(v))
		case typeDouble:
			out[i] = float32(math.Float64frombits(order.Uint64(v)))
		default:
			x, ok := integer(order, e.kind, v)
			if !ok {
				return otherwise
			}
			out[i] = float32(x)
		}
	}
	return out
}

// layout reads the directory at an offset as libtiff does.
func (f *File) layout(at uint64) (*layout, error) {
	s, fields, err := f.libtiffFields(at)
	if err != nil {
		return nil, err
	}
	l := &layout{order: f.order, compression: raw, bits: 1, samples: 1, format: unsigned, planar: 1, fill: 1, predictor: 1, subH: 2, subV: 2, tileH: math.MaxUint32}
	if err := l.tags(s); err != nil {
		return nil, err
	}
	if l.compression == oldJPEG {
		l.likeOldJPEG(s)
		l.old = s.oldJPEGs(l.samples)
	}
	for l.photometric == photoRGB && l.samples-len(l.extra) > 3 {
		l.extra = append(l.extra, unspecified)
	}
	if l.photometric == photoIndex && l.bits < 8 && s.fields[tagColorMap].count != 3<<l.bits {
		return nil, errors.New("it has no palette")
	}
	if err := l.striles(s, fields); err != nil {
		return nil, err
	}
	if l.compression == newJPEG && l.packed() && l.samples == 3 {
		l.subsampleAsJPEG(f.data)
	}
	if l.compression == oldJPEG {
		l.subsampleAsOldJPEG(f.data)
	}
	if l.rowBytes() == 0 || l.chunkBytes(l.tileH) == 0 {
		return nil, errors.New("its strips or tiles have no pixels")
	}
	return l, nil
}

// tags reads the values of the tags, except for the places of the pixels.
func (l *layout) tags(s fieldSet) error {
	const short, long = math.MaxUint16, math.MaxUint32
	if err := s.required(&l.samples, tagSamples, 1, short); err != nil {
		return err
	}
	if l.samples > 2*maxSamples { // Pillow reads none of these
		return fmt.Errorf("its pixels have %d samples", l.samples)
	}
	if err := s.perSample(&l.compression, tagCompression, l.samples, 0, short); err != nil {
		return err
	}
	for _, v := range []struct {
		to          *int
		tag         uint16
		least, most int64
	}{{&l.w, tagWidth, 0, long}, {&l.h, tagHeight, 0, long}, {&l.planar, tagPlanar, 1, 2}, {&l.tileH, tagRowsPerStrip, 1, long}} {
		if err := s.required(v.to, v.tag, v.least, v.most); err != nil {
			return err
		}
	}
	_, hasW := s.fields[tagTileWidth]
	_, hasH := s.fields[tagTileLength]
	if l.tiled = hasW || hasH; l.tiled {
		l.tileH = 0
		if err := s.required(&l.tileW, tagTileWidth, 0, long); err != nil {
			return err
		}
		if err := s.required(&l.tileH, tagTileLength, 0, long); err != nil {
			return err
		}
	}
	if e, ok := s.fields[tagExtraSamples]; ok {
		v, ok := s.values(tagExtraSamples, e.count, 0, short)
		if !ok || len(v) > l.samples {
			return errors.New("its extra samples are not those of its pixels")
		}
		for _, x := range v {
			if x == corelAlpha {
				x = alpha
			}
			if x > alpha {
				return fmt.Errorf("its extra samples %v are not supported", v)
			}
			l.extra = append(l.extra, int(x))
		}
	}
	var unused int
	for _, v := range []struct {
		to          *int
		tag         uint16
		least, most int64
	}{{&l.bits, tagBits, 0, 64}, {&unused, tagMinSample, 0, short}, {&unused, tagMaxSample, 0, short}, {&l.format, tagSampleFormat, 1, 6}} {
		if err := s.perSample(v.to, v.tag, l.samples, v.least, v.most); err != nil {
			return err
		}
	}
	s.optional(&l.photometric, tagPhotometric, 0, short)
	s.optional(&l.fill, tagFillOrder, 1, 2)
	s.optional(&l.predictor, tagPredictor, 0, short)
	s.optional(&l.t4, tagT4Options, 0, long)
	if v, ok := s.values(tagYCbCrSubsampling, 3, 0, short); ok && len(v) == 2 {
		l.subH, l.subV = int(v[0]), int(v[1])
	}
	l.coefficients = s.floats(tagYCbCrCoefficient, 3, 0.299, 0.587, 0.114)
	l.blackWhite = s.floats(tagReferenceBW, 6, 0, 255, 128, 255, 128, 255)
	if e, ok := s.fields[tagJPEGTables]; ok && (e.kind == typeUndefined || e.kind == typeByte) {
		l.tables, _ = s.file.fieldData(e, e.count)
	}
	return nil
}

// striles reads where the strips or tiles are.
func (l *layout) striles(s fieldSet, fields []field) error {
	n := 1
	switch {
	case l.tiled:
		if l.tileW == 0 || l.tileH == 0 {
			return errors.New("its tiles have no pixels")
		}
		n = ceil(l.w, l.tileW) * ceil(l.h, l.tileH)
	case l.tileH != math.MaxUint32:
		n = ceil(l.h, l.tileH)
	}
	const most = 1e6 // as many may libtiff add where offsets are missing
	if l.perPlane = n; l.planar == 2 {
		n *= l.samples
	}
	if n < 1 || l.perPlane > math.MaxUint32 {
		return fmt.Errorf("it has %d strips or tiles", n)
	}
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripByteCounts)
	if _, ok := s.fields[offsets]; !ok {
		offsets = tagTileOffsets
	}
	if _, ok := s.fields[counts]; !ok {
		counts = tagTileByteCounts
	}
	for _, v := range []struct {
		to  *[]uint64
		tag uint16
	}{{&l.offsets, offsets}, {&l.counts, counts}} {
		if _, ok := s.fields[v.tag]; !ok {
			continue
		}
		x, ok := s.values(v.tag, uint64(n), 0, math.MaxInt64)
		if !ok || len(x) < n && n > most {
			return fmt.Errorf("its tag %d does not say where %d strips or tiles are", v.tag, n)
		}
		*v.to = append(x, make([]uint64, n-len(x))...)
	}
	if l.offsets == nil && l.compression == oldJPEG && n == 1 && !l.tiled {
		return nil // all is in the stream
	}
	if l.offsets == nil {
		return errors.New("it does not say where its pixels are")
	}
	if l.counts != nil && s.fields[offsets].count != s.fields[counts].count {
		return errors.New("it does not say how many bytes each of its strips or tiles has")
	}
	if l.compression == oldJPEG {
		return nil
	}
	if l.counts == nil && (l.planar == 1 && n > 1 || l.planar == 2 && n != l.samples) {
		return errors.New("it does not say how many bytes its strips or tiles have")
	}
	if l.counts == nil || n == 1 && !l.tiled && l.offsets[0] != 0 && l.counts[0] == 0 {
		l.estimate(s.file, fields)
	}
	return nil
}

// estimate makes up how many bytes the strips have: all of the file that no directory takes.
func (l *layout) estimate(f *File, fields []field) {
	space := uint64(8 + 2 + 12*len(fields) + 4)
	if f.big {
		space = uint64(16 + 8 + 20*len(fields) + 8)
	}
	for _, e := range fields {
		if size := typeSizes[e.kind]; e.count <= uint64(len(f.data)) && size*e.count > uint64(len(e.value)) {
			space += size * e.count
		}
	}
	size := uint64(len(f.data))
	if space = size - min(space, size); space == 0 {
		space = size
	}
	if l.planar == 2 {
		space /= uint64(l.samples)
	}
	l.counts = slices.Repeat([]uint64{space}, len(l.offsets))
	last := len(l.offsets) - 1
	if l.offsets[last] >= size {
		l.counts[last] = 0
	} else if l.offsets[last]+space > size {
		l.counts[last] = size - l.offsets[last]
	}
}

// likeOldJPEG corrects tags as files of the old JPEG compression need it.
func (l *layout) likeOldJPEG(s fieldSet) {
	if _, ok := s.fields[tagPhotometric]; !ok || l.photometric == photoRGB {
		l.photometric = photoYCbCr
	}
	if l.planar == 2 && s.fields[tagStripOffsets].count == 1 && s.fields[tagStripByteCounts].count == 1 {
		l.planar = 1
	}
	if _, ok := s.fields[tagBits]; !ok {
		l.bits = 8
	}
	if _, ok := s.fields[tagSamples]; !ok && l.photometric == photoYCbCr {
		l.samples = 3
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// packed reports whether the pixels are YCbCr blocks of several pixels that share a color.
func (l *layout) packed() bool {
	return l.planar == 1 && l.photometric == photoYCbCr && !l.rgb
}

// rowBytes returns how many bytes a row of a chunk has on average, 0 where it cannot be read.
func (l *layout) rowBytes() int {
	w := l.w
	if l.tiled {
		w = l.tileW
	} else if l.packed() && l.samples == 3 {
		if !subsampled(l.subH) || !subsampled(l.subV) {
			return 0
		}
		return ceil(ceil(w, l.subH)*(l.subH*l.subV+2)*l.bits, 8) / l.subV
	}
	if l.planar == 1 {
		w *= l.samples
	}
	return ceil(w*l.bits, 8)
}

func subsampled(n int) bool { return n == 1 || n == 2 || n == 4 }

// chunkBytes returns how many bytes a strip or tile of that many rows has, 0 where it cannot be read.
func (l *layout) chunkBytes(rows int) int {
	w := l.w
	if l.tiled {
		w = l.tileW
	} else {
		rows = min(rows, l.h)
	}
	if !l.packed() {
		return rows * l.rowBytes()
	}
	if l.samples != 3 || !subsampled(l.subH) || !subsampled(l.subV) {
		return 0
	}
	return ceil(ceil(w, l.subH)*(l.subH*l.subV+2)*l.bits, 8) * ceil(rows, l.subV)
}
