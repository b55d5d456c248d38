package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A pngAnimation is the state of the frames of a PNG.
type pngAnimation struct {
	frames       int // 0 if it is not animated
	defaultImage bool
	sequence     int // the number of the last chunk of a frame, or -1

	// The frame whose control chunk was read last.
	box            image.Rectangle
	hasBox         bool
	dispose, blend uint8
	duration       time.Duration
}

// The ways to dispose of a frame before the next one, and to draw it onto the one before.
const (
	apngBackground, apngPrevious = 1, 2
	apngOver                     = 1
)

// control reads the number of frames. Like Pillow, it treats a file with two such chunks as a
// single picture, and ignores a number that is out of range.
func (a *pngAnimation) control(body []byte) {
	n := int(binary.BigEndian.Uint32(body))
	if a.frames > 0 {
		n = 0
	} else if n > 1<<31 {
		return
	}
	a.frames = n
}

// frame reads the control chunk of the next frame.
func (a *pngAnimation) frame(f *pngFile, body []byte) error {
	if err := a.follow(body); err != nil {
		return err
	}
	be := binary.BigEndian
	x, y := int(be.Uint32(body[12:])), int(be.Uint32(body[16:]))
	a.box, a.hasBox = image.Rect(x, y, x+int(be.Uint32(body[4:])), y+int(be.Uint32(body[8:]))), true
	if a.box.Max.X > f.w || a.box.Max.Y > f.h {
		return fmt.Errorf("its frame at %v is not within %d×%d pixels", a.box, f.w, f.h)
	}
	part, whole := be.Uint16(body[20:]), be.Uint16(body[22:])
	if whole == 0 {
		whole = 100
	}
	a.duration = time.Duration(float64(part) / float64(whole) * float64(time.Second))
	a.dispose, a.blend = body[24], body[25]
	return nil
}

// data reads the sequence number before a frame's pixels, and returns the chunk without it.
func (a *pngAnimation) data(f *pngFile, c pngChunk) (pngChunk, error) {
	if c.len < 4 {
		return c, fmt.Errorf("its chunk %s has %d bytes; want 4 or more", c.kind, c.len)
	}
	if c.at+4 > len(f.data) {
		return c, io.ErrUnexpectedEOF
	}
	return pngChunk{c.kind, c.at + 4, c.len - 4}, a.follow(f.data[c.at:])
}

// follow reads and checks the sequence number of a chunk.
func (a *pngAnimation) follow(body []byte) error {
	n := int(binary.BigEndian.Uint32(body))
	if n != a.sequence+1 {
		return fmt.Errorf("the chunk %d of its frames follows chunk %d", n, a.sequence)
	}
	a.sequence = n
	return nil
}

// pngFrames decodes the frames of an animated PNG. Each is drawn onto the canvas that the one before leaves.
func pngFrames(data []byte, o Options) func() (Frame, error) {
	var f *pngFile
	var s pngShow
	n := 0
	return func() (frame Frame, err error) {
		switch {
		case n == 0:
			if f, err = openPNG(data); err == nil {
				err = fits(f.w, f.h, o)
			}
			if err == nil {
				s.shown = pillow.New(f.layout.mode, f.w, f.h)
				s.begin(f)
			}
		case n >= f.count:
			err = errNoMore
		default:
			err = s.next(f)
		}
		n++
		if err == nil {
			err = s.draw(f)
		}
		if err != nil {
			return frame, err
		}
		p := s.shown.Copy()
		f.describe(p)
		return Frame{p, f.animation.duration}, nil
	}
}

// A pngShow is the canvas of an animation.
type pngShow struct {
	shown, before  *pillow.Image // this frame and the one before it, each as it is shown
	box            image.Rectangle
	dispose, blend uint8
}

// begin takes over the disposal, blending and place of the frame that was read last.
func (s *pngShow) begin(f *pngFile) {
	a := &f.animation
	s.dispose, s.blend = a.dispose, a.blend
	if a.hasBox {
		s.box = a.box
	}
	if s.before == nil && s.dispose == apngPrevious {
		s.dispose = apngBackground
	}
}

// next disposes of the current frame, and reads the chunks up to the pixels of the next one.
func (s *pngShow) next(f *pngFile) error {
	switch {
	case s.dispose == apngBackground:
		s.shown.Paste(pillow.New(s.shown.Mode, s.box.Dx(), s.box.Dy()), s.box.Min.X, s.box.Min.Y, nil)
	case s.dispose == apngPrevious:
		part, err := s.before.Crop(s.box)
		if err != nil {
			return err
		}
		s.shown.Paste(part, s.box.Min.X, s.box.Min.Y, nil)
	}
	s.before = s.shown.Copy()
	if err := f.seek(); err != nil {
		return err
	}
	s.begin(f)
	return nil
}

// draw decodes the frame.
func (s *pngShow) draw(f *pngFile) error {
	if err := f.load(s.shown); err != nil || s.before == nil || s.blend != apngOver {
		return err
	}
	part, err := s.shown.Crop(s.box)
	if err != nil {
		return err
	}
	alphas, err := f.alphasOf(part)
	if err != nil {
		return err
	}
	s.before.Paste(part, s.box.Min.X, s.box.Min.Y, alphas)
	s.shown = s.before // As in Pillow, where a blended frame is therefore never reverted before the next one.
	return nil
}

// alphasOf returns the alphas of a picture's pixels; nil where all are opaque.
func (f *pngFile) alphasOf(p *pillow.Image) ([]uint8, error) {
	part := *p
	switch p.Mode {
	case pillow.ModeP, pillow.ModeRGB:
		f.describe(&part)
	case pillow.ModeLA, pillow.ModeRGBA:
	default:
		return nil, nil
	}
	rgba, err := part.Convert(pillow.ModeRGBA)
	if err != nil {
		return nil, err
	}
	alphas := make([]uint8, p.W*p.H)
	for i := range alphas {
		alphas[i] = rgba.Pix[4*i+3]
	}
	return alphas, nil
}

// seek reads the chunks up to the pixels of the next frame.
func (f *pngFile) seek() error {
	begun := false
	for {
		c, err := f.next()
		switch {
		case err != nil:
			return err
		case c.kind == "IEND":
			return errNoMore
		case c.kind == "fcTL" && begun:
			return errors.New("a frame of it has no pixels")
		}
		if err := f.handle(c); err != nil {
			return err
		}
		begun = begun || c.kind == "fcTL"
		if c.kind == "fdAT" && begun {
			return nil
		}
		if c.len > len(f.data)-c.at {
			return io.ErrUnexpectedEOF
		}
		f.at = c.at + c.len + 4
	}
}
