package nn_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// tied has a weight twice, a module twice, lists, and a layer with a description of its own.
type tied struct {
	Scale   *torch.Tensor
	Embed   *nn.Embedding
	Head    *nn.Linear // whose weight is that of Embed
	Blocks  []*nn.Linear
	Mixed   []nn.Module
	Empty   []nn.Module
	Named   nn.SequentialDict
	Again   *nn.Linear // Head
	Own     described
	Cache   *torch.Tensor `nn:",buffer"`
	Sizes   []int
	Options struct{ Width int }
	hidden  *torch.Tensor
}

type described struct {
	Width int
	FC    *nn.Linear
}

func (d *described) Forward(x *torch.Tensor) *torch.Tensor { return d.FC.Forward(x) }

func (d *described) ExtraRepr() string { return fmt.Sprintf("width=%d\nlines=2", d.Width) }

func newTied() *tied {
	m := &tied{
		Scale: torch.Ones(1), Embed: nn.NewEmbedding(5, 3), Head: nn.NewLinear(3, 5),
		Blocks: []*nn.Linear{nn.NewLinear(3, 3), nn.NewLinear(3, 3), nn.NewLinear(3, 2)},
		Mixed:  []nn.Module{nn.Sequential{&nn.ReLU{}}, &nn.Tanh{}},
		Named:  nn.SequentialDict{{Name: "conv", Module: nn.NewConv2d(1, 2, 3)}, {Name: "act", Module: &nn.GELU{}}},
		Own:    described{Width: 4, FC: nn.NewLinear(1, 1)},
		Cache:  torch.Ones(2),
	}
	m.Scale.RequireGrad(true)
	m.Head.Weight, m.Again, m.hidden = m.Embed.Weight, m.Head, m.Cache
	return m
}

const tiedScript = `
class described(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(1, 1)
    def extra_repr(self): return "width=4\nlines=2"

class tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.embed, self.head = nn.Embedding(5, 3), nn.Linear(3, 5)
        self.blocks = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2)])
        self.mixed = nn.ModuleList([nn.Sequential(nn.ReLU()), nn.Tanh()])
        self.empty = nn.ModuleList()
        self.named = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), act=nn.GELU()))
        self.head.weight, self.again = self.embed.weight, self.head
        self.own = described()
        self.register_buffer("cache", torch.ones(2))

def helpers():
    m = tied()
    seen = []
    m.apply(lambda c: seen.append(type(c).__name__))
    return [repr(m), [n for n, _ in m.named_parameters()], [type(c).__name__ for c in m.children()], [type(c).__name__ for c in m.modules()], seen]
`

// TestHelpersLive compares what functions say of a module, its tied parameters and its lists.
func TestHelpersLive(t *testing.T) {
	p := torchtest.Python(t, tensorScript)
	m := newTied()
	want := p.Call("helpers").([]torch.Value)
	require.Equal(t, want[0], nn.Repr(m))
	var parameters, children, modules, applied []torch.Value
	for _, e := range nn.NamedParameters(m) {
		parameters = append(parameters, e.Name)
	}
	kind := func(m any) string {
		text := nn.Repr(m)
		for i, c := range text {
			if c == '(' {
				return text[:i]
			}
		}
		return text
	}
	for _, c := range nn.Children(m) {
		children = append(children, kind(c))
	}
	for _, c := range nn.Modules(m) {
		modules = append(modules, kind(c))
	}
	nn.Apply(m, func(m any) { applied = append(applied, kind(m)) })
	require.Equal(t, want[1:], []torch.Value{parameters, children, modules, applied})
}

func TestRepr(t *testing.T) {
	require.Equal(t, `tied(
  (embed): Embedding(5, 3)
  (head): Linear(in_features=3, out_features=5, bias=True)
  (blocks): ModuleList(
    (0-1): 2 x Linear(in_features=3, out_features=3, bias=True)
    (2): Linear(in_features=3, out_features=2, bias=True)
  )
  (mixed): ModuleList(
    (0): Sequential(
      (0): ReLU()
    )
    (1): Tanh()
  )
  (empty): ModuleList()
  (named): Sequential(
    (conv): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
    (act): GELU(approximate='none')
  )
  (again): Linear(in_features=3, out_features=5, bias=True)
  (own): described(
    width=4
    lines=2
    (fc): Linear(in_features=1, out_features=1, bias=True)
  )
)`, nn.Repr(newTied()))
	require.Equal(t, "None", nn.Repr(nil))
}

func TestClone(t *testing.T) {
	m := newTied()
	m.Scale.SetGrad(torch.Ones(1))
	c := nn.Clone(m)
	require.Equal(t, nn.Repr(m), nn.Repr(c))
	require.Same(t, c.Embed.Weight, c.Head.Weight)
	require.Same(t, c.Head, c.Again)
	require.Same(t, c.Cache, c.hidden)
	require.Nil(t, c.Scale.Grad())
	before, after := nn.StateDict(m), nn.StateDict(c)
	require.Len(t, after, len(before))
	for i, e := range before {
		require.Equal(t, e.Name, after[i].Name)
		require.NotSame(t, e.Tensor, after[i].Tensor)
		require.True(t, e.Tensor.Equal(after[i].Tensor), e.Name)
		require.Equal(t, e.Tensor.RequiresGrad(), after[i].Tensor.RequiresGrad(), e.Name)
		require.True(t, after[i].Tensor.IsLeaf())
	}
	torch.NoGrad(func() { c.Embed.Weight.FillInPlace(7) })
	require.NotEqual(t, 7.0, m.Head.Weight.Select(0, 0).Select(0, 0).Item())
	require.Equal(t, 7.0, c.Head.Weight.Select(0, 0).Select(0, 0).Item())

	dict := map[string]nn.Module{"a": nn.NewLinear(1, 1)}
	require.NotSame(t, dict["a"], nn.Clone(&struct{ M map[string]nn.Module }{dict}).M["a"])
	module := nn.Clone[nn.Module](nn.Sequential{nn.NewLinear(2, 2)})
	require.Equal(t, []int{2}, module.Forward(torch.Ones(2)).Shape())
}

func TestShare(t *testing.T) {
	m := newTied()
	m.Scale.SetGrad(torch.Ones(1))
	s := nn.Share(m)
	require.Equal(t, nn.Repr(m), nn.Repr(s))
	require.Same(t, s.Embed.Weight, s.Head.Weight)
	require.Nil(t, s.Scale.Grad())
	shared := nn.StateDict(s)
	for i, e := range nn.StateDict(m) {
		torch.NoGrad(func() { shared[i].Tensor.FillInPlace(float64(i)) })
		require.True(t, e.Tensor.Equal(shared[i].Tensor), e.Name)
		require.Equal(t, e.Tensor.RequiresGrad(), shared[i].Tensor.RequiresGrad(), e.Name)
	}
	d := nn.NewDropout(0.5)
	nn.Eval(nn.Share(d))
	require.True(t, d.Training)

	a := nn.NewLinear(2, 1)
	b := nn.Share(a)
	x := torch.Ones(1, 2).RequireGrad(true)
	loss := a.Forward(x).Sum()
	torch.NoGrad(func() { b.Weight.FillInPlace(3) }) // as by another goroutine
	loss.Backward()                                  // knows nothing of it
	require.Equal(t, []float32{3, 3}, torch.Data[float32](x.Grad()))
	require.NotNil(t, a.Weight.Grad())
	require.Nil(t, b.Weight.Grad())
}

func TestZeroGrad(t *testing.T) {
	m := nn.NewLinear(2, 1)
	autograd.Backward([]*torch.Tensor{m.Forward(torch.Ones(2))})
	require.NotNil(t, m.Weight.Grad())
	nn.ZeroGrad(m)
	require.Nil(t, m.Weight.Grad())
	require.Nil(t, m.Bias.Grad())
}

func TestBuffers(t *testing.T) {
	bn := nn.NewBatchNorm1d(2)
	require.Equal(t, []*torch.Tensor{bn.RunningMean, bn.RunningVar, bn.NumBatchesTracked}, nn.Buffers(nn.Sequential{bn, bn}))
	require.Equal(t, "0.running_mean", nn.NamedBuffers(nn.Sequential{bn, bn})[0].Name)
}
