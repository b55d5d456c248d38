package kernels_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
	"github.com/torchhub/torchhub/torch/internal/kernels/oracle"
)

// A maker makes a random program.
type maker struct {
	*rand.Rand
	p    kernels.Program
	last int // the value that the next instruction reads
}

func (m *maker) value(n, c, h, w int) int {
	m.p.Values = append(m.p.Values, kernels.Value{N: n, C: c, H: h, W: w})
	return len(m.p.Values) - 1
}

func (m *maker) add(in kernels.Instruction) { m.p.Instructions = append(m.p.Instructions, in) }

func (m *maker) pick(from ...int) int { return from[m.IntN(len(from))] }

// like adds a value of the shape of another, computed from it.
func (m *maker) like(v kernels.Value) int {
	out := m.value(v.N, v.C, v.H, v.W)
	m.add(kernels.Instruction{Kind: kernels.Scale, In: []int{m.last}, Out: out, Weight: torch.Randn(v.C), Act: kernels.Tanh})
	return out
}

// step adds an instruction on the last value, and returns its name; "" if the value does not suit the kind.
func (m *maker) step() string {
	x := m.p.Values[m.last]
	act := kernels.Activation(m.IntN(int(kernels.Tanh) + 1))
	in := kernels.Instruction{In: []int{m.last}}
	out := x
	name := [...]string{"conv", "depthwise", "max pool", "average pool", "mean", "add", "mul", "scale", "norm", "concat", "pixels", "slice", "shuffle", "gather", "attention", "normalize", "reshape", "winograd", "strassen"}[m.IntN(19)]
	switch name {
	case "conv", "depthwise", "winograd":
		in.Kind, in.Act = kernels.Conv, act
		in.Groups, out.C = 1, m.pick(1, 5, 8, 16, 20, 24, 32, 40, 64)
		if name == "depthwise" {
			in.Groups, out.C = x.C, x.C
		} else if g := m.pick(1, 2, 4, 5, 8); x.C%g == 0 && m.IntN(2) == 0 {
			in.Groups, out.C = g, g*m.pick(1, 3, 4, 8, 16)
		}
		k := [2]int{m.pick(1, 1, 2, 3, 5), m.pick(1, 1, 2, 3, 5)}
		in.Stride, in.Dilation = [2]int{m.pick(1, 1, 2, 3), m.pick(1, 1, 2, 3)}, [2]int{m.pick(1, 1, 2), m.pick(1, 1, 2)}
		in.Padding = [2]int{m.IntN(k[0] + 1), m.IntN(k[1] + 1)}
		if m.IntN(3) > 0 {
			k, in.Padding = [2]int{1, 1}, [2]int{0, 0}
		}
		if name == "winograd" { // by Winograd's algorithm, if there are many channels and pixels
			k, in.Stride, in.Dilation, in.Groups = [2]int{3, 3}, [2]int{1, 1}, [2]int{1, 1}, 1
			in.Padding, out.C = [2]int{m.IntN(4), m.IntN(4)}, m.pick(x.C, 32, 40, 70)
			if m.IntN(2) == 0 {
				in.Padding = [2]int{1, 1}
			}
		}
		out.H = (x.H+2*in.Padding[0]-in.Dilation[0]*(k[0]-1)-1)/in.Stride[0] + 1
		out.W = (x.W+2*in.Padding[1]-in.Dilation[1]*(k[1]-1)-1)/in.Stride[1] + 1
		if x.H+2*in.Padding[0] < in.Dilation[0]*(k[0]-1)+1 || x.W+2*in.Padding[1] < in.Dilation[1]*(k[1]-1)+1 {
			return ""
		}
		in.Weight = torch.Randn(out.C, x.C/in.Groups, k[0], k[1]).MulScalar(0.2)
		if m.IntN(2) == 0 {
			in.Bias = torch.Randn(out.C)
		}
		if m.IntN(3) == 0 && out == x {
			in.In = append(in.In, m.like(x))
		}
	case "strassen": // by Strassen's algorithm, which is for many channels and pixels. Its errors are relative to the larger of two pixels, which thus have a bias.
		if x.H*x.W < 64 {
			return ""
		}
		c, to := m.pick(384, 416), m.pick(384, 448)
		wide := m.value(x.N, c, x.H, x.W)
		m.add(kernels.Instruction{Kind: kernels.Conv, In: in.In, Out: wide, Weight: torch.Randn(c, x.C, 1, 1).MulScalar(0.2), Bias: torch.Randn(c), Act: kernels.Tanh, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1})
		in.Kind, in.Act, in.In, in.Dilation, in.Groups = kernels.Conv, act, []int{wide}, [2]int{1, 1}, 1
		in.Stride, in.Padding = [2]int{m.pick(1, 1, 2), m.pick(1, 1, 2)}, [2]int{m.pick(0, 0, 1), m.pick(0, 0, 1)}
		out.C, out.H, out.W = to, (x.H+2*in.Padding[0]-1)/in.Stride[0]+1, (x.W+2*in.Padding[1]-1)/in.Stride[1]+1
		in.Weight = torch.Randn(to, c, 1, 1).MulScalar(0.2)
		if m.IntN(2) == 0 {
			in.Bias = torch.Randn(to)
		}
		if m.IntN(2) == 0 {
			r := m.value(out.N, out.C, out.H, out.W)
			m.add(kernels.Instruction{Kind: kernels.Const, Out: r, Weight: torch.Randn(out.N, out.C, out.H, out.W)})
			in.In = append(in.In, r)
		}
	case "max pool", "average pool":
		in.Kind, in.Dilation = kernels.MaxPool, [2]int{1, 1}
		if name == "average pool" {
			in.Kind, in.CountPadding, in.Divisor = kernels.AvgPool, m.IntN(2) == 0, m.pick(0, 0, 5)
		}
		in.Kernel = [2]int{m.pick(1, 2, 3), m.pick(1, 2, 3)}
		in.Stride = [2]int{m.pick(1, 2, 3), m.pick(1, 2, 3)}
		in.Padding = [2]int{m.IntN(in.Kernel[0]/2 + 1), m.IntN(in.Kernel[1]/2 + 1)}
		if x.H < 3 || x.W < 3 {
			return ""
		}
		more := m.IntN(2) // as with ceil_mode
		size := func(n, i int) int {
			o := (n+2*in.Padding[i]-in.Kernel[i]+more*(in.Stride[i]-1))/in.Stride[i] + 1
			if more == 1 && (o-1)*in.Stride[i] >= n+in.Padding[i] {
				o--
			}
			return o
		}
		out.H, out.W = size(x.H, 0), size(x.W, 1)
	case "mean":
		in.Kind, out.H, out.W = kernels.Mean, 1, 1
	case "add", "mul":
		in.Kind, in.Act = kernels.Add, act
		if name == "mul" {
			in.Kind = kernels.Mul
		}
		y := x
		switch m.IntN(4) {
		case 0:
			y.H, y.W = 1, 1
		case 1:
			y.N = 1
		case 2:
			y.N, y.H, y.W = 1, 1, 1
		}
		c := m.value(y.N, y.C, y.H, y.W)
		m.add(kernels.Instruction{Kind: kernels.Const, Out: c, Weight: torch.Randn(y.N, y.C, y.H, y.W)})
		if y == x && m.IntN(2) == 0 {
			c = m.like(x)
		}
		in.In = append(in.In, c)
	case "scale":
		in.Kind, in.Act = kernels.Scale, act
		if m.IntN(2) == 0 {
			in.Weight = torch.Randn(x.C)
		}
		if m.IntN(2) == 0 {
			in.Bias = torch.Randn(x.C)
		}
	case "norm":
		in.Kind, in.Eps = kernels.LayerNorm, 1e-5
		if x.C < 4 {
			return ""
		}
		if m.IntN(2) == 0 {
			in.Weight, in.Bias = torch.Randn(x.C), torch.Randn(x.C)
		}
	case "concat":
		in.Kind, out.C = kernels.Concat, 2*x.C
		in.In = append(in.In, m.like(x))
	case "pixels":
		in.Kind, out.W = kernels.ConcatPixels, x.W+3
		if x.H != 1 {
			return ""
		}
		c := m.value(1, x.C, 1, 3)
		m.add(kernels.Instruction{Kind: kernels.Const, Out: c, Weight: torch.Randn(1, x.C, 1, 3)})
		in.In = append(in.In, c)
	case "slice":
		in.Kind, in.Offset = kernels.Slice, m.IntN(x.C)
		out.C = 1 + m.IntN(x.C-in.Offset)
	case "shuffle":
		in.Kind, in.Groups = kernels.Shuffle, m.pick(2, 4, 5)
		if x.C%in.Groups != 0 {
			return ""
		}
	case "gather":
		in.Kind, in.Table = kernels.Gather, make([]int32, x.H*x.W+m.IntN(5))
		each := x.H * x.W
		if x.N%2 == 0 && m.IntN(2) == 0 { // two images make one
			out.N, each = x.N/2, 2*each
		}
		out.H, out.W = 1, len(in.Table)
		for i := range in.Table {
			in.Table[i] = int32(m.IntN(each+1) - 1)
		}
	case "normalize":
		in.Kind, in.Groups, in.Eps = kernels.Normalize, m.pick(1, 2, 4), 1e-12
		if x.C%in.Groups != 0 {
			return ""
		}
		if m.IntN(2) == 0 {
			in.Weight = torch.Randn(x.C)
		}
	case "reshape":
		in.Kind, out.H, out.W = kernels.Gather, x.W, x.H
		for i := range x.H * x.W {
			in.Table = append(in.Table, int32(i))
		}
	case "attention":
		heads := m.pick(1, 2)
		q, k := 1+m.IntN(60), 1+m.IntN(60)
		width := m.pick(16, 32, 48)
		token := func(l, c int) int {
			v := m.value(x.N, c, 1, l)
			m.add(kernels.Instruction{Kind: kernels.Const, Out: v, Weight: torch.Randn(x.N, c, 1, l)})
			return v
		}
		in.Kind, in.Heads, in.Eps, in.Offsets = kernels.Attention, heads, 0.2, [3]int{0, 16, 32}
		in.In = []int{token(q, heads*width), token(k, heads*width+16), token(k, heads*width+40)}
		out = kernels.Value{N: x.N, C: heads * width, H: 1, W: q}
		if m.IntN(2) == 0 {
			in.Weight = torch.Randn(m.pick(1, x.N), m.pick(1, heads), q, k)
		}
	}
	in.Out = m.value(out.N, out.C, out.H, out.W)
	m.add(in)
	m.last = in.Out
	return name
}

// program makes a program of a number of instructions, on images that are small, or on several larger ones.
func program(seed uint64, steps int, large bool) (p *kernels.Program, input *torch.Tensor, text string) {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0))}
	n, c, h, w := m.pick(1, 2, 3), m.pick(1, 3, 4, 8, 16, 20, 32), 1+m.IntN(20), 1+m.IntN(20)
	if large {
		n, c, h, w = m.pick(2, 3, 4, 6), m.pick(8, 16, 20, 32, 64), 40+m.IntN(40), 40+m.IntN(40)
	}
	m.last = m.value(n, c, h, w)
	m.p.Inputs = []kernels.Port{image(m.last, m.p.Values[m.last])}
	text = fmt.Sprint(m.p.Values[0])
	for made := 0; made < steps; {
		if name := m.step(); name != "" {
			made++
			text += fmt.Sprint(", ", name, m.p.Values[m.last])
		}
	}
	m.p.Outputs = []kernels.Port{image(m.last, m.p.Values[m.last])}
	m.p.Lean = m.IntN(4) == 0
	return &m.p, torch.Randn(n, c, h, w), text
}

func image(value int, v kernels.Value) kernels.Port {
	return kernels.Port{Value: value, Strides: [4]int{v.C * v.H * v.W, v.H * v.W, v.W, 1}}
}

func output(p *kernels.Program) *torch.Tensor {
	v := p.Values[p.Outputs[0].Value]
	return torch.Empty(v.N, v.C, v.H, v.W)
}

func run(t *testing.T, plan *kernels.Plan, p *kernels.Program, x *torch.Tensor) *torch.Tensor {
	y := output(p)
	require.NoError(t, plan.Run(context.Background(), []*torch.Tensor{x}, []*torch.Tensor{y}))
	return y
}

// TestRandom compares random programs with libtorch's operators. Sums in another order, and the polynomials for exp
// and erf, differ by some 1e-6 of the largest number of a step.
func TestRandom(t *testing.T) { compare(t, 300, false, false, func(int) float64 { return 3e-5 }) }

// TestLoops does so with batches that are computed image by image. Norms of few channels magnify the differences of more steps.
func TestLoops(t *testing.T) { compare(t, 25, true, false, func(int) float64 { return 1e-3 }) }

// TestRandomBFloat16 does so in bfloat16. A step's products of rounded numbers are exact, and sums as in TestRandom. With more steps
// a difference before one decides how some numbers are rounded, which then differ by 2⁻⁸ of themselves, as one number of a sum.
func TestRandomBFloat16(t *testing.T) {
	if has, err := kernels.BFloat16(); err != nil || !has {
		t.Skip("there are no kernels for bfloat16: ", err)
	}
	compare(t, 300, false, true, func(steps int) float64 {
		if steps == 1 {
			return 3e-5
		}
		return 2e-2
	})
}

func compare(t *testing.T, n int, large, bfloat16 bool, tolerance func(steps int) float64) {
	if v, err := strconv.Atoi(os.Getenv("TORCHHUB_TEST_PROGRAMS")); err == nil {
		n = v
	}
	for seed := range uint64(n) {
		torch.ManualSeed(int64(seed))
		steps := 1 + int(seed%4)
		if large {
			steps += 4
		}
		p, x, text := program(seed, steps, large)
		p.BFloat16 = bfloat16
		plan, err := kernels.Compile(p)
		require.NoError(t, err, "%d: %s", seed, text)
		require.NoError(t, plan.Pack())
		got, want := run(t, plan, p, x), output(p)
		oracle.Run(p, []*torch.Tensor{x}, []*torch.Tensor{want})
		largest := max(1, want.Abs().Max().Item())
		require.LessOrEqual(t, got.Sub(want).Abs().Max().Item(), tolerance(len(p.Instructions))*largest, "%d: %s", seed, text)
		require.True(t, got.Equal(run(t, plan, p, x)), "another run of %d: %s", seed, text)
		threads := torch.NumThreads()
		for _, n := range []int{3, 4}[:1+int(seed%2)] {
			torch.SetNumThreads(n)
			other := run(t, plan, p, x)
			torch.SetNumThreads(threads)
			require.True(t, got.Equal(other), "%d threads, %d: %s", n, seed, text)
		}
	}
}

// TestBatches runs batches, and their images one by one: the results have the same bits.
func TestBatches(t *testing.T) {
	together := 0
	for seed := range uint64(80) {
		torch.ManualSeed(int64(seed))
		p, x, text := program(seed, 1+int(seed%6), seed%2 == 0)
		alone := *p
		alone.Values = slices.Clone(p.Values)
		n, usual := p.Values[0].N, true
		for i, v := range alone.Values {
			usual = usual && v.N == n
			alone.Values[i].N = 1
		}
		for _, in := range p.Instructions {
			usual = usual && in.Kind != kernels.Const && in.Kind != kernels.Gather
		}
		if !usual || n == 1 {
			continue
		}
		together++
		plan, err := kernels.Compile(p)
		require.NoError(t, err)
		require.NoError(t, plan.Pack())
		one, err := kernels.Compile(&alone)
		require.NoError(t, err)
		require.NoError(t, one.Pack())
		got := run(t, plan, p, x)
		for i := range n {
			require.True(t, got.Narrow(0, i, 1).Equal(run(t, one, &alone, x.Narrow(0, i, 1).Contiguous())), "image %d of %d: %s", i, seed, text)
		}
	}
	require.Greater(t, together, 20)
}

// TestMistakes has programs that are wrong: the error says what is wrong.
func TestMistakes(t *testing.T) {
	v := func(n, c, h, w int) kernels.Value { return kernels.Value{N: n, C: c, H: h, W: w} }
	weight := torch.Randn(8, 8, 3, 3)
	conv := kernels.Instruction{Kind: kernels.Conv, In: []int{0}, Out: 1, Weight: weight}
	for want, c := range map[string]struct {
		values []kernels.Value
		in     kernels.Instruction
	}{
		"reads behind the border":             {[]kernels.Value{v(1, 8, 4, 4), v(1, 8, 4, 4)}, conv},
		"weight of a convolution has another": {[]kernels.Value{v(1, 4, 4, 4), v(1, 8, 2, 2)}, conv},
		"names value 2":                       {[]kernels.Value{v(1, 8, 4, 4), v(1, 8, 2, 2)}, kernels.Instruction{Kind: kernels.Mean, In: []int{2}, Out: 1}},
		"read before it is written":           {[]kernels.Value{v(1, 8, 4, 4), v(1, 8, 1, 1)}, kernels.Instruction{Kind: kernels.Mean, In: []int{1}, Out: 1}},
		"written twice":                       {[]kernels.Value{v(1, 8, 1, 1), v(1, 8, 1, 1)}, kernels.Instruction{Kind: kernels.Mean, In: []int{0}, Out: 0}},
		"outside of its value":                {[]kernels.Value{v(1, 8, 1, 1), v(1, 4, 1, 1)}, kernels.Instruction{Kind: kernels.Slice, In: []int{0}, Out: 1, Offset: 5}},
		"entry of a table is outside":         {[]kernels.Value{v(1, 8, 1, 1), v(1, 8, 1, 1)}, kernels.Instruction{Kind: kernels.Gather, In: []int{0}, Out: 1, Table: []int32{1}}},
		"0 inputs":                            {[]kernels.Value{v(1, 8, 1, 1), v(1, 8, 1, 1)}, kernels.Instruction{Kind: kernels.Mean, Out: 1}},
		"no multiple of":                      {[]kernels.Value{v(1, 3, 1, 1), v(1, 3, 1, 1)}, kernels.Instruction{Kind: kernels.Attention, In: []int{0, 0, 0}, Out: 1}},
		"N of a value is 0":                   {[]kernels.Value{v(1, 8, 1, 1), v(0, 8, 1, 1)}, kernels.Instruction{Kind: kernels.Mean, In: []int{0}, Out: 1}},
		"too large":                           {[]kernels.Value{v(1, 8, 1, 1), v(1, 1<<20, 1<<10, 8)}, kernels.Instruction{Kind: kernels.Mean, In: []int{0}, Out: 1}},
	} {
		p := &kernels.Program{Values: c.values, Instructions: []kernels.Instruction{c.in}, Inputs: []kernels.Port{image(0, c.values[0])}, Outputs: []kernels.Port{image(1, c.values[1])}}
		_, err := kernels.Compile(p)
		require.ErrorContains(t, err, want)
	}
	p, x, _ := program(1, 2, false)
	plan, err := kernels.Compile(p)
	require.NoError(t, err)
	require.ErrorContains(t, plan.Run(context.Background(), []*torch.Tensor{x}, []*torch.Tensor{output(p)}), "the plan is not packed")
	require.NoError(t, plan.Pack())
	require.ErrorContains(t, plan.Run(context.Background(), nil, []*torch.Tensor{output(p)}), "1 inputs and 1 outputs, and 1 tensors")
	require.ErrorContains(t, plan.Run(context.Background(), []*torch.Tensor{x}, []*torch.Tensor{torch.Empty(1)}), "is not a contiguous float32 tensor of")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, plan.Run(ctx, []*torch.Tensor{x}, []*torch.Tensor{output(p)}), context.Canceled)
}

// TestPack frees weights after the program was compiled: the plan holds them until it is packed.
func TestPack(t *testing.T) {
	const size = 256 * 256 * 4
	weight, bias := torch.Randn(256, 256, 1, 1), torch.Randn(256)
	v := kernels.Value{N: 1, C: 256, H: 1, W: 1}
	p := &kernels.Program{Values: []kernels.Value{v, v, v}, Inputs: []kernels.Port{image(0, v)}, Outputs: []kernels.Port{image(2, v)}}
	for i := range 2 {
		p.Instructions = append(p.Instructions, kernels.Instruction{Kind: kernels.Conv, In: []int{i}, Out: i + 1, Weight: weight, Bias: bias, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1})
	}
	x := torch.Randn(1, 256, 1, 1)
	want := output(p)
	oracle.Run(p, []*torch.Tensor{x}, []*torch.Tensor{want})
	plan, err := kernels.Compile(p)
	require.NoError(t, err)
	runtime.GC()
	before := int64(-1)
	for before != torch.LiveBytes() { // what other tests left is freed meanwhile
		before = torch.LiveBytes()
		time.Sleep(50 * time.Millisecond)
	}
	weight.Free()
	bias.Free()
	require.Greater(t, torch.LiveBytes(), before-size)
	require.NoError(t, plan.Pack())
	require.LessOrEqual(t, torch.LiveBytes(), before-size)
	require.True(t, run(t, plan, p, x).AllClose(want, 1e-4, 1e-2))
}

// TestGoroutines runs one plan in 1,000 goroutines, each on an input of its own. They share the threads of torch.Run, and each
// of these has one workspace, so that neither threads nor memory grow with the goroutines.
func TestGoroutines(t *testing.T) {
	const goroutines, size = 1000, 32
	weight := torch.Randn(32, 32, 3, 3)
	v := kernels.Value{N: 1, C: 32, H: size, W: size}
	p := &kernels.Program{Values: []kernels.Value{v}, Inputs: []kernels.Port{image(0, v)}}
	for i := range 3 { // with images of 150 kB
		p.Values = append(p.Values, v)
		p.Instructions = append(p.Instructions, kernels.Instruction{Kind: kernels.Conv, In: []int{i}, Out: i + 1, Weight: weight, Padding: [2]int{1, 1}, Act: kernels.Tanh})
	}
	p.Values = append(p.Values, kernels.Value{N: 1, C: 32, H: 1, W: 1})
	p.Instructions = append(p.Instructions, kernels.Instruction{Kind: kernels.Mean, In: []int{3}, Out: 4})
	p.Outputs = []kernels.Port{image(4, p.Values[4])}
	plan, err := kernels.Compile(p)
	require.NoError(t, err)
	require.NoError(t, plan.Pack())
	inputs, want := make([]*torch.Tensor, 16), make([]*torch.Tensor, 16)
	for i := range inputs {
		inputs[i] = torch.Randn(1, v.C, v.H, v.W)
		want[i] = run(t, plan, p, inputs[i])
	}
	all := func(n int) {
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				for k := range 2 {
					y := output(p)
					j := (i + k) % len(inputs)
					assert.NoError(t, plan.Run(context.Background(), []*torch.Tensor{inputs[j]}, []*torch.Tensor{y}))
					assert.Equal(t, torch.Data[float32](want[j]), torch.Data[float32](y))
				}
			})
		}
		wg.Wait()
	}
	all(20)
	threads, memory := usage(t)
	all(goroutines)
	moreThreads, moreMemory := usage(t)
	t.Logf("%d threads, %d MB; after %d goroutines %d threads, %d MB", threads, memory, goroutines, moreThreads, moreMemory)
	require.LessOrEqual(t, moreThreads, threads+8) // Go starts some of its own, which never end
	require.LessOrEqual(t, moreMemory, memory+128) // a workspace for each goroutine would be 300

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := make(chan struct{})
	var wg sync.WaitGroup
	var canceled atomic.Int32
	for i := range goroutines {
		wg.Go(func() {
			<-start
			if i == 100 {
				cancel()
			}
			switch err := plan.Run(ctx, []*torch.Tensor{inputs[0]}, []*torch.Tensor{output(p)}); {
			case errors.Is(err, context.Canceled):
				canceled.Add(1)
			default:
				assert.NoError(t, err)
			}
		})
	}
	close(start)
	wg.Wait()
	require.Positive(t, canceled.Load())
	require.True(t, want[0].Equal(run(t, plan, p, inputs[0])))
}

// usage returns the number of threads of the process, and the megabytes that it has in memory; zeros where there is no /proc.
func usage(t *testing.T) (threads, megabytes int) {
	tasks, err := os.ReadDir("/proc/self/task")
	if errors.Is(err, os.ErrNotExist) {
		return 0, 0
	}
	require.NoError(t, err)
	b, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	require.NoError(t, err)
	return len(tasks), pages * os.Getpagesize() >> 20
}
