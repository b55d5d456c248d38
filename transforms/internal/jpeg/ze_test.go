package jpeg

import (
	"bytes"
	"fmt"
	"github.com/torchhub/torchhub/internal/turbojpeg"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func TestZE(t *testing.T) {
	library(t)
	rng := rand.New(rand.NewPCG(3, 3))
	bad := map[string]int{}
	for range 3000 {
		w, h := 1+rng.IntN(70), 1+rng.IntN(70)
		ch := 1 + 2*rng.IntN(2)
		pix := make([]byte, ch*w*h)
		kind := rng.IntN(3)
		for i := range pix {
			pix[i] = []byte{byte(rng.Uint32()), byte(i / 7), byte(rng.IntN(2) * 255)}[kind]
		}
		q := 1 + rng.IntN(100)
		prog := rng.IntN(2) == 0
		sub := rng.IntN(3)
		want, err := turbojpeg.Encode(pix, w, h, ch, q, []turbojpeg.Subsampling{turbojpeg.S420, turbojpeg.S422, turbojpeg.S444}[sub], prog)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Encode(pix, w, h, ch, EncodeOptions{q, Subsampling(sub), prog})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			k := fmt.Sprint(ch, sub, prog)
			bad[k]++
			if bad[k] == 1 {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				fmt.Println(k, w, h, q, kind, "at", at, len(got), len(want))
			}
		}
	}
	fmt.Println(bad)
	for _, f := range []string{"/tmp/photo.jpg", "/work/shared/data/dog.jpg"} {
		d, _ := os.ReadFile(f)
		p, h, _ := Decode(d, Options{})
		for _, prog := range []bool{false, true} {
			s := time.Now()
			a, _ := turbojpeg.Encode(p, h.W, h.H, 3, 75, turbojpeg.S420, prog)
			t1 := time.Since(s)
			s = time.Now()
			b, _ := Encode(p, h.W, h.H, 3, EncodeOptions{75, S420, prog})
			fmt.Println(prog, bytes.Equal(a, b), t1, time.Since(s))
		}
	}
}
func BenchmarkE(b *testing.B) {
	d, _ := os.ReadFile("/tmp/photo.jpg")
	p, h, _ := Decode(d, Options{})
	for b.Loop() {
		Encode(p, h.W, h.H, 3, EncodeOptions{75, S420, false})
	}
}
func BenchmarkP(b *testing.B) {
	d, _ := os.ReadFile("/tmp/photo.jpg")
	p, h, _ := Decode(d, Options{})
	for b.Loop() {
		Encode(p, h.W, h.H, 3, EncodeOptions{75, S420, true})
	}
}
