package tiff

import (
	_ "embed"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/torchhub/torchhub/internal/reference"
)

//go:embed testdata/live.py
var script string

// An answer is what Pillow makes of a file.
type answer struct {
	What    string
	Data    []byte
	Mode    string
	Size    []int
	Pixels  []byte
	Palette []int
	Error   string
}

// compare compares a file's first page with Pillow's. It returns what the two disagree on, "" where
// they read the same or refuse both.
func (a answer) compare() (difference string, both bool) {
	got, err := contained(a.Data)
	switch {
	case a.Mode == "" && err != nil:
		return "", false
	case a.Mode == "":
		return "read here alone: " + a.Error, false
	case err != nil:
		return "read by Pillow alone: " + err.Error(), false
	case a.Mode != string(got.Mode):
		return fmt.Sprintf("mode %s; want %s", got.Mode, a.Mode), true
	case a.Size[0] != got.W || a.Size[1] != got.H:
		return fmt.Sprintf("size %d×%d; want %v", got.W, got.H, a.Size), true
	}
	n, first := 0, -1
	for i, v := range a.Pixels {
		if v != got.Pix[i] {
			if n++; first < 0 {
				first = i
			}
		}
	}
	if n > 0 {
		return fmt.Sprintf("%d of %d bytes differ, first [%d]: want %d, got %d", n, len(a.Pixels), first, a.Pixels[first], got.Pix[first]), true
	}
	if a.Palette != nil {
		for i, v := range a.Palette {
			if i < len(got.Palette.Colors) && int(got.Palette.Colors[i]) != v {
				return fmt.Sprintf("palette [%d]: want %d, got %d", i, v, got.Palette.Colors[i]), true
			}
		}
	}
	return "", true
}

// TestLive compares files of every kind with Pillow, whole and damaged. TORCHHUB_TEST_TIFFS sets how many.
func TestLive(t *testing.T) {
	p := reference.Start(t, script)
	n := 600
	if v := os.Getenv("TORCHHUB_TEST_TIFFS"); v != "" {
		n, _ = strconv.Atoi(v)
	}
	for _, damaged := range []bool{false, true} {
		both, refused, overlooked := 0, 0, 0
		var differences []string
		const size = 50
		for first := 0; first < n; first += size {
			var answers []answer
			p.Call(&answers, "batch", first, min(size, n-first), damaged)
			for _, a := range answers {
				d, ok := a.compare()
				// Where the data of YCbCr are damaged, Pillow has what is decoded before and zeros; here it is refused.
				if damaged && strings.Contains(a.What, "photo 6") && strings.Contains(d, "read by Pillow alone") {
					overlooked++
					continue
				}
				if d != "" {
					differences = append(differences, a.What+": "+d)
				}
				if ok {
					both++
				} else if d == "" {
					refused++
				}
			}
		}
		t.Logf("damaged %v: %d read by both, %d refused by both, %d refused here alone since YCbCr is damaged, %d differences", damaged, both, refused, overlooked, len(differences))
		assert.Empty(t, strings.Join(differences, "\n"))
	}
}
