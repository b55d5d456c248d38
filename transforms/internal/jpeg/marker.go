package jpeg

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
)

// Errors of [Decode] and [ReadHeader], for errors.Is.
var (
	ErrTruncated   = errors.New("the picture is truncated")
	ErrUnsupported = errors.New("this kind of JPEG is not read; save the picture again as a baseline or progressive one")
)

// processes are the kinds of JPEG, from SOF0 on, that are not read.
var processes = [16]string{
	3: "lossless", 5: "hierarchical", 6: "hierarchical", 7: "hierarchical", 9: "arithmetic coding",
	10: "arithmetic coding", 11: "arithmetic coding", 13: "arithmetic coding", 14: "arithmetic coding", 15: "arithmetic coding",
}

// unsupported says what is not read.
func unsupported(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrUnsupported)
}

// The markers that mean something here.
const (
	sof0  = 0xc0 // baseline
	sof2  = 0xc2 // progressive
	dht   = 0xc4
	dac   = 0xcc
	rst0  = 0xd0
	soi   = 0xd8
	eoi   = 0xd9
	sos   = 0xda
	dqt   = 0xdb
	dnl   = 0xdc
	dri   = 0xdd
	dhp   = 0xde
	exp   = 0xdf
	app0  = 0xe0
	app14 = 0xee
	com   = 0xfe
	tem   = 0x01
)

// A Header is what is known of a JPEG before it is decoded.
type Header struct {
	W, H     int
	Channels int // 1 is grey, 3 RGB, 4 CMYK
}

// MaxSide is libjpeg's JPEG_MAX_DIMENSION.
const MaxSide = 65500

// A component is a channel as it is stored.
type component struct {
	id, table int
	h, v      int // blocks in an MCU
	bw, bh    int // in blocks, without what fills up the last MCU
	pw, ph    int // in blocks, with it

	quant [128]uint16 // for a pair of blocks; zero before the component's first scan

	dcTable, acTable *table
	dc               int32 // the last one

	scanned bool
	bits    [64]int8 // of progressive coefficients, how many lower bits are not there yet; -1 is all
	coefs   []int16  // all pairs of blocks, where the picture comes in several scans
	masks   []uint64 // of each of these blocks, which coefficients are not 0, the first being the lowest bit

	pairs [4][pairSize]int16 // one for each row of blocks in an MCU, where it comes in one
	full  [4]bool            // whether the blocks of the pair have AC coefficients
	plane plane
}

// A decoder reads one JPEG.
type decoder struct {
	data []byte
	pos  int // of what comes after the last marker segment

	Header
	frame       bool
	progressive bool
	comps       []*component
	maxH, maxV  int
	mw, mh      int // in MCUs

	quants   [4]*[64]uint16 // in zigzag order
	dcTables [4]*table
	acTables [4]*table
	restart  int // MCUs between restarts; 0 is none
	jfif     bool
	adobe    int // the Adobe segment's transform; -1 is no such segment

	scans int
	start int    // of the last scan
	clean []byte // the part of its data that is read, without stuffing
	short bool   // more data were needed than there are
}

// next goes to the next marker and returns it.
func (d *decoder) next() (byte, error) {
	for {
		i := bytes.IndexByte(d.data[d.pos:], 0xff)
		if i < 0 {
			d.pos = len(d.data)
			return 0, ErrTruncated
		}
		d.pos += i + 1
		for d.pos < len(d.data) && d.data[d.pos] == 0xff {
			d.pos++
		}
		if d.pos == len(d.data) {
			return 0, ErrTruncated
		}
		m := d.data[d.pos]
		d.pos++
		if m != 0 {
			return m, nil
		}
	}
}

// segment returns what the segment of marker m holds.
func (d *decoder) segment(m byte) ([]byte, error) {
	rest := d.data[d.pos:]
	if len(rest) < 2 {
		return nil, ErrTruncated
	}
	n := int(rest[0])<<8 | int(rest[1])
	switch {
	case n < 2 && (m >= app0 || m == dnl):
		d.pos += 2 // libjpeg overlooks it where it does not need the segment
		return nil, nil
	case n < 2:
		return nil, errors.New("a segment is damaged")
	case n > len(rest):
		return nil, ErrTruncated
	}
	d.pos += n
	return rest[2:n], nil
}

// header reads up to a scan's data, or to the end of the picture, and returns the scan's header.
func (d *decoder) header() (scan []byte, err error) {
	for {
		m, err := d.next()
		if err != nil {
			return nil, err
		}
		switch {
		case m == eoi:
			return nil, nil
		case m == soi:
			return nil, errors.New("a second picture begins within it")
		case m == tem || m >= rst0 && m < rst0+8:
			continue
		case m < sof0 || m > app0+15 && m != com:
			return nil, fmt.Errorf("it has an unknown marker, %#x", m)
		}
		at := d.pos
		s, err := d.segment(m)
		if err != nil {
			return nil, err
		}
		switch m {
		case sos:
			if !d.frame {
				return nil, errors.New("a scan comes before the frame")
			}
			d.start = at
			return s, nil
		case dqt:
			err = d.quantTables(s)
		case dht:
			err = d.huffmanTables(s)
		case dri:
			if len(s) != 2 {
				return nil, errors.New("its restart interval is damaged")
			}
			d.restart = int(s[0])<<8 | int(s[1])
		case app0:
			d.jfif = d.jfif || len(s) >= 14 && string(s[:5]) == "JFIF\x00"
		case app14:
			if len(s) >= 12 && string(s[:5]) == "Adobe" {
				d.adobe = int(s[11])
			}
		case sof0, sof0 + 1, sof2:
			err = d.startFrame(s, m == sof2)
		default:
			switch {
			case m < sof0+16 && m != dac:
				err = unsupported("%s", cmp.Or(processes[m-sof0], "an extension"))
			case m == dhp || m == exp:
				err = unsupported("hierarchical")
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (d *decoder) quantTables(s []byte) error {
	for len(s) > 0 {
		wide, id := int(s[0]>>4), s[0]&15
		size := 64
		if wide != 0 {
			size = 128
		}
		if id > 3 || len(s) < 1+size {
			return errors.New("a quantization table is damaged")
		}
		t := new([64]uint16)
		for k := range t {
			if wide != 0 {
				t[k] = uint16(s[1+2*k])<<8 | uint16(s[2+2*k])
			} else {
				t[k] = uint16(s[1+k])
			}
		}
		d.quants[id] = t
		s = s[1+size:]
	}
	return nil
}

func (d *decoder) huffmanTables(s []byte) error {
	for len(s) > 0 {
		if len(s) < 17 || s[0]&0xef > 3 {
			return errHuffman
		}
		var counts [17]uint8
		var symbols [256]uint8
		n := 0
		for l, c := range s[1:17] {
			counts[l+1] = c
			n += int(c)
		}
		if n > 256 || len(s) < 17+n {
			return errHuffman
		}
		copy(symbols[:], s[17:17+n])
		tables, dc := &d.acTables, s[0] < 4
		if dc {
			tables = &d.dcTables
		}
		tables[s[0]&3] = &table{counts: counts, symbols: symbols, dc: dc}
		s = s[17+n:]
	}
	return nil
}

func (d *decoder) startFrame(s []byte, progressive bool) error {
	switch {
	case d.frame:
		return errors.New("it has two frames")
	case len(s) < 6 || len(s) != 6+3*int(s[5]):
		return errors.New("its frame is damaged")
	case s[0] != 8:
		return unsupported("%d bits a sample", s[0])
	}
	d.frame, d.progressive = true, progressive
	d.H, d.W, d.Channels = int(s[1])<<8|int(s[2]), int(s[3])<<8|int(s[4]), int(s[5])
	switch {
	case d.W == 0 || d.H == 0:
		return errors.New("it has no pixels")
	case d.W > MaxSide || d.H > MaxSide:
		return unsupported("%d×%d pixels", d.W, d.H)
	case d.Channels != 1 && d.Channels != 3 && d.Channels != 4:
		return unsupported("%d components", d.Channels)
	}
	for i := range d.Channels {
		q := s[6+3*i:]
		c := &component{id: int(q[0]), h: int(q[1] >> 4), v: int(q[1] & 15), table: int(q[2])}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return errors.New("its subsampling is damaged")
		}
		for k := range c.bits {
			c.bits[k] = -1
		}
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
		d.comps = append(d.comps, c)
	}
	d.mw, d.mh = ceil(d.W, 8*d.maxH), ceil(d.H, 8*d.maxV)
	for _, c := range d.comps {
		c.bw, c.bh = ceil(d.W*c.h, 8*d.maxH), ceil(d.H*c.v, 8*d.maxV)
		c.pw, c.ph = d.mw*c.h, d.mh*c.v
	}
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }
