// Package data holds what a DataLoader of PyTorch draws: torch.utils.data.
//
// https://docs.pytorch.org/docs/stable/data.html
package data

import (
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
