package autograd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// CheckpointOptions are the options of [Checkpoint].
type CheckpointOptions struct {
	NoPreserveRNGState bool // f draws no random numbers, or may draw others
	NoDeterminismCheck bool // does not compare the tensors that f saves both times
	NoEarlyStop        bool // runs f to its end again, even if all that is needed is computed
}

// Checkpoint calls f without keeping the tensors that its derivatives need; they are
// computed again, by another call of f, when the graph is run:
// torch.utils.checkpoint.checkpoint with use_reentrant=False. It saves memory and costs
// time. f is called with the same random numbers and the same autocast as before, and must
// make the same operations. Tensors that it uses besides its inputs, such as parameters,
// get their gradients too. The inputs may be freed, but must not be modified in place, until
// the graph is run. The other call of f is made by the call that runs the graph; if several
// goroutines run the graph, their calls of f are made one at a time.
//
// https://docs.pytorch.org/docs/stable/checkpoint.html
func Checkpoint(f func(x ...*torch.Tensor) []*torch.Tensor, inputs []*torch.Tensor, options ...CheckpointOptions) (outputs []*torch.Tensor) {
	c := &checkpoint{f: f, o: torch.Only(options)}
	if !torch.IsGradEnabled() {
		return f(inputs...)
	}
	engine.Unscoped(func() { c.begin(inputs) })
	SavedTensorsHooks(c.pack, c.unpack, func() { outputs = f(inputs...) })
	return outputs
}

// CheckpointSequential calls functions one after another, in so many segments of which all
// but the last are a [Checkpoint]: torch.utils.checkpoint.checkpoint_sequential. It panics
// with an [*torch.Error] if there are more segments than functions, or none.
//
// https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.checkpoint_sequential
func CheckpointSequential(functions []func(x *torch.Tensor) *torch.Tensor, segments int, x *torch.Tensor, options ...CheckpointOptions) *torch.Tensor {
	if segments < 1 || segments > len(functions) {
		fail("CheckpointSequential", fmt.Sprintf("there are %d segments for %d functions", segments, len(functions)))
	}
	run := func(fs []func(x *torch.Tensor) *torch.Tensor) func(x ...*torch.Tensor) []*torch.Tensor {
		return Unary(func(x *torch.Tensor) *torch.Tensor {
			for _, f := range fs {
				x = f(x)
			}
			return x
		})
	}
	size := len(functions) / segments
	for range segments - 1 {
		x = Checkpoint(run(functions[:size]), []*torch.Tensor{x}, options...)[0]
		functions = functions[size:]
	}
	return run(functions)(x)[0]
}

// checkpoint is a call of f that is repeated when its tensors are needed.
type checkpoint struct {
	f      func(x ...*torch.Tensor) []*torch.Tensor
	o      CheckpointOptions
	inputs []input
	modes  libtorch.State
	states map[torch.Device]*torch.Tensor // of the random number generators

	mu    sync.Mutex
	saved []string              // what f saved the first time, described
	again map[int]*torch.Tensor // what it saved the last time, by number, until it is used
}

// An input of a checkpoint. It has a tensor of its own, since the caller's may be freed.
type input struct {
	x            *torch.Tensor
	requiresGrad bool
	version      int // counts the modifications in place
}

var opVersion = torch.NewOp("aten::_version", "")

func versionOf(x *torch.Tensor) int {
	if x.IsInference() {
		return 0 // it has none
	}
	var c torch.Call
	c.Tensor(x)
	return torch.Result[int](&c, opVersion)
}

// begin keeps what the second call of f must find as the first.
func (c *checkpoint) begin(inputs []*torch.Tensor) {
	c.inputs = make([]input, len(inputs))
	for i, x := range inputs {
		if x != nil {
			in := input{x: x.Detach(), requiresGrad: x.RequiresGrad()}
			if torch.Try(func() { in.version = versionOf(x) }) != nil {
				fail("Checkpoint", fmt.Sprintf("input %d is mapped by Vmap, in which there are no checkpoints", i))
			}
			c.inputs[i] = in
		}
	}
	engine.Within(func(*libtorch.State) {}, func() { c.modes = libtorch.ThreadState() })
	if c.o.NoPreserveRNGState {
		return
	}
	c.states = map[torch.Device]*torch.Tensor{torch.CPU: torch.RNGState()}
	for _, x := range inputs {
		if x != nil && x.Device().Type() == string(torch.CUDA) && c.states[x.Device()] == nil {
			c.states[x.Device()] = torch.DefaultGenerator(x.Device()).State()
		}
	}
}

// describe describes a saved tensor, as far as it must be the same both times.
func describe(x *torch.Tensor) string {
	return fmt.Sprintf("%v %v on %v", x.Shape(), x.DType(), x.Device())
}

func (c *checkpoint) pack(x *torch.Tensor) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.saved = append(c.saved, describe(x))
	x.Free() // which is the reason for the checkpoint
	return len(c.saved) - 1
}

func (c *checkpoint) unpack(i int) *torch.Tensor {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.again[i] == nil {
		c.repeat()
	}
	x := c.again[i]
	delete(c.again, i)
	return x
}

// errEnough is the value of the panic that ends f early.
var errEnough = errors.New("all tensors are computed")

// repeat calls f again, and keeps what it saves.
func (c *checkpoint) repeat() {
	c.again = map[int]*torch.Tensor{}
	n := 0
	pack := func(saved *torch.Tensor) *torch.Tensor {
		x := saved.Detach()
		saved.Free()
		if n < len(c.saved) {
			c.again[n] = x
		}
		if n++; n == len(c.saved) && !c.o.NoEarlyStop {
			panic(errEnough)
		}
		return x
	}
	inputs := make([]*torch.Tensor, len(c.inputs))
	for i, in := range c.inputs {
		if in.x == nil {
			continue
		}
		if versionOf(in.x) != in.version {
			fail("Checkpoint", fmt.Sprintf("input %d has been modified by an inplace operation after it was given to Checkpoint, so the function cannot be called with it again", i))
		}
		inputs[i] = in.x.Detach().RequireGrad(in.requiresGrad)
	}
	call := func() {
		defer func() {
			if p := recover(); p != nil && !stopped(p) {
				panic(p)
			}
		}()
		SavedTensorsHooks(pack, func(x *torch.Tensor) *torch.Tensor { return x }, func() { c.f(inputs...) })
	}
	c.asBefore(func() { torch.EnableGrad(call) })
	if c.o.NoDeterminismCheck {
		return
	}
	if n != len(c.saved) {
		fail("Checkpoint", fmt.Sprintf("the function saved %d tensors the first time and %d the second time; it must do the same both times", len(c.saved), n))
	}
	var differ []string
	for i, x := range c.again {
		if d := describe(x); d != c.saved[i] {
			differ = append(differ, fmt.Sprintf("tensor %d is %s, and was %s", i, d, c.saved[i]))
		}
	}
	if differ != nil {
		slices.Sort(differ)
		fail("Checkpoint", "the function saved other tensors the second time: "+strings.Join(differ, "; "))
	}
}

// stopped reports whether a panic is that of [errEnough], which the operator that saved a
// tensor has wrapped.
func stopped(p any) bool {
	err, ok := p.(error)
	return ok && errors.Is(err, errEnough)
}

// asBefore calls f with the modes and the random numbers of the first call.
func (c *checkpoint) asBefore(f func()) {
	engine.Within(func(s *libtorch.State) {
		s.Autocast, s.AutocastCache = c.modes.Autocast, c.modes.AutocastCache
	}, func() {
		if c.states == nil {
			f()
			return
		}
		var devices = []torch.Device{}
		for d := range c.states {
			if d != torch.CPU {
				devices = append(devices, d)
			}
		}
		torch.ForkRNG(func() {
			for d, state := range c.states {
				torch.DefaultGenerator(d).SetState(state)
			}
			f()
		}, torch.ForkRNGOptions{Devices: devices})
	})
}
