//go:build !amd64

package pillow

const simd = false

func rows4(dst *uint8, dstStride int, src *uint8, srcStride int, first *int32, taps *int16, groups, n int) {
	panic("unreachable")
}

func columns32(dst, src *uint8, stride int, taps *int32, count, n int) { panic("unreachable") }
