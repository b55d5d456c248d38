package optim

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

const averagedScript = `
import copy, torch
import torch.nn.functional as F
from torch.optim import swa_utils as U
torch.set_num_threads(1)

def averaged(how, path, go):
    """Trains a model and averages it; checks that what Go saved is equal."""
    torch.manual_seed(3)
    nn = torch.nn
    m = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))
    x, y = torch.randn(5, 8, 4), torch.randn(5, 8, 2)
    a = U.AveragedModel(m, **eval(how))
    opt = torch.optim.SGD(m.parameters(), lr=0.1)
    s = U.SWALR(opt, 0.05)
    for i in range(12):
        opt.zero_grad()
        F.mse_loss(m(x[i % 5]), y[i % 5]).backward()
        opt.step()
        s.step()
        a.update_parameters(m)
    before = a.state_dict()
    before = {k: v.clone() for k, v in before.items()}
    U.update_bn([x[i] for i in range(5)], a)
    torch.save(a.state_dict(), path)
    d = torch.load(go)
    for name, want in (("before", before), ("after", a.state_dict())):
        got = d[name]
        assert list(got) == list(want), f"{list(got)} {list(want)}"
        for k in want: assert torch.equal(got[k], want[k]), f"{how} {name} {k}: {got[k]} {want[k]}"
    a.load_state_dict(d["after"])
`

// TestAveragedModel compares averages of a model in training with Python's.
func TestAveragedModel(t *testing.T) {
	python := reference.Start(t, averagedScript)
	for how, o := range map[string]AveragedModelOptions{
		"{}":                                 {},
		"dict(use_buffers=True)":             {UseBuffers: true},
		"dict(avg_fn=U.get_ema_avg_fn(0.9))": {AvgFn: GetEMAAvgFn(0.9)},
		"dict(multi_avg_fn=U.get_ema_multi_avg_fn(0.9))":                   {MultiAvgFn: GetEMAMultiAvgFn(0.9)},
		"dict(multi_avg_fn=U.get_ema_multi_avg_fn(0.9), use_buffers=True)": {MultiAvgFn: GetEMAMultiAvgFn(0.9), UseBuffers: true},
		"dict(multi_avg_fn=U.get_swa_multi_avg_fn())":                      {MultiAvgFn: GetSWAMultiAvgFn()},
		"dict(avg_fn=lambda a, b, n: a * 0.5 + b * 0.5 / (n + 1))": {AvgFn: func(a, b *torch.Tensor, n int) *torch.Tensor {
			return a.MulScalar(0.5).Add(b.MulScalar(0.5).DivScalar(n + 1))
		}},
	} {
		torch.Run(func() {
			libtorch.SetThreadWidth(1)
			torch.ManualSeed(3)
			m := nn.Sequential{nn.NewLinear(4, 6), nn.NewBatchNorm1d(6), &nn.ReLU{}, nn.NewLinear(6, 2)}
			x, y := torch.Randn(5, 8, 4), torch.Randn(5, 8, 2)
			a := NewAveragedModel(m, o)
			opt := NewSGD(nn.Parameters(m), SGDOptions{LR: 0.1})
			s := NewSWALR(opt, 0.05)
			for i := range 12 {
				opt.ZeroGrad()
				F.MSELoss(m.Forward(x.Select(0, i%5)), y.Select(0, i%5)).Backward()
				opt.Step()
				s.Step()
				a.UpdateParameters(m)
			}
			before := torch.StateDict{}
			for _, e := range nn.StateDict(a) {
				before = append(before, torch.Named{Name: e.Name, Tensor: e.Tensor.Detach().Clone()})
			}
			UpdateBN(slices.Values(x.Unbind(0)), a)
			path := filepath.Join(t.TempDir(), "go.pt")
			require.NoError(t, torch.Save(path, map[string]any{"before": before, "after": nn.StateDict(a)}))
			fromPython := filepath.Join(t.TempDir(), "python.pt")
			python.Call(nil, "averaged", how, fromPython, path)
			state, err := torch.LoadStateDict(fromPython)
			require.NoError(t, err)
			require.NoError(t, nn.LoadStateDict(a, state))
		})
	}
}
