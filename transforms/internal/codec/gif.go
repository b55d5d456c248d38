package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A gifFile reads a GIF block by block as Pillow's plugin does. It skips unknown blocks.
type gifFile struct {
	data       []byte
	at         int // the next block
	w, h       int // the canvas grows with the pictures
	global     []uint8
	background int
	begun      bool // the first picture is read
	disposal   int  // what happens to a picture before the next one; it stays in force until changed
}

// The ways to dispose of a picture. Greater numbers mean gifPrevious.
const (
	gifBackground = 2
	gifPrevious   = 3
)

// A gifPicture is a picture as the blocks of a GIF describe it.
type gifPicture struct {
	box         image.Rectangle
	palette     []uint8 // nil where the pixels are levels of gray
	transparent int     // -1 is none
	interlaced  bool
	bits        int // the size of a code, less one
	at          int // where the codes are
	duration    time.Duration
}

// errNoPicture is the error of a file that ends without another picture.
var errNoPicture = errors.New("there is no picture in it")

func openGIF(data []byte) (f *gifFile, err error) {
	f = &gifFile{data: data, at: 13}
	if len(data) < f.at {
		return f, io.ErrUnexpectedEOF
	}
	f.w, f.h = int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:]))
	if data[10]&0x80 != 0 {
		f.background = int(data[11])
	}
	f.global, _, err = f.palette(data[10])
	return f, err
}

// read returns the next n bytes, or fewer at the end of the file.
func (f *gifFile) read(n int) []byte {
	b := f.data[f.at:min(f.at+n, len(f.data))]
	f.at += len(b)
	return b
}

// block returns the next block of an extension or of pixels. It is empty after the last one.
func (f *gifFile) block() []byte {
	if n := f.read(1); len(n) > 0 {
		return f.read(int(n[0]))
	}
	return nil
}

func (f *gifFile) skipBlocks() {
	for len(f.block()) > 0 {
	}
}

// palette reads the palette that flags announce. A palette of grays in order is dropped.
func (f *gifFile) palette(flags uint8) (colors []uint8, announced bool, err error) {
	if flags&0x80 == 0 {
		return nil, false, nil
	}
	p := f.read(3 << (flags&7 + 1))
	for i, v := range p {
		if int(v) != i/3 {
			return p, true, nil
		}
	}
	if len(p)%3 != 0 {
		err = io.ErrUnexpectedEOF
	}
	return nil, true, err
}

// next reads the blocks up to the pixels of a picture. It returns errNoPicture at the end of the file.
func (f *gifFile) next() (p gifPicture, err error) {
	p.transparent = -1
	for {
		kind := f.read(1)
		if len(kind) == 0 || kind[0] == ';' {
			return p, errNoPicture
		}
		switch kind[0] {
		case '!':
			if err := f.extension(&p); err != nil {
				return p, err
			}
		case ',':
			return p, f.descriptor(&p)
		}
	}
}

// extension reads an extension; a graphic control applies to the next picture.
func (f *gifFile) extension(p *gifPicture) error {
	label := f.read(1)
	if len(label) == 0 {
		return io.ErrUnexpectedEOF
	}
	sized := f.at < len(f.data) && f.data[f.at] != 0
	block := f.block()
	const control, comment, application = 0xf9, 0xfe, 0xff
	switch {
	case label[0] == control && sized:
		if len(block) < 3 || block[0]&1 != 0 && len(block) < 4 {
			return fmt.Errorf("its graphic control has %d bytes", len(block))
		}
		if block[0]&1 != 0 {
			p.transparent = int(block[3])
		}
		p.duration = time.Duration(binary.LittleEndian.Uint16(block[1:])) * 10 * time.Millisecond
		if d := int(block[0] >> 2 & 7); d > 0 {
			f.disposal = d
		}
	case label[0] == comment && len(block) == 0:
		return nil
	case label[0] == application && !f.begun && bytes.HasPrefix(block, []byte("NETSCAPE2.0")):
		f.block() // the number of repetitions
	}
	f.skipBlocks()
	return nil
}

// descriptor reads where a picture is, and its palette.
func (f *gifFile) descriptor(p *gifPicture) error {
	d := f.read(9)
	if len(d) < 9 {
		return io.ErrUnexpectedEOF
	}
	short := func(at int) int { return int(binary.LittleEndian.Uint16(d[at:])) }
	p.box = image.Rect(short(0), short(2), short(0)+short(4), short(2)+short(6))
	f.w, f.h = max(f.w, p.box.Max.X), max(f.h, p.box.Max.Y)
	p.interlaced = d[8]&0x40 != 0
	colors, announced, err := f.palette(d[8])
	if err != nil {
		return err
	}
	if p.palette = colors; !announced {
		p.palette = f.global
	}
	bits := f.read(1)
	if len(bits) == 0 {
		return io.ErrUnexpectedEOF
	}
	p.bits, p.at, f.begun = int(bits[0]), f.at, true
	return nil
}

func gifSize(data []byte) (int, int, error) {
	f, err := openGIF(data)
	if err == nil {
		_, err = f.next()
	}
	return f.w, f.h, err
}

// decodeGIF puts the first picture on the canvas, whose other pixels are
// transparent, or of color 0 where nothing is.
func decodeGIF(data []byte, _ Options) (*pillow.Image, error) {
	f, err := openGIF(data)
	if err != nil {
		return nil, err
	}
	p, err := f.next()
	if err != nil {
		return nil, err
	}
	return f.first(&p)
}

// first decodes the first picture.
func (f *gifFile) first(p *gifPicture) (*pillow.Image, error) {
	im := pillow.New(pillow.ModeL, f.w, f.h)
	colors := p.palette
	if colors == nil {
		colors = f.global // Pillow uses it in place of the picture's own palette of grays
	}
	if colors != nil {
		im.Mode, im.Palette = pillow.ModeP, &pillow.Palette{Mode: pillow.ModeRGB, Colors: colors}
	}
	if p.transparent >= 0 {
		im.Transparency = []int{p.transparent}
		fillWith(im, []uint8{uint8(p.transparent)})
	}
	return im, f.decode(p, im, p.box.Min, -1)
}

// fillWith makes all pixels of a picture alike.
func fillWith(im *pillow.Image, pixel []uint8) {
	for i := 0; i < len(im.Pix); i += len(pixel) {
		copy(im.Pix[i:], pixel)
	}
}
