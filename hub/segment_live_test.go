package hub

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/transforms"
)

// TestSegmentLive loads models from files as they are published, the auxiliary classifier included, and compares what
// they make of pictures with torchvision.
func TestSegmentLive(t *testing.T) {
	p := reference.Start(t, `
import torch, numpy
from PIL import Image
from torchvision import models
torch.set_num_threads(1)
kept = {}

def save(name, file):
    torch.manual_seed(0)
    weights = models.get_model_weights(name).DEFAULT
    m = models.get_model(name, weights_backbone=None, **({} if name.startswith("lraspp") else {"aux_loss": True}))
    for k, v in m.state_dict().items():
        if k.endswith("running_mean"):
            v.normal_(0, 0.1)
        elif k.endswith("running_var"):
            v.uniform_(0.5, 1.5)
    torch.save(m.state_dict(), file)
    kept[name] = m.eval(), weights

def picture(file):
    numpy.random.seed(0)
    Image.fromarray(numpy.random.randint(0, 256, (6, 8, 3), dtype=numpy.uint8)).resize((150, 100)).save(file)

def segment(name, file):
    m, weights = kept[name]
    with torch.no_grad():
        y = m(weights.transforms()(Image.open(file).convert("RGB")).unsqueeze(0))["out"]
    return y.softmax(1)[0]
`)
	home := hubHome(t)
	require.NoError(t, os.MkdirAll(filepath.Join(home, "checkpoints"), 0o777))
	file := filepath.Join(t.TempDir(), "picture.png")
	p.Call(nil, "picture", file)
	img, err := transforms.Open(file)
	require.NoError(t, err)
	names := []string{"deeplabv3_mobilenet_v3_large"}
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		names = append(names, "lraspp_mobilenet_v3_large", "fcn_resnet50")
	}
	for _, name := range names {
		weights, err := models.WeightsOf(name)
		require.NoError(t, err)
		p.Call(nil, "save", name, filepath.Join(home, "checkpoints", filepath.Base(weights[0].URL)))
		m, err := Load(t.Context(), models.Vision, name)
		require.NoError(t, err)
		s, err := m.Segment(t.Context(), img)
		require.NoError(t, err)
		var want reference.Array
		p.Call(&want, "segment", name, file)
		require.Equal(t, []int{21, s.Height, s.Width}, want.Shape)
		require.Equal(t, 520, s.Height)
		probabilities, pixels := reference.Data[float32](want), s.Width*s.Height
		for i, class := range s.Classes {
			got := probabilities[class*pixels+i]
			best := got
			for c := range 21 {
				best = max(best, probabilities[c*pixels+i])
			}
			// Python may find another class of almost the same probability.
			if math.Abs(float64(s.Scores[i]-best)) > 1e-4 || best-got > 1e-4 {
				require.Fail(t, "another class", "pixel %d: %d with %v, and Python's best is %v", i, class, s.Scores[i], best)
			}
		}
		require.NoError(t, m.Close())
	}
}
