package aoti_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aoti"
)

const script = `
import os, numpy, torch
torch.set_num_threads(1)
os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"
nn = torch.nn

class MLP(nn.Module):
	def __init__(self):
		super().__init__()
		self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 3)
	def forward(self, x):
		return self.b(self.a(x).relu())

class Block(nn.Module):
	def __init__(self, i, o, stride):
		super().__init__()
		self.conv1, self.norm1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
		self.conv2, self.norm2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
		self.down = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))
	def forward(self, x):
		y = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
		return (y + self.down(x)).relu()

class Net(nn.Module):
	def __init__(self):
		super().__init__()
		self.stem = nn.Conv2d(3, 8, 7, 2, 3)
		self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2))
		self.fc = nn.Linear(16, 10)
	def forward(self, x):
		x = nn.functional.max_pool2d(self.stem(x).relu(), 3, 2, 1)
		return self.fc(self.blocks(x).mean((2, 3)))

class Many(nn.Module):
	def forward(self, x, pair, n):
		a, b = pair["a"], pair["b"]
		return {"sum": x + a + b, "list": [x * n, (a, b.to(torch.int64))], "first": x[0]}

models = {}

def build(name):
	torch.manual_seed(0)
	m = {"mlp": MLP, "net": Net, "many": Many}[name]()
	for p in m.modules():
		if isinstance(p, nn.BatchNorm2d): # else they do nothing
			p.running_mean.uniform_(-1, 1); p.running_var.uniform_(0.5, 2)
	models[name] = m.eval()
	return m

def make(name, path, config):
	m = build(name)
	n = torch.export.Dim("n", min=1, max=64)
	x = {"mlp": lambda: (torch.randn(2, 4),), "net": lambda: (torch.randn(2, 3, 32, 32),), "many": lambda: (torch.ones(2, 3), {"a": torch.ones(2, 3), "b": torch.ones(2, 3)}, 3)}[name]()
	dyn = {"mlp": lambda: ({0: n},), "net": lambda: ({0: n},), "many": lambda: ({0: n}, {"a": {0: n}, "b": {0: n}}, None)}[name]()
	with torch.no_grad():
		ep = torch.export.export(m, x, dynamic_shapes=dyn)
		torch._inductor.aoti_compile_and_package(ep, package_path=path, inductor_configs=config)

def run(name, x):
	with torch.no_grad():
		return models[name](torch.from_numpy(x))

def state(name, path):
	torch.save(models[name].state_dict(), path)
`

// compiled makes a package by Python.
func compiled(t *testing.T, p *reference.Process, name string, config map[string]any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".pt2")
	if config == nil {
		config = map[string]any{}
	}
	p.Call(nil, "make", name, path, config)
	return path
}

func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32((i*7919)%1000)/500 - 1
	}
	return x
}

// close compares with what Python computes without a compiler: sums are in another order.
func requireClose(t *testing.T, want reference.Array, got *torch.Tensor) {
	t.Helper()
	require.Equal(t, want.Shape, got.Shape())
	require.InDeltaSlice(t, reference.Data[float32](want), torch.Data[float32](got), 1e-5)
}

func TestModelEqualsPython(t *testing.T) {
	p := reference.Start(t, script)
	for _, c := range []struct {
		name  string
		shape []int // behind the batch
	}{{"mlp", []int{4}}, {"net", []int{3, 32, 32}}} {
		path := compiled(t, p, c.name, nil)
		info, err := aoti.Inspect(path)
		require.NoError(t, err)
		require.Equal(t, []string{"cpu"}, info.Devices())
		require.Empty(t, info.Models[0].Problem)
		before := temporary(t)
		m, err := aoti.Load(path, aoti.Options{Runners: 2})
		require.NoError(t, err)
		require.Equal(t, torch.CPU, m.Device())
		require.Equal(t, "linux", m.Metadata()["AOTI_PLATFORM"])
		for _, batch := range []int{1, 2, 5, 64, 0} {
			shape := append([]int{batch}, c.shape...)
			n := 1
			for _, s := range shape {
				n *= s
			}
			var want reference.Array
			p.Call(&want, "run", c.name, reference.NewArray(ramp(n), shape...))
			y, err := m.Forward(torch.FromSlice(ramp(n), shape...))
			require.NoError(t, err)
			requireClose(t, want, y.(*torch.Tensor))
			outs, err := m.Run(torch.FromSlice(ramp(n), shape...))
			require.NoError(t, err)
			require.Len(t, outs, 1)
			requireClose(t, want, outs[0])
		}
		shape := append([]int{1}, c.shape...)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := m.Run(torch.Options{RequiresGrad: true}.Ones(shape...)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()

		// what the compiled code would take for what it is not
		for _, bad := range [][]*torch.Tensor{
			{}, {nil}, {torch.Ones(shape...), torch.Ones(shape...)}, {torch.Ones(1)},
			{torch.Ones(append([]int{1}, make([]int, len(c.shape))...)...)}, {torch.Ones(append([]int{1, 1}, c.shape...)...)}, {torch.Options{DType: torch.Float64}.Ones(shape...)},
			{torch.Ones(append([]int{2}, append(c.shape, 2)...)...).Select(-1, 0)},
			{torch.Options{Device: torch.Meta}.Ones(shape...)},
		} {
			_, err := m.Run(bad...)
			var e *torch.Error
			require.ErrorAs(t, err, &e)
		}
		require.NoError(t, m.Close())
		require.NoError(t, m.Close())
		_, err = m.Run(torch.Ones(shape...))
		require.ErrorIs(t, err, torch.ErrClosed)
		require.ErrorIs(t, m.LoadConstants(nil), torch.ErrClosed)
		require.Subset(t, before, temporary(t), "what was unpacked is gone")

		// a flipped bit
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		data[bytes.Index(data, []byte("\x7fELF"))+5000] ^= 1
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, err = aoti.Load(path, aoti.Options{})
		require.ErrorIs(t, err, torch.ErrMalformed)
	}
}

// temporary lists the folders that libtorch's loader may have made.
func temporary(t *testing.T) []string {
	dirs, err := filepath.Glob("/tmp/??????/data")
	require.NoError(t, err)
	if dirs == nil {
		dirs = []string{}
	}
	return dirs
}

// Containers around inputs and outputs are Python's.
func TestContainers(t *testing.T) {
	p := reference.Start(t, script)
	m, err := aoti.Load(compiled(t, p, "many", nil), aoti.Options{})
	require.NoError(t, err)
	defer m.Close()
	x, a, b := torch.Ones(4, 3), torch.Ones(4, 3).MulScalar(2), torch.Ones(4, 3).MulScalar(5.5)
	v, err := m.Forward(x, &torch.Dict{Entries: []torch.Entry{{Key: "a", Value: a}, {Key: "b", Value: b}}}, 3)
	require.NoError(t, err)
	d := v.(*torch.Dict)
	require.Len(t, d.Entries, 3)
	sum, _ := d.Get("sum")
	require.Equal(t, float32(8.5), torch.Data[float32](sum.(*torch.Tensor))[11])
	list, _ := d.Get("list")
	require.Equal(t, float32(3), torch.Data[float32](list.([]torch.Value)[0].(*torch.Tensor))[0])
	pair := list.([]torch.Value)[1].(torch.Tuple)
	require.Equal(t, float32(2), torch.Data[float32](pair[0].(*torch.Tensor))[0])
	require.Equal(t, int64(5), torch.Data[int64](pair[1].(*torch.Tensor))[0])
	first, _ := d.Get("first")
	require.Equal(t, []int{3}, first.(*torch.Tensor).Shape())
	_, err = m.Run(x, a, torch.Ones(3, 3)) // another batch than the others'
	require.ErrorContains(t, err, "must have 4")
}

// Weights may be in the library, beside it in two ways, or absent. Python compiles each package for seconds, so
// without TORCHHUB_TEST_LARGE the two ways take turns by the day.
func TestWeights(t *testing.T) {
	p := reference.Start(t, script)
	x := torch.FromSlice(ramp(12), 3, 4)
	want := func() (w reference.Array) {
		p.Call(&w, "run", "mlp", reference.NewArray(ramp(12), 3, 4))
		return w
	}
	ways := []string{"binary_blob", "pickle_weights"}
	if os.Getenv("TORCHHUB_TEST_LARGE") == "" {
		ways = ways[time.Now().YearDay()%2:][:1]
	}
	for _, how := range ways {
		m, err := aoti.Load(compiled(t, p, "mlp", map[string]any{"aot_inductor.package_constants_in_so": false, "aot_inductor.package_constants_on_disk_format": how}), aoti.Options{})
		require.NoError(t, err, how)
		y, err := m.Forward(x)
		require.NoError(t, err, how)
		requireClose(t, want(), y.(*torch.Tensor))
		require.NoError(t, m.Close())
	}
	m, err := aoti.Load(compiled(t, p, "mlp", map[string]any{"aot_inductor.package_constants_in_so": false}), aoti.Options{})
	require.NoError(t, err)
	defer m.Close()
	_, err = m.Forward(x)
	require.ErrorContains(t, err, "LoadConstants")
	file := filepath.Join(t.TempDir(), "state.pth")
	p.Call(nil, "state", "mlp", file)
	state, err := torch.LoadStateDict(file)
	require.NoError(t, err)
	names, err := m.Constants()
	require.NoError(t, err)
	require.Equal(t, []string{"a.weight", "b.weight"}, names)
	require.Error(t, m.LoadConstants(state), "the biases are in the code")
	state = torch.StateDict{{Name: names[0], Tensor: state.Get(names[0])}, {Name: names[1], Tensor: state.Get(names[1])}}
	require.Error(t, m.LoadConstants(state[:1]))
	require.Error(t, m.LoadConstants(append(state[:1:1], torch.Named{Name: "other", Tensor: x})))
	_, err = m.Forward(x)
	require.ErrorContains(t, err, "LoadConstants")
	require.NoError(t, m.LoadConstants(state))
	state.Free()
	y, err := m.Forward(x)
	require.NoError(t, err)
	requireClose(t, want(), y.(*torch.Tensor))
}

// A package without a library is refused: nothing of it runs.
func TestSourcesAreRefused(t *testing.T) {
	p := reference.Start(t, script)
	_, err := aoti.Load(compiled(t, p, "mlp", map[string]any{"aot_inductor.package_cpp_only": true}), aoti.Options{})
	require.ErrorIs(t, err, torch.ErrUnsupported)
	require.ErrorContains(t, err, "compiler")
}
