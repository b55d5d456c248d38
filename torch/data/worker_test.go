package data_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
)

// The numbers that a DataLoader of Python's has.
func TestSeeds(t *testing.T) {
	p := reference.Start(t, `
import torch
from torch.utils.data import DataLoader, get_worker_info

class Draws:
    def __len__(self):
        return 4
    def __getitem__(self, i):
        import random
        info = get_worker_info()
        return info.seed, torch.randint(1000, ()).item(), random.randrange(1000)

def draws(seed):
    g = torch.Generator()
    g.manual_seed(seed)
    return [list(map(int, b)) for b in DataLoader(Draws(), batch_size=None, num_workers=2, generator=g)]
`)
	var want [][]int64
	p.Call(&want, "draws", 5)
	g := torch.NewGenerator("").ManualSeed(5)
	base := data.BaseSeed(g)
	require.NotEqual(t, base, data.BaseSeed(g))
	for worker := range 2 {
		generator, random := data.WorkerGenerators(base, worker)
		for i := range 2 {
			x := torch.Options{DType: torch.Int64}.Empty().RandomInPlace(0, 1000, torch.RandomOptions{Generator: generator})
			require.Equal(t, want[2*i+worker], []int64{base + int64(worker), torch.Item[int64](x), int64(random.IntN(1000))})
		}
	}
}

func TestBadWorker(t *testing.T) {
	require.EqualError(t, torch.Try(func() { data.WorkerGenerators(1, -1) }), "torch: data.WorkerGenerators: the worker is -1; it must be 0 or more")
}
