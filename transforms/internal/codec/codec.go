// Package codec reads picture files as Pillow 13 does: the same pixels, in the
// same mode, for JPEG, PNG, GIF, BMP, TIFF, WebP, PNM, ICO, CUR and TGA.
//
// Files come from anywhere. A decoder returns an error on a broken one, takes no
// more memory than the size it reports needs, and its time is bounded by that and
// the file's length.
package codec

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/transforms/internal/jpeg"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
	"github.com/torchhub/torchhub/transforms/internal/tiff"
)

// Errors of [Decode], for errors.Is.
var (
	ErrFormat    = errors.New("it is not a picture in a known format (JPEG, PNG, GIF, BMP, TIFF, WebP, PBM, PGM, PPM, PFM, ICO, CUR, TGA)")
	ErrTruncated = errors.New("the picture is truncated; get the whole file")
	ErrTooLarge  = errors.New("the picture has too many pixels; scale it down")
)

// Options are the options of decoding.
type Options struct {
	MaxPixels int         // more are refused before memory is allocated for them
	Orient    bool        // rotate according to the EXIF data
	RGB       bool        // convert to the mode RGB
	Draft     image.Point // the least size of a JPEG that is decoded smaller; zero decodes all of it
	Pix       []uint8     // memory that may be used for the pixels

	// The part of a picture of w×h to decode; other pixels are undefined. nil stands for all
	// pixels.
	Region func(w, h int) image.Rectangle
}

// A format is a kind of picture file.
type format struct {
	name   string
	match  func(data []byte) bool
	size   func(data []byte) (w, h int, err error)                   // of the first picture
	decode func(data []byte, o Options) (*pillow.Image, error)       // the first picture
	frames func(data []byte, o Options) (next func() (Frame, error)) // all pictures, see [Frames]; nil if there is only one
	turned func(data []byte) (orientation int, err error)            // as EXIF numbers them; nil where Pillow finds none
}

var formats = []format{
	{"JPEG", prefix("\xff\xd8\xff"), jpegSize, decodeJPEG, nil, jpegOrientation},
	{"PNG", prefix("\x89PNG\r\n\x1a\n"), pngSize, decodePNG, pngFrames, pngOrientation},
	{"GIF", prefix("GIF87a", "GIF89a"), gifSize, decodeGIF, gifFrames, nil},
	{"BMP", prefix("BM"), bmpSize, decodeBMP, nil, nil},
	{"DIB", isDIB, bmpSize, decodeBMP, nil, nil},
	{"TIFF", tiff.Match, tiffSize, decodeTIFF, tiffFrames, nil},
	{"WebP", func(d []byte) bool { return len(d) > 15 && string(d[:4]) == "RIFF" && string(d[8:15]) == "WEBPVP8" }, webpSize, decodeWebP, webpFrames, webpOrientation},
	{"ICO", hasIcons(icoPrefix), icoSize, decodeICO, nil, nil},
	{"CUR", hasIcons(curPrefix), curSize, decodeCUR, nil, nil},
	{"PNM", isPNM, pnmSize, decodePNM, nil, nil},
	{"TGA", isTGA, tgaSize, decodeTGA, nil, nil}, // the last one, since it has no magic number
}

// prefix returns whether data begin with one of some magic numbers.
func prefix(magics ...string) func([]byte) bool {
	return func(data []byte) bool {
		for _, m := range magics {
			if bytes.HasPrefix(data, []byte(m)) {
				return true
			}
		}
		return false
	}
}

// Decode reads the first picture of a file.
func Decode(data []byte, o Options) (p *pillow.Image, err error) {
	defer contain(&err)
	f, err := formatOf(data, o)
	if err != nil {
		return nil, err
	}
	if p, err = f.decode(data, o); err != nil {
		return nil, broken(f.name, err)
	}
	return f.finish(p, data, o)
}

// contain makes an error of a panic. Decoders read files of any content, and one
// that panics has met a broken file.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the picture is broken: %v", r)
	}
}

// formatOf returns the format of a file, whose first picture is not too large.
func formatOf(data []byte, o Options) (*format, error) {
	for i := range formats {
		f := &formats[i]
		if !f.match(data) {
			continue
		}
		w, h, err := f.size(data)
		if err != nil {
			return nil, broken(f.name, err)
		}
		return f, fits(w, h, o)
	}
	return nil, unread(data)
}

// A formatError is ErrFormat for a file of a known kind.
type formatError string

func (e formatError) Error() string { return string(e) }

func (formatError) Is(target error) bool { return target == ErrFormat }

// unread describes a file that no format matches.
func unread(data []byte) error {
	k := filekind.OfHead(data[:min(len(data), filekind.HeadSize)])
	switch {
	case k.Class == filekind.Picture:
		return formatError("it is " + k.Name + ", a format that is not read; convert it to PNG")
	case k.Class == filekind.Stand && k.Advice != "":
		return formatError("it is " + k.Name + ", not a picture; " + k.Advice)
	case k.Class != filekind.Unknown && k.Class != filekind.Text:
		return formatError("it is " + k.Name + ", not a picture")
	}
	return ErrFormat
}

// finish converts and rotates a picture according to the options.
func (f *format) finish(p *pillow.Image, data []byte, o Options) (*pillow.Image, error) {
	var err error
	if o.RGB {
		if p.Mode != pillow.ModeRGB {
			if p, err = p.Convert(pillow.ModeRGB); err != nil {
				return nil, broken(f.name, err)
			}
		}
		p.Transparency, p.Alphas = nil, nil
	}
	if o.Orient && f.turned != nil {
		o, err := f.turned(data)
		if err != nil {
			return nil, broken(f.name, err)
		}
		return upright(p, o)
	}
	return p, nil
}

// fits returns an error where a picture has no pixels or too many.
func fits(w, h int, o Options) error {
	if w <= 0 || h <= 0 {
		return fmt.Errorf("the picture has no pixels (%d×%d)", w, h)
	}
	if w > o.MaxPixels/h {
		return fmt.Errorf("%d×%d pixels are more than %d: %w", w, h, o.MaxPixels, ErrTooLarge)
	}
	return nil
}

// broken returns the error for a damaged file of a known format.
func broken(format string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, jpeg.ErrTruncated) {
		err = ErrTruncated
	}
	return fmt.Errorf("%s: %w", format, err)
}

// bands returns an image of bytes with a mode's bands, taken from pixels of n bytes at the offsets given.
func bands(mode pillow.Mode, w, h int, pix []uint8, stride, n int, offsets ...int) *pillow.Image {
	p := pillow.New(mode, w, h)
	to := p.Pix
	for y := range h {
		row := pix[y*stride:]
		for x := range w {
			for i, o := range offsets {
				to[i] = row[n*x+o]
			}
			to = to[len(offsets):]
		}
	}
	return p
}

// unpack returns n numbers of some bits each, the first in a byte's upper bits.
func unpack(row []uint8, bits, n int) []uint8 {
	if bits == 8 {
		return row[:n]
	}
	out := make([]uint8, n)
	for i := range out {
		at := i * bits
		out[i] = row[at/8] >> (8 - bits - at%8) & (1<<bits - 1)
	}
	return out
}
