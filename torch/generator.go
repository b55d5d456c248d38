package torch

import (
	"cmp"
	"runtime"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// A Generator is a source of random numbers besides the default one:
// torch.Generator. Goroutines may share one; the numbers that each of them gets
// then vary from run to run.
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
	mustInit()
	typ, index := cmp.Or(d, CPU).mustC10("Generator")
	g, err := libtorch.NewGenerator(typ, index)
	if err != nil {
		panic(&Error{Op: "Generator", Msg: err.Error(), kind: kindOf(err)})
	}
	out := &Generator{g}
	runtime.AddCleanup(out, libtorch.Generator.Free, g)
	return out
}

// ManualSeed sets the seed and returns the generator: generator.manual_seed(seed).
func (g *Generator) ManualSeed(seed int64) *Generator {
	if g == nil || g.g.Word() == 0 {
		fail("Generator.ManualSeed", "the generator was not made by NewGenerator")
	}
	if err := g.g.Seed(uint64(seed)); err != nil {
		panic(&Error{Op: "Generator.ManualSeed", Msg: err.Error(), kind: kindOf(err)})
	}
	runtime.KeepAlive(g)
	return g
}
