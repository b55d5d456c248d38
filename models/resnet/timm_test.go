package resnet

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// pythonTimm returns a Python with timm, or skips the test.
func pythonTimm(t *testing.T) *reference.Process {
	p := reference.Start(t, `
import importlib.util
have = importlib.util.find_spec("timm") is not None
if have:
    import timm, torch

def layout(name):
    with torch.device("meta"):
        return [[k, list(v.shape)] for k, v in timm.create_model(name).state_dict().items()]

def seeded(name, seed, file, x, **kwargs):
    torch.manual_seed(seed)
    m = timm.create_model(name, **kwargs).eval()
    with torch.no_grad():
        for key, v in m.state_dict().items():
            if key.endswith("running_mean"):
                v.normal_(0, 0.1)
            elif key.endswith("running_var"):
                v.uniform_(0.5, 1.5)
            elif v.dim() == 1 and v.is_floating_point():
                v.uniform_(0.5, 1.5) if key.endswith("weight") else v.normal_(0, 0.1)
        torch.save(m.state_dict(), file)
        return m(torch.from_numpy(x))
`)
	var have bool
	p.Call(&have, "lambda: have")
	if !have {
		t.Skip("the reference has no timm")
	}
	return p
}

// TestTimmLayout compares the names and shapes of every architecture's tensors with timm's.
// Without TORCHHUB_TEST_LARGE, it takes a quarter of the architectures each day.
func TestTimmLayout(t *testing.T) {
	p := pythonTimm(t)
	require.Greater(t, len(timmConfigs), 70)
	for i, name := range slices.Sorted(maps.Keys(timmConfigs)) {
		c, ok := TimmConfig(name)
		require.True(t, ok)
		if os.Getenv("TORCHHUB_TEST_LARGE") == "" && (i+time.Now().YearDay())%4 != 0 {
			continue
		}
		var want [][2]any
		p.Call(&want, "layout", name)
		shapes := map[string]any{}
		for _, e := range want {
			shapes[e[0].(string)] = e[1]
		}
		torch.WithDevice(torch.Meta, func() {
			for _, e := range nn.StateDict(New(c)) {
				shape := []any{}
				for _, n := range e.Tensor.Shape() {
					shape = append(shape, float64(n))
				}
				require.Equal(t, shapes[e.Name], shape, "%s: %s", name, e.Name)
				delete(shapes, e.Name)
			}
		})
		require.Empty(t, shapes, name)
	}
}

// TestTimmLogits compares outputs for each thing in which timm's ResNets differ from torchvision's.
func TestTimmLogits(t *testing.T) {
	p := pythonTimm(t)
	file := filepath.Join(t.TempDir(), "m.pth")
	for _, name := range []string{
		"resnet10t", "resnet18d", "resnet26t", "seresnet18", "ecaresnet26t", "seresnext26d_32x4d", "resnetblur18", "resnetblur50d", "resnetaa34d", "resnetaa50", "seresnetaa50d", "resnetrs50", "senet154",
	} {
		t.Run(name, func(t *testing.T) {
			h, w := 75, 97 // odd, so that each rounding shows
			if strings.Contains(name, "aa") {
				h, w = 64, 96 // timm's own take no odd ones
			}
			x, px := noise(t, 3, 2, 3, h, w)
			var want reference.Array
			// Fewer blocks than it has, to be quick: the first and another one of each stage.
			p.Call(&want, "lambda *a: seeded(*a, layers=(2, 2, 1, 2))", name, 7, file, px)
			s, err := torch.LoadStateDict(file)
			require.NoError(t, err)
			defer s.Free()
			var m *ResNet
			c, _ := TimmConfig(name)
			c.Layers = [4]int{2, 2, 1, 2}
			torch.WithDevice(torch.Meta, func() { m = New(c) })
			require.NoError(t, nn.LoadStateDict(m, s, nn.LoadOptions{Assign: true}))
			nn.Eval(m)
			torch.NoGrad(func() { near(t, want, m.Forward(x)) })
		})
	}
}

func TestResNetConfig(t *testing.T) {
	for _, c := range []Config{
		{Block: Bottleneck, Layers: [4]int{1, 1, 1, 1}, Stem: TieredStem, StemWidth: 32, AvgDown: true, Attention: ECA, AntiAlias: Blur, NumClasses: 3},
		{Block: BasicBlock, Layers: [4]int{1, 1, 1, 1}, StemConv: true, Attention: SE, AntiAlias: Average, Channels: [4]int{16, 24, 32, 40}, NumClasses: 3},
	} {
		require.Equal(t, []int{2, 3}, New(c).Forward(torch.Randn(2, 3, 64, 64)).Shape())
	}
	for _, c := range []Config{
		{Layers: [4]int{1, 0, 1, 1}}, {Layers: [4]int{1, 1, 1, 1}, NumClasses: -1}, {Layers: [4]int{1, 1, 1, 1}, DownKernel: 2},
		{Layers: [4]int{1, 1, 1, 1}, Channels: [4]int{1, 2, 3}},
	} {
		var e *torch.Error
		require.ErrorAs(t, torch.Try(func() { New(c) }), &e)
	}
}

// TestTimmTable generates the table again.
func TestTimmTable(t *testing.T) {
	pythonTimm(t)
	out, err := exec.Command(os.Getenv(reference.Variable), "../../testdata/gen/timm_resnets.py").Output()
	require.NoError(t, err)
	cmd := exec.Command("gofmt")
	cmd.Stdin = bytes.NewReader(out)
	out, err = cmd.Output()
	require.NoError(t, err)
	want, err := os.ReadFile("ztimm.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(out), "run testdata/gen/timm_resnets.py")
}
