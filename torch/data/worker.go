package data

import (
	"context"
	"fmt"
	"math/big"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

// BaseSeed draws the number that a DataLoader draws for each epoch, from g, or
// from the default generator if g is nil.
func BaseSeed(g *torch.Generator) int64 {
	x := torch.Options{DType: torch.Int64, Device: torch.CPU}.Empty()
	defer x.Free()
	var c torch.Call
	c.Tensor(x)
	c.Generator(g)
	c.Do(opRandom)
	return torch.Item[int64](x)
}

var opRandom = torch.NewOp("aten::random_", "")

// WorkerGenerators returns new generators with the seeds of PyTorch's and
// Python's generators in a worker, 0 or more, of a DataLoader with that base
// seed. It panics with a *torch.Error if worker is below 0.
//
// https://docs.pytorch.org/docs/stable/notes/randomness.html#dataloader
func WorkerGenerators(base int64, worker int) (*torch.Generator, *pyrandom.Random) {
	if worker < 0 {
		panic(&torch.Error{Op: "data.WorkerGenerators", Msg: fmt.Sprintf("the worker is %d; it must be 0 or more", worker)})
	}
	r := new(pyrandom.Random)
	r.SeedInt(new(big.Int).Add(big.NewInt(base), big.NewInt(int64(worker))))
	return torch.NewGenerator(torch.CPU).ManualSeed(int64(uint64(base) + uint64(worker))), r
}

// A WorkerInfo describes the worker of a [Loader] that reads a sample: torch.utils.data.WorkerInfo. A nil *WorkerInfo is
// that of no worker.
type WorkerInfo struct {
	ID         int   // from 0 to NumWorkers-1
	NumWorkers int   // how many workers the loader has
	Seed       int64 // with which the generators began: the base seed of the epoch plus the ID

	generator *torch.Generator
	random    *pyrandom.Random
}

type workerKey struct{}

// GetWorkerInfo returns the worker that calls a dataset with this ctx, or nil if the loader has no workers:
// torch.utils.data.get_worker_info().
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.get_worker_info
func GetWorkerInfo(ctx context.Context) *WorkerInfo {
	w, _ := ctx.Value(workerKey{}).(*WorkerInfo)
	return w
}

// Generator returns the worker's generator, from which its random transforms draw, or nil, which stands for the
// default one, if there is no worker.
func (w *WorkerInfo) Generator() *torch.Generator {
	if w == nil {
		return nil
	}
	return w.generator
}

// Random returns the worker's generator of Python's random numbers, or the default one if there is no worker.
func (w *WorkerInfo) Random() *pyrandom.Random {
	if w == nil {
		return pyrandom.Default()
	}
	return w.random
}

// newWorkerInfo returns a worker of an epoch with the base seed.
func newWorkerInfo(base int64, id, n int) *WorkerInfo {
	w := &WorkerInfo{ID: id, NumWorkers: n, Seed: int64(uint64(base) + uint64(id))}
	w.generator, w.random = WorkerGenerators(base, id)
	return w
}
