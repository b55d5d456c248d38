package optim

import (
	"github.com/torchhub/torchhub/torch"
)

// checks checks the options of an optimizer. Their values are those for all groups: as in
// Python, those that a group sets for itself are not checked.
type checks struct {
	op string
	o  dict
}

// atLeast requires that an option is not below a number.
func (c checks) atLeast(key, what string, low float64) {
	if v := c.o.float(key); !(v >= low) {
		fail(c.op, "%s is %v; it must be at least %v", what, v, low)
	}
}

// above requires that an option is above a number.
func (c checks) above(key, what string, low float64) {
	if v := c.o.float(key); !(v > low) {
		fail(c.op, "%s is %v; it must be above %v", what, v, low)
	}
}

// rates checks what most optimizers have.
func (c checks) rates() {
	c.atLeast("lr", "the learning rate", 0)
	if c.o.find("eps") >= 0 {
		c.atLeast("eps", "the term eps, which is added to the denominator,", 0)
	}
	if c.o.find("weight_decay") >= 0 {
		c.atLeast("weight_decay", "the weight decay", 0)
	}
}

// two requires that an option has two elements.
func (c checks) two(key, what string) (a, b float64) {
	v := c.o.tuple(key)
	if len(v) != 2 {
		fail(c.op, "%s have %d elements; there must be 2", what, len(v))
	}
	return v[0], v[1]
}

func (c checks) betas() {
	b1, b2 := c.two("betas", "Betas")
	for i, b := range []float64{b1, b2} {
		if !(b >= 0 && b < 1) {
			fail(c.op, "Betas[%d] is %v; it must be at least 0 and below 1", i, b)
		}
	}
}

// paths checks the choice of the implementation.
func (c checks) paths() {
	if c.o.bool("fused") && c.o.bool("foreach") {
		fail(c.op, "Fused and Foreach are both true; at most one of them can be")
	}
}

// needsReal panics if a parameter is complex.
func needsReal(name string, p *torch.Tensor) {
	if p.DType().IsComplex() {
		fail("New"+name, "a parameter is %v, and %s does not support complex parameters", p.DType(), name)
	}
}

// needsDense panics if a gradient is sparse.
func needsDense(name, also string, grad *torch.Tensor) {
	if grad.Layout() != torch.Strided {
		fail("Step", "a gradient is sparse, which %s does not support%s", name, also)
	}
}

// dense panics if a gradient is sparse, which fused implementations do not take.
func (b *batch) dense() {
	for i, g := range b.grads {
		needsDense("the fused implementation", "; turn off Fused", g)
		if d := b.params[i].DType(); b.complex || !d.IsFloatingPoint() {
			fail("Step", "a parameter is %v, and the fused implementation takes floating-point parameters only; turn off Fused", d)
		}
	}
}

// addRate adds the learning rate to a call of one of two operators, of which the second
// takes a tensor, and returns that operator.
func addRate(c *torch.Call, o dict, number, tensor *torch.Op) *torch.Op {
	if x, ok := o.get("lr").(*torch.Tensor); ok {
		c.Tensor(x)
		return tensor
	}
	c.Float(o.float("lr"))
	return number
}
