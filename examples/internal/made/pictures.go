package made

import (
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// ImageFolder returns a function that writes so many pictures of digits for training and validation to train and val in
// a folder, where each digit has a folder of JPEGs: what torchvision.datasets.ImageFolder reads.
func ImageFolder(train, val int) func(dir string) error {
	return func(dir string) error {
		for i, part := range []struct {
			name string
			n    int
		}{{"train", train}, {"val", val}} {
			rng := rand.New(rand.NewPCG(uint64(i), 224))
			for j := range part.n {
				digit := j % 10
				path := filepath.Join(dir, part.name, fmt.Sprintf("n%08d", digit), fmt.Sprintf("%s_%04d.JPEG", part.name, j))
				if err := saveJPEG(path, picture(rng, digit, 60+rng.IntN(40), 60+rng.IntN(40))); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// BSDS300 returns a function that writes so many pictures for training and testing to BSDS300/images in a folder, in the
// layout and size of the Berkeley segmentation data set.
func BSDS300(train, test int) func(dir string) error {
	return func(dir string) error {
		for i, part := range []struct {
			name string
			n    int
		}{{"train", train}, {"test", test}} {
			rng := rand.New(rand.NewPCG(uint64(i), 300))
			for j := range part.n {
				w, h := 481, 321
				if j%3 == 0 {
					w, h = h, w
				}
				path := filepath.Join(dir, "BSDS300", "images", part.name, fmt.Sprintf("%d.jpg", 10000*(i+1)+j))
				if err := saveJPEG(path, picture(rng, rng.IntN(10), w, h)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// picture draws a digit in one color on a background that runs from one color to another.
func picture(rng *rand.Rand, class, w, h int) *image.RGBA {
	randomColor := func() color.RGBA {
		return color.RGBA{uint8(rng.IntN(256)), uint8(rng.IntN(256)), uint8(rng.IntN(256)), 255}
	}
	from, to, ink := randomColor(), randomColor(), randomColor()
	mix := func(a, b uint8, t int) uint8 { return uint8((int(a)*(255-t) + int(b)*t) / 255) }
	side := min(w, h)
	digit := Digit(rng, class, side)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			t := 255 * (x + y) / (w + h)
			c := color.RGBA{mix(from.R, to.R, t), mix(from.G, to.G, t), mix(from.B, to.B, t), 255}
			if dx, dy := x-(w-side)/2, y-(h-side)/2; dx >= 0 && dx < side && dy >= 0 && dy < side {
				t := int(digit[dy*side+dx])
				c = color.RGBA{mix(c.R, ink.R, t), mix(c.G, ink.G, t), mix(c.B, ink.B, t), 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// saveJPEG writes a picture, and the folders that it lies in.
func saveJPEG(path string, img image.Image) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := jpeg.Encode(f, img, &jpeg.Options{Quality: 95}); err != nil {
		return err
	}
	return f.Close()
}
