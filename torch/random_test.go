package torch_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

const randomScript = `
import torch
torch.set_num_threads(1)

# The state after draws of several kinds, of which an odd number of normals is kept in the state.
def draws(seed, normals):
	torch.manual_seed(seed)
	torch.rand(3), torch.randn(normals)
	return bytes(torch.get_rng_state().tolist())

def after(state):
	torch.set_rng_state(torch.from_numpy(state))
	return torch.randn(5).tolist() + torch.rand(3).tolist() + torch.randperm(7).tolist()

def generator(seed):
	g = torch.Generator().manual_seed(seed)
	torch.rand(2, generator=g)
	return dict(state=list(g.get_state().tolist()), seed=str(g.initial_seed()), device=str(g.device))

def refused(n):
	try:
		torch.set_rng_state(torch.zeros(n, dtype=torch.uint8))
	except RuntimeError as e:
		return str(e).split("\n")[0]
`

func TestRNGStateIsPythons(t *testing.T) {
	p := reference.Start(t, randomScript)
	for _, seed := range []int64{0, 1, -1, 1 << 40} {
		for _, normals := range []int{0, 1, 2, 5, 17, 100} {
			var state []byte
			p.Call(&state, "draws", seed, normals)
			torch.ManualSeed(seed)
			torch.Rand(3)
			torch.Randn(normals)
			ours := torch.RNGState()
			require.Equal(t, torch.Uint8, ours.DType())
			require.Equal(t, state, torch.Data[uint8](ours), "seed %d, %d normals", seed, normals)

			var want []float64
			p.Call(&want, "after", reference.NewArray(state, len(state)))
			torch.ManualSeed(99)
			torch.SetRNGState(torch.FromSlice(state))
			var got []float64
			for _, x := range []*torch.Tensor{torch.Randn(5), torch.Rand(3), torch.RandPerm(7)} {
				got = append(got, torch.Data[float64](x.ToDType(torch.Float64))...)
			}
			require.Equal(t, want, got)
		}
		var g struct {
			State        []int
			Seed, Device string
		}
		p.Call(&g, "generator", seed)
		ours := torch.NewGenerator(torch.CPU).ManualSeed(seed)
		torch.Zeros(2).UniformInPlace(0, 1, torch.RandomOptions{Generator: ours})
		require.Equal(t, g.Device, ours.Device().String())
		require.EqualValues(t, seed, int64(ours.InitialSeed()))
		for i, b := range torch.Data[uint8](ours.State()) {
			require.EqualValues(t, g.State[i], b)
		}
	}
	var text string
	p.Call(&text, "refused", 3)
	require.ErrorContains(t, torch.Try(func() { torch.SetRNGState(torch.FromSlice(make([]uint8, 3))) }), text)
}

func TestRNGState(t *testing.T) {
	state := torch.RNGState()
	defer torch.SetRNGState(state)
	torch.ManualSeed(7)
	require.EqualValues(t, 7, torch.InitialSeed())
	torch.Randn(3) // which keeps a normal for the next call
	before := torch.RNGState()
	want := torch.Data[float32](torch.Randn(5))
	torch.SetRNGState(before)
	require.Equal(t, want, torch.Data[float32](torch.Randn(5)))

	seed := torch.Seed()
	require.Equal(t, seed, torch.InitialSeed())
	first := torch.Data[float32](torch.Rand(4))
	torch.ManualSeed(int64(seed))
	require.Equal(t, first, torch.Data[float32](torch.Rand(4)))
	require.NotEqual(t, seed, torch.Seed())

	g := torch.NewGenerator("")
	require.Equal(t, g.Seed(), g.InitialSeed())
	h := torch.NewGenerator(torch.CPU)
	h.SetState(g.State())
	require.Equal(t, torch.Data[uint8](g.State()), torch.Data[uint8](h.State()))
	require.Equal(t, torch.CPU, h.Device())
	torch.ManualSeed(3)
	torch.DefaultGenerator("").ManualSeed(4)
	require.EqualValues(t, 4, torch.InitialSeed())
}

func TestForkRNG(t *testing.T) {
	torch.ManualSeed(5)
	want := torch.Data[float32](torch.Rand(4))
	for name, f := range map[string]func(){
		"return": func() { torch.Rand(10) },
		"panic":  func() { torch.ManualSeed(1); panic("boom") },
		"exit":   func() { torch.Randn(3); runtime.Goexit() },
		"nested": func() { torch.ForkRNG(func() { torch.Rand(1) }); torch.Rand(1) },
	} {
		torch.ManualSeed(5)
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			torch.ForkRNG(f)
		}()
		<-done
		require.Equal(t, want, torch.Data[float32](torch.Rand(4)), name)
	}
	torch.ManualSeed(5)
	torch.ForkRNG(func() { torch.Rand(4) }, torch.ForkRNGOptions{Disabled: true})
	require.NotEqual(t, want, torch.Data[float32](torch.Rand(4)))
	torch.ForkRNG(func() {}, torch.ForkRNGOptions{Devices: []torch.Device{}})
}

// A state that would make the engine read beyond its words is refused, and so is what
// is not a state; the generator keeps its own.
func TestBadRNGState(t *testing.T) {
	was := torch.RNGState()
	defer torch.SetRNGState(was)
	torch.ManualSeed(1)
	good := torch.Data[uint8](torch.RNGState())
	edit := func(at int, b ...byte) *torch.Tensor {
		s := append([]byte(nil), good...)
		copy(s[at:], b)
		return torch.FromSlice(s)
	}
	const left, next = 8, 16
	for name, x := range map[string]*torch.Tensor{
		"nothing left":     edit(left, 0, 0, 0, 0),
		"negative":         edit(left, 0xff, 0xff, 0xff, 0xff),
		"too many left":    edit(left, 0, 3, 0, 0),
		"far":              edit(next, 0xff, 0xff),
		"left from beyond": edit(left, 112, 2, 0, 0, 1, 0, 0, 0, 112, 2),
		"short":            torch.FromSlice(good[:5000]),
		"empty":            torch.FromSlice([]byte{}),
		"of float32":       torch.Ones(5056),
		"meta":             torch.Options{Device: torch.Meta, DType: torch.Uint8}.Empty(5056),
		"strided":          torch.FromSlice(append(good, good...)).Index(torch.Slice(0, 2*len(good), 2)),
		"nil":              nil,
	} {
		require.Error(t, torch.Try(func() { torch.SetRNGState(x) }), name)
		require.Equal(t, good, torch.Data[uint8](torch.RNGState()), name)
	}
	require.Error(t, torch.Try(func() { new(torch.Generator).State() }))
	require.Error(t, torch.Try(func() { (*torch.Generator)(nil).Seed() }))
	for _, d := range []torch.Device{"gpu", torch.Meta} {
		require.Error(t, torch.Try(func() { torch.DefaultGenerator(d) }), d)
	}
	if n, _ := torch.CUDACount(t.Context()); n > 0 {
		t.Skip("there are CUDA devices")
	}
	for _, err := range []error{
		torch.Try(func() { torch.DefaultGenerator(torch.CUDA) }), torch.Try(func() { torch.NewGenerator("cuda:1") }),
		torch.Try(func() { torch.ForkRNG(func() {}, torch.ForkRNGOptions{Devices: []torch.Device{torch.CUDA}}) }),
	} {
		require.ErrorContains(t, err, "CUDA")
		require.NotContains(t, strings.TrimSpace(err.Error()), "\n")
	}
}

// FuzzRNGState sets states whose first words were changed, and draws from them.
func FuzzRNGState(f *testing.F) {
	good := torch.NewGenerator(torch.CPU).State()
	f.Add(0, []byte{1, 2, 3}, 0)
	f.Add(8, []byte{0, 0, 0, 0}, 0)
	f.Add(8, []byte{112, 2, 0, 0, 1, 0, 0, 0, 112, 2}, 0)
	f.Add(16, []byte{255, 255, 255, 255, 255, 255, 255, 255}, 0)
	f.Add(5016, []byte{1, 1, 1, 1, 1, 1, 1, 1}, 0)
	f.Add(0, []byte{}, 10)
	f.Fuzz(func(t *testing.T, at int, edit []byte, cut int) {
		state := torch.Data[uint8](good)
		if at >= 0 && at < len(state) {
			copy(state[at:], edit)
		}
		state = state[:len(state)-min(max(cut, 0), len(state))]
		g := torch.NewGenerator(torch.CPU)
		before := torch.Data[uint8](g.State())
		if torch.Try(func() { g.SetState(torch.FromSlice(state)) }) != nil {
			require.Equal(t, before, torch.Data[uint8](g.State()))
			return
		}
		x := torch.Zeros(1500)
		x.UniformInPlace(0, 1, torch.RandomOptions{Generator: g})
		for _, v := range torch.Data[float32](x) {
			require.True(t, v >= 0 && v < 1, v)
		}
		x.NormalInPlace(0, 1, torch.RandomOptions{Generator: g})
	})
}
