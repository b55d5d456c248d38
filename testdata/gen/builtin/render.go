// Render makes the pictures that the built-in model is trained and judged on:
// letters and digits of the Go fonts under random placement, scale, rotation,
// colors, contrast, blur and noise.
//
//	cd testdata/gen/builtin && go run . FOLDER
//
// It writes train.raw and test.raw, uint8 [N, 40, 40, 3], and as many class
// indices in train.idx and test.idx. The test pictures come from other seeds, and
// half of them from fonts that no training picture shows. It also writes
// models/builtin/picture.png, of such a font too.
package main

import (
	"image"
	"image/color"
	"image/png"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomediumitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/f64"
	"golang.org/x/image/math/fixed"
)

const (
	glyphs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	size   = 40
)

var (
	seen   = [][]byte{goregular.TTF, gobold.TTF, goitalic.TTF, gomono.TTF, gomediumitalic.TTF}
	unseen = [][]byte{gomedium.TTF, gobolditalic.TTF, gomonobold.TTF}
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go run . FOLDER")
	}
	dir := os.Args[1]
	write(filepath.Join(dir, "train"), 36*1000, 1, seen)
	write(filepath.Join(dir, "test"), 36*100, 2, append(append([][]byte{}, seen...), append(unseen, unseen[0], unseen[1])...))

	r := rand.New(rand.NewPCG(3, 0))
	img := picture(r, face(gomedium.TTF, 150), 'G', 320, 240, style{
		back: color.RGBA{38, 70, 83, 255}, fore: color.RGBA{233, 196, 106, 255}, angle: -0.12, x: 0.52, y: 0.5, noise: 4,
	})
	f, err := os.Create("../../../models/builtin/picture.png")
	check(err)
	check((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(f, img))
	check(f.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func face(ttf []byte, height float64) font.Face {
	f, err := opentype.Parse(ttf)
	check(err)
	fc, err := opentype.NewFace(f, &opentype.FaceOptions{Size: height, DPI: 72})
	check(err)
	return fc
}

// write makes n pictures of random style.
func write(name string, n int, seed uint64, fonts [][]byte) {
	r := rand.New(rand.NewPCG(seed, 0))
	var pix, idx []byte
	for i := range n {
		class := i % len(glyphs)
		height := float64(size) * (0.5 + 0.5*r.Float64())
		back, fore := colors(r)
		img := picture(r, face(fonts[r.IntN(len(fonts))], height), rune(glyphs[class]), size, size, style{
			back: back, fore: fore,
			angle: (r.Float64() - 0.5) * 0.7,
			x:     0.5 + (r.Float64()-0.5)*0.25, y: 0.5 + (r.Float64()-0.5)*0.25,
			noise: 40 * r.Float64(), blur: r.IntN(3),
		})
		for j := 0; j < len(img.Pix); j += 4 {
			pix = append(pix, img.Pix[j:j+3]...)
		}
		idx = append(idx, byte(class))
	}
	check(os.WriteFile(name+".raw", pix, 0o644))
	check(os.WriteFile(name+".idx", idx, 0o644))
}

// colors returns two that can be told apart.
func colors(r *rand.Rand) (back, fore color.RGBA) {
	random := func() color.RGBA {
		return color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255}
	}
	light := func(c color.RGBA) float64 { return 0.3*float64(c.R) + 0.6*float64(c.G) + 0.1*float64(c.B) }
	for {
		back, fore = random(), random()
		if math.Abs(light(back)-light(fore)) > 70 {
			return back, fore
		}
	}
}

type style struct {
	back, fore color.RGBA
	angle      float64 // in radians, anticlockwise
	x, y       float64 // of the glyph's middle, in shares of the picture
	noise      float64 // standard deviation, in steps of 255
	blur       int     // passes of a 3×3 box
}

// picture draws a glyph.
func picture(r *rand.Rand, f font.Face, glyph rune, w, h int, s style) *image.RGBA {
	bounds, _, _ := f.GlyphBounds(glyph)
	gw, gh := (bounds.Max.X-bounds.Min.X).Ceil()+4, (bounds.Max.Y-bounds.Min.Y).Ceil()+4
	mask := image.NewAlpha(image.Rect(0, 0, gw, gh))
	d := font.Drawer{Dst: mask, Src: image.Opaque, Face: f, Dot: fixed.Point26_6{X: fixed.I(2) - bounds.Min.X, Y: fixed.I(2) - bounds.Min.Y}}
	d.DrawString(string(glyph))

	layer := image.NewAlpha(image.Rect(0, 0, w, h))
	sin, cos := math.Sincos(-s.angle)
	cx, cy := s.x*float64(w), s.y*float64(h)
	mx, my := float64(gw)/2, float64(gh)/2
	draw.BiLinear.Transform(layer, f64.Aff3{cos, -sin, cx - cos*mx + sin*my, sin, cos, cy - sin*mx - cos*my}, mask, mask.Rect, draw.Src, nil)

	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(s.back), image.Point{}, draw.Src)
	draw.DrawMask(img, img.Rect, image.NewUniform(s.fore), image.Point{}, layer, image.Point{}, draw.Over)
	for range s.blur {
		img = blurred(img)
	}
	for i := range img.Pix {
		if i%4 != 3 {
			img.Pix[i] = uint8(min(max(float64(img.Pix[i])+s.noise*r.NormFloat64(), 0), 255))
		}
	}
	return img
}

func blurred(img *image.RGBA) *image.RGBA {
	out := image.NewRGBA(img.Rect)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		for x := range w {
			for c := range 4 {
				sum := 0
				for dy := -1; dy <= 1; dy++ {
					for dx := -1; dx <= 1; dx++ {
						u, v := min(max(x+dx, 0), w-1), min(max(y+dy, 0), h-1)
						sum += int(img.Pix[img.PixOffset(u, v)+c])
					}
				}
				out.Pix[out.PixOffset(x, y)+c] = uint8(sum / 9)
			}
		}
	}
	return out
}
