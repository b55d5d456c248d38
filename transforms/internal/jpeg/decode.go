// Package jpeg decodes JPEGs to the pixels that libjpeg-turbo makes of them with its accurate
// integer DCT and fancy upsampling, which are Pillow's, to the last bit: baseline
// and progressive ones of 1, 3 and 4 components, of any subsampling. It encodes them to the same bytes.
//
// It exists because a picture's pixels should not depend on what is installed (image/jpeg has others), and
// because of what it leaves out: where only a part of the picture is asked for, the rest is not computed.
package jpeg

import (
	"bytes"
	"errors"
	"image"
	"sync"
)

// Options say how to decode.
type Options struct {
	Draft  image.Point                    // the least size of a picture that is decoded smaller; zero decodes all of it
	Pix    []uint8                        // memory that the pixels may lie in; they need not
	Region func(w, h int) image.Rectangle // the pixels that are wanted; the others may be anything. nil wants all
}

func open(data []byte) (*decoder, []byte, error) {
	if len(data) < 3 {
		return nil, nil, ErrTruncated
	}
	if !bytes.HasPrefix(data, []byte{0xff, soi}) {
		return nil, nil, errors.New("it is no JPEG")
	}
	d := &decoder{data: data, pos: 2, adobe: -1}
	scan, err := d.header()
	if err == nil && scan == nil {
		err = errors.New("it has no picture")
	}
	return d, scan, err
}

// ReadHeader reads the header of a JPEG.
func ReadHeader(data []byte) (Header, error) {
	d, _, err := open(data)
	if err != nil {
		return Header{}, err
	}
	return d.Header, nil
}

// scale returns that of Image.draft: the smallest picture that is no smaller than asked for, of 1/1, 1/2, 1/4 and 1/8.
func (h Header) scale(draft image.Point) int {
	for s := 8; s > 1; s /= 2 {
		if draft.X > 0 && draft.Y > 0 && min(h.W/draft.X, h.H/draft.Y) >= s {
			return s
		}
	}
	return 1
}

// Decode decodes a JPEG, and returns the size it has then. Its channels are as they are in the file: Adobe's CMYK is
// inverted. Damaged data are decoded as far as they go, as libjpeg does, and data that
// end too early are ErrTruncated.
func Decode(data []byte, o Options) ([]uint8, Header, error) {
	d, header, err := open(data)
	if err != nil {
		return nil, Header{}, err
	}
	scale := d.scale(o.Draft)
	w, h := ceil(d.W, scale), ceil(d.H, scale)
	result := Header{w, h, d.Channels}
	region := image.Rect(0, 0, w, h)
	if o.Region != nil {
		region = region.Intersect(o.Region(w, h))
	}
	if d.Channels == 1 { // alone it is not coarser than anything
		c := d.comps[0]
		c.h, c.v, d.maxH, d.maxV, d.mw, d.mh, c.pw, c.ph = 1, 1, 1, 1, c.bw, c.bh, c.bw, c.bh
	}
	s, err := d.newScan(header)
	if err != nil {
		return nil, Header{}, err
	}
	streamed := !d.progressive && len(s.comps) == d.Channels
	if !streamed {
		if err := d.keep(); err != nil {
			return nil, Header{}, err
		}
	}
	n := d.Channels * w * h
	pix := o.Pix
	if cap(pix) < n {
		pix = make([]uint8, n)
	}
	pix = pix[:n]
	if region.Empty() {
		return pix, result, nil
	}
	r, err := newRenderer(d, pix, w, h, 8/scale, region)
	if err != nil {
		return nil, Header{}, err
	}
	clean := cleans.Get().(*[]byte)
	d.clean = *clean
	defer func() {
		*clean = d.clean
		cleans.Put(clean)
	}()
	if streamed {
		r.stream(s)
		err = d.finish()
	} else if err = d.scansAll(s); err == nil {
		r.coefficients()
	}
	if d.short {
		err = ErrTruncated
	}
	if err != nil {
		return nil, Header{}, err
	}
	return pix, result, nil
}

// keep makes room for all coefficients.
func (d *decoder) keep() error {
	blocks := 0
	for _, c := range d.comps {
		blocks += c.bw * c.bh
	}
	if blocks > 8*len(d.data) { // which have a bit each, at the least
		return ErrTruncated
	}
	for _, c := range d.comps {
		c.coefs = make([]int16, pairSize*((c.pw+1)/2)*c.ph)
		if d.progressive {
			c.masks = make([]uint64, c.pw*c.ph)
		}
	}
	return nil
}

// finish reads what comes after a single scan.
func (d *decoder) finish() error {
	header, err := d.header()
	switch {
	case err == ErrTruncated: // the end marker may be missing
		return nil
	case header != nil:
		return errors.New("a scan comes after the last one")
	}
	return err
}

// cleans keeps the memory for scans' data.
var cleans = sync.Pool{New: func() any { return new([]byte) }}

// scansAll reads all scans into the components' coefficients.
func (d *decoder) scansAll(s *scan) error {
	for {
		s.all()
		if d.short {
			return ErrTruncated
		}
		header, err := d.header()
		if err != nil {
			return err
		}
		if header == nil {
			break
		}
		if s, err = d.newScan(header); err != nil {
			return err
		}
	}
	if !d.progressive {
		return nil
	}
	for _, c := range d.comps {
		for k, b := range c.bits[:10] {
			if c.bits[0] < 0 || k > 0 && b != 0 {
				return unsupported("progressive, with coefficients missing")
			}
		}
	}
	return nil
}

// ended reports whether an end marker comes after the scan that was read last.
func (d *decoder) ended() bool { return bytes.LastIndex(d.data[d.start:], []byte{0xff, eoi}) >= 0 }
