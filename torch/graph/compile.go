package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// CompileOptions are the options of [Compile].
type CompileOptions struct {
	Names  torch.StateDict // of parameters and buffers, as in [TraceOptions]
	Shapes int             // for how many shapes of inputs optimized graphs are kept, 0 means 4

	// Batch says that f computes each sample of its inputs [N, …] and outputs [N, …] on its own. A graph then also serves
	// other N: large batches are computed in parts, where that is faster.
	Batch bool

	// OptimizeOptions are those of each shape. With Release, which frees what f needs, f is optimized once, by Prepare, during
	// which f must not run. Afterward only inputs of that shape can be computed, and with Batch of any N.
	OptimizeOptions
}

// A Compiled is a function that is optimized for the shapes of its inputs. Any number of goroutines may run it.
type Compiled struct {
	f func(x ...*torch.Tensor) []*torch.Tensor
	o CompileOptions

	mu       sync.Mutex
	entries  []*entry // the one that was used last comes first
	released string   // the inputs for which f was optimized and then released; "" if it was not
}

// An entry is what f is for inputs of a shape.
type entry struct {
	key    string
	sample string // the key without the number of samples; "" if these may not be split

	// guarded by the mutex of the Compiled
	calls  int
	making chan struct{} // closed when an optimization ends; nil if none is going on
	made   *made         // nil before the first one
}

// made is what an optimization made.
type made struct {
	run    *Optimized // nil if f is called
	n      int        // the samples of a run; 0 if they may not be split
	report Report
}

// Compile returns f, optimized for the shapes of the inputs that it is called with, by [Trace] and [Optimize]: torch.compile(f).
// Since that takes a while, it begins with the third call for a shape; Prepare does it at once. f must not change: a graph has
// the parameters as they are when it is made. A function that cannot be traced is called as it is.
//
// https://docs.pytorch.org/docs/stable/generated/torch.compile.html
func Compile(f func(x ...*torch.Tensor) []*torch.Tensor, options ...CompileOptions) *Compiled {
	o := torch.Only(options)
	if o.Shapes <= 0 {
		o.Shapes = 4
	}
	return &Compiled{f: f, o: o}
}

// patience is the number of calls for a shape before it is optimized.
const patience = 2

// Prepare optimizes f for the shapes of the inputs, unless it is so already, and returns what became of it. The inputs are also
// those on which the result is proved and timed.
func (c *Compiled) Prepare(ctx context.Context, inputs ...*torch.Tensor) (Report, error) {
	key, sample, n := c.keys(inputs)
	for {
		c.mu.Lock()
		if c.released != "" {
			m, err := c.kept(key, sample, n, inputs)
			c.mu.Unlock()
			if err != nil {
				return Report{}, err
			}
			return m.report, nil
		}
		e := c.entry(key, sample)
		m, making := e.made, e.making
		if m != nil {
			c.mu.Unlock()
			return m.report, nil
		}
		if making == nil {
			m, err := c.makeEntry(ctx, e, inputs, n)
			if err != nil {
				return Report{}, err
			}
			return m.report, nil
		}
		c.mu.Unlock()
		select {
		case <-making: // perhaps without a result
		case <-ctx.Done():
			return Report{}, ctx.Err()
		}
	}
}

// Run computes f of the inputs. It panics with a *torch.Error if f does; the error is that of the context.
func (c *Compiled) Run(ctx context.Context, inputs ...*torch.Tensor) ([]*torch.Tensor, error) {
	key, sample, n := c.keys(inputs)
	c.mu.Lock()
	if c.released != "" {
		m, err := c.kept(key, sample, n, inputs)
		c.mu.Unlock()
		if err != nil {
			return nil, err
		}
		return c.compute(ctx, m, inputs)
	}
	var m *made
	if i := slices.IndexFunc(c.entries, func(e *entry) bool { return e.key != key && n > 0 && e.serves(sample, n) }); i >= 0 && !c.has(key) {
		m = c.entries[i].made
		c.use(i)
		c.mu.Unlock()
		return c.compute(ctx, m, inputs)
	}
	e := c.entry(key, sample)
	e.calls++
	if m = e.made; m == nil && e.making == nil && e.calls > patience && c.o.Release == nil {
		m, err := c.makeEntry(ctx, e, inputs, n)
		if err != nil {
			return nil, err
		}
		return c.compute(ctx, m, inputs)
	}
	c.mu.Unlock()
	if m == nil { // others run f meanwhile
		m = &made{}
	}
	return c.compute(ctx, m, inputs)
}

// kept returns what remains after f was released, if it is for these inputs.
func (c *Compiled) kept(key, sample string, n int, inputs []*torch.Tensor) (*made, error) {
	for _, e := range c.entries {
		if e.made != nil && e.made.run != nil && (e.key == key || n > 0 && e.made.n > 0 && e.sample == sample) {
			return e.made, nil
		}
	}
	return nil, fmt.Errorf("graph: the inputs are %s, and the parameters were released when it was optimized for %s; make and compile it again", kindsOf(inputs), c.released)
}

// kindsOf returns the dtypes and shapes of inputs, for reading.
func kindsOf(inputs []*torch.Tensor) string {
	var kinds []string
	for _, x := range inputs {
		v := Value{DType: x.DType(), Device: x.Device(), Shape: x.Shape()}
		kinds = append(kinds, v.kind())
	}
	return strings.Join(kinds, ", ")
}

// has reports whether there is something made for a key. The mutex must be held, as in the functions below.
func (c *Compiled) has(key string) bool {
	return slices.ContainsFunc(c.entries, func(e *entry) bool { return e.key == key && e.made != nil })
}

// use makes an entry the one that was used last.
func (c *Compiled) use(i int) {
	e := c.entries[i]
	c.entries = slices.Insert(slices.Delete(c.entries, i, i+1), 0, e)
}

// entry returns the entry of a key, which it makes if there is none.
func (c *Compiled) entry(key, sample string) *entry {
	i := slices.IndexFunc(c.entries, func(e *entry) bool { return e.key == key })
	if i < 0 {
		i = 0
		c.entries = slices.Insert(c.entries, 0, &entry{key: key, sample: sample})
		c.entries = c.entries[:min(len(c.entries), c.o.Shapes)]
	}
	c.use(i)
	return c.entries[0]
}

// serves reports whether an entry, which is for another number of samples, computes n without much that is not needed.
func (e *entry) serves(sample string, n int) bool {
	return e.made != nil && e.sample == sample && e.made.run != nil && e.made.n > 0 && 2*n > e.made.n
}

// makeEntry optimizes for an entry, and releases the mutex meanwhile and at its end.
func (c *Compiled) makeEntry(ctx context.Context, e *entry, inputs []*torch.Tensor, n int) (m *made, err error) {
	making := make(chan struct{})
	e.making = making
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		e.made, e.making, e.calls = m, nil, 0
		c.mu.Unlock()
		close(making)
	}()
	return c.make(ctx, inputs, n)
}

// compute runs what was made, perhaps for other numbers of samples.
func (c *Compiled) compute(ctx context.Context, e *made, inputs []*torch.Tensor) ([]*torch.Tensor, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch {
	case e.run == nil:
		var out []*torch.Tensor
		err := engine.RunUntil(ctx, func() { torch.NoGrad(func() { out = c.f(inputs...) }) })
		return out, err
	case e.n == 0 || e.n == inputs[0].Size(0):
		return e.run.Run(ctx, inputs...)
	}
	return e.run.inParts(ctx, e.n, inputs)
}

// inParts runs a graph of n samples on other numbers of them.
func (o *Optimized) inParts(ctx context.Context, n int, inputs []*torch.Tensor) (out []*torch.Tensor, err error) {
	all := inputs[0].Size(0)
	parts := make([][]*torch.Tensor, len(o.graph.Outputs))
	late := engine.RunUntil(ctx, func() {
		torch.NoGrad(func() {
			torch.Scope(func() {
				for i := 0; i < all && err == nil; i += n {
					var in, results []*torch.Tensor
					for _, x := range inputs {
						x = x.Narrow(0, i, min(n, all-i))
						if k := n - x.Size(0); k > 0 {
							x = torch.Cat([]*torch.Tensor{x, x.Narrow(0, 0, 1).Expand(append([]int{k}, x.Shape()[1:]...)...)}, 0)
						}
						in = append(in, x)
					}
					results, err = o.Run(ctx, in...)
					for j, y := range results {
						parts[j] = append(parts[j], y.Narrow(0, 0, min(n, all-i)))
					}
				}
				if err == nil {
					for _, p := range parts {
						out = append(out, torch.Keep(torch.Cat(p, 0)))
					}
				}
			})
		})
	})
	if late != nil {
		return nil, late
	}
	return out, err
}

// keys returns the key of inputs, that of a sample, and the number of samples; 0 if they may not be split.
func (c *Compiled) keys(inputs []*torch.Tensor) (key, sample string, n int) {
	split := c.o.Batch
	for i, x := range inputs {
		if x == nil {
			fail("input %d is nil", i)
		}
		shape := x.Shape()
		key += fmt.Sprint(x.DType(), x.Device(), shape, ";")
		if split = split && len(shape) > 0 && (i == 0 || shape[0] == n); split {
			n = shape[0]
			sample += fmt.Sprint(x.DType(), x.Device(), shape[1:], ";")
		}
	}
	if !split {
		return key, "", 0
	}
	return key, sample, n
}

// make optimizes f for inputs.
func (c *Compiled) make(ctx context.Context, inputs []*torch.Tensor, n int) (*made, error) {
	o := c.o.OptimizeOptions
	o.Inputs = inputs
	if release := o.Release; release != nil {
		o.Release = func() {
			c.mu.Lock()
			c.released = kindsOf(inputs)
			c.mu.Unlock()
			release()
		}
	}
	trace := func(x []*torch.Tensor, o OptimizeOptions) (*Optimized, error) {
		start := time.Now()
		g, err := Trace(c.f, x, TraceOptions{Names: c.o.Names})
		traced := time.Since(start)
		if err != nil {
			return &Optimized{report: Report{Reason: err.Error()}}, nil
		}
		opt, err := Optimize(ctx, g, o)
		if err == nil {
			opt.report.Parts.Trace = traced
			opt.report.Took += traced
		}
		return opt, err
	}
	best, err := trace(inputs, o)
	if err != nil {
		return nil, err
	}
	e := &made{report: best.report}
	if best.graph != nil && best.report.Reason == "" {
		e.run, e.n = best, n
	}
	if part := torch.NumThreads(); n > part && best.graph != nil && best.captured == nil && o.Release == nil { // an image for each thread at a time
		if err := c.tryParts(ctx, e, inputs, part, trace); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// tryParts replaces the graph by one of fewer samples, if that is faster.
func (c *Compiled) tryParts(ctx context.Context, e *made, inputs []*torch.Tensor, part int, trace func([]*torch.Tensor, OptimizeOptions) (*Optimized, error)) error {
	var few []*torch.Tensor
	for _, x := range inputs {
		few = append(few, x.Narrow(0, 0, part))
	}
	o := c.o.OptimizeOptions
	o.Inputs, o.Untimed = few, true
	opt, err := trace(few, o)
	if err != nil || opt.graph == nil || opt.report.Reason != "" {
		return err
	}
	var own, parts []time.Duration
	for i := range 3 {
		start := time.Now()
		a, err := c.compute(ctx, e, inputs)
		if err != nil {
			return err
		}
		between := time.Now()
		b, err := opt.inParts(ctx, part, inputs)
		if err != nil {
			return err
		}
		if i > 0 {
			own, parts = append(own, between.Sub(start)), append(parts, time.Since(between))
		}
		for j := range a {
			if !(relative(a[j], b[j]) <= opt.tolerance()) { // samples depend on each other
				return nil
			}
		}
	}
	if slices.Min(parts) >= slices.Min(own) {
		return nil
	}
	report := opt.report
	report.Samples = part
	report.Eager, report.Optimized = e.report.Eager, slices.Min(parts)
	report.Took += e.report.Took
	e.run, e.n, e.report = opt, part, report
	return nil
}
