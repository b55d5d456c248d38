package codec

import (
	"image"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A webpShow is the canvas of an animation, as libwebp's WebPAnimDecoder computes it.
type webpShow struct {
	file   *webpFile
	n      int           // the number of frames decoded
	canvas *pillow.Image // in RGBA; the last frame is disposed of
	key    bool          // the last frame does not depend on those before it
}

func webpFrames(data []byte, _ Options) func() (Frame, error) {
	var show webpShow
	return func() (_ Frame, err error) {
		if show.file == nil {
			if show.file, err = readWebP(data); err != nil {
				return Frame{}, err
			}
		}
		return show.next()
	}
}

// next decodes the next frame.
func (s *webpShow) next() (Frame, error) {
	if s.n == len(s.file.frames) {
		return Frame{}, errNoMore
	}
	f := &s.file.frames[s.n]
	part, err := f.decode()
	if err == nil {
		part, err = part.Convert(pillow.ModeRGBA)
	}
	if err != nil {
		return Frame{}, err
	}
	key := s.isKey(f)
	if key {
		s.canvas = pillow.New(pillow.ModeRGBA, s.file.w, s.file.h)
	} else if f.blend {
		s.blend(part, f)
	}
	s.canvas.Paste(part, f.box.Min.X, f.box.Min.Y, nil)
	shown, err := s.canvas.Copy().Convert(s.file.mode())
	if f.dispose {
		s.canvas.Paste(pillow.New(pillow.ModeRGBA, f.box.Dx(), f.box.Dy()), f.box.Min.X, f.box.Min.Y, nil)
	}
	s.n, s.key = s.n+1, key
	return Frame{shown, f.duration}, err
}

// isKey reports whether a frame does not depend on those before it.
func (s *webpShow) isKey(f *webpFrame) bool {
	if s.n == 0 {
		return true
	}
	whole := func(f *webpFrame) bool { return f.box.Dx() == s.file.w && f.box.Dy() == s.file.h }
	before := &s.file.frames[s.n-1]
	return (!f.seeThrough || !f.blend) && whole(f) || before.dispose && (whole(before) || s.key)
}

// blend blends part, the pixels of f, with the canvas, except where disposal of the frame before cleared it.
func (s *webpShow) blend(part *pillow.Image, f *webpFrame) {
	var gone image.Rectangle
	if before := &s.file.frames[s.n-1]; before.dispose {
		gone = before.box
	}
	for y := range part.H {
		for x := range part.W {
			at := f.box.Min.Add(image.Pt(x, y))
			if at.In(gone) {
				continue
			}
			from := s.canvas.Pix[4*(at.Y*s.canvas.W+at.X):][:4]
			over(part.Pix[4*(y*part.W+x):][:4], from)
		}
	}
}

// over replaces top with the blend of top and bottom, with libwebp's rounding.
func over(top, bottom []uint8) {
	a := uint32(top[3])
	switch a {
	case 255:
	case 0:
		copy(top, bottom)
	default:
		b := uint32(bottom[3]) * (256 - a) >> 8
		scale := uint32(1<<24) / (a + b)
		for i := range 3 {
			top[i] = uint8((uint32(top[i])*a + uint32(bottom[i])*b) * scale >> 24)
		}
		top[3] = uint8(a + b)
	}
}
