package codec

import (
	"encoding/binary"

	"github.com/torchhub/torchhub/transforms/internal/jpeg"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

func jpegSize(data []byte) (int, int, error) {
	if err := jpeg.Check(data); err != nil {
		return 0, 0, err
	}
	h, err := jpeg.ReadHeader(data)
	return h.W, h.H, err
}

// jpegModes are the modes of JPEGs, by the number of channels.
var jpegModes = map[int]pillow.Mode{1: pillow.ModeL, 3: pillow.ModeRGB, 4: pillow.ModeCMYK}

func decodeJPEG(data []byte, o Options) (*pillow.Image, error) {
	p, err := jpegPixels(data, o)
	if err == nil && p.Mode == pillow.ModeCMYK {
		for i := 0; i < len(p.Pix); i += 4 { // Adobe's CMYK is inverted, and Pillow takes all to be Adobe's
			ink := p.Pix[i:][:4]
			binary.NativeEndian.PutUint32(ink, ^binary.NativeEndian.Uint32(ink))
		}
	}
	return p, err
}

// jpegPixels decodes a JPEG, CMYK as it is in the file.
func jpegPixels(data []byte, o Options) (*pillow.Image, error) {
	region := o.Region
	if o.Orient {
		region = nil
	}
	pix, h, err := jpeg.Decode(data, jpeg.Options{Draft: o.Draft, Pix: o.Pix, Region: region})
	if err != nil {
		return nil, err
	}
	return &pillow.Image{Mode: jpegModes[h.Channels], W: h.W, H: h.H, Pix: pix}, nil
}
