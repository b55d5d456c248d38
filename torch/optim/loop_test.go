package optim

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/flat"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

const loopScript = `
import time, torch
from torch import nn
import torch.nn.functional as F
torch.set_num_threads(1)

class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 1)
    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))
    def data(self): return torch.randn(8, 8), torch.randn(8, 1)
    criterion = staticmethod(F.mse_loss)

class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.fc1, self.fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)
    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))
        return F.log_softmax(x, dim=1)
    def data(self): return torch.randn(64, 1, 28, 28), torch.randint(10, (64,))
    criterion = staticmethod(F.nll_loss)

class Loop:
    def __init__(self, model, optimizer):
        torch.manual_seed(0)
        self.model = {"mlp": MLP, "cnn": CNN}[model]()
        self.x, self.y = self.model.data()
        self.optimizer = getattr(torch.optim, optimizer)(self.model.parameters(), lr=1e-3)
    def step(self):
        self.optimizer.zero_grad()
        loss = self.model.criterion(self.model(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        return loss

def losses(model, optimizer, n):
    loop = Loop(model, optimizer)
    return [loop.step().item() for _ in range(n)]

loops = {}

def timed(model, optimizer, n):
    key = model, optimizer
    if key not in loops: loops[key] = Loop(model, optimizer)
    start = time.perf_counter()
    for _ in range(n): loops[key].step()
    return (time.perf_counter() - start) / n
`

type mlp struct{ FC1, FC2, FC3 *nn.Linear }

func (m *mlp) Forward(x *torch.Tensor) *torch.Tensor {
	return m.FC3.Forward(m.FC2.Forward(m.FC1.Forward(x).ReLU()).ReLU())
}

type cnn struct {
	Conv1, Conv2 *nn.Conv2d
	FC1, FC2     *nn.Linear
}

func (m *cnn) Forward(x *torch.Tensor) *torch.Tensor {
	x = F.MaxPool2d(m.Conv2.Forward(m.Conv1.Forward(x).ReLU()).ReLU(), 2)
	return m.FC2.Forward(m.FC1.Forward(x.Flatten(1)).ReLU()).LogSoftmax(1)
}

// A loop is a training loop of a model and an optimizer of their names in Python.
type loop struct {
	optimizer *Optimizer
	loss      func() *torch.Tensor
}

func newLoop(model, optimizer string) *loop {
	torch.ManualSeed(0)
	l := new(loop)
	var p []*torch.Tensor
	switch model {
	case "mlp":
		m := &mlp{nn.NewLinear(8, 16), nn.NewLinear(16, 16), nn.NewLinear(16, 1)}
		x, y := torch.Randn(8, 8), torch.Randn(8, 1)
		l.loss = func() *torch.Tensor { return F.MSELoss(m.Forward(x), y) }
		p = nn.Parameters(m)
	case "cnn":
		m := &cnn{nn.NewConv2d(1, 32, 3), nn.NewConv2d(32, 64, 3), nn.NewLinear(9216, 128), nn.NewLinear(128, 10)}
		x, y := torch.Randn(64, 1, 28, 28), torch.RandInt(0, 10, 64)
		l.loss = func() *torch.Tensor { return F.NLLLoss(m.Forward(x), y) }
		p = nn.Parameters(m)
	}
	switch optimizer {
	case "SGD":
		l.optimizer = NewSGD(p, SGDOptions{LR: Number(1e-3)})
	case "Adam":
		l.optimizer = NewAdam(p, AdamOptions{LR: Number(1e-3)})
	}
	return l
}

func (l *loop) step() *torch.Tensor {
	l.optimizer.ZeroGrad()
	loss := l.loss()
	loss.Backward()
	l.optimizer.Step()
	return loss
}

// kinds are how the tensors of a step are freed: by the collector, or at the end of a scope.
var kinds = map[string]func(f func()){"collected": func(f func()) { f() }, "scope": torch.Scope}

// TestLoopLosses compares the losses of the loops that BenchmarkLoop times.
func TestLoopLosses(t *testing.T) {
	python := reference.Start(t, loopScript)
	torch.Run(func() {
		defer libtorch.SetThreadWidth(libtorch.ThreadWidth())
		libtorch.SetThreadWidth(1)
		for _, model := range []string{"mlp", "cnn"} {
			for _, optimizer := range []string{"SGD", "Adam"} {
				n := map[string]int{"mlp": 50, "cnn": 5}[model]
				var want []float64
				python.Call(&want, "losses", model, optimizer, n)
				l := newLoop(model, optimizer)
				for i := range n {
					require.InEpsilon(t, want[i], l.step().Item(), 1e-5, "%s, %s, step %d", model, optimizer, i) // memory may be aligned otherwise
				}
			}
		}
	})
}

// TestLoopIsFlat trains with and without a Scope. The memory of the process must not grow
// with the steps.
func TestLoopIsFlat(t *testing.T) {
	steps := 2_000
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		steps = 10_000
	}
	l := newLoop("mlp", "Adam")
	flat.Warm(t, steps, func() { l.step() })
	for kind, around := range kinds {
		t.Run(kind, func(t *testing.T) { flat.Check(t, steps, func() { around(func() { l.step() }) }) })
	}
}

// BenchmarkLoop takes turns with Python in steps of training with nn and an optimizer: of
// a small MLP, and of a network for MNIST with batches of 64. It prints the ratio of the
// medians, with every tensor left to the collector, and in a Scope.
//
//	TORCHHUB_REFERENCE=path/to/python go test -run - -bench Loop ./torch/optim
func BenchmarkLoop(b *testing.B) {
	python := reference.Start(b, loopScript)
	for _, model := range []string{"mlp", "cnn"} {
		n := map[string]int{"mlp": 300, "cnn": 2}[model]
		for _, optimizer := range []string{"SGD", "Adam"} {
			for _, kind := range []string{"collected", "scope"} {
				b.Run(model+"/"+optimizer+"/"+kind, func(b *testing.B) {
					l := newLoop(model, optimizer)
					torch.Run(func() {
						libtorch.SetThreadWidth(1)
						python.CompareSteps(b, n, func() { kinds[kind](func() { l.step() }) }, "timed", model, optimizer)
					})
				})
			}
		}
	}
}
