package nn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

type shared struct {
	Scale *torch.Tensor
	BN    *BatchNorm2d `nn:"norm"`
}

type net struct {
	shared
	Embedded
	Head   Sequential
	Blocks []*Linear
	Table  [2]*torch.Tensor
	Own    Linear
	Mean   *torch.Tensor `nn:",buffer"`
	Cache  *torch.Tensor `nn:"-"`
	Absent *Linear
	Sizes  []int
	hidden *Linear

	Training bool
}

// Embedded is exported, so its fields count as the outer struct's.
type Embedded struct {
	First *Linear
	Alpha *torch.Tensor `nn:"a_lpha"`
}

func newNet() *net {
	return &net{
		shared:   shared{Scale: torch.Ones(1), BN: NewBatchNorm2d(2)},
		Embedded: Embedded{First: NewLinear(2, 3), Alpha: torch.Ones(2)},
		Head:     Sequential{NewConv2d(2, 4, 1, Conv2dOptions{NoBias: true}), &ReLU{}, NewBatchNorm2d(4), Sequential{NewDropout(0.5), NewLinear(3, 3)}},
		Blocks:   []*Linear{NewLinear(1, 1), nil, NewLinear(1, 1, LinearOptions{NoBias: true})},
		Table:    [2]*torch.Tensor{torch.Ones(1), torch.Ones(2)},
		Own:      *NewLinear(1, 2),
		Mean:     torch.Ones(3),
		Cache:    torch.Ones(3),
		hidden:   NewLinear(1, 1),
		Training: true,
	}
}

func keys(s torch.StateDict) []string {
	names := make([]string, len(s))
	for i, e := range s {
		names[i] = e.Name
	}
	return names
}

func TestKeys(t *testing.T) {
	m := newNet()
	require.Equal(t, []string{
		"scale", "a_lpha", "mean",
		"norm.weight", "norm.bias", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked",
		"first.weight", "first.bias",
		"head.0.weight",
		"head.2.weight", "head.2.bias", "head.2.running_mean", "head.2.running_var", "head.2.num_batches_tracked",
		"head.3.1.weight", "head.3.1.bias",
		"blocks.0.weight", "blocks.0.bias", "blocks.2.weight",
		"table.0", "table.1",
		"own.weight", "own.bias",
	}, keys(StateDict(m)))
	require.Len(t, Parameters(m), 18)
	require.True(t, m.First.Weight.RequiresGrad())
	require.False(t, m.Head[2].(*BatchNorm2d).RunningMean.RequiresGrad())
}

func TestModes(t *testing.T) {
	m := newNet()
	dropout := m.Head[3].(Sequential)[0].(*Dropout)
	require.True(t, dropout.Training)
	Eval(m)
	require.False(t, m.Training)
	require.False(t, dropout.Training)
	require.False(t, m.Head[2].(*BatchNorm2d).Training)
	Train(m)
	require.True(t, m.Training)
	require.True(t, dropout.Training)
}

func TestWalkMistakes(t *testing.T) {
	type loop struct{ Next *loop }
	self := &loop{}
	self.Next = &loop{Next: self}
	type typo struct {
		X *torch.Tensor `nn:",bufer"`
	}
	for name, m := range map[string]any{"no pointer": net{}, "nil": nil, "int": 3, "loop": self, "tag": &typo{}} {
		var e *torch.Error
		require.ErrorAs(t, torch.Try(func() { StateDict(m) }), &e, name)
	}
}

func TestSharedModule(t *testing.T) {
	l := NewLinear(2, 2)
	s := Sequential{l, l}
	require.Equal(t, []string{"0.weight", "0.bias", "1.weight", "1.bias"}, keys(StateDict(s)))
	require.Len(t, Parameters(s), 2)
}

func TestMetaInitializesNothing(t *testing.T) {
	torch.ManualSeed(7)
	want := torch.Rand(3)
	torch.ManualSeed(7)
	before := torch.LiveBytes()
	var m *Conv2d
	torch.WithDevice(torch.Meta, func() { m = NewConv2d(512, 512, 3) })
	require.Equal(t, before, torch.LiveBytes())
	require.Equal(t, torch.Meta, m.Weight.Device())
	require.True(t, want.Equal(torch.Rand(3)), "a meta layer drew random numbers")
}

func TestLoadStateDict(t *testing.T) {
	x := torch.Randn(2, 2, 5, 5)
	build := func() Sequential {
		return Sequential{NewConv2d(2, 4, 3), NewBatchNorm2d(4), &ReLU{}}
	}
	from := build()
	Train(from)
	from.Forward(x) // moves the running statistics
	Eval(from)
	want := from.Forward(x)

	for _, assign := range []bool{false, true} {
		to := build()
		Eval(to)
		require.NoError(t, LoadStateDict(to, StateDict(from), LoadOptions{Assign: assign}))
		require.True(t, want.Equal(to.Forward(x)))
		require.True(t, to[0].(*Conv2d).Weight.RequiresGrad())
	}

	var meta Sequential
	torch.WithDevice(torch.Meta, func() { meta = build() })
	Eval(meta)
	require.ErrorContains(t, LoadStateDict(meta, StateDict(from)), `"0.weight" is on the meta device`)
	s := StateDict(from)
	require.NoError(t, LoadStateDict(meta, s, LoadOptions{Assign: true}))
	require.True(t, want.Equal(meta.Forward(x)))
	require.False(t, meta[1].(*BatchNorm2d).RunningVar.RequiresGrad())
}

func TestLoadConvertsDType(t *testing.T) {
	s := torch.StateDict{{Name: "weight", Tensor: torch.FromSlice([]float64{1.5, 2}, 1, 2)}, {Name: "bias", Tensor: torch.FromSlice([]int64{3})}}
	for _, assign := range []bool{false, true} {
		m := NewLinear(2, 1)
		require.NoError(t, LoadStateDict(m, s, LoadOptions{Assign: assign}))
		require.Equal(t, []float32{1.5, 2}, torch.Data[float32](m.Weight))
		require.Equal(t, []float32{3}, torch.Data[float32](m.Bias))
	}
}

func TestLoadNamesEveryKey(t *testing.T) {
	m := Sequential{NewLinear(2, 3), NewBatchNorm2d(3)}
	before := torch.Data[float32](m[0].(*Linear).Weight)
	s := torch.StateDict{
		{Name: "0.weight", Tensor: torch.Ones(3, 2)},
		{Name: "0.bias", Tensor: torch.Ones(4)},
		{Name: "1.weight", Tensor: torch.Ones(3)},
		{Name: "extra", Tensor: torch.Ones(3)},
	}
	err := LoadStateDict(m, s)
	var e *KeyError
	require.ErrorAs(t, err, &e)
	require.Equal(t, []string{"1.bias", "1.running_mean", "1.running_var"}, e.Missing)
	require.Equal(t, []string{"extra"}, e.Unexpected)
	require.Equal(t, []Mismatch{{Name: "0.bias", Got: []int{4}, Want: []int{3}}}, e.Mismatched)
	require.EqualError(t, err, `the state dict does not fit the module: missing "1.bias", "1.running_mean", "1.running_var"; unexpected "extra"; of the wrong shape "0.bias" [4] for [3]`)
	require.Equal(t, before, torch.Data[float32](m[0].(*Linear).Weight), "a failed load changed the module")

	path := filepath.Join(t.TempDir(), "other.pth")
	require.NoError(t, SaveStateDict(path, NewConv2d(3, 4, 5))) // another model
	require.EqualError(t, LoadStateDictFile(path, NewLinear(2, 3)), "nn: load "+path+`: the state dict does not fit the module: of the wrong shape "weight" [4, 3, 5, 5] for [3, 2], "bias" [4] for [3]`)
	require.EqualError(t, LoadStateDictFile(path, Sequential{NewLinear(2, 3)}), "nn: load "+path+`: the state dict does not fit the module: missing "0.weight", "0.bias"; unexpected "weight", "bias"`)

	s[1].Tensor = torch.Ones(3)
	require.NoError(t, LoadStateDict(m, s, LoadOptions{NotStrict: true}))
	require.Equal(t, []float32{1, 1, 1}, torch.Data[float32](m[0].(*Linear).Bias))
}

// TestLoadMatching loads what fits, of a model with another head and more layers.
func TestLoadMatching(t *testing.T) {
	type body struct{ First, Second *Linear }
	type net struct {
		body
		Head *Linear
	}
	type other struct {
		body
		Head *Linear
		More *Linear
	}
	m := &net{body{NewLinear(2, 3), NewLinear(3, 3)}, NewLinear(3, 5)}
	from := &other{body{NewLinear(2, 3), NewLinear(3, 3)}, NewLinear(3, 7), NewLinear(2, 2)}
	head := torch.Data[float32](m.Head.Weight.Detach().Clone())
	s := StateDict(from)[1:] // without first.weight
	left, err := LoadMatching(m, s)
	require.NoError(t, err)
	require.Equal(t, []string{"first.weight"}, left.Missing)
	require.Equal(t, []string{"more.weight", "more.bias"}, left.Unexpected)
	require.Equal(t, []Mismatch{{"head.weight", []int{7, 3}, []int{5, 3}}, {"head.bias", []int{7}, []int{5}}}, left.Mismatched)
	require.Equal(t, torch.Data[float32](from.Second.Weight.Detach()), torch.Data[float32](m.Second.Weight.Detach()))
	require.Equal(t, head, torch.Data[float32](m.Head.Weight.Detach()))
	left, err = LoadMatching(&from.body, StateDict(&m.body))
	require.NoError(t, err)
	require.Nil(t, left)
	_, err = LoadMatching(&m.body, StateDict(NewLinear(4, 4)))
	var e *KeyError
	require.ErrorAs(t, err, &e)
	require.Len(t, e.Missing, 4)
}

func TestLoadWithoutNumBatchesTracked(t *testing.T) {
	s := torch.StateDict{}
	for _, e := range StateDict(NewBatchNorm2d(3)) {
		if e.Name != "num_batches_tracked" {
			s = append(s, e)
		}
	}
	var m *BatchNorm2d
	torch.WithDevice(torch.Meta, func() { m = NewBatchNorm2d(3) })
	require.NoError(t, LoadStateDict(m, s, LoadOptions{Assign: true}))
	require.Equal(t, torch.CPU, m.NumBatchesTracked.Device())
	require.Zero(t, m.NumBatchesTracked.Item())
}

func TestToKeepsTensors(t *testing.T) {
	m := NewLinear(2, 2)
	w := m.Weight
	To(m, torch.CPU)
	require.Same(t, w, m.Weight)
	require.True(t, w.RequiresGrad())
	if n, err := torch.CUDACount(t.Context()); err == nil && n > 0 {
		To(m, torch.CUDA)
		require.Same(t, w, m.Weight)
		require.Equal(t, "cuda", w.Device().Type())
		m.Forward(torch.Ones(1, 2).To(torch.CUDA))
	} else {
		require.Error(t, torch.Try(func() { To(m, torch.CUDA) }))
	}
}

func TestDefaultDType(t *testing.T) {
	torch.SetDefaultDType(torch.Float64)
	defer torch.SetDefaultDType(torch.Float32)
	for _, m := range []any{NewLinear(2, 3), NewConv2d(2, 3, 1), NewBatchNorm2d(2)} {
		for _, e := range StateDict(m) {
			if e.Name != "num_batches_tracked" {
				require.Equal(t, torch.Float64, e.Tensor.DType(), "%T %s", m, e.Name)
			}
		}
	}
}

func TestToMemoryFormat(t *testing.T) {
	m := struct{ Conv, Other *Conv2d }{NewConv2d(3, 4, 3), NewConv2d(4, 2, 1)}
	w, x := m.Conv.Weight, torch.Rand(2, 3, 8, 8)
	want := torch.Data[float32](m.Other.Forward(m.Conv.Forward(x)))
	ToMemoryFormat(&m, torch.ChannelsLast)
	require.Same(t, w, m.Conv.Weight)
	require.True(t, w.RequiresGrad())
	require.True(t, w.IsContiguous(torch.ContiguousOptions{MemoryFormat: torch.ChannelsLast}))
	require.False(t, w.IsContiguous())
	require.Equal(t, []int{4}, m.Conv.Bias.Shape())
	y := m.Other.Forward(m.Conv.Forward(x.ToMemoryFormat(torch.ChannelsLast)))
	require.True(t, y.IsContiguous(torch.ContiguousOptions{MemoryFormat: torch.ChannelsLast}))
	require.InDeltaSlice(t, want, torch.Data[float32](y), 1e-5)
	require.ErrorContains(t, torch.Try(func() { ToMemoryFormat(&m, torch.ChannelsLast3d) }), "rank 5")
}

func TestLayerMistakes(t *testing.T) {
	x := torch.Ones(1, 3, 4, 4)
	for name, f := range map[string]func(){
		"channels":  func() { NewConv2d(4, 4, 3).Forward(x) },
		"groups":    func() { NewConv2d(3, 4, 3, Conv2dOptions{Groups: 2}) },
		"features":  func() { NewLinear(5, 1).Forward(x) },
		"dims":      func() { NewBatchNorm2d(3).Forward(torch.Ones(3)) },
		"p":         func() { F.Dropout(x, 1.5, true) },
		"new p":     func() { NewDropout(1.5) },
		"p below 0": func() { NewDropout(-0.1) },
		"one value": func() { NewBatchNorm2d(3).Forward(torch.Ones(1, 3, 1, 1)) },
		"momenta":   func() { NewBatchNorm2d(3, BatchNorm2dOptions{Cumulative: true, Momentum: new(0.1)}) },
		"two":       func() { NewLinear(1, 1, LinearOptions{}, LinearOptions{NoBias: true}) },
		"pad":       func() { F.MaxPool2d(x, 2, F.MaxPool2dOptions{Padding: 2}) },
		"pool":      func() { NewAdaptiveAvgPool2d([]int{-1, 1}).Forward(x) },
		"nil input": func() { NewLinear(1, 1).Forward(nil) },
	} {
		var e *torch.Error
		require.ErrorAs(t, torch.Try(f), &e, name)
	}
	require.ErrorIs(t, torch.Try(func() { F.ReLU(nil) }), torch.ErrNil)
	require.True(t, errors.Is(torch.Try(func() { F.Linear(x, nil, nil) }), torch.ErrNil))
}

// TestMomentum compares running statistics with what batches of one value give.
func TestMomentum(t *testing.T) {
	for name, c := range map[string]struct {
		o    BatchNorm2dOptions
		want float64 // after batches of 1, 2 and 6
	}{
		"default":    {BatchNorm2dOptions{}, (0.1*0.9+0.1*2)*0.9 + 0.1*6},
		"0":          {BatchNorm2dOptions{Momentum: new(0.0)}, 0},
		"1":          {BatchNorm2dOptions{Momentum: new(1.0)}, 6},
		"cumulative": {BatchNorm2dOptions{Cumulative: true}, 3},
	} {
		m := NewBatchNorm2d(2, c.o)
		for _, v := range []float64{1, 2, 6} {
			m.Forward(torch.Full(v, 2, 2, 3, 3))
		}
		require.InDelta(t, c.want, m.RunningMean.Select(0, 1).Item(), 1e-6, name)
	}
	m := NewBatchNorm2d(1, BatchNorm2dOptions{Eps: new(0.0)})
	Eval(m)
	require.Equal(t, 1.0, m.Forward(torch.Ones(1, 1, 1, 1)).Item())
}

func TestSequentialFreesIntermediates(t *testing.T) {
	torch.NoGrad(func() {
		s := Sequential{&ReLU{}, &ReLU{}, &ReLU{}}
		x := torch.Ones(1 << 20)
		before := torch.LiveBytes()
		y := s.Forward(x)
		require.LessOrEqual(t, torch.LiveBytes()-before, int64(4<<20+4096))
		require.True(t, x.Equal(y), "the input was freed")
	})
}

func TestModules(t *testing.T) {
	m := newNet()
	m.Blocks = append(m.Blocks, m.First)
	all := Modules(m)
	require.Same(t, m, all[0])
	require.Equal(t, []any{m.BN, m.First, m.Head, m.Head[0]}, all[1:5])
	require.Contains(t, all, any(&m.Own))
	count := 0
	for _, x := range all {
		if x == any(m.First) {
			count++
		}
	}
	require.Equal(t, 1, count)
}

// block is a container with other methods, as a subclass of nn.Sequential in Python.
type block struct {
	SequentialDict
	Scale *torch.Tensor
}

func (*block) StateVersion() int { return 2 }

func TestEmbeddedContainers(t *testing.T) {
	m := &struct {
		Sequential
		Dict SequentialDict
	}{
		Sequential: Sequential{NewLinear(1, 1, LinearOptions{NoBias: true}), &block{SequentialDict{{"a-0", NewBatchNorm2d(2)}, {"none", nil}}, torch.Ones(1)}},
		Dict:       SequentialDict{{"b", Sequential{&ReLU{}, NewLinear(2, 2)}}, {"none", nil}},
	}
	require.Equal(t, []string{
		"0.weight", "1.scale",
		"1.a-0.weight", "1.a-0.bias", "1.a-0.running_mean", "1.a-0.running_var", "1.a-0.num_batches_tracked",
		"dict.b.1.weight", "dict.b.1.bias",
	}, keys(StateDict(m)))
	Eval(m)
	require.False(t, m.Sequential[1].(*block).Get("a-0").(*BatchNorm2d).Training)
	require.Nil(t, m.Dict.Get("c"))
	var versions []string
	for _, v := range walkAll(m, nil).modules {
		versions = append(versions, fmt.Sprint(v.name, " ", v.version))
	}
	require.Equal(t, []string{" 1", "0 1", "1 2", "1.a-0 2", "dict 1", "dict.b 1", "dict.b.0 1", "dict.b.1 1"}, versions)
}
