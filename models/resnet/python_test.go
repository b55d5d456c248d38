package resnet

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/torch/nn"
)

// script works with the module that makes the weights of all tests.
func script(t testing.TB) *reference.Process {
	dir, err := filepath.Abs("../../testdata/gen")
	require.NoError(t, err)
	code, err := os.ReadFile(filepath.Join(dir, "weights.py"))
	require.NoError(t, err)
	return reference.Start(t, string(code)+`
import time

def save(name, seed, legacy, file):
    torch.save(seeded(name, seed).state_dict(), file, _use_new_zipfile_serialization=not legacy)

def export(name, seed, file):
    torch.jit.script(seeded(name, seed)).save(file)

models = {}
def timed(name, batch, n):
    if name not in models:
        models.clear()
        models[name] = build(name).eval()
    x = torch.ones(batch, 3, 224, 224)
    with torch.no_grad():
        start = time.perf_counter()
        for _ in range(n):
            models[name](x)
        return time.perf_counter() - start

def logits(name, seed, x):
    with torch.no_grad():
        return seeded(name, seed)(torch.from_numpy(x))
`)
}

func noise(t *testing.T, seed int64, shape ...int) (*torch.Tensor, reference.Array) {
	torch.ManualSeed(seed)
	x := torch.Randn(shape...)
	return x, reference.NewArray(torch.Data[float32](x), shape...)
}

// near requires |got - want| <= 1e-4 max|want|: the order in which oneDNN sums
// depends on memory and threads.
func near(t *testing.T, want reference.Array, got *torch.Tensor) {
	t.Helper()
	require.Equal(t, want.Shape, got.Shape())
	w, g := reference.Data[float32](want), torch.Data[float32](got.Detach())
	var scale, diff float64
	for i := range w {
		scale = max(scale, math.Abs(float64(w[i])))
		diff = max(diff, math.Abs(float64(w[i])-float64(g[i])))
	}
	require.LessOrEqual(t, diff, 1e-4*scale)
}

func TestPythonForward(t *testing.T) {
	p := script(t)
	dir := t.TempDir()
	for _, c := range []struct {
		name  string
		shape []int
	}{
		{"resnet18", []int{2, 3, 224, 224}},
		{"resnet50", []int{1, 3, 65, 300}},
		{"resnext50_32x4d", []int{3, 3, 96, 96}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, px := noise(t, 1, c.shape...)
			var want reference.Array
			p.Call(&want, "logits", c.name, 2, px)
			e, err := models.Lookup(c.name)
			require.NoError(t, err)
			for _, legacy := range []bool{false, true} {
				file := filepath.Join(dir, fmt.Sprint(c.name, legacy))
				p.Call(nil, "save", c.name, 2, legacy, file)
				m := onMeta(e)
				s, err := torch.LoadStateDict(file)
				require.NoError(t, err)
				require.NoError(t, nn.LoadStateDict(m, s, nn.LoadOptions{Assign: true}))
				s.Free()
				nn.Eval(m)
				near(t, want, m.Forward(x))
			}
			file := filepath.Join(dir, c.name+".pt")
			p.Call(nil, "export", c.name, 2, file)
			m, err := jit.Load(file)
			require.NoError(t, err)
			defer m.Close()
			y, err := m.Forward(x)
			require.NoError(t, err)
			near(t, want, y.(*torch.Tensor))
		})
	}
}
