package v2_test

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	"github.com/torchhub/torchhub/transforms/v2"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew, with the live Python's numbers")

const golden = "testdata/golden.txt"

// places is how many numbers are stored of a value that is not exact.
const places = 4

// exact names the rows that copy numbers or compute each of them by one correctly
// rounded operation: the result is the same on every processor, and a digest of it is stored.
var exact = setOf("RandomHorizontalFlip RandomVerticalFlip RandomInvert RandomPosterize RandomSolarize Identity Lambda CenterCrop FiveCrop TenCrop Pad RandomCrop " +
	"RandomChannelPermutation RGB ToImage ToPureTensor PILToTensor ToTensor ToPILImage ToDtype ConvertImageDtype UniformTemporalSubsample " +
	"ClampKeyPoints SetClampingMode JPEG Compose RandomApply RandomChoice RandomOrder Transform " +
	"horizontal_flip vertical_flip pad crop center_crop five_crop ten_crop grayscale_to_rgb posterize solarize invert permute_channels to_dtype erase " +
	"uniform_temporal_subsample jpeg to_image get_dimensions get_num_channels get_size get_num_frames")

// exactPictures names more rows that compute pictures in Go alone. The other random ones draw
// numbers from libtorch whose last bit the processor decides, or go through its operators.
var exactPictures = setOf("RandomGrayscale RandomAutocontrast RandomEqualize RandomAdjustSharpness Grayscale Resize resize resized_crop affine rotate rgb_to_grayscale " +
	"adjust_brightness adjust_contrast adjust_saturation adjust_sharpness adjust_hue adjust_gamma autocontrast equalize")

// sampled names the rows that read an image at computed points. A point on the border of two
// pixels may fall to either of them, so that one number of a value may be another.
var sampled = setOf("RandomRotation RandomAffine RandomPerspective ElasticTransform AutoAugment RandAugment TrivialAugmentWide AugMix affine rotate perspective elastic")

func setOf(names string) map[string]bool {
	out := map[string]bool{}
	for _, n := range strings.Fields(names) {
		out[n] = true
	}
	return out
}

// marks returns what is stored of a row's results: for each "refused", "=" and a digest of
// all there is to it, or "~", a digest of all but its numbers, and a few of these.
func marks(row string, values []packed) (out []string) {
	for _, p := range flat(values) {
		if p.Error != "" {
			out = append(out, "refused")
		} else {
			out = append(out, mark(row, p))
		}
	}
	return out
}

func mark(row string, p packed) string {
	h := sha256.New()
	fmt.Fprintln(h, p.Kind, p.DType, p.Format, p.Clamping, p.Mode, p.Canvas)
	var values []float64
	if p.Array != nil {
		fmt.Fprintln(h, p.Array.Shape)
		values = numbers(*p.Array)
	}
	digested := exact[row]
	switch p.Kind {
	case tv.BoxesKind.String(), tv.KeyPointsKind.String():
		digested = false
	case tv.Picture.String():
		digested = exact[row] || exactPictures[row]
	}
	if digested {
		for _, v := range values {
			fmt.Fprint(h, v+0, " ") // without the sign of 0
		}
		return "=" + hex.EncodeToString(h.Sum(nil)[:4])
	}
	out := "~" + hex.EncodeToString(h.Sum(nil)[:4])
	for i := range min(places, len(values)) {
		out += fmt.Sprintf(" %.5g", values[(2*i+1)*len(values)/(2*min(places, len(values)))]+0)
	}
	return out
}

// tolerance returns by how much a number may differ on another processor, as a part of the largest.
// libtorch sums in another order there and fuses other multiplications: a few units in the
// last place of float32, or of the dtype, and 1 more where a number is rounded to a whole one.
func tolerance(dtype string) (part, step float64) {
	switch dtype {
	case "float32", "float64":
		return 1e-4, 0 // the numbers are stored with five digits
	case "float16":
		return 4e-3, 0
	case "bfloat16":
		return 3e-2, 0
	}
	return 1e-4, 1
}

// agree reports whether a value is within its tolerance of what is stored.
func agree(row, dtype, want, got string) bool {
	if want == got || !strings.HasPrefix(want, "~") {
		return want == got
	}
	w, g := strings.Fields(want), strings.Fields(got)
	if len(w) != len(g) || w[0] != g[0] {
		return false
	}
	part, step := tolerance(dtype)
	wrong, most := 0, 1.0
	for _, s := range w[1:] {
		if v, _ := strconv.ParseFloat(s, 64); !math.IsInf(v, 0) && !math.IsNaN(v) {
			most = max(most, math.Abs(v))
		}
	}
	for i := range w {
		if w[i] == g[i] {
			continue
		}
		a, _ := strconv.ParseFloat(w[i], 64)
		b, _ := strconv.ParseFloat(g[i], 64)
		if !(math.Abs(a-b) <= part*most+step) {
			wrong++
		}
	}
	return wrong == 0 || wrong == 1 && sampled[row]
}

// A goldenCase is a row with a seed.
type goldenCase struct {
	row, name    string
	ours, python func() []packed
}

// goldenCases returns what is kept: for each row a few seeds, and how Go and Python compute them.
func goldenCases(p live) (out []goldenCase) {
	const seeds = 3
	for _, r := range classes {
		for seed := 1000; seed < 1000+seeds; seed++ {
			m := r.make(maker{Rand: rand.New(rand.NewPCG(uint64(seed), 5))})
			out = append(out, goldenCase{r.name, fmt.Sprintf("%s %d", r.name, seed-1000), func() []packed {
				var values []any
				if err := seeded(seed, func() { values = v2.Apply(m.t, m.sample) }); err != nil {
					return []packed{{Error: err.Error()}}
				}
				return packAll(values)
			}, func() []packed {
				values, raised := p.transform(m.python, seed, m.sample)
				if raised != "" {
					return []packed{{Error: raised}}
				}
				return values
			}})
		}
	}
	for _, r := range functionals {
		for seed := 1000; seed < 1000+seeds; seed++ {
			random := maker{Rand: rand.New(rand.NewPCG(uint64(seed), 5))}
			python, f := r.make(random)
			sample := random.sample()
			out = append(out, goldenCase{r.name, fmt.Sprintf("%s %d", r.name, seed-1000), func() (values []packed) {
				for _, v := range sample {
					var y any
					if err := seeded(seed, func() { y = f(v) }); err != nil {
						values = append(values, packed{Error: err.Error()})
						continue
					}
					values = append(values, pack(y))
				}
				return values
			}, func() []packed { return p.functional(python, seed, sample) }})
		}
	}
	return out
}

// TestGolden compares with what Python gave, without Python: what is exact to the last
// bit, the rest within a tolerance. The live tests compare all of it to the last bit.
func TestGolden(t *testing.T) {
	if *update {
		var b strings.Builder
		for _, c := range goldenCases(start(t)) {
			fmt.Fprintf(&b, "%s: %s\n", c.name, strings.Join(marks(c.row, c.python()), "; "))
		}
		require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
	}
	data, err := os.ReadFile(golden)
	require.NoError(t, err)
	want := map[string]string{}
	for _, l := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		name, marks, _ := strings.Cut(l, ": ")
		want[name] = marks
	}
	for _, c := range goldenCases(live{}) {
		w, values := strings.Split(want[c.name], "; "), flat(c.ours())
		got := marks(c.row, values)
		require.Len(t, got, len(w), c.name)
		for i := range w {
			if !agree(c.row, values[i].DType, w[i], got[i]) {
				t.Errorf("%s, value %d: Go gives %s, Python gave %s", c.name, i, got[i], w[i])
			}
		}
		delete(want, c.name)
	}
	require.Empty(t, want, "goldens without a row")
}

// flat returns the values with those in the place of which there are several.
func flat(values []packed) (out []packed) {
	for _, p := range values {
		if p.Kind == "several" {
			out = append(out, flat(p.Several)...)
		} else {
			out = append(out, p)
		}
	}
	return out
}
