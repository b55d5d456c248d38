package jpeg

import "encoding/binary"

// The kernels here are libjpeg-turbo's numbers, to the last bit: those of its SIMD code, which counts in 16
// bits in places. kernels_amd64.s has the same ones.

// The constants of the accurate integer DCT, times 1<<13.
const (
	f0298 = 2446
	f0390 = 3196
	f0541 = 4433
	f0765 = 6270
	f0899 = 7373
	f1175 = 9633
	f1501 = 12299
	f1847 = 15137
	f1961 = 16069
	f2053 = 16819
	f2562 = 20995
	f3072 = 25172
)

func saturate16(v int32) int32 { return min(max(v, -1<<15), 1<<15-1) }

func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		v = ^(v >> 31) // 0 or, of its lower bits, 255
	}
	return uint8(v)
}

// butterfly is the one-dimensional inverse DCT of 16-bit numbers, times 1<<13.
func butterfly(i0, i1, i2, i3, i4, i5, i6, i7 int32) (_, _, _, _, _, _, _, _ int32) {
	t2 := i2*f0541 + i6*(f0541-f1847)
	t3 := i2*(f0541+f0765) + i6*f0541
	t0, t1 := int32(int16(i0+i4))<<13, int32(int16(i0-i4))<<13
	e0, e1, e2, e3 := t0+t3, t1+t2, t1-t2, t0-t3

	z3, z4 := int32(int16(i7+i3)), int32(int16(i5+i1))
	z3, z4 = z3*(f1175-f1961)+z4*f1175, z3*f1175+z4*(f1175-f0390)
	o0 := i7*-f0899 + i1*(f1501-f0899) + z4
	o1 := i5*-f2562 + i3*(f3072-f2562) + z3
	o2 := i5*(f2053-f2562) + i3*-f2562 + z4
	o3 := i7*(f0298-f0899) + i1*-f0899 + z3
	return e0 + o0, e1 + o1, e2 + o2, e3 + o3, e3 - o3, e2 - o2, e1 - o1, e0 - o0
}

// idct makes 8 rows of 16 samples of a pair of blocks, whose coefficients it clears.
func idct(dst []uint8, stride int, pair *[128]int16, quant *[128]uint16) {
	if !simd {
		idctGo(dst, stride, pair, quant)
		return
	}
	_ = dst[7*stride+15]
	if !idct2(&dst[0], stride, pair, quant) {
		idctGo(dst, stride, pair, quant)
	}
}

func idctGo(dst []uint8, stride int, pair *[128]int16, quant *[128]uint16) {
	var rows [8][8]int32
	for b := 0; b < 16; b += 8 {
		in := func(y, x int) int32 { return int32(pair[16*y+x] * int16(quant[16*y+x])) }
		flat := true // there is but one row of coefficients
		for x := b; x < b+8; x++ {
			if pair[x+16]|pair[x+32]|pair[x+48]|pair[x+64]|pair[x+80]|pair[x+96]|pair[x+112] == 0 {
				v := saturate16(4 * in(0, x))
				for y := range rows {
					rows[y][x-b] = v
				}
				continue
			}
			flat = false
			v0, v1, v2, v3, v4, v5, v6, v7 := butterfly(in(0, x), in(1, x), in(2, x), in(3, x), in(4, x), in(5, x), in(6, x), in(7, x))
			for y, v := range [8]int32{v0, v1, v2, v3, v4, v5, v6, v7} {
				rows[y][x-b] = saturate16((v + 1<<10) >> 11)
			}
		}
		if flat {
			for x := range 8 { // it overflows in another way
				v := int32(int16(in(0, b+x) << 2))
				for y := range rows {
					rows[y][x] = v
				}
			}
		}
		for y := range rows {
			r := &rows[y]
			v0, v1, v2, v3, v4, v5, v6, v7 := butterfly(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7])
			out := (*[8]uint8)(dst[y*stride+b:])
			for x, v := range [8]int32{v0, v1, v2, v3, v4, v5, v6, v7} {
				out[x] = clamp((v+1<<17)>>18 + 128)
			}
		}
	}
	clear(pair[:])
}

// flat is idct for pairs of blocks whose only coefficients are DC.
func flat(dst []uint8, stride int, quant uint16, pair []int16) {
	var row [16]uint8
	for i := range row {
		row[i] = clamp((int32(pair[i&8]*int16(quant)<<2)+16)>>5 + 128)
	}
	pair[0], pair[8] = 0, 0
	for y := range 8 {
		copy(dst[y*stride:][:16], row[:])
	}
}

// The constants of reduce, times 1<<13.
const (
	f0211 = 1730
	f0509 = 4176
	f0601 = 4926
	f0720 = 5906
	f0850 = 6967
	f1061 = 8697
	f1272 = 10426
	f1451 = 11893
	f2172 = 17799
	f3624 = 29692
)

// reduce makes size rows of 2×size samples of a pair of blocks, whose coefficients it clears.
func reduce(dst []uint8, stride, size int, pair *[128]int16, quant *[128]uint16) {
	for b := range 2 {
		var in [8][8]int32
		for y := range in {
			for x := range in[y] {
				at := 16*y + 8*b + x
				in[y][x] = int32(pair[at] * int16(quant[at]))
			}
		}
		out := dst[size*b:]
		switch size {
		case 1:
			// libjpeg's table of these has 1024 entries, and what is beyond them begins anew.
			v := (int32(pair[8*b])*int32(int16(quant[8*b])) + 4) >> 3
			out[0] = clamp(v<<22>>22 + 128)
		case 2:
			var rows [2][8]int32
			for _, x := range [...]int{0, 1, 3, 5, 7} {
				v0, v1 := reduce2(in[0][x], in[1][x], in[3][x], in[5][x], in[7][x], 13)
				if x > 0 {
					v0, v1 = saturate16(v0), saturate16(v1)
				}
				rows[0][x], rows[1][x] = v0, v1
			}
			for y, r := range rows {
				v0, v1 := reduce2(r[0], r[1], r[3], r[5], r[7], 20)
				out[y*stride], out[y*stride+1] = clamp(v0+128), clamp(v1+128)
			}
		case 4:
			var rows [4][8]int32
			flat := true // there is but one row of coefficients
			for x := range 8 {
				for _, y := range [...]int{1, 2, 3, 5, 6, 7} {
					flat = flat && pair[16*y+8*b+x] == 0
				}
			}
			for _, x := range [...]int{0, 1, 2, 3, 5, 6, 7} {
				v0, v1, v2, v3 := reduce4(in[0][x], in[1][x], in[2][x], in[3][x], in[5][x], in[6][x], in[7][x], 12)
				for y, v := range [...]int32{v0, v1, v2, v3} {
					rows[y][x] = saturate16(v)
					if flat { // it overflows in another way
						rows[y][x] = int32(int16(in[0][x] << 2))
					}
				}
			}
			for y, r := range rows {
				v0, v1, v2, v3 := reduce4(r[0], r[1], r[2], r[3], r[5], r[6], r[7], 19)
				for x, v := range [...]int32{v0, v1, v2, v3} {
					out[y*stride+x] = clamp(v + 128)
				}
			}
		}
	}
	clear(pair[:])
}

func round(v int32, shift int) int32 { return (v + 1<<(shift-1)) >> shift }

// reduce2 is the one-dimensional inverse DCT of the numbers 0, 1, 3, 5 and 7 of eight to two.
func reduce2(i0, i1, i3, i5, i7 int32, shift int) (_, _ int32) {
	e, o := i0<<15, i1*f3624-i3*f1272+i5*f0850-i7*f0720
	return round(e+o, shift), round(e-o, shift)
}

// reduce4 is that of all but number 4 of eight, to four.
func reduce4(i0, i1, i2, i3, i5, i6, i7 int32, shift int) (_, _, _, _ int32) {
	t0, t2 := i0<<14, i2*f1847-i6*f0765
	e0, e1 := t0+t2, t0-t2
	o1 := -i7*f0211 + i5*f1451 - i3*f2172 + i1*f1061
	o0 := -i7*f0509 - i5*f0601 + i3*f0899 + i1*f2562
	return round(e0+o0, shift), round(e1+o1, shift), round(e1-o1, shift), round(e0-o0, shift)
}

// double interpolates n samples to 2n. The slices are parts of planes and lines, with a
// margin around them.
func double(dst, src []uint8, n int) {
	if !simd || n < 2 {
		doubleGo(dst, src, n)
		return
	}
	_, _ = dst[2*n+31], src[n+15]
	double16(&dst[0], &src[0], n)
	dst[0], dst[2*n-1] = src[0], src[n-1]
}

func doubleGo(dst, src []uint8, n int) {
	src, dst = src[:n], dst[:2*n]
	for i, s := range src {
		c, l, r := 3*int32(s), int32(src[max(i-1, 0)]), int32(src[min(i+1, n-1)])
		dst[2*i], dst[2*i+1] = uint8((c+l+1)>>2), uint8((c+r+2)>>2)
	}
}

// doubleBetween interpolates n samples to 2n that lie a quarter of the way from one row to
// another. The slices are as double's.
func doubleBetween(dst, src, near []uint8, n int) {
	if !simd || n < 2 {
		doubleBetweenGo(dst, src, near, n)
		return
	}
	_, _, _ = dst[2*n+31], src[n+15], near[n+15]
	doubleBetween16(&dst[0], &src[0], &near[0], n)
	dst[0] = uint8((3*int(src[0]) + int(near[0]) + 2) >> 2)
	dst[2*n-1] = uint8((12*int(src[n-1]) + 4*int(near[n-1]) + 7) >> 4)
}

func doubleBetweenGo(dst, src, near []uint8, n int) {
	src, near, dst = src[:n], near[:n], dst[:2*n]
	last := 3*int32(src[0]) + int32(near[0])
	this := last
	for i := range src {
		next := this
		if i+1 < n {
			next = 3*int32(src[i+1]) + int32(near[i+1])
		}
		dst[2*i], dst[2*i+1] = uint8((3*this+last+8)>>4), uint8((3*this+next+7)>>4)
		last, this = this, next
	}
}

// between interpolates samples a quarter of the way from one row to another.
func between(dst, src, near []uint8, round int) {
	for i := range dst {
		dst[i] = uint8((3*int(src[i]) + int(near[i]) + round) >> 2)
	}
}

// repeat writes each sample n times.
func repeat(dst, src []uint8, n int) {
	for i, s := range src {
		for j := range n {
			dst[n*i+j] = s
		}
	}
}

// rgbOf returns the color of a sample of brightness and color.
func rgbOf(y, cb, cr uint8) (r, g, b uint8) {
	const half = 1 << 15
	l, u, v := int32(y), int32(cb)-128, int32(cr)-128
	return clamp(l + (91881*v+half)>>16), clamp(l + (-22554*u-46802*v+half)>>16), clamp(l + (116130*u+half)>>16)
}

// yccToRGB makes pixels of rows of samples.
func yccToRGB(dst, y, cb, cr []uint8) {
	n := len(dst) / 3
	if !simd || n < 16 {
		yccToRGBGo(dst, y, cb, cr)
		return
	}
	_, _, _ = y[n-1], cb[n-1], cr[n-1]
	rgb16(&dst[0], &y[0], &cb[0], &cr[0], n&^15)
	if n%16 != 0 { // the last sixteen, some of them once more
		i := n - 16
		rgb16(&dst[3*i], &y[i], &cb[i], &cr[i], 16)
	}
}

func yccToRGBGo(dst, y, cb, cr []uint8) {
	for i := range len(dst) / 3 {
		dst[3*i], dst[3*i+1], dst[3*i+2] = rgbOf(y[i], cb[i], cr[i])
	}
}

func yccKToCMYK(dst []uint8, rows [][]uint8) {
	for i := range len(dst) / 4 {
		r, g, b := rgbOf(rows[0][i], rows[1][i], rows[2][i])
		dst[4*i], dst[4*i+1], dst[4*i+2], dst[4*i+3] = 255-r, 255-g, 255-b, rows[3][i]
	}
}

func interleave(dst []uint8, rows [][]uint8) {
	if len(rows) == 4 {
		a, b, c, d := rows[0], rows[1], rows[2], rows[3]
		n := len(dst) / 4
		a, b, c, d = a[:n], b[:n], c[:n], d[:n]
		for i := range a {
			binary.LittleEndian.PutUint32(dst[4*i:], uint32(a[i])|uint32(b[i])<<8|uint32(c[i])<<16|uint32(d[i])<<24)
		}
		return
	}
	for c, row := range rows {
		for i := range len(dst) / len(rows) {
			dst[len(rows)*i+c] = row[i]
		}
	}
}

// forwardGo transforms a block of samples and quantizes it.
func forwardGo(block *[64]int16, samples []uint8, stride int, q *divisors) {
	var m [64]int32
	for y := range 8 {
		s, r := (*[8]uint8)(samples[y*stride:]), (*[8]int32)(m[8*y:])
		v0, v1, v2, v3, v4, v5, v6, v7 := sums(int32(s[0])-128, int32(s[1])-128, int32(s[2])-128, int32(s[3])-128, int32(s[4])-128, int32(s[5])-128, int32(s[6])-128, int32(s[7])-128)
		r[0], r[4] = v0<<2, v4<<2
		r[1], r[2], r[3], r[5], r[6], r[7] = round(v1, 11), round(v2, 11), round(v3, 11), round(v5, 11), round(v6, 11), round(v7, 11)
	}
	for x := range 8 {
		r := m[x:]
		_ = r[56]
		v0, v1, v2, v3, v4, v5, v6, v7 := sums(r[0], r[8], r[16], r[24], r[32], r[40], r[48], r[56])
		r[0], r[32] = round(v0, 2), round(v4, 2)
		r[8], r[16], r[24], r[40], r[48], r[56] = round(v1, 15), round(v2, 15), round(v3, 15), round(v5, 15), round(v6, 15), round(v7, 15)
	}
	for i, v := range m {
		s := v >> 31
		n := uint32(v^s-s) + uint32(q.half[i])
		n = n * uint32(q.mul[i]) >> 16 * uint32(q.shift[i]) >> 16
		block[i] = int16(int32(n) ^ s - s)
	}
}

// nonzero returns which coefficients of a block are not 0, the first being the lowest bit.
func nonzero(block *[64]int16) uint64 {
	if simd {
		return nonzero64(block)
	}
	mask := uint64(0)
	for i, v := range block {
		if v != 0 {
			mask |= 1 << i
		}
	}
	return mask
}

// orders[i][b] is where the bits b of byte i of a mask go in the zigzag's order.
var orders = func() (o [8][256]uint64) {
	for k, at := range natural {
		for b := range 256 {
			o[at/8][b] |= uint64(b>>(at%8)&1) << k
		}
	}
	return o
}()

// zigzagged returns a mask in the zigzag's order.
func zigzagged(mask uint64) (z uint64) {
	for i := range orders {
		z |= orders[i][uint8(mask>>(8*i))]
	}
	return z
}

// sums is the one-dimensional DCT of eight numbers, all but the results 0 and 4 times 1<<13.
func sums(i0, i1, i2, i3, i4, i5, i6, i7 int32) (_, _, _, _, _, _, _, _ int32) {
	t0, t7, t1, t6, t2, t5, t3, t4 := i0+i7, i0-i7, i1+i6, i1-i6, i2+i5, i2-i5, i3+i4, i3-i4
	e0, e3, e1, e2 := t0+t3, t0-t3, t1+t2, t1-t2
	z1 := (e2 + e3) * f0541
	z5 := (t4 + t6 + t5 + t7) * f1175
	a, b := (t4+t7)*-f0899, (t5+t6)*-f2562
	c, d := (t4+t6)*-f1961+z5, (t5+t7)*-f0390+z5
	return e0 + e1, t7*f1501 + a + d, z1 + e3*f0765, t6*f3072 + b + c, e0 - e1, t5*f2053 + b + d, z1 - e2*f1847, t4*f0298 + a + c
}

// convert makes brightness and color of pixels. The colors have room for a margin.
func convert(y, u, v, pix []uint8) {
	n := len(y)
	if !simd || n < 16 {
		convertGo(y, u, v, pix)
		return
	}
	_, _, _ = u[n-1], v[n-1], pix[3*n-1]
	convert16(&y[0], &u[0], &v[0], &pix[0], n&^15)
	if n%16 != 0 { // the last sixteen, some of them once more
		i := n - 16
		convert16(&y[i], &u[i], &v[i], &pix[3*i], 16)
	}
}

func convertGo(y, u, v, pix []uint8) {
	const half, center = 1 << 15, 128<<16 + 1<<15 - 1
	u, v = u[:len(y)], v[:len(y)]
	for x := range y {
		p := pix[3*x:][:3]
		r, g, b := int32(p[0]), int32(p[1]), int32(p[2])
		y[x] = uint8((19595*r + 38470*g + 7471*b + half) >> 16)
		u[x] = uint8((-11059*r - 21709*g + 32768*b + center) >> 16)
		v[x] = uint8((32768*r - 27439*g - 5329*b + center) >> 16)
	}
}

// halve makes n samples of 2n. The slices have room for a margin.
func halve(dst, a []uint8, n int) {
	if !simd {
		halveGo(dst[:n], a)
		return
	}
	_, _ = dst[n+15], a[2*n+31]
	halve16(&dst[0], &a[0], n)
}

func halveGo(dst, a []uint8) {
	for x := range dst {
		dst[x] = uint8((int(a[2*x]) + int(a[2*x+1]) + x&1) >> 1)
	}
}

// quarter makes n samples of twice 2n. The slices have room for a margin.
func quarter(dst, a, b []uint8, n int) {
	if !simd {
		quarterGo(dst[:n], a, b)
		return
	}
	_, _, _ = dst[n+15], a[2*n+31], b[2*n+31]
	quarter16(&dst[0], &a[0], &b[0], n)
}

func quarterGo(dst, a, b []uint8) {
	for x := range dst {
		dst[x] = uint8((int(a[2*x]) + int(a[2*x+1]) + int(b[2*x]) + int(b[2*x+1]) + 1 + x&1) >> 2)
	}
}
