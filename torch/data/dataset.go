package data

import (
	"context"
	"iter"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// A Sized has a number of samples.
type Sized interface {
	Len() int
}

// A Dataset has samples with indices from 0 to Len()-1: torch.utils.data.Dataset. At is __getitem__: it is called by
// several goroutines at once if a [Loader] has workers. Its ctx ends with the loop over the batches, and
// [GetWorkerInfo] returns the worker whose generators random transforms draw from.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Dataset
type Dataset[T any] interface {
	Sized
	At(ctx context.Context, i int) (T, error)
}

// A BatchDataset reads several samples at a time better than one by one. A [Loader] calls Items, which is __getitems__
// in Python, in place of At. It returns one sample for each index.
type BatchDataset[T any] interface {
	Dataset[T]
	Items(ctx context.Context, indices []int) ([]T, error)
}

// An IterableDataset has samples that come one after the other, such as those of a stream:
// torch.utils.data.IterableDataset. Each worker of a [Loader] ranges over All once in an epoch, so that All must leave
// to each its own part, by [GetWorkerInfo] of ctx, or the samples come once for each worker. After an error, All may go
// on to the next sample.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset
type IterableDataset[T any] interface {
	All(ctx context.Context) iter.Seq2[T, error]
}

// An IterableFunc is a function as an [IterableDataset].
type IterableFunc[T any] func(ctx context.Context) iter.Seq2[T, error]

// All calls f.
func (f IterableFunc[T]) All(ctx context.Context) iter.Seq2[T, error] { return f(ctx) }

// Chain returns the samples of all datasets, one dataset after the other: torch.utils.data.ChainDataset(datasets).
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ChainDataset
func Chain[T any](datasets ...IterableDataset[T]) IterableDataset[T] {
	return IterableFunc[T](func(ctx context.Context) iter.Seq2[T, error] {
		return func(yield func(T, error) bool) {
			for _, d := range datasets {
				for x, err := range d.All(ctx) {
					if !yield(x, err) {
						return
					}
				}
			}
		}
	})
}

// A Sample is an input of a model and what the model should make of it, such as a picture and its class.
type Sample[X, Y any] struct {
	Input  X
	Target Y
}

// A Batch is what [Collate] makes of samples whose fields are tensors or numbers.
type Batch struct {
	Input, Target *torch.Tensor
}

// A List is a dataset of samples in memory.
type List[T any] []T

// Len returns the number of samples.
func (l List[T]) Len() int { return len(l) }

// At returns sample i.
func (l List[T]) At(_ context.Context, i int) (T, error) { return l[i], nil }

// A TensorDataset has the rows of tensors as samples: torch.utils.data.TensorDataset.
type TensorDataset struct{ tensors []*torch.Tensor }

// NewTensorDataset makes a dataset whose sample i are the elements i of the first dimension of each tensor:
// TensorDataset(*tensors). It panics with a *torch.Error if there are no tensors, or the sizes of their first
// dimensions differ.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset
func NewTensorDataset(tensors ...*torch.Tensor) *TensorDataset {
	if len(tensors) == 0 {
		fail("NewTensorDataset", "there are no tensors")
	}
	for i, x := range tensors {
		if shape := x.Shape(); len(shape) == 0 || shape[0] != tensors[0].Shape()[0] {
			fail("NewTensorDataset", "tensor %d has the shape %v, but the first one %v; all must have the same size of the first dimension", i, shape, tensors[0].Shape())
		}
	}
	return &TensorDataset{slices.Clone(tensors)}
}

// Len returns the size of the first dimension.
func (d *TensorDataset) Len() int { return d.tensors[0].Shape()[0] }

// At returns element i of each tensor.
func (d *TensorDataset) At(_ context.Context, i int) ([]*torch.Tensor, error) {
	out := make([]*torch.Tensor, len(d.tensors))
	for k, x := range d.tensors {
		out[k] = x.Select(0, i)
	}
	return out, nil
}

// A Subset has some of the samples of a dataset: torch.utils.data.Subset.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Subset
type Subset[T any] struct {
	Dataset Dataset[T]
	Indices []int // of the samples in the dataset
}

// NewSubset returns the samples of d with these indices: Subset(d, indices).
func NewSubset[T any](d Dataset[T], indices []int) *Subset[T] { return &Subset[T]{d, indices} }

// Len returns the number of indices.
func (s *Subset[T]) Len() int { return len(s.Indices) }

// At returns the sample with the index i of the indices.
func (s *Subset[T]) At(ctx context.Context, i int) (T, error) {
	return s.Dataset.At(ctx, s.Indices[i])
}

// concat is a dataset after the other.
type concat[T any] struct {
	parts []Dataset[T]
	ends  []int // of each part, among all samples
}

// Concat returns a dataset of the samples of all datasets, in order: torch.utils.data.ConcatDataset(datasets). It
// panics with a *torch.Error if there are none.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset
func Concat[T any](datasets ...Dataset[T]) Dataset[T] {
	if len(datasets) == 0 {
		fail("Concat", "there are no datasets")
	}
	c := &concat[T]{parts: slices.Clone(datasets)}
	end := 0
	for _, d := range datasets {
		end += d.Len()
		c.ends = append(c.ends, end)
	}
	return c
}

func (c *concat[T]) Len() int { return c.ends[len(c.ends)-1] }

func (c *concat[T]) At(ctx context.Context, i int) (T, error) {
	k, found := slices.BinarySearch(c.ends, i)
	if found { // the first sample of the next part that has one
		for k++; k < len(c.ends) && c.ends[k] == i; k++ {
		}
	}
	if k > 0 {
		i -= c.ends[k-1]
	}
	return c.parts[k].At(ctx, i)
}

// zipped has the samples of two datasets in pairs.
type zipped[X, Y any] struct {
	x Dataset[X]
	y Dataset[Y]
}

// Zip returns the samples of two datasets in pairs: torch.utils.data.StackDataset(input=x, target=y). It panics with a
// *torch.Error if the lengths differ.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.StackDataset
func Zip[X, Y any](x Dataset[X], y Dataset[Y]) Dataset[Sample[X, Y]] {
	if x.Len() != y.Len() {
		fail("Zip", "the datasets have %d and %d samples; they must have the same number", x.Len(), y.Len())
	}
	return zipped[X, Y]{x, y}
}

func (z zipped[X, Y]) Len() int { return z.x.Len() }

func (z zipped[X, Y]) At(ctx context.Context, i int) (s Sample[X, Y], err error) {
	if s.Input, err = z.x.At(ctx, i); err == nil {
		s.Target, err = z.y.At(ctx, i)
	}
	return s, err
}

// mapped applies a function.
type mapped[T, U any] struct {
	Dataset[T]
	f func(context.Context, T) (U, error)
}

// Map returns a dataset of f of each sample of d, computed when the sample is read. In Python that is the dataset's
// parameter transform.
func Map[T, U any](d Dataset[T], f func(ctx context.Context, sample T) (U, error)) Dataset[U] {
	return mapped[T, U]{d, f}
}

func (m mapped[T, U]) At(ctx context.Context, i int) (u U, err error) {
	x, err := m.Dataset.At(ctx, i)
	if err != nil {
		return u, err
	}
	return m.f(ctx, x)
}

// RandomSplitOptions are the options of [RandomSplit] and [RandomSplitFractions].
type RandomSplitOptions struct {
	Generator *torch.Generator // nil is the default generator
}

// RandomSplit divides a dataset at random into parts of these lengths: random_split(d, lengths). It panics with a
// *torch.Error if they do not add up to the length of d.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.random_split
func RandomSplit[T any](d Dataset[T], lengths []int, options ...RandomSplitOptions) []*Subset[T] {
	o := torch.Only(options)
	sum := 0
	for i, n := range lengths {
		if n < 0 {
			fail("RandomSplit", "length %d is %d; it must be 0 or more", i, n)
		}
		sum += n
	}
	if sum != d.Len() {
		fail("RandomSplit", "the lengths %v add up to %d, but the dataset has %d samples", lengths, sum, d.Len())
	}
	order := permutation(sum, o.Generator)
	parts := make([]*Subset[T], len(lengths))
	for i, n := range lengths {
		parts[i] = NewSubset(d, slices.Clip(order[:n]))
		order = order[n:]
	}
	return parts
}

// RandomSplitFractions is [RandomSplit] for fractions of the dataset, which add up to 1: random_split(d, fractions).
// Each length is rounded down, and what remains goes to the parts one by one, from the first on.
func RandomSplitFractions[T any](d Dataset[T], fractions []float64, options ...RandomSplitOptions) []*Subset[T] {
	if sum := pythonSum(fractions); !(math.Abs(sum-1) <= 1e-9*max(sum, 1) && sum <= 1) {
		fail("RandomSplitFractions", "the fractions %v add up to %v; they must add up to 1", fractions, sum)
	}
	lengths := make([]int, len(fractions))
	rest := d.Len()
	for i, f := range fractions {
		if f < 0 || f > 1 {
			fail("RandomSplitFractions", "fraction %d is %v; it must be from 0 to 1", i, f)
		}
		lengths[i] = int(math.Floor(float64(d.Len()) * f))
		rest -= lengths[i]
	}
	for i := range rest {
		lengths[i%len(lengths)]++
	}
	return RandomSplit(d, lengths, options...)
}

// pythonSum adds floats as Python 3.12 and later do, with the sum of the rounding errors; 0.1 ten times is 1.
func pythonSum(xs []float64) float64 {
	sum, lost := 0.0, 0.0
	for _, x := range xs {
		t := sum + x
		if math.Abs(sum) >= math.Abs(x) {
			lost += float64(sum-t) + x
		} else {
			lost += float64(x-t) + sum
		}
		sum = t
	}
	return sum + lost
}
