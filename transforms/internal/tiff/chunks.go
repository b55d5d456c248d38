package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// chunks decodes the strips or tiles of a page that is compressed.
type chunks struct {
	*layout
	data   []byte
	decode func(dst, src []byte) error // where it fails, dst is as far as libtiff decodes it
	budget int                         // how many compressed bytes may be decoded; chunks may share them
}

// decodeChunks decodes a page as libtiff does for Pillow.
func (p *Page) decodeChunks(img *pillow.Image, maxPixels int) error {
	if p.at != p.file.first { // libtiff has read the first directory before
		if _, err := p.file.layout(p.file.first); err != nil {
			return fmt.Errorf("its first page cannot be read: %w", err)
		}
	}
	l, err := p.file.layout(p.at)
	if err != nil {
		return err
	}
	isYCbCr := p.kind.photometric == photoYCbCr
	if l.w != p.W || l.h != p.H || isYCbCr != (l.photometric == photoYCbCr) {
		return errors.New("its tags can be read in two ways")
	}
	k := p.kind
	if isYCbCr {
		img.Mode = pillow.ModeRGB
		k = &kind{bits: 8, samples: 3, mode: img.Mode, unpack: pick(3, 3, 1)}
		l.rgb = l.compression == newJPEG && l.planar == 1
	}
	c := &chunks{layout: l, data: p.file.data, budget: 8*len(p.file.data) + 1<<24}
	if l.tiled {
		// Tiles may reach beyond the picture, but a file whose tiles are mostly that would
		// cost more time and memory than its size says.
		area := float64(ceil(l.w, l.tileW)*l.tileW) * float64(ceil(l.h, l.tileH)*l.tileH)
		if area > 1<<24 && area > 4*float64(l.w)*float64(l.h) || area > 4*float64(maxPixels) {
			return fmt.Errorf("its tiles of %d×%d pixels are too large for %d×%d", l.tileW, l.tileH, l.w, l.h)
		}
	} else if l.tileH == math.MaxUint32 {
		l.tileH = l.h
	}
	if l.compression != oldJPEG {
		if c.decode, err = l.decoder(); err != nil {
			return err
		}
	}
	switch {
	case l.compression == oldJPEG:
		return c.oldJPEG(img)
	case isYCbCr && !l.rgb:
		return c.ycbcr(img)
	case l.tiled:
		return c.tiles(img, k)
	default:
		return c.strips(img, k)
	}
}

var errOverlap = errors.New("its strips or tiles share the same bytes many times")

// chunk decodes strip or tile i into dst, which may be less than all of it.
func (c *chunks) chunk(i int, dst []byte) error {
	src, err := c.compressed(i)
	if err != nil {
		return err
	}
	return c.decode(dst, src)
}

// compressed returns the bytes of strip or tile i.
func (c *chunks) compressed(i int) ([]byte, error) {
	if i >= len(c.offsets) {
		return nil, fmt.Errorf("it has no strip or tile %d", i)
	}
	from, n := c.offsets[i], c.counts[i]
	if n == 0 {
		return nil, fmt.Errorf("its strip or tile %d is empty", i)
	}
	if whole := uint64(c.chunkBytes(c.tileH)); n > 1<<20 && (n-4096)/10 > whole {
		n = 10*whole + 4096
	}
	if size := uint64(len(c.data)); n > size || from > size-n {
		return nil, io.ErrUnexpectedEOF
	}
	if c.budget -= int(n); c.budget < 0 {
		return nil, errOverlap
	}
	c.at = int(from)
	src := c.data[from : from+n]
	if c.fill == 2 && !c.ownBitOrder() {
		src = reversed(src)
	}
	return src, nil
}

// ownBitOrder reports whether the decoder reads bits in the order of FillOrder itself, or in one order.
func (l *layout) ownBitOrder() bool {
	switch l.compression {
	case ccittRLE, ccittRLEW, ccittG3, ccittG4, newJPEG, oldJPEG:
		return true
	}
	return false
}

// planes returns how many planes a picture is stored in, and how a row of one is unpacked into every
// planes'th byte. It is nil where all samples of a pixel are together.
func (l *layout) planes(k *kind) (int, unpack, error) {
	n := k.mode.Bands()
	if l.planar != 2 || n == 1 {
		return 1, nil, nil
	}
	if l.bits != 8 && l.bits != 16 || n > l.samples {
		return 0, nil, fmt.Errorf("its planes have %d bits a pixel, which is not supported", l.bits)
	}
	size := l.bits / 8
	return n, func(to, from []uint8, order binary.ByteOrder) {
		at := 0
		if size == 2 && order == binary.LittleEndian {
			at = 1
		}
		for x := 0; x*n < len(to); x++ {
			to[x*n] = from[x*size+at]
		}
	}, nil
}

// strips decodes a picture in strips.
func (c *chunks) strips(img *pillow.Image, k *kind) error {
	planes, one, err := c.planes(k)
	if err != nil {
		return err
	}
	rowBytes := (c.w*k.bits*k.samples/planes + 7) / 8 // of the data that Pillow unpacks
	size, stride := c.chunkBytes(c.tileH), c.rowBytes()
	if c.tileH > math.MaxInt32 || size > rowBytes*c.tileH || rowBytes > stride {
		return fmt.Errorf("its strips of %d bytes are not those of its pixels", size)
	}
	*img = *newLike(img)
	n := img.Mode.BytesPerPixel()
	buf := make([]byte, size)
	for y := 0; y < c.h; y += c.tileH {
		rows := min(c.tileH, c.h-y)
		for plane := range planes {
			if err := c.chunk(plane*c.perPlane+y/c.tileH, buf[:c.chunkBytes(rows)]); err != nil {
				return err
			}
			for i := range rows {
				to, from := img.Pix[n*(y+i)*c.w:][:n*c.w], buf[i*stride:]
				if planes > 1 {
					one(to[plane:], from, c.order)
				} else {
					k.unpack(to, from, c.order)
				}
			}
		}
	}
	c.divideFlat(img, planes)
	return nil
}

// tiles decodes a picture in tiles.
func (c *chunks) tiles(img *pillow.Image, k *kind) error {
	planes, one, err := c.planes(k)
	if err != nil {
		return err
	}
	size, stride := c.chunkBytes(c.tileH), c.rowBytes()
	if rowBytes := (c.tileW*k.bits*k.samples/planes + 7) / 8; rowBytes > stride || stride > size || size > ((c.tileH*k.bits*k.samples/planes+7)/8)*c.tileW {
		return fmt.Errorf("its tiles of %d bytes are not those of its pixels", size)
	}
	*img = *newLike(img)
	n := img.Mode.BytesPerPixel()
	buf := make([]byte, size)
	across := ceil(c.w, c.tileW)
	for y := 0; y < c.h; y += c.tileH {
		for plane := range planes {
			for x := 0; x < c.w; x += c.tileW {
				if err := c.chunk(plane*c.perPlane+y/c.tileH*across+x/c.tileW, buf); err != nil {
					return err
				}
				w := min(c.tileW, c.w-x)
				for i := range min(c.tileH, c.h-y) {
					to, from := img.Pix[n*((y+i)*c.w+x):][:n*w], buf[i*stride:]
					if planes > 1 {
						one(to[plane:], from, c.order)
					} else {
						k.unpack(to, from, c.order)
					}
				}
			}
		}
	}
	c.divideFlat(img, planes)
	return nil
}

// divideFlat divides colors in planes by their alpha. Pillow takes an alpha of
// unknown meaning for one that the colors are multiplied by, here alone.
func (l *layout) divideFlat(img *pillow.Image, planes int) {
	if planes > 3 && img.Mode == pillow.ModeRGBA && len(l.extra) > 0 && l.extra[0] != alpha {
		divide(img.Pix)
	}
}
