package tiff

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
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
				// Of damaged Zstandard, the module here notices more than libzstd does.
				if damaged && (strings.Contains(a.What, "photo 6") || strings.Contains(a.What, "compression 50000")) && strings.Contains(d, "read by Pillow alone") {
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
		t.Logf("damaged %v: %d read by both, %d refused by both, %d refused here alone, %d differences", damaged, both, refused, overlooked, len(differences))
		assert.Empty(t, strings.Join(differences, "\n"))
	}
}

// TestLiveOldJPEG compares files of the old JPEG compression, whose tables and strips are in various places.
func TestLiveOldJPEG(t *testing.T) {
	p := reference.Start(t, script)
	var answers []answer
	p.Call(&answers, "batch_old", 0, 100)
	both := 0
	for _, a := range answers {
		d, ok := a.compare()
		assert.Empty(t, d, a.What)
		if ok {
			both++
		}
	}
	assert.Greater(t, both, 80)
}

// TestLivePages compares all pages of files with Pillow: of several modes and sizes, with loops, and cut.
func TestLivePages(t *testing.T) {
	p := reference.Start(t, script)
	for seed := range 40 {
		var data []byte
		p.Call(&data, "make_pages", seed)
		var want struct {
			Pages []answer
			Error string
		}
		p.Call(&want, "read_pages", data)
		f, err := Open(data)
		for i := 0; err == nil; i++ {
			var page *Page
			if page, err = f.Next(); err == io.EOF {
				assert.Len(t, want.Pages, i, seed)
				assert.Empty(t, want.Error, seed)
				break
			}
			if err == nil {
				var img *pillow.Image
				if img, err = page.Decode(1 << 24); err == nil {
					if !assert.Less(t, i, len(want.Pages), "%d: %s", seed, want.Error) {
						return
					}
					assert.Equal(t, want.Pages[i].Mode, string(img.Mode))
					assert.Equal(t, want.Pages[i].Pixels, img.Pix, "page %d of %d", i, seed)
				}
			}
			if err != nil {
				assert.NotEmpty(t, want.Error, "%d: %v", seed, err)
				assert.Len(t, want.Pages, i, seed)
			}
		}
	}
}
