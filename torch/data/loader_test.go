package data_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

const loaderScript = `
import random, torch
from torch.utils.data import *
from torch.utils.data.distributed import DistributedSampler
torch.set_num_threads(1)

class Draws(Dataset):
    def __init__(self, n): self.n = n
    def __len__(self): return self.n
    def __getitem__(self, i):
        return i, torch.randint(1000, ()).item(), random.randrange(1000)

def epochs(c):
    torch.manual_seed(c["Seed"]); random.seed(c["Seed"])
    g = torch.Generator().manual_seed(c["Seed"] + 1) if c["Given"] else None
    n = c["N"]
    source = Draws(n)
    sampler, shuffle = None, False
    match c["Kind"]:
        case "shuffle": shuffle = True
        case "replacement": sampler = RandomSampler(source, replacement=True, num_samples=c["Count"], generator=g)
        case "random": sampler = RandomSampler(source, num_samples=c["Count"], generator=g)
        case "subset": sampler = SubsetRandomSampler(list(range(0, n, 2)), generator=g)
        case "weighted": sampler = WeightedRandomSampler([1.5 + i for i in range(n)], n, replacement=c["Count"] % 2 == 0, generator=g)
        case "distributed": sampler = DistributedSampler(source, 3, c["Count"] % 3, seed=c["Seed"], drop_last=c["Drop"], shuffle=c["Count"] % 2 == 0)
    loader = DataLoader(source, batch_size=c["Batch"], shuffle=shuffle, sampler=sampler, num_workers=c["Workers"], drop_last=c["Drop"],
        generator=g, persistent_workers=c["Persistent"], prefetch_factor=c["Prefetch"] or None)
    out = []
    for epoch in range(c["Epochs"]):
        if c["Kind"] == "distributed": sampler.set_epoch(epoch)
        out.append([[x.tolist() for x in b] for b in loader])
    return {"Len": len(loader), "Epochs": out, "After": [torch.randint(10**6, ()).item(), g and torch.randint(10**6, (), generator=g).item() or 0]}

def stream(workers, batch, drop):
    class S(IterableDataset):
        def __iter__(self):
            w = get_worker_info()
            ids = range(11) if w is None or batch == 3 else range(w.id, 11, w.num_workers)
            for i in ids: yield i, torch.randint(1000, ()).item()
    torch.manual_seed(3)
    return [[x.tolist() for x in b] for b in DataLoader(S(), batch_size=batch, num_workers=workers, drop_last=drop)]

def split(n, lengths):
    torch.manual_seed(n)
    return [s.indices for s in random_split(range(n), lengths)]
`

// draws is a dataset whose samples have random numbers.
type draws int

type draw struct{ I, Torch, Python int }

func (d draws) Len() int { return int(d) }

func (d draws) At(ctx context.Context, i int) (draw, error) {
	return drawn(ctx, i), nil
}

func drawn(ctx context.Context, i int) draw {
	w := data.GetWorkerInfo(ctx)
	r := w.Random()
	if r == nil {
		r = pyrandom.Default()
	}
	x := torch.Options{DType: torch.Int64}.Empty().RandomInPlace(0, 1000, torch.RandomOptions{Generator: w.Generator()})
	return draw{i, int(torch.Item[int64](x)), r.IntN(1000)}
}

type drawBatch struct{ I, Torch, Python *torch.Tensor }

func (b drawBatch) ints() [][]int64 {
	return [][]int64{torch.Data[int64](b.I), torch.Data[int64](b.Torch), torch.Data[int64](b.Python)}
}

type loaderCase struct {
	N, Batch, Count, Workers, Prefetch, Epochs int
	Seed                                       int64
	Kind                                       string
	Given, Drop, Persistent                    bool
}

// loader makes the loader of a case, its generator and what is called before an epoch.
func (c loaderCase) loader() (*data.Loader[drawBatch], *torch.Generator, func(epoch int)) {
	var g *torch.Generator
	if c.Given {
		g = torch.NewGenerator("").ManualSeed(c.Seed + 1)
	}
	o := data.LoaderOptions{BatchSize: c.Batch, Workers: c.Workers, Prefetch: c.Prefetch, DropLast: c.Drop, Generator: g, Persistent: c.Persistent}
	source := draws(c.N)
	before := func(int) {}
	switch c.Kind {
	case "shuffle":
		o.Shuffle = true
	case "replacement", "random":
		o.Sampler = data.NewRandomSampler(source, data.RandomSamplerOptions{Replacement: c.Kind == "replacement", NumSamples: c.Count, Generator: g})
	case "subset":
		var from []int
		for i := 0; i < c.N; i += 2 {
			from = append(from, i)
		}
		o.Sampler = data.NewSubsetRandomSampler(from, data.SubsetRandomSamplerOptions{Generator: g})
	case "weighted":
		weights := make([]float64, c.N)
		for i := range weights {
			weights[i] = 1.5 + float64(i)
		}
		o.Sampler = data.NewWeightedRandomSampler(weights, c.N, data.WeightedRandomSamplerOptions{NoReplacement: c.Count%2 != 0, Generator: g})
	case "distributed":
		d := data.NewDistributedSampler(source, 3, c.Count%3, data.DistributedSamplerOptions{Seed: c.Seed, DropLast: c.Drop, NoShuffle: c.Count%2 != 0})
		o.Sampler, before = d, d.SetEpoch
	}
	return data.NewLoader[drawBatch](source, o), g, before
}

// randomCase returns a case by chance.
func randomCase(rng *rand.Rand) loaderCase {
	kinds := []string{"sequential", "shuffle", "shuffle", "replacement", "random", "subset", "weighted", "distributed"}
	c := loaderCase{
		N: 1 + rng.IntN(40), Batch: 1 + rng.IntN(9), Count: 1 + rng.IntN(90), Epochs: 2, Seed: rng.Int64N(1 << 40),
		Kind: kinds[rng.IntN(len(kinds))], Given: rng.IntN(3) == 0, Drop: rng.IntN(3) == 0,
	}
	if rng.IntN(3) == 0 {
		c.Workers = []int{1, 2, 4}[rng.IntN(3)]
		c.Persistent, c.Prefetch = rng.IntN(2) == 0, rng.IntN(4)
	}
	return c
}

func TestLoaderIsPythons(t *testing.T) {
	if raceEnabled {
		t.Skip("its work is in Python")
	}
	p := reference.Start(t, loaderScript)
	rng := rand.New(rand.NewPCG(uint64(time.Now().YearDay()), 1))
	for range 30 {
		c := randomCase(rng)
		var want struct {
			Len    int
			Epochs [][][][]int64
			After  [2]int64
		}
		p.Call(&want, "epochs", c)
		torch.ManualSeed(c.Seed)
		pyrandom.Seed(c.Seed)
		loader, g, before := c.loader()
		require.Equal(t, want.Len, loader.Len(), "%+v", c)
		for epoch := range c.Epochs {
			before(epoch)
			got := [][][]int64{}
			for batch, err := range loader.Batches(t.Context()) {
				require.NoError(t, err)
				got = append(got, batch.ints())
			}
			require.Equal(t, want.Epochs[epoch], got, "%+v epoch %d", c, epoch)
		}
		after := [2]int64{torch.Item[int64](torch.Options{DType: torch.Int64}.RandInt(0, 1e6))}
		if g != nil {
			after[1] = torch.Item[int64](torch.Options{DType: torch.Int64}.Empty().RandomInPlace(0, 1e6, torch.RandomOptions{Generator: g}))
		}
		require.Equal(t, want.After, after, "%+v", c)
	}
}

// TestOrders has numbers of Python's, for where there is none.
func TestOrders(t *testing.T) {
	torch.ManualSeed(0)
	loader := data.NewLoader[*torch.Tensor](data.List[int]{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, data.LoaderOptions{BatchSize: 4, Shuffle: true})
	for _, want := range [][][]int64{{{6, 7, 1, 4}, {2, 0, 9, 8}, {3, 5}}, {{2, 4, 7, 0}, {8, 9, 5, 3}, {6, 1}}} {
		require.Equal(t, want, collect(t, loader))
	}
	require.Equal(t, float32(0.455627977848053), torch.Item[float32](torch.Rand()))
	torch.ManualSeed(0)
	parts := data.RandomSplitFractions(data.List[int]{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, []float64{.5, .25, .25})
	require.Equal(t, []int{4, 1, 7, 5, 3, 9}, parts[0].Indices)
	require.Equal(t, []int{6, 2}, parts[2].Indices)
}

func collect(t *testing.T, l *data.Loader[*torch.Tensor]) (out [][]int64) {
	for x, err := range l.Batches(t.Context()) {
		require.NoError(t, err)
		out = append(out, torch.Data[int64](x))
	}
	return out
}

// streamed is an iterable dataset like that of the script.
func streamed(batch int) data.IterableDataset[draw] {
	return data.IterableFunc[draw](func(ctx context.Context) iter.Seq2[draw, error] {
		return func(yield func(draw, error) bool) {
			begin, step := 0, 1
			if w := data.GetWorkerInfo(ctx); w != nil && batch != 3 {
				begin, step = w.ID, w.NumWorkers
			}
			for i := begin; i < 11; i += step {
				if !yield(drawn(ctx, i), nil) {
					return
				}
			}
		}
	})
}

func TestIterableIsPythons(t *testing.T) {
	if raceEnabled {
		t.Skip("its work is in Python")
	}
	p := reference.Start(t, loaderScript)
	for _, workers := range []int{0, 1, 3} {
		for _, batch := range []int{2, 3} {
			drop := workers == 1
			var want [][][]int64
			p.Call(&want, "stream", workers, batch, drop)
			torch.ManualSeed(3)
			loader := data.NewIterableLoader[drawBatch](streamed(batch), data.LoaderOptions{BatchSize: batch, Workers: workers, DropLast: drop})
			got := [][][]int64{}
			for b, err := range loader.Batches(t.Context()) {
				require.NoError(t, err)
				got = append(got, b.ints()[:2])
			}
			require.Equal(t, want, got, "%d workers, batches of %d", workers, batch)
		}
	}
}

func TestSplitIsPythons(t *testing.T) {
	p := reference.Start(t, loaderScript)
	for _, fractions := range [][]float64{{1}, {.5, .5}, {.3, .3, .4}, slices.Repeat([]float64{.1}, 10), {.333, .667}} {
		for _, n := range []int{1, 10, 37} {
			var want [][]int
			p.Call(&want, "split", n, fractions)
			torch.ManualSeed(int64(n))
			for i, part := range data.RandomSplitFractions(make(data.List[int], n), fractions) {
				require.Equal(t, want[i], append([]int{}, part.Indices...))
			}
		}
	}
}

// written returns a state as another process reads it.
func written(t *testing.T, way int, s data.LoaderState) (back data.LoaderState) {
	t.Helper()
	var file bytes.Buffer
	switch way % 3 {
	case 0:
		require.NoError(t, json.NewEncoder(&file).Encode(s))
		require.NoError(t, json.NewDecoder(&file).Decode(&back))
	case 1:
		require.NoError(t, gob.NewEncoder(&file).Encode(s))
		require.NoError(t, gob.NewDecoder(&file).Decode(&back))
	case 2:
		require.NoError(t, torch.SaveTo(&file, s))
		v, err := torch.LoadFrom(&file)
		require.NoError(t, err)
		back, err = torch.Get[data.LoaderState](v)
		require.NoError(t, err)
	}
	return back
}

// TestResume stops an epoch, writes its state, and goes on with another loader.
func TestResume(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, uint64(time.Now().YearDay())))
	n := 40
	if raceEnabled {
		n = 8
	}
	for way := range n {
		c := randomCase(rng)
		torch.ManualSeed(c.Seed)
		pyrandom.Seed(c.Seed)
		loader, _, before := c.loader()
		stop := 0
		if loader.Len() > 0 {
			stop = rng.IntN(loader.Len() + 1)
		}
		var state *data.LoaderState
		var rngState, pyState []byte
		var want [][][]int64
		batches := 0
		save := func() {
			state = new(loader.State())
			rngState, pyState = torch.Data[uint8](torch.RNGState()), pyrandom.Default().State()
		}
		for epoch := range 3 {
			before(epoch)
			if epoch == 1 && stop == 0 {
				save()
			}
			for b, err := range loader.Batches(t.Context()) {
				require.NoError(t, err)
				if state != nil {
					want = append(want, b.ints())
				}
				if batches++; epoch == 1 && batches == loader.Len()+stop {
					save()
				}
			}
		}
		torch.ManualSeed(1)
		pyrandom.Seed(1)
		resumed, _, before := c.loader()
		torch.SetRNGState(torch.FromSlice(rngState))
		require.NoError(t, pyrandom.Default().SetState(pyState))
		require.NoError(t, resumed.Resume(written(t, way, *state)))
		var got [][][]int64
		for epoch := range 2 {
			before(epoch + 1)
			for b, err := range resumed.Batches(t.Context()) {
				require.NoError(t, err)
				got = append(got, b.ints())
			}
		}
		require.Equal(t, want, got, "%+v after %d batches", c, stop)
	}
}

func TestResumeStream(t *testing.T) {
	for _, workers := range []int{0, 2} {
		o := data.LoaderOptions{BatchSize: 2, Workers: workers}
		torch.ManualSeed(9)
		loader := data.NewIterableLoader[drawBatch](streamed(2), o)
		var s data.LoaderState
		var rng *torch.Tensor
		var want, got [][][]int64
		for b, err := range loader.Batches(t.Context()) {
			require.NoError(t, err)
			if rng != nil {
				want = append(want, b.ints()[:2])
			}
			if s.Batches == 0 && loader.State().Batches == 2 {
				s, rng = loader.State(), torch.RNGState()
			}
		}
		torch.SetRNGState(rng)
		loader = data.NewIterableLoader[drawBatch](streamed(2), o)
		require.NoError(t, loader.Resume(s))
		for b, err := range loader.Batches(t.Context()) {
			require.NoError(t, err)
			got = append(got, b.ints()[:2])
		}
		require.Equal(t, want, got)
	}
}

func TestResumeMistakes(t *testing.T) {
	loader := data.NewLoader[drawBatch](draws(4), data.LoaderOptions{Workers: 1})
	for range loader.Batches(t.Context()) {
		break
	}
	good := loader.State()
	require.NoError(t, loader.Resume(good))
	for _, c := range []struct {
		change func(*data.LoaderState)
		want   string
	}{
		{func(s *data.LoaderState) { s.Batches = -1 }, "is not one of a loader"},
		{func(s *data.LoaderState) { s.Batches = 5 }, "after 5 batches, but the loader has 4"},
		{func(s *data.LoaderState) { s.Workers = nil }, "with 0 workers, but this one has 1"},
		{func(s *data.LoaderState) { s.Generators = nil }, "damaged"},
		{func(s *data.LoaderState) { s.Generators = [][]byte{{1}, nil, nil} }, "damaged"},
		{func(s *data.LoaderState) { s.Generators = [][]byte{nil, s.Generators[0], nil} }, "another Generator"},
		{func(s *data.LoaderState) { s.Workers = []data.WorkerState{{Torch: []byte{1}}} }, "damaged"},
		{func(s *data.LoaderState) { s.Workers[0].Python = nil }, "damaged"},
	} {
		s := good
		s.Workers = slices.Clone(good.Workers)
		c.change(&s)
		require.ErrorContains(t, loader.Resume(s), c.want)
	}
}

// failing fails at some samples.
type failing struct{ draws }

var errBroken = errors.New("the file is broken")

func (d failing) At(ctx context.Context, i int) (draw, error) {
	switch i {
	case 3:
		return draw{}, errBroken
	case 5:
		panic("out of luck")
	case 7:
		runtime.Goexit()
	case 9:
		torch.Ones(2).Add(torch.Ones(3))
	}
	return d.draws.At(ctx, i)
}

func TestFailures(t *testing.T) {
	for _, workers := range []int{0, 1, 3} {
		var skipped data.Dataset[draw] = failing{12}
		if workers == 0 { // a Goexit ends the caller there
			skipped = data.NewSubset[draw](failing{12}, []int{0, 1, 2, 3, 4, 5, 6, 0, 8, 9, 10, 11})
		}
		loader := data.NewLoader[drawBatch](skipped, data.LoaderOptions{BatchSize: 2, Workers: workers})
		var texts []string
		for _, err := range loader.Batches(t.Context()) {
			text := ""
			if b := (*data.BatchError)(nil); errors.As(err, &b) {
				text = err.Error()
				require.Equal(t, b.Index == 5, b.Stack != "")
			} else {
				require.NoError(t, err)
			}
			texts = append(texts, text)
		}
		require.Len(t, texts, 6)
		require.Equal(t, []string{"", "data: batch 1: sample 3: the file is broken", "data: batch 2: sample 5: panic: out of luck"}, texts[:3])
		if workers > 0 {
			require.Equal(t, "data: batch 3: sample 7: the dataset called runtime.Goexit", texts[3])
		}
		require.Contains(t, texts[4], "data: batch 4: sample 9: torch: aten::add")
		require.Empty(t, texts[5])
	}
}

// held is a dataset of its indices. Sample hold is not there before the channel is closed.
type held struct {
	n, hold int
	free    chan struct{}
}

func (d held) Len() int { return d.n }

func (d held) At(ctx context.Context, i int) (int, error) {
	switch i {
	case d.hold:
		<-d.free
	case 3:
		return 0, errBroken
	}
	return i, nil
}

// TestOutOfOrder holds up a sample until all others have come, which in order would not end.
func TestOutOfOrder(t *testing.T) {
	for _, persistent := range []bool{false, true} {
		d := held{12, 1, nil}
		loader := data.NewUnbatched(&d, data.LoaderOptions{Workers: 3, Prefetch: 1, OutOfOrder: true, Persistent: persistent})
		for range 2 {
			d.free = make(chan struct{})
			var seen []int
			for i, err := range loader.Batches(t.Context()) {
				if err != nil {
					require.EqualError(t, err, "data: batch 3: sample 3: the file is broken")
					i = 3
				}
				if seen = append(seen, i); len(seen) == 11 {
					close(d.free)
				}
			}
			require.Len(t, seen, 12)
			require.Equal(t, 1, seen[11])
			slices.Sort(seen)
			require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, seen)
		}
		require.NoError(t, loader.Resume(loader.State()), "between epochs")
		d.hold = -1
		for range loader.Batches(t.Context()) {
			require.ErrorContains(t, torch.Try(func() { loader.State() }), "the batches come out of order")
			break
		}
	}
	inOrder := data.NewUnbatched(held{3, -1, nil}, data.LoaderOptions{Workers: 1})
	for range inOrder.Batches(t.Context()) {
		break
	}
	require.ErrorContains(t, data.NewUnbatched(held{3, -1, nil}, data.LoaderOptions{Workers: 1, OutOfOrder: true}).Resume(inOrder.State()), "come out of order")
}

// TestStreamOutOfOrder holds up the stream of one worker until that of the others has ended.
func TestStreamOutOfOrder(t *testing.T) {
	free := make(chan struct{})
	s := data.IterableFunc[int](func(ctx context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			id := data.GetWorkerInfo(ctx).ID
			if id == 0 {
				<-free
			}
			for i := range 5 - id {
				if !yield(10*id+i, nil) {
					return
				}
			}
		}
	})
	var seen []int64
	for x, err := range data.NewIterableLoader[*torch.Tensor](s, data.LoaderOptions{Workers: 3, OutOfOrder: true}).Batches(t.Context()) {
		require.NoError(t, err)
		if seen = append(seen, torch.Data[int64](x)...); len(seen) == 4+3 {
			close(free)
		}
	}
	require.Equal(t, []int64{0, 1, 2, 3, 4}, seen[7:])
	slices.Sort(seen)
	require.Equal(t, []int64{0, 1, 2, 3, 4, 10, 11, 12, 13, 20, 21, 22}, seen)
}

func TestStreamFailures(t *testing.T) {
	for _, how := range []func(){func() { panic("out of luck") }, runtime.Goexit} {
		s := data.IterableFunc[int](func(context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				_ = yield(1, nil) && yield(0, errBroken) && yield(2, nil)
				how()
			}
		})
		loader := data.NewIterableLoader[*torch.Tensor](s, data.LoaderOptions{Workers: 2})
		var texts []string
		for _, err := range loader.Batches(t.Context()) {
			texts = append(texts, fmt.Sprint(err))
		}
		require.Len(t, texts, 8)
		require.Equal(t, "data: batch 3: the file is broken", texts[3])
		require.Regexp(t, "^data: batch 7: (panic: out of luck|the dataset called runtime.Goexit)$", texts[7])
	}
}

// waiting waits for the end of ctx at sample 5.
type waiting struct{ draws }

func (d waiting) At(ctx context.Context, i int) (draw, error) {
	if i == 5 {
		<-ctx.Done()
		return draw{}, context.Cause(ctx)
	}
	return d.draws.At(ctx, i)
}

func TestNothingIsLeft(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	before := runtime.NumGoroutine()
	for _, persistent := range []bool{false, true} {
		loader := data.NewLoader[drawBatch](draws(100), data.LoaderOptions{Workers: 4, Persistent: persistent})
		for range loader.Batches(t.Context()) {
			break
		}
	}
	loader := data.NewLoader[drawBatch](waiting{100}, data.LoaderOptions{Workers: 4})
	for range loader.Batches(t.Context()) {
		break // while a worker waits
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	n := 0
	for _, err := range loader.Batches(ctx) {
		if n++; n == 5 {
			time.AfterFunc(time.Millisecond, cancel)
		}
		last = err
	}
	require.ErrorIs(t, last, context.Canceled)
	require.Equal(t, 6, n)
	loader = data.NewLoader[drawBatch](waiting{100}, data.LoaderOptions{Workers: 2, Timeout: 500 * time.Millisecond})
	for _, last = range loader.Batches(t.Context()) {
	}
	require.EqualError(t, last, "data: worker 1 has not read batch 5 in 500ms; raise the timeout, or look for what the dataset waits for")
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	require.LessOrEqual(t, runtime.NumGoroutine(), before, "%s", stacks[:runtime.Stack(stacks, true)])
}

func TestMistakes(t *testing.T) {
	d := draws(4)
	for want, f := range map[string]func(){
		"BatchSize is -1":  func() { data.NewLoader[drawBatch](d, data.LoaderOptions{BatchSize: -1}) },
		"Workers is -1":    func() { data.NewLoader[drawBatch](d, data.LoaderOptions{Workers: -1}) },
		"but Workers is 0": func() { data.NewLoader[drawBatch](d, data.LoaderOptions{Prefetch: 2}) },
		"both choose the order": func() {
			data.NewLoader[drawBatch](d, data.LoaderOptions{Shuffle: true, Sampler: data.NewSequentialSampler(d)})
		},
		"chooses the batches": func() {
			data.NewLoader[drawBatch](d, data.LoaderOptions{DropLast: true, BatchSampler: data.NewBatchSampler(data.NewSequentialSampler(d), 2, false)})
		},
		"the dataset has no samp": func() { data.NewLoader[drawBatch](draws(0), data.LoaderOptions{Shuffle: true}) },
		"has the field Input":     func() { data.NewLoader[data.Batch](d) },
		"an order of its own":     func() { data.NewIterableLoader[drawBatch](streamed(2), data.LoaderOptions{Shuffle: true}) },
		"no method Len":           func() { data.NewIterableLoader[drawBatch](streamed(2)).Len() },
		"are for batches":         func() { data.NewUnbatched(d, data.LoaderOptions{BatchSize: 2}) },
		"no samples to choose":    func() { data.NewRandomSampler(draws(0)) },
		"add up to 5":             func() { data.RandomSplit(d, []int{2, 3}) },
		"add up to 0.9":           func() { data.RandomSplitFractions(d, []float64{.5, .4}) },
		"the rank is 3":           func() { data.NewDistributedSampler(d, 3, 3) },
		"there are no tensors":    func() { data.NewTensorDataset() },
		"must have the same size": func() { data.NewTensorDataset(torch.Ones(2), torch.Ones(3)) },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	for range data.NewLoader[drawBatch](draws(0)).Batches(t.Context()) {
		t.Fatal("a batch of nothing")
	}
}
