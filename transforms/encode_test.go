package transforms

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// encoder writes pictures as Pillow and torchvision do.
const encoder = `
import io
import numpy as np, torch
from PIL import Image
from torchvision.io import encode_jpeg

def jpeg(a, options):
    b = io.BytesIO()
    (Image.frombytes("CMYK", a.shape[1::-1], a.tobytes()) if a.shape[2:] == (4,) else Image.fromarray(a)).save(b, "JPEG", **options)
    return b.getvalue()

def tensor_jpeg(a, quality):
    a = a if a.ndim == 3 else a[..., None]
    return encode_jpeg(torch.from_numpy(a.copy()).permute(2, 0, 1), quality).numpy().tobytes()

def read(data):
    import base64
    img = Image.open(io.BytesIO(base64.b64decode(data)))
    return {"mode": img.mode, "pixels": np.array(img)}
`

func TestPillowWritesTheSameJPEGs(t *testing.T) {
	p := reference.Start(t, encoder)
	rng := rand.New(rand.NewPCG(5, 1))
	for i := range 90 {
		w, h := side(rng, 300), side(rng, 300)
		o := JPEGOptions{Quality: rng.IntN(101), Subsampling: []string{"", "4:2:0", "4:2:2", "4:4:4"}[rng.IntN(4)], Progressive: rng.IntN(3) == 0}
		kw := map[string]any{"progressive": o.Progressive}
		if o.Quality > 0 {
			kw["quality"] = o.Quality
		}
		if o.Subsampling != "" {
			kw["subsampling"] = o.Subsampling
		}
		var img image.Image
		var a reference.Array
		switch {
		case i%8 == 3:
			m := image.NewCMYK(image.Rect(0, 0, w, h))
			for j := range m.Pix {
				m.Pix[j] = uint8(rng.Uint32())
			}
			img, a = m, reference.NewArray(m.Pix, h, w, 4)
		case i%4 == 0:
			g := image.NewGray(image.Rect(0, 0, w+3, h)).SubImage(image.Rect(1, 0, w+1, h)).(*image.Gray)
			pix := make([]uint8, w*h)
			for j := range pix {
				pix[j] = uint8(rng.Uint32())
				g.SetGray(1+j%w, j/w, color.Gray{pix[j]})
			}
			img, a = g, reference.NewArray(pix, h, w)
		default:
			rgb := noise(rng, w, h)
			if i%4 == 1 { // smooth
				for j := range rgb.Pix {
					rgb.Pix[j] = uint8(j/3%w + j/3/w + j%3*40)
				}
			}
			img, a = rgb, array(rgb)
		}
		var b bytes.Buffer
		require.NoError(t, EncodeJPEG(&b, img, o))
		var want []byte
		p.Call(&want, "jpeg", a, kw)
		require.True(t, bytes.Equal(want, b.Bytes()), "%d×%d %+v: %d bytes, want %d", w, h, o, b.Len(), len(want))
		if i%8 != 3 && !o.Progressive && (o.Subsampling == "" || o.Subsampling == "4:2:0" && i%4 > 0) && o.Quality > 0 {
			p.Call(&want, "tensor_jpeg", a, o.Quality)
			require.True(t, bytes.Equal(want, b.Bytes()), "torchvision: %d×%d %+v", w, h, o)
		}
	}
}

// TestEncodeJPEG compares with what Pillow wrote.
func TestEncodeJPEG(t *testing.T) {
	img, err := Open("../testdata/pictures/photo.png")
	require.NoError(t, err)
	gray, err := Open("../testdata/pictures/gray.png", WithMode())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		img image.Image
		o   JPEGOptions
	}{
		"photo":       {img, JPEGOptions{}},
		"444":         {img, JPEGOptions{Subsampling: "4:4:4"}},
		"422":         {img, JPEGOptions{Subsampling: "4:2:2"}},
		"progressive": {img, JPEGOptions{Progressive: true}},
		"gray":        {gray, JPEGOptions{}},
	} {
		want, err := os.ReadFile("../testdata/pictures/" + name + ".jpg")
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, EncodeJPEG(&b, c.img, c.o))
		require.True(t, bytes.Equal(want, b.Bytes()), name)
	}
}

func TestPillowReadsOurPNGs(t *testing.T) {
	p := reference.Start(t, encoder)
	rng := rand.New(rand.NewPCG(5, 2))
	rgb := noise(rng, 17, 9)
	nrgba := image.NewNRGBA(image.Rect(0, 0, 4, 3))
	gray16 := image.NewGray16(image.Rect(0, 0, 4, 3))
	for i := range nrgba.Pix {
		nrgba.Pix[i] = uint8(rng.Uint32())
	}
	for i := range gray16.Pix {
		gray16.Pix[i] = uint8(rng.Uint32())
	}
	for mode, c := range map[string]struct {
		img image.Image
		pix []uint8
	}{"RGB": {rgb, rgb.Pix}, "RGBA": {nrgba, nrgba.Pix}, "I;16": {gray16, nil}, "L": {&image.Gray{Pix: rgb.Pix, Stride: 51, Rect: image.Rect(0, 0, 51, 9)}, rgb.Pix}} {
		var b bytes.Buffer
		require.NoError(t, EncodePNG(&b, c.img))
		var got struct {
			Mode   string
			Pixels reference.Array
		}
		p.Call(&got, "read", base64.StdEncoding.EncodeToString(b.Bytes()))
		require.Equal(t, mode, got.Mode)
		if c.pix != nil {
			require.Equal(t, c.pix, got.Pixels.Data, mode)
			continue
		}
		for i, v := range reference.Data[uint16](got.Pixels) {
			require.Equal(t, gray16.Gray16At(i%4, i/4).Y, v)
		}
	}
}

// TestPicturesOfAllModes writes what WithMode opens.
func TestPicturesOfAllModes(t *testing.T) {
	files, err := filepath.Glob("../testdata/pictures/*.*")
	require.NoError(t, err)
	for _, file := range files {
		if filepath.Ext(file) == ".txt" {
			continue
		}
		img, err := Open(file, WithMode())
		require.NoError(t, err, file)
		want := ToRGB(img).Pix
		var b bytes.Buffer
		require.NoError(t, EncodeJPEG(&b, img), file)
		_, err = Decode(&b)
		require.NoError(t, err, file)
		if _, ok := img.(*image.CMYK); ok {
			continue // a PNG cannot be
		}
		if p, ok := img.(*pillow.Image); ok && (p.Mode == pillow.ModeF || p.Mode == pillow.ModeI) {
			continue // nor can it hold floats or 32 bits
		}
		b.Reset()
		require.NoError(t, EncodePNG(&b, img), file)
		back, err := Decode(&b)
		require.NoError(t, err, file)
		require.Equal(t, want, back.(*RGB).Pix, file)
	}
	require.ErrorContains(t, EncodePNG(&bytes.Buffer{}, pillow.New(pillow.ModeF, 2, 2)), "no mode F")
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	img := noise(rand.New(rand.NewPCG(5, 3)), 8, 8)
	for _, name := range []string{"a.png", "b.PNG", "c.jpg", "d.JPEG"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("what was there"), 0o644))
		require.NoError(t, Save(path, img))
		back, err := Open(path)
		require.NoError(t, err)
		require.Equal(t, img.Bounds(), back.Bounds())
		if name[0] < 'c' {
			require.Equal(t, img.Pix, back.(*RGB).Pix)
		}
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 4, "nothing is left behind")
	for _, c := range []struct {
		path, want string
		img        image.Image
		o          JPEGOptions
	}{
		{"e.gif", `the extension is ".gif"`, img, JPEGOptions{}},
		{"none/e.png", "no such file", img, JPEGOptions{}},
		{"e.jpg", "the quality is 101", img, JPEGOptions{Quality: 101}},
		{"e.jpg", `the subsampling is "4:1:1"`, img, JPEGOptions{Subsampling: "4:1:1"}},
		{"e.jpg", "no pixels (0×3)", image.NewGray(image.Rect(0, 0, 0, 3)), JPEGOptions{}},
		{"e.png", "no pixels (0×3)", image.NewGray(image.Rect(0, 0, 0, 3)), JPEGOptions{}},
		{"e.jpg", "65501×1 pixels", pillow.NewRGB(65501, 1), JPEGOptions{}},
		{"e.jpg", "holds 3 bytes; want 12", &RGB{Pix: make([]uint8, 3), W: 2, H: 2}, JPEGOptions{}},
		{"e.png", "holds 3 bytes; want 12", &RGB{Pix: make([]uint8, 3), W: 2, H: 2}, JPEGOptions{}},
	} {
		err := Save(filepath.Join(dir, c.path), c.img, c.o)
		require.ErrorContains(t, err, c.want)
		require.NoFileExists(t, filepath.Join(dir, c.path))
	}
}
