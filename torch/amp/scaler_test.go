package amp_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
	"github.com/torchhub/torchhub/torch/nn/functional"
)

// sgd is an optimizer: p -= lr * p.grad.
type sgd struct {
	parameters []*torch.Tensor
	lr         float64
	steps      int
}

func (o *sgd) Parameters() []*torch.Tensor { return o.parameters }

func (o *sgd) Step() {
	o.steps++
	torch.NoGrad(func() {
		for _, p := range o.parameters {
			if g := p.Grad(); g != nil {
				p.AddInPlace(g, torch.AddOptions{Alpha: -o.lr})
			}
		}
	})
}

func parameter(values ...float32) *torch.Tensor {
	return torch.FromSlice(values).RequireGrad(true)
}

// The example of the reference: the gradients 1, 1, inf and 1 with the scale 4, which grows after 2 steps.
func TestGradScaler(t *testing.T) {
	s := amp.NewGradScaler(torch.CPU, amp.GradScalerOptions{InitScale: new(4.0), GrowthInterval: new(2)})
	p := parameter(1)
	o := &sgd{parameters: []*torch.Tensor{p, parameter(3)}, lr: 0.5}
	require.Equal(t, 4.0, s.ScaleFactor())
	var scales []float64
	for _, g := range []float64{1, 1, math.Inf(1), 1} {
		p.ZeroGrad()
		s.Scale(p.Sum().MulScalar(g)).Backward()
		require.Equal(t, !math.IsInf(g, 0), s.Step(o))
		s.Update()
		scales = append(scales, s.ScaleFactor())
	}
	require.Equal(t, []float64{4, 8, 4, 4}, scales)
	require.Equal(t, 3, o.steps)
	require.Equal(t, []float32{-0.5}, torch.Data[float32](p))

	p.ZeroGrad()
	s.Scale(p.Sum()).Backward()
	s.Unscale(o)
	require.Equal(t, []float32{1}, torch.Data[float32](p.Grad()))
	require.ErrorContains(t, torch.Try(func() { s.Unscale(o) }), "since the last Update")
	s.Step(o)
	require.ErrorContains(t, torch.Try(func() { s.Step(o) }), "since the last Update")
	require.ErrorContains(t, torch.Try(func() { s.Unscale(o) }), "after Step")
	s.UpdateTo(7)
	require.Equal(t, 7.0, s.ScaleFactor())
	require.ErrorContains(t, torch.Try(func() { s.Update() }), "call Step before Update")
}

func TestGradScalerMistakes(t *testing.T) {
	s := amp.NewGradScaler(torch.CPU)
	o := &sgd{parameters: []*torch.Tensor{parameter(1)}}
	for name, f := range map[string]func(){
		"step first": func() { s.Step(o) }, "update first": s.Update, "unscale first": func() { s.Unscale(o) }, "no optimizer": func() { s.Step(nil) },
		"update to": func() { s.UpdateTo(1) }, "no optimizer to unscale": func() { s.Unscale(nil) },
		"growth":  func() { amp.NewGradScaler(torch.CPU, amp.GradScalerOptions{GrowthFactor: new(1.0)}) },
		"backoff": func() { amp.NewGradScaler(torch.CPU, amp.GradScalerOptions{BackoffFactor: new(1.0)}) },
		"NaN":     func() { amp.NewGradScaler(torch.CPU, amp.GradScalerOptions{BackoffFactor: new(math.NaN())}) },
		"nil":     func() { (*amp.GradScaler)(nil).Scale(torch.Ones(1)) },
		"device":  func() { amp.NewGradScaler("gpu") },
	} {
		var e *torch.Error
		require.ErrorAs(t, torch.Try(f), &e, name)
	}
	s.Scale(torch.Ones(1))
	require.ErrorContains(t, torch.Try(func() { s.Step(o) }), "no parameter of the optimizer has a gradient")
	half := torch.Options{DType: torch.Float16, RequiresGrad: true}.Ones(2)
	s.Scale(half.Sum()).Backward()
	require.ErrorContains(t, torch.Try(func() { s.Step(&sgd{parameters: []*torch.Tensor{half}}) }), "float16")
}

func TestGradScalerState(t *testing.T) {
	s := amp.NewGradScaler(torch.CPU, amp.GradScalerOptions{GrowthInterval: new(9)})
	s.Scale(torch.Ones(1))
	var b bytes.Buffer
	require.NoError(t, torch.SaveTo(&b, s.StateDict()))
	v, err := torch.LoadFrom(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	other := amp.NewGradScaler(torch.CPU, amp.GradScalerOptions{InitScale: new(3.0)})
	require.NoError(t, other.LoadStateDict(v.(*torch.Dict)))
	require.Equal(t, s.StateDict(), other.StateDict())
	require.NoError(t, s.LoadStateDict(&torch.Dict{Entries: []torch.Entry{{Key: "scale", Value: 2.0}, {Key: "growth_factor", Value: 3}, {Key: "backoff_factor", Value: 0.25}, {Key: "growth_interval", Value: 5}, {Key: "_growth_tracker", Value: 4}}}))
	require.Equal(t, []any{2.0, 3.0, 0.25, 5}, []any{s.ScaleFactor(), s.GrowthFactor, s.BackoffFactor, s.GrowthInterval})
	require.Equal(t, float32(2), torch.Data[float32](s.Scale(torch.Ones(1)))[0])
	s.GrowthFactor, s.BackoffFactor, s.GrowthInterval = 4, 0.125, 6
	tracker, _ := s.StateDict().Get("_growth_tracker")
	require.Equal(t, []any{4.0, 0.125, 6, 4}, []any{s.GrowthFactor, s.BackoffFactor, s.GrowthInterval, tracker})
	for _, d := range []*torch.Dict{nil, {}, {Entries: []torch.Entry{{Key: "scale", Value: 2.0}}}, {Entries: []torch.Entry{{Key: "scale", Value: "2"}}}} {
		require.Error(t, s.LoadStateDict(d))
	}
	off := amp.NewGradScaler(torch.CPU, amp.GradScalerOptions{Disabled: true})
	require.Empty(t, off.StateDict().Entries)
	require.NoError(t, off.LoadStateDict(nil))
	x := torch.Ones(1)
	require.Same(t, x, off.Scale(x))
	o := &sgd{}
	require.True(t, off.Step(o))
	require.Equal(t, 1, o.steps)
	off.Unscale(o)
	off.Update()
	off.UpdateTo(2)
	require.Equal(t, 1.0, off.ScaleFactor())
	require.False(t, off.IsEnabled())
	if n, _ := torch.CUDACount(t.Context()); n == 0 {
		require.False(t, amp.NewGradScaler("").IsEnabled()) // as in Python
	}
}

const scalerScript = `
import torch
torch.set_num_threads(1)
from torch.nn import functional as F

# Trains an MLP with autocast and a scaler whose scale overflows float16 at first.
def train(dtype, steps, bad):
	torch.manual_seed(0)
	w1 = (torch.randn(8, 16) * 0.3).requires_grad_()
	w2 = (torch.randn(16, 1) * 0.3).requires_grad_()
	table = torch.randn(10, 8).requires_grad_()
	parameters = [w1, w2, table]
	optimizer = torch.optim.SGD(parameters, lr=0.05)
	scaler = torch.amp.GradScaler("cpu", init_scale=2.0**18, growth_interval=3, growth_factor=4.0, backoff_factor=0.25)
	out = []
	for step in range(steps):
		x, y = torch.randn(4, 8), torch.randn(4, 1)
		index = torch.randint(10, (4,))
		optimizer.zero_grad()
		with torch.autocast("cpu", dtype=getattr(torch, dtype)):
			e = F.embedding(index, table, sparse=True)
			loss = F.mse_loss(torch.relu((x + e) @ w1) @ w2, y)
		if step in bad:
			loss = loss * float("inf")
		scaler.scale(loss).backward()
		if step % 2:
			scaler.unscale_(optimizer)
		scaler.step(optimizer)
		scaler.update()
		s = scaler.state_dict()
		out.append([loss.item() if step not in bad else 0, s["scale"], s["_growth_tracker"]])
	return dict(Steps=out, Parameters=[p.detach() for p in parameters], State=s)
`

func TestGradScalerIsPythons(t *testing.T) {
	p := reference.Start(t, scalerScript)
	torch.SetNumThreads(1)
	for _, dtype := range []torch.DType{torch.Float16, torch.BFloat16} {
		var want struct {
			Steps      [][]float64
			Parameters []reference.Array
			State      map[string]float64
		}
		const steps = 24
		bad := []int{5, 6, 11}
		p.Call(&want, "train", dtype.String(), steps, bad)

		torch.ManualSeed(0)
		w1 := torch.Randn(8, 16).MulScalar(0.3).RequireGrad(true)
		w2 := torch.Randn(16, 1).MulScalar(0.3).RequireGrad(true)
		table := torch.Randn(10, 8).RequireGrad(true)
		o := &sgd{parameters: []*torch.Tensor{w1, w2, table}, lr: 0.05}
		s := amp.NewGradScaler(torch.CPU, amp.GradScalerOptions{InitScale: new(float64(1 << 18)), GrowthInterval: new(3), GrowthFactor: new(4.0), BackoffFactor: new(0.25)})
		var got [][]float64
		for step := range steps {
			x, y := torch.Randn(4, 8), torch.Randn(4, 1)
			index := torch.RandInt(0, 10, 4)
			for _, p := range o.parameters {
				p.ZeroGrad()
			}
			var loss *torch.Tensor
			amp.Autocast(torch.CPU, func() {
				e := functional.Embedding(index, table, functional.EmbeddingOptions{Sparse: true})
				loss = functional.MSELoss(x.Add(e).MatMul(w1).ReLU().MatMul(w2), y)
			}, amp.AutocastOptions{DType: dtype})
			value := loss.Item()
			for _, b := range bad {
				if step == b {
					loss, value = loss.MulScalar(math.Inf(1)), 0
				}
			}
			s.Scale(loss).Backward()
			if step%2 == 1 {
				s.Unscale(o)
			}
			s.Step(o)
			s.Update()
			tracker, _ := s.StateDict().Get("_growth_tracker")
			got = append(got, []float64{value, s.ScaleFactor(), float64(tracker.(int))})
		}
		require.Equal(t, want.Steps, got, dtype)
		for i, p := range o.parameters {
			require.Equal(t, reference.Data[float32](want.Parameters[i]), torch.Data[float32](p), "%v %d", dtype, i)
		}
		for _, e := range s.StateDict().Entries {
			require.EqualValues(t, fmt.Sprint(want.State[e.Key.(string)]), fmt.Sprint(e.Value), e.Key)
		}
	}
}

func ExampleGradScaler() {
	w := torch.FromSlice([]float32{2}).RequireGrad(true)
	opt := &sgd{parameters: []*torch.Tensor{w}, lr: 0.25}
	scaler := amp.NewGradScaler(torch.CPU)
	for range 3 {
		w.ZeroGrad()
		loss := w.Mul(w).Sum()
		scaler.Scale(loss).Backward()
		scaler.Step(opt)
		scaler.Update()
	}
	fmt.Println(w.Item(), scaler.ScaleFactor())
	// Output: 0.25 65536
}
