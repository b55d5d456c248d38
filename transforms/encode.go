package transforms

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/jpeg"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// JPEGOptions are the options of [EncodeJPEG] and [Save]. The zero value is Pillow's
// default.
type JPEGOptions struct {
	Quality     int    // 1 to 100; 0 is 75
	Subsampling string // of the color: "4:4:4", "4:2:2" or "4:2:0"; "" is 4:2:0, or 4:4:4 for gray and CMYK pictures
	Progressive bool
}

var subsamplings = map[string]jpeg.Subsampling{"": jpeg.S420, "4:2:0": jpeg.S420, "4:2:2": jpeg.S422, "4:4:4": jpeg.S444}

// EncodeJPEG writes a picture as JPEG: img.save(w, "JPEG", quality=…), and
// torchvision.io.encode_jpeg. Gray pictures stay gray, CMYK pictures stay CMYK, and all others
// are converted by [ToRGB], which drops the alpha channel. The bytes are Pillow's.
//
// https://pillow.readthedocs.io/en/stable/handbook/image-file-formats.html#jpeg-saving
func EncodeJPEG(w io.Writer, img image.Image, options ...JPEGOptions) error {
	if err := encodeJPEG(w, img, torch.Only(options)); err != nil {
		return fmt.Errorf("transforms: encode a JPEG: %w", err)
	}
	return nil
}

func encodeJPEG(w io.Writer, img image.Image, o JPEGOptions) error {
	if o.Quality == 0 {
		o.Quality = 75
	}
	sub, ok := subsamplings[o.Subsampling]
	b := img.Bounds()
	switch {
	case o.Quality < 1 || o.Quality > 100:
		return fmt.Errorf("the quality is %d; want 1 to 100", o.Quality)
	case !ok:
		return fmt.Errorf("the subsampling is %q; want 4:4:4, 4:2:2 or 4:2:0", o.Subsampling)
	case b.Empty():
		return fmt.Errorf("the picture has no pixels (%d×%d)", b.Dx(), b.Dy())
	case max(b.Dx(), b.Dy()) > jpeg.MaxSide:
		return fmt.Errorf("the picture has %d×%d pixels; a JPEG has at most %d on a side", b.Dx(), b.Dy(), jpeg.MaxSide)
	}
	pix, channels, ycc, err := packed(img)
	switch {
	case err != nil:
		return err
	case len(pix) < channels*b.Dx()*b.Dy():
		return fmt.Errorf("the picture's Pix holds %d bytes; want %d", len(pix), channels*b.Dx()*b.Dy())
	}
	if channels != 3 && o.Subsampling == "" {
		sub = jpeg.S444
	}
	_, err = w.Write(jpeg.Encode(pix, b.Dx(), b.Dy(), channels, jpeg.EncodeOptions{Quality: o.Quality, YCbCr: ycc, Subsampling: sub, Progressive: o.Progressive}))
	return err
}

// packed returns the pixels of a picture without padding: of 1 channel, RGB, YCbCr or inks.
func packed(img image.Image) (pix []uint8, channels int, ycc bool, err error) {
	if p, ok := img.(*RGB); ok {
		return p.Pix, 3, false, nil
	}
	p := pillow.From(img)
	mode := pillow.ModeRGB
	switch p.Mode {
	case pillow.ModeL, pillow.Mode1:
		mode = pillow.ModeL
	case pillow.ModeYCbCr, pillow.ModeCMYK:
		mode = p.Mode
	}
	if p, err = p.Convert(mode); err != nil {
		return nil, 0, false, err
	}
	if mode == pillow.ModeCMYK { // the inks in a file are inverted, as Adobe writes them
		pix = make([]uint8, len(p.Pix))
		for i, v := range p.Pix {
			pix[i] = 255 - v
		}
		return pix, 4, false, nil
	}
	return p.Pix, mode.Bands(), mode == pillow.ModeYCbCr, nil
}

// opaque returns pixels of three channels as a picture that Go's encoders are fast with.
func opaque(pix []uint8, r image.Rectangle) *image.RGBA {
	m := image.NewRGBA(r)
	for i, j := 0, 0; i < len(m.Pix); i, j = i+4, j+3 {
		copy(m.Pix[i:i+3], pix[j:j+3])
		m.Pix[i+3] = 255
	}
	return m
}

// EncodePNG writes a picture as PNG: img.save(w, "PNG"), with the same pixels though
// not the same bytes. Gray, 16-bit, palette and alpha pictures keep their mode.
//
// https://pillow.readthedocs.io/en/stable/handbook/image-file-formats.html#png-saving
func EncodePNG(w io.Writer, img image.Image) error {
	if b := img.Bounds(); b.Empty() {
		return fmt.Errorf("transforms: encode a PNG: the picture has no pixels (%d×%d)", b.Dx(), b.Dy())
	}
	if p, ok := img.(*Picture); ok {
		var err error
		if img, err = standard(p); err != nil {
			return fmt.Errorf("transforms: encode a PNG: %w", err)
		}
	}
	if p, ok := img.(*RGB); ok {
		if len(p.Pix) < 3*p.W*p.H {
			return fmt.Errorf("transforms: encode a PNG: the picture's Pix holds %d bytes; want %d", len(p.Pix), 3*p.W*p.H)
		}
		img = opaque(p.Pix, p.Bounds())
	}
	if err := png.Encode(w, img); err != nil {
		return fmt.Errorf("transforms: encode a PNG: %w", err)
	}
	return nil
}

// standard returns a picture of a type that PNGs can be written of.
func standard(p *Picture) (image.Image, error) {
	to := p.Mode
	switch p.Mode {
	case pillow.Mode1:
		to = pillow.ModeL
	case pillow.ModeLA:
		to = pillow.ModeRGBA
	case pillow.ModeL, pillow.ModeRGB, pillow.ModeP, pillow.ModePA:
		if p.Mode == pillow.ModePA || p.Transparency != nil || p.Alphas != nil {
			to = pillow.ModeRGBA
		}
	case pillow.ModeRGBA, pillow.ModeI16:
	default:
		return nil, fmt.Errorf("a PNG has no mode %s; convert the picture to RGB", p.Mode)
	}
	if to != p.Mode {
		var err error
		if p, err = p.Convert(to); err != nil {
			return nil, err
		}
	}
	q := *p
	q.Transparency, q.Alphas = nil, nil
	return q.Go(), q.Check()
}

// Save writes a picture into a file: img.save(path). The extension determines the
// format: .jpg, .jpeg, .jfif or .png. The file is created, or replaced,
// atomically.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.save
func Save(path string, img image.Image, options ...JPEGOptions) (err error) {
	o := torch.Only(options)
	defer func() {
		if err != nil {
			err = fmt.Errorf("transforms: save %s: %w", path, err)
		}
	}()
	encode := func(w io.Writer) error { return encodeJPEG(w, img, o) }
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".jpg", ".jpeg", ".jpe", ".jfif":
	case ".png":
		encode = func(w io.Writer) error { return EncodePNG(w, img) }
	default:
		return fmt.Errorf("the extension is %q; want .jpg or .png", ext)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".save-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	defer f.Close()
	w := bufio.NewWriter(f)
	if err := encode(w); err != nil {
		return err
	}
	const readable = 0o644 // CreateTemp's files are the owner's alone
	if err := errors.Join(w.Flush(), f.Chmod(readable), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
