package nn_test

import (
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

type symmetric struct{ _ byte }

func (*symmetric) Forward(x *torch.Tensor) *torch.Tensor {
	return x.Triu().Add(x.Triu(torch.TriuOptions{Diagonal: 1}).MT())
}

type scaled struct{ Scale *torch.Tensor }

func newScaled() *scaled { return &scaled{torch.Full(2.0).RequireGrad(true)} }

func (p *scaled) Forward(x *torch.Tensor) *torch.Tensor      { return x.Mul(p.Scale) }
func (p *scaled) RightInverse(x *torch.Tensor) *torch.Tensor { return x.Div(p.Scale) }

// TestParametrizationsLive compares parametrized layers with PyTorch's bit for bit, while training, in evaluation, and
// without the parametrizations.
func TestParametrizationsLive(t *testing.T) { live(t, parametrizationsLive) }

func parametrizationsLive(t *testing.T, p *torchtest.Interpreter) {
	register := func(m any, name string, ps ...any) any {
		for _, p := range ps {
			nn.RegisterParametrization(m, name, p)
		}
		return m
	}
	weight := []string{"weight"}
	for _, c := range []struct {
		python string
		g      func() any
		shape  []int
		remove []string
	}{
		{"parametrizations.weight_norm(nn.Linear(4, 3))", func() any { return nn.WeightNorm(nn.NewLinear(4, 3)) }, []int{2, 4}, weight},
		{"parametrizations.weight_norm(nn.Conv2d(4, 3, 2), dim=None)", func() any { return nn.WeightNorm(nn.NewConv2d(4, 3, 2), nn.WeightNormOptions{Dim: new(-1)}) }, []int{2, 4, 5, 5}, weight},
		{"parametrizations.weight_norm(nn.ConvTranspose2d(4, 3, 2), dim=1)", func() any {
			return nn.WeightNorm(nn.NewConvTranspose2d(4, 3, 2), nn.WeightNormOptions{Dim: new(1)})
		}, []int{2, 4, 5, 5}, weight},
		{"parametrizations.weight_norm(parametrizations.weight_norm(nn.LSTM(3, 4), 'weight_hh_l0'), 'weight_ih_l0')", func() any {
			return nn.WeightNorm(nn.WeightNorm(nn.NewLSTM(3, 4), nn.WeightNormOptions{Name: "weight_hh_l0"}), nn.WeightNormOptions{Name: "weight_ih_l0"})
		}, []int{5, 2, 3}, []string{"weight_hh_l0"}},
		{"parametrizations.spectral_norm(nn.Linear(4, 3))", func() any { return nn.SpectralNorm(nn.NewLinear(4, 3)) }, []int{2, 4}, weight},
		{"parametrizations.spectral_norm(nn.Conv2d(4, 3, 2, bias=False), n_power_iterations=3, eps=1e-4)", func() any {
			return nn.SpectralNorm(nn.NewConv2d(4, 3, 2, nn.Conv2dOptions{NoBias: true}), nn.SpectralNormOptions{PowerIterations: 3, Eps: new(1e-4)})
		}, []int{2, 4, 5, 5}, weight},
		{"parametrizations.spectral_norm(nn.ConvTranspose2d(4, 3, 2))", func() any { return nn.SpectralNorm(nn.NewConvTranspose2d(4, 3, 2)) }, []int{2, 4, 5, 5}, weight},
		{"parametrizations.spectral_norm(nn.Linear(4, 3), 'bias')", func() any { return nn.SpectralNorm(nn.NewLinear(4, 3), nn.SpectralNormOptions{Name: "bias"}) }, []int{2, 4}, []string{"bias"}},
		{"parametrizations.orthogonal(nn.Linear(4, 4))", func() any { return nn.Orthogonal(nn.NewLinear(4, 4)) }, []int{2, 4}, weight},
		{"parametrizations.orthogonal(nn.Linear(4, 6))", func() any { return nn.Orthogonal(nn.NewLinear(4, 6)) }, []int{2, 4}, weight},
		{"parametrizations.orthogonal(nn.Linear(6, 4), orthogonal_map='cayley')", func() any { return nn.Orthogonal(nn.NewLinear(6, 4), nn.OrthogonalOptions{Map: "cayley"}) }, []int{2, 6}, weight},
		{"parametrizations.orthogonal(nn.Linear(6, 4), orthogonal_map='matrix_exp')", func() any { return nn.Orthogonal(nn.NewLinear(6, 4), nn.OrthogonalOptions{Map: "matrix_exp"}) }, []int{2, 6}, weight},
		{"parametrizations.orthogonal(nn.Linear(6, 4), use_trivialization=False)", func() any { return nn.Orthogonal(nn.NewLinear(6, 4), nn.OrthogonalOptions{NoTrivialization: true}) }, []int{2, 6}, weight},
		{"parametrizations.orthogonal(nn.Linear(4, 4), orthogonal_map='cayley', use_trivialization=False)", func() any {
			return nn.Orthogonal(nn.NewLinear(4, 4), nn.OrthogonalOptions{Map: "cayley", NoTrivialization: true})
		}, []int{2, 4}, weight},
		{"parametrize.register_parametrization(nn.Linear(4, 4), 'weight', Symmetric())", func() any { return register(nn.NewLinear(4, 4), "weight", &symmetric{}) }, []int{2, 4}, weight},
		{"parametrize.register_parametrization(parametrize.register_parametrization(nn.Linear(4, 4), 'weight', Scaled()), 'weight', Symmetric())", func() any {
			return register(nn.NewLinear(4, 4), "weight", newScaled(), &symmetric{})
		}, []int{2, 4}, weight},
	} {
		want := p.Call("parametrized", c.python, c.shape, c.remove).([]torch.Value)
		torch.ManualSeed(7)
		m := c.g()
		sameState(t, m, want[0], c.python)
		require.NoError(t, torchtest.CheckClose(torch.Rand(3), want[1], exactly), c.python)
		n := 0
		for _, p := range nn.Parameters(m) {
			n += p.Numel()
		}
		require.EqualValues(t, want[3], n, c.python)
		path := filepath.Join(t.TempDir(), "m.pth")
		require.NoError(t, nn.SaveStateDict(path, m))
		require.NoError(t, torchtest.CheckClose(p.Call("lambda path: {k: v['version'] for k, v in torch.load(path)._metadata.items()}", path), want[2]), c.python)
		x := torch.Randn(c.shape...)
		forward := func() *torch.Tensor {
			if m, ok := m.(*nn.LSTM); ok {
				y, _ := m.Forward(x)
				return y
			}
			return m.(nn.Module).Forward(x)
		}
		rest := want[4:]
		for _, train := range []bool{true, true, false} {
			nn.Eval(m)
			if train {
				nn.Train(m)
			}
			y, z := forward(), forward()
			for _, p := range nn.Parameters(m) {
				p.ZeroGrad()
			}
			y.Add(z).PowScalar(2).Sum().Backward()
			require.NoError(t, torchtest.CheckClose(y.Detach().Contiguous(), rest[0], exactly), c.python)
			require.NoError(t, torchtest.CheckClose(gradients(m), rest[1], exactly), c.python)
			rest = rest[2:]
		}
		sameState(t, m, rest[0], c.python)
		nn.Train(m)
		for _, name := range c.remove {
			require.True(t, nn.IsParametrized(m, name))
			nn.RemoveParametrizations(m, name)
			require.False(t, nn.IsParametrized(m, name))
		}
		sameState(t, m, rest[1], c.python)
		require.NoError(t, torchtest.CheckClose(forward().Detach().Contiguous(), rest[2], exactly), c.python)
	}
}

// TestParametrized tests what surrounds parametrizations: old keys, copies, the cache, Assign, and that nothing keeps a module alive.
func TestParametrized(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	m := nn.WeightNorm(nn.NewLinear(4, 3))
	require.Equal(t, []string{"bias", "parametrizations.weight.original0", "parametrizations.weight.original1"}, names(m))
	x := torch.Randn(2, 4)
	y := m.Forward(x)
	old := torch.StateDict{
		{Name: "bias", Tensor: m.Bias},
		{Name: "weight_g", Tensor: nn.Parametrizations(m, "weight").Get("original0")},
		{Name: "weight_v", Tensor: nn.Parametrizations(m, "weight").Get("original1")},
	}
	other := nn.WeightNorm(nn.NewLinear(4, 3))
	require.NoError(t, nn.LoadStateDict(other, old))
	require.NoError(t, torchtest.CheckClose(other.Forward(x), y, exactly))

	e, err := nn.NewFeatureExtractor(nn.Sequential{m, &nn.ReLU{}}, "0")
	require.NoError(t, err)
	require.NoError(t, torchtest.CheckClose(e.Forward(x)["0"], y, exactly))

	nn.CacheParametrizations(func() {
		m.Forward(x)
		w := m.Weight
		torch.Scope(func() { m.Forward(x) })
		require.Same(t, w, m.Weight)
		m.Forward(x)
	})
	w := m.Weight
	torch.Scope(func() { m.Forward(x) })
	require.NotSame(t, w, m.Weight)
	require.Equal(t, []int{3, 4}, m.Weight.Shape(), "the field is alive after the scope")

	nn.Parametrizations(m, "weight").Assign(torch.Ones(3, 4))
	m.Forward(x)
	require.NoError(t, torchtest.CheckClose(m.Weight.Detach(), torch.Ones(3, 4)))

	nn.Eval(m)
	var wg sync.WaitGroup
	want := torch.Data[float32](m.Forward(x).Detach())
	for range 8 {
		wg.Go(func() {
			for range 20 {
				require.Equal(t, want, torch.Data[float32](m.Forward(x).Detach()))
			}
		})
	}
	wg.Wait()

	freed := make(chan bool)
	runtime.AddCleanup(nn.WeightNorm(nn.NewLinear(4, 3)), func(c chan bool) { close(c) }, freed)
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-freed:
			return true
		default:
			return false
		}
	}, 10e9, 10e6)
}

func names(m any) (names []string) {
	for _, e := range nn.StateDict(m) {
		names = append(names, e.Name)
	}
	return names
}

type narrow struct{ _ byte }

func (*narrow) Forward(x *torch.Tensor) *torch.Tensor { return x.Narrow(0, 0, 1) }

func TestParametrizationMistakes(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	linear := func() *nn.Linear { return nn.NewLinear(4, 3) }
	for want, f := range map[string]func(){
		`WeightNorm: a *nn.Linear has no parameter or buffer "w"`:  func() { nn.WeightNorm(linear(), nn.WeightNormOptions{Name: "w"}) },
		"WeightNorm: the dimension is 2":                           func() { nn.WeightNorm(linear(), nn.WeightNormOptions{Dim: new(2)}) },
		"nn.Linear is no module; pass a pointer to a struct":       func() { nn.WeightNorm(*linear()) },
		"SpectralNorm: the dimension is -3; it must be in [-2, 1]": func() { nn.SpectralNorm(linear(), nn.SpectralNormOptions{Dim: new(-3)}) },
		"SpectralNorm: there are -1 power iterations":              func() { nn.SpectralNorm(linear(), nn.SpectralNormOptions{PowerIterations: -1}) },
		"Orthogonal: the weight is [3]; it must be a matrix":       func() { nn.Orthogonal(linear(), nn.OrthogonalOptions{Name: "bias"}) },
		`Orthogonal: the map is "exp"; it can be`:                  func() { nn.Orthogonal(linear(), nn.OrthogonalOptions{Map: "exp"}) },
		"the parametrization is a int; it must be a pointer":       func() { nn.RegisterParametrization(linear(), "weight", 3) },
		`turns "weight", [3 4] float32, into [1 4] float32`:        func() { nn.RegisterParametrization(linear(), "weight", &narrow{}) },
		`a *nn.Linear has no parametrization of "weight"`:          func() { nn.RemoveParametrizations(linear(), "weight") },
		`"weight" has 2 originals, of which none can be left as the tensor`: func() {
			nn.RemoveParametrizations(nn.WeightNorm(linear()), "weight", nn.RemoveParametrizationsOptions{LeaveOriginal: true})
		},
		"the parametrization *nn_test.symmetric has no inverse": func() {
			m := nn.NewLinear(3, 3)
			nn.RegisterParametrization(m, "weight", &symmetric{})
			nn.Parametrizations(m, "weight").Assign(torch.Ones(3, 3))
		},
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	m := linear()
	require.Error(t, torch.Try(func() { nn.RegisterParametrization(m, "weight", &narrow{}) }))
	require.Equal(t, []string{"weight", "bias"}, names(m), "a failure changes nothing")
	require.Equal(t, []int{2, 3}, m.Forward(torch.Ones(2, 4)).Shape())
}
