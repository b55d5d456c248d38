package transforms

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

//go:generate $TORCHHUB_REFERENCE ../testdata/gen/transforms.py

// lcg returns the picture of testdata/gen/transforms.py.
func lcg(w, h int) *RGB {
	p := pillow.NewRGB(w, h)
	x := uint32(1)
	for i := range p.Pix {
		x = x*1664525 + 1013904223
		p.Pix[i] = uint8(x >> 24)
	}
	return p
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func TestGoldens(t *testing.T) {
	text, err := os.ReadFile("../testdata/transforms.json")
	require.NoError(t, err)
	var goldens struct {
		Resized []struct {
			From, To [2]int
			How      Interpolation
			SHA256   string
		}
		Prepared []struct {
			From         [2]int
			Resize, Crop int
			How          Interpolation
			SHA256       string
		}
	}
	require.NoError(t, json.Unmarshal(text, &goldens))
	require.NotEmpty(t, goldens.Resized)
	require.NotEmpty(t, goldens.Prepared)
	for _, g := range goldens.Resized {
		p := pillow.Resample(lcg(g.From[0], g.From[1]), g.To[0], g.To[1], g.How, whole(g.To[0], g.To[1]))
		require.Equal(t, g.SHA256, digest(p.Pix), "%v", g)
	}
	for _, g := range goldens.Prepared {
		p := (&resizeCrop{Resize(g.Resize, ResizeOptions{Interpolation: g.How}).(*resize), CenterCrop(g.Crop).(*centerCrop)}).
			Transform(Value{Image: lcg(g.From[0], g.From[1])}).Image.(*RGB)
		l := newToNormalized(toTensor{}, Normalize(mean, std).(*normalize)).levels
		var b bytes.Buffer
		require.NoError(t, binary.Write(&b, binary.LittleEndian, l.planes(p)))
		require.Equal(t, g.SHA256, digest(b.Bytes()), "%v", g)
	}
}
