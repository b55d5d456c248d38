// Package oracle runs programs of package kernels by libtorch's own operators, one for each instruction. It is what
// tests compare kernels and the makers of programs with: simple, and slow.
package oracle

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Run computes the outputs of a program, which are made beforehand. It panics with a *torch.Error if an operator fails, or
// if the result of an instruction has another shape than its value.
func Run(p *kernels.Program, inputs, outputs []*torch.Tensor) {
	torch.NoGrad(func() {
		torch.Scope(func() {
			values := make([]*torch.Tensor, len(p.Values))
			for i, port := range p.Inputs {
				values[port.Value] = through(p, port, inputs[i])
			}
			for i := range p.Instructions {
				in := &p.Instructions[i]
				y := run(p, in, values)
				if got, want := fmt.Sprint(y.Shape()), fmt.Sprint(shape(p, in.Out)); got != want {
					panic(&torch.Error{Op: "oracle.Run", Msg: fmt.Sprintf("the result of instruction %d, of kind %d, is %s, and its value is %s", i, in.Kind, got, want)})
				}
				values[in.Out] = y
			}
			for i, port := range p.Outputs {
				through(p, port, outputs[i]).CopyInPlace(values[port.Value])
			}
		})
	})
}

func shape(p *kernels.Program, value int) []int {
	v := p.Values[value]
	return []int{v.N, v.C, v.H, v.W}
}

// through returns the tensor of a port as an image.
func through(p *kernels.Program, port kernels.Port, x *torch.Tensor) *torch.Tensor {
	return x.AsStrided(shape(p, port.Value), port.Strides[:])
}

func run(p *kernels.Program, in *kernels.Instruction, values []*torch.Tensor) *torch.Tensor {
	var xs []*torch.Tensor
	for _, v := range in.In {
		xs = append(xs, values[v])
	}
	out := p.Values[in.Out]
	pair := func(a [2]int) []int { return a[:] }
	switch in.Kind {
	case kernels.Conv:
		x, w := xs[0], in.Weight
		if c := x.Size(1); p.BFloat16 && c > 4 && !(in.Groups > 1 && in.Groups == c && c == out.C) {
			x, w = x.ToDType(torch.BFloat16).ToDType(torch.Float32), w.ToDType(torch.BFloat16).ToDType(torch.Float32)
		}
		y := F.Conv2d(x, w, in.Bias, F.Conv2dOptions{Stride: pair(in.Stride), Padding: pair(in.Padding), Dilation: pair(in.Dilation), Groups: in.Groups})
		if len(xs) > 1 {
			y = y.Add(xs[1])
		}
		return act(in.Act, y)
	case kernels.MaxPool:
		x := p.Values[in.In[0]]
		return F.MaxPool2d(xs[0], pair(in.Kernel), F.MaxPool2dOptions{Stride: pair(in.Stride), Padding: pair(in.Padding), Dilation: pair(in.Dilation), CeilMode: more(in, [2]int{x.H, x.W}, in.Dilation, out)})
	case kernels.AvgPool:
		x := p.Values[in.In[0]]
		o := F.AvgPool2dOptions{Stride: pair(in.Stride), Padding: pair(in.Padding), CeilMode: more(in, [2]int{x.H, x.W}, [2]int{1, 1}, out), ExcludePad: !in.CountPadding}
		if in.Divisor != 0 {
			o.DivisorOverride = &in.Divisor
		}
		return F.AvgPool2d(xs[0], pair(in.Kernel), o)
	case kernels.Mean:
		return xs[0].MeanDim([]int{2, 3}, torch.MeanOptions{KeepDim: true})
	case kernels.Add:
		return act(in.Act, xs[0].Add(xs[1]))
	case kernels.Mul:
		return act(in.Act, xs[0].Mul(xs[1]))
	case kernels.Scale:
		y := xs[0]
		if in.Weight != nil {
			y = y.Mul(in.Weight.Reshape(-1, 1, 1))
		}
		if in.Bias != nil {
			y = y.Add(in.Bias.Reshape(-1, 1, 1))
		}
		return act(in.Act, y)
	case kernels.LayerNorm:
		x := xs[0].Permute(0, 2, 3, 1)
		return F.LayerNorm(x, []int{out.C}, F.LayerNormOptions{Weight: in.Weight, Bias: in.Bias, Eps: &in.Eps}).Permute(0, 3, 1, 2)
	case kernels.Concat:
		return torch.Cat(xs, 1)
	case kernels.ConcatPixels:
		for i, x := range xs {
			xs[i] = x.Expand(out.N, -1, -1, -1)
		}
		return torch.Cat(xs, 3)
	case kernels.Slice:
		return xs[0].Narrow(1, in.Offset, out.C)
	case kernels.Shuffle:
		return xs[0].Reshape(out.N, in.Groups, out.C/in.Groups, out.H, out.W).Transpose(1, 2).Reshape(out.N, out.C, out.H, out.W)
	case kernels.Gather:
		return gather(in, xs[0], p.Values[in.In[0]], out)
	case kernels.Attention:
		return attention(in, xs, out)
	case kernels.Const:
		return in.Weight
	case kernels.Normalize:
		y := F.Normalize(xs[0].Reshape(out.N, in.Groups, out.C/in.Groups, out.H, out.W), F.NormalizeOptions{Dim: new(2), Eps: &in.Eps}).Reshape(out.N, out.C, out.H, out.W)
		if in.Weight != nil {
			y = y.Mul(in.Weight.Reshape(-1, 1, 1))
		}
		return y
	}
	panic(&torch.Error{Op: "oracle.Run", Msg: fmt.Sprintf("there is no kind %d of instructions", in.Kind)})
}

// more reports whether a pool has a window more than those without ceil_mode, in one of the directions.
func more(in *kernels.Instruction, size, dilation [2]int, out kernels.Value) bool {
	of := func(i int) int {
		return (size[i]+2*in.Padding[i]-dilation[i]*(in.Kernel[i]-1)-1)/in.Stride[i] + 1
	}
	return out.H != of(0) || out.W != of(1)
}

func gather(in *kernels.Instruction, x *torch.Tensor, from, to kernels.Value) *torch.Tensor {
	size, made := from.N*from.H*from.W, to.N*to.H*to.W
	each := size / (made / len(in.Table)) // pixels of x that a sample has
	table := make([]int64, made)
	for i := range table {
		table[i] = int64(size) // the zeros behind them
		if j := in.Table[i%len(in.Table)]; j >= 0 {
			table[i] = int64(i/len(in.Table)*each + int(j))
		}
	}
	pixels := x.Permute(0, 2, 3, 1).Reshape(size, from.C)
	pixels = torch.Cat([]*torch.Tensor{pixels, torch.Zeros(1, from.C)}, 0)
	return pixels.IndexSelect(0, torch.FromSlice(table)).Reshape(to.N, to.H, to.W, to.C).Permute(0, 3, 1, 2)
}

func attention(in *kernels.Instruction, xs []*torch.Tensor, out kernels.Value) *torch.Tensor {
	var parts []*torch.Tensor
	for i, x := range xs {
		parts = append(parts, x.Narrow(1, in.Offsets[i], out.C).Reshape(out.N, in.Heads, out.C/in.Heads, x.Size(3)).Transpose(2, 3))
	}
	o := F.ScaledDotProductAttentionOptions{Scale: &in.Eps}
	if m := in.Weight; m != nil {
		o.AttnMask = m.Repeat(out.N/m.Size(0), 1, 1, 1)
	}
	return F.ScaledDotProductAttention(parts[0], parts[1], parts[2], o).Transpose(2, 3).Reshape(out.N, out.C, 1, out.W)
}

func act(a kernels.Activation, x *torch.Tensor) *torch.Tensor {
	switch a {
	case kernels.None:
		return x
	case kernels.ReLU:
		return x.ReLU()
	case kernels.ReLU6:
		return F.ReLU6(x)
	case kernels.HardSwish:
		return F.Hardswish(x)
	case kernels.HardSigmoid:
		return F.Hardsigmoid(x)
	case kernels.SiLU:
		return F.SiLU(x)
	case kernels.Sigmoid:
		return x.Sigmoid()
	case kernels.GELU:
		return F.GELU(x)
	case kernels.GELUTanh:
		return F.GELU(x, F.GELUOptions{Approximate: "tanh"})
	case kernels.Tanh:
		return x.Tanh()
	}
	panic(&torch.Error{Op: "oracle.Run", Msg: fmt.Sprintf("there is no activation %d", a)})
}
