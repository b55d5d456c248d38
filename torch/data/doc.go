// Package data reads data sets in batches, for training: torch.utils.data.
//
//	loader := data.NewLoader[data.Batch](samples, data.LoaderOptions{BatchSize: 64, Shuffle: true, Workers: 4})
//	for range 10 {
//		for batch, err := range loader.Batches(ctx) {
//			if err != nil {
//				return err
//			}
//			loss := F.CrossEntropy(model.Forward(batch.Input), batch.Target)
//		}
//	}
//
// is
//
//	loader = DataLoader(samples, batch_size=64, shuffle=True, num_workers=4)
//	for _ in range(10):
//		for input, target in loader:
//			loss = F.cross_entropy(model(input), target)
//
// A [Dataset] returns samples by their index, and an [IterableDataset] one after the other. A [Sampler] chooses the
// indices. [Collate] makes a batch of samples. A [Loader] does all of this, on goroutines where it is given workers.
//
// After the same [torch.ManualSeed] a loader has the same batches as Python's, and leaves the generators in the same
// state, for any number of workers: the samplers draw the same numbers, and each worker has generators with the seeds
// that Python's worker processes have, which [GetWorkerInfo] returns.
//
// # Differences from Python
//
// Workers are goroutines, which share the memory of the program, so that a dataset must allow that several of them use
// it. The workers of an iterable dataset are told apart by [GetWorkerInfo], as in Python. DataPipes, which Python has
// deprecated, are missing.
//
// https://docs.pytorch.org/docs/stable/data.html
package data

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
)

func fail(op, format string, args ...any) {
	panic(&torch.Error{Op: "data." + op, Msg: fmt.Sprintf(format, args...)})
}
