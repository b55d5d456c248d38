package transforms

import (
	"encoding/json"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// What the presets of torchvision's published weights are, each once.
const presetsScript = judge + `
import functools, json
from torchvision import models

@functools.cache
def published():
    out = {}
    for name in models.list_models():
        for w in models.get_model_weights(name):
            t = w.transforms()
            d = {k: getattr(t, k, None) for k in ("crop_size", "resize_size", "mean", "std")}
            d["interpolation"] = t.interpolation.value if hasattr(t, "interpolation") else ""
            d["antialias"] = getattr(t, "antialias", True)
            d["kind"] = type(t).__name__
            out.setdefault(json.dumps(d, sort_keys=True), (t, []))[1].append(str(w))
    return [(json.loads(k), *v) for k, v in out.items()]

def presets():
    return [(d, names) for d, _, names in published()]

def digest(y):
    if isinstance(y, tuple):
        return {"parts": [digest(p) for p in y]}
    return {"shape": list(y.shape), "dtype": str(y.dtype)[6:], "next": zlib.crc32(y.contiguous().numpy().tobytes())}

kept = {}

def keep(name, cases):
    kept[name] = [eval(c["expr"] or "x", globals(), {"x": load(c)}) for c in cases]

def preset(i, name, which):
    d, t, _ = published()[i]
    out = []
    for k in which:
        x = kept[name][k]
        try:
            out.append(digest(t(x, x) if d["kind"] == "OpticalFlow" else t(x)))
        except Exception as e:
            out.append({"error": f"{type(e).__name__}: {e}"[:300]})
    return out
`

// A published is a preset as Python tells it.
type published struct {
	Kind          string
	Crop          []int `json:"crop_size"`
	Resize        []int `json:"resize_size"`
	Mean, Std     []float64
	Interpolation Interpolation
	Antialias     bool
}

// digestOf is what Python's digest returns.
func digestOf(v Value) verdict {
	if v.Parts != nil {
		var d verdict
		for _, p := range v.Parts {
			d.Parts = append(d.Parts, digestOf(p))
		}
		return d
	}
	return verdict{Shape: v.Tensor.Shape(), DType: v.Tensor.DType().String(), Next: int(crc32.ChecksumIEEE(pix(v)))}
}

func (p published) make() Transform {
	switch p.Kind {
	case "ImageClassification":
		return Classification(p.Resize[0], p.Crop[0], p.Interpolation, p.Mean, p.Std)
	case "ObjectDetection":
		return ObjectDetection()
	case "SemanticSegmentation":
		size := 0
		if p.Resize != nil {
			size = p.Resize[0]
		}
		return SemanticSegmentation(size, p.Interpolation, p.Mean, p.Std)
	case "VideoClassification":
		return VideoClassification(p.Resize, p.Crop, p.Interpolation, p.Mean, p.Std)
	case "OpticalFlow":
		return OpticalFlow()
	}
	panic("no preset is called " + p.Kind)
}

// TestPresetsLive compares the presets of all of torchvision's published weights on
// 50 pictures of mixed modes, as they are and converted to RGB, and on tensors.
// Without TORCHHUB_TEST_LARGE a preset gets a third of the pictures, and its neighbor the next third.
func TestPresetsLive(t *testing.T) {
	p := reference.Start(t, presetsScript)
	var rows [][2]json.RawMessage
	p.Call(&rows, "presets")
	require.NotEmpty(t, rows)
	g := &gen{Rand: rand.New(rand.NewPCG(4, 4))}
	inputs := map[string][]*input{}
	for k := range 50 {
		in := g.picture(modes[k%len(modes)], g.int(40, 300), g.int(40, 300))
		switch {
		case k%5 == 4:
			in = &input{DType: pick(g, "uint8", "uint8", "float32"), Shape: []int{3, g.int(40, 300), g.int(40, 300)}}
			if k%2 == 0 {
				in.Shape = append([]int{2}, in.Shape...)
			}
			g.fill(in)
		case k%7 == 6:
			in = g.picture(modes[k%len(modes)], g.int(90, 150), g.int(12, 30))
		}
		if k%3 != 0 && in.Mode != "" && in.Mode != "La" { // Pillow does not convert La
			in.Expr = `x.convert("RGB")`
		}
		inputs["pictures"] = append(inputs["pictures"], in)
	}
	for k := range 6 {
		in := &input{DType: pick(g, "uint8", "float32"), Shape: []int{g.int(1, 3), 3, g.int(100, 140), g.int(90, 200)}}
		if k%2 == 0 {
			in.Shape = append([]int{2}, in.Shape...)
		}
		g.fill(in)
		inputs["videos"] = append(inputs["videos"], in)
	}
	values := map[string][]Value{}
	for name, ins := range inputs {
		p.Call(nil, "keep", name, ins)
		for _, in := range ins {
			v := in.value()
			if in.Expr != "" {
				rgb, err := v.Image.(*Picture).Convert("RGB")
				require.NoError(t, err)
				v.Image = rgb
			}
			values[name] = append(values[name], v)
		}
	}
	kinds, weights := map[string]int{}, 0
	large := os.Getenv("TORCHHUB_TEST_LARGE") != ""
	for i, row := range rows {
		var preset published
		var names []string
		require.NoError(t, json.Unmarshal(row[0], &preset))
		require.NoError(t, json.Unmarshal(row[1], &names))
		require.True(t, preset.Antialias)
		weights += len(names)
		kinds[preset.Kind]++
		t.Run(names[0], func(t *testing.T) {
			name := "pictures"
			if preset.Kind == "VideoClassification" {
				name = "videos"
			}
			var which []int
			for k := range values[name] {
				if name == "videos" || large || (k/3+i)%3 == 0 {
					which = append(which, k)
				}
			}
			var want []verdict
			p.Call(&want, "preset", i, name, which)
			transform := preset.make()
			taken := 0
			for k, number := range which {
				v, in := values[name][number], inputs[name][number]
				if preset.Kind == "OpticalFlow" {
					v = Value{Parts: []Value{v, v}}
				}
				var out Value
				err := torch.Try(func() { out = transform.Transform(v) })
				if want[k].Error != "" {
					require.Error(t, err, "%s %v: %s", in.Mode, in.Shape, want[k].Error)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, want[k], digestOf(out), "%s %d×%d %v", in.Mode, in.W, in.H, in.Shape)
				taken++
			}
			require.GreaterOrEqual(t, 2*taken, len(want))
		})
	}
	require.Len(t, kinds, 5)
	t.Logf("%d weights have %d different presets: %v", weights, len(rows), kinds)
}
