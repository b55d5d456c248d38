package nn_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

type block struct {
	Conv  *nn.Conv2d
	Norm  *nn.BatchNorm2d
	Tail  nn.Sequential
	Heads []*nn.Linear
	Scale *torch.Tensor
}

func (b *block) Forward(x *torch.Tensor) *torch.Tensor {
	return b.Tail.Forward(b.Norm.Forward(b.Conv.Forward(x)))
}

func newBlock() *block {
	return &block{
		Conv: nn.NewConv2d(1, 2, 3), Norm: nn.NewBatchNorm2d(2), Tail: nn.Sequential{&nn.ReLU{}, nn.NewLinear(3, 2)},
		Heads: []*nn.Linear{nn.NewLinear(1, 2)}, Scale: torch.Ones(2).RequireGrad(true),
	}
}

const blockScript = `
import torch
class Stored(torch.nn.Module):
	def __init__(self):
		super().__init__()
		self.conv, self.norm = torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)
		self.tail = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(3, 2))
		self.heads = torch.nn.ModuleList([torch.nn.Linear(1, 2)])
		self.scale = torch.nn.Parameter(torch.ones(2))
	def forward(self, x): return self.tail(self.norm(self.conv(x)))

def load(path):
	"""The output for ones of the module that Go saved."""
	m = Stored()
	s = torch.load(path, weights_only=True)
	want = m.state_dict()
	assert list(s) == list(want) and s._metadata == want._metadata, (s._metadata, want._metadata)
	assert not any(x.requires_grad for x in s.values())
	m.load_state_dict(s)
	return m.eval()(torch.ones(1, 1, 5, 5)).tolist()

def save(path):
	torch.manual_seed(3)
	m = Stored()
	torch.save(m.state_dict(), path)
	return m.eval()(torch.ones(1, 1, 5, 5)).tolist()
`

// A module saved by Go is loaded by Python, and the reverse.
func TestSaveStateDictEqualsPython(t *testing.T) {
	p := reference.Start(t, arrayScript)
	path := filepath.Join(t.TempDir(), "block.pth")
	m := newBlock()
	nn.Eval(m)
	output := func() []float32 { return torch.Data[float32](m.Forward(torch.Ones(1, 1, 5, 5))) }
	require.NoError(t, nn.SaveStateDict(path, m))
	require.InDeltaSlice(t, flat(t, p, "load", path), output(), 1e-5)
	want := flat(t, p, "save", path)
	require.NoError(t, nn.LoadStateDictFile(path, m))
	require.InDeltaSlice(t, want, output(), 1e-5)
}

func flat(t *testing.T, p *reference.Process, f, path string) (out []float32) {
	var v [][][][]float32
	p.Call(&v, f, path)
	for _, rows := range v[0] {
		for _, row := range rows {
			out = append(out, row...)
		}
	}
	return out
}

func TestSaveStateDict(t *testing.T) {
	path := filepath.Join(t.TempDir(), "block.pth")
	m, other := newBlock(), newBlock()
	require.NoError(t, nn.SaveStateDict(path, m))
	require.NoError(t, nn.LoadStateDictFile(path, other))
	for i, e := range nn.StateDict(m) {
		require.Equal(t, e.Tensor.String(), nn.StateDict(other)[i].Tensor.String(), e.Name)
	}
	require.NoError(t, nn.LoadStateDictFile(path, other, nn.LoadOptions{Assign: true}))
	require.Equal(t, m.Scale.String(), other.Scale.String())
	require.True(t, other.Scale.RequiresGrad())

	var ke *nn.KeyError
	err := nn.LoadStateDictFile(path, nn.NewLinear(1, 1))
	require.ErrorAs(t, err, &ke)
	require.ErrorContains(t, err, path)
	require.ErrorIs(t, nn.LoadStateDictFile(path+"x", m), os.ErrNotExist)
	require.ErrorIs(t, nn.SaveStateDict(path+".d/x", m), os.ErrNotExist)
	m.Scale.Free()
	require.ErrorContains(t, nn.SaveStateDict(path, m), "nn: save "+path)
}

func ExampleSaveStateDict() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "linear.pth")
	if err := nn.SaveStateDict(path, nn.NewLinear(4, 2)); err != nil { // in Python: nn.Linear(4, 2).load_state_dict(torch.load(path))
		panic(err)
	}
	if err := nn.LoadStateDictFile(path, nn.NewLinear(4, 2)); err != nil {
		panic(err)
	}
	// Output:
}
