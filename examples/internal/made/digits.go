package made

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// MNIST returns a function that writes so many drawn digits for training and testing to
// MNIST/raw in a folder: the files of torchvision.datasets.MNIST.
func MNIST(train, test int) func(dir string) error {
	return func(dir string) error {
		raw := filepath.Join(dir, "MNIST", "raw")
		if err := os.MkdirAll(raw, 0o777); err != nil {
			return err
		}
		for i, part := range []struct {
			prefix string
			n      int
		}{{"train", train}, {"t10k", test}} {
			rng := rand.New(rand.NewPCG(uint64(i), 28))
			images, labels := idx(part.n, 28, 28), idx(part.n)
			for range part.n {
				class := rng.IntN(10)
				labels = append(labels, byte(class))
				images = append(images, Digit(rng, class, 28)...)
			}
			prefix := filepath.Join(raw, part.prefix)
			if err := os.WriteFile(prefix+"-images-idx3-ubyte", images, 0o666); err != nil {
				return err
			}
			if err := os.WriteFile(prefix+"-labels-idx1-ubyte", labels, 0o666); err != nil {
				return err
			}
		}
		return nil
	}
}

// idx returns the header of an idx file of bytes.
func idx(shape ...int) []byte {
	b := []byte{0, 0, 8, byte(len(shape))}
	for _, n := range shape {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// Digit draws a digit from 0 to 9 in white on black, as if by hand: it is never twice at the
// same place, of the same size, slant and thickness. It returns the rows of a square of
// that side.
func Digit(rng *rand.Rand, class, side int) []byte {
	s := float64(side)
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	width, height := between(0.35, 0.5)*s, between(0.6, 0.72)*s
	x0, y0 := (s-width)/2+between(-0.06, 0.06)*s, (s-height)/2+between(-0.06, 0.06)*s
	slant, pen := between(-0.1, 0.3), between(0.035, 0.065)*s
	place := func(p [2]float64) (x, y float64) {
		return x0 + width*(p[0]+slant*(0.5-p[1])), y0 + height*p[1]
	}
	pix := make([]byte, side*side)
	line := strokes[class]
	for y := range side {
		for x := range side {
			nearest := math.Inf(1)
			for i := range len(line) - 1 {
				ax, ay := place(line[i])
				bx, by := place(line[i+1])
				nearest = min(nearest, distance(float64(x)+0.5, float64(y)+0.5, ax, ay, bx, by))
			}
			pix[y*side+x] = byte(255 * max(0, min(1, pen+0.5-nearest)))
		}
	}
	return pix
}

// strokes has the line of each digit, in a square of side 1.
var strokes = [10][][2]float64{
	{{0.5, 0}, {0.1, 0.2}, {0, 0.5}, {0.1, 0.8}, {0.5, 1}, {0.9, 0.8}, {1, 0.5}, {0.9, 0.2}, {0.5, 0}},
	{{0.2, 0.2}, {0.6, 0}, {0.6, 1}},
	{{0, 0.2}, {0.4, 0}, {0.9, 0.1}, {0.9, 0.4}, {0, 1}, {1, 1}},
	{{0, 0.1}, {0.6, 0}, {0.95, 0.2}, {0.8, 0.45}, {0.4, 0.5}, {0.8, 0.55}, {1, 0.8}, {0.6, 1}, {0, 0.9}},
	{{0.7, 1}, {0.7, 0}, {0, 0.7}, {1, 0.7}},
	{{0.95, 0}, {0.1, 0}, {0.1, 0.45}, {0.7, 0.4}, {1, 0.7}, {0.7, 1}, {0, 0.9}},
	{{0.8, 0}, {0.2, 0.4}, {0, 0.75}, {0.4, 1}, {0.9, 0.9}, {0.9, 0.6}, {0.5, 0.5}, {0.05, 0.7}},
	{{0, 0}, {1, 0}, {0.4, 1}},
	{{0.5, 0.45}, {0.1, 0.2}, {0.5, 0}, {0.9, 0.2}, {0.5, 0.45}, {0, 0.75}, {0.5, 1}, {1, 0.75}, {0.5, 0.45}},
	{{0.95, 0.3}, {0.5, 0.5}, {0.1, 0.3}, {0.4, 0}, {0.9, 0.1}, {0.95, 0.3}, {0.8, 1}},
}

// distance returns that of a point to the line from a to b.
func distance(x, y, ax, ay, bx, by float64) float64 {
	dx, dy := bx-ax, by-ay
	t := max(0, min(1, ((x-ax)*dx+(y-ay)*dy)/(dx*dx+dy*dy)))
	return math.Hypot(x-ax-t*dx, y-ay-t*dy)
}
