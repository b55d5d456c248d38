package tiff

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

//go:generate $TORCHHUB_REFERENCE ../../../testdata/gen/tiffs.py

// A golden is a small file, and what Pillow reads in it. It is made by testdata/gen/tiffs.py.
type golden struct {
	What   string
	Data   []byte
	Mode   string // "" is what Pillow refuses
	Size   []int
	SHA256 string // of the pixels
}

//go:embed testdata/golden.json
var goldenFile []byte

func goldens(tb testing.TB) (out []golden) {
	require.NoError(tb, json.Unmarshal(goldenFile, &out))
	require.NotEmpty(tb, out)
	return out
}

func TestGolden(t *testing.T) {
	for _, g := range goldens(t) {
		img, err := contained(g.Data)
		if g.Mode == "" {
			require.Error(t, err, g.What)
			require.NotContains(t, err.Error(), "panic", g.What)
			continue
		}
		require.NoError(t, err, g.What)
		require.Equal(t, g.Mode, string(img.Mode), g.What)
		require.Equal(t, g.Size, []int{img.W, img.H}, g.What)
		sum := sha256.Sum256(img.Pix)
		require.Equal(t, g.SHA256, hex.EncodeToString(sum[:]), g.What)
	}
}

// FuzzPages decodes all pages of a file.
func FuzzPages(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(g.Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !Match(data) {
			return
		}
		const most = 1 << 20
		defer func() { _ = recover() }() // package codec does so; here memory and time are tried
		start := time.Now()
		file, err := Open(data)
		for pixels := 0; err == nil && pixels < 8*most; {
			var p *Page
			if p, err = file.Next(); err != nil {
				break
			}
			if p.W < 1 || p.H < 1 || p.W > most/p.H {
				continue
			}
			pixels += p.W*p.H + 1<<16
			img, err := p.Decode(most)
			if err == nil && (img.W != p.W || img.H != p.H || img.Check() != nil) {
				t.Fatalf("%v, %v for %d×%d", img, img.Check(), p.W, p.H)
			}
		}
		if d := time.Since(start); d > 30*time.Second { // a hang, not a measurement
			t.Fatalf("it took %v", d)
		}
	})
}
