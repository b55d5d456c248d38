package codec

import (
	"io"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
	"github.com/torchhub/torchhub/transforms/internal/tiff"
)

// firstPage returns a TIFF and its first page.
func firstPage(data []byte) (*tiff.File, *tiff.Page, error) {
	f, err := tiff.Open(data)
	if err != nil {
		return nil, nil, err
	}
	p, err := f.Next()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return f, p, err
}

func tiffSize(data []byte) (int, int, error) {
	_, p, err := firstPage(data)
	if err != nil {
		return 0, 0, err
	}
	return p.W, p.H, nil
}

func decodeTIFF(data []byte, o Options) (*pillow.Image, error) {
	_, p, err := firstPage(data)
	if err != nil {
		return nil, err
	}
	return decodePage(p, o)
}

// decodePage decodes a page and turns it, as Pillow does with TIFFs alone.
func decodePage(p *tiff.Page, o Options) (*pillow.Image, error) {
	img, err := p.Decode(o.MaxPixels)
	if err != nil {
		return nil, err
	}
	return upright(img, p.Orientation())
}

// tiffFrames reads the pages of a TIFF one after the other.
func tiffFrames(data []byte, o Options) func() (Frame, error) {
	f, err := tiff.Open(data)
	return func() (Frame, error) {
		if err != nil {
			return Frame{}, err
		}
		p, err := f.Next()
		if err == io.EOF {
			return Frame{}, errNoMore
		}
		if err != nil {
			return Frame{}, err
		}
		if err := fits(p.W, p.H, o); err != nil {
			return Frame{}, err
		}
		img, err := decodePage(p, o)
		return Frame{Image: img}, err
	}
}
