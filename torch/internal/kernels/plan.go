package kernels

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A Plan is a program, ready to run once it is packed. Any number of goroutines may run it at once.
type Plan struct {
	plan  libtorch.Plan
	steps int // instructions that run: constants do not
}

// Available returns the name of the instruction set that programs use on this machine, and how many channels are in a
// block.
func Available() (name string, block int, err error) {
	if err := torch.Init(context.Background()); err != nil {
		return "", 0, err
	}
	block, name = libtorch.EngineBlock()
	return name, block, nil
}

// BFloat16 reports whether there are kernels that multiply bfloat16 on this machine.
func BFloat16() (bool, error) {
	if err := torch.Init(context.Background()); err != nil {
		return false, err
	}
	return libtorch.EngineBFloat16(), nil
}

// Compile makes a plan of a program. Its error says what is wrong, or not supported, in the program. The weights must not change
// before [Plan.Pack], and may be freed.
func Compile(p *Program) (*Plan, error) {
	_, block, err := Available()
	if err != nil {
		return nil, err
	}
	w := &words{numbers: map[*torch.Tensor]int{}}
	instructions, err := withPorts(p)
	if err != nil {
		return nil, fmt.Errorf("kernels: %w", err)
	}
	images := layout(p, instructions, block)
	loops := findLoops(instructions, images, large)
	arena, local := allocate(images, instructions, loops)
	w.program(p, instructions, images, loops, arena, local)
	plan := &Plan{}
	for _, in := range instructions {
		if in.Kind != Const {
			plan.steps++
		}
	}
	err = w.call(func(handles []uint64) (err error) {
		plan.plan, err = libtorch.NewPlan(w.words, handles)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kernels: %w", err)
	}
	runtime.AddCleanup(plan, func(p libtorch.Plan) { p.Free() }, plan.plan)
	return plan, nil
}

// Pack copies the weights, once, before the first run. A weight that has been freed since Compile returns its memory to the
// system as soon as it is copied.
func (p *Plan) Pack() error {
	_, err := engine.Invoke(&torch.Call{}, "kernels.Pack", func(_, _ []uint64) error { return p.plan.Pack(torch.NumThreads()) })
	runtime.KeepAlive(p)
	return err
}

// Run computes the outputs from the inputs, contiguous float32 tensors on the CPU with as many elements as the ports have,
// on the threads of [torch.Run]. Once ctx is done it returns ctx's error, and the outputs are not defined.
func (p *Plan) Run(ctx context.Context, inputs, outputs []*torch.Tensor) error {
	return p.run(ctx, inputs, outputs, nil)
}

// Profile is as Run, and returns how long each instruction took that is no constant. The reading of inputs is before, and the
// writing of outputs after those of the program.
func (p *Plan) Profile(ctx context.Context, inputs, outputs []*torch.Tensor) ([]time.Duration, error) {
	times := make([]int64, p.steps)
	err := p.run(ctx, inputs, outputs, times)
	out := make([]time.Duration, len(times))
	for i, t := range times {
		out[i] = time.Duration(t)
	}
	return out, err
}

func (p *Plan) run(ctx context.Context, inputs, outputs []*torch.Tensor, times []int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var cancel int32
	stop := context.AfterFunc(ctx, func() { atomic.StoreInt32(&cancel, 1) })
	defer stop()
	var canceled bool
	var err error
	late := engine.RunUntil(ctx, func() {
		var c torch.Call
		for _, x := range slices.Concat(inputs, outputs) {
			c.Tensor(x)
		}
		_, err = engine.Invoke(&c, "kernels.Run", func(words, _ []uint64) (err error) {
			canceled, err = p.plan.Run(handles(words), libtorch.ThreadWidth(), &cancel, times)
			return err
		})
	})
	runtime.KeepAlive(p)
	switch {
	case late != nil:
		return late
	case canceled:
		return ctx.Err()
	}
	return err
}

// handles returns the tensors of a call's words, each a tag and a handle.
func handles(words []uint64) []uint64 {
	out := make([]uint64, 0, len(words)/2)
	for i := 1; i < len(words); i += 2 {
		out = append(out, words[i])
	}
	return out
}

// The kinds that reading and writing the tensors of ports have, in addition to those of programs; see engine.h.
const (
	read  = Normalize + 1
	write = Normalize + 2
)

// withPorts returns the instructions of a program, with those that read its inputs and write its outputs.
func withPorts(p *Program) ([]Instruction, error) {
	var out, constants []Instruction
	for _, port := range p.Inputs {
		out = append(out, Instruction{Kind: read, Out: port.Value})
	}
	for _, in := range p.Instructions {
		if in.Kind == Const { // which is in the way of loops
			constants = append(constants, in)
		} else {
			out = append(out, in)
		}
	}
	out = slices.Insert(out, len(p.Inputs), constants...)
	for i, in := range out {
		for _, v := range append(slices.Clone(in.In), in.Out) {
			if v < 0 || v >= len(p.Values) {
				return nil, fmt.Errorf("instruction %d names value %d, and the program has %d", i, v, len(p.Values))
			}
		}
	}
	for _, port := range p.Outputs {
		if port.Value < 0 || port.Value >= len(p.Values) {
			return nil, errors.New("an output names no value")
		}
		out = append(out, Instruction{Kind: write, In: []int{port.Value}})
	}
	return out, nil
}

// An image is a value in memory: with a border for the padding of the convolutions that read it, in blocks, and in bfloat16 too
// for those that multiply that.
type image struct {
	Value
	top, side, block int
	halves           bool
	local            bool // of a turn of a loop: N is 1
	offset           int64
	constant         bool
}

// size returns the floats of an image, as in engine.h.
func (v *image) size() int64 {
	plane := int64(v.H+2*v.top) * int64(v.W+2*v.side) * int64(v.block)
	if plane >= 512 {
		plane = ((plane+15)/16 | 1) * 16
	}
	floats := int64(v.N) * int64((v.C+v.block-1)/v.block) * plane
	if v.halves {
		return floats / 2 * 3
	}
	return floats
}

// layout decides on the borders and blocks of values, and on which are in bfloat16 too.
func layout(p *Program, instructions []Instruction, block int) []image {
	images := make([]image, len(p.Values))
	plain := make([]bool, len(images)) // whether only convolutions read it, which also read single channels
	for i, v := range p.Values {
		images[i] = image{Value: v, block: block}
	}
	for _, port := range p.Inputs {
		plain[port.Value] = p.Values[port.Value].C <= 4
	}
	for _, in := range instructions {
		if in.Kind == Const {
			images[in.Out].constant = true
		}
		for k, v := range in.In {
			if in.Kind == Conv && k == 0 {
				images[v].top = max(images[v].top, in.Padding[0])
				images[v].side = max(images[v].side, in.Padding[1])
				depthwise := in.Groups > 1 && in.Groups == p.Values[v].C && in.Groups == p.Values[in.Out].C
				images[v].halves = images[v].halves || p.BFloat16 && !depthwise && p.Values[v].C > 4
			}
			plain[v] = plain[v] && in.Kind == Conv && k == 0 && in.Groups <= 1
		}
	}
	for i := range images {
		if plain[i] {
			images[i].block = 1
		}
	}
	return images
}

// allocate gives images places, those that are local to loops apart from the others, and returns how many floats each have.
func allocate(images []image, instructions []Instruction, loops []loop) (arena, local int64) {
	first, last := make([]int, len(images)), make([]int, len(images))
	for i := range first {
		first[i], last[i] = -1, -1
	}
	root := make([]int, len(images)) // the image whose memory it takes over
	for i := range root {
		root[i] = i
	}
	reads := make([]int, len(images))
	for _, in := range instructions {
		for _, v := range in.In {
			reads[v]++
		}
	}
	for i, in := range instructions {
		from, to := i, i // what is not local to a loop is in use in all of its turns
		l := slices.IndexFunc(loops, func(l loop) bool { return l.from <= i && i < l.to })
		if l >= 0 {
			from, to = loops[l].from, loops[l].to-1
		}
		if in.Kind != write {
			if x := inPlace(in, images); x >= 0 && reads[x] == 1 && (l < 0 || images[x].local && images[in.Out].local) {
				root[in.Out] = root[x]
			}
			r := root[in.Out]
			if images[r].local {
				from, to = i, i
			}
			if first[r] < 0 {
				first[r] = from
			}
			last[r] = max(last[r], to)
		}
		for _, v := range in.In {
			if r := root[v]; images[r].local || l < 0 {
				last[r] = max(last[r], i)
			} else {
				last[r] = max(last[r], loops[l].to-1)
			}
		}
	}
	var order, inLoops []int
	for i := range images {
		switch {
		case root[i] != i || first[i] < 0 || images[i].constant:
		case images[i].local:
			inLoops = append(inLoops, i)
		default:
			order = append(order, i)
		}
	}
	arena, local = place(images, order, first, last), place(images, inLoops, first, last)
	for i := range images {
		images[i].offset = images[root[i]].offset
	}
	return arena, local
}

// place gives some images places in one piece of memory, whose size in floats it returns. Images share memory that are not
// needed at the same time: the largest is placed first, each at the first place that is free.
func place(images []image, order, first, last []int) int64 {
	const unit = 1024 // a page
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(images[b].size(), images[a].size()) })
	room := func(i int) int64 { return (images[i].size() + 64 + unit - 1) / unit * unit }
	var placed []int // by offset
	var arena int64
	for _, i := range order {
		var offset int64
		for _, j := range placed {
			apart := last[j] < first[i] || last[i] < first[j]
			if !apart && offset < images[j].offset+room(j) && images[j].offset < offset+room(i) {
				offset = images[j].offset + room(j)
			}
		}
		images[i].offset = offset
		at, _ := slices.BinarySearchFunc(placed, offset, func(j int, o int64) int { return cmp.Compare(images[j].offset, o) })
		placed = slices.Insert(placed, at, i)
		arena = max(arena, offset+room(i))
	}
	return arena
}

// inPlace returns the input whose memory the result of an instruction may take over, or -1.
func inPlace(in Instruction, images []image) int {
	if in.Kind != Add && in.Kind != Mul && in.Kind != Scale || len(in.In) == 0 {
		return -1
	}
	x := in.In[0]
	a, b := images[x], images[in.Out]
	if a.Value != b.Value || a.top != b.top || a.side != b.side || a.block != b.block || a.halves != b.halves || a.constant {
		return -1
	}
	return x
}

// words are a program as plan.cpp reads it.
type words struct {
	words   []int64
	weights []*torch.Tensor
	numbers map[*torch.Tensor]int
}

func (w *words) add(vs ...int) {
	for _, v := range vs {
		w.words = append(w.words, int64(v))
	}
}

func (w *words) program(p *Program, instructions []Instruction, images []image, loops []loop, arena, local int64) {
	w.words = append(w.words, arena, local)
	w.add(number(p.Lean), len(images))
	for _, v := range images {
		w.add(v.N, v.C, v.H, v.W, v.top, v.side, v.block, number(v.halves), number(v.local))
		w.words = append(w.words, v.offset)
	}
	w.add(len(p.Inputs), len(p.Outputs), len(instructions))
	for i, in := range instructions {
		var port Port
		at := 0
		switch in.Kind {
		case read:
			at, port = i, p.Inputs[i]
		case write:
			at = i - (len(instructions) - len(p.Outputs))
			port = p.Outputs[at]
		}
		turns, begins := 1, false
		for _, l := range loops {
			if l.from <= i && i < l.to {
				turns, begins = l.turns, l.from == i
			}
		}
		w.add(turns, number(begins))
		w.instruction(in, at, port)
	}
}

func (w *words) instruction(in Instruction, at int, port Port) {
	w.add(int(in.Kind), int(in.Act), len(in.In))
	w.add(in.In...)
	w.add(in.Out, w.weight(in.Weight), w.weight(in.Bias))
	if in.Kind == Conv {
		shape := in.Weight.Shape()
		in.Kernel = [2]int{shape[2], shape[3]}
	}
	for _, v := range [][2]int{ones(in.Kernel), ones(in.Stride), in.Padding, ones(in.Dilation)} {
		w.add(v[0], v[1])
	}
	w.add(max(1, in.Groups), max(1, in.Heads), in.Offset)
	w.add(in.Offsets[:]...)
	w.add(number(in.CountPadding), in.Divisor)
	w.words = append(w.words, int64(math.Float64bits(in.Eps)))
	w.add(at)
	w.add(port.Strides[:]...)
	w.add(len(in.Table))
	for _, v := range in.Table {
		w.add(int(v))
	}
}

// number returns 1 for true.
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ones returns the pair with 1 for what is not set.
func ones(v [2]int) [2]int { return [2]int{max(1, v[0]), max(1, v[1])} }

// weight returns the number of a tensor, or -1 for nil.
func (w *words) weight(t *torch.Tensor) int {
	if t == nil {
		return -1
	}
	n, ok := w.numbers[t]
	if !ok {
		n = len(w.weights)
		w.numbers[t] = n
		w.weights = append(w.weights, t)
	}
	return n
}

// call calls f with the weights.
func (w *words) call(f func(handles []uint64) error) error {
	var c torch.Call
	for _, t := range w.weights {
		c.Tensor(t)
	}
	_, err := engine.Invoke(&c, "kernels.Compile", func(words, _ []uint64) error { return f(handles(words)) })
	return err
}
