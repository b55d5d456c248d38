package codec

import (
	"errors"
	"image"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A gifShow is the canvas of an animation, with the state that Pillow keeps from frame to frame.
type gifShow struct {
	// The canvas: indices in the mode P or levels in L. From the second frame on it has colors, in RGBA, or in
	// RGBX for Pillow's mode RGB: Pillow also stores a fourth byte there, which becomes the alpha if the canvas grows.
	im          *pillow.Image
	indexed     bool // The last frame had a palette, so that Pillow treats the canvas as one of mode P.
	transparent int  // the transparent index of the first frame, until the canvas has colors; -1 is none
	under       *pillow.Image
	at          image.Point
}

// gifFrames decodes the frames of a GIF. The first is of mode P or L, and the others RGB or RGBA, or all L.
func gifFrames(data []byte, o Options) func() (Frame, error) {
	var f *gifFile
	var s gifShow
	return func() (frame Frame, err error) {
		if f == nil {
			if f, err = openGIF(data); err != nil {
				return frame, err
			}
		} else {
			f.skipBlocks()
		}
		p, err := f.next()
		if err == errNoPicture && s.im != nil {
			err = errNoMore
		}
		if err == nil {
			err = fits(f.w, f.h, o)
		}
		if err == nil {
			err = s.draw(f, &p)
		}
		if err != nil {
			return frame, err
		}
		f.at = p.at
		shown := s.im.Copy()
		if s.transparent >= 0 {
			shown.Transparency = []int{s.transparent}
		}
		if shown.Mode == pillow.ModeRGBX {
			shown = bands(pillow.ModeRGB, shown.W, shown.H, shown.Pix, 4*shown.W, 4, 0, 1, 2)
		}
		return Frame{shown, p.duration}, nil
	}
}

// draw disposes of the frame before, and draws the next one.
func (s *gifShow) draw(f *gifFile, p *gifPicture) (err error) {
	if s.im == nil {
		s.transparent = p.transparent
		s.underFirst(f, p)
		s.im, err = f.first(p)
		if err == nil {
			s.indexed, s.im.Transparency = p.palette != nil, nil
		}
		return err
	}
	if s.under != nil {
		s.im.Paste(s.under, s.at.X, s.at.Y, nil)
	}
	if s.indexed {
		if s.im.Mode == pillow.ModeL && s.transparent >= 0 {
			return errors.New("its transparent color is no palette's")
		}
		mode := pillow.ModeRGBX
		if s.transparent >= 0 {
			mode = pillow.ModeRGBA
		}
		var colors []uint8 // nil for levels
		if s.im.Mode == pillow.ModeP {
			colors = append([]uint8{}, s.im.Palette.Colors...)
		}
		s.im, s.indexed = colored(s.im, mode, colors, s.transparent), false
		s.transparent = -1
	}
	if err := s.remember(f, p); err != nil {
		return err
	}
	if s.im.Mode.BytesPerPixel() == 1 {
		return s.drawIndices(f, p)
	}
	return s.drawColors(f, p)
}

// colored returns the colors of a picture's indices or levels, of which one may be transparent.
func colored(im *pillow.Image, mode pillow.Mode, palette []uint8, transparent int) *pillow.Image {
	table := gifColors(palette, transparent)
	q := pillow.New(mode, im.W, im.H)
	for i, v := range im.Pix {
		copy(q.Pix[4*i:], table[v][:])
	}
	return q
}

// gifColors returns the colors of a palette with alphas, or grays if palette is nil. Colors beyond its end are black.
func gifColors(palette []uint8, transparent int) (t [256][4]uint8) {
	for i := range t {
		t[i] = [4]uint8{0, 0, 0, 255}
		if palette == nil {
			t[i] = [4]uint8{uint8(i), uint8(i), uint8(i), 255}
		} else if 3*i+3 <= len(palette) {
			copy(t[i][:], palette[3*i:3*i+3])
		}
	}
	if transparent >= 0 {
		t[transparent][3] = 0
	}
	return t
}

// underFirst sets what replaces the first frame before the second one.
func (s *gifShow) underFirst(f *gifFile, p *gifPicture) {
	color := p.transparent
	if color < 0 && f.disposal == gifBackground {
		color = f.background
	}
	if f.disposal >= gifBackground && color >= 0 {
		s.cover(p, pillow.ModeL, []uint8{uint8(color)})
	}
}

// cover sets pixels that are all alike to replace a frame.
func (s *gifShow) cover(p *gifPicture, mode pillow.Mode, pixel []uint8) {
	s.under, s.at = pillow.New(mode, p.box.Dx(), p.box.Dy()), p.box.Min
	fillWith(s.under, pixel)
}

// remember sets what replaces a later frame before the next one: the background, or the current pixels.
func (s *gifShow) remember(f *gifFile, p *gifPicture) (err error) {
	s.under = nil
	if f.disposal < gifBackground {
		return nil
	}
	if f.disposal >= gifPrevious {
		s.under, err = s.im.Copy().Crop(p.box) // Crop shares the pixels of a whole picture
		s.at = p.box.Min
		return err
	}
	color := p.transparent
	if s.transparent >= 0 {
		color = s.transparent
	}
	alpha := uint8(0)
	if color < 0 {
		color, alpha = f.background, 255
	}
	if s.im.Mode.BytesPerPixel() == 1 {
		s.cover(p, pillow.ModeL, []uint8{uint8(color)})
		return nil
	}
	if p.palette != nil && 3*color+3 > len(p.palette) {
		color = 0
	}
	c := gifColors(p.palette, -1)[color]
	c[3] = alpha
	s.cover(p, s.im.Mode, c[:])
	return nil
}

// drawIndices draws a frame onto a canvas of levels.
func (s *gifShow) drawIndices(f *gifFile, p *gifPicture) error {
	if f.w != s.im.W || f.h != s.im.H {
		larger := pillow.New(s.im.Mode, f.w, f.h)
		larger.Paste(s.im, 0, 0, nil)
		if p.palette != nil {
			larger.Mode, larger.Palette = pillow.ModeP, &pillow.Palette{Mode: pillow.ModeRGB, Colors: p.palette}
		}
		s.im = larger
	}
	s.indexed = p.palette != nil
	return f.decode(p, s.im, p.box.Min, p.transparent)
}

// drawColors draws a frame onto a canvas of colors.
func (s *gifShow) drawColors(f *gifFile, p *gifPicture) error {
	if f.w != s.im.W || f.h != s.im.H {
		larger := pillow.New(pillow.ModeRGBA, f.w, f.h)
		if p.transparent < 0 {
			if p.palette == nil {
				return errors.New("its canvas grows with a picture that has no palette")
			}
			larger.Mode = pillow.ModeRGBX
			c := gifColors(p.palette, -1)[0]
			fillWith(larger, c[:])
		}
		larger.Paste(s.im, 0, 0, nil)
		s.im = larger
	}
	indices := pillow.New(pillow.ModeL, p.box.Dx(), p.box.Dy())
	if err := f.decode(p, indices, image.Point{}, -1); err != nil {
		return err
	}
	table := gifColors(p.palette, -1)
	for y := range indices.H {
		to := s.im.Pix[4*((p.box.Min.Y+y)*s.im.W+p.box.Min.X):]
		for x, v := range indices.Pix[y*indices.W:][:indices.W] {
			if int(v) != p.transparent {
				copy(to[4*x:4*x+4], table[v][:])
			}
		}
	}
	return nil
}
