package optim

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
)

// AdagradOptions are the options of [NewAdagrad].
type AdagradOptions struct {
	LR                      Number // the learning rate, which may be a tensor; nil is 0.01
	LRDecay                 Number // nil is 0
	WeightDecay             Number // L2 penalty; nil is 0
	InitialAccumulatorValue Number // of the sum of squares; nil is 0
	Eps                     Number // added to the denominator; nil is 1e-10
	Foreach                 *bool  // whether operators take all parameters at once; nil is true on GPUs
	Maximize                bool   // maximizes the loss
	Fused                   *bool  // whether one operator makes the whole step, with other rounding errors; nil is false
}

var adagrad = &rule{
	name: "Adagrad",
	defaults: dict{
		{"lr", 1e-2}, {"lr_decay", 0}, {"eps", 1e-10}, {"weight_decay", 0}, {"initial_accumulator_value", 0},
		{"foreach", nil}, {"maximize", false}, {"differentiable", false}, {"fused", nil},
	},
	later: []string{"foreach", "maximize", "differentiable", "fused"},
	check: func(o dict) {
		c := checks{"NewAdagrad", o}
		c.rates()
		c.atLeast("lr_decay", "the decay of the learning rate", 0)
		c.atLeast("initial_accumulator_value", "the initial value of the accumulator", 0)
		c.paths()
	},
	sparse: true,
	parts:  always("step", "sum"),
	begin: func(key string, o dict, p, _ *torch.Tensor) torch.Value {
		if key == "sum" {
			return filled(p, p, o.float("initial_accumulator_value"))
		}
		return nil
	},
	step: stepAdagrad,
}

// NewAdagrad makes an optimizer by adaptive subgradients: torch.optim.Adagrad(params). It
// takes sparse gradients.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
func NewAdagrad(params Params, options ...AdagradOptions) *Optimizer {
	return newOptimizer(adagrad, params, given("NewAdagrad", torch.Only(options)))
}

func stepAdagrad(b *batch) {
	o := b.group.options
	if b.fused {
		fusedAdagrad(b, o)
		return
	}
	rate := o.num("lr").div(float(1 + float64((b.scalar("step").v-1)*o.float("lr_decay")))).neg().v
	eps := o.float("eps")
	for i, g := range b.grads {
		if g.Layout() != torch.Sparse {
			continue
		}
		if o.float("weight_decay") != 0 {
			fail("Step", "a gradient is sparse, with which the option WeightDecay is not compatible")
		}
		one := b.only(i)
		sparseAdagrad(one.params[0], one.gradients(0)[0], one.state("sum")[0], rate, eps)
		one.free()
	}
	b.withoutSparse()
	if len(b.params) == 0 {
		return
	}
	grads, sum := b.gradients(o.float("weight_decay")), b.state("sum")
	b.by(opAddcmul_, 1, sum, grads, grads)
	std := b.keep(b.of(opSqrt, sum))
	b.by(opAddScalar_, eps, std)
	b.by(opAddcdiv_, rate, b.params, grads, std)
}

// only returns a batch of one parameter of b.
func (b *batch) only(i int) *batch {
	return &batch{complex: b.complex, group: b.group, params: b.params[i : i+1], grads: b.grads[i : i+1], states: b.states[i : i+1]}
}

// withoutSparse removes the parameters whose gradients are sparse.
func (b *batch) withoutSparse() {
	n := 0
	for i, g := range b.grads {
		if g.Layout() != torch.Sparse {
			b.params[n], b.grads[n], b.states[n] = b.params[i], g, b.states[i]
			n++
		}
	}
	b.params, b.grads, b.states = b.params[:n], b.grads[:n], b.states[:n]
}

// sparseAdagrad is the step of a parameter whose gradient is sparse.
func sparseAdagrad(p, grad, sum *torch.Tensor, rate, eps float64) {
	torch.Scope(func() {
		s := newSparse(grad)
		sum.AddInPlace(s.with(s.values.PowScalar(2)))
		std := s.valuesOf(sum).SqrtInPlace().AddScalarInPlace(eps)
		p.AddInPlace(s.with(s.values.Div(std)), torch.AddOptions{Alpha: rate})
	})
}

// A sparse is a coalesced sparse gradient, of which other tensors have the indices.
type sparse struct {
	grad, indices, values *torch.Tensor
	size                  []int
}

func newSparse(grad *torch.Tensor) *sparse {
	g := grad.Coalesce()
	return &sparse{g, aten.Indices(g), aten.Values(g), g.Shape()}
}

// with returns a sparse tensor of other values.
func (s *sparse) with(values *torch.Tensor) *torch.Tensor {
	return aten.SparseCooTensorIndicesSize(s.indices, values, s.size, values.DType(), nil, values.Device(), nil, nil)
}

// valuesOf returns the values of x at the indices.
func (s *sparse) valuesOf(x *torch.Tensor) *torch.Tensor { return aten.Values(x.SparseMask(s.grad)) }

var (
	opFusedAdagrad         = torch.NewOp("aten::_fused_adagrad_", "")
	opFusedAdagradTensorLR = torch.NewOp("aten::_fused_adagrad_", "tensor_lr")
)

func fusedAdagrad(b *batch, o dict) {
	b.dense()
	steps := b.state("step")
	lists{true}.by(opAddScalar_, 1, steps)
	var c torch.Call
	c.Tensors(b.params)
	c.Tensors(b.grads)
	c.Tensors(b.state("sum"))
	c.Tensors(steps)
	op := addRate(&c, o, opFusedAdagrad, opFusedAdagradTensorLR)
	c.Float(o.float("lr_decay"))
	c.Float(o.float("weight_decay"))
	c.Float(o.float("eps"))
	c.Bool(o.bool("maximize"))
	c.Do(op)
}
