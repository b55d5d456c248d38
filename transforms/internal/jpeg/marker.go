package jpeg

import (
	"bytes"
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
	3: "lossless", 5: "hierarchical", 6: "hierarchical", 7: "hierarchical", 8: "an extension",
	11: "lossless", 13: "hierarchical", 14: "hierarchical", 15: "hierarchical",
}

var (
	errQuant        = errors.New("a quantization table is damaged")
	errConditioning = errors.New("the conditioning of its arithmetic coding is damaged")
)

// unsupported returns the error for a feature that is not supported.
func unsupported(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrUnsupported)
}

// The markers that mean something here.
const (
	sof0  = 0xc0 // baseline
	sof2  = 0xc2 // progressive
	sof9  = 0xc9 // with arithmetic coding
	sof10 = 0xca // both
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

// A Header is the information about a JPEG before it is decoded.
type Header struct {
	W, H     int
	Channels int // 1 is gray, 3 RGB, 4 CMYK
}

// MaxSide is libjpeg's JPEG_MAX_DIMENSION.
const MaxSide = 65500

// A component is a channel as it is stored.
type component struct {
	id, table int
	h, v      int // blocks in an MCU
	tall      int // v as the frame says, also where the component is alone
	bw, bh    int // in blocks, without what fills up the last MCU
	pw, ph    int // in blocks, with it

	quant [128]uint16 // for a pair of blocks; zero before the component's first scan

	dcTable, acTable   *table
	dcNumber, acNumber uint8 // of the statistics of arithmetic coding
	context            int   // of the next DC coefficient there
	dc                 int32 // the last one

	scanned bool
	bits    [64]int8 // of progressive coefficients, how many lower bits are not there yet; -1 is all
	before  [64]int8 // the same before the component's last scan
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

	components bool // as Options say

	Header
	frame       bool
	progressive bool
	arithmetic  bool
	comps       []*component
	maxH, maxV  int
	mw, mh      int // in MCUs

	quants   [4]*[64]uint16 // in zigzag order
	dcTables [4]*table
	acTables [4]*table
	restart  int // MCUs between restarts; 0 is none

	dcLow, dcHigh, acLow [16]uint8 // the conditioning of arithmetic coding

	jfif  bool
	adobe int // the Adobe segment's transform; -1 is no such segment

	scans int
	start int    // of the last scan
	good  int    // the last row of MCUs that the last scan had data for
	clean []byte // the part of its data that is read, without stuffing
	short bool   // more data were needed than there are
	free  int    // blocks that no data were left for, of arithmetic coding
}

// begin resets what the start of a picture resets.
func (d *decoder) begin() {
	d.restart, d.jfif, d.adobe = 0, false, -1
	for i := range d.dcHigh {
		d.dcLow[i], d.dcHigh[i], d.acLow[i] = 0, 1, 5
	}
}

// next moves to the next marker and returns it.
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

// take returns the next n bytes.
func (d *decoder) take(n int) ([]byte, error) {
	if n > len(d.data)-d.pos {
		return nil, ErrTruncated
	}
	d.pos += n
	return d.data[d.pos-n : d.pos], nil
}

// header reads up to a scan's data, or to the end of the picture, and returns the scan's header. What is wrong is found
// in libjpeg's order, since of data after the picture it overlooks that they end too early, and nothing else.
func (d *decoder) header() (scan []byte, err error) {
	for {
		m, err := d.next()
		if err != nil {
			return nil, err
		}
		at := d.pos
		switch {
		case m == eoi:
			return nil, nil
		case m == soi:
			return nil, errors.New("a second picture begins within it")
		case m == tem || m >= rst0 && m < rst0+8:
			continue
		case m < sof0 || m > app0+15 && m != com:
			return nil, fmt.Errorf("it has an unknown marker, %#x", m)
		case m == dhp || m == exp:
			return nil, unsupported("hierarchical")
		case m < sof0+16 && m != dht && m != dac && processes[m-sof0] != "":
			return nil, unsupported("%s", processes[m-sof0])
		case m < sof0+16 && m != dht && m != dac && d.frame:
			return nil, errors.New("it has two frames")
		case m == sos && !d.frame:
			return nil, errors.New("a scan comes before the frame")
		}
		length, err := d.take(2)
		if err != nil {
			return nil, err
		}
		n := int(length[0])<<8 | int(length[1]) - 2
		switch m {
		case sos:
			d.start = at
			return d.scanHeader(n)
		case dqt:
			err = d.quantTables(n)
		case dht:
			err = d.huffmanTables(n)
		case dac:
			err = d.conditioning(n)
		case dri:
			err = d.restarts(n)
		case sof0, sof0 + 1, sof2, sof9, sof10:
			err = d.startFrame(n, m == sof2 || m == sof10, m >= sof9)
		default:
			err = d.application(m, max(n, 0)) // libjpeg overlooks a length below 2 if it does not need the segment
		}
		if err != nil {
			return nil, err
		}
	}
}

// scanHeader reads n bytes that begin a scan.
func (d *decoder) scanHeader(n int) ([]byte, error) {
	count, err := d.take(1)
	if err != nil {
		return nil, err
	}
	if c := int(count[0]); c < 1 || c > 4 || n != 4+2*c {
		return nil, errors.New("a scan's header is damaged")
	}
	d.pos--
	return d.take(n)
}

// restarts reads the restart interval.
func (d *decoder) restarts(n int) error {
	if n != 2 {
		return errors.New("its restart interval is damaged")
	}
	s, err := d.take(2)
	if err == nil {
		d.restart = int(s[0])<<8 | int(s[1])
	}
	return err
}

// application reads what is of interest in a segment of n bytes that is not needed to decode.
func (d *decoder) application(m byte, n int) error {
	s, err := d.take(n)
	switch {
	case err != nil:
		d.pos = len(d.data)
	case m == app0:
		d.jfif = d.jfif || n >= 14 && string(s[:5]) == "JFIF\x00"
	case m == app14 && n >= 12 && string(s[:5]) == "Adobe":
		d.adobe = int(s[11])
	}
	return err
}

func (d *decoder) quantTables(n int) error {
	for n > 0 {
		h, err := d.take(1)
		if err != nil {
			return err
		}
		wide, id := int(h[0]>>4), h[0]&15
		size := 64
		if wide != 0 {
			size = 128
		}
		if id > 3 {
			return errQuant
		}
		s, err := d.take(size)
		if err != nil {
			return err
		}
		t := new([64]uint16)
		for k := range t {
			if wide != 0 {
				t[k] = uint16(s[2*k])<<8 | uint16(s[2*k+1])
			} else {
				t[k] = uint16(s[k])
			}
		}
		d.quants[id] = t
		n -= 1 + size
	}
	if n != 0 {
		return errQuant
	}
	return nil
}

func (d *decoder) huffmanTables(n int) error {
	for n > 16 {
		h, err := d.take(17)
		if err != nil {
			return err
		}
		t := &table{}
		count := 0
		for l, c := range h[1:] {
			t.counts[l+1] = c
			count += int(c)
		}
		if n -= 17 + count; count > 256 || n < 0 {
			return errHuffman
		}
		symbols, err := d.take(count)
		switch {
		case err != nil:
			return err
		case h[0]&0xef > 3:
			return errHuffman
		}
		copy(t.symbols[:], symbols)
		tables := &d.acTables
		if t.dc = h[0] < 4; t.dc {
			tables = &d.dcTables
		}
		tables[h[0]&3] = t
	}
	if n != 0 {
		return errHuffman
	}
	return nil
}

// conditioning reads what the statistics of arithmetic coding are to distinguish.
func (d *decoder) conditioning(n int) error {
	for ; n > 0; n -= 2 {
		s, err := d.take(2)
		switch {
		case err != nil:
			return err
		case s[0] > 31 || s[0] < 16 && s[1]&15 > s[1]>>4:
			return errConditioning
		case s[0] < 16:
			d.dcLow[s[0]], d.dcHigh[s[0]] = s[1]&15, s[1]>>4
		default:
			d.acLow[s[0]-16] = s[1]
		}
	}
	if n != 0 {
		return errConditioning
	}
	return nil
}

func (d *decoder) startFrame(n int, progressive, arithmetic bool) error {
	s, err := d.take(max(n, 0))
	switch {
	case err != nil:
		return err
	case n < 6 || n != 6+3*int(s[5]):
		return errors.New("its frame is damaged")
	case s[0] != 8:
		return unsupported("%d bits a sample", s[0])
	}
	d.frame, d.progressive, d.arithmetic = true, progressive, arithmetic
	d.H, d.W, d.Channels = int(s[1])<<8|int(s[2]), int(s[3])<<8|int(s[4]), int(s[5])
	switch {
	case d.W == 0 || d.H == 0:
		return errors.New("it has no pixels")
	case d.W > MaxSide || d.H > MaxSide:
		return unsupported("%d×%d pixels", d.W, d.H)
	case d.Channels < 1 || d.Channels > 4 || d.Channels == 2 && !d.components:
		return unsupported("%d components", d.Channels)
	}
	for i := range d.Channels {
		q := s[6+3*i:]
		c := &component{id: int(q[0]), h: int(q[1] >> 4), v: int(q[1] & 15), table: int(q[2])}
		c.tall = c.v
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
