package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"math/rand/v2"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

// judge decodes with Pillow. Of what would be too large for a test it says None, and of what it
// refuses False.
const judge = `
import base64, io, warnings, zlib
from PIL import Image
warnings.simplefilter("ignore")

def decode(files, drafts):
    out = []
    for data, draft in zip(files, drafts):
        try:
            img = Image.open(io.BytesIO(base64.b64decode(data)))
            if img.width * img.height > 1 << 16:
                out.append(None)
                continue
            img.draft(None, draft)
            pix = img.tobytes()
            if img.mode == "CMYK":
                pix = bytes(255 - v for v in pix)
            out.append([*img.size, zlib.crc32(pix)])
        except Exception as e:
            out.append(False)
    return out
`

// sample returns a JPEG of noise, stripes or edges. Its subsampling may be any,
// what its data were coded for or not.
func sample(rng *rand.Rand, side int) []byte {
	w, h, channels := 1+rng.IntN(side), 1+rng.IntN(side), []int{1, 3, 3, 3, 4}[rng.IntN(5)]
	pix := make([]byte, channels*w*h)
	kind := rng.IntN(3)
	for i := range pix {
		pix[i] = []byte{byte(rng.Uint32()), byte(i / 7), byte(rng.IntN(2) * 255)}[kind]
	}
	o := EncodeOptions{Quality: 1 + rng.IntN(100), Subsampling: Subsampling(rng.IntN(3)), Progressive: rng.IntN(2) == 0, YCbCr: rng.IntN(9) == 0}
	data := Encode(pix, w, h, channels, o)
	if !o.Progressive && rng.IntN(4) == 0 { // a scan for each component
		e := newEncoder(pix, w, h, channels, o)
		for _, c := range e.comps {
			e.sequentialScan([]*plan{c})
		}
		data = append(e.out, 0xff, eoi)
	}
	frame := max(bytes.Index(data, []byte{0xff, sof0}), bytes.Index(data, []byte{0xff, sof2}))
	if channels > 1 && rng.IntN(3) == 0 {
		for c := range channels {
			data[frame+11+3*c] = byte((1+rng.IntN(4))<<4 | 1 + rng.IntN(4))
		}
	}
	if channels == 3 && rng.IntN(9) == 0 { // RGB as it is
		data = append([]byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"), data[bytes.Index(data, []byte{0xff, dqt}):]...)
	} else if channels == 4 && rng.IntN(2) == 0 {
		data[17] = 2 // YCCK
	}
	return data
}

// compare decodes with Pillow and here, with drafts, and returns how many were decoded and refused by both.
// check is called with those that Pillow decodes.
func compare(t *testing.T, files [][]byte, drafts [][2]int, check func(i int, got []byte, h Header, err error, crc uint32)) (same, refused int) {
	p := reference.Start(t, judge)
	var want []any
	p.Call(&want, "decode", files, drafts)
	for i, w := range want {
		if w == nil {
			continue
		}
		got, h, err := Decode(files[i], Options{Draft: image.Pt(drafts[i][0], drafts[i][1])})
		if w == false {
			require.True(t, err != nil || Check(files[i]) != nil, "Pillow refuses %x", files[i])
			refused++
			continue
		}
		v := w.([]any)
		require.NoError(t, Check(files[i]), "%x", files[i])
		if err == nil {
			require.Equal(t, []any{float64(h.W), float64(h.H)}, v[:2], "%x", files[i])
			same++
		}
		check(i, got, h, err, uint32(v[2].(float64)))
	}
	return same, refused
}

// both runs f with the assembly and without.
func both(t *testing.T, f func(t *testing.T)) {
	if simd {
		t.Run("assembly", f)
	}
	t.Run("loops", func(t *testing.T) {
		defer func(was bool) { simd = was }(simd)
		simd = false
		f(t)
	})
}

// TestEqualsPillow compares pixels at all scales.
func TestEqualsPillow(t *testing.T) {
	reference.Start(t, judge) // before the files are made
	both(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 1))
		var files [][]byte
		var drafts [][2]int
		for range 2500 {
			files = append(files, sample(rng, 90))
			drafts = append(drafts, [2]int{1 + rng.IntN(90), 1 + rng.IntN(90)})
		}
		same, _ := compare(t, files, drafts, func(i int, got []byte, h Header, err error, crc uint32) {
			if errors.Is(err, ErrUnsupported) { // subsampling by a fraction
				return
			}
			require.NoError(t, err, "%x", files[i])
			require.Equal(t, crc, crc32.ChecksumIEEE(got), "%x", files[i])
		})
		require.Greater(t, same, 1500)
	})
}

// TestRegion compares a part with the whole.
func TestRegion(t *testing.T) {
	both(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for range 2000 {
			data := sample(rng, 90)
			switch {
			case rng.IntN(3) == 0:
				data = damage(rng, data)
			case bytes.Contains(data, []byte{0xff, sof2}) && rng.IntN(2) == 0:
				data = lose(rng, data)
			}
			draft := image.Pt(rng.IntN(60), rng.IntN(60))
			want, h, err := Decode(data, Options{Draft: draft})
			if err != nil { // a subsampling that is none, or damage
				continue
			}
			x, y := rng.IntN(h.W), rng.IntN(h.H)
			r := image.Rect(x, y, x+1+rng.IntN(h.W-x), y+1+rng.IntN(h.H-y))
			part, _, err := Decode(data, Options{Draft: draft, Region: func(w, height int) image.Rectangle {
				require.Equal(t, []int{h.W, h.H}, []int{w, height})
				return r
			}})
			require.NoError(t, err, "%x", data)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				from, to := h.Channels*(y*h.W+r.Min.X), h.Channels*(y*h.W+r.Max.X)
				require.Equal(t, want[from:to], part[from:to], "row %d of %v in %x", y, r, data)
			}
		}
	})
}

// damage changes a few bytes, and puts in markers.
func damage(rng *rand.Rand, data []byte) []byte {
	scan := bytes.Index(data, []byte{0xff, sos})
	if rng.IntN(4) == 0 { // restarts that are not there
		data = bytes.Join([][]byte{data[:scan], {0xff, dri, 0, 4, 0, byte(1 + rng.IntN(4))}, data[scan:]}, nil)
	}
	from := 0
	if rng.IntN(3) > 0 {
		from = scan
	}
	for range 1 + rng.IntN(3) {
		at := from + rng.IntN(len(data)-from)
		switch rng.IntN(6) {
		case 0:
			data[at] = byte(rng.Uint32())
		case 1:
			data[at] ^= 1 << rng.IntN(8)
		case 2:
			data[at] = 0xff
		case 3:
			data = bytes.Join([][]byte{data[:at], {0xff, rst0 + byte(rng.IntN(8))}, data[at:]}, nil)
		case 4:
			data = bytes.Join([][]byte{data[:at], data[min(at+rng.IntN(20), len(data)-1):]}, nil)
		case 5:
			if rng.IntN(3) == 0 && at > scan {
				return data[:at]
			}
		}
	}
	return data
}

// TestDamaged compares with what Pillow makes of damaged files, restarts and
// overflows among it.
func TestDamaged(t *testing.T) {
	reference.Start(t, judge) // before the files are made
	both(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 3))
		var files [][]byte
		for range 8000 {
			files = append(files, damage(rng, sample(rng, 60)))
		}
		drafts := make([][2]int, len(files))
		for i := range drafts {
			drafts[i] = [2]int{1 + rng.IntN(90), 1 + rng.IntN(90)}
		}
		same, refused := compare(t, files, drafts, func(i int, got []byte, h Header, err error, crc uint32) {
			if !errors.Is(err, ErrUnsupported) {
				require.NoError(t, err, "%x", files[i])
				require.Equal(t, crc, crc32.ChecksumIEEE(got), "%x", files[i])
			}
		})
		t.Log(same, refused)
		require.Greater(t, same, 2000)
		require.Greater(t, refused, 2000)
	})
}

// TestEnds has files that end early in every way, and bytes 0xff written with padding.
func TestEnds(t *testing.T) {
	reference.Start(t, judge) // before the files are made
	rng := rand.New(rand.NewPCG(1, 6))
	var files [][]byte
	for i := range 1500 {
		side := 60
		if i%10 == 0 {
			side = 250 // more than Pillow reads at once
		}
		data := sample(rng, side)
		for range rng.IntN(3) {
			at := bytes.LastIndex(data[:rng.IntN(len(data))], []byte{0xff, 0})
			if at > 0 && at > bytes.Index(data, []byte{0xff, sos}) {
				data = slices.Insert(data, at, 0xff)
			}
		}
		if rng.IntN(4) > 0 {
			data = data[:len(data)-1-rng.IntN(3)]
		}
		data = append(data, make([]byte, []int{0, 0, 0, 1, 2000}[rng.IntN(5)])...)
		files = append(files, data)
	}
	drafts := make([][2]int, len(files))
	for i := range drafts {
		drafts[i] = [2]int{1 << 16, 1 << 16}
	}
	same, refused := compare(t, files, drafts, func(i int, got []byte, h Header, err error, crc uint32) {
		if !errors.Is(err, ErrUnsupported) {
			require.NoError(t, err, "%x", files[i])
			require.Equal(t, crc, crc32.ChecksumIEEE(got), "%x", files[i])
		}
	})
	t.Log(same, refused)
	require.Greater(t, same, 300)
	require.Greater(t, refused, 300)
}

// TestMissing compares with what Pillow makes of progressive pictures some coefficients of which are missing.
func TestMissing(t *testing.T) {
	reference.Start(t, judge) // before the files are made
	both(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 4))
		var files [][]byte
		var drafts [][2]int
		for range 3000 {
			data := sample(rng, 90)
			if bytes.Contains(data, []byte{0xff, sof0}) {
				continue
			}
			files = append(files, lose(rng, data))
			drafts = append(drafts, [2]int{1 + rng.IntN(90), 1 + rng.IntN(90)})
		}
		same, refused := compare(t, files, drafts, func(i int, got []byte, h Header, err error, crc uint32) {
			if errors.Is(err, ErrUnsupported) { // subsampling by a fraction
				return
			}
			require.NoError(t, err, "%x", files[i])
			require.Equal(t, crc, crc32.ChecksumIEEE(got), "%v %v %x", h, drafts[i], files[i])
		})
		t.Log(same, refused)
		require.Greater(t, same, 800)
	})
}

// lose takes scans out of a progressive picture, or its end.
func lose(rng *rand.Rand, data []byte) []byte {
	var scans [][]byte // each with the tables before it
	at := 0
	for next := bytes.Index(data, []byte{0xff, sos}); next >= 0; {
		end := next + 4
		for data[end] != 0xff || data[end+1] == 0 {
			end++
		}
		scans = append(scans, data[at:end])
		at = end
		if next = bytes.Index(data[at:], []byte{0xff, sos}); next >= 0 {
			next += at
		}
	}
	out := bytes.Clone(scans[0])
	for _, s := range scans[1:] {
		if rng.IntN(4) > 0 {
			out = append(out, s...)
		}
	}
	if rng.IntN(2) == 0 {
		scan := bytes.Index(out, []byte{0xff, sos})
		out = out[:scan+20+rng.IntN(max(len(out)-scan-20, 1))]
	}
	return append(out, 0xff, eoi)
}

// TestArithmetic compares pictures with arithmetic coding, whole and damaged, where there is libjpeg's cjpeg to make them.
func TestArithmetic(t *testing.T) {
	reference.Start(t, judge) // before the files are made
	cjpeg, err := exec.LookPath("cjpeg")
	if err != nil {
		t.Skip("there is no cjpeg")
	}
	rng := rand.New(rand.NewPCG(1, 5))
	var files [][]byte
	var drafts [][2]int
	for range 400 {
		w, h := 1+rng.IntN(80), 1+rng.IntN(80)
		ppm := fmt.Appendf(nil, "P6 %d %d 255\n", w, h)
		noise, flat := 1+rng.IntN(255), rng.IntN(200)
		for i := range 3 * w * h {
			ppm = append(ppm, byte(i/(1+flat)+rng.IntN(noise)))
		}
		args := []string{"-arithmetic", "-quality", fmt.Sprint(1 + rng.IntN(100)), "-sample", fmt.Sprintf("%dx%d", 1+rng.IntN(2), 1+rng.IntN(2))}
		for _, more := range [][]string{{"-progressive"}, {"-grayscale"}, {"-restart", "1"}, {"-restart", "3B"}} {
			if rng.IntN(3) == 0 {
				args = append(args, more...)
			}
		}
		cmd := exec.Command(cjpeg, args...)
		cmd.Stdin = bytes.NewReader(ppm)
		data, err := cmd.Output()
		require.NoError(t, err)
		for i := range 12 {
			d := bytes.Clone(data)
			if i > 1 {
				d = damage(rng, d)
			}
			files = append(files, d)
			drafts = append(drafts, [2]int{1 + rng.IntN(90), 1 + rng.IntN(90)})
		}
	}
	same, refused := compare(t, files, drafts, func(i int, got []byte, h Header, err error, crc uint32) {
		if errors.Is(err, ErrUnsupported) { // subsampling by a fraction
			return
		}
		require.NoError(t, err, "%x", files[i])
		require.Equal(t, crc, crc32.ChecksumIEEE(got), "%v %v %x", h, drafts[i], files[i])
	})
	t.Log(same, refused)
	require.Greater(t, same, 1000)
}

// TestHostile has files that would take much memory or time.
func TestHostile(t *testing.T) {
	data := Encode(make([]byte, 3*20*20), 20, 20, 3, EncodeOptions{Quality: 50, Progressive: true})
	frame := bytes.Index(data, []byte{0xff, sof2})
	huge := bytes.Clone(data)
	copy(huge[frame+5:], []byte{0xff, 0xdc, 0xff, 0xdc}) // 65500×65500
	_, _, err := Decode(huge, Options{})
	require.ErrorIs(t, err, ErrTruncated) // before there is memory for it

	scan := bytes.Index(data, []byte{0xff, sos})
	end := scan + 2 + bytes.IndexByte(data[scan+2:], 0xff)
	var many bytes.Buffer
	many.Write(data[:scan])
	for range maxScans + 1 {
		many.Write(data[scan:end])
	}
	many.Write([]byte{0xff, eoi})
	_, _, err = Decode(many.Bytes(), Options{})
	require.Error(t, err)
}

// FuzzDecode looks for crashes, for differences between the assembly and the loops, and for parts that
// are not those of the whole.
func FuzzDecode(f *testing.F) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 40 {
		f.Add(sample(rng, 40), uint16(rng.Uint32()))
	}
	f.Fuzz(func(t *testing.T, data []byte, part uint16) {
		h, err := ReadHeader(data)
		if err != nil || h.W*h.H > 1<<18 {
			return
		}
		got, _, err := Decode(data, Options{})
		if err != nil {
			return
		}
		x, y := int(part>>8)*h.W>>8, int(part&255)*h.H>>8
		r := image.Rect(x, y, (x+h.W+1)/2, (y+h.H+1)/2)
		if r.Empty() {
			r = image.Rect(x, y, x+1, y+1)
		}
		some, _, err := Decode(data, Options{Region: func(int, int) image.Rectangle { return r }})
		require.NoError(t, err)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			from, to := h.Channels*(y*h.W+r.Min.X), h.Channels*(y*h.W+r.Max.X)
			require.Equal(t, got[from:to], some[from:to])
		}
		if !simd {
			return
		}
		simd = false
		defer func() { simd = true }()
		loops, _, err := Decode(data, Options{})
		require.NoError(t, err)
		require.Equal(t, loops, got)
	})
}
