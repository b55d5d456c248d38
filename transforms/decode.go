package transforms

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/torchhub/torchhub/internal/turbojpeg"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A format is a kind of picture file.
type format struct {
	name   string
	match  func(data []byte) bool
	size   func(data []byte) (w, h int, err error)
	decode func(data []byte) (*RGB, error)
}

var formats = []format{
	{"JPEG", prefix("\xff\xd8\xff"), jpegSize, decodeJPEG},
	{"PNG", prefix("\x89PNG\r\n\x1a\n"), sizeBy(png.DecodeConfig), decodePNG},
	{"GIF", prefix("GIF8"), sizeBy(gif.DecodeConfig), decodeGIF},
	{"BMP", prefix("BM"), sizeBy(bmp.DecodeConfig), decodeBy(bmp.Decode)},
	{"TIFF", func(d []byte) bool { return prefix("II*\x00")(d) || prefix("MM\x00*")(d) }, sizeBy(tiff.DecodeConfig), decodeBy(tiff.Decode)},
	{"WebP", func(d []byte) bool { return len(d) > 15 && string(d[:4]) == "RIFF" && string(d[8:15]) == "WEBPVP8" }, webpSize, decodeWebP},
}

func prefix(magic string) func([]byte) bool {
	return func(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }
}

func sizeBy(config func(io.Reader) (image.Config, error)) func([]byte) (int, int, error) {
	return func(data []byte) (int, int, error) {
		c, err := config(bytes.NewReader(data))
		return c.Width, c.Height, err
	}
}

func decodeBy(decode func(io.Reader) (image.Image, error)) func([]byte) (*RGB, error) {
	return func(data []byte) (*RGB, error) {
		img, err := decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return ToRGB(img), nil
	}
}

// JPEGDecoder says what decodes JPEGs here, and where it lies.
func JPEGDecoder() string {
	if lib := turbojpeg.Library(); lib != "" {
		return "libjpeg-turbo, " + lib + ": Pillow's pixels"
	}
	return "Go's image/jpeg: pixels differ from Pillow's by a few steps; install libturbojpeg for the same ones"
}

func jpegSize(data []byte) (int, int, error) {
	if turbojpeg.Library() == "" {
		return sizeBy(jpeg.DecodeConfig)(data)
	}
	h, err := turbojpeg.ReadHeader(data)
	return h.W, h.H, err
}

func decodeJPEG(data []byte) (*RGB, error) {
	if turbojpeg.Library() == "" {
		return decodeBy(jpeg.Decode)(data)
	}
	h, err := turbojpeg.ReadHeader(data)
	if err != nil {
		return nil, err
	}
	pix, err := turbojpeg.Decode(data, h, 1)
	if err != nil {
		return nil, err
	}
	if h.Channels == 1 {
		return ToRGB(&image.Gray{Pix: pix, Stride: h.W, Rect: image.Rect(0, 0, h.W, h.H)}), nil
	}
	if h.Channels == 4 { // Adobe's CMYK is inverted, and Pillow takes all to be Adobe's
		for i := range pix {
			pix[i] = 255 - pix[i]
		}
		return ToRGB(&image.CMYK{Pix: pix, Stride: 4 * h.W, Rect: image.Rect(0, 0, h.W, h.H)}), nil
	}
	return &RGB{Pix: pix, W: h.W, H: h.H}, nil
}

func decodePNG(data []byte) (*RGB, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	const depth, colours, grey = 24, 25, 0 // in the header
	if m, ok := img.(*image.NRGBA64); ok && data[depth] == 16 && data[colours] == grey {
		// 16-bit grey with a transparent level; Pillow reads it as I;16 too.
		g := image.NewGray16(m.Rect)
		for i := range len(g.Pix) / 2 {
			copy(g.Pix[2*i:2*i+2], m.Pix[8*i:])
		}
		img = g
	}
	return ToRGB(img), nil
}

// decodeGIF puts the first picture on the canvas, whose other pixels are
// transparent, or of colour 0 where nothing is.
func decodeGIF(data []byte) (*RGB, error) {
	config, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	img, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	frame := img.(*image.Paletted)
	colours, rest := gifColours(data)
	canvas := pillow.NewRGB(config.Width, config.Height)
	if 3*int(rest) < len(colours) {
		for i := range canvas.Pix {
			canvas.Pix[i] = colours[3*int(rest)+i%3]
		}
	}
	part := frame.Rect.Intersect(canvas.Bounds())
	for y := part.Min.Y; y < part.Max.Y; y++ {
		to := canvas.Pix[3*(y*canvas.W+part.Min.X):]
		for _, v := range frame.Pix[frame.PixOffset(part.Min.X, y):][:part.Dx()] {
			if i := 3 * int(v); i < len(colours) {
				copy(to[:3], colours[i:])
			} else { // Pillow's palettes start as greys
				to[0], to[1], to[2] = v, v, v
			}
			to = to[3:]
		}
	}
	return canvas, nil
}

// gifColours returns the colour table of the first picture of a sound GIF, and
// its transparent index, 0 without one. The decoder keeps no colour for that.
func gifColours(data []byte) (colours []byte, transparent uint8) {
	const header = 13
	table := func(at int, flags byte) []byte {
		if flags&0x80 == 0 {
			return nil
		}
		return data[at : at+3<<(flags&7+1)]
	}
	colours = table(header, data[10])
	for at := header + len(colours); ; {
		if data[at] == ',' {
			if local := table(at+10, data[at+9]); local != nil {
				colours = local
			}
			return colours, transparent
		}
		if data[at] != '!' {
			return colours, transparent
		}
		if data[at+1] == 0xf9 && data[at+3]&1 != 0 {
			transparent = data[at+6]
		}
		for at += 2; data[at] != 0; at += 1 + int(data[at]) { // sub-blocks
		}
		at++
	}
}

// orientation reads the EXIF tag Orientation, 1 to 8; 1, upright, where there is none.
func orientation(format string, data []byte) int {
	var exif []byte
	switch format {
	case "TIFF":
		exif = data
	case "JPEG":
		exif = jpegEXIF(data)
	case "PNG":
		for d := data[8:]; len(d) >= 12; {
			n := int(binary.BigEndian.Uint32(d))
			if n > len(d)-12 {
				break
			}
			if string(d[4:8]) == "eXIf" {
				exif = d[8 : 8+n]
			}
			d = d[12+n:]
		}
	case "WebP":
		for d := data[12:]; len(d) >= 8; {
			n := int(binary.LittleEndian.Uint32(d[4:]))
			if n > len(d)-8 {
				break
			}
			if string(d[:4]) == "EXIF" {
				exif = bytes.TrimPrefix(d[8:8+n], []byte("Exif\x00\x00"))
			}
			d = d[min(8+n+n&1, len(d)):]
		}
	}
	return orientationTag(exif)
}

// jpegEXIF returns the EXIF data of a JPEG's APP1 segment.
func jpegEXIF(data []byte) []byte {
	for d := data[2:]; len(d) >= 4 && d[0] == 0xff && d[1] != 0xda; {
		n := int(binary.BigEndian.Uint16(d[2:]))
		if n < 2 || n+2 > len(d) {
			return nil
		}
		if exif, ok := bytes.CutPrefix(d[4:2+n], []byte("Exif\x00\x00")); d[1] == 0xe1 && ok {
			return exif
		}
		d = d[2+n:]
	}
	return nil
}

// orientationTag finds the tag in the first directory of EXIF data, which are a TIFF.
func orientationTag(exif []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(exif, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(exif) < 8 {
		return 1
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1
	}
	n := int(order.Uint16(exif[at:]))
	for d := exif[at+2:]; n > 0 && len(d) >= 12; n, d = n-1, d[12:] {
		const tag, short = 0x112, 3
		if order.Uint16(d) == tag && order.Uint16(d[2:]) == short {
			if v := int(order.Uint16(d[8:])); 1 <= v && v <= 8 {
				return v
			}
		}
	}
	return 1
}

// oriented turns and mirrors a picture upright.
func oriented(p *RGB, orientation int) *RGB {
	if orientation == 1 {
		return p
	}
	transposed := orientation >= 5
	q := pillow.NewRGB(p.W, p.H)
	if transposed {
		q.W, q.H = p.H, p.W
	}
	for y := range q.H {
		for x := range q.W {
			// (u, v) is where the pixel lies in p.
			u, v := x, y
			if transposed {
				u, v = y, x
			}
			var flipU, flipV bool
			switch orientation {
			case 2, 8:
				flipU = true
			case 3, 7:
				flipU, flipV = true, true
			case 4, 6:
				flipV = true
			}
			if flipU {
				u = p.W - 1 - u
			}
			if flipV {
				v = p.H - 1 - v
			}
			copy(q.Pix[3*(y*q.W+x):][:3], p.Pix[3*(v*p.W+u):])
		}
	}
	return q
}
