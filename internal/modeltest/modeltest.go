// Package modeltest compares models with torchvision's in Python.
package modeltest

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

const script = `
import functools, inspect, zlib
import torch
from torch import nn
from torchvision import models

torch.set_num_threads(1)

def build(name):
    builder = models.get_model_builder(name)
    backbone = "weights_backbone" in inspect.signature(builder).parameters
    return builder(weights=None, **({"weights_backbone": None} if backbone else {}))

def sums(m):
    return [[k, zlib.crc32(v.detach().contiguous().view(-1).view(torch.uint8).numpy())] for k, v in m.state_dict().items() if isinstance(v, torch.Tensor)]

def tensors(v):
    if isinstance(v, torch.Tensor):
        return [v.contiguous()]
    if isinstance(v, dict):
        v = v.values()
    return [x for e in v for x in tensors(e)] if v is not None else []

def run(expression, shapes):
    torch.manual_seed(0)
    m = eval(expression)
    first = sums(m)
    torch.manual_seed(1)
    for k, v in m.state_dict().items():
        if k.endswith("running_var"):
            v.uniform_(0.5, 1.5)
        elif v.is_floating_point() and not v.any(): # such as the last layers of transformers
            v.normal_(0, 0.1)
    x = [torch.randn(s) for s in shapes]
    called = []
    hooks = [c.register_forward_hook(lambda c, x, y, n=n: called.append(n) if isinstance(y, torch.Tensor) else None) for n, c in m.named_modules(remove_duplicate=False)]
    with torch.no_grad():
        evaluated = tensors(m.eval()(*x))
        for h in hooks: h.remove()
        torch.manual_seed(2)
        trained = tensors(m.train()(*x))
    grads = []
    if sum(p.numel() for p in m.parameters()) <= 1_000_000:
        torch.manual_seed(3)
        sum(y.square().mean() for y in tensors(m(*x))).backward()
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in m.parameters()]
    return [first, evaluated, trained, called, grads]
`

// A Reference is a Python with torchvision.
type Reference struct{ p *torchtest.Interpreter }

// Start starts Python. Where there is none, the test is skipped.
func Start(t *testing.T) *Reference {
	reference.Python(t)
	torch.SetNumThreads(1) // as in Python: random weights magnify the rounding of another division of the work
	return &Reference{torchtest.Python(t, script)}
}

// Compare compares a model with the one that an expression of Python makes, after the same seeds: the initialization bit
// for bit, and the outputs in evaluation and while training, for random inputs of the given shapes; and of models of up
// to a million parameters the gradients. The expression may use torch, nn, models, functools, and build(name), which calls the builder of a name.
func (r *Reference) Compare(t *testing.T, expression string, build func() any, shapes ...[]int) {
	t.Helper()
	want := r.p.Call("run", expression, shapes).([]torch.Value)
	torch.Run(func() { compare(t, want, strings.Contains(expression, "quantized_"), build, shapes) })
}

func compare(t *testing.T, want []torch.Value, quantized bool, build func() any, shapes [][]int) {
	t.Helper()
	torch.ManualSeed(0)
	m := build()
	s := nn.StateDict(m)
	defer s.Free()
	require.Empty(t, differing(s, want[0].([]torch.Value)))
	torch.ManualSeed(1)
	var x []*torch.Tensor
	torch.NoGrad(func() {
		for _, e := range s {
			switch {
			case strings.HasSuffix(e.Name, "running_var"):
				e.Tensor.UniformInPlace(0.5, 1.5)
			case e.Tensor.DType().IsFloatingPoint() && e.Tensor.Any().Item() == 0:
				e.Tensor.NormalInPlace(0, 0.1)
			}
		}
		for _, shape := range shapes {
			x = append(x, torch.Randn(shape...))
		}
		nn.Eval(m)
		called := calls(m, func() {
			require.NoError(t, near(Outputs(t, m, x), want[1].([]torch.Value), 1e-4), "in evaluation")
		})
		if !quantized { // whose blocks add and apply ReLU in one step
			compareCalls(t, m, want[3].([]torch.Value), called)
		}
		extract(t, m, called, x)
		torch.ManualSeed(2)
		nn.Train(m)
		require.NoError(t, near(Outputs(t, m, x), want[2].([]torch.Value), 1e-3), "while training")
	})
	compareGradients(t, m, x, want[4].([]torch.Value))
}

// compareGradients compares the gradients of parameters with Python's, to 1e-3 of the largest number.
func compareGradients(t *testing.T, m any, x []*torch.Tensor, want []torch.Value) {
	t.Helper()
	if len(want) == 0 {
		return
	}
	torch.ManualSeed(3)
	loss := torch.Zeros()
	for _, y := range Outputs(t, m, x) {
		loss = loss.Add(y.Square().Mean())
	}
	loss.Backward()
	largest := 0.0
	for _, w := range want {
		largest = max(largest, w.(*torch.Tensor).Abs().Max().Item())
	}
	for i, p := range nn.Parameters(m) {
		g := p.Grad()
		if g == nil {
			g = torch.ZerosLike(p)
		}
		require.NoError(t, torchtest.CheckClose(g, want[i], torchtest.CloseOptions{Rtol: new(0.0), Atol: new(1e-3 * largest)}), "gradient of parameter %d, %v", i, p.Shape())
	}
}

// calls returns the names of the modules that call their hooks while f runs, in order.
func calls(m any, f func()) (names []string) {
	for _, c := range nn.NamedModules(m) {
		if module, ok := c.Module.(nn.Module); ok && c.Name != "" && !empty(c.Module) {
			defer nn.RegisterForwardHook(module, func(_ nn.Module, _, _ *torch.Tensor) *torch.Tensor {
				names = append(names, c.Name)
				return nil
			})()
		}
	}
	f()
	return names
}

// compareCalls requires that the modules that map a tensor to a tensor are called as often as torchvision's of the same
// names, so that features can be extracted by them.
func compareCalls(t *testing.T, m any, want []torch.Value, got []string) {
	t.Helper()
	modules := map[string]bool{}
	for _, c := range nn.NamedModules(m) {
		_, ok := c.Module.(nn.Module)
		modules[c.Name] = ok && !empty(c.Module)
	}
	var names []string
	for _, w := range want {
		if w != "" && modules[w.(string)] {
			names = append(names, w.(string))
		}
	}
	slices.Sort(names)
	got = slices.Sorted(slices.Values(got))
	require.Equal(t, names, got, "the calls of the modules")
}

// empty reports whether m is a container without modules.
func empty(m any) bool {
	s, ok := m.(nn.Sequential)
	return ok && len(s) == 0
}

// extract extracts the features of all called modules of a model that maps a tensor to a tensor.
func extract(t *testing.T, m any, called []string, x []*torch.Tensor) {
	t.Helper()
	module, ok := m.(nn.Module)
	if !ok {
		return
	}
	e, err := nn.NewFeatureExtractor(module, called...)
	require.NoError(t, err)
	torch.Scope(func() {
		for name, y := range e.Forward(x[0]) {
			require.NotNil(t, y, name)
		}
	})
}

// Outputs returns the tensors of a model's output in the order of torchvision's, for one forward in its mode.
func Outputs(t *testing.T, m any, x []*torch.Tensor) []*torch.Tensor {
	switch m := m.(type) {
	case interface {
		ForwardAux(x *torch.Tensor) (logits *torch.Tensor, aux []*torch.Tensor)
	}:
		y, aux := m.ForwardAux(x[0])
		return append([]*torch.Tensor{y}, aux...)
	case nn.Module:
		return []*torch.Tensor{m.Forward(x[0])}
	case models.FlowEstimator:
		return m.Forward(x[0], x[1])
	case models.Segmenter:
		y := m.Forward(x[0])
		if y.Aux == nil {
			return []*torch.Tensor{y.Out}
		}
		return []*torch.Tensor{y.Out, y.Aux}
	}
	require.FailNow(t, "a model of no known kind", "%T", m)
	return nil
}

// differing returns the names of the tensors whose bits differ from Python's.
func differing(s torch.StateDict, want []torch.Value) (names []string) {
	if len(s) != len(want) {
		return []string{fmt.Sprintf("%d tensors, want %d", len(s), len(want))}
	}
	for i, e := range s {
		w := want[i].([]torch.Value)
		var sum uint32
		torch.Scope(func() {
			sum = crc32.ChecksumIEEE(torch.Data[uint8](e.Tensor.Detach().Reshape(-1).ViewDType(torch.Uint8)))
		})
		if e.Name != w[0] || fmt.Sprint(sum) != fmt.Sprint(w[1]) {
			names = append(names, e.Name)
		}
	}
	return names
}

// near compares outputs with Python's, to a fraction of the largest number. While training, batch normalization over
// few values magnifies the rounding.
func near(got []*torch.Tensor, want []torch.Value, fraction float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d outputs, want %d", len(got), len(want))
	}
	for i, w := range want {
		w := w.(*torch.Tensor)
		if !slices.Equal(got[i].Shape(), w.Shape()) {
			return fmt.Errorf("output %d is %v, want %v", i, got[i].Shape(), w.Shape())
		}
		o := torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)}
		if w.DType().IsFloatingPoint() && w.Numel() > 0 {
			*o.Atol = fraction * w.Abs().Max().Item()
		}
		if err := torchtest.CheckClose(got[i].Detach().Contiguous(), w, o); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}
