package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"iter"

	"golang.org/x/image/webp"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// webpSize returns the largest size that any of the file's chunks has, since the
// decoder goes by each of them.
func webpSize(data []byte) (w, h int, err error) {
	frames := 0
	for d := data[12:]; len(d) >= 8; {
		kind, n := string(d[:4]), int(binary.LittleEndian.Uint32(d[4:]))
		d = d[8:]
		short := func(at int) int { return int(binary.LittleEndian.Uint16(d[at:])) }
		var fw, fh int
		switch {
		case kind == "VP8X" && len(d) >= 10:
			fw, fh = 1+short(4)+int(d[6])<<16, 1+short(7)+int(d[9])<<16
		case kind == "VP8 " && len(d) >= 10:
			frames++
			fw, fh = short(6)&0x3fff, short(8)&0x3fff
		case kind == "VP8L" && len(d) >= 5:
			frames++
			v := binary.LittleEndian.Uint32(d[1:])
			fw, fh = 1+int(v&0x3fff), 1+int(v>>14&0x3fff)
		}
		w, h = max(w, fw), max(h, fh)
		if n > len(d) {
			break
		}
		d = d[min(n+n&1, len(d)):]
	}
	if frames == 0 && w == 0 {
		return 0, 0, io.ErrUnexpectedEOF
	}
	return w, h, nil
}

// The flags of a chunk VP8X, and where they lie.
const (
	webpFlags    = 20
	webpAlpha    = 0x10
	webpAnimated = 0x02
)

func webpFlag(data []byte, flag byte) bool {
	return len(data) > webpFlags && string(data[12:16]) == "VP8X" && data[webpFlags]&flag != 0
}

func decodeWebP(data []byte, o Options) (*pillow.Image, error) {
	if !webpFlag(data, webpAnimated) {
		return decodeStill(data)
	}
	w, h, err := webpSize(data)
	if err != nil {
		return nil, err
	}
	still, at, err := firstFrame(data)
	if err != nil {
		return nil, err
	}
	fw, fh, err := webpSize(still)
	if err != nil {
		return nil, err
	}
	if err := fits(fw, fh, o); err != nil {
		return nil, err
	}
	frame, err := decodeStill(still)
	if err != nil {
		return nil, err
	}
	if at.X+frame.W > w || at.Y+frame.H > h {
		return nil, fmt.Errorf("its first picture, of %d×%d pixels at %v, reaches out of the canvas of %d×%d", frame.W, frame.H, at, w, h)
	}
	mode := pillow.ModeRGB
	if webpFlag(data, webpAlpha) {
		mode = pillow.ModeRGBA
	}
	// A frame without alpha in an animation with it is opaque, and the canvas transparent.
	if frame, err = frame.Convert(mode); err != nil {
		return nil, err
	}
	p := pillow.New(mode, w, h)
	n := mode.BytesPerPixel()
	for y := range frame.H {
		copy(p.Pix[n*((at.Y+y)*w+at.X):], frame.Pix[n*frame.W*y:][:n*frame.W])
	}
	return p, nil
}

// firstFrame returns the first picture of an animation as a file of its own, and its place on the canvas.
func firstFrame(data []byte) (still []byte, at image.Point, err error) {
	var frame []byte
	for kind, body := range webpChunks(data[12:]) {
		if kind == "ANMF" {
			frame = body
			break
		}
	}
	const header = 16
	if len(frame) < header {
		return nil, at, io.ErrUnexpectedEOF
	}
	number := func(i int) int { return int(frame[i]) | int(frame[i+1])<<8 | int(frame[i+2])<<16 }
	at = image.Pt(2*number(0), 2*number(3))
	chunk := func(kind string, body []byte) []byte {
		c := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
		return append(append(c, body...), make([]byte, len(body)&1)...)
	}
	var extended, picture []byte
	for kind, body := range webpChunks(frame[header:]) {
		switch kind {
		case "ALPH":
			size := append([]byte{webpAlpha, 0, 0, 0}, frame[6:12]...)
			extended = append(chunk("VP8X", size), chunk(kind, body)...)
		case "VP8 ":
			picture = append(extended, chunk(kind, body)...)
		case "VP8L":
			picture = chunk(kind, body)
		}
		if picture != nil {
			break
		}
	}
	if picture == nil {
		return nil, at, io.ErrUnexpectedEOF
	}
	return chunk("RIFF", append([]byte("WEBP"), picture...)), at, nil
}

// webpChunks yields the kinds and contents of the chunks that are whole.
func webpChunks(d []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(d) >= 8 {
			n := int(binary.LittleEndian.Uint32(d[4:]))
			if n > len(d)-8 || !yield(string(d[:4]), d[8:8+n]) {
				return
			}
			d = d[min(8+n+n&1, len(d)):]
		}
	}
}

func decodeStill(data []byte) (*pillow.Image, error) {
	img, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	w, h, err := webpSize(data)
	if b := img.Bounds(); err == nil && (b.Dx() != w || b.Dy() != h) {
		err = fmt.Errorf("its picture has %d×%d pixels, and its canvas %d×%d", b.Dx(), b.Dy(), w, h)
	}
	if err != nil {
		return nil, err
	}
	switch m := img.(type) {
	case *image.YCbCr:
		return fromVP8(m).Image(), nil
	case *image.NYCbCrA:
		rgb := fromVP8(&m.YCbCr)
		p := pillow.New(pillow.ModeRGBA, rgb.W, rgb.H)
		for i := range rgb.W * rgb.H {
			copy(p.Pix[4*i:4*i+3], rgb.Pix[3*i:])
			p.Pix[4*i+3] = m.A[i/rgb.W*m.AStride+i%rgb.W]
		}
		return p, nil
	}
	p := pillow.From(img)
	// The header says whether there is an alpha, in a byte of its own or in one of VP8L's.
	const lossless = 24
	alpha := webpFlag(data, webpAlpha) || len(data) > lossless && string(data[12:16]) == "VP8L" && data[lossless]>>4&1 != 0
	if !alpha && p.Mode == pillow.ModeRGBA {
		return bands(pillow.ModeRGB, p.W, p.H, p.Pix, 4*p.W, 4, 0, 1, 2), nil
	}
	return p, nil
}

// fromVP8 turns the planes of a lossy WebP into RGB with libwebp's numbers:
// chroma doubled by its "fancy" filter, 9:3:3:1, then its fixed-point conversion
// from the studio range, which is not JPEG's.
func fromVP8(m *image.YCbCr) *pillow.RGB {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	p := pillow.NewRGB(w, h)
	pillow.Parallel(h, 8*w, func(from, to int) {
		u, v := make([]int, w+1), make([]int, w+1)
		for y := from; y < to; y++ {
			// The row of chroma that lies nearer, and the one beyond.
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

func webpOrientation(data []byte) (int, error) {
	var m metadata
	for kind, body := range webpChunks(data[12:]) {
		switch {
		case kind == "EXIF" && m.exif == nil:
			m.exif = body
		case kind == "XMP " && m.xmp == nil:
			m.xmp = body
		}
	}
	return m.orientation()
}
