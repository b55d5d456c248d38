package autograd_test

import (
	"testing"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

const trainScript = `
import time, torch
import torch.nn.functional as F
torch.set_num_threads(1)

def parameters(shapes):
    torch.manual_seed(0)
    return [(torch.randn(s) / max(1, s[-1])).requires_grad_() for s in shapes]

class MLP:
    def __init__(self):
        self.p = parameters([[16, 8], [16], [16, 16], [16], [1, 16], [1]])
        self.x, self.y = torch.randn(8, 8), torch.randn(8, 1)
    def loss(self):
        w1, b1, w2, b2, w3, b3 = self.p
        x = F.relu(F.linear(self.x, w1, b1))
        x = F.relu(F.linear(x, w2, b2))
        return F.mse_loss(F.linear(x, w3, b3), self.y)

class CNN:
    def __init__(self):
        self.p = parameters([[32, 1, 3, 3], [32], [64, 32, 3, 3], [64], [128, 9216], [128], [10, 128], [10]])
        self.x, self.y = torch.randn(64, 1, 28, 28), torch.randint(10, (64,))
    def loss(self):
        c1, d1, c2, d2, w1, b1, w2, b2 = self.p
        x = F.relu(F.conv2d(self.x, c1, d1))
        x = F.max_pool2d(F.relu(F.conv2d(x, c2, d2)), 2)
        x = F.relu(F.linear(torch.flatten(x, 1), w1, b1))
        return F.nll_loss(F.log_softmax(F.linear(x, w2, b2), 1), self.y)

models = {"mlp": MLP(), "cnn": CNN()}

def step(m):
    loss = m.loss()
    loss.backward()
    with torch.no_grad():
        for p in m.p:
            p.sub_(p.grad, alpha=0.01)
            p.grad = None
    return loss

def timed(what, n):
    m = models[what]
    start = time.perf_counter()
    for _ in range(n): step(m)
    return (time.perf_counter() - start) / n

def losses(what, n):
    m = type(models[what])()
    return [step(m).item() for _ in range(n)]
`

// model is a network with the names of its Python twin.
type model struct {
	p    []*torch.Tensor
	loss func() *torch.Tensor
}

func parameters(shapes ...[]int) (p []*torch.Tensor) {
	torch.ManualSeed(0)
	for _, s := range shapes {
		p = append(p, torch.Randn(s...).DivScalar(float64(max(1, s[len(s)-1]))).RequireGrad(true))
	}
	return p
}

func newMLP() *model {
	m := &model{p: parameters([]int{16, 8}, []int{16}, []int{16, 16}, []int{16}, []int{1, 16}, []int{1})}
	in, y := torch.Randn(8, 8), torch.Randn(8, 1)
	m.loss = func() *torch.Tensor {
		x := F.Linear(in, m.p[0], m.p[1]).ReLU()
		x = F.Linear(x, m.p[2], m.p[3]).ReLU()
		return F.MSELoss(F.Linear(x, m.p[4], m.p[5]), y)
	}
	return m
}

func newCNN() *model {
	m := &model{p: parameters([]int{32, 1, 3, 3}, []int{32}, []int{64, 32, 3, 3}, []int{64}, []int{128, 9216}, []int{128}, []int{10, 128}, []int{10})}
	in, y := torch.Randn(64, 1, 28, 28), torch.RandInt(0, 10, 64)
	m.loss = func() *torch.Tensor {
		x := F.Conv2d(in, m.p[0], m.p[1]).ReLU()
		x = F.MaxPool2d(F.Conv2d(x, m.p[2], m.p[3]).ReLU(), 2)
		x = F.Linear(x.Flatten(1), m.p[4], m.p[5]).ReLU()
		return F.NLLLoss(F.Linear(x, m.p[6], m.p[7]).LogSoftmax(1), y)
	}
	return m
}

func (m *model) step() *torch.Tensor {
	loss := m.loss()
	loss.Backward()
	torch.NoGrad(func() {
		for _, p := range m.p {
			p.SubInPlace(p.Grad(), torch.SubOptions{Alpha: 0.01})
			p.ZeroGrad()
		}
	})
	return loss
}

// BenchmarkTrain takes turns with Python in steps of training: forward, backward and SGD,
// of a small MLP and of a network for MNIST. It prints the ratio of the medians, with
// every tensor left to the collector, and in a Scope.
//
//	TORCHHUB_REFERENCE=path/to/python go test -run - -bench Train ./torch/autograd
func BenchmarkTrain(b *testing.B) {
	python := reference.Start(b, trainScript)
	for _, c := range []struct {
		name string
		m    *model
		n    int
	}{{"mlp", newMLP(), 300}, {"cnn", newCNN(), 2}} {
		for _, scoped := range []bool{false, true} {
			name := c.name + "/collected"
			if scoped {
				name = c.name + "/scope"
			}
			b.Run(name, func(b *testing.B) {
				step := func() { c.m.step() }
				if scoped {
					step = func() { torch.Scope(func() { c.m.step() }) }
				}
				torch.Run(func() {
					libtorch.SetThreadWidth(1)
					python.CompareSteps(b, c.n, step, "timed", c.name)
				})
			})
		}
	}
}
