package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/turbojpeg"
)

// A sample is a JPEG that libjpeg-turbo made of noise, stripes or edges.
type sample struct {
	w, h, channels int
	subsampling    turbojpeg.Subsampling // also 4:4:0 and 4:1:1, which have no names there
	quality        int
	progressive    bool
	data           []byte
}

func (s sample) String() string {
	return fmt.Sprintf("%d×%d×%d, subsampling %d, quality %d, progressive %v", s.w, s.h, s.channels, s.subsampling, s.quality, s.progressive)
}

func newSample(t testing.TB, rng *rand.Rand, side int) sample {
	s := sample{
		w: 1 + rng.IntN(side), h: 1 + rng.IntN(side), channels: 1 + 2*rng.IntN(2),
		subsampling: []turbojpeg.Subsampling{turbojpeg.S444, turbojpeg.S422, turbojpeg.S420, 4, 5}[rng.IntN(5)],
		quality:     1 + rng.IntN(100), progressive: rng.IntN(2) == 0,
	}
	pix := make([]byte, s.channels*s.w*s.h)
	kind := rng.IntN(3)
	for i := range pix {
		pix[i] = []byte{byte(rng.Uint32()), byte(i / 7), byte(rng.IntN(2) * 255)}[kind]
	}
	var err error
	s.data, err = turbojpeg.Encode(pix, s.w, s.h, s.channels, s.quality, s.subsampling, s.progressive)
	require.NoError(t, err)
	return s
}

func library(t testing.TB) {
	if turbojpeg.Library() == "" {
		t.Skip("there is no libjpeg-turbo to compare with")
	}
}

func turbo(data []byte, scale int) ([]byte, error) {
	h, err := turbojpeg.ReadHeader(data)
	if err != nil {
		return nil, err
	}
	if h.W*h.H > 1<<13 {
		return nil, errors.New("too large for a test")
	}
	return turbojpeg.Decode(data, h, scale, nil)
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

// TestEqualsLibjpegTurbo compares pixels, and those of a part with the whole's.
func TestEqualsLibjpegTurbo(t *testing.T) {
	library(t)
	both(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 1))
		for range 1500 {
			s := newSample(t, rng, 90)
			scale := max(1, 1<<rng.IntN(7)>>3)
			want, err := turbo(s.data, scale)
			require.NoError(t, err)
			got, h, err := Decode(s.data, Options{Scale: scale})
			require.NoError(t, err, s)
			require.Equal(t, Header{s.w, s.h, s.channels}, h)
			require.True(t, bytes.Equal(want, got), "%v at 1/%d", s, scale)

			width, height := h.Scaled(scale)
			x, y := rng.IntN(width), rng.IntN(height)
			r := image.Rect(x, y, x+1+rng.IntN(width-x), y+1+rng.IntN(height-y))
			part, _, err := Decode(s.data, Options{Scale: scale, Region: func(w, h int) image.Rectangle {
				require.Equal(t, []int{width, height}, []int{w, h})
				return r
			}})
			require.NoError(t, err, s)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				from, to := s.channels*(y*width+r.Min.X), s.channels*(y*width+r.Max.X)
				require.Equal(t, want[from:to], part[from:to], "%v, row %d of %v", s, y, r)
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

// TestDamaged compares with what libjpeg-turbo makes of damaged files, restarts and
// overflows among it.
func TestDamaged(t *testing.T) {
	library(t)
	both(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 3))
		same, refused := 0, 0
		for i := range 12000 {
			s := newSample(t, rng, 60)
			data := damage(rng, s.data)
			want, err := turbo(data, 1)
			got, _, err2 := Decode(data, Options{})
			switch {
			case err == nil && err2 == nil:
				require.True(t, bytes.Equal(want, got), "%d: %v", i, s)
				same++
			case err == nil:
				require.ErrorIs(t, err2, ErrUnsupported, "%d: %v", i, s)
			case err2 != nil:
				refused++
			default: // of what comes after the picture only whether it ends is looked at
			}
		}
		require.Greater(t, same, 4000)
		require.Greater(t, refused, 4000)
	})
}

// TestHostile has files that would take much memory or time.
func TestHostile(t *testing.T) {
	library(t)
	rng := rand.New(rand.NewPCG(2, 1))
	s := newSample(t, rng, 30)
	for !s.progressive {
		s = newSample(t, rng, 30)
	}
	frame := bytes.Index(s.data, []byte{0xff, sof2})
	huge := bytes.Clone(s.data)
	copy(huge[frame+5:], []byte{0xff, 0xdc, 0xff, 0xdc}) // 65500×65500
	n := testing.AllocsPerRun(1, func() {
		_, _, err := Decode(huge, Options{Pix: make([]byte, 0), Region: func(w, h int) image.Rectangle { return image.Rect(0, 0, w, h) }})
		require.ErrorIs(t, err, ErrTruncated)
	})
	require.Less(t, n, 100.0)

	scan := bytes.Index(s.data, []byte{0xff, sos})
	end := scan + 2 + bytes.IndexByte(s.data[scan+2:], 0xff)
	var many bytes.Buffer
	many.Write(s.data[:scan])
	for range maxScans + 1 {
		many.Write(s.data[scan:end])
	}
	many.Write([]byte{0xff, eoi})
	_, _, err := Decode(many.Bytes(), Options{})
	require.Error(t, err)
}

// FuzzDecode looks for crashes, for differences between the assembly and the loops, and for parts that
// are not those of the whole.
func FuzzDecode(f *testing.F) {
	if turbojpeg.Library() != "" {
		rng := rand.New(rand.NewPCG(4, 4))
		for range 40 {
			f.Add(newSample(f, rng, 40).data, uint16(rng.Uint32()))
		}
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
