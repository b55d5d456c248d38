package jpeg

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/torchhub/torchhub/internal/turbojpeg"
)

func TestZZ(t *testing.T) {
	turbojpeg.Library()
	for _, f := range []string{"/tmp/photo.jpg", "/work/shared/data/dog.jpg"} {
		d, _ := os.ReadFile(f)
		h, _ := turbojpeg.ReadHeader(d)
		want, err := turbojpeg.Decode(d, h, 1, nil)
		got, _, err2 := Decode(d, Options{})
		fmt.Println(f, err, err2, bytes.Equal(want, got))
		best, tb := time.Hour, time.Hour
		for range 30 {
			s := time.Now()
			Decode(d, Options{Pix: got})
			best = min(best, time.Since(s))
			s = time.Now()
			turbojpeg.Decode(d, h, 1, want)
			tb = min(tb, time.Since(s))
		}
		fmt.Println(best, tb)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	bad := 0
	for i := range 2000 {
		w, h := 1+rng.IntN(80), 1+rng.IntN(80)
		ch := 1 + 2*rng.IntN(2)
		pix := make([]byte, ch*w*h)
		for j := range pix {
			switch i % 3 {
			case 0:
				pix[j] = byte(rng.Uint32())
			case 1:
				pix[j] = byte(j / 7)
			case 2:
				pix[j] = byte(rng.IntN(2) * 255)
			}
		}
		sub := turbojpeg.Subsampling([]int{0, 1, 2, 4, 5}[rng.IntN(5)])
		prog := rng.IntN(2) == 0
		q := 1 + rng.IntN(100)
		d, err := turbojpeg.Encode(pix, w, h, ch, q, sub, prog)
		if err != nil {
			t.Fatal(err)
		}
		hd, _ := turbojpeg.ReadHeader(d)
		want, err := turbojpeg.Decode(d, hd, 1, nil)
		got, _, err2 := Decode(d, Options{})
		if err != nil || err2 != nil || !bytes.Equal(want, got) {
			bad++
			if bad < 10 {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				fmt.Println(w, h, ch, sub, prog, q, err, err2, "at", at, at/ch%w, at/ch/w)
			}
		}
	}
	fmt.Println("bad", bad)
}
