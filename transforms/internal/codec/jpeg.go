package codec

import (
	"bytes"
	"image"
	"image/jpeg"

	"github.com/torchhub/torchhub/internal/turbojpeg"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

func jpegSize(data []byte) (int, int, error) {
	if turbojpeg.Library() == "" {
		return sizeBy(jpeg.DecodeConfig)(data)
	}
	h, err := turbojpeg.ReadHeader(data)
	return h.W, h.H, err
}

// noDraft decodes all of a JPEG.
var noDraft image.Point

// jpegModes are the modes of JPEGs, by the number of channels.
var jpegModes = map[int]pillow.Mode{1: pillow.ModeL, 3: pillow.ModeRGB, 4: pillow.ModeCMYK}

func decodeJPEG(data []byte, o Options) (*pillow.Image, error) {
	p, err := jpegPixels(data, o.Draft, o.Pix)
	if err == nil && p.Mode == pillow.ModeCMYK && turbojpeg.Library() != "" {
		for i := range p.Pix { // Adobe's CMYK is inverted, and Pillow takes all to be Adobe's
			p.Pix[i] = 255 - p.Pix[i]
		}
	}
	return p, err
}

// jpegPixels decodes a JPEG, CMYK as it is in the file.
func jpegPixels(data []byte, draft image.Point, buf []uint8) (*pillow.Image, error) {
	if turbojpeg.Library() == "" {
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return pillow.From(img), nil
	}
	h, err := turbojpeg.ReadHeader(data)
	if err != nil {
		return nil, err
	}
	// As Image.draft: the smallest of the scales that is no smaller than asked for.
	scale := 1
	for s := 8; s > 1 && scale == 1; s /= 2 {
		if draft.X > 0 && draft.Y > 0 && min(h.W/draft.X, h.H/draft.Y) >= s {
			scale = s
		}
	}
	pix, err := turbojpeg.Decode(data, h, scale, buf)
	if err != nil {
		return nil, err
	}
	w, height := h.Scaled(scale)
	return &pillow.Image{Mode: jpegModes[h.Channels], W: w, H: height, Pix: pix}, nil
}
