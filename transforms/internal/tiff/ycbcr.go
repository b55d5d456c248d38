package tiff

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// ycbcr decodes YCbCr as libtiff's TIFFReadRGBAImage does.
func (c *chunks) ycbcr(img *pillow.Image) error {
	t, err := c.ycbcrTables()
	if err != nil {
		return err
	}
	planes := 1
	if c.planar == 2 {
		planes = 3
	}
	if planes > 1 && (c.subH != 1 || c.subV != 1) {
		return fmt.Errorf("its planes are YCbCr subsampled by %d×%d, which is not supported", c.subH, c.subV)
	}
	*img = *newLike(img)
	tileW, across := c.w, 1
	if c.tiled {
		tileW, across = c.tileW, ceil(c.w, c.tileW)
	}
	size := c.chunkBytes(c.tileH)
	buf := make([]byte, planes*size)
	for y := 0; y < c.h; y += c.tileH {
		rows := min(c.tileH, c.h-y)
		clear(buf) // of some subsamplings, the end of a strip is not read
		for i := range across {
			x := i * tileW
			for plane := range planes {
				part := buf[plane*size:][:size]
				if !c.tiled {
					part = part[:min(c.chunkBytes(rows), ceil(rows, c.subV)*c.subV*c.rowBytes())]
				}
				if err := c.chunk(plane*c.perPlane+y/c.tileH*across+i, part); err != nil {
					return err
				}
			}
			area := rgbArea{img, x, y, min(tileW, c.w-x), rows}
			if planes == 1 {
				t.blocks(area, buf, tileW, c.subH, c.subV)
			} else {
				t.planes(area, buf, tileW, 1, size)
			}
		}
	}
	return nil
}

// ycbcrTables returns the tables that convert the page's colors.
func (l *layout) ycbcrTables() (*ycbcrTables, error) {
	switch {
	case l.bits != 8 || l.samples != 3:
		return nil, fmt.Errorf("it is YCbCr of %d samples of %d bits, which is not supported", l.samples, l.bits)
	case !subsampled(l.subH) || !subsampled(l.subV) || l.subV == 4 && l.subH < 4 || l.w < l.subH || l.h < l.subV:
		return nil, fmt.Errorf("it is YCbCr subsampled by %d×%d, which is not supported", l.subH, l.subV)
	}
	return newYCbCrTables(l.coefficients, l.blackWhite)
}

// An rgbArea is a rectangle of a picture.
type rgbArea struct {
	*pillow.Image
	x, y, w, h int
}

// pixel returns a pixel.
func (a rgbArea) pixel(x, y int) []uint8 { return a.Pix[3*((a.y+y)*a.W+a.x+x):][:3] }

// ycbcrTables convert YCbCr to RGB with whole numbers.
type ycbcrTables struct {
	y, crR, cbB, crG, cbG [256]int32
}

// newYCbCrTables computes the tables as libtiff does: in single precision, where
// each step is rounded.
func newYCbCrTables(luma, ref []float32) (*ycbcrTables, error) {
	for _, v := range luma {
		if v != v || math.Abs(float64(luma[1])) < 1e-7 {
			return nil, fmt.Errorf("its YCbCrCoefficients are %v", luma)
		}
	}
	for _, v := range ref {
		if !(v > math.MinInt32+128 && v < math.MaxInt32) {
			return nil, fmt.Errorf("its ReferenceBlackWhite is %v", ref)
		}
	}
	const shift = 16
	fix := func(v float32) int32 {
		if !(v >= 0) {
			v = 0
		}
		return int32(float64(min(v, 2))*(1<<shift) + 0.5)
	}
	f1 := 2 - float32(2*luma[0])
	f3 := 2 - float32(2*luma[2])
	d1, d2 := fix(f1), -fix(float32(luma[0]*f1)/luma[1])
	d3, d4 := fix(f3), -fix(float32(luma[2]*f3)/luma[1])
	value := func(code int, black, white, scale float32) int32 {
		span := white - black
		if math.Abs(float64(span)) < 1e-7 {
			span = 1
		}
		v := float32(float32(int32(code)-int32(black))*scale) / span
		return int32(max(min(v, 128*32), -128*32))
	}
	t := new(ycbcrTables)
	for i := range 256 {
		cr := value(i-128, ref[4]-128, ref[5]-128, 127)
		cb := value(i-128, ref[2]-128, ref[3]-128, 127)
		t.crR[i] = (d1*cr + 1<<(shift-1)) >> shift
		t.cbB[i] = (d3*cb + 1<<(shift-1)) >> shift
		t.crG[i] = d2 * cr
		t.cbG[i] = d4*cb + 1<<(shift-1)
		t.y[i] = value(i, ref[0], ref[1], 255)
	}
	return t, nil
}

// convert makes a pixel.
func (t *ycbcrTables) convert(to []uint8, y, cb, cr uint8) {
	v := t.y[y]
	to[0] = uint8(max(min(v+t.crR[cr], 255), 0))
	to[1] = uint8(max(min(v+(t.cbG[cb]+t.crG[cr])>>16, 255), 0))
	to[2] = uint8(max(min(v+t.cbB[cb], 255), 0))
}

// blocks converts blocks of h×v pixels: their Y row by row, then Cb and Cr.
func (t *ycbcrTables) blocks(a rgbArea, src []byte, width, h, v int) {
	n := h*v + 2
	stride := ceil(width, h) * n
	for y := range a.h {
		row := src[y/v*stride:]
		for x := range a.w {
			block := row[x/h*n:][:n]
			t.convert(a.pixel(x, y), block[y%v*h+x%h], block[n-2], block[n-1])
		}
	}
}

// planes converts samples of which those of a color are next bytes behind, and those of a pixel step bytes
// behind those of the pixel before.
func (t *ycbcrTables) planes(a rgbArea, src []byte, stride, step, next int) {
	for y := range a.h {
		for x := range a.w {
			i := y*stride + x*step
			t.convert(a.pixel(x, y), src[i], src[i+next], src[i+2*next])
		}
	}
}
