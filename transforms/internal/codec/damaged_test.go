package codec

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// summaries reads files like Pillow's users do: one picture, all frames, and turned upright.
const summaries = script + `
import warnings
from PIL import ImageOps, ImageSequence
warnings.simplefilter("ignore")
Image.MAX_IMAGE_PIXELS = 1 << 23  # twice as many are refused, and in Go as many are

def summary(img):
    raw, mode = img.tobytes(), img.mode
    if mode == "1": raw = np.array(img).astype(np.uint8).tobytes().replace(b"\1", b"\xff")
    t = img.info.get("transparency")
    parts = [mode, "%dx%d" % img.size, "%08x" % zlib.crc32(raw)]
    if mode in ("P", "PA"):
        c = img.copy()
        c.info.pop("transparency", None)
        parts.append("%08x" % zlib.crc32(c.convert("RGB").tobytes()))
    if t is not None: parts.append(t.hex() if isinstance(t, bytes) else str(list(t)) if isinstance(t, tuple) else str([t]))
    return " ".join(parts)

def attempt(f):
    try: return f()
    except Exception as e: return "error " + repr(e)

def first(data):
    img = Image.open(io.BytesIO(data))
    return summary(img.copy())

def frames(data):
    out = []
    try:
        for f in ImageSequence.Iterator(Image.open(io.BytesIO(data))):
            c = f.copy()
            out.append(summary(c) + " %.3f" % c.info.get("duration", 0))
            if len(out) == 12: break
    except Exception as e: out.append("error " + repr(e))
    return out

def turned(data):
    return summary(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))

def summarize(files):
    files = [base64.b64decode(f) for f in files]
    return [{"First": attempt(lambda: first(f)), "Frames": frames(f), "Turned": attempt(lambda: turned(f))} for f in files]
`

// A fileSummary is what a file has, in words that Python makes too.
type fileSummary struct {
	First  string
	Frames []string
	Turned string
}

func summaryOf(p *pillow.Image, err error) string {
	if err != nil {
		return "error " + err.Error()
	}
	s := fmt.Sprintf("%s %dx%d %08x", p.Mode, p.W, p.H, crc32.ChecksumIEEE(p.Pix))
	if p.Mode == pillow.ModeP {
		q := *p
		q.Transparency, q.Alphas = nil, nil
		rgb, err := q.Convert(pillow.ModeRGB)
		if err != nil {
			return "error " + err.Error()
		}
		s += fmt.Sprintf(" %08x", crc32.ChecksumIEEE(rgb.Pix))
	}
	switch {
	case p.Alphas != nil:
		s += fmt.Sprintf(" %x", p.Alphas)
	case p.Transparency != nil:
		s += " " + strings.ReplaceAll(fmt.Sprint(p.Transparency), " ", ", ")
	}
	return s
}

func summarize(data []byte) (s fileSummary) {
	s.First = summaryOf(Decode(data, generous))
	for f, err := range Frames(data, generous) {
		one := summaryOf(f.Image, err)
		if err == nil {
			one += fmt.Sprintf(" %.3f", float64(f.Duration)/float64(time.Millisecond))
		}
		s.Frames = append(s.Frames, one)
		if len(s.Frames) == 12 {
			break
		}
	}
	o := generous
	o.Orient = true
	s.Turned = summaryOf(Decode(data, o))
	return s
}

// alike reports whether two summaries agree, which errors do.
func alike(a, b string) bool {
	return a == b || strings.HasPrefix(a, "error ") && strings.HasPrefix(b, "error ")
}

// compareFiles compares how files are read. known says why a difference is all right, or "".
func compareFiles(t *testing.T, p *reference.Process, files [][]byte, known func(data []byte, want, got fileSummary) string) {
	t.Helper()
	read, reasons, bad := 0, map[string]int{}, 0
	for part := range slices.Chunk(files, 200) {
		var want []fileSummary
		var sent []string
		for _, f := range part {
			sent = append(sent, base64.StdEncoding.EncodeToString(f))
		}
		p.Call(&want, "summarize", sent)
		for i, f := range part {
			got := summarize(f)
			if !strings.HasPrefix(want[i].First, "error ") {
				read++
			}
			if alike(want[i].First, got.First) && slices.EqualFunc(want[i].Frames, got.Frames, alike) && alike(want[i].Turned, got.Turned) {
				continue
			}
			if why := known(f, want[i], got); why != "" {
				reasons[why]++
				continue
			}
			if bad++; bad <= 8 {
				name := filepath.Join(os.TempDir(), fmt.Sprintf("%s-%d", t.Name(), bad))
				_ = os.WriteFile(name, f, 0o644)
				t.Errorf("%s:\nwant %+v\ngot  %+v", name, want[i], got)
			}
		}
	}
	t.Logf("%d files, of which Pillow reads %d; %d differ; known differences: %v", len(files), read, bad, reasons)
}

// A chunkOfPNG is a chunk that a test makes.
type chunkOfPNG struct {
	kind string
	body []byte
	crc  uint32 // added to the right one
}

func chunksOfPNG(data []byte) (chunks []chunkOfPNG) {
	for d := data[8:]; len(d) >= 12; {
		n := int(binary.BigEndian.Uint32(d))
		chunks = append(chunks, chunkOfPNG{string(d[4:8]), d[8 : 8+n], 0})
		d = d[12+n:]
	}
	return chunks
}

func pngOf(chunks []chunkOfPNG) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	for _, c := range chunks {
		out = binary.BigEndian.AppendUint32(out, uint32(len(c.body)))
		from := len(out)
		out = append(append(out, c.kind...), c.body...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[from:])+c.crc)
	}
	return out
}

// damagePNG returns a damaged or odd copy of a PNG.
func damagePNG(rng *rand.Rand, data []byte) []byte {
	chunks := chunksOfPNG(data)
	one := rng.IntN(len(chunks))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	at := slices.IndexFunc(chunks, func(c chunkOfPNG) bool { return c.kind == "IDAT" })
	recompress := func(change func([]byte) []byte) {
		z, err := zlib.NewReader(bytes.NewReader(chunks[at].body))
		if err != nil {
			return
		}
		var raw, b bytes.Buffer
		_, _ = raw.ReadFrom(z)
		w := zlib.NewWriter(&b)
		_, _ = w.Write(change(raw.Bytes()))
		_ = w.Close()
		chunks[at].body = b.Bytes()
	}
	switch rng.IntN(15) {
	case 0:
		return append(flipped(rng, data), random(rng.IntN(2)*rng.IntN(20))...)
	case 1:
		return data[:len(data)-rng.IntN(min(40, len(data)))]
	case 2:
		return data[:rng.IntN(len(data))]
	case 3:
		chunks[one].crc = 1
	case 4: // many small chunks
		var parts []chunkOfPNG
		for body := chunks[at].body; len(body) > 0; {
			n := min(len(body), rng.IntN(9))
			parts = append(parts, chunkOfPNG{"IDAT", body[:n], uint32(rng.IntN(2))})
			body = body[n:]
		}
		chunks = slices.Concat(chunks[:at], parts, chunks[at+1:])
	case 5: // more or fewer rows
		recompress(func(raw []byte) []byte { return append(raw, random(rng.IntN(300))...) })
	case 6:
		recompress(func(raw []byte) []byte { return raw[:rng.IntN(len(raw)+1)] })
	case 7:
		chunks[at].body = flipped(rng, chunks[at].body)
	case 8:
		body := bytes.Clone(chunks[at].body)
		n := min(1+rng.IntN(8), len(body))
		chunks[at].body = body[:len(body)-n]
		if rng.IntN(2) == 0 {
			chunks[at].body = append(chunks[at].body, random(n)...)
		}
	case 9:
		chunks = slices.Delete(chunks, one, one+1)
	case 10:
		chunks = slices.Insert(chunks, rng.IntN(len(chunks)+1), chunks[one])
	case 11: // a chunk that may be too short
		kinds := strings.Fields("iCCP PLTE tRNS gAMA cHRM sRGB pHYs tEXt zTXt iTXt eXIf acTL fcTL fdAT tIME abCd IEND bKGD")
		body := random(rng.IntN(40))
		if rng.IntN(2) == 0 {
			body = append([]byte("key\x00\x00"), body...)
		}
		chunks = slices.Insert(chunks, rng.IntN(len(chunks)+1), chunkOfPNG{kinds[rng.IntN(len(kinds))], body, 0})
	case 12:
		body := bytes.Clone(chunks[0].body)
		body[[]int{3, 7, 8, 9, 10, 11, 12}[rng.IntN(7)]] = byte([]int{0, 1, 2, 3, 4, 6, 8, 16, 13, 200}[rng.IntN(10)])
		chunks[0].body = body
	case 13:
		body := flipped(rng, chunks[one].body)
		chunks[one].body = body
	case 14:
		i := rng.IntN(len(chunks))
		chunks[one], chunks[i] = chunks[i], chunks[one]
	}
	out := pngOf(chunks)
	if rng.IntN(4) == 0 {
		out = out[:len(out)-rng.IntN(min(24, len(out)))]
	}
	return out
}

// flipped returns a copy with a few bits changed.
func flipped(rng *rand.Rand, data []byte) []byte {
	d := bytes.Clone(data)
	for range 1 + rng.IntN(3) {
		if len(d) > 0 {
			d[rng.IntN(len(d))] ^= 1 << rng.IntN(8)
		}
	}
	return d
}

// pictures makes small files of a format in every mode, plain and animated.
const pictures = summaries + `
def animated(mode, n, fmt, **options):
    b = io.BytesIO()
    ims = [make(mode, 19, 14, s) for s in range(n)]
    ims[0].save(b, fmt, save_all=True, append_images=ims[1:], **options)
    return b.getvalue()
`

func TestDamagedPNGs(t *testing.T) {
	p := reference.Start(t, pictures+`
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def raw_png(colors, depth, interlaced, transparent, seed, animation):
    """Every depth, and animations that Pillow does not write: parts, and all ways to dispose and to blend."""
    r = np.random.default_rng(seed)
    w, h = [(13, 9), (1, 1), (300, 2), (5, 40), (16, 16)][seed % 5]
    bits = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colors] * depth
    def data(w, h):
        rows = [(w, h)] if not interlaced else [((w - x + dx - 1) // dx, (h - y + dy - 1) // dy) for x, y, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]]
        out = b""
        values = [256, 2, 1][seed % 3]
        for w, h in rows:
            if w > 0:
                for _ in range(max(h, 0)):
                    out += bytes([r.integers(0, 5)]) + (r.integers(0, values, (w * bits + 7) // 8, dtype=np.int64) * (85 if colors == 6 else 1)).astype(np.uint8).tobytes()
        return zlib.compress(out, seed % 10)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colors, 0, 0, interlaced))
    if colors == 3: out += chunk(b"PLTE", r.integers(0, 256, 3 * min(1 << depth, 11), dtype=np.uint8).tobytes())
    if transparent and colors == 0: out += chunk(b"tRNS", struct.pack(">H", int(r.integers(0, 4))))
    if transparent and colors == 2: out += chunk(b"tRNS", struct.pack(">HHH", 0, 0, 0))
    if transparent and colors == 3: out += chunk(b"tRNS", [b"\0\x80", b"\xff\0\xff", b"\xff\0\n", b"\xff\xff"][seed // 5 % 4])
    if not animation: return out + chunk(b"IDAT", data(w, h)) + chunk(b"IEND", b"")
    seq = 0
    def control(w, h, x, y):
        nonlocal seq
        seq += 1
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", seq - 1, w, h, x, y, int(r.integers(0, 100)), int(r.integers(0, 100)), int(r.integers(0, 4)), int(r.integers(0, 3))))
    n = int(r.integers(1, 5))
    out += chunk(b"acTL", struct.pack(">II", n + int(r.integers(0, 5)) // 4, 0))
    if r.integers(0, 3): out += control(w, h, 0, 0); n -= 1
    out += chunk(b"IDAT", data(w, h))
    for _ in range(n):
        x, y = int(r.integers(0, w)), int(r.integers(0, h))
        a, b = int(r.integers(1, w - x + 1)), int(r.integers(1, h - y + 1))
        out += control(a, b, x, y)
        z = data(a, b)
        for part in (z[:len(z) // 2], z[len(z) // 2:]):
            seq += 1
            out += chunk(b"fdAT", struct.pack(">I", seq - 1) + part)
        if r.integers(0, 5) == 0: out += chunk(b"tEXt", b"a\0b")
    return out + chunk(b"IEND", b"")
`)
	rng := rand.New(rand.NewPCG(7, 1))
	var files [][]byte
	for colors, depths := range []([]int){0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}} {
		for _, depth := range depths {
			for i := range 48 {
				var data []byte
				p.Call(&data, "raw_png", colors, depth, i&1, i&2 != 0, i, i&4 != 0)
				files = append(files, data)
				for range 4 {
					files = append(files, damagePNG(rng, data))
				}
			}
		}
	}
	compareFiles(t, p, files, func(data []byte, want, got fileSummary) string {
		if i := len(want.Frames) - 1; i > 0 && strings.Contains(want.Frames[i], "takes at most 3 arguments") {
			return "Pillow fails at the second frame of an interlaced animation"
		} else if i > 0 && strings.HasPrefix(want.First, "I;16") {
			return "Pillow does not blend frames of 16-bit gray"
		}
		return ""
	})
}

// damageBytes returns a damaged copy of a file of any format: flipped, cut off, or with bytes put in or taken out.
func damageBytes(rng *rand.Rand, data []byte) []byte {
	at := rng.IntN(len(data))
	if rng.IntN(2) == 0 {
		at = rng.IntN(min(len(data), 60))
	}
	switch rng.IntN(6) {
	case 0:
		return data[:at]
	case 1:
		return data[:len(data)-rng.IntN(min(len(data), 12))]
	case 2:
		return slices.Concat(data[:at], make([]byte, 1+rng.IntN(3)), data[at:])
	case 3:
		return slices.Delete(bytes.Clone(data), at, min(len(data), at+1+rng.IntN(4)))
	case 4:
		d := bytes.Clone(data)
		d[at] = byte(rng.Uint32())
		return d
	}
	return flipped(rng, data)
}

func TestDamagedGIFs(t *testing.T) {
	p := reference.Start(t, pictures+`
def lzw(pixels, bits, r):
    """Codes of bits + 1 bits, with a clear code before the table grows too large for them."""
    clear, out, n = 1 << bits, 0, 0
    def put(c):
        nonlocal out, n
        out |= c << n; n += bits + 1
    room = max(1, (1 << bits) - 2)
    for i, v in enumerate(pixels):
        if i % room == 0: put(clear)
        put(int(v))
    if r.integers(0, 4): put(clear + 1)
    if r.integers(0, 5) == 0: put(3 % clear); put(1)
    data = out.to_bytes((n + 7) // 8, "little")
    return bytes([bits]) + b"".join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255)) + b"\0" * int(r.integers(0, 8) > 0)

def raw_gif(seed):
    """What Pillow does not write: no palettes, grays, local ones, every disposal, junk, odd extensions, canvases that grow."""
    r = np.random.default_rng(seed)
    w, h = int(r.integers(1, 20)), int(r.integers(1, 20))
    def palette(bits):
        n = 1 << bits
        if r.integers(0, 4) == 0: return b"".join(bytes([i] * 3) for i in range(n))
        return r.integers(0, 256, 3 * n, dtype=np.uint8).tobytes()
    out = b"GIF89a" + struct.pack("<HH", w, h)
    bits = int(r.integers(1, 4))
    if r.integers(0, 4): out += bytes([0x80 | bits - 1, int(r.integers(0, 4)), 0]) + palette(bits)
    else: out += bytes([0, 0, 0])
    if r.integers(0, 4) == 0: out += b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    for _ in range(int(r.integers(1, 5))):
        if r.integers(0, 5) == 0: out += [b"\0\0", b"!\x55\2ab\0", b"!\xfe\3abc\1d\0", b"!\xfe\0", b"xyz", b"!\x01\0"][r.integers(0, 6)]
        if r.integers(0, 3):
            c = bytes([int(r.integers(0, 6)) << 2 | int(r.integers(0, 2)), int(r.integers(0, 99)), 0, int(r.integers(0, 6))])
            if r.integers(0, 6) == 0: c += b"\7"
            out += b"!\xf9" + bytes([len(c)]) + c + b"\0"
        grow = r.integers(0, 8) == 0
        x, y = int(r.integers(0, w)), int(r.integers(0, h))
        a, b = int(r.integers(1, w - x + 1 + 3 * grow)), int(r.integers(1, h - y + 1 + 3 * grow))
        flags = 0x40 * int(r.integers(0, 2))
        local = b""
        if r.integers(0, 3) == 0: bits = int(r.integers(1, 4)); flags |= 0x80 | bits - 1; local = palette(bits)
        out += b"," + struct.pack("<HHHHB", x, y, a, b, flags) + local + lzw(r.integers(0, 1 << int(r.integers(1, 4)), a * b + int(r.integers(0, 4)) // 3 * 5) % 8, int(r.integers(3, 9)), r)
    return out + b";"
`)
	rng := rand.New(rand.NewPCG(7, 2))
	var files [][]byte
	add := func(data []byte) {
		files = append(files, data)
		for range 2 {
			files = append(files, damageBytes(rng, data))
		}
	}
	for seed := range 900 {
		var data []byte
		p.Call(&data, "raw_gif", seed)
		add(data)
	}
	for _, mode := range strings.Fields("1 L P RGB RGBA") {
		for i := range 20 {
			var data []byte
			p.Call(&data, `lambda m, n, i: animated(m, n, "GIF", disposal=i % 4, duration=[50 + 10 * k for k in range(n)], interlace=i // 4 % 2, optimize=bool(i // 8))`, mode, 1+i%5, i)
			add(data)
		}
	}
	compareFiles(t, p, files, func(data []byte, want, got fileSummary) string { return "" })
}

func TestDamagedWebPs(t *testing.T) {
	p := reference.Start(t, pictures+`
def chunk(kind, body): return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)

def raw_webp(seed):
    """What Pillow does not write: frames anywhere, every way to dispose and to blend, odd flags and chunks."""
    r = np.random.default_rng(seed)
    w, h = int(r.integers(1, 12)) * 2, int(r.integers(1, 12)) * 2
    alpha = int(r.integers(0, 4)) > 0
    u24 = lambda v: struct.pack("<I", v)[:3]
    out = b""
    if r.integers(0, 6): out += chunk(b"ANIM", bytes(6))
    for _ in range(int(r.integers(1, 5))):
        whole = r.integers(0, 3) == 0
        x, y = (0, 0) if whole else (int(r.integers(0, w // 2)) * 2, int(r.integers(0, h // 2)) * 2)
        a, b = (w, h) if whole else (int(r.integers(1, w - x + 1)), int(r.integers(1, h - y + 1)))
        v = r.integers(0, 256, (b, a, 4), dtype=np.uint8)
        if r.integers(0, 2): v[..., 3] = v[..., 3] // 128 * 255
        mode = "RGBA" if alpha and r.integers(0, 4) else "RGB"
        f = io.BytesIO()
        Image.fromarray(v, "RGBA").convert(mode).save(f, "WEBP", lossless=bool(r.integers(0, 2)), exact=bool(r.integers(0, 2)), quality=70)
        data = f.getvalue()[12:]
        if data[:4] == b"VP8X": data = data[18:]
        out += chunk(b"ANMF", u24(x // 2) + u24(y // 2) + u24(a - 1) + u24(b - 1) + u24(int(r.integers(0, 500))) + bytes([int(r.integers(0, 4))]) + data)
        if r.integers(0, 8) == 0: out += chunk(b"abcd", b"xyz")
    flags = 2 | 16 * alpha | (int(r.integers(0, 256)) if r.integers(0, 12) == 0 else 0)
    out = b"WEBP" + chunk(b"VP8X", bytes([flags, 0, 0, 0]) + u24(w - 1) + u24(h - 1)) + out
    return b"RIFF" + struct.pack("<I", len(out)) + out
`)
	rng := rand.New(rand.NewPCG(7, 3))
	var files [][]byte
	add := func(data []byte) {
		files = append(files, data)
		for range 3 {
			files = append(files, damageBytes(rng, data))
		}
	}
	for seed := range 500 {
		var data []byte
		p.Call(&data, "raw_webp", seed)
		add(data)
	}
	for _, mode := range strings.Fields("L RGB RGBA") {
		for i := range 24 {
			var data []byte
			p.Call(&data, `lambda m, n, i: animated(m, n, "WEBP", lossless=bool(i % 2), quality=60, duration=[50 + 10 * k for k in range(n)] if n > 1 else 0, minimize_size=bool(i // 8), allow_mixed=bool(i // 4 % 2))`, mode, 1+i%4, i)
			add(data)
		}
	}
	compareFiles(t, p, files, func(data []byte, want, got fileSummary) string { return "" })
}

func TestDamagedBMPs(t *testing.T) {
	p := reference.Start(t, pictures)
	rng := rand.New(rand.NewPCG(7, 4))
	var files [][]byte
	masks := [][4]uint32{{0xff0000, 0xff00, 0xff, 0}, {0xff000000, 0xff0000, 0xff00, 0xff}, {0xff, 0xff00, 0xff0000, 0xff000000}, {0xf800, 0x7e0, 0x1f, 0}, {0x7c00, 0x3e0, 0x1f, 0}}
	for i := range 600 {
		bits := []int{1, 4, 8, 16, 24, 32}[rng.IntN(6)]
		size := bmpSizes[rng.IntN(len(bmpSizes))]
		compression, colors := 0, 0
		if size > 12 {
			compression = []int{0, 0, 1, 2, 3}[rng.IntN(5)]
			if bits >= 16 {
				compression = []int{0, 3}[rng.IntN(2)]
			} else if compression == 3 {
				compression = 0
			}
			colors = []int{0, 0, 2, 1 + rng.IntN(256)}[rng.IntN(4)]
		}
		var data []byte
		p.Call(&data, "bmp", 1+rng.IntN(20), 1+rng.IntN(12), bits, compression, masks[rng.IntN(len(masks))], colors, size, rng.IntN(3) == 0, i, rng.IntN(3) == 0)
		for _, d := range [][]byte{data, data[14:]} {
			files = append(files, d)
			for range 2 {
				files = append(files, damageBytes(rng, d))
			}
		}
	}
	for _, mode := range strings.Fields("1 L P RGB RGBA") {
		for i := range 6 {
			var data []byte
			p.Call(&data, "save", mode, 3+i, 5, i, kw{"format": "DIB"})
			files = append(files, data)
		}
	}
	compareFiles(t, p, files, func(data []byte, want, got fileSummary) string { return "" })
}
