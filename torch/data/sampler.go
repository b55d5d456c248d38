package data

import (
	"iter"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
)

// A Sampler chooses the samples of an epoch: torch.utils.data.Sampler. Each range over All is an epoch; random numbers
// are drawn when the loop begins.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Sampler
type Sampler interface {
	Sized
	All() iter.Seq[int]
}

// A BatchSampler chooses the samples of each batch: a torch.utils.data.Sampler[list[int]].
type BatchSampler interface {
	Sized // the number of batches
	All() iter.Seq[[]int]
}

// permutation draws a random order of 0 to n-1: torch.randperm(n, generator=g).
func permutation(n int, g *torch.Generator) []int {
	return indices(aten.RandpermGenerator(n, g, torch.Int64, nil, torch.CPU, nil))
}

// indices returns the elements of a tensor, which it frees.
func indices(x *torch.Tensor) []int {
	defer x.Free()
	data := torch.Data[int64](x)
	out := make([]int, len(data))
	for i, v := range data {
		out[i] = int(v)
	}
	return out
}

// SequentialSampler chooses all samples in order: torch.utils.data.SequentialSampler.
type SequentialSampler struct{ source Sized }

// NewSequentialSampler returns a sampler for a dataset: SequentialSampler(source).
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SequentialSampler
func NewSequentialSampler(source Sized) *SequentialSampler { return &SequentialSampler{source} }

// Len returns the number of samples.
func (s *SequentialSampler) Len() int { return s.source.Len() }

// All returns the indices.
func (s *SequentialSampler) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range s.source.Len() {
			if !yield(i) {
				return
			}
		}
	}
}

// RandomSampler chooses samples at random: torch.utils.data.RandomSampler.
type RandomSampler struct {
	source Sized
	o      RandomSamplerOptions
}

// RandomSamplerOptions are the options of [NewRandomSampler].
type RandomSamplerOptions struct {
	Replacement bool             // a sample may come several times
	NumSamples  int              // how many are chosen; 0 is the length of the dataset
	Generator   *torch.Generator // nil is a new one for each epoch, whose seed is drawn from the default generator
}

// NewRandomSampler returns a sampler that chooses all samples in random order, by default: RandomSampler(source). It
// panics with a *torch.Error if there are no samples.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler
func NewRandomSampler(source Sized, options ...RandomSamplerOptions) *RandomSampler {
	s := &RandomSampler{source, torch.Only(options)}
	switch {
	case s.o.NumSamples < 0:
		fail("NewRandomSampler", "NumSamples is %d; want 1 or more, or 0 for the length of the dataset", s.o.NumSamples)
	case source.Len() == 0:
		fail("NewRandomSampler", "the dataset has no samples to choose from")
	}
	return s
}

// Len returns the number of samples that are chosen.
func (s *RandomSampler) Len() int {
	if s.o.NumSamples == 0 {
		return s.source.Len()
	}
	return s.o.NumSamples
}

// All returns the indices of an epoch.
func (s *RandomSampler) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		n, count, g := s.source.Len(), s.Len(), s.o.Generator
		if g == nil {
			g = torch.NewGenerator(torch.CPU).ManualSeed(BaseSeed(nil))
		}
		if n == 0 {
			return // the dataset has become empty
		}
		if s.o.Replacement { // in blocks of 32, as Python draws
			for begin := 0; begin < count; begin += 32 {
				block := aten.RandintGenerator(n, []int{min(32, count-begin)}, g, torch.Int64, nil, torch.CPU, nil)
				if !each(indices(block), yield) {
					return
				}
			}
			return
		}
		for range count / n {
			if !each(permutation(n, g), yield) {
				return
			}
		}
		each(permutation(n, g)[:count%n], yield) // drawn even where none of it is used
	}
}

// each yields the indices, and reports whether the loop goes on.
func each(indices []int, yield func(int) bool) bool {
	for _, i := range indices {
		if !yield(i) {
			return false
		}
	}
	return true
}

func (s *RandomSampler) generator() *torch.Generator { return s.o.Generator }

// SubsetRandomSampler chooses from a list in random order: torch.utils.data.SubsetRandomSampler.
type SubsetRandomSampler struct {
	from []int
	o    SubsetRandomSamplerOptions
}

// SubsetRandomSamplerOptions are the options of [NewSubsetRandomSampler].
type SubsetRandomSamplerOptions struct {
	Generator *torch.Generator // nil is the default generator
}

// NewSubsetRandomSampler returns a sampler that chooses each of the indices once: SubsetRandomSampler(indices).
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SubsetRandomSampler
func NewSubsetRandomSampler(indices []int, options ...SubsetRandomSamplerOptions) *SubsetRandomSampler {
	return &SubsetRandomSampler{slices.Clone(indices), torch.Only(options)}
}

// Len returns the number of indices.
func (s *SubsetRandomSampler) Len() int { return len(s.from) }

// All returns the indices of an epoch.
func (s *SubsetRandomSampler) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, i := range permutation(len(s.from), s.o.Generator) {
			if !yield(s.from[i]) {
				return
			}
		}
	}
}

func (s *SubsetRandomSampler) generator() *torch.Generator { return s.o.Generator }

// WeightedRandomSampler chooses samples with given probabilities: torch.utils.data.WeightedRandomSampler.
type WeightedRandomSampler struct {
	weights []float64
	count   int
	o       WeightedRandomSamplerOptions
}

// WeightedRandomSamplerOptions are the options of [NewWeightedRandomSampler].
type WeightedRandomSamplerOptions struct {
	NoReplacement bool             // a sample comes once at most: replacement=False
	Generator     *torch.Generator // nil is the default generator
}

// NewWeightedRandomSampler returns a sampler that chooses numSamples indices of weights, each with a probability in
// proportion to its weight: WeightedRandomSampler(weights, num_samples). It panics with a *torch.Error if numSamples is
// below 1; weights that cannot be drawn from are an error when the loop begins.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.WeightedRandomSampler
func NewWeightedRandomSampler(weights []float64, numSamples int, options ...WeightedRandomSamplerOptions) *WeightedRandomSampler {
	if numSamples <= 0 {
		fail("NewWeightedRandomSampler", "the number of samples is %d; it must be 1 or more", numSamples)
	}
	return &WeightedRandomSampler{slices.Clone(weights), numSamples, torch.Only(options)}
}

// Len returns the number of samples that are chosen.
func (s *WeightedRandomSampler) Len() int { return s.count }

// All returns the indices of an epoch.
func (s *WeightedRandomSampler) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		w := torch.FromSlice(s.weights)
		chosen := indices(aten.Multinomial(w, s.count, !s.o.NoReplacement, s.o.Generator))
		w.Free()
		each(chosen, yield)
	}
}

func (s *WeightedRandomSampler) generator() *torch.Generator { return s.o.Generator }

// DistributedSampler chooses the part of a dataset that one of several processes trains on:
// torch.utils.data.distributed.DistributedSampler.
type DistributedSampler struct {
	source         Sized
	replicas, rank int
	epoch          int
	o              DistributedSamplerOptions
}

// DistributedSamplerOptions are the options of [NewDistributedSampler].
type DistributedSamplerOptions struct {
	NoShuffle bool  // in order: shuffle=False
	Seed      int64 // of the order, the same in all processes
	DropLast  bool  // leave out the last samples where they do not suffice for all processes, rather than repeat the first ones
}

// NewDistributedSampler returns the sampler of process rank, from 0 on, of so many replicas: DistributedSampler(source,
// num_replicas, rank). It panics with a *torch.Error if rank is not from 0 to replicas-1.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler
func NewDistributedSampler(source Sized, replicas, rank int, options ...DistributedSamplerOptions) *DistributedSampler {
	if rank < 0 || rank >= replicas {
		fail("NewDistributedSampler", "the rank is %d; with %d replicas it must be from 0 to %d", rank, replicas, replicas-1)
	}
	return &DistributedSampler{source, replicas, rank, 0, torch.Only(options)}
}

// SetEpoch sets the number of the epoch, on which the order depends: sampler.set_epoch(epoch).
func (s *DistributedSampler) SetEpoch(epoch int) { s.epoch = epoch }

// Len returns the number of samples of each process.
func (s *DistributedSampler) Len() int {
	n := s.source.Len()
	if s.o.DropLast && n%s.replicas != 0 {
		return n / s.replicas
	}
	return (n + s.replicas - 1) / s.replicas
}

// All returns the indices of the process.
func (s *DistributedSampler) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		n := s.source.Len()
		if n == 0 {
			return
		}
		var order []int
		if !s.o.NoShuffle {
			order = permutation(n, torch.NewGenerator(torch.CPU).ManualSeed(s.o.Seed+int64(s.epoch)))
		}
		for k := range s.Len() {
			i := (s.rank + k*s.replicas) % n // those that are missing at the end are the first ones again
			if order != nil {
				i = order[i]
			}
			if !yield(i) {
				return
			}
		}
	}
}

// batchSampler groups the indices of a sampler.
type batchSampler struct {
	sampler  Sampler
	size     int
	dropLast bool
}

// NewBatchSampler groups the indices of a sampler in batches: BatchSampler(sampler, batch_size, drop_last). With
// dropLast a last batch that is not full is left out. It panics with a *torch.Error if batchSize is below 1.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.BatchSampler
func NewBatchSampler(sampler Sampler, batchSize int, dropLast bool) BatchSampler {
	if batchSize <= 0 {
		fail("NewBatchSampler", "the batch size is %d; it must be 1 or more", batchSize)
	}
	return &batchSampler{sampler, batchSize, dropLast}
}

func (b *batchSampler) Len() int {
	if b.dropLast {
		return b.sampler.Len() / b.size
	}
	return (b.sampler.Len() + b.size - 1) / b.size
}

func (b *batchSampler) All() iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		var batch []int
		for i := range b.sampler.All() {
			if batch = append(batch, i); len(batch) < b.size {
				continue
			}
			if !yield(batch) {
				return
			}
			batch = nil
		}
		if len(batch) > 0 && !b.dropLast {
			yield(batch)
		}
	}
}

func (b *batchSampler) generator() *torch.Generator {
	if s, ok := b.sampler.(interface{ generator() *torch.Generator }); ok {
		return s.generator()
	}
	return nil
}
