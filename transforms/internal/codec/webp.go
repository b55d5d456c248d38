package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	"golang.org/x/image/webp"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A webpFile is a WebP whose chunks are read by the rules of libwebp's demuxer. It
// reads all of them first, so that damage to any frame makes the file unreadable.
type webpFile struct {
	w, h   int
	flags  byte
	alpha  bool // Pillow's mode is RGBA
	frames []webpFrame
	meta   metadata
}

// A webpFrame is a picture of an animation, or the only one.
type webpFrame struct {
	box            image.Rectangle
	duration       time.Duration
	dispose, blend bool   // clear its place before the next frame; blend it with the canvas
	alpha          []byte // the content of the chunk ALPH, or nil
	pixels         []byte // the content of the chunk VP8 or VP8L
	lossless       bool
	seeThrough     bool // it has alphas
}

// The flags of a chunk VP8X.
const (
	webpAnimated = 0x02
	webpXMP      = 0x04
	webpEXIF     = 0x08
	webpAlpha    = 0x10
	webpFlags    = 0x3e // all valid ones
)

// chunkHeader is the size of a chunk's kind and length.
const chunkHeader = 8

// errWebP is the error of chunks in an order that libwebp rejects.
var errWebP = errors.New("its chunks are out of order")

// A webpReader reads chunks one after the other.
type webpReader struct{ data []byte }

// peek returns the next chunk, whose content is whole, and how many bytes it takes.
func (r *webpReader) peek() (kind string, body []byte, size int, err error) {
	if len(r.data) < chunkHeader {
		return "", nil, 0, io.ErrUnexpectedEOF
	}
	n := int(binary.LittleEndian.Uint32(r.data[4:]))
	size = chunkHeader + n + n&1
	if size > len(r.data) {
		return "", nil, 0, io.ErrUnexpectedEOF
	}
	return string(r.data[:4]), r.data[chunkHeader : chunkHeader+n], size, nil
}

func readWebP(data []byte) (*webpFile, error) {
	f := &webpFile{}
	const riff = 12
	end := int(binary.LittleEndian.Uint32(data[4:])) + chunkHeader
	if end > len(data) || end < riff+chunkHeader {
		return f, io.ErrUnexpectedEOF
	}
	r := &webpReader{data[riff:end]}
	kind, body, size, err := r.peek()
	if err != nil {
		return f, err
	}
	if kind != "VP8X" {
		frame := webpFrame{}
		if err := frame.read(r); err != nil {
			return f, err
		}
		if frame.pixels == nil {
			return f, errWebP
		}
		f.w, f.h, f.alpha = frame.box.Dx(), frame.box.Dy(), frame.seeThrough
		f.frames = []webpFrame{frame}
		return f, nil
	}
	const vp8x = 10
	if len(body) < vp8x {
		return f, io.ErrUnexpectedEOF
	}
	f.flags = body[0]
	f.w, f.h = 1+uint24(body[4:]), 1+uint24(body[7:])
	r.data = r.data[size:]
	if err := f.chunks(r); err != nil {
		return f, err
	}
	switch still := f.flags&webpAnimated == 0; {
	case len(body) != vp8x: // libwebp cannot tell then whether there are alphas
		f.alpha = true
	case !still || !f.frames[0].lossless:
		f.alpha = f.flags&webpAlpha != 0 || still && f.frames[0].alpha != nil
	default:
		f.alpha = f.frames[0].seeThrough
	}
	if f.flags&webpAlpha == 0 && f.flags&webpAnimated == 0 {
		f.frames[0].alpha = nil
	}
	return f, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// chunks reads the chunks after VP8X.
func (f *webpFile) chunks(r *webpReader) error {
	animated, begun := f.flags&webpAnimated != 0, false
	for first := true; first || len(r.data) > 0; first = false {
		kind, body, size, err := r.peek()
		if err != nil {
			return err
		}
		switch kind {
		case "VP8X":
			return errWebP
		case "ALPH", "VP8 ", "VP8L":
			frame := webpFrame{}
			if begun || animated || len(f.frames) > 0 {
				return errWebP
			}
			if err := frame.read(r); err != nil {
				return err
			}
			f.frames = append(f.frames, frame)
			continue
		case "ANMF":
			if !begun {
				return errWebP
			}
			if err := f.animationFrame(r, len(body)+len(body)&1); err != nil {
				return err
			}
			continue
		case "ANIM":
			if len(body)+len(body)&1 < 6 {
				return io.ErrUnexpectedEOF
			}
			begun = true
		case "EXIF":
			if f.flags&webpEXIF != 0 && f.meta.exif == nil {
				f.meta.exif = body
			}
		case "XMP ":
			if f.flags&webpXMP != 0 && f.meta.xmp == nil {
				f.meta.xmp = body
			}
		}
		r.data = r.data[size:]
	}
	return f.check()
}

// animationFrame reads a frame, whose chunk has n bytes.
func (f *webpFile) animationFrame(r *webpReader, n int) error {
	const header = 16
	if n < header {
		return io.ErrUnexpectedEOF
	}
	d := r.data[chunkHeader:]
	at := image.Pt(2*uint24(d), 2*uint24(d[3:]))
	frame := webpFrame{
		duration: time.Duration(uint24(d[12:])) * time.Millisecond,
		dispose:  d[15]&1 != 0,
		blend:    d[15]&2 == 0,
	}
	r.data = d[header:]
	before := len(r.data)
	if before < max(n-header, chunkHeader) {
		return io.ErrUnexpectedEOF
	}
	if err := frame.read(r); err != nil {
		return err
	}
	if before-len(r.data) > n-header {
		return errWebP
	}
	if f.flags&webpAnimated != 0 && (frame.pixels != nil || frame.alpha != nil) {
		frame.box = frame.box.Add(at)
		f.frames = append(f.frames, frame)
	}
	return nil
}

// check compares the frames with the canvas.
func (f *webpFile) check() error {
	if len(f.frames) == 0 {
		return errors.New("it has no picture")
	}
	if f.flags&^webpFlags != 0 {
		return fmt.Errorf("its flags %#x are invalid", f.flags)
	}
	canvas := image.Rect(0, 0, f.w, f.h)
	for _, frame := range f.frames {
		switch {
		case frame.pixels == nil:
			return errWebP
		case f.flags&webpAnimated == 0 && frame.box != canvas, !frame.box.In(canvas):
			return fmt.Errorf("its picture at %v is not in its canvas of %d×%d pixels", frame.box, f.w, f.h)
		}
	}
	return nil
}

// read reads the chunks of a frame: its alphas, if they have their own, and its pixels.
func (f *webpFrame) read(r *webpReader) error {
	for {
		kind, body, size, err := r.peek()
		if err != nil {
			return err
		}
		switch {
		case kind == "ALPH" && f.alpha == nil:
			if f.pixels != nil {
				return errWebP
			}
			f.alpha, f.seeThrough = body, true
		case kind == "VP8L" && f.alpha != nil:
			return errWebP
		case (kind == "VP8 " || kind == "VP8L") && f.pixels == nil:
			f.pixels, f.lossless = body, kind == "VP8L"
			if err := f.header(); err != nil {
				return err
			}
			f.pixels = r.data[chunkHeader:size] // The decoder also reads the byte that makes the length even.
		default:
			return nil
		}
		if r.data = r.data[size:]; len(r.data) == 0 {
			return nil
		}
	}
}

// header reads the beginning of the pixels.
func (f *webpFrame) header() error {
	d := f.pixels
	var w, h int
	if f.lossless {
		if len(d) < 5 || d[0] != 0x2f || d[4]>>5 != 0 {
			return errors.New("the header of its pixels is invalid")
		}
		v := binary.LittleEndian.Uint32(d[1:])
		w, h = 1+int(v&0x3fff), 1+int(v>>14&0x3fff)
		f.seeThrough = f.seeThrough || d[4]>>4&1 != 0
	} else {
		if len(d) < 10 {
			return io.ErrUnexpectedEOF
		}
		bits := uint24(d)
		key, profile, shown, first := bits&1 == 0, bits>>1&7, bits>>4&1 != 0, bits>>5
		w, h = int(binary.LittleEndian.Uint16(d[6:]))&0x3fff, int(binary.LittleEndian.Uint16(d[8:]))&0x3fff
		if !key || profile > 3 || !shown || first >= len(d) || string(d[3:6]) != "\x9d\x01\x2a" || w == 0 || h == 0 {
			return errors.New("the header of its pixels is invalid")
		}
	}
	f.box = image.Rect(0, 0, w, h)
	return nil
}

func webpSize(data []byte) (int, int, error) {
	f, err := readWebP(data)
	return f.w, f.h, err
}

func webpOrientation(data []byte) (int, error) {
	f, err := readWebP(data)
	if err != nil {
		return 1, err
	}
	return f.meta.orientation()
}

func decodeWebP(data []byte, _ Options) (*pillow.Image, error) {
	f, err := readWebP(data)
	if err != nil {
		return nil, err
	}
	if f.flags&webpAnimated != 0 {
		show := webpShow{file: f}
		frame, err := show.next()
		return frame.Image, err
	}
	p, err := f.frames[0].decode()
	if err != nil {
		return nil, err
	}
	return p.Convert(f.mode())
}

func (f *webpFile) mode() pillow.Mode {
	if f.alpha {
		return pillow.ModeRGBA
	}
	return pillow.ModeRGB
}

// decode decodes a frame. It is RGB if it has no alphas, or RGBA.
func (f *webpFrame) decode() (*pillow.Image, error) {
	if f.alpha != nil && (len(f.alpha) < 2 || f.alpha[0]&3 > 1 || f.alpha[0]>>4 > 1) {
		return nil, errors.New("the header of its alphas is invalid")
	}
	img, err := webp.Decode(bytes.NewReader(f.file()))
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
	return pillow.From(img), nil
}

// file returns a frame as a file of its own.
func (f *webpFrame) file() []byte {
	chunk := func(kind string, body []byte) []byte {
		c := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
		return append(append(c, body...), make([]byte, len(body)&1)...)
	}
	out := []byte("WEBP")
	if f.alpha != nil {
		w, h := f.box.Dx()-1, f.box.Dy()-1
		out = append(out, chunk("VP8X", []byte{webpAlpha, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)})...)
		out = append(out, chunk("ALPH", f.alpha)...)
	}
	kind := "VP8 "
	if f.lossless {
		kind = "VP8L"
	}
	return chunk("RIFF", append(out, chunk(kind, f.pixels)...))
}
