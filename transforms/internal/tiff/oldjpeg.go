package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/torchhub/torchhub/transforms/internal/jpeg"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// The tags of the old JPEG compression, which TIFF 6.0 has and Technical Note 2 replaces.
const (
	tagJPEGInterchange       = 513
	tagJPEGInterchangeLength = 514
	tagJPEGRestartInterval   = 515
	tagJPEGQTables           = 519
	tagJPEGDCTables          = 520
	tagJPEGACTables          = 521
)

// An oldJPEGs has the places of the parts of a picture of the old JPEG compression: a stream that may be a whole JPEG
// or its tables, or tables alone. Strips continue it.
type oldJPEGs struct {
	stream, length int
	restart        int
	tables         [3][]uint64 // where those for quantization, DC and AC coefficients are, for each component
}

// oldJPEGs reads the tags of the compression.
func (s fieldSet) oldJPEGs(samples int) (o oldJPEGs) {
	const most = 1<<32 - 1
	s.optional(&o.stream, tagJPEGInterchange, 0, most)
	s.optional(&o.length, tagJPEGInterchangeLength, 0, most)
	s.optional(&o.restart, tagJPEGRestartInterval, 0, 1<<16-1)
	for i, tag := range []uint16{tagJPEGQTables, tagJPEGDCTables, tagJPEGACTables} {
		if v, ok := s.values(tag, uint64(samples), 0, most); ok {
			o.tables[i] = v
		}
	}
	return o
}

// bytesAt returns n bytes of the file, or as many of them as there are; 0 is all that follow.
func bytesAt(data []byte, from, n uint64) []byte {
	if from == 0 || from >= uint64(len(data)) {
		return nil
	}
	if data = data[from:]; n > 0 && n < uint64(len(data)) {
		data = data[:n]
	}
	return data
}

// oldHeader reads the header of the JPEG that the strips of a page make, or makes one of the tables' tags.
func (l *layout) oldHeader(data []byte) (h jpegHeader, err error) {
	stream := bytesAt(data, uint64(l.old.stream), uint64(l.old.length))
	var first []byte
	if len(l.offsets) > 0 {
		first = l.strip(data, 0)
	}
	all := append(append([]byte{}, stream...), first...)
	if len(all) == 0 {
		return h, io.ErrUnexpectedEOF
	}
	if all[0] != 0xff { // the strips have no markers
		return l.tablesHeader(data, all)
	}
	if all[1] != markerSOI {
		all = append([]byte{0xff, markerSOI}, all...)
	}
	if h, err = readJPEGHeader(all); err == nil && (len(h.frame) < 6 || h.scan == nil) {
		err = errors.New("its old JPEG has no picture")
	}
	return h, err
}

// strip returns the bytes of a strip.
func (l *layout) strip(data []byte, i int) []byte {
	n := uint64(0)
	if i < len(l.counts) {
		n = l.counts[i]
	}
	return bytesAt(data, l.offsets[i], n)
}

// tablesHeader makes the header of a JPEG whose tables are at the places in the
// tags.
func (l *layout) tablesHeader(data, scan []byte) (h jpegHeader, err error) {
	segment := func(marker byte, body ...byte) {
		h.segments = append(h.segments, append([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...))
	}
	var numbers [3][]byte // of the tables that each component has
	for kind, offsets := range l.old.tables {
		if len(offsets) == 0 || offsets[0] == 0 {
			return h, errors.New("its old JPEG has no tables")
		}
		number := byte(0)
		for i := range l.samples {
			if i < len(offsets) && offsets[i] != 0 && (i == 0 || offsets[i] != offsets[i-1]) {
				number = byte(i)
				t := bytesAt(data, offsets[i], 0)
				size := 64
				if kind > 0 {
					if size = 16; len(t) >= size {
						for _, n := range t[:16] {
							size += int(n)
						}
					}
				}
				if len(t) < size {
					return h, io.ErrUnexpectedEOF
				}
				marker, id := byte(markerDQT), number
				if kind > 0 {
					marker, id = markerDHT, number|byte(kind-1)<<4
				}
				segment(marker, append([]byte{id}, t[:size]...)...)
			}
			numbers[kind] = append(numbers[kind], number)
		}
	}
	frame := []byte{8, byte(l.h >> 8), byte(l.h), byte(l.w >> 8), byte(l.w), byte(l.samples)}
	start := []byte{byte(l.samples)}
	for i := range l.samples {
		sampling := byte(0x11)
		if i == 0 {
			sampling = byte(l.subH<<4 | l.subV)
		}
		frame = append(frame, byte(i), sampling, numbers[0][i])
		start = append(start, byte(i), numbers[1][i]<<4|numbers[2][i])
	}
	segment(markerSOF0, frame...)
	h.frame = frame
	start = append(start, 0, 63, 0)
	h.scan = append([]byte{0xff, markerSOS, 0, byte(len(start) + 2)}, start...)
	h.scan = append(h.scan, scan...)
	return h, nil
}

// subsampleAsOldJPEG takes the subsampling from the JPEG.
func (l *layout) subsampleAsOldJPEG(data []byte) {
	if h, err := l.oldHeader(data); err == nil {
		if x, y, ok := h.sampling(0); ok {
			l.subH, l.subV = x, y
		}
	}
}

// oldJPEG decodes a picture of the old JPEG compression, whose strips are one JPEG, as libtiff
// does for Pillow.
func (c *chunks) oldJPEG(img *pillow.Image) error {
	t, err := c.ycbcrTables()
	if err != nil {
		return err
	}
	h, err := c.oldHeader(c.data)
	if err != nil {
		return err
	}
	if c.tiled || c.planar == 2 || h.components() != c.samples || c.bits != 8 {
		return errors.New("its old JPEG is in tiles or planes, which is not supported")
	}
	height, width := int(binary.BigEndian.Uint16(h.frame[1:])), int(binary.BigEndian.Uint16(h.frame[3:]))
	if width != c.w || height < c.h {
		return fmt.Errorf("its old JPEG has %d×%d pixels; want %d×%d", width, height, c.w, c.h)
	}
	for i := 1; i < c.samples; i++ {
		if x, y, ok := h.sampling(i); !ok || x != 1 || y != 1 {
			return errors.New("its old JPEG is subsampled in a way that is not supported")
		}
	}
	data, err := c.oldStream(h)
	if err != nil {
		return err
	}
	pix, _, err := jpeg.Decode(data, jpeg.Options{Components: true})
	if err != nil {
		return err
	}
	*img = *newLike(img)
	t.planes(rgbArea{img, 0, 0, c.w, c.h}, pix, 3*c.w, 3, 1)
	return nil
}

// oldStream makes a JPEG of a header and the strips, between which are restarts.
func (c *chunks) oldStream(h jpegHeader) ([]byte, error) {
	restart := c.old.restart
	if c.tileH < c.h {
		if c.tileH%(8*c.subV) != 0 {
			return nil, fmt.Errorf("the strips of its old JPEG have %d rows; want a multiple of %d", c.tileH, 8*c.subV)
		}
		restart = ceil(c.w, 8*c.subH) * (c.tileH / (8 * c.subV))
	}
	out := []byte{0xff, markerSOI}
	given := false
	for _, s := range h.segments {
		given = given || s[1] == markerDRI
		out = append(out, s...)
	}
	if restart > 0 && !given {
		out = append(out, 0xff, markerDRI, 0, 4, byte(restart>>8), byte(restart))
	}
	out = append(out, h.scan...)
	for i := 1; i < len(c.offsets); i++ {
		s := c.strip(c.data, i)
		if c.budget -= len(s); c.budget < 0 {
			return nil, errOverlap
		}
		out = append(out, 0xff, markerRST0+byte((i-1)%8))
		out = append(out, s...)
	}
	return append(out, 0xff, markerEOI), nil
}
