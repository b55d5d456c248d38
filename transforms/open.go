package transforms

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"

	"github.com/torchhub/torchhub/transforms/internal/codec"
)

// An OpenOption changes how [Open], [Decode], [OpenFrames] and [DecodeFrames] read pictures.
type OpenOption func(*openOptions)

type openOptions struct{ codec.Options }

// WithEXIFOrientation rotates and mirrors the picture according to its EXIF data:
// ImageOps.exif_transpose(img). By default the data are ignored, as in Pillow's
// open.
//
// The data may be in a JPEG, a WebP or a PNG; a PNG may also have them as hexadecimal digits in the
// text "Raw profile type exif". If they have no orientation, tiff:Orientation of the XMP data is used.
// EXIF data with an invalid header are an error, as in Pillow.
//
// https://pillow.readthedocs.io/en/stable/reference/ImageOps.html#PIL.ImageOps.exif_transpose
func WithEXIFOrientation() OpenOption { return func(o *openOptions) { o.Orient = true } }

// WithMaxPixels refuses pictures of more than n pixels before memory is
// allocated for them. The default is Pillow's limit, 178,956,970.
func WithMaxPixels(n int) OpenOption { return func(o *openOptions) { o.MaxPixels = n } }

// WithMode keeps the mode that the picture has in its file: Image.open without
// convert("RGB"). A gray picture is an *image.Gray then, one with a palette an
// *image.Paletted, one with an alpha an *image.NRGBA, CMYK an *image.CMYK, 16-bit gray
// an *image.Gray16, and RGB an [*RGB]. Pillow's modes that Go has no type for (1, LA, PA,
// I, F, and pictures with a transparent color) are a [*Picture].
//
// Of channels of 16 bits the upper 8 are used, except in gray pictures, as in
// Pillow.
//
// https://pillow.readthedocs.io/en/stable/handbook/concepts.html#concept-modes
func WithMode() OpenOption { return func(o *openOptions) { o.RGB = false } }

// WithDraft decodes a JPEG at 1/2, 1/4 or 1/8 of its size, the smallest of these that is no smaller
// than w×h in either direction: img.draft(None, (w, h)). This is much faster but changes the pixels,
// also after the picture is resized. Other formats ignore it.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.draft
func WithDraft(w, h int) OpenOption { return func(o *openOptions) { o.Draft = image.Pt(w, h) } }

// within limits decoding to the pixels of a part, and provides memory for them.
func within(region func(w, h int) image.Rectangle, pix []uint8) OpenOption {
	return func(o *openOptions) { o.Region, o.Pix = region, pix }
}

// maxPixels is twice Pillow's MAX_IMAGE_PIXELS, where it stops warning and refuses.
const maxPixels = 2 * 89478485

// maxFile limits the compressed size of a picture.
const maxFile = 1 << 30

// Errors of [Open] and [Decode], for errors.Is. [WithMaxPixels] sets the limit of ErrTooLarge.
var (
	ErrFormat    = codec.ErrFormat
	ErrTruncated = codec.ErrTruncated
	ErrTooLarge  = codec.ErrTooLarge
)

// Open reads a picture from a file: Image.open(path).convert("RGB"). The result is an
// [*RGB] with the pixels that Pillow has; [WithMode] keeps gray, alpha, palettes and so
// on. Of an animation, Open reads the first picture, and [OpenFrames] reads all. A TIFF
// is rotated according to its orientation, as in Pillow, which however does not rotate
// uncompressed TIFFs that it opens by their path and maps into memory.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.open
func Open(path string, opts ...OpenOption) (image.Image, error) {
	data, err := readFile(path)
	var img image.Image
	if err == nil {
		img, err = decode(data, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("transforms: open %s: %w%s", path, err, advice(err))
	}
	return img, nil
}

// Decode is [Open] for a reader. It reads to the end.
func Decode(r io.Reader, opts ...OpenOption) (image.Image, error) {
	data, err := read(r, 0)
	var img image.Image
	if err == nil {
		img, err = decode(data, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("transforms: decode: %w%s", err, advice(err))
	}
	return img, nil
}

// advice returns what a program can do about an error whose text does not contain
// advice.
func advice(err error) string {
	if errors.Is(err, ErrTooLarge) {
		return ", or raise the limit with WithMaxPixels"
	}
	return ""
}

// readFile reads a file, of pictures, whole.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			err = p.Err // the caller names the path
		}
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case st.IsDir():
		return nil, errors.New("it is a folder; name a picture in it")
	case st.Size() > maxFile:
		return nil, tooLarge()
	}
	return read(f, int(st.Size()))
}

func tooLarge() error { return fmt.Errorf("the file is larger than %d MiB", maxFile>>20) }

// read reads all of r, of which about size bytes are expected.
func read(r io.Reader, size int) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(size + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case n > maxFile:
		return nil, tooLarge()
	case n == 0:
		return nil, errors.New("the file is empty")
	}
	return b.Bytes(), nil
}

// options returns the codec's options.
func options(opts []OpenOption) codec.Options {
	o := openOptions{codec.Options{MaxPixels: maxPixels, RGB: true}}
	for _, f := range opts {
		f(&o)
	}
	return o.Options
}

func decode(data []byte, opts []OpenOption) (image.Image, error) {
	p, err := codec.Decode(data, options(opts))
	if err != nil {
		return nil, err
	}
	return p.Go(), nil
}
