package data

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
)

// A LoaderState is the place of a loop over a [Loader], from which another process can go on: a checkpoint has one
// beside the state of the model. It can be written by [torch.Save], as JSON or by encoding/gob.
type LoaderState struct {
	Batches    int           // of the epoch, that the loop has been given; 0 between epochs
	BaseSeed   int64         // of the workers
	Drawn      bool          // the epoch began by drawing the base seed
	Generators [][]byte      // states at the start of the epoch: of the default generator, the loader's and the sampler's
	Workers    []WorkerState // now
}

// A WorkerState are the states of a worker's generators.
type WorkerState struct {
	Torch  []byte // of torch.Generator
	Python []byte // of pyrandom.Random
}

// generators returns the generators that the order of the samples is drawn from; nil stands for one that is not there.
func (l *Loader[B]) generators() []*torch.Generator {
	gs := []*torch.Generator{torch.DefaultGenerator(torch.CPU), l.o.Generator, nil}
	if s, ok := l.sampler.(interface{ generator() *torch.Generator }); ok {
		gs[2] = s.generator()
	}
	return gs
}

// states returns the states of generators.
func states(gs []*torch.Generator) [][]byte {
	out := make([][]byte, len(gs))
	for i, g := range gs {
		if g != nil {
			out[i] = stateOf(g)
		}
	}
	return out
}

func stateOf(g *torch.Generator) []byte {
	x := g.State()
	defer x.Free()
	return torch.Data[uint8](x)
}

func setState(g *torch.Generator, state []byte) {
	x := torch.FromSlice(state)
	defer x.Free()
	g.SetState(x)
}

func (w *worker[B]) state() WorkerState { return w.info.state() }

func (w *WorkerInfo) state() WorkerState {
	return WorkerState{stateOf(w.generator), w.random.State()}
}

func (c *crew) states() []WorkerState {
	out := make([]WorkerState, len(c.infos))
	for i, w := range c.infos {
		out[i] = w.state()
	}
	return out
}

// State returns the place of the loop that began last. Called in the body of a loop, it is after the batch at hand.
//
// It contains what the order of the remaining batches, and the numbers that workers draw for them, depend on, but not the
// state of the default generator now, from which the rest of the program draws: keep that of [torch.RNGState] beside it.
// Samplers of other packages are gone through again from the same states of the default generator and of the loader's.
//
// It panics with a *torch.Error in the body of a loop whose batches come out of order, since their number does not tell
// which they were.
func (l *Loader[B]) State() LoaderState {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.now
	if s.Batches > 0 && l.anyOrder() {
		fail("Loader.State", "the batches come out of order, so that a loop cannot go on after some of them; leave out OutOfOrder, or call it between epochs")
	}
	if s.Batches == 0 {
		// The default generator is left as it is.
		s = LoaderState{Generators: append([][]byte{nil}, states(l.generators()[1:])...)}
		if l.kept != nil {
			s.BaseSeed, s.Workers = l.kept.base, l.kept.states()
		}
	}
	s.Workers = append([]WorkerState(nil), s.Workers...)
	return s
}

// anyOrder reports whether batches come out of order.
func (l *Loader[B]) anyOrder() bool { return l.o.OutOfOrder && l.o.Workers > 0 }

// Resume makes the next loop over the loader go on where a loop was when [Loader.State] returned s: it has the remaining
// batches of that epoch, in the same order and with the same numbers of the workers. The loader must have the same
// dataset and options. The sampler is gone through again, but no samples are read, except of an iterable dataset. The
// default generator is afterwards where it was before.
func (l *Loader[B]) Resume(s LoaderState) error {
	switch {
	case s.Batches < 0:
		return fmt.Errorf("data: the state is after %d batches; it is not one of a loader", s.Batches)
	case s.Batches > 0 && l.anyOrder():
		return fmt.Errorf("data: the state is after %d batches, but the batches of this loader come out of order; leave out OutOfOrder", s.Batches)
	case l.sampler != nil && s.Batches > l.sampler.Len():
		return fmt.Errorf("data: the state is after %d batches, but the loader has %d; it is the state of another loader", s.Batches, l.sampler.Len())
	case len(s.Workers) != l.o.Workers && (s.Batches > 0 || len(s.Workers) > 0):
		return fmt.Errorf("data: the state is of a loader with %d workers, but this one has %d; use as many", len(s.Workers), l.o.Workers)
	}
	err := torch.Try(func() {
		gs := l.generators()
		if len(s.Generators) != len(gs) {
			fail("Loader.Resume", "the state has %d generators, and not %d", len(s.Generators), len(gs))
		}
		for i, g := range gs {
			if i > 0 && (g != nil) != (len(s.Generators[i]) > 0) {
				fail("Loader.Resume", "the state is of a loader with another Generator or sampler")
			}
			if state := s.Generators[i]; len(state) > 0 { // as a test of the bytes
				setState(torch.NewGenerator(torch.CPU), state)
			}
		}
		for _, info := range newCrew(0, len(s.Workers)).infos {
			if err := info.set(s.Workers[info.ID]); err != nil {
				fail("Loader.Resume", "%s", err)
			}
		}
	})
	if err != nil {
		return fmt.Errorf("data: the state is damaged or of another loader: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resumed = &s
	return nil
}

// set sets the states of a worker's generators.
func (w *WorkerInfo) set(s WorkerState) error {
	setState(w.generator, s.Torch)
	return w.random.SetState(s.Python)
}

// resume returns the workers as they were, and has e skip the batches that the loop has been given. The caller holds the
// lock.
func (l *Loader[B]) resume(e *epoch[B]) *crew {
	s := *l.resumed
	gs := l.generators()
	for i, state := range s.Generators {
		if len(state) == 0 {
			continue
		}
		if i == 0 {
			was := stateOf(gs[0])
			e.restore = func() { setState(gs[0], was) }
		}
		setState(gs[i], state)
	}
	base := s.BaseSeed
	fresh := s.Batches == 0 && len(s.Workers) == 0 // the next epoch draws
	if fresh || s.Drawn {
		base = BaseSeed(l.o.Generator)
	}
	c := newCrew(base, l.o.Workers)
	for i, w := range s.Workers {
		if err := c.infos[i].set(w); err != nil {
			fail("Loader.Resume", "%s", err)
		}
	}
	e.skip = s.Batches
	l.now = s
	if s.Batches == 0 {
		l.now.Generators, l.now.Drawn = states(gs), fresh
	}
	l.now.BaseSeed, l.now.Workers = base, c.states()
	return c
}
