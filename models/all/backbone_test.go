package all

import (
	"hash/crc32"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// TestWeightsBackboneLive compares models whose backbone has weights of another model with torchvision's: all tensors, and
// which parameters are trained. Without TORCHHUB_TEST_LARGE=1 it takes one of the models, another every day.
func TestWeightsBackboneLive(t *testing.T) {
	p := reference.Start(t, `
import zlib
import torch
from torchvision import models

torch.set_num_threads(1)

def on_backbone(name, base, weights):
    torch.manual_seed(5)
    s = models.get_model(base).state_dict()
    models._api.load_state_dict_from_url = lambda *args, **keywords: s
    torch.manual_seed(0)
    m = models.get_model(name, weights=None, weights_backbone=weights, num_classes=3)
    trained = {k for k, v in m.named_parameters() if v.requires_grad}
    return [[k, zlib.crc32(v.contiguous().view(-1).view(torch.uint8).numpy()), k in trained] for k, v in m.state_dict().items()]
`)
	var names []string
	for _, name := range models.Names() {
		if e, err := models.Lookup(name); err == nil && e.Backbone != nil {
			names = append(names, name)
		}
	}
	require.Len(t, names, 18)
	for i, name := range names {
		if os.Getenv("TORCHHUB_TEST_LARGE") == "" && i != time.Now().YearDay()%len(names) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			e, err := models.Lookup(name)
			require.NoError(t, err)
			var want [][3]any
			p.Call(&want, "on_backbone", name, e.Backbone.Model, e.Backbone.Weights)
			torch.ManualSeed(5)
			base, err := models.New[nn.Module](e.Backbone.Model)
			require.NoError(t, err)
			build, err := e.Backbone.Configure(nn.StateDict(base), []byte(`{"num_classes": 3}`))
			require.NoError(t, err)
			torch.ManualSeed(0)
			got := nn.StateDict(build())
			require.Len(t, got, len(want))
			for i, e := range got {
				sum := crc32.ChecksumIEEE(torch.Data[uint8](e.Tensor.Detach().Reshape(-1).ViewDType(torch.Uint8)))
				require.Equal(t, want[i], [3]any{e.Name, float64(sum), e.Tensor.RequiresGrad()}, e.Name)
			}
		})
	}
}
