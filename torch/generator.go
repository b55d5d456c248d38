package torch

import (
	"cmp"
	"runtime"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// A Generator is a source of random numbers: torch.Generator. Goroutines may
// share one; the numbers that each of them gets then vary from run to run.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Generator.html
type Generator struct{ g libtorch.Generator }

// RandomOptions are the options of functions that draw random numbers.
type RandomOptions struct {
	Generator *Generator // nil is the default generator
}

// NewGenerator makes a generator of a device with PyTorch's default seed:
// torch.Generator(device). The zero Device is the CPU, whatever the default device
// is, as in Python. It panics with an [*Error] if there is no such device.
func NewGenerator(d Device) *Generator {
	return newGenerator("Generator", d, libtorch.NewGenerator)
}

// DefaultGenerator returns the generator from which functions draw that are given
// no other one: torch.default_generator, and torch.cuda.default_generators[index]
// for a CUDA device. The zero Device is the CPU. It panics with an [*Error] if
// there is no such device.
func DefaultGenerator(d Device) *Generator {
	return newGenerator("DefaultGenerator", d, libtorch.DefaultGenerator)
}

func newGenerator(op string, d Device, make func(typ, index int) (libtorch.Generator, error)) *Generator {
	mustInit()
	typ, index := cmp.Or(d, CPU).mustC10(op)
	if typ == cudaType {
		mustCUDA(op)
	}
	g, err := make(typ, index)
	must(op, err)
	out := &Generator{g}
	runtime.AddCleanup(out, libtorch.Generator.Free, g)
	return out
}

// use calls f with libtorch's generator and panics with an Error in the name of op if
// that fails.
func (g *Generator) use(op string, f func(libtorch.Generator) error) {
	if g == nil || g.g.Word() == 0 {
		fail(op, "the generator was not made by NewGenerator")
	}
	must(op, f(g.g))
	runtime.KeepAlive(g)
}

// must panics with an Error in the name of op if err is not nil.
func must(op string, err error) {
	if err != nil {
		panic(&Error{Op: op, Msg: messageOf(err), kind: kindOf(err)})
	}
}

// ManualSeed sets the seed and returns the generator: generator.manual_seed(seed).
func (g *Generator) ManualSeed(seed int64) *Generator {
	g.use("Generator.ManualSeed", func(g libtorch.Generator) error { return g.Seed(uint64(seed)) })
	return g
}

// Seed seeds the generator with a random number that the system draws, and returns
// that number: generator.seed().
func (g *Generator) Seed() (seed uint64) {
	g.use("Generator.Seed", func(g libtorch.Generator) (err error) {
		seed, err = g.DrawSeed()
		return err
	})
	return seed
}

// InitialSeed returns the number with which the generator was seeded last:
// generator.initial_seed().
func (g *Generator) InitialSeed() (seed uint64) {
	g.use("Generator.InitialSeed", func(g libtorch.Generator) (err error) {
		seed, err = g.InitialSeed()
		return err
	})
	return seed
}

// Device returns the device on which the generator draws: generator.device.
func (g *Generator) Device() (d Device) {
	g.use("Generator.Device", func(g libtorch.Generator) error {
		typ, index, err := g.Device()
		d = deviceOf(typ, index)
		return err
	})
	return d
}

// State returns a copy of the generator's state: generator.get_state(). It is a
// tensor of dtype uint8 on the CPU, with the same bytes as in Python: 5056 for a
// generator of the CPU, and 16 for one of a CUDA device.
func (g *Generator) State() (state *Tensor) {
	g.use("Generator.State", func(g libtorch.Generator) error {
		h, res, err := g.State()
		if err != nil {
			return err
		}
		noteLive(res.Live)
		state = wrap(h, libtorch.Heavy, res.Scope)
		return nil
	})
	return state
}

// SetState sets a state that [Generator.State] or Python returned:
// generator.set_state(state). It panics with an [*Error] if state is not the state of
// a generator of such a device.
func (g *Generator) SetState(state *Tensor) {
	const op = "Generator.SetState"
	state.use(op, func(h uint64) {
		g.use(op, func(g libtorch.Generator) error { return g.SetState(h) })
	})
}
