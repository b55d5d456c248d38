package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

// agree compares a file's picture with Pillow's, or its refusal. It reports whether Pillow reads it.
func agree(t *testing.T, p *reference.Process, what string, data []byte) bool {
	t.Helper()
	read := check(t, p, fmt.Sprintf("%s: %x", what, data), data)
	if !read {
		_, err := Decode(data, generous)
		require.Error(t, err, "Pillow refuses %s: %x", what, data)
	}
	return read
}

// spoil damages a few bytes of a file, or cuts it.
func spoil(rng *rand.Rand, data []byte) []byte {
	data = bytes.Clone(data)
	for range 1 + rng.IntN(4) {
		at := rng.IntN(len(data))
		if rng.IntN(2) == 0 {
			at = rng.IntN(min(len(data), 60)) // headers
		}
		data[at] = byte(rng.Uint32())
	}
	if rng.IntN(4) == 0 {
		data = data[:1+rng.IntN(len(data))]
	}
	return data
}

func noise(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// pick returns one of some values.
func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// rarePNM returns a PNM of any kind.
func rarePNM(rng *rand.Rand) []byte {
	magic := pick(rng, "P1", "P2", "P3", "P4", "P5", "P6", "Pf", "P0CMYK", "PyP", "PyRGBA", "PyCMYK", "P7", "PF")
	w, h := 1+rng.IntN(20), 1+rng.IntN(20)
	most := pick(rng, 255, 255, 65535, 1, 15, 100, 256, 1000, 1+rng.IntN(65535))
	white := func() string { return pick(rng, " ", "\n", "\r\n", " # a comment 12\n", "\t") }
	out := []byte(magic + pick(rng, " ", "\n") + fmt.Sprint(w) + white() + fmt.Sprint(h))
	switch magic {
	case "P1", "P4":
	case "Pf", "PF":
		out = fmt.Append(out, white(), pick(rng, "-1.0", "1", "2.5e3", "-1_0", "0", "nan"))
	default:
		out = fmt.Append(out, white(), most)
	}
	out = append(out, pick(rng, " ", "\n")...)
	n := w * h * map[string]int{"P3": 3, "P6": 3, "P0CMYK": 4, "PyRGBA": 4, "PyCMYK": 4, "P1": 1, "P2": 1, "P5": 1, "PyP": 1}[magic]
	n = max(n+rng.IntN(3)/2*(rng.IntN(3)-1), 0)
	switch magic {
	case "P1":
		for range n {
			out = fmt.Append(out, rng.IntN(2), pick(rng, "", "", " ", "\n", "#1\n"))
		}
	case "P2", "P3":
		for range n {
			out = fmt.Append(out, rng.IntN(most+1), pick(rng, " ", " ", "\n", "  # 5\r "))
		}
		if rng.IntN(3) == 0 {
			out = bytes.TrimRight(out, " \n")
		}
	case "P4":
		out = append(out, noise(rng, (w+7)/8*h)...)
	case "Pf":
		out = append(out, noise(rng, 4*w*h)...)
	default:
		if most > 255 {
			n *= 2
		}
		out = append(out, noise(rng, n)...)
	}
	return out
}

func TestPNM(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(3, 5))
	read := 0
	for i := range 1500 {
		data := rarePNM(rng)
		if i%3 == 0 {
			data = spoil(rng, data)
		}
		if agree(t, p, fmt.Sprint("#", i), data) {
			read++
		}
	}
	t.Log(read, "read")
	require.Greater(t, read, 600)
}

// rareTGA returns a TGA of any kind.
func rareTGA(rng *rand.Rand) []byte {
	kind := pick[byte](rng, 1, 2, 3, 9, 10, 11)
	bits := map[byte]byte{1: 8, 2: pick[byte](rng, 16, 24, 32), 3: pick[byte](rng, 1, 8, 16)}[kind&7]
	if rng.IntN(20) == 0 {
		bits = pick[byte](rng, 1, 8, 16, 24, 32)
	}
	w, h := 1+rng.IntN(20), 1+rng.IntN(20)
	mapped := byte(0)
	if kind&7 == 1 || rng.IntN(8) == 0 {
		mapped = 1
	}
	name := noise(rng, rng.IntN(3)/2*rng.IntN(9))
	start, count, depth := rng.IntN(3)/2*rng.IntN(20), pick(rng, 256, 20, 1+rng.IntN(250)), pick[byte](rng, 16, 24, 32)
	out := []byte{byte(len(name)), mapped, kind}
	out = binary.LittleEndian.AppendUint16(out, uint16(start))
	out = binary.LittleEndian.AppendUint16(out, uint16(count))
	out = append(out, depth, 0, 0, 0, 0, byte(w), 0, byte(h), 0, bits, byte(rng.IntN(4))<<4|byte(rng.IntN(16)))
	out = append(out, name...)
	if mapped == 1 {
		out = append(out, noise(rng, count*int(depth)/8)...)
	}
	size, stride := int(bits)/8, (w*int(bits)+7)/8
	for range h {
		if kind < 8 {
			out = append(out, noise(rng, stride)...)
			continue
		}
		for x := 0; x < w; {
			n := 1 + rng.IntN(min(w-x, 128))
			if rng.IntN(2) == 0 {
				out = append(append(out, 0x80|byte(n-1)), noise(rng, size)...)
			} else {
				n += rng.IntN(30) / 29 * rng.IntN(30)
				out = append(append(out, byte(n-1)), noise(rng, n*size)...)
			}
			x += n
		}
	}
	switch rng.IntN(4) {
	case 0:
		out = append(out, "\x00\x00\x00\x00\x00\x00\x00\x00TRUEVISION-XFILE.\x00"...)
	case 1:
		at := len(out)
		out = append(out, make([]byte, 494)...)
		out = append(out, pick[byte](rng, 0, 0, 3))
		out = binary.LittleEndian.AppendUint32(out, uint32(at))
		out = append(out, "\x00\x00\x00\x00TRUEVISION-XFILE.\x00"...)
	}
	return out
}

func TestTGA(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(3, 6))
	read := 0
	for i := range 2000 {
		data := rareTGA(rng)
		if i%3 == 0 {
			data = spoil(rng, data)
		}
		if agree(t, p, fmt.Sprint("#", i), data) {
			read++
		}
	}
	t.Log(read, "read")
	require.Greater(t, read, 600)
}

// icons is Python that writes ICOs and CURs with bitmaps or PNGs.
const iconScript = `
def icon(seed):
    r = np.random.default_rng(seed)
    cur = bool(r.integers(0, 3) == 0)
    n = int(r.integers(1, 4)) if r.integers(0, 3) else 1
    at = 6 + 16 * n
    out, body = struct.pack("<HHH", 0, 2 if cur else 1, n), b""
    for _ in range(n):
        w, h = (int(v) for v in r.integers(1, 40, 2))
        if r.integers(0, 30) == 0: w = 256
        bits = int(r.choice([1, 4, 8, 24, 32]))
        colors = 0
        if not cur and r.integers(0, 3) == 0:
            b = io.BytesIO()
            make(str(r.choice(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])), w, h, seed).save(b, "PNG")
            data = b.getvalue()
        else:
            data = bmp(w, 2 * h, bits, 0, (0, 0, 0, 0), 0, 40, False, seed, bool(r.integers(0, 2)))[14:]
            used = len(data) - (w * bits + 31) // 32 * 4 * h
            data = data[:used] + r.integers(0, 256, (w + 31) // 32 * 4 * h, dtype=np.uint8).tobytes()
            if cur: data += bytes((w * bits + 31) // 32 * 4 * h)
        out += struct.pack("<BBBBHHII", w % 256, h, int(r.choice([0, 1, 2, 16, 255])), 0, 1, int(r.choice([bits, bits, 0])), len(data), at + len(body))
        body += data
    return out + body
`

func TestIcons(t *testing.T) {
	p := reference.Start(t, script+iconScript)
	rng := rand.New(rand.NewPCG(3, 7))
	read := 0
	for i := range 2000 {
		var data []byte
		p.Call(&data, "icon", i)
		if i%3 == 0 {
			data = spoil(rng, data)
		}
		if agree(t, p, fmt.Sprint("#", i), data) {
			read++
		}
	}
	t.Log(read, "read")
	require.Greater(t, read, 1000)
}

// TestPlainBlocks has a plain picture that is larger than what Pillow reads of it at once.
func TestPlainBlocks(t *testing.T) {
	p := reference.Start(t, script)
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(3, seed))
		const w, h = 700, 600
		out := fmt.Appendf(nil, "P2 %d %d 9999\n", w, h)
		for range w * h {
			out = fmt.Append(out, rng.IntN(10000), " ")
			if rng.IntN(500) == 0 {
				out = append(append(append(out, '#'), bytes.Repeat([]byte("comment"), rng.IntN(300))...), '\n')
			}
		}
		require.Greater(t, len(out), 2*plainBlock)
		var want answer
		p.Call(&want, "read", out)
		got, err := Decode(out, generous)
		require.Equal(t, want.Mode == "", err != nil, "%v %s", err, want.Error)
		if err == nil {
			require.True(t, bytes.Equal(want.Pixels, got.Pix))
		}
	}
}
