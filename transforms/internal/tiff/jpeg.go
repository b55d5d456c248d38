package tiff

import (
	"errors"
	"fmt"

	"github.com/torchhub/torchhub/transforms/internal/jpeg"
)

// The markers of a JPEG that a strip or tile is made of.
const (
	markerSOF0  = 0xc0
	markerDHT   = 0xc4
	markerDAC   = 0xcc
	markerRST0  = 0xd0
	markerSOI   = 0xd8
	markerEOI   = 0xd9
	markerSOS   = 0xda
	markerDQT   = 0xdb
	markerDRI   = 0xdd
	markerAdobe = 0xee
	markerAPP15 = 0xef
	markerCOM   = 0xfe
	markerTEM   = 0x01
)

// A jpegHeader is the part of a JPEG before the first scan.
type jpegHeader struct {
	segments [][]byte // those that are needed to decode, with their markers
	frame    []byte   // of them the frame, without its marker and length
	scan     []byte   // all from the first scan's marker on
}

// readJPEGHeader reads up to the first scan, or to the end of a JPEG of tables.
func readJPEGHeader(data []byte) (h jpegHeader, err error) {
	if len(data) < 2 || data[0] != 0xff || data[1] != markerSOI {
		return h, errors.New("a JPEG in it has no beginning")
	}
	for pos := 2; ; {
		for pos < len(data) && data[pos] != 0xff {
			pos++
		}
		for pos+1 < len(data) && data[pos+1] == 0xff {
			pos++
		}
		if pos+1 >= len(data) {
			return h, nil
		}
		m := data[pos+1]
		switch {
		case m == 0 || m == markerTEM || m >= markerRST0 && m < markerSOI:
			pos += 2
			continue
		case m == markerEOI:
			return h, nil
		case m == markerSOS:
			h.scan = data[pos:]
			return h, nil
		}
		if pos+4 > len(data) {
			return h, nil
		}
		// libjpeg overlooks a length below 2 if it does not need the segment.
		end := pos + 2 + max(int(data[pos+2])<<8|int(data[pos+3]), 2)
		if m < markerSOF0 || m > markerAPP15 && m != markerCOM || end > len(data) {
			return h, fmt.Errorf("a JPEG in it has a damaged segment %#x", m)
		}
		segment := data[pos:end]
		isFrame := m >= markerSOF0 && m < markerSOF0+16 && m != markerDHT && m != markerDAC
		if isFrame && h.frame == nil {
			h.frame = segment[4:]
		}
		if isFrame || m == markerDHT || m == markerDAC || m == markerDQT || m == markerDRI {
			h.segments = append(h.segments, segment)
		}
		pos = end
	}
}

// sampling returns by how much component i is finer than the coarsest that can be. ok is false where the frame is damaged.
func (h jpegHeader) sampling(i int) (x, y int, ok bool) {
	if at := 6 + 3*i + 1; at < len(h.frame) {
		return int(h.frame[at] >> 4), int(h.frame[at] & 15), true
	}
	return 0, 0, false
}

// components returns how many components the frame has.
func (h jpegHeader) components() int {
	if len(h.frame) < 6 {
		return 0
	}
	return int(h.frame[5])
}

// subsampleAsJPEG takes the subsampling from the first strip or tile, as libtiff does because the tag is
// often missing or wrong.
func (l *layout) subsampleAsJPEG(data []byte) {
	if l.counts == nil || l.offsets[0] > uint64(len(data)) {
		return
	}
	h, err := readJPEGHeader(data[l.offsets[0]:])
	if err != nil || h.components() != l.samples || len(h.frame) < 6+3*l.samples {
		return
	}
	for i := 1; i < l.samples; i++ {
		if x, y, _ := h.sampling(i); x != 1 || y != 1 {
			return
		}
	}
	if x, y, _ := h.sampling(0); subsampled(x) && subsampled(y) {
		l.subH, l.subV = x, y
	}
}

// decodeJPEG decodes a strip or tile that is a JPEG, whose tables may be in a tag.
func (l *layout) decodeJPEG(dst, src []byte) error {
	h, err := l.jpegHeader(src)
	if err != nil {
		return err
	}
	samples := l.samples
	if l.planar == 2 {
		samples = 1
	}
	if h.components() != samples || l.bits != 8 || h.frame[0] != 8 {
		return fmt.Errorf("a JPEG in it has %d components of %d bits; want %d of %d", h.components(), h.frame[0], samples, l.bits)
	}
	for i := range samples {
		x, y, ok := h.sampling(i)
		wantX, wantY := 1, 1
		if i == 0 && l.rgb {
			wantX, wantY = l.subH, l.subV
		}
		if !ok || x != wantX || y != wantY {
			return fmt.Errorf("a JPEG in it is subsampled by %d×%d; want %d×%d", x, y, wantX, wantY)
		}
	}
	stride := l.rowBytes()
	width, rows := stride/samples, len(dst)/stride
	height, w := int(h.frame[1])<<8|int(h.frame[2]), int(h.frame[3])<<8|int(h.frame[4])
	// The JPEG of the last strip may have as many rows as those of the others.
	if w > width || height > rows && (w != width || l.tiled || rows == l.tileH) {
		return fmt.Errorf("a JPEG in it has %d×%d pixels; want %d×%d", w, height, width, rows)
	}
	pix, _, err := jpeg.Decode(h.join(l.rgb), jpeg.Options{Components: !l.rgb})
	if err != nil {
		return err
	}
	clear(dst) // the JPEG may be smaller
	for y := range min(rows, height) {
		copy(dst[y*stride:], pix[y*w*samples:][:w*samples])
	}
	return nil
}

// jpegHeader reads the header of a strip or tile, with the tables of the tag.
func (l *layout) jpegHeader(src []byte) (jpegHeader, error) {
	h, err := readJPEGHeader(src)
	if err != nil {
		return h, err
	}
	if len(h.frame) < 6 || h.scan == nil {
		return h, errors.New("a JPEG in it has no picture")
	}
	if l.tables == nil {
		return h, nil
	}
	tables, err := readJPEGHeader(l.tables)
	if err != nil {
		return h, err
	}
	if tables.frame != nil || tables.scan != nil {
		return h, errors.New("the tables of its JPEGs are a picture")
	}
	segments := h.segments
	h.segments = nil
	for _, s := range tables.segments {
		if s[1] != markerDRI { // of each JPEG its own
			h.segments = append(h.segments, s)
		}
	}
	h.segments = append(h.segments, segments...)
	return h, nil
}

// join makes a JPEG whose colors are YCbCr if the TIFF defines them so, regardless of
// the JPEG's own markers. libjpeg adds an end to data that have none.
func (h jpegHeader) join(ycbcr bool) []byte {
	out := []byte{0xff, markerSOI}
	for _, s := range h.segments {
		out = append(out, s...)
	}
	if ycbcr {
		out = append(out, 0xff, markerAdobe, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 1)
	}
	out = append(out, h.scan...)
	return append(out, 0xff, markerEOI)
}
