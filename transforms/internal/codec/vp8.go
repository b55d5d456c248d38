package codec

import (
	"image"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// fromVP8 turns the planes of a lossy WebP into RGB with libwebp's numbers:
// chroma doubled by its "fancy" filter, 9:3:3:1, then its fixed-point conversion
// from the studio range, which is not JPEG's.
func fromVP8(m *image.YCbCr) *pillow.RGB {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	p := pillow.NewRGB(w, h)
	pillow.Parallel(h, 8*w, func(from, to int) {
		u, v := make([]int, w+1), make([]int, w+1)
		for y := from; y < to; y++ {
			// The nearer row of chroma, and the next one.
			near := y / 2
			far := near + 1
			if y%2 == 0 {
				far = near - 1
			}
			far = min(max(far, 0), (h+1)/2-1)
			doubled(u, m.Cb[near*m.CStride:], m.Cb[far*m.CStride:], w)
			doubled(v, m.Cr[near*m.CStride:], m.Cr[far*m.CStride:], w)
			row := p.Pix[3*w*y:][:3*w]
			for x, l := range m.Y[y*m.YStride:][:w] {
				vp8RGB(row[3*x:], int(l), u[x], v[x])
			}
		}
	})
	return p
}

// doubled doubles a row of chroma in both directions for w pixels.
func doubled(to []int, near, far []uint8, w int) {
	n, f := int(near[0]), int(far[0])
	to[0] = (3*n + f + 2) >> 2
	last := (w - 1) / 2
	for x := 1; x <= last; x++ {
		n1, f1 := int(near[x]), int(far[x])
		avg := n + n1 + f + f1 + 8
		diagNear := (avg + 2*(n1+f)) >> 3
		diagFar := (avg + 2*(n+f1)) >> 3
		to[2*x-1] = (diagNear + n) >> 1
		to[2*x] = (diagFar + n1) >> 1
		n, f = n1, f1
	}
	if w%2 == 0 {
		to[w-1] = (3*n + f + 2) >> 2
	}
}

func vp8RGB(to []uint8, y, u, v int) {
	l := y * 19077 >> 8
	to[0] = clip6(l + v*26149>>8 - 14234)
	to[1] = clip6(l - u*6419>>8 - v*13320>>8 + 8708)
	to[2] = clip6(l + u*33050>>8 - 17685)
}

// clip6 takes off six bits of fraction.
func clip6(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }
