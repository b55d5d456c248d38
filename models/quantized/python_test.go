package quantized

import (
	"context"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestQuantizedLive compares quantized models with torchvision's, whose state dicts they load. Without
// TORCHHUB_TEST_LARGE=1 it takes one of the models, another every day.
func TestQuantizedLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, `
import warnings
from torchvision import models

warnings.simplefilter("ignore")
torch.set_num_threads(1)

def run(name, x):
    torch.manual_seed(0)
    m = models.get_model(name, quantize=True)
    if hasattr(m, "transform_input"):
        m.transform_input = True # as with weights
    with torch.no_grad():
        return [m.state_dict(), m(x)]
`)
	names := slices.Sorted(maps.Keys(quantize))
	for i, name := range names {
		if os.Getenv("TORCHHUB_TEST_LARGE") == "" && i != time.Now().YearDay()%len(names) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			side := 64
			if name == "inception_v3" {
				side = 75
			}
			x := torch.Randn(2, 3, side, side)
			want := p.Call("run", "quantized_"+name, x).([]torch.Value)
			e, err := models.Lookup("quantized_" + name)
			require.NoError(t, err)
			var m nn.Module
			torch.WithDevice(torch.Meta, func() { m = e.BuildFor(e.Default()).(nn.Module) })
			s, _, err := torch.FindStateDict(want[0])
			require.NoError(t, err)
			require.NoError(t, nn.LoadStateDict(m, s, nn.LoadOptions{Assign: true}))
			torch.NoGrad(func() {
				require.NoError(t, torchtest.CheckClose(m.Forward(x), want[1], torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)}))
			})
		})
	}
}
