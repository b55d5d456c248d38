// Package jpeg decodes JPEGs to the pixels that libjpeg-turbo makes of them with its accurate
// integer DCT and fancy upsampling, which are Pillow's, to the last bit: sequential
// and progressive ones of 1, 3 and 4 components, of any subsampling, with Huffman or arithmetic coding. Coefficients that are
// missing are estimated as libjpeg-turbo does it. It encodes pictures to the same bytes.
//
// It exists because a picture's pixels should not depend on installed libraries (image/jpeg has others),
// and because it can decode only a part of the picture, without computing the rest.
package jpeg

import (
	"bytes"
	"errors"
	"image"
	"sync"
)

// Options are the options of decoding.
type Options struct {
	Draft  image.Point                    // the least size of a picture that is decoded smaller; zero decodes all of it
	Pix    []uint8                        // memory that may be used for the pixels
	Region func(w, h int) image.Rectangle // the part to decode; other pixels are undefined; nil stands for all

	// Components returns the components without conversion of their colors, and those that
	// are coarser repeated and not interpolated. There may be two, too. TIFF needs it.
	Components bool
}

func open(data []byte, components bool) (*decoder, []byte, error) {
	if len(data) < 3 {
		return nil, nil, ErrTruncated
	}
	if !bytes.HasPrefix(data, []byte{0xff, soi}) {
		return nil, nil, errors.New("it is not a JPEG")
	}
	d := &decoder{data: data, components: components}
	for {
		if rest := data[d.pos:]; len(rest) < 2 {
			return nil, nil, ErrTruncated
		} else if rest[0] != 0xff || rest[1] != soi {
			return nil, nil, errors.New("it has no picture")
		}
		d.pos += 2
		d.begin()
		scan, err := d.header()
		if err != nil || scan != nil || d.frame {
			if err == nil && scan == nil {
				err = errors.New("it has no picture")
			}
			return d, scan, err
		}
		// What ended has tables alone, and the picture may come after it.
	}
}

// ReadHeader reads the header of a JPEG.
func ReadHeader(data []byte) (Header, error) {
	d, _, err := open(data, false)
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
// end too early are ErrTruncated. It refuses what libjpeg refuses, given a part of the file at a time as Pillow does, but for
// arithmetic coding: its scans may be larger than such a part.
func Decode(data []byte, o Options) ([]uint8, Header, error) {
	d, header, err := open(data, o.Components)
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
	clean := cleans.Get().(*[]byte)
	d.clean = *clean
	defer func() {
		*clean = d.clean
		cleans.Put(clean)
	}()
	s.fill()
	single := !d.progressive && len(s.comps) == d.Channels
	streamed := single && !d.arithmetic && !s.delicate()
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
	if streamed {
		r.stream(s)
	} else {
		s.all()
	}
	if single {
		err = d.finish()
	} else {
		err = d.others()
	}
	if d.short {
		err = ErrTruncated
	}
	if err != nil {
		return nil, Header{}, err
	}
	if !streamed {
		r.coefficients()
	}
	return pix, result, nil
}

// maxMissing bounds the blocks that a file may have no bits for.
const maxMissing = 1 << 20

// keep makes room for all coefficients.
func (d *decoder) keep() error {
	blocks := 0
	for _, c := range d.comps {
		blocks += c.bw * c.bh
	}
	// A block has a bit at the least, but where scans are missing. Of a large picture a small part is refused.
	if blocks > 8*len(d.data) && blocks > maxMissing {
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

// finish reads the rest of the file after a single scan.
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

// others reads all scans but the first into the components' coefficients.
func (d *decoder) others() error {
	for !d.short {
		header, err := d.header()
		if err != nil || header == nil {
			return err
		}
		s, err := d.newScan(header)
		if err != nil {
			return err
		}
		s.fill()
		s.all()
	}
	return ErrTruncated
}

// ended reports whether an end marker comes after the scan that was read last.
func (d *decoder) ended() bool { return bytes.LastIndex(d.data[d.start:], []byte{0xff, eoi}) >= 0 }
