package transforms

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

//go:generate $TORCHHUB_REFERENCE ../testdata/gen/pictures.py

// decoding makes pictures of every mode, writes them in every format and reads them back.
const decoding = `
import io
import numpy as np
from PIL import Image, ImageOps

def make(mode, w, h, seed):
    r = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w]
    a = np.stack([x * 7 + y * 3, x * 2 + y * 5 + 90, 255 - x * 3 + y, x * y + 40], -1) % 256
    a = (a * 3 // 4 + r.integers(0, 64, a.shape)).astype(np.uint8)
    rgba = Image.fromarray(a, "RGBA")
    if mode == "I;16":
        v = (a[..., 0].astype(np.uint16) << (seed % 9))
        return Image.fromarray(v)
    if mode == "PA8":
        return rgba.convert("RGB").quantize(17)
    if mode in ("1", "L", "LA", "RGB", "RGBA", "P", "CMYK"):
        return rgba.convert(mode)
    raise ValueError(mode)

def bytes_of(mode, w, h, seed, options):
    b = io.BytesIO()
    make(mode, w, h, seed).save(b, **options)
    return b.getvalue()

def raw_png(w, h, colors, depth, interlaced, seed, transparent, entries):
    """Writes what Pillow does not: every depth, interlacing, palettes that are too short."""
    import struct, zlib
    r = np.random.default_rng(seed)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colors]
    v = r.integers(0, 2 ** depth, (h, w, channels))
    if colors == 3 and seed % 2:
        v %= entries
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    def lines(part):
        out = b""
        if not part.size: return out
        for row in part.reshape(part.shape[0], -1):
            if depth == 16: out += b"\0" + row.astype(">u2").tobytes()
            elif depth == 8: out += b"\0" + row.astype(np.uint8).tobytes()
            else:
                bits = "".join(format(x, f"0{depth}b") for x in row)
                bits += "0" * (-len(bits) % 8)
                out += b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        return out
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        data = b"".join(lines(v[y::dy, x::dx]) for x, y, dx, dy in passes)
    else:
        data = lines(v)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colors, 0, 0, interlaced))
    if colors == 3:
        out += chunk(b"PLTE", r.integers(0, 256, 3 * entries, dtype=np.uint8).tobytes())
    if transparent and colors == 0: out += chunk(b"tRNS", struct.pack(">H", int(v.flat[0])))
    if transparent and colors == 2: out += chunk(b"tRNS", struct.pack(">HHH", *map(int, v.reshape(-1, 3)[0])))
    if transparent and colors == 3: out += chunk(b"tRNS", bytes([0, 128]))
    return out + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")

def read(data, transpose=False):
    import base64
    img = Image.open(io.BytesIO(base64.b64decode(data)))
    if transpose:
        img = ImageOps.exif_transpose(img)
    return np.array(img.convert("RGB"))
`

// check compares a file's pixels with Pillow's.
func check(t *testing.T, p *reference.Process, what string, data []byte) {
	t.Helper()
	var want reference.Array
	p.Call(&want, "read", data)
	img, err := Decode(bytes.NewReader(data))
	require.NoError(t, err, what)
	got := img.(*RGB)
	require.Equal(t, want.Shape, []int{got.H, got.W, 3}, what)
	if !bytes.Equal(want.Data, got.Pix) {
		n, most := 0, 0
		for i, v := range want.Data {
			if d := int(v) - int(got.Pix[i]); d != 0 {
				n, most = n+1, max(most, d, -d)
			}
		}
		t.Errorf("%s: %d of %d bytes differ, by up to %d", what, n, len(got.Pix), most)
	}
}

func TestPillowReadsTheSame(t *testing.T) {
	p := reference.Start(t, decoding)
	type options = map[string]any
	formats := []struct {
		modes   []string
		options []options
	}{
		{[]string{"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}, []options{{"format": "PNG"}, {"format": "PNG", "compress_level": 0}}},
		{[]string{"P"}, []options{{"format": "PNG", "transparency": 3}, {"format": "PNG", "bits": 4}}},
		{[]string{"L", "I;16"}, []options{{"format": "PNG", "transparency": 40}}},
		{[]string{"RGB"}, []options{{"format": "PNG", "transparency": []int{10, 20, 30}}}},
		{[]string{"1", "L", "P", "RGB"}, []options{{"format": "GIF"}, {"format": "GIF", "interlace": 0}}},
		{[]string{"P"}, []options{{"format": "GIF", "transparency": 2}}},
		{[]string{"1", "L", "P", "RGB", "RGBA"}, []options{{"format": "BMP"}}},
		{[]string{"1", "L", "P", "RGB", "RGBA", "I;16"}, []options{{"format": "TIFF"}, {"format": "TIFF", "compression": "tiff_lzw"}, {"format": "TIFF", "compression": "tiff_adobe_deflate"}, {"format": "TIFF", "compression": "packbits"}}},
		{[]string{"RGB", "RGBA", "L"}, []options{{"format": "WEBP"}, {"format": "WEBP", "quality": 20}, {"format": "WEBP", "lossless": true}}},
		{[]string{"L", "RGB", "CMYK"}, []options{
			{"format": "JPEG", "subsampling": 0}, {"format": "JPEG", "subsampling": 1}, {"format": "JPEG", "subsampling": 2},
			{"format": "JPEG", "quality": 30, "progressive": true}, {"format": "JPEG", "quality": 100, "optimize": true}}},
	}
	rng := rand.New(rand.NewPCG(3, 4))
	sizes := [][2]int{{1, 1}, {2, 1}, {1, 2}, {7, 5}, {16, 16}, {17, 33}, {200, 3}}
	for range 4 {
		sizes = append(sizes, [2]int{1 + rng.IntN(300), 1 + rng.IntN(200)})
	}
	n := 0
	for _, f := range formats {
		for _, mode := range f.modes {
			for _, o := range f.options {
				for i, s := range sizes {
					what := fmt.Sprintf("%s %v %d×%d", mode, o, s[0], s[1])
					var data []byte
					p.Call(&data, "bytes_of", mode, s[0], s[1], i, o)
					check(t, p, what, data)
					n++
				}
			}
		}
	}
	t.Log(n, "pictures")
}

func TestPillowReadsRarePNGs(t *testing.T) {
	p := reference.Start(t, decoding)
	n := 0
	for colors, depths := range map[int][]int{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}} {
		for _, depth := range depths {
			for seed := range 16 {
				interlaced, transparent := seed&1, seed&2 != 0
				w, h := []int{1, 5, 17, 40}[seed/4], []int{3, 1, 9, 33}[seed/4]
				entries := min(1<<depth, 11)
				if seed&4 != 0 {
					entries = 1 << min(depth, 8)
				}
				var data []byte
				p.Call(&data, "raw_png", w, h, colors, depth, interlaced, seed, transparent, entries)
				check(t, p, fmt.Sprintf("colors %d, depth %d, interlaced %d, transparent %v, %d entries, %d×%d", colors, depth, interlaced, transparent, entries, w, h), data)
				n++
			}
		}
	}
	t.Log(n, "pictures")
}

func TestPillowTurnsTheSame(t *testing.T) {
	p := reference.Start(t, decoding)
	for _, format := range []string{"JPEG", "PNG", "TIFF", "WEBP"} {
		for o := range 10 { // 0 and 9 are none
			var data []byte
			p.Call(&data, `lambda f, o: (lambda b, x: (x.__setitem__(0x112, o), make("RGB", 23, 11, 1).save(b, f, exif=x, **({"lossless": True} if f == "WEBP" else {})), b.getvalue())[2])(io.BytesIO(), Image.Exif())`, format, o)
			var want reference.Array
			p.Call(&want, "read", data, true)
			img, err := Decode(bytes.NewReader(data), WithEXIFOrientation())
			require.NoError(t, err)
			got := img.(*RGB)
			require.Equal(t, want.Shape, []int{got.H, got.W, 3}, "%s %d", format, o)
			require.Equal(t, want.Data, got.Pix, "%s %d", format, o)
			check(t, p, "as it lies", data)
		}
	}
}

func TestImagesOfTheStandardLibrary(t *testing.T) {
	r := image.Rect(3, 4, 6, 6) // not from the origin
	fill := func(img interface {
		image.Image
		Set(x, y int, c color.Color)
	}, c color.Color) image.Image {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				img.Set(x, y, c)
			}
		}
		return img
	}
	ycc := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	for i := range ycc.Y {
		ycc.Y[i] = 100
	}
	for i := range ycc.Cb {
		ycc.Cb[i], ycc.Cr[i] = 128, 128
	}
	for name, c := range map[string]struct {
		img  image.Image
		want [3]uint8
	}{
		"Gray":          {fill(image.NewGray(r), color.Gray{7}), [3]uint8{7, 7, 7}},
		"Gray16":        {fill(image.NewGray16(r), color.Gray16{200}), [3]uint8{200, 200, 200}},
		"Gray16, large": {fill(image.NewGray16(r), color.Gray16{256}), [3]uint8{255, 255, 255}},
		"NRGBA":         {fill(image.NewNRGBA(r), color.NRGBA{9, 8, 7, 0}), [3]uint8{9, 8, 7}},
		"RGBA":          {fill(image.NewRGBA(r), color.RGBA{50, 100, 10, 100}), [3]uint8{127, 255, 25}},
		"NRGBA64":       {fill(image.NewNRGBA64(r), color.NRGBA64{0x1234, 0x5678, 0x9abc, 1}), [3]uint8{0x12, 0x56, 0x9a}},
		"RGBA64":        {fill(image.NewRGBA64(r), color.RGBA64{0x1234, 0x5678, 0x9abc, 0xffff}), [3]uint8{0x12, 0x56, 0x9a}},
		"CMYK":          {fill(image.NewCMYK(r), color.CMYK{10, 20, 30, 40}), [3]uint8{207, 198, 190}},
		"Paletted":      {fill(image.NewPaletted(r, color.Palette{color.NRGBA{1, 2, 3, 0}}), color.NRGBA{1, 2, 3, 0}), [3]uint8{1, 2, 3}},
		"YCbCr":         {ycc, [3]uint8{100, 100, 100}},
		"Alpha":         {fill(image.NewAlpha(r), color.Alpha{255}), [3]uint8{255, 255, 255}},
		"sub-image":     {fill(image.NewNRGBA(image.Rect(0, 0, 9, 9)), color.NRGBA{9, 8, 7, 6}).(*image.NRGBA).SubImage(r), [3]uint8{9, 8, 7}},
	} {
		p := ToRGB(c.img)
		require.Equal(t, []int{3, 2}, []int{p.W, p.H}, name)
		for i := 0; i < len(p.Pix); i += 3 {
			require.Equal(t, c.want[:], p.Pix[i:i+3], name)
		}
	}
	p := &RGB{Pix: make([]uint8, 3), W: 1, H: 1}
	require.Same(t, p, ToRGB(p))
}

// hugePNG is a header that promises 60,000×60,000 pixels.
func hugePNG() []byte {
	header := append([]byte("IHDR"), 0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 2, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(header))
}

func TestOpenMistakes(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, data, 0o644))
		return p
	}
	photo, err := os.ReadFile("../testdata/pictures/photo.jpg")
	require.NoError(t, err)
	png, err := os.ReadFile("../testdata/pictures/photo.png")
	require.NoError(t, err)
	for _, c := range []struct {
		path, want string
		is         error
	}{
		{filepath.Join(dir, "none.jpg"), "no such file", os.ErrNotExist},
		{dir, "it is a folder", nil},
		{put("empty.jpg", nil), "the file is empty", nil},
		{put("text.jpg", []byte("hello, I am no picture")), "it is not a picture in a known format", ErrFormat},
		{put("cut.jpg", photo[:len(photo)/2]), "JPEG: the picture is truncated", ErrTruncated},
		{put("head.jpg", photo[:30]), "JPEG: ", nil},
		{put("cut.png", png[:len(png)/2]), "PNG: the picture is truncated", ErrTruncated},
		{put("huge.png", hugePNG()), "60000×60000 pixels are more than 178956970", ErrTooLarge},
		{put("short.webp", []byte("RIFF\x10\x00\x00\x00WEBPVP8 ")), "WebP: ", nil},
	} {
		start := time.Now()
		_, err := Open(c.path)
		require.ErrorContains(t, err, c.want, c.path)
		require.ErrorContains(t, err, c.path)
		require.Equal(t, 1, strings.Count(err.Error(), c.path), err)
		require.NotContains(t, err.Error(), "\n")
		if c.is != nil {
			require.ErrorIs(t, err, c.is)
		}
		require.Less(t, time.Since(start), 20*time.Second) // a hang, not a measurement
	}
	_, err = Decode(bytes.NewReader(png), WithMaxPixels(100))
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = Decode(io.MultiReader(bytes.NewReader(png[:50]), failing{}))
	require.ErrorContains(t, err, "lost")
	_, err = Decode(bytes.NewReader(append(bytes.Clone(photo), "trailing bytes"...)))
	require.NoError(t, err)
	_, err = Decode(bytes.NewReader(photo[:len(photo)-2]))
	require.ErrorIs(t, err, ErrTruncated, "only the end marker is missing")
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("lost") }

// TestPixels compares with what Pillow made of the same files.
func TestPixels(t *testing.T) {
	sums, err := os.ReadFile("../testdata/pictures/pixels.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(sums)) {
		var file, want string
		var w, h int
		_, err := fmt.Sscan(line, &file, &w, &h, &want)
		require.NoError(t, err)
		img, err := Open(filepath.Join("../testdata/pictures", file))
		require.NoError(t, err)
		p := img.(*RGB)
		require.Equal(t, []int{w, h}, []int{p.W, p.H}, file)
		require.Equal(t, want, fmt.Sprintf("%08x", crc32.ChecksumIEEE(p.Pix)), file)
	}
}
