package nn

import (
	"math"
	"reflect"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A pruning computes a tensor from a parameter and a mask.
type pruning struct {
	orig, mask *torch.Tensor
}

func (p *pruning) value() *torch.Tensor { return p.mask.ToDType(p.orig.DType()).Mul(p.orig) }

func (p *pruning) fields(name string) []field {
	return []field{
		{value: reflect.ValueOf(&p.orig).Elem(), name: name + "_orig"},
		{value: reflect.ValueOf(&p.mask).Elem(), name: name + "_mask", buffer: true},
	}
}

func (p *pruning) copied(c *copier) source {
	tensor := func(x *torch.Tensor) *torch.Tensor { return c.copied(reflect.ValueOf(x)).Interface().(*torch.Tensor) }
	return &pruning{tensor(p.orig), tensor(p.mask)}
}

// A pruner makes a mask of a tensor t from one that there is.
type pruner struct {
	mask       func(t, mask *torch.Tensor) *torch.Tensor
	structured bool // it prunes slices of the dimension dim
	whole      bool // it looks at elements that are pruned too
	dim        int
}

// more makes a mask where another pruner has been before: of what is left.
func (p pruner) more(t, mask *torch.Tensor) *torch.Tensor {
	out := mask.Clone().ToDType(t.DType())
	if p.whole {
		return p.mask(t, mask)
	}
	if !p.structured {
		left := mask.EqScalar(1)
		out.SetIndex(p.mask(t.Index(left), mask.Index(left)), left)
		return out
	}
	var others []int
	for d := range t.Dim() {
		if d != p.dim {
			others = append(others, d)
		}
	}
	at := make([]any, t.Dim())
	for d := range at {
		at[d] = torch.All
	}
	at[p.dim] = mask.Sum(others...).NeScalar(0)
	out.SetIndex(p.mask(t.Index(at...), mask.Index(at...)), at...)
	return out
}

// prune gives a parameter of a module a mask.
func prune(op string, m any, name string, scores *torch.Tensor, p pruner) {
	at, buffer := tensorField(m, name)
	if at == nil || buffer {
		fail("%s: a %T has no parameter %q", op, m, name)
	}
	t := (*at).Detach()
	if scores != nil {
		if !scores.SameShape(t) {
			fail("%s: the importance scores are %v; %q is %v", op, scores.Shape(), name, t.Shape())
		}
		t = scores
	}
	if p.structured {
		p.dim = structuredDim(op, t, p.dim)
	}
	d := makeDerived(m)
	d.mu.Lock()
	defer d.mu.Unlock()
	torch.NoGrad(func() {
		switch s := d.find(name).(type) {
		case nil:
			d.set(name, &pruning{*at, p.mask(t, torch.OnesLike(t))})
		case *pruning:
			s.mask = p.more(t, s.mask)
		default:
			fail("%s: %q of the %T has parametrizations", op, name, m)
		}
	})
	engine.Unscoped(func() { *at = d.find(name).value() })
}

func structuredDim(op string, t *torch.Tensor, dim int) int {
	n := t.Dim()
	if n < 2 {
		fail("%s: the tensor is %v; structured pruning needs more than one dimension", op, t.Shape())
	}
	if dim < -n || dim >= n {
		fail("%s: the dimension is %d; it must be in [%d, %d] for a tensor %v", op, dim, -n, n-1, t.Shape())
	}
	if dim < 0 {
		dim += n
	}
	return dim
}

// checkAmount refuses an amount that is neither a number of elements nor a fraction.
func checkAmount(op string, amount torch.Number) {
	switch v := amount.(type) {
	case int:
		if v >= 0 {
			return
		}
	case float64:
		if v >= 0 && v <= 1 {
			return
		}
	}
	fail("%s: the amount is %v; it must be a float64 in [0, 1], or an int that is not negative", op, amount)
}

// count returns how many of n elements or slices an amount stands for.
func count(op string, amount torch.Number, n int) int {
	k, ok := amount.(int)
	if !ok {
		return int(math.RoundToEven(amount.(float64) * float64(n)))
	}
	if k > n {
		fail("%s: the amount is %d; there are %d to prune", op, k, n)
	}
	return k
}

// without returns a copy of a mask with zeros at indices of its elements.
func without(mask, indices *torch.Tensor) *torch.Tensor {
	out := mask.Clone().Contiguous()
	out.View(-1).SetIndex(0, indices)
	return out
}

func l1(op string, amount torch.Number) pruner {
	checkAmount(op, amount)
	return pruner{mask: func(t, mask *torch.Tensor) *torch.Tensor {
		k := count(op, amount, t.Numel())
		if k == 0 {
			return mask.Clone()
		}
		_, indices := t.Abs().View(-1).TopK(k, -1, torch.TopKOptions{Smallest: true})
		return without(mask, indices)
	}}
}

func random(op string, amount torch.Number) pruner {
	checkAmount(op, amount)
	return pruner{mask: func(t, mask *torch.Tensor) *torch.Tensor {
		k := count(op, amount, t.Numel())
		if k == 0 {
			return mask.Clone()
		}
		_, indices := torch.RandLike(t).View(-1).TopK(k, -1)
		return without(mask, indices)
	}}
}

// keepSlices returns a mask like t with ones in slices of a dimension, times another mask.
func keepSlices(t *torch.Tensor, dim int, kept, mask *torch.Tensor) *torch.Tensor {
	at := make([]any, dim+1)
	for d := range dim {
		at[d] = torch.All
	}
	at[dim] = kept
	out := torch.ZerosLike(t)
	out.SetIndex(1, at...)
	return out.MulInPlace(mask.ToDType(t.DType()))
}

// PruneOptions are the options of [PruneL1Unstructured] and [PruneLnStructured].
type PruneOptions struct {
	ImportanceScores *torch.Tensor // of the tensor's shape, by which elements are chosen; nil is the tensor itself
}

// PruneL1Unstructured zeroes the elements of a parameter of a module whose absolute values are
// the least: torch.nn.utils.prune.l1_unstructured(m, name, amount). The amount is an int, a
// number of elements, or a float64, a fraction of them. The parameter is then trained under
// the key weight_orig, for the name "weight", and a mask is the buffer weight_mask; the
// module's field is their product, which each call computes as with [RegisterParametrization]. A
// second call prunes what is left. It panics with a *torch.Error if the module has no such
// parameter, or if the amount is more than there is.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.l1_unstructured.html
func PruneL1Unstructured(m any, name string, amount torch.Number, options ...PruneOptions) {
	const op = "PruneL1Unstructured"
	prune(op, m, name, torch.Only(options).ImportanceScores, l1(op, amount))
}

// PruneRandomUnstructured zeroes random elements of a parameter of a module:
// torch.nn.utils.prune.random_unstructured(m, name, amount). See [PruneL1Unstructured].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.random_unstructured.html
func PruneRandomUnstructured(m any, name string, amount torch.Number) {
	const op = "PruneRandomUnstructured"
	prune(op, m, name, nil, random(op, amount))
}

// PruneLnStructured zeroes the slices of a parameter along a dimension whose norms of order n
// are the least: torch.nn.utils.prune.ln_structured(m, name, amount, n, dim). See
// [PruneL1Unstructured].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.ln_structured.html
func PruneLnStructured(m any, name string, amount torch.Number, n float64, dim int, options ...PruneOptions) {
	const op = "PruneLnStructured"
	checkAmount(op, amount)
	p := pruner{structured: true, dim: dim}
	p.mask = func(t, mask *torch.Tensor) *torch.Tensor {
		dim := structuredDim(op, t, dim)
		k := count(op, amount, t.Size(dim))
		var others []int
		for d := range t.Dim() {
			if d != dim {
				others = append(others, d)
			}
		}
		_, kept := vectorNorm(t, n, others).TopK(t.Size(dim)-k, -1)
		if k == 0 {
			return mask
		}
		return keepSlices(t, dim, kept, mask)
	}
	prune(op, m, name, torch.Only(options).ImportanceScores, p)
}

// PruneRandomStructured zeroes random slices of a parameter along a dimension:
// torch.nn.utils.prune.random_structured(m, name, amount, dim). See [PruneL1Unstructured].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.random_structured.html
func PruneRandomStructured(m any, name string, amount torch.Number, dim int) {
	const op = "PruneRandomStructured"
	checkAmount(op, amount)
	p := pruner{structured: true, dim: dim}
	p.mask = func(t, mask *torch.Tensor) *torch.Tensor {
		dim := structuredDim(op, t, dim)
		k := count(op, amount, t.Size(dim))
		if k == 0 {
			return mask
		}
		x := torch.Rand(t.Size(dim))
		threshold, _ := x.Kthvalue(k, -1)
		return keepSlices(t, dim, x.Gt(threshold), mask)
	}
	prune(op, m, name, nil, p)
}

// PruneCustomFromMask zeroes the elements of a parameter where a mask is 0:
// torch.nn.utils.prune.custom_from_mask(m, name, mask). See [PruneL1Unstructured].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.custom_from_mask.html
func PruneCustomFromMask(m any, name string, mask *torch.Tensor) {
	const op = "PruneCustomFromMask"
	prune(op, m, name, nil, pruner{whole: true, mask: func(t, was *torch.Tensor) *torch.Tensor {
		if !mask.SameShape(was) {
			fail("%s: the mask is %v; %q is %v", op, mask.Shape(), name, was.Shape())
		}
		return was.Mul(mask.ToDType(was.DType()))
	}})
}

// A PruneTarget is a parameter of a module.
type PruneTarget struct {
	Module any
	Name   string // such as "weight"
}

// A PruneMethod is a method of [PruneGlobalUnstructured].
type PruneMethod int

// Methods of [PruneGlobalUnstructured].
const (
	L1Unstructured     PruneMethod = iota // the least absolute values
	RandomUnstructured                    // random elements
)

// PruneGlobalUnstructured prunes several parameters as if they were one:
// torch.nn.utils.prune.global_unstructured(targets, pruning_method=method, amount=amount).
// See [PruneL1Unstructured].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.global_unstructured.html
func PruneGlobalUnstructured(targets []PruneTarget, method PruneMethod, amount torch.Number) {
	const op = "PruneGlobalUnstructured"
	var p pruner
	switch method {
	case L1Unstructured:
		p = l1(op, amount)
	case RandomUnstructured:
		p = random(op, amount)
	default:
		fail("%s: there is no method %d", op, method)
	}
	var values, masks []*torch.Tensor
	for _, t := range targets {
		at, buffer := tensorField(t.Module, t.Name)
		if at == nil || buffer {
			fail("%s: a %T has no parameter %q", op, t.Module, t.Name)
		}
		values = append(values, (*at).Detach())
		if s, ok := derivedOf(t.Module).find(t.Name).(*pruning); ok {
			masks = append(masks, s.mask)
		} else {
			masks = append(masks, torch.OnesLike((*at).Detach()))
		}
	}
	torch.NoGrad(func() {
		mask := p.more(ParametersToVector(values), ParametersToVector(masks))
		at := 0
		for i, t := range targets {
			n := values[i].Numel()
			PruneCustomFromMask(t.Module, t.Name, mask.Narrow(0, at, n).ViewAs(values[i]))
			at += n
		}
	})
}

// RemovePruning makes a pruned parameter a plain one again, with zeros where it is pruned:
// torch.nn.utils.prune.remove(m, name). It remains the same tensor. RemovePruning panics with
// a *torch.Error if the parameter is not pruned.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.remove.html
func RemovePruning(m any, name string) {
	d := derivedOf(m)
	p, ok := d.find(name).(*pruning)
	if !ok {
		fail("RemovePruning: %q of a %T is not pruned", name, m)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	torch.NoGrad(func() {
		var c torch.Call
		c.Tensor(p.orig)
		c.Tensor(p.value())
		c.Do(opSetData)
	})
	at, _ := tensorField(m, name)
	*at = p.orig
	d.set(name, nil)
}

// IsPruned reports whether a module or one inside it is pruned: torch.nn.utils.prune.is_pruned(m).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.is_pruned.html
func IsPruned(m any) bool {
	return slices.ContainsFunc(Modules(m), func(m any) bool {
		d := derivedOf(m)
		return d != nil && slices.ContainsFunc(d.items, func(it derivation) bool {
			_, ok := it.source.(*pruning)
			return ok
		})
	})
}
