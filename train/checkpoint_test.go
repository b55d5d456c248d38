package train_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/train"
)

// A net has dropout, so that its losses depend on the random number generator.
type net struct {
	FC1     *nn.Linear
	Norm    *nn.BatchNorm1d
	Dropout *nn.Dropout
	FC2     *nn.Linear
}

func newNet(hidden int) *net {
	return &net{nn.NewLinear(4, hidden), nn.NewBatchNorm1d(hidden), nn.NewDropout(0.3), nn.NewLinear(hidden, 3)}
}

func (m *net) forward(x *torch.Tensor) *torch.Tensor { // [N, 4] → [N, 3]
	return m.FC2.Forward(m.Dropout.Forward(m.Norm.Forward(m.FC1.Forward(x)).ReLU()))
}

// A noisy dataset draws from the generator of the loader's worker.
type noisy struct{}

func (noisy) Len() int { return 22 }

func (noisy) At(ctx context.Context, i int) (data.Sample[*torch.Tensor, int], error) {
	x := torch.Full(float64(i), 4).Sin()
	x.AddInPlace(torch.Empty(4).UniformInPlace(0, 1, torch.RandomOptions{Generator: data.GetWorkerInfo(ctx).Generator()}))
	return data.Sample[*torch.Tensor, int]{Input: x, Target: i % 3}, nil
}

// A program is a training program as users write them.
type program struct {
	run       train.Checkpoint
	model     *net
	optimizer *optim.Optimizer
	scheduler *optim.Scheduler
	loader    *data.Loader[data.Batch]
	best      float64
	losses    []float64
	each      func(step int) // called before each step is counted
}

func newProgram(path string, seed int64, hidden, workers int) *program {
	torch.ManualSeed(seed)
	p := &program{model: newNet(hidden), best: 100, each: func(int) {}}
	p.optimizer = optim.NewAdamW(nn.Parameters(p.model), optim.AdamWOptions{LR: 0.01})
	p.scheduler = optim.NewStepLR(p.optimizer, 1, optim.StepLROptions{Gamma: new(0.5)})
	p.loader = data.NewLoader[data.Batch](noisy{}, data.LoaderOptions{BatchSize: 4, Shuffle: true, Workers: workers})
	p.run = train.Checkpoint{Path: path, Parts: train.Parts{
		"model": p.model, "optimizer": p.optimizer, "scheduler": p.scheduler, "loader": p.loader, "best": &p.best,
	}}
	return p
}

func (p *program) train(ctx context.Context, epochs int) error {
	for p.run.Epoch < epochs {
		for batch, err := range p.loader.Batches(context.Background()) {
			if err != nil {
				return err
			}
			p.optimizer.ZeroGrad()
			loss := F.CrossEntropy(p.model.forward(batch.Input), batch.Target)
			loss.Backward()
			p.optimizer.Step()
			p.losses = append(p.losses, loss.Item())
			p.best = min(p.best, loss.Item())
			p.each(p.run.StepsRun + 1)
			if err := p.run.Step(ctx); err != nil {
				return err
			}
		}
		p.scheduler.Step()
		if err := p.run.EndEpoch(ctx); err != nil {
			return err
		}
	}
	return nil
}

const epochs = 3 // of 6 steps each

func TestResume(t *testing.T) {
	for _, workers := range []int{0, 2} {
		t.Run(fmt.Sprint(workers, " workers"), func(t *testing.T) {
			whole := newProgram(filepath.Join(t.TempDir(), "whole.pt"), 1, 8, workers)
			require.NoError(t, whole.train(t.Context(), epochs))
			require.Len(t, whole.losses, 18)

			for _, stop := range []int{1, 5, 6, 9, 12, 18} { // within epochs, and at their ends
				path := filepath.Join(t.TempDir(), "run.pt")
				first := newProgram(path, 1, 8, workers)
				found, err := first.run.Resume()
				require.NoError(t, err)
				require.False(t, found)
				ctx, cancel := context.WithCancelCause(t.Context())
				first.each = func(step int) {
					if step == stop {
						cancel(train.ErrInterrupted)
					}
				}
				require.ErrorIs(t, first.train(ctx, epochs), train.ErrInterrupted)
				require.Equal(t, stop, first.run.StepsRun)

				second := newProgram(path, 99, 8, workers) // another seed: everything comes from the file
				found, err = second.run.Resume()
				require.NoError(t, err)
				require.True(t, found)
				require.Equal(t, first.best, second.best)
				require.NoError(t, second.train(t.Context(), epochs))
				require.Equal(t, whole.losses, append(first.losses, second.losses...), "stopped after step %d", stop)
				require.Equal(t, whole.best, second.best)
				require.Equal(t, whole.scheduler.LastLR(), second.scheduler.LastLR())
			}
		})
	}
}

func TestEvery(t *testing.T) {
	p := newProgram(filepath.Join(t.TempDir(), "run.pt"), 1, 8, 0)
	p.run.Every = 4
	var written []int
	p.each = func(step int) {
		if _, err := os.Stat(p.run.Path); err == nil {
			written = append(written, step-1)
			require.NoError(t, os.Remove(p.run.Path))
		}
	}
	require.NoError(t, p.train(t.Context(), 2))
	require.Equal(t, []int{4, 6, 8}, written)
	require.FileExists(t, p.run.Path, "the end of the last epoch")
}

// TestSignal interrupts a process of its own with a signal, as Ctrl-C does.
func TestSignal(t *testing.T) {
	if path := os.Getenv("TRAIN_TEST_PATH"); path != "" {
		ctx, stop := train.WithInterrupt(t.Context())
		defer stop()
		p := newProgram(path, 1, 8, 1)
		p.each = func(int) { time.Sleep(10 * time.Millisecond); fmt.Println("step") }
		err := p.train(ctx, 1e6)
		fmt.Println("stopped:", errors.Is(err, train.ErrInterrupted), err)
		return
	}
	path := filepath.Join(t.TempDir(), "run.pt")
	cmd := exec.Command(os.Args[0], "-test.run=^TestSignal$")
	cmd.Env = append(os.Environ(), "TRAIN_TEST_PATH="+path)
	out := &firstWrite{wrote: make(chan struct{})}
	cmd.Stdout = out
	require.NoError(t, cmd.Start())
	select {
	case <-out.wrote:
	case <-time.After(time.Minute):
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.NoError(t, cmd.Wait())
	require.Contains(t, out.text.String(), "stopped: true train: stopped in epoch ")
	p := newProgram(path, 2, 8, 1)
	found, err := p.run.Resume()
	require.NoError(t, err)
	require.True(t, found)
	require.Positive(t, p.run.StepsRun)
}

// A firstWrite is a buffer that tells when it is written to.
type firstWrite struct {
	text  strings.Builder
	wrote chan struct{}
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if w.text.Len() == 0 {
		close(w.wrote)
	}
	return w.text.Write(p)
}

func TestPython(t *testing.T) {
	python := reference.Start(t, `
import torch
def read(path):
    d = torch.load(path, weights_only=True)
    m = torch.nn.Sequential()
    for name, x in (("FC1", torch.nn.Linear(4, 8)), ("Norm", torch.nn.BatchNorm1d(8)), ("FC2", torch.nn.Linear(8, 3))): m.add_module({"FC1": "fc1", "FC2": "fc2", "Norm": "norm"}[name], x)
    m.load_state_dict(d["model"])
    o = torch.optim.AdamW(m.parameters(), lr=1); o.load_state_dict(d["optimizer"])
    s = torch.optim.lr_scheduler.StepLR(o, 1, 0.5); s.load_state_dict(d["scheduler"])
    torch.set_rng_state(d["rng_state"])
    return [list(d), d["epoch"], d["step"], s.get_last_lr()[0], torch.rand(1, dtype=torch.float64).item()]
`)
	p := newProgram(filepath.Join(t.TempDir(), "run.pt"), 1, 8, 0)
	require.NoError(t, p.train(t.Context(), 2))
	want := torch.Options{DType: torch.Float64}.Rand(1).Item()
	var got []any
	python.Call(&got, "read", p.run.Path)
	require.Equal(t, []any{[]any{"epoch", "step", "best", "loader", "model", "optimizer", "scheduler", "rng_state"}, 2., 12., 0.0025, want}, got)
}

func TestMistakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.pt")
	p := newProgram(path, 1, 8, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p.train(ctx, 1), context.Canceled)

	resume := func(p *program) error {
		_, err := p.run.Resume()
		return err
	}
	require.ErrorContains(t, resume(newProgram(path, 1, 9, 0)), `run.pt does not fit this program: the part "model": `)
	require.ErrorContains(t, resume(newProgram(path, 1, 8, 3)), `the part "loader": `)
	other := newProgram(path, 1, 8, 0)
	delete(other.run.Parts, "best")
	require.ErrorContains(t, resume(other), `it has "best", which is no part here`)
	other.run.Parts["best"], other.run.Parts["worst"] = new(0.), new(0.)
	require.ErrorContains(t, resume(other), `it lacks the part "worst"`)
	other = newProgram(path, 1, 8, 0)
	other.run.Parts["best"] = new("")
	require.ErrorContains(t, resume(other), `the part "best": `)
	other = newProgram(path, 1, 8, 0)
	other.run.Parts["model"] = nn.Sequential{nn.NewConv2d(3, 8, 3), nn.NewLinear(8, 2)} // another model
	require.EqualError(t, resume(other), "train: the checkpoint "+path+` does not fit this program: the part "model": the state dict does not fit the module: `+
		`missing "0.weight", "0.bias", "1.weight", "1.bias"; unexpected "fc1.weight", "fc1.bias", "norm.weight", "norm.bias", "norm.running_mean" and 4 more; `+
		"give another path, or run the program that wrote it")
	require.Zero(t, other.run.StepsRun)
	other = newProgram(path, 1, 8, 0)
	other.run.Parts["epoch"] = new(1)
	require.ErrorContains(t, resume(other), `a part is named "epoch"`)
	require.ErrorContains(t, other.run.Save(), `a part is named "epoch"`)

	require.NoError(t, torch.Save(path, torch.Ones(2)))
	require.ErrorContains(t, resume(p), "and not the dict of a checkpoint")
	all, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, all[:len(all)/2], 0o666))
	require.ErrorIs(t, resume(p), torch.ErrMalformed)

	p.run.Path = filepath.Join(path, "run.pt")
	require.ErrorContains(t, p.run.Save(), "run.pt: not a directory")
	p.run.Parts["model"] = nil
	require.ErrorContains(t, p.run.Save(), `the part "model" of `)
}
