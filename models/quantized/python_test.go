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

// TestQuantizedLive compares quantized models with torchvision's, whose state dicts they load, and those that load the
// state dicts of quantization-aware training with PyTorch's conversion. Without TORCHHUB_TEST_LARGE=1 it takes one of the
// models, another every day, and of those after training the one that is published so and one for another backend.
func TestQuantizedLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, `
import warnings
from torch.ao import quantization as q
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

def trained(name, backend, x):
    torch.backends.quantized.engine = "x86" # the default, which other models change
    torch.manual_seed(1)
    m = models.get_model(name, quantize=False)
    if hasattr(m, "transform_input"):
        m.transform_input = True # as with weights
        m.aux_logits = False
        m.aux1 = m.aux2 = m.AuxLogits = None
    m.train()
    m.fuse_model(is_qat=True)
    m.qconfig = q.get_default_qat_qconfig(backend)
    q.prepare_qat(m, inplace=True)
    for key, v in m.state_dict().items():
        last = key.rpartition(".")[2]
        if last == "running_var":
            v.uniform_(0.5, 2)
        elif last in ("running_mean", "bias"):
            v.normal_(0, 0.1)
        elif ".bn." in key and last == "weight":
            v.uniform_(0.5, 2)
        elif last == "observer_enabled":
            v.random_(0, 2)
    # Observers see numbers of different ranges; some have not seen any.
    for k, o in enumerate(m.modules()):
        if isinstance(o, q.MovingAverageMinMaxObserver) and k % 7:
            o.min_val.fill_(float(torch.rand(()) * 2 - 1.8))
            o.max_val.copy_(o.min_val + 2 + torch.rand(()) * 2)
    for layer in m.modules():
        f = getattr(layer, "weight_fake_quant", None)
        if f is not None and f.is_per_channel:
            n = layer.weight.shape[0]
            f.scale, f.zero_point = torch.ones(n), torch.zeros(n, dtype=torch.int32)
            f.activation_post_process.min_val, f.activation_post_process.max_val = -torch.rand(n), torch.rand(n)
    s = {k: v.clone() for k, v in m.state_dict().items()}
    m.eval()
    q.convert(m, inplace=True)
    with torch.no_grad():
        return [s, m.state_dict(), m(x)]
`)
	names := slices.Sorted(maps.Keys(quantize))
	large, today := os.Getenv("TORCHHUB_TEST_LARGE") != "", time.Now().YearDay()
	for i, name := range names {
		if large || i == today%len(names) {
			t.Run(name, func(t *testing.T) {
				x := input(name)
				out := p.Call("run", "quantized_"+name, x).([]torch.Value)
				m, _ := load(t, name, out[0])
				equal(t, out[1], m.Forward(x))
			})
		}
		for backend, run := range map[string]bool{"qnnpack": name == "mobilenet_v3_large", "x86": name == []string{"resnet18", "shufflenet_v2_x0_5"}[today%2]} {
			if !large && !run {
				continue
			}
			t.Run(name+" "+backend, func(t *testing.T) {
				x := input(name)
				out := p.Call("trained", "quantized_"+name, backend, x).([]torch.Value)
				m, got := load(t, name, out[0])
				want, _, err := torch.FindStateDict(out[1])
				require.NoError(t, err)
				require.Len(t, got, len(want))
				for i, e := range got {
					require.Equal(t, want[i].Name, e.Name)
					equal(t, want[i].Tensor, e.Tensor)
				}
				equal(t, out[2], m.Forward(x))
			})
		}
	}
}

func input(name string) *torch.Tensor {
	if name == "inception_v3" {
		return torch.Randn(2, 3, 75, 75)
	}
	return torch.Randn(2, 3, 64, 64)
}

// load returns the model that published weights fill, with those of a state dict of Python.
func load(t *testing.T, name string, state torch.Value) (m nn.Module, loaded torch.StateDict) {
	e, err := models.Lookup("quantized_" + name)
	require.NoError(t, err)
	torch.WithDevice(torch.Meta, func() { m = e.BuildFor(e.Default()).(nn.Module) })
	s, _, err := torch.FindStateDict(state)
	require.NoError(t, err)
	require.NoError(t, nn.LoadStateDict(m, s, nn.LoadOptions{Assign: true}))
	return m, nn.StateDict(m)
}

func equal(t *testing.T, want torch.Value, got *torch.Tensor) {
	t.Helper()
	require.NoError(t, torchtest.CheckClose(got, want, torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)}))
}
