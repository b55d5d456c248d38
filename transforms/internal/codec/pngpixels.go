package codec

import (
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/torchhub/torchhub/transforms/internal/inflate"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A pngPart is a chunk of pixels.
type pngPart struct {
	pngChunk
	begin, end int // its range in the concatenated content
	sequence   int // the number of the animation's last chunk
}

// parts returns the concatenated content of the chunks with pixels, the chunks, and the error that ends the series.
func (f *pngFile) parts() (src []byte, parts []pngPart, err error) {
	c := f.tile
	for {
		body := f.data[c.at:min(c.at+c.len, len(f.data))]
		begin := len(src)
		if parts == nil {
			src = body[:len(body):len(body)]
		} else {
			src = append(src, body...)
		}
		parts = append(parts, pngPart{c, begin, len(src), f.animation.sequence})
		if len(body) < c.len {
			return src, parts, io.ErrUnexpectedEOF
		}
		f.at = c.at + c.len + 4
		if c, err = f.next(); err != nil {
			return src, parts, err
		}
		switch c.kind {
		case "IDAT", "DDAT":
		case "fdAT":
			if c, err = f.animation.data(f, c); err != nil {
				return src, parts, err
			}
		default:
			return src, parts, io.ErrUnexpectedEOF
		}
	}
}

// piece is the maximum number of bytes of a chunk that Pillow passes to zlib at a time.
const piece = 1 << 16

// decode decodes the pixels into p. It returns the last chunk whose bytes it needed.
//
// Like Pillow, it stops after the last row, or earlier if the stream ends properly after a row. It
// then verifies only what zlib finds in the same piece of the file: a wrong checksum in it is an error, but
// the file may also be cut off there, or hold more rows.
func (f *pngFile) decode(p *pillow.Image) (last pngChunk, err error) {
	if f.box.Empty() || !f.box.In(p.Bounds()) {
		return last, fmt.Errorf("its pixels at %v are not in the picture of %v", f.box, p.Bounds())
	}
	if f.layout.mode != p.Mode {
		return last, errors.New("it has a second header, of another kind of pixels")
	}
	src, parts, ending := f.parts()
	z := inflate.NewReader(src)
	rows := newPNGRows(f, p)
	got := 0 // of the row
	for _, part := range parts {
		f.animation.sequence = part.sequence
		for limit := part.begin; limit < part.end; {
			limit = min(limit+piece, part.end)
			for z.Offset() < limit {
				n, err := z.Read(rows.now[got:rows.length+1], limit)
				if err != nil && err != io.EOF {
					return last, err
				}
				if got += n; got <= rows.length {
					break // the rest is in the next piece
				}
				got = 0
				if err := rows.put(); err != nil {
					return last, err
				}
				if rows.done || err == io.EOF {
					return part.pngChunk, nil
				}
			}
		}
	}
	return last, ending
}

// pngRows puts rows into a picture.
type pngRows struct {
	layout     *pngLayout
	p          *pillow.Image
	w, h       int
	at         image.Point // of the first row
	interlaced bool

	now, before []uint8 // this row and the one before it, each preceded by its filter
	length      int     // of the row
	y, pass     int
	done        bool
}

// adam7 lists the passes of an interlaced PNG: first column, first row, and steps.
var adam7 = [7]struct{ x, y, dx, dy int }{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

func newPNGRows(f *pngFile, p *pillow.Image) *pngRows {
	r := &pngRows{layout: &f.layout, p: p, w: f.box.Dx(), h: f.box.Dy(), at: f.box.Min, interlaced: f.interlaced}
	if f.interlaced && !f.loaded {
		// Pillow ignores the place of interlaced pixels, and fails to read those of later frames.
		r.at = image.Point{}
	}
	r.length = (r.w*r.layout.bits + 7) / 8
	r.now, r.before = make([]uint8, r.length+1), make([]uint8, r.length+1)
	if r.interlaced {
		r.length = r.passLength()
	}
	return r
}

// passPixels returns how many pixels a row of the pass has, and passLength how many bytes.
func (r *pngRows) passPixels() int {
	a := adam7[r.pass]
	return (r.w - a.x + a.dx - 1) / a.dx
}

func (r *pngRows) passLength() int { return (r.passPixels()*r.layout.bits + 7) / 8 }

// put stores a row and begins the next.
func (r *pngRows) put() error {
	row := r.now[1 : r.length+1]
	if err := unfilter(r.now[0], row, r.before[1:r.length+1], (r.layout.bits+7)/8); err != nil {
		return err
	}
	n := r.p.Mode.BytesPerPixel()
	if !r.interlaced {
		r.layout.unpack(r.p.Pix[n*((r.at.Y+r.y)*r.p.W+r.at.X):], 1, row, r.w)
		r.y++
		r.done = r.y == r.h
	} else {
		a := adam7[r.pass]
		r.layout.unpack(r.p.Pix[n*((r.at.Y+r.y)*r.p.W+r.at.X+a.x):], a.dx, row, r.passPixels())
		r.y += a.dy
		for r.y >= r.h || r.length == 0 {
			if r.pass++; r.pass == len(adam7) {
				r.done = true
				return nil
			}
			r.y, r.length = adam7[r.pass].y, r.passLength()
			clear(r.now)
		}
	}
	r.now, r.before = r.before, r.now
	return nil
}

// unpack writes n pixels of a row, step pixels apart.
func (l *pngLayout) unpack(to []uint8, step int, row []uint8, n int) {
	size := l.mode.BytesPerPixel()
	switch {
	case l.bits < 8:
		scale := map[pillow.Mode]uint8{pillow.ModeP: 1}[l.mode]
		if scale == 0 {
			scale = 255 / (1<<l.bits - 1)
		}
		for i := range n {
			at := i * l.bits
			to[i*step] = row[at/8] >> (8 - l.bits - at%8) & (1<<l.bits - 1) * scale
		}
	case l.depth == 8 && step == 1:
		copy(to[:size*n], row)
	case l.depth == 8:
		for i := range n {
			copy(to[i*step*size:][:size], row[i*size:])
		}
	case l.mode == pillow.ModeI16:
		for i := range n {
			to[2*i*step], to[2*i*step+1] = row[2*i+1], row[2*i]
		}
	case l.colors == pngGrayAlpha:
		for i := range n {
			v := row[4*i]
			q := to[4*i*step:][:4]
			q[0], q[1], q[2], q[3] = v, v, v, row[4*i+2]
		}
	default:
		for i := range n {
			for c := range size {
				to[i*step*size+c] = row[2*(i*size+c)]
			}
		}
	}
}

// unfilter reverses the filter of a row of pixels of n bytes.
func unfilter(filter uint8, row, before []uint8, n int) error {
	before = before[:len(row)]
	switch filter {
	case 0:
	case 1:
		for i := n; i < len(row); i++ {
			row[i] += row[i-n]
		}
	case 2:
		for i, b := range before {
			row[i] += b
		}
	case 3:
		for i := range min(n, len(row)) {
			row[i] += before[i] / 2
		}
		for i := n; i < len(row); i++ {
			row[i] += uint8((int(row[i-n]) + int(before[i])) / 2)
		}
	case 4:
		paeth(row, before, n)
	default:
		return fmt.Errorf("a row has the unknown filter %d", filter)
	}
	return nil
}

// paeth adds to each byte that of its neighbors left, above and above left that is nearest to
// left plus above minus above left.
func paeth(row, before []uint8, n int) {
	for first := range min(n, len(row)) {
		var left, corner int
		for i := first; i < len(row); i += n {
			above := int(before[i])
			up, across := above-corner, left-corner
			both := up + across
			up, across, both = max(up, -up), max(across, -across), max(both, -both)
			near := corner
			if up <= across && up <= both {
				near = left
			} else if across <= both {
				near = above
			}
			left, corner = int(row[i]+uint8(near)), above
			row[i] = uint8(left)
		}
	}
}
