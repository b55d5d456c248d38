package torch

import (
	"context"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// ManualSeed seeds the generators of all devices: torch.manual_seed. A negative seed
// stands for its two's complement, as in Python.
//
// https://docs.pytorch.org/docs/stable/generated/torch.manual_seed.html
func ManualSeed(seed int64) {
	mustInit()
	must("ManualSeed", libtorch.ManualSeed(uint64(seed)))
}

// Seed seeds the generators of all devices with a random number that the system
// draws, and returns that number: torch.seed().
//
// https://docs.pytorch.org/docs/stable/generated/torch.seed.html
func Seed() uint64 {
	seed := DefaultGenerator(CPU).Seed()
	ManualSeed(int64(seed))
	return seed
}

// InitialSeed returns the number with which the default generator of the CPU was
// seeded last: torch.initial_seed().
//
// https://docs.pytorch.org/docs/stable/generated/torch.initial_seed.html
func InitialSeed() uint64 { return DefaultGenerator(CPU).InitialSeed() }

// RNGState returns a copy of the state of the CPU's default generator:
// torch.get_rng_state(). The tensor has the same bytes as in Python.
//
// https://docs.pytorch.org/docs/stable/generated/torch.get_rng_state.html
func RNGState() *Tensor { return DefaultGenerator(CPU).State() }

// SetRNGState sets a state that [RNGState] or Python returned:
// torch.set_rng_state(state). It panics with an [*Error] if state is not one.
//
// https://docs.pytorch.org/docs/stable/generated/torch.set_rng_state.html
func SetRNGState(state *Tensor) { DefaultGenerator(CPU).SetState(state) }

// ForkRNGOptions are the options of [ForkRNG].
type ForkRNGOptions struct {
	// Devices are the devices besides the CPU whose generators are reset too. The
	// default, nil, is all CUDA devices; a slice of no elements is none.
	Devices []Device

	Disabled bool // whether f is only called: enabled=False
}

// ForkRNG calls f, then sets the default generators back to the states that they had
// before, also if f panics: with torch.random.fork_rng(). The generators belong to the
// whole process, so draws of other goroutines meanwhile are undone as well.
//
// https://docs.pytorch.org/docs/stable/random.html#torch.random.fork_rng
func ForkRNG(f func(), options ...ForkRNGOptions) {
	o := Only(options)
	if o.Disabled {
		f()
		return
	}
	devices := o.Devices
	if devices == nil {
		n, _ := CUDACount(context.Background()) // no devices if there is no CUDA
		for i := range n {
			devices = append(devices, CUDADevice(i))
		}
	}
	generators := []*Generator{DefaultGenerator(CPU)}
	for _, d := range devices {
		generators = append(generators, DefaultGenerator(d))
	}
	states := make([]*Tensor, len(generators))
	for i, g := range generators {
		states[i] = g.State()
	}
	defer func() {
		for i, g := range generators {
			g.SetState(states[i])
			states[i].Free()
		}
	}()
	f()
}
