package pillow

import (
	"cmp"
	"errors"
	"slices"
)

// A bucket gathers the colors of one box of a [cube].
type bucket struct {
	count      uint32
	r, g, b, a uint64
}

// color returns the average of the bucket, and zeros if it is empty.
func (b *bucket) color() (c [4]uint8) {
	if b.count == 0 {
		return c
	}
	n := float32(b.count)
	for i, sum := range [4]uint64{b.r, b.g, b.b, b.a} {
		c[i] = clip8(int(float32(sum) / n))
	}
	return c
}

// A cube divides the colors with alpha into boxes, by the upper bits of each channel.
type cube struct {
	bits    [4]int
	buckets []bucket
}

func newCube(bits [4]int) *cube {
	return &cube{bits, make([]bucket, 1<<(bits[0]+bits[1]+bits[2]+bits[3]))}
}

func (c *cube) index(color [4]uint8) int {
	i := 0
	for k, v := range color {
		i = i<<c.bits[k] | int(v)>>(8-c.bits[k])
	}
	return i
}

// corner returns a color of the bucket i.
func (c *cube) corner(i int) (color [4]uint8) {
	for k := 3; k >= 0; k-- {
		color[k] = uint8(i & (1<<c.bits[k] - 1) << (8 - c.bits[k]))
		i >>= c.bits[k]
	}
	return color
}

func (c *cube) used() int {
	n := 0
	for i := range c.buckets {
		if c.buckets[i].count > 0 {
			n++
		}
	}
	return n
}

// sorted returns the buckets, the fullest first. Equal ones keep their order, as
// the C library's qsort on Linux does it.
func (c *cube) sorted() []bucket {
	s := slices.Clone(c.buckets)
	slices.SortStableFunc(s, func(a, b bucket) int { return cmp.Compare(b.count, a.count) })
	return s
}

// subtract takes buckets of finer boxes out.
func (c *cube) subtract(finer []bucket) {
	for i := range finer {
		f := &finer[i]
		if f.count == 0 {
			continue
		}
		b := &c.buckets[c.index(f.color())]
		b.count -= f.count
		b.r, b.g, b.b, b.a = b.r-f.r, b.g-f.g, b.b-f.b, b.a-f.a
	}
}

// quantize maps a picture of mode RGBA to the 256 colors that fit it best:
// img.quantize(), which img.convert("P") is in that mode. Pillow's method, the
// fast octree, fills boxes of two sizes: one color for each large box in use, and
// the rest for the fullest small ones.
func (p *Image) quantize() (*Image, error) {
	if p.W == 0 || p.H == 0 {
		return nil, errors.New("there are no pixels to choose colors by")
	}
	const colors = 256
	fine, coarse := newCube([4]int{3, 4, 3, 3}), newCube([4]int{2, 2, 2, 2})
	pixels := make([][4]uint8, p.W*p.H)
	var transparent *[4]uint8 // the first transparent pixel, which the others become
	for i := range pixels {
		c := [4]uint8(p.Pix[4*i:])
		if c[3] == 0 {
			if transparent == nil {
				transparent = &[4]uint8{c[0], c[1], c[2], 0}
			}
			c = *transparent
		}
		pixels[i] = c
		for _, k := range []*cube{fine, coarse} {
			b := &k.buckets[k.index(c)]
			b.count++
			b.r, b.g, b.b, b.a = b.r+uint64(c[0]), b.g+uint64(c[1]), b.b+uint64(c[2]), b.a+uint64(c[3])
		}
	}
	large := min(coarse.used(), colors)
	small := fine.sorted()
	n := colors - large
	coarse.subtract(small[:n])
	// Large boxes that are empty now make room for more small ones.
	for used := coarse.used(); large > used; used = coarse.used() {
		large = used
		coarse.subtract(small[n : colors-large])
		n = colors - large
	}
	chosen := append(coarse.sorted()[:large:large], small[:n]...)

	q := p.withMode(ModeP)
	q.Palette = &Palette{Mode: ModeRGBA}
	rough := make([]uint8, len(coarse.buckets))
	for i := large - 1; i >= 0; i-- {
		rough[coarse.index(chosen[i].color())] = uint8(i)
	}
	exact := make([]uint8, len(fine.buckets))
	for i := range exact {
		exact[i] = rough[coarse.index(fine.corner(i))]
	}
	for i := colors - 1; i >= large; i-- {
		exact[fine.index(chosen[i].color())] = uint8(i)
	}
	for i := range chosen {
		c := chosen[i].color()
		q.Palette.Colors = append(q.Palette.Colors, c[:]...)
	}
	for i, c := range pixels {
		q.Pix[i] = exact[fine.index(c)]
	}
	return q, nil
}
