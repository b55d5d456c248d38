package jpeg

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

func saturate16(v int32) int16 { return int16(min(max(v, -1<<15), 1<<15-1)) }

func clamp(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// butterfly is the one-dimensional inverse DCT, with shift bits taken off.
func butterfly(in *[8]int16, shift int) (out [8]int16) {
	z2, z3 := int32(in[2]), int32(in[6])
	t2 := z2*f0541 + z3*(f0541-f1847)
	t3 := z2*(f0541+f0765) + z3*f0541
	t0, t1 := int32(in[0]+in[4])<<13, int32(in[0]-in[4])<<13
	even := [4]int32{t0 + t3, t1 + t2, t1 - t2, t0 - t3}

	z3, z4 := int32(in[7]+in[3]), int32(in[5]+in[1])
	z3, z4 = z3*(f1175-f1961)+z4*f1175, z3*f1175+z4*(f1175-f0390)
	a, b, c, d := int32(in[7]), int32(in[5]), int32(in[3]), int32(in[1])
	odd := [4]int32{
		a*-f0899 + d*(f1501-f0899) + z4,
		b*-f2562 + c*(f3072-f2562) + z3,
		b*(f2053-f2562) + c*-f2562 + z4,
		a*(f0298-f0899) + d*-f0899 + z3,
	}
	round := int32(1) << (shift - 1)
	for i := range 4 {
		out[i] = saturate16((even[i] + odd[i] + round) >> shift)
		out[7-i] = saturate16((even[i] - odd[i] + round) >> shift)
	}
	return out
}

// idct makes 8 rows of 16 samples of a pair of blocks, whose coefficients it clears.
func idct(dst []uint8, stride int, pair *[128]int16, quant *[128]uint16) {
	if !simd {
		idctGo(dst, stride, pair, quant)
		return
	}
	_ = dst[7*stride+15]
	idct2(&dst[0], stride, pair, quant)
}

func idctGo(dst []uint8, stride int, pair *[128]int16, quant *[128]uint16) {
	for b := 0; b < 16; b += 8 {
		var rows [8][8]int16
		for x := range 8 {
			var in [8]int16
			for y := range 8 {
				in[y] = pair[16*y+b+x] * int16(quant[16*y+b+x])
			}
			for y, v := range butterfly(&in, 11) {
				rows[y][x] = v
			}
		}
		for y := range 8 {
			for x, v := range butterfly(&rows[y], 18) {
				dst[y*stride+b+x] = clamp(int32(v) + 128)
			}
		}
	}
	clear(pair[:])
}

// flat is idct for pairs of blocks whose only coefficients are DC.
func flat(dst []uint8, stride int, quant uint16, pair []int16) {
	var row [16]uint8
	for i := range row {
		row[i] = clamp((int32(pair[i&8]*int16(quant))*4+16)>>5 + 128)
	}
	pair[0], pair[8] = 0, 0
	for y := range 8 {
		copy(dst[y*stride:][:16], row[:])
	}
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

// rgbOf returns the colour of a sample of brightness and colour.
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
	for c, row := range rows {
		for i := range len(dst) / len(rows) {
			dst[len(rows)*i+c] = row[i]
		}
	}
}
