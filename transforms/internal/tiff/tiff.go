// Package tiff reads TIFF and BigTIFF files as Pillow 13 with libtiff 4.7 does: the
// same pixels in the same mode, page by page.
//
// Pillow reads a page's directory and chooses the mode by it. Pixels without
// compression it decodes itself, see raw.go. Compressed ones it leaves to libtiff, which
// reads the directory once more, by rules of its own: see layout.go for these,
// chunks.go for the strips and tiles, and a file for each compression. What one
// of the two repairs is repaired here, and what one of them refuses is refused,
// with these exceptions, where Pillow's pixels are wrong:
//
//   - Planes of another depth than 8 bits that are not compressed have the same pixels as other
//     layouts; Pillow takes their bytes for pixels.
//   - Signed and floating-point samples of compressed big-endian files are numbers;
//     Pillow swaps their bytes twice.
//   - Compressed planes of gray or an index with an alpha have that alpha; Pillow loses it.
//   - Compressed YCbCr whose data are damaged is refused; Pillow overlooks it.
//   - Compressed pages behind the first whose directory libtiff refuses are refused; Pillow has black ones.
package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// The compressions.
const (
	raw        = 1
	ccittRLE   = 2
	ccittG3    = 3
	ccittG4    = 4
	lzw        = 5
	oldJPEG    = 6
	newJPEG    = 7
	deflate    = 8
	ccittRLEW  = 32771
	packBits   = 32773
	thunder    = 32809
	oldDeflate = 32946
	xz         = 34925
	zstandard  = 50000
)

// A File is a TIFF of one page or more.
type File struct {
	data  []byte
	order binary.ByteOrder
	big   bool   // BigTIFF
	first uint64 // where the first directory is

	next   uint64   // the offset of the next directory; 0 after the last
	read   []uint64 // where those were that have been read
	budget uint64   // how many bytes the values of further tags may have
}

// Match reports whether data begin as a TIFF that Pillow recognizes.
func Match(data []byte) bool {
	if len(data) < 4 {
		return false
	}
	switch string(data[:4]) {
	case "II*\x00", "MM\x00*", "MM*\x00", "II\x00*", "II+\x00", "MM\x00+":
		return true
	}
	return false
}

// Open reads the header of a file that Match accepts.
func Open(data []byte) (*File, error) {
	f := &File{data: data, order: binary.LittleEndian, budget: uint64(len(data))}
	if len(data) < 8 {
		return nil, io.ErrUnexpectedEOF
	}
	if data[0] == 'M' {
		f.order = binary.BigEndian
	}
	f.big = data[2] == 43
	switch {
	case data[3] == 43:
		return nil, errors.New("it is a big-endian BigTIFF, which is not supported")
	case !f.big:
		f.first = f.offset(data[4:])
	case len(data) < 16:
		return nil, io.ErrUnexpectedEOF
	default:
		f.first = f.offset(data[8:])
	}
	f.next = f.first
	return f, nil
}

// A Page is one picture of a file.
type Page struct {
	W, H int // of the pixels in the file

	directory
	at                  uint64 // where its directory is
	kind                *kind
	order               binary.ByteOrder // of the values in the pixels
	compression, planar int
	fill                int
}

// Next returns the next page, or io.EOF after the last one: im.seek(im.tell() + 1).
// A directory that has been read before ends the file.
func (f *File) Next() (*Page, error) {
	if f.next == 0 {
		return nil, io.EOF
	}
	at := f.next
	f.read = append(f.read, at)
	const mostPages = 1 << 16
	if len(f.read) > mostPages {
		return nil, fmt.Errorf("it has more than %d pages", mostPages)
	}
	d, next, used, whole := f.readDirectory(at, f.budget)
	f.budget -= used
	if f.next = next; !whole || slices.Contains(f.read, next) {
		f.next = 0
	}
	p := &Page{directory: *d, at: at}
	if err := p.describe(); err != nil {
		if !whole {
			err = fmt.Errorf("its directory is cut off: %w", io.ErrUnexpectedEOF)
		}
		return nil, err
	}
	return p, nil
}

// describe chooses the mode of a page by its tags.
func (p *Page) describe() (err error) {
	if _, ok := p.tags[tagWindowsMedia]; ok {
		return errors.New("it holds a Windows Media Photo, which is not supported")
	}
	if p.W, p.H, err = p.size(); err != nil {
		return err
	}
	want := kind{}
	for _, v := range []struct {
		to        *int
		tag       uint16
		otherwise int
	}{{&p.compression, tagCompression, raw}, {&p.planar, tagPlanar, 1}, {&want.photometric, tagPhotometric, whiteIsZero}, {&p.fill, tagFillOrder, 1}} {
		if *v.to, err = p.number(v.tag, v.otherwise); err != nil {
			return err
		}
	}
	samples := 1
	if p.compression == oldJPEG {
		want.photometric, samples = photoYCbCr, 3
	}
	if want.samples, err = p.number(tagSamples, samples); err != nil {
		return err
	}
	if err := p.samples(&want); err != nil {
		return err
	}
	if want.photometric == photoLab && want.bits == 8 && want.samples == 3 {
		return errors.New("it is in L*a*b*, which is not supported; convert it to RGB")
	}
	p.order = p.file.order
	if p.kind = kindOf(want, p.order, p.fill); p.kind == nil {
		return fmt.Errorf("pixels of photometric interpretation %d, %d samples of %d bits, format %d, extra samples %v and fill order %d are not supported",
			want.photometric, want.samples, want.bits, want.format, want.extra, p.fill)
	}
	return nil
}

// samples completes k from the tags about the samples of a pixel.
func (p *Page) samples(k *kind) error {
	formats, err := p.numbers(tagSampleFormat)
	if err != nil {
		return err
	}
	k.format = unsigned
	for i, v := range formats {
		if k.format = v; v != formats[0] {
			return fmt.Errorf("its samples have the formats %v; want one format", formats[:i+1])
		}
	}
	depths, err := p.numbers(tagBits)
	if err != nil {
		return err
	}
	if depths == nil {
		depths = []int{1}
	}
	if k.extra, err = p.numbers(tagExtraSamples); err != nil {
		return err
	}
	if p.planar == 2 && len(k.extra) > 0 && slices.Max(k.extra) == 0 { // the planes after those of the colors are not read
		depths = depths[:max(len(depths)-len(k.extra), 0)]
		k.samples -= len(k.extra)
		k.extra = nil
	}
	if k.samples < 1 || k.samples > maxSamples {
		return fmt.Errorf("its pixels have %d samples; want 1 to %d", k.samples, maxSamples)
	}
	if len(depths) > k.samples {
		depths = depths[:k.samples]
	}
	if len(depths) != k.samples && len(depths) != 1 {
		return fmt.Errorf("its pixels have %d samples of %d depths", k.samples, len(depths))
	}
	k.bits = depths[0]
	for _, v := range depths {
		if v != k.bits {
			return fmt.Errorf("its samples have %v bits; want one depth", depths)
		}
	}
	return nil
}

// Decode reads the pixels. The picture is not turned yet. Its tiles may reach beyond it, up to
// four times maxPixels.
func (p *Page) Decode(maxPixels int) (*pillow.Image, error) {
	img := &pillow.Image{Mode: p.kind.mode, W: p.W, H: p.H}
	if err := p.palette(img); err != nil {
		return nil, err
	}
	var err error
	if p.compression == raw {
		err = p.decodeRaw(img)
	} else {
		err = p.decodeChunks(img, maxPixels)
	}
	return img, err
}

// palette reads the palette of a picture that needs one.
func (p *Page) palette(img *pillow.Image) error {
	if img.Mode != pillow.ModeP && img.Mode != pillow.ModePA {
		return nil
	}
	colors, err := p.numbers(tagColorMap)
	if err != nil {
		return err
	}
	if colors == nil {
		return errors.New("it has no palette")
	}
	n := len(colors) / 3
	img.Palette = &pillow.Palette{Mode: pillow.ModeRGB}
	for i := range min(n, 256) {
		for j := range 3 {
			img.Palette.Colors = append(img.Palette.Colors, uint8(colors[j*n+i]/256))
		}
	}
	return nil
}

var xmpOrientation = regexp.MustCompile(`tiff:Orientation(?:="|>)([0-9])`)

// Orientation returns the orientation that the tag, or else the page's XMP data, say: 1 to 8 as EXIF numbers
// them, or another number if they are wrong.
func (p *Page) Orientation() int {
	if _, ok := p.tags[tagOrientation]; ok {
		v, _ := p.number(tagOrientation, 1)
		return v
	}
	if xmp := p.tags[tagXMP]; xmp.kind == typeByte || xmp.kind == typeUndefined {
		if m := xmpOrientation.FindSubmatch(xmp.value); m != nil {
			return int(m[1][0] - '0')
		}
	}
	return 1
}
