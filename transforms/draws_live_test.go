package transforms

import (
	"hash/crc32"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

// draws lists each random transform once, on a small value.
var draws = []struct {
	python string
	make   func() Transform
}{
	{"T.RandomApply([T.RandomVerticalFlip(), T.RandomInvert()], p=0.3)", func() Transform {
		return RandomApply([]Transform{RandomVerticalFlip(), RandomInvert()}, 0.3)
	}},
	{"T.RandomChoice([T.CenterCrop(8), T.RandomCrop(7), T.RandomInvert()])", func() Transform {
		return RandomChoice([]Transform{CenterCrop(8), RandomCrop(7), RandomInvert()})
	}},
	{"T.RandomOrder([T.Resize((9, 14)), T.RandomCrop(8), T.RandomAdjustSharpness(2), T.Pad(1)])", func() Transform {
		return RandomOrder(ResizeTo(9, 14), RandomCrop(8), RandomAdjustSharpness(2), Pad(1))
	}},
	{"T.RandomCrop(5)", func() Transform { return RandomCrop(5) }},
	{"T.RandomHorizontalFlip()", func() Transform { return RandomHorizontalFlip() }},
	{"T.RandomVerticalFlip()", func() Transform { return RandomVerticalFlip() }},
	{"T.RandomResizedCrop(6)", func() Transform { return RandomResizedCrop(6) }},
	{"T.ColorJitter(0.4, 0.3, 0.2, 0.1)", func() Transform {
		return ColorJitter(ColorJitterOptions{Brightness: 0.4, Contrast: 0.3, Saturation: 0.2, Hue: 0.1})
	}},
	{"T.RandomRotation(180)", func() Transform { return RandomRotation(180) }},
	{"T.RandomAffine(90, (0.3, 0.2), (0.5, 2), 20, T.InterpolationMode.BILINEAR)", func() Transform {
		return RandomAffine(90, RandomAffineOptions{Translate: []float64{0.3, 0.2}, Scale: []float64{0.5, 2}, Shear: 20, Interpolation: Bilinear})
	}},
	{"T.RandomGrayscale(0.3)", func() Transform { return RandomGrayscale(0.3) }},
	{"T.RandomPerspective()", func() Transform { return RandomPerspective() }},
	{"T.RandomErasing(value='random')", func() Transform { return RandomErasing(RandomErasingOptions{Random: true}) }},
	{"T.GaussianBlur(5)", func() Transform { return GaussianBlur(5) }},
	{"T.RandomInvert()", func() Transform { return RandomInvert() }},
	{"T.RandomPosterize(2)", func() Transform { return RandomPosterize(2) }},
	{"T.RandomSolarize(100)", func() Transform { return RandomSolarize(100) }},
	{"T.RandomAdjustSharpness(3)", func() Transform { return RandomAdjustSharpness(3) }},
	{"T.RandomAutocontrast()", func() Transform { return RandomAutocontrast() }},
	{"T.RandomEqualize()", func() Transform { return RandomEqualize() }},
	{"T.ElasticTransform(20.0, 0.5)", func() Transform { return ElasticTransform(ElasticTransformOptions{Alpha: 20.0, Sigma: 0.5}) }},
	{"T.AutoAugment()", func() Transform { return AutoAugment() }},
	{"T.AutoAugment(T.AutoAugmentPolicy.CIFAR10)", func() Transform { return AutoAugment(AutoAugmentOptions{Policy: CIFAR10}) }},
	{"T.AutoAugment(T.AutoAugmentPolicy.SVHN)", func() Transform { return AutoAugment(AutoAugmentOptions{Policy: SVHN}) }},
	{"T.RandAugment()", func() Transform { return RandAugment() }},
	{"T.TrivialAugmentWide()", func() Transform { return TrivialAugmentWide() }},
	{"T.AugMix()", func() Transform { return AugMix() }},
}

// TestDraws compares 250 results of each random transform after one seed, or 1,000 with TORCHHUB_TEST_LARGE.
func TestDraws(t *testing.T) {
	p := reference.Start(t, judge)
	g := &gen{Rand: rand.New(rand.NewPCG(3, 3))}
	picture := &input{Mode: "RGB", W: 23, H: 19}
	for range 3 * picture.W * picture.H {
		picture.Data = append(picture.Data, uint8(g.IntN(200)))
	}
	tensor := &input{DType: "float32", Shape: []int{3, 9, 8}}
	g.fill(tensor)
	n := 250
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		n = 1000
	}
	for i, d := range draws {
		name, _, _ := strings.Cut(d.python, "(")
		t.Run(strings.TrimPrefix(name, "T."), func(t *testing.T) {
			in := *picture
			if strings.Contains(d.python, "Erasing") {
				in = *tensor
			}
			in.Made, in.Seed = d.python, int64(7_000_000_000*(i-9))
			var want []uint32
			p.Call(&want, "digests", in, n)
			v := in.value()
			torch.ManualSeed(in.Seed)
			pyrandom.Seed(in.Seed)
			own := v // the same numbers come from generators of its own
			own.Generator, own.Random = torch.NewGenerator(torch.CPU).ManualSeed(in.Seed), pyrandom.New(in.Seed)
			transform := d.make()
			different := map[uint32]bool{}
			for k := range n {
				got := crc32.ChecksumIEEE(pix(transform.Transform(v)))
				require.Equal(t, want[k], got, "draw %d", k)
				different[got] = true
				if k < 20 {
					require.Equal(t, want[k], crc32.ChecksumIEEE(pix(transform.Transform(own))), "draw %d of its own generators", k)
				}
			}
			require.Greater(t, len(different), 1)
		})
	}
}

// TestAllAreDrawn fails where a random transform is missing above.
func TestAllAreDrawn(t *testing.T) {
	all := ""
	for _, d := range draws {
		all += d.python
	}
	for _, r := range classes {
		if strings.HasPrefix(r.name, "Random") || strings.HasSuffix(r.name, "Augment") {
			require.Contains(t, all, "T."+r.name+"(")
		}
	}
}

// TestWorkers compares the base seed and the generators of a DataLoader's workers.
func TestWorkers(t *testing.T) {
	p := reference.Start(t, `
import random, torch
from torch.utils.data import DataLoader, Dataset

class Draws(Dataset):
    def __len__(self): return 6
    def __getitem__(self, i):
        return str(torch.initial_seed()) + " " + repr(torch.rand(1).item()) + " " + repr(random.random())

def epoch(seed):
    torch.manual_seed(seed)
    first = [d[0] for d in DataLoader(Draws(), num_workers=3)]
    return first, [d[0] for d in DataLoader(Draws(), num_workers=3, generator=torch.Generator().manual_seed(seed + 1))]
`)
	const seed = 99
	var want [][]string
	p.Call(&want, "epoch", seed)
	torch.ManualSeed(seed)
	for i, g := range []*torch.Generator{nil, torch.NewGenerator(torch.CPU).ManualSeed(seed + 1)} {
		base := data.BaseSeed(g)
		var workers [3]Value
		for w := range workers {
			workers[w].Generator, workers[w].Random = data.WorkerGenerators(base, w)
		}
		for k, text := range want[i] {
			w := workers[k%3]
			got := joined([]float64{uniforms(w, 1).Item(), w.Random.Float64()}, float)
			_, text, _ = strings.Cut(text, " ")
			require.Equal(t, strings.Replace(text, " ", ", ", 1), got, "loader %d, item %d", i, k)
		}
	}
}
