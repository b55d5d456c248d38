package graph

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
)

// A fuser computes instructions of a program by others.
type fuser struct {
	p    *kernels.Program
	list []*kernels.Instruction // nil where one is gone
	by   map[int]int            // the instruction that makes a value
	uses map[int]int
}

// fuse removes instructions that no output depends on, and computes scales, sums and activations by the instructions before
// them where nothing else uses the result of these.
func fuse(p *kernels.Program) {
	f := &fuser{p: p}
	for i := range p.Instructions {
		f.list = append(f.list, &p.Instructions[i])
	}
	f.count()
	for i, in := range f.list {
		switch in.Kind {
		case kernels.Scale:
			f.scale(i)
		case kernels.Add:
			f.residual(i)
		case kernels.Conv:
			f.scaleBefore(i)
		}
	}
	f.list = slices.DeleteFunc(f.list, func(in *kernels.Instruction) bool { return in == nil })
	f.count()
	var list []kernels.Instruction
	for _, in := range f.list {
		list = append(list, *in)
	}
	p.Instructions = list
	f.renumber()
}

// count finds makers and uses of values, without instructions that no output depends on.
func (f *fuser) count() {
	f.by, f.uses = map[int]int{}, map[int]int{}
	for _, o := range f.p.Outputs {
		f.uses[o.Value]++
	}
	for i, in := range slices.Backward(f.list) {
		switch {
		case in == nil:
			continue
		case f.uses[in.Out] == 0:
			f.list[i] = nil
			continue
		}
		f.by[in.Out] = i
		for _, v := range in.In {
			f.uses[v]++
		}
	}
	f.list = slices.DeleteFunc(f.list, func(in *kernels.Instruction) bool { return in == nil })
	for i, in := range f.list {
		f.by[in.Out] = i
	}
}

// before returns the instruction that makes a value if it has the value for itself.
func (f *fuser) before(value int) (i int, in *kernels.Instruction) {
	i, ok := f.by[value]
	if !ok || f.uses[value] != 1 {
		return -1, nil
	}
	return i, f.list[i]
}

// scale computes scale i by the instruction before it.
func (f *fuser) scale(i int) {
	in := f.list[i]
	j, x := f.before(in.In[0])
	if x == nil || x.Act != kernels.None {
		return
	}
	plain := in.Weight == nil && in.Bias == nil
	switch {
	case x.Kind == kernels.Conv && (len(x.In) == 1 || plain):
		if !plain {
			scaleInto(x, in)
		}
	case x.Kind == kernels.Scale || x.Kind == kernels.Normalize && in.Bias == nil && in.Act == kernels.None:
		if !plain {
			scaleInto(x, in)
		}
	case (x.Kind == kernels.Add || x.Kind == kernels.Mul) && plain:
	default:
		return
	}
	x.Act, x.Out = in.Act, in.Out
	f.move(j, i)
}

// move puts instruction j in the place of instruction i, which is gone.
func (f *fuser) move(j, i int) {
	f.list[i], f.list[j] = f.list[j], nil
	f.by[f.list[i].Out] = i
}

// scaleInto computes a scale of the results of a convolution or another scale by it.
func scaleInto(x, s *kernels.Instruction) {
	lasting(func() (none struct{}) {
		torch.Scope(func() {
			float := func(t *torch.Tensor) *torch.Tensor {
				if t == nil {
					return nil
				}
				return t.ToDType(torch.Float64)
			}
			by, shift := float(s.Weight), float(s.Bias)
			w, b := float(x.Weight), float(x.Bias)
			if by != nil {
				switch {
				case x.Kind == kernels.Conv:
					w = w.Mul(by.Reshape(-1, 1, 1, 1))
				case w == nil:
					w = by
				default:
					w = w.Mul(by)
				}
				if b != nil {
					b = b.Mul(by)
				}
			}
			switch {
			case shift != nil && b != nil:
				b = b.Add(shift)
			case shift != nil:
				b = shift
			}
			x.Weight, x.Bias = single(w), single(b)
		})
		return none
	})
}

// single returns a tensor of float32 that stays, or nil.
func single(t *torch.Tensor) *torch.Tensor {
	if t == nil {
		return nil
	}
	return torch.Keep(t.ToDType(torch.Float32))
}

// residual computes sum i by one of the convolutions before it, the later one if there are two.
func (f *fuser) residual(i int) {
	in := f.list[i]
	if f.p.Values[in.In[0]] != f.p.Values[in.In[1]] || in.In[0] == in.In[1] {
		return
	}
	best, other := -1, 0
	for k, v := range in.In {
		j, x := f.before(v)
		if x != nil && x.Kind == kernels.Conv && x.Act == kernels.None && len(x.In) == 1 && j > best {
			best, other = j, in.In[1-k]
		}
	}
	if best < 0 {
		return
	}
	x := f.list[best]
	x.In = []int{x.In[0], other}
	x.Act, x.Out = in.Act, in.Out
	f.move(best, i)
}

// scaleBefore computes a scale of what a convolution reads by it, which must not see zeros around it that were not scaled.
func (f *fuser) scaleBefore(i int) {
	in := f.list[i]
	j, s := f.before(in.In[0])
	if s == nil || s.Kind != kernels.Scale || s.Act != kernels.None || s.Bias != nil && in.Padding != [2]int{} {
		return
	}
	lasting(func() (none struct{}) {
		torch.Scope(func() {
			w := in.Weight.ToDType(torch.Float64)
			shape := w.Shape() // [out, in / groups, …]
			grouped := append([]int{in.Groups, shape[0] / in.Groups}, shape[1:]...)
			w = w.Reshape(grouped...)
			if s.Bias != nil {
				b := s.Bias.ToDType(torch.Float64).Reshape(in.Groups, 1, shape[1], 1, 1).Mul(w).Sum(2, 3, 4).Reshape(-1)
				if in.Bias != nil {
					b = b.Add(in.Bias.ToDType(torch.Float64))
				}
				in.Bias = single(b)
			}
			if s.Weight != nil {
				w = w.Mul(s.Weight.ToDType(torch.Float64).Reshape(in.Groups, 1, shape[1], 1, 1))
			}
			in.Weight = single(w.Reshape(shape...))
		})
		return none
	})
	in.In = append([]int{s.In[0]}, in.In[1:]...)
	f.list[j] = nil
}

// renumber leaves out values that nothing uses.
func (f *fuser) renumber() {
	numbers := map[int]int{}
	var values []kernels.Value
	number := func(v int) int {
		n, ok := numbers[v]
		if !ok {
			n = len(values)
			numbers[v] = n
			values = append(values, f.p.Values[v])
		}
		return n
	}
	for i := range f.p.Inputs {
		f.p.Inputs[i].Value = number(f.p.Inputs[i].Value)
	}
	for i := range f.p.Instructions {
		in := &f.p.Instructions[i]
		in.In = slices.Clone(in.In)
		for j, v := range in.In {
			in.In[j] = number(v)
		}
		in.Out = number(in.Out)
	}
	for i := range f.p.Outputs {
		f.p.Outputs[i].Value = number(f.p.Outputs[i].Value)
	}
	f.p.Values = values
}

// work returns the number of multiplications and similar steps of a program.
func work(p *kernels.Program) (flops int) {
	for _, in := range p.Instructions {
		out := p.Values[in.Out]
		n := out.N * out.C * out.H * out.W
		switch in.Kind {
		case kernels.Conv:
			flops += 2 * n * product(in.Weight.Shape()[1:]...)
		case kernels.Attention:
			flops += 4 * n * p.Values[in.In[1]].W
		case kernels.MaxPool, kernels.AvgPool:
			flops += n * in.Kernel[0] * in.Kernel[1]
		case kernels.Mean:
			x := p.Values[in.In[0]]
			flops += x.N * x.C * x.H * x.W
		case kernels.LayerNorm:
			flops += 4 * n
		case kernels.Const:
		default:
			flops += n
		}
	}
	return flops
}
