package pillow

import (
	"encoding/binary"
	"fmt"
)

// Smooth averages each pixel with its eight neighbors, itself five times:
// img.filter(ImageFilter.SMOOTH). The outermost pixels stay.
//
// https://pillow.readthedocs.io/en/stable/reference/ImageFilter.html
func Smooth(p *Image) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if p.Mode == ModeP || p.Mode == ModeF {
		return nil, fmt.Errorf("the mode %s cannot be filtered", p.Mode)
	}
	if p.W < 3 || p.H < 3 {
		return p, nil
	}
	q := p.like(p.W, p.H)
	q.Palette = nil // Pillow forgets the colors of PA here
	copy(q.row(0), p.row(0))
	copy(q.row(p.H-1), p.row(p.H-1))
	Parallel(p.H-2, 9*p.W*p.Mode.BytesPerPixel(), func(lo, hi int) {
		for y := lo + 1; y < hi+1; y++ {
			switch p.Mode.kind() {
			case bytes8:
				smooth(q.row(y), p.row(y-1), p.row(y), p.row(y+1), p.Mode.Bands())
			case ints16:
				smoothWide(q.row(y), p.row(y-1), p.row(y), p.row(y+1), 2, func(b []uint8) float32 {
					return float32(binary.LittleEndian.Uint16(b))
				}, func(b []uint8, f float32) {
					binary.LittleEndian.PutUint16(b, uint16(min(max(f, 0), 65535)))
				})
			case ints32:
				smoothWide(q.row(y), p.row(y-1), p.row(y), p.row(y+1), 4, func(b []uint8) float32 {
					return float32(int32(binary.LittleEndian.Uint32(b)))
				}, func(b []uint8, f float32) {
					v := int32(1<<31 - 1)
					if f < 1<<31 {
						v = int32(max(f, 0))
					}
					binary.LittleEndian.PutUint32(b, uint32(v))
				})
			}
		}
	})
	return q, nil
}

// The weights of the modes with wide elements, as float32. Sums go from below
// upwards, each row from left to right.
const (
	edge   = float32(1) / 13
	center = float32(5) / 13
)

// thirteenths rounds the sums of weights of 1 and 5. Pillow's float32 do the
// same: no sum is so close to a half that they could be wrong.
var thirteenths = func() (t [13*255 + 1]uint8) {
	for n := range t {
		t[n] = uint8((2*n + 13) / 26)
	}
	return t
}()

func smooth(to, above, mid, below []uint8, n int) {
	copy(to[:n], mid)
	copy(to[len(to)-n:], mid[len(to)-n:])
	mid, below = mid[:len(above)], below[:len(above)]
	var buffer [4096]uint16
	sums := buffer[:0] // of the columns
	if len(above) > len(buffer) {
		sums = make([]uint16, 0, len(above))
	}
	sums = sums[:len(above)]
	for i, v := range above {
		sums[i] = uint16(v) + uint16(mid[i]) + uint16(below[i])
	}
	inner := to[n : len(to)-n]
	left, here, right, centers := sums[:len(inner)], sums[n:][:len(inner)], sums[2*n:][:len(inner)], mid[n:][:len(inner)]
	for i := range inner {
		inner[i] = thirteenths[min(int(left[i]+here[i]+right[i])+4*int(centers[i]), len(thirteenths)-1)]
	}
}

// smoothWide is smooth for elements of n bytes.
func smoothWide(to, above, mid, below []uint8, n int, get func([]uint8) float32, put func([]uint8, float32)) {
	copy(to[:n], mid)
	copy(to[len(to)-n:], mid[len(to)-n:])
	for i := n; i < len(to)-n; i += n {
		s := float32(0.5)
		for r, row := range [][]uint8{below, mid, above} {
			weight := edge
			if r == 1 {
				weight = center
			}
			part := float32(get(row[i-n:])*edge) + float32(get(row[i:])*weight)
			s += part + float32(get(row[i+n:])*edge)
		}
		put(to[i:], s)
	}
}
