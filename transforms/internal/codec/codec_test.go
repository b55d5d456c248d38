package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// script makes files, with Pillow where it can write them, and reads them.
const script = `
import base64, io, struct, zlib
import numpy as np
from PIL import Image, TiffImagePlugin

def make(mode, w, h, seed):
    r = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w]
    a = np.stack([x * 7 + y * 3, x * 2 + y * 5 + 90, 255 - x * 3 + y, x * y + 40], -1) % 256
    a = (a * 3 // 4 + r.integers(0, 64, a.shape)).astype(np.uint8)
    rgba = Image.fromarray(a, "RGBA")
    if mode == "I;16": return Image.fromarray(a[..., 0].astype(np.uint16) * 257)
    if mode == "I": return Image.fromarray(a[..., 0].astype(np.int32) * 70001 - 5)
    if mode == "F": return Image.fromarray(a[..., 0].astype(np.float32) / 3)
    if mode == "PA": return rgba.convert("RGB").quantize(17).convert("PA")
    return rgba.convert(mode)

def save(mode, w, h, seed, options):
    b = io.BytesIO()
    if "transparency" in options and isinstance(options["transparency"], list):
        options["transparency"] = tuple(options["transparency"])
    if "alphas" in options:
        options["transparency"] = bytes(options.pop("alphas"))
    if "tiffinfo" in options:
        options["tiffinfo"] = {int(k): v for k, v in options["tiffinfo"].items()}
    make(mode, w, h, seed).save(b, **options)
    return b.getvalue()

def bmp(w, h, bits, compression, masks, colors, size, flip, seed, gray):
    """BMPs that Pillow reads but does not write."""
    r = np.random.default_rng(seed)
    head = struct.pack("<IiiHHIIiiII", size, w, -h if flip else h, 1, bits, compression, 0, 0, 0, colors, 0)
    if size == 12:
        head = struct.pack("<IHHHH", 12, w, h, 1, bits)
    elif compression == 3:
        head += struct.pack("<4I", *masks)[: size - 40 if size > 40 else 12]
    head += b"\0" * (size - len(head))
    n = (colors or 1 << bits) if bits <= 8 else 0
    k = 3 if size == 12 else 4
    if gray: pal = b"".join(bytes([255 * i if n == 2 else i] * 3 + [0] * (k - 3)) for i in range(n))
    else: pal = r.integers(0, 256, n * k, dtype=np.uint8).tobytes()
    if compression in (1, 2):
        out = bytearray()
        for y in range(h):
            x = 0
            while x < w:
                kind = r.integers(0, 3)
                if kind == 0 and w - x >= 3:
                    c = int(min(w - x, r.integers(3, 20)))
                    out += bytes([0, c])
                    d = r.integers(0, 256, (c + 1) // 2 if compression == 2 else c, dtype=np.uint8).tobytes()
                    out += d
                    if len(out) % 2: out += b"\0"
                    x += c
                else:
                    c = int(min(w - x, r.integers(1, 30)))
                    out += bytes([c, r.integers(0, 256)])
                    x += c
            if r.integers(0, 4) == 0 and y + 2 < h:
                out += bytes([0, 2, 0, 1])
            out += bytes([0, 0])
        data = bytes(out)
        if len(pal) + len(head) & 1: data = b"\0" + data
    else:
        data = r.integers(0, 256, (w * bits + 31) // 32 * 4 * h, dtype=np.uint8).tobytes()
    body = head + pal
    return b"BM" + struct.pack("<IHHI", 14 + len(body) + len(data), 0, 0, 14 + len(body)) + body + data

def tiff(w, h, order, photo, fmt, fill, bits, samples, extra, planar, rows, tile, compression, predictor, seed):
    """TIFFs with any layout."""
    r = np.random.default_rng(seed)
    e = "<" if order == "II" else ">"
    tw, th = tile or (w, rows)
    across, down = -(-w // tw), -(-h // th)
    parts = []
    for plane in range(samples if planar == 2 else 1):
        for ty in range(down):
            for tx in range(across):
                n = th if tile else min(th, h - ty * th)
                stride = (tw * bits * (1 if planar == 2 else samples) + 7) // 8
                d = r.integers(0, 256, n * stride, dtype=np.uint8).tobytes()
                if fmt == 3: d = r.normal(size=n * stride // 4).astype(e + "f4").tobytes()
                if compression == 8: d = zlib.compress(d)
                parts.append(d)
    tags = {256: ("L", [w]), 257: ("L", [h]), 258: ("H", [bits] * samples), 259: ("H", [compression]), 262: ("H", [photo]), 266: ("H", [fill]),
            277: ("H", [samples]), 284: ("H", [planar]), 317: ("H", [predictor]), 339: ("H", [fmt] * samples)}
    if extra: tags[338] = ("H", extra)
    if photo == 3: tags[320] = ("H", r.integers(0, 65536, 3 << bits).tolist())
    if tile: tags.update({322: ("L", [tw]), 323: ("L", [th]), 324: ("L", [0] * len(parts)), 325: ("L", [len(p) for p in parts])})
    else: tags.update({278: ("L", [th]), 273: ("L", [0] * len(parts)), 279: ("L", [len(p) for p in parts])})
    at = 8 + 2 + 12 * len(tags) + 4
    blobs, where = b"", {}
    for t, (k, v) in sorted(tags.items()):
        size = len(v) * {"H": 2, "L": 4}[k]
        if size > 4: where[t] = at + len(blobs); blobs += b"\0" * size
    begin = at + len(blobs)
    offsets, pos = [], begin
    for p in parts: offsets.append(pos); pos += len(p)
    tags[324 if tile else 273] = ("L", offsets)
    out = bytearray(order.encode() + struct.pack(e + "HI", 42, 8) + struct.pack(e + "H", len(tags)))
    blobs = bytearray(blobs)
    for t, (k, v) in sorted(tags.items()):
        raw = struct.pack(e + k * len(v), *v)
        out += struct.pack(e + "HHI", t, {"H": 3, "L": 4}[k], len(v))
        if len(raw) > 4:
            out += struct.pack(e + "I", where[t])
            blobs[where[t] - at: where[t] - at + len(raw)] = raw
        else: out += raw.ljust(4, b"\0")
    return bytes(out) + b"\0\0\0\0" + bytes(blobs) + b"".join(parts)

def read(data):
    try:
        img = Image.open(io.BytesIO(base64.b64decode(data)))
        img.load()
    except Exception as e:
        return {"mode": "", "error": repr(e)}
    t = img.info.get("transparency")
    raw = img.tobytes()
    mode = img.im.mode  # a gray TGA with a palette says that it is L
    if mode == "1": raw = np.array(img).astype(np.uint8).tobytes().replace(b"\1", b"\xff")
    if mode == "I;16B": mode, raw = "I;16", np.frombuffer(raw, ">u2").astype("<u2").tobytes()
    return {"mode": mode, "size": img.size, "pixels": base64.b64encode(raw).decode(), "palette": img.getpalette(None) if mode in ("P", "PA") else None,
        "transparency": list(t) if isinstance(t, tuple) else [t] if isinstance(t, int) else None,
        "alphas": list(t) if isinstance(t, bytes) else None}
`

type answer struct {
	Mode, Error  string
	Size         []int
	Pixels       []byte
	Palette      []int
	Transparency []int
	Alphas       []int
}

var generous = Options{MaxPixels: 1 << 24}

// check compares a file's picture with Pillow's. It reports whether Pillow reads it.
func check(t *testing.T, p *reference.Process, what string, data []byte) bool {
	t.Helper()
	var want answer
	p.Call(&want, "read", data)
	got, err := Decode(data, generous)
	if want.Mode == "" {
		return false // some layouts that Pillow does not know are read here all the same
	}
	require.NoError(t, err, what)
	require.NoError(t, got.Check(), what)
	require.Equal(t, want.Mode, string(got.Mode), what)
	require.Equal(t, want.Size, []int{got.W, got.H}, what)
	n, first := 0, -1
	for i, v := range want.Pixels {
		if v != got.Pix[i] {
			if n++; first < 0 {
				first = i
			}
		}
	}
	if n > 0 {
		t.Fatalf("%s: %d of %d bytes differ, first [%d]: want %d, got %d", what, n, len(want.Pixels), first, want.Pixels[first], got.Pix[first])
	}
	require.Equal(t, want.Transparency, got.Transparency, what)
	require.Equal(t, len(want.Alphas), len(got.Alphas), what)
	for i, a := range want.Alphas {
		require.EqualValues(t, a, got.Alphas[i], what)
	}
	if want.Palette != nil && len(want.Palette) <= len(got.Palette.Colors) {
		for i, v := range want.Palette {
			require.EqualValues(t, v, got.Palette.Colors[i], what)
		}
	}
	return true
}

type kw = map[string]any

func TestModesOfWrittenFiles(t *testing.T) {
	p := reference.Start(t, script)
	rows := []struct {
		modes   string
		options []kw
	}{
		{"1 L LA P RGB RGBA I;16", []kw{{"format": "PNG"}}},
		{"P", []kw{{"format": "PNG", "bits": 4}, {"format": "PNG", "transparency": 3}, {"format": "PNG", "alphas": []int{0, 9, 255}}, {"format": "PNG", "alphas": []int{255, 0, 255}}, {"format": "PNG", "alphas": []int{255, 255}}}},
		{"L I;16", []kw{{"format": "PNG", "transparency": 40}}},
		{"1", []kw{{"format": "PNG", "transparency": 1}, {"format": "PNG", "transparency": 0}}},
		{"RGB", []kw{{"format": "PNG", "transparency": []int{10, 20, 30}}}},
		{"1 L P RGB", []kw{{"format": "GIF"}, {"format": "GIF", "interlace": 0}}},
		{"P", []kw{{"format": "GIF", "transparency": 2}}},
		{"1 L P RGB RGBA", []kw{{"format": "BMP"}}},
		{"1 L LA P RGB RGBA CMYK I F I;16", []kw{{"format": "TIFF"}, {"format": "TIFF", "compression": "tiff_lzw"}, {"format": "TIFF", "compression": "tiff_adobe_deflate"}, {"format": "TIFF", "compression": "tiff_deflate"}, {"format": "TIFF", "compression": "packbits"}}},
		{"L RGB CMYK", []kw{{"format": "TIFF", "compression": "tiff_lzw", "tiffinfo": kw{"317": 2}}}},
		{"1", []kw{{"format": "TIFF", "compression": "group3"}, {"format": "TIFF", "compression": "group4"}}},
		{"RGB RGBA L LA", []kw{{"format": "WEBP"}, {"format": "WEBP", "lossless": true}, {"format": "WEBP", "lossless": true, "exact": true}}},
		{"L RGB CMYK", []kw{{"format": "JPEG"}, {"format": "JPEG", "progressive": true}, {"format": "JPEG", "restart_marker_blocks": 1}, {"format": "JPEG", "restart_marker_rows": 1, "subsampling": 0}}},
		{"RGB", []kw{{"format": "JPEG", "keep_rgb": true}}},
		{"L RGB CMYK", []kw{{"format": "TIFF", "compression": "jpeg"}, {"format": "TIFF", "compression": "jpeg", "quality": 30}}},
	}
	n := 0
	for _, row := range rows {
		for mode := range strings.FieldsSeq(row.modes) {
			for _, o := range row.options {
				for seed, s := range [][2]int{{1, 1}, {7, 5}, {17, 33}, {130, 3}, {64, 64}, {101, 90}} {
					var data []byte
					p.Call(&data, "save", mode, s[0], s[1], seed, o)
					require.True(t, check(t, p, fmt.Sprintf("%s %v %v", mode, o, s), data))
					n++
				}
			}
		}
	}
	t.Log(n, "files")
}

func TestFirstOfAnAnimation(t *testing.T) {
	p := reference.Start(t, script)
	for i, o := range []string{"lossless=True", "quality=60", "lossless=True, minimize_size=True", "quality=90, allow_mixed=True"} {
		for j, mode := range []string{"RGB", "RGBA"} {
			for _, format := range []string{"WEBP", "GIF"} {
				if format == "GIF" && i > 0 {
					continue
				}
				var data []byte
				p.Call(&data, fmt.Sprintf(`lambda: (lambda b: (make(%[1]q, 40, 30, 1).save(b, %[2]q, save_all=True, append_images=[make(%[1]q, 40, 30, s) for s in (2, 3)], %[3]s), b.getvalue())[1])(io.BytesIO())`, mode, format, o))
				require.True(t, check(t, p, fmt.Sprint(format, " ", mode, " ", o, j), data))
			}
		}
	}
}

func TestRareBMPs(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(3, 1))
	read := 0
	masks := [][4]uint32{{0xff0000, 0xff00, 0xff, 0}, {0xff000000, 0xff0000, 0xff00, 0}, {0xff000000, 0xff00, 0xff, 0}, {0xff000000, 0xff0000, 0xff00, 0xff},
		{0xff, 0xff00, 0xff0000, 0xff000000}, {0xff0000, 0xff00, 0xff, 0xff000000}, {0xff000000, 0xff00, 0xff, 0xff0000}, {0, 0, 0, 0}, {0xf800, 0x7e0, 0x1f, 0}, {0x7c00, 0x3e0, 0x1f, 0}, {1, 2, 3, 4}}
	for i := range 700 {
		bits := []int{1, 4, 8, 16, 24, 32}[rng.IntN(6)]
		size := []int{12, 40, 40, 52, 56, 64, 108, 124}[rng.IntN(8)]
		compression := 0
		switch {
		case size == 12:
		case bits >= 16 && rng.IntN(2) == 0:
			compression = 3
		case bits == 8 && rng.IntN(2) == 0:
			compression = 1
		case bits == 4 && rng.IntN(2) == 0:
			compression = 2
		}
		colors := 0
		if bits <= 8 && size > 12 && rng.IntN(2) == 0 {
			colors = 1 + rng.IntN(1<<bits)
		}
		// A palette of grays in order makes Pillow read 4 bits, or 8 of two colors, as if they were 8, or 1.
		gray := rng.IntN(3) == 0 && (bits == 1 && colors != 1 || bits == 8 && colors != 2 && colors != 1)
		if bits == 8 && (colors == 1 || colors == 2) || bits == 1 && colors == 1 || bits == 4 && colors == 1 {
			colors = 0
		}
		var data []byte
		p.Call(&data, "bmp", 1+rng.IntN(40), 1+rng.IntN(20), bits, compression, masks[rng.IntN(len(masks))], colors, size, size > 12 && rng.IntN(3) == 0, i, gray)
		if check(t, p, fmt.Sprintf("#%d: %d bits, compression %d, header %d, %d colors, gray %v", i, bits, compression, size, colors, gray), data) {
			read++
		}
	}
	require.Greater(t, read, 400)
}

func TestRareTIFFs(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(3, 2))
	read := 0
	for i := range 1500 {
		w, h := 1+rng.IntN(40), 1+rng.IntN(40)
		photo := []int{0, 1, 2, 3, 5}[rng.IntN(5)]
		samples, bits := map[int]int{0: 1, 1: 1, 2: 3, 3: 1, 5: 4}[photo], []int{1, 2, 4, 8, 8, 8, 16, 16, 32}[rng.IntN(9)]
		var extra []int
		if rng.IntN(3) == 0 {
			extra = append(extra, rng.IntN(3))
			if rng.IntN(3) == 0 {
				extra = append(extra, 0)
			}
		}
		samples += len(extra)
		format := 1
		if samples == 1 && bits >= 8 {
			format = 1 + rng.IntN(3)
		}
		if format == 3 {
			bits = 32
		}
		if photo == 3 && bits > 8 {
			bits, format = 8, 1
		}
		fill := 1 + rng.IntN(8)/7
		planar := 1
		if samples > 1 && bits == 8 && rng.IntN(3) == 0 && len(extra) == 0 {
			planar = 2
		}
		var tile any
		if rng.IntN(3) == 0 {
			tile = []int{16, 16 * (1 + rng.IntN(2))}
		}
		compression, predictor := 1+7*rng.IntN(2), 1
		if compression == 8 && bits >= 8 && format == 1 && bits != 32 {
			predictor = 1 + rng.IntN(2)
		}
		order := []string{"II", "MM"}[rng.IntN(2)]
		if compression == 1 && tile != nil && bits < 8 {
			continue // Pillow computes such a tile's stride in fractions of bytes
		}
		if compression == 8 && order == "MM" && (bits == 32 || bits == 16 && format == 2) {
			continue // Pillow has the bytes of these in the wrong order
		}
		var data []byte
		p.Call(&data, "tiff", w, h, order, photo, format, fill, bits, samples, extra, planar, 1+rng.IntN(h), tile, compression, predictor, i)
		what := fmt.Sprintf("#%d: %d×%d %s photometric %d, format %d, fill %d, %d bits, %d samples, extra %v, planar %d, tile %v, compression %d, predictor %d", i, w, h, order, photo, format, fill, bits, samples, extra, planar, tile, compression, predictor)
		if check(t, p, what, data) {
			read++
		}
	}
	t.Log(read, "read")
	require.Greater(t, read, 300)
}

// seeds returns the pictures of the repository, one of each kind.
func seeds(tb testing.TB) map[string][]byte {
	files, err := filepath.Glob("../../../testdata/pictures/*.*")
	require.NoError(tb, err)
	out := map[string][]byte{}
	for _, file := range files {
		if filepath.Ext(file) == ".txt" {
			continue
		}
		data, err := os.ReadFile(file)
		require.NoError(tb, err)
		out[filepath.Base(file)] = data
	}
	return out
}

// TestTruncated cuts every kind of file everywhere: an error, and in time.
func TestTruncated(t *testing.T) {
	for name, data := range seeds(t) {
		whole, err := Decode(data, generous)
		require.NoError(t, err, name)
		truncated := 0
		for i := range 60 {
			n := len(data) * i / 60
			p, err := Decode(data[:n], generous)
			if err == nil { // what follows the pixels may be missing
				require.Equal(t, len(whole.Pix), len(p.Pix), name)
				require.Greater(t, n, len(data)/2, name)
				continue
			}
			if errors.Is(err, ErrTruncated) {
				truncated++
			}
			require.NotContains(t, err.Error(), "\n")
		}
		require.Greater(t, truncated, 30, name)
	}
}

// TestHostile damages files at random: an error or a picture, never a panic or a hang.
func TestHostile(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	o := Options{MaxPixels: 1 << 20, Orient: true}
	for name, data := range seeds(t) {
		for range 150 {
			d := bytes.Clone(data)
			for range 1 + rng.IntN(6) {
				i := rng.IntN(len(d))
				if rng.IntN(2) == 0 {
					i = rng.IntN(min(len(d), 200)) // headers
				}
				d[i] = byte(rng.Uint32())
			}
			start := time.Now()
			p, err := Decode(d, o)
			require.Less(t, time.Since(start), 20*time.Second, name) // a hang, not a measurement
			if err == nil {
				require.NoError(t, p.Check(), name)
				require.LessOrEqual(t, p.W*p.H, o.MaxPixels)
			}
		}
	}
}

// TestBombs promises many pixels in a few bytes, in every place of every format.
func TestBombs(t *testing.T) {
	tag := func(tag, kind uint16, v uint32) []byte {
		b := binary.LittleEndian.AppendUint16(nil, tag)
		b = binary.LittleEndian.AppendUint16(b, kind)
		b = binary.LittleEndian.AppendUint32(b, 1)
		return binary.LittleEndian.AppendUint32(b, v)
	}
	directory := func(tags ...[]byte) []byte {
		b := append([]byte("II*\x00\x08\x00\x00\x00"), byte(len(tags)), 0)
		return append(b, bytes.Join(tags, nil)...)
	}
	for name, data := range map[string][]byte{
		"BMP": append([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\x00\x08\x00\x01\x00\x00\x00"), make([]byte, 2000)...),
		"GIF": []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02"),
		"PNG's second header": pngOf([]chunkOfPNG{
			{"IHDR", []byte{0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0}, 0},
			{"IHDR", []byte{0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 2, 0, 0, 0}, 0},
			{"IDAT", nil, 0},
		}),
		"GIF's picture": []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02"),
		"TIFF":          directory(tag(256, 4, 1<<31), tag(257, 4, 1<<31)),
		"WebP":          []byte("RIFFJ\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\xff\xff\xff\xff\xff\xffANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00ANMF\x1e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00VP8L\x05\x00\x00\x00/\x00\x00\x00\x00\x00"),
		"PPM":           []byte("P6 99999 99999 255\n"),
		"plain PGM":     []byte("P2 99999 99999 255\n"),
		"TGA":           []byte("\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x18\x00"),
		"CUR":           []byte("\x00\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x16\x00\x00\x00\x28\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\x00\x08\x00\x00\x00\x00\x00" + string(make([]byte, 2000))),
	} {
		_, err := Decode(data, Options{MaxPixels: 1 << 28})
		require.ErrorIs(t, err, ErrTooLarge, name)
	}
	for name, data := range map[string][]byte{
		"a short TGA":       []byte("\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\x3f\xff\x3f\x18\x00\xff123"),
		"a short PPM":       []byte("P3 9999 9999 255\n1 2 3"),
		"an empty GIF":      []byte("GIF89a\x00\x00\x00\x00\x00\x00\x00;"),
		"TIFF's tiles":      directory(tag(259, 4, 5), tag(256, 4, 1), tag(257, 4, 1), tag(322, 4, 1<<31), tag(323, 4, 1<<31), tag(324, 4, 8), tag(325, 4, 8)),
		"TIFF's strips":     directory(tag(256, 4, 9), tag(257, 4, 9), tag(278, 4, 1<<31), tag(273, 4, 1<<31)),
		"TIFF's strips, 0":  directory(tag(256, 4, 9), tag(257, 4, 9), tag(278, 4, 0), tag(273, 4, 8)),
		"TIFF's long tiles": directory(tag(259, 4, 5), tag(256, 4, 1), tag(257, 4, 1), tag(322, 4, 1<<14), tag(323, 4, 1<<13), tag(324, 4, 8), tag(325, 4, 8)),
		"TIFF's bits":       directory(tag(256, 4, 9), tag(257, 4, 9), tag(258, 4, 1<<31), tag(273, 4, 8)),
		"TIFF's samples":    directory(tag(256, 4, 9), tag(257, 4, 9), tag(277, 4, 1<<31), tag(273, 4, 8)),
	} {
		_, err := Decode(data, Options{MaxPixels: 1 << 28})
		require.Error(t, err, name)
	}
	_, err := Decode([]byte("nothing"), generous)
	require.ErrorIs(t, err, ErrFormat)
	_, err = Decode([]byte("8BPS and so on"), generous)
	require.ErrorIs(t, err, ErrFormat)
	require.EqualError(t, err, "it is a Photoshop picture, a format that is not read; convert it to PNG")
}

// FuzzDecode tries every decoder, since the first bytes choose it.
func FuzzDecode(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data, false)
		f.Add(data, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, rgb bool) {
		o := Options{MaxPixels: 1 << 20, Orient: true, RGB: rgb}
		start := time.Now()
		p, err := Decode(data, o)
		if d := time.Since(start); d > 30*time.Second { // a hang, not a measurement
			t.Fatalf("it took %v", d)
		}
		if err != nil {
			return
		}
		if err := p.Check(); err != nil || p.W*p.H == 0 || p.W*p.H > o.MaxPixels || rgb && p.Mode != pillow.ModeRGB {
			t.Fatalf("%v, %v", p, err)
		}
	})
}

// fuzzFormat fuzzes what follows a format's first bytes, so that the format stays.
func fuzzFormat(f *testing.F, name string, extensions ...string) {
	for file, data := range seeds(f) {
		for _, e := range extensions {
			if filepath.Ext(file) == e {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range formats {
			if format.name != name || !format.match(data) {
				continue
			}
			w, h, err := format.size(data)
			o := Options{MaxPixels: 1 << 20}
			if err != nil || fits(w, h, o) != nil {
				return
			}
			defer func() { _ = recover() }() // Decode does so; here memory and time are tried
			if p, err := format.decode(data, o); err == nil && (p.W != w || p.H != h || p.Check() != nil) {
				t.Fatalf("%v, %v for %d×%d", p, p.Check(), w, h)
			}
			if format.frames == nil {
				continue
			}
			next := format.frames(data, o)
			for range 4 {
				frame, err := next()
				if err != nil {
					break
				}
				if err := frame.Check(); err != nil || frame.W*frame.H > o.MaxPixels {
					t.Fatalf("%v, %v", frame.Image, err)
				}
			}
		}
	})
}

func FuzzJPEG(f *testing.F) { fuzzFormat(f, "JPEG", ".jpg") }
func FuzzPNG(f *testing.F)  { fuzzFormat(f, "PNG", ".png") }
func FuzzGIF(f *testing.F)  { fuzzFormat(f, "GIF", ".gif") }
func FuzzBMP(f *testing.F)  { fuzzFormat(f, "BMP", ".bmp") }
func FuzzDIB(f *testing.F) {
	for name, data := range seeds(f) {
		if filepath.Ext(name) == ".bmp" {
			f.Add(data[14:])
		}
	}
	fuzzFormat(f, "DIB")
}
func FuzzTIFF(f *testing.F) { fuzzFormat(f, "TIFF", ".tiff") }
func FuzzWebP(f *testing.F) { fuzzFormat(f, "WebP", ".webp") }

func FuzzPNM(f *testing.F) { fuzzFormat(f, "PNM", ".pbm", ".pgm", ".ppm", ".pfm") }
func FuzzICO(f *testing.F) { fuzzFormat(f, "ICO", ".ico") }
func FuzzCUR(f *testing.F) { fuzzFormat(f, "CUR", ".cur") }
func FuzzTGA(f *testing.F) { fuzzFormat(f, "TGA", ".tga") }

func FuzzEXIF(f *testing.F) {
	for name, data := range seeds(f) {
		switch filepath.Ext(name) {
		case ".jpg":
			f.Add("JPEG", data)
			if i := bytes.Index(data, exifHeader); i > 0 {
				f.Add("TIFF", data[i:])
			}
		case ".png":
			f.Add("PNG", data)
		case ".webp":
			f.Add("WebP", data)
		case ".tiff":
			f.Add("TIFF", data)
		}
	}
	f.Fuzz(func(t *testing.T, format string, data []byte) {
		if len(data) < 16 {
			return // no decoder accepts it
		}
		o, _, err := orientationTag(data)
		for _, f := range formats {
			if f.name == format && f.turned != nil {
				o, err = f.turned(data)
			}
		}
		if err == nil && (o < 0 || o > 9) {
			t.Fatal(o)
		}
	})
}
