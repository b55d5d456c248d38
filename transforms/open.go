package transforms

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"strings"

	"github.com/torchhub/torchhub/internal/turbojpeg"
)

// An OpenOption changes how [Open] and [Decode] read pictures.
type OpenOption func(*openOptions)

type openOptions struct {
	maxPixels int
	orient    bool
}

// WithEXIFOrientation turns and mirrors the picture as its EXIF data ask for:
// ImageOps.exif_transpose(img). Without it they are ignored, as in Pillow's open.
//
// https://pillow.readthedocs.io/en/stable/reference/ImageOps.html#PIL.ImageOps.exif_transpose
func WithEXIFOrientation() OpenOption { return func(o *openOptions) { o.orient = true } }

// WithMaxPixels refuses pictures of more than n pixels before memory is taken
// for them. The default is Pillow's limit, 178,956,970.
func WithMaxPixels(n int) OpenOption { return func(o *openOptions) { o.maxPixels = n } }

// maxPixels is twice Pillow's MAX_IMAGE_PIXELS, where it stops warning and refuses.
const maxPixels = 2 * 89478485

// maxFile bounds what is read of a picture, compressed.
const maxFile = 1 << 30

// Errors of [Open] and [Decode], for errors.Is.
var (
	ErrFormat    = errors.New("it is no picture in a known format (JPEG, PNG, GIF, BMP, TIFF, WebP)")
	ErrTruncated = errors.New("the picture is truncated; get the whole file")
	ErrTooLarge  = errors.New("the picture has too many pixels; WithMaxPixels sets the limit")
)

// Open reads a picture from a file: Image.open(path).convert("RGB"). The result
// is an [*RGB] with the pixels that Pillow has. Of animations it is the first
// picture, and a TIFF is turned as its orientation asks, as in Pillow. JPEGs are decoded by libjpeg-turbo where the machine has its TurboJPEG
// library, as in Pillow; else by image/jpeg, whose pixels differ by a few
// steps. [JPEGDecoder] says which.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.open
func Open(path string, opts ...OpenOption) (image.Image, error) {
	img, err := open(path, opts)
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			err = p.Err // the path is there already
		}
		return nil, fmt.Errorf("transforms: open %s: %w", path, err)
	}
	return img, nil
}

func open(path string, opts []OpenOption) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
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
	return read(f, int(st.Size()), opts)
}

// Decode is [Open] for a reader. It reads to the end.
func Decode(r io.Reader, opts ...OpenOption) (image.Image, error) {
	img, err := read(r, 0, opts)
	if err != nil {
		return nil, fmt.Errorf("transforms: decode: %w", err)
	}
	return img, nil
}

func tooLarge() error { return fmt.Errorf("the file is larger than %d MiB", maxFile>>20) }

// read reads all of r, of which about size bytes are expected, and decodes it.
func read(r io.Reader, size int, opts []OpenOption) (_ image.Image, err error) {
	o := openOptions{maxPixels: maxPixels}
	for _, f := range opts {
		f(&o)
	}
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
	// Decoders are handed whatever users are sent; one that fails hard has met a broken file.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the picture is broken: %v", p)
		}
	}()
	data := b.Bytes()
	for _, f := range formats {
		if !f.match(data) {
			continue
		}
		w, h, err := f.size(data)
		if err != nil {
			return nil, broken(f.name, err)
		}
		if w <= 0 || h <= 0 {
			return nil, fmt.Errorf("the picture has no pixels (%d×%d)", w, h)
		}
		if w > o.maxPixels/h {
			return nil, fmt.Errorf("%d×%d pixels are more than %d: %w", w, h, o.maxPixels, ErrTooLarge)
		}
		p, err := f.decode(data)
		if err != nil {
			return nil, broken(f.name, err)
		}
		if o.orient || f.name == "TIFF" { // Pillow does so for TIFF by itself
			p = oriented(p, orientation(f.name, data))
		}
		return p, nil
	}
	return nil, ErrFormat
}

// broken says what is wrong with a file of a known format.
func broken(format string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, turbojpeg.ErrTruncated) ||
		strings.Contains(err.Error(), "not enough") { // image/png's and image/gif's words
		err = ErrTruncated
	}
	return fmt.Errorf("%s: %w", format, err)
}
