package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// gifTable is how many codes there are at most.
const gifTable = 1 << 12

// errGIFCodes is the error of codes that mean nothing.
var errGIFCodes = errors.New("the codes of its pixels are broken")

// A gifDecoder expands the codes of a picture.
type gifDecoder struct {
	data  []byte
	at    int    // the next byte
	end   int    // the end of the bytes that Pillow has read
	block int    // bytes left of a block
	bits  uint64 // read but not used
	n     int    // the number of these bits

	link [gifTable]uint16    // the code before
	last [gifTable]uint8     // the pixel after it
	text [gifTable + 1]uint8 // the pixels of a code, which end with the array
}

// code reads the next code. Like Pillow, it needs whole blocks, and skips empty ones, although they
// should end the pixels.
func (d *gifDecoder) code(size int) (int, error) {
	for d.n < size {
		if d.block == 0 {
			for d.at >= d.end || d.at+1+int(d.data[d.at]) > d.end {
				if err := d.more(); err != nil {
					return 0, err
				}
			}
			d.block = int(d.data[d.at])
			d.at++
			continue
		}
		if d.block >= 4 {
			d.bits |= uint64(binary.LittleEndian.Uint32(d.data[d.at:])) << d.n
			d.at, d.n, d.block = d.at+4, d.n+32, d.block-4
			break
		}
		d.bits |= uint64(d.data[d.at]) << d.n
		d.at, d.n, d.block = d.at+1, d.n+8, d.block-1
	}
	c := int(d.bits & (1<<size - 1))
	d.bits >>= size
	d.n -= size
	return c, nil
}

// more continues with the next piece of the file, as Pillow reads it. It fails at the end of the file.
func (d *gifDecoder) more() error {
	if d.end == len(d.data) {
		return io.ErrUnexpectedEOF
	}
	d.end = min(d.end+piece, len(d.data))
	return nil
}

// decode expands the codes of a picture into im at a place. Pixels of the color skip are not drawn.
func (f *gifFile) decode(p *gifPicture, im *pillow.Image, at image.Point, skip int) error {
	if p.box.Empty() {
		return fmt.Errorf("a picture in it has no pixels (%d×%d)", p.box.Dx(), p.box.Dy())
	}
	if p.bits > 12 {
		return fmt.Errorf("the codes of its pixels have %d bits; want 12 at most", p.bits)
	}
	rows := &gifRows{im: im, at: at, w: p.box.Dx(), h: p.box.Dy(), skip: skip, step: 1}
	if p.interlaced {
		rows.step, rows.pass = 8, 1
	}
	rows.row()
	d := &gifDecoder{data: f.data, at: p.at, end: min(p.at+piece, len(f.data))}
	clearCode := 1 << p.bits
	var next, size, before int // the first free code, the size of a code, and the code before
	var first uint8            // the first pixel of the code before
	fresh := true              // there is no code before
	for {
		if fresh {
			next, size = clearCode+2, p.bits+1
		}
		c, err := d.code(size)
		switch {
		case err != nil:
			return err
		case c == clearCode:
			fresh = true
			continue
		case c == clearCode+1: // the end, but Pillow continues if it has not read all of the file
			if err := d.more(); err != nil {
				return err
			}
			continue
		case fresh:
			if c > clearCode {
				return errGIFCodes
			}
			fresh, before, first = false, c, uint8(c)
			if rows.put([]uint8{first}) {
				return nil
			}
			continue
		case c > next:
			return errGIFCodes
		}
		n, walk := len(d.text), c
		if c == next {
			n--
			d.text[n], walk = first, before
		}
		for walk >= clearCode {
			if n == 1 || walk >= gifTable {
				return errGIFCodes
			}
			n--
			d.text[n], walk = d.last[walk], int(d.link[walk])
		}
		first = uint8(walk)
		if next < gifTable {
			d.last[next], d.link[next] = first, uint16(before)
			if next == 1<<size-1 && size < 12 {
				size++
			}
			next++
		}
		before = c
		n--
		d.text[n] = first
		if rows.put(d.text[n:]) {
			return nil
		}
	}
}

// gifRows puts pixels into a picture row by row.
type gifRows struct {
	im         *pillow.Image
	at         image.Point
	w, h, skip int
	y, step    int
	pass       int // of an interlaced picture; 0 is the last
	rest       []uint8
}

// row begins a row.
func (r *gifRows) row() {
	r.rest = r.im.Pix[(r.at.Y+r.y)*r.im.W+r.at.X:][:r.w]
}

// put stores pixels. It reports whether the picture is full.
func (r *gifRows) put(pixels []uint8) (full bool) {
	if r.skip < 0 && len(pixels) < len(r.rest) {
		r.rest = r.rest[copy(r.rest, pixels):]
		return false
	}
	for len(pixels) > 0 {
		n := min(len(pixels), len(r.rest))
		if r.skip < 0 {
			copy(r.rest, pixels[:n])
		} else {
			for i, v := range pixels[:n] {
				if int(v) != r.skip {
					r.rest[i] = v
				}
			}
		}
		r.rest, pixels = r.rest[n:], pixels[n:]
		if len(r.rest) > 0 {
			continue
		}
		for r.y += r.step; r.y >= r.h; {
			switch r.pass {
			case 1:
				r.y, r.pass = 4, 2
			case 2:
				r.y, r.pass, r.step = 2, 3, 4
			case 3:
				r.y, r.pass, r.step = 1, 0, 2
			default:
				return true
			}
		}
		r.row()
	}
	return false
}
