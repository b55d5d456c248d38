package optim

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/torch"
)

// A Number is a number of an option: an int, a float64, or, where the option says so, a
// *[torch.Tensor] of one element. nil is the option's default. A value of another type
// panics with a *[torch.Error].
//
//	optim.NewAdam(nn.Parameters(model), optim.AdamOptions{LR: 1e-4, WeightDecay: 0})
type Number = any

// A num is a number as Python computes with it: a float if dtype is 0, or a tensor of no
// dimensions, whose operations round to its dtype. PyTorch mixes both, in learning rates
// and in the line search of LBFGS.
type num struct {
	v     float64
	dtype torch.DType
}

// float is a Python float.
func float(v float64) num { return num{v: v} }

// tensorNum returns the element of x, a tensor of one element.
func tensorNum(x *torch.Tensor) num { return num{x.Item(), x.DType()} }

// round returns the number of a dtype that is nearest to v.
func round(d torch.DType, v float64) float64 {
	switch d {
	case torch.Float32:
		return float64(float32(v))
	case torch.Float16:
		return float64(torch.NewF16(float32(v)).Float32())
	case torch.BFloat16:
		return float64(torch.NewBF16(float32(v)).Float32())
	}
	return v
}

// promoted returns the dtype of an operation on tensors of two floating-point dtypes.
func promoted(a, b torch.DType) torch.DType {
	switch {
	case a.Size() > b.Size():
		return a
	case a.Size() < b.Size():
		return b
	}
	return torch.Float32
}

// common returns a and b in the dtype of their result.
func common(a, b num) (num, num) {
	d := a.dtype
	switch {
	case d == 0:
		d = b.dtype
	case b.dtype != 0 && b.dtype != d:
		d = promoted(a.dtype, b.dtype)
	}
	return num{round(d, a.v), d}, num{round(d, b.v), d}
}

func (a num) with(v float64) num { return num{round(a.dtype, v), a.dtype} }

func (a num) neg() num { return num{-a.v, a.dtype} }

func (a num) add(b num) num {
	a, b = common(a, b)
	return a.with(a.v + b.v)
}

func (a num) sub(b num) num {
	a, b = common(a, b)
	return a.with(a.v - b.v)
}

func (a num) mul(b num) num {
	a, b = common(a, b)
	return a.with(a.v * b.v)
}

// div returns a / b. PyTorch multiplies a number by the reciprocal of a tensor.
func (a num) div(b num) num {
	number := a.dtype == 0 && b.dtype != 0
	a, b = common(a, b)
	if number {
		return b.with(1 / b.v).mul(a)
	}
	return a.with(a.v / b.v)
}

// sqrt returns the root as libtorch computes it, which rounds otherwise than IEEE 754 says.
func (a num) sqrt() num {
	x := torch.Options{DType: a.dtype, Device: torch.CPU}.Full(a.v)
	defer x.Free()
	y := x.Sqrt()
	defer y.Free()
	return tensorNum(y)
}

func (a num) abs() num { return num{math.Abs(a.v), a.dtype} }

// less reports whether a < b, for which PyTorch rounds a number to the dtype of a tensor.
func (a num) less(b num) bool {
	a, b = common(a, b)
	return a.v < b.v
}

func (a num) lessEqual(b num) bool {
	a, b = common(a, b)
	return a.v <= b.v
}

// minNum is min(a, b), which returns one of its arguments as it is.
func minNum(a, b num) num {
	if b.less(a) {
		return b
	}
	return a
}

// maxNum is max(a, b).
func maxNum(a, b num) num {
	if a.less(b) {
		return b
	}
	return a
}

// numOf returns a number; ok is false if v is none.
func numOf(v torch.Value) (n num, ok bool) {
	switch v := v.(type) {
	case float64:
		return float(v), true
	case int:
		return float(float64(v)), true
	case float32:
		return float(float64(v)), true
	case *torch.Tensor:
		if v != nil && v.Numel() == 1 {
			return tensorNum(v), true
		}
	}
	return num{}, false
}

// A scalar is a tensor of a state without dimensions, such as the number of steps, kept as
// a number: that saves operators in each step. A dtype of 0 makes it a Python int.
type scalar struct {
	num
	device torch.Device // "" is the CPU
}

func newScalar(v float64) *scalar {
	d := torch.Float32
	if torch.DefaultDType() == torch.Float64 {
		d = torch.Float64
	}
	return &scalar{num: num{round(d, v), d}}
}

// set sets the number, rounded to the dtype.
func (s *scalar) set(v float64) { s.v = round(s.dtype, v) }

// value returns what a state dict holds for s.
func (s *scalar) value() torch.Value {
	if s.dtype == 0 {
		return int(s.v)
	}
	x := torch.Options{DType: s.dtype, Device: torch.CPU}.Full(s.v)
	if s.device != "" {
		x = x.Then(func(x *torch.Tensor) *torch.Tensor { return x.To(s.device) })
	}
	return x
}

// A dict is a Python dict with string keys, in order.
type dict []entry

type entry struct {
	key   string
	value torch.Value
}

func (d dict) find(key string) int {
	for i := range d {
		if d[i].key == key {
			return i
		}
	}
	return -1
}

// get returns the value of a key, or nil.
func (d dict) get(key string) torch.Value {
	if i := d.find(key); i >= 0 {
		return d[i].value
	}
	return nil
}

// set sets the value of a key, at the end if the key is new.
func (d *dict) set(key string, v torch.Value) {
	if i := d.find(key); i >= 0 {
		(*d)[i].value = v
		return
	}
	*d = append(*d, entry{key, v})
}

// num returns the number of a key; a missing one panics.
func (d dict) num(key string) num {
	v := d.get(key)
	n, ok := numOf(v)
	if !ok {
		fail("Step", "the option %q is %s; it must be a number", key, torch.Describe(v))
	}
	return n
}

func (d dict) float(key string) float64 { return d.num(key).v }

func (d dict) int(key string) int { return int(d.num(key).v) }

func (d dict) bool(key string) bool {
	b, _ := d.get(key).(bool)
	return b
}

// tuple returns the numbers of a key whose value is a tuple or a list.
func (d dict) tuple(key string) []float64 {
	v := d.get(key)
	list, ok := v.(torch.Tuple)
	if !ok {
		list, _ = v.([]torch.Value)
	}
	out := make([]float64, len(list))
	for i, e := range list {
		n, ok := numOf(e)
		if !ok {
			fail("Step", "the option %q holds %s at %d; it must be a number", key, torch.Describe(e), i)
		}
		out[i] = n.v
	}
	return out
}

// pair returns the two numbers of a key.
func (d dict) pair(key string) (float64, float64) {
	switch v := d.get(key).(type) {
	case torch.Tuple:
		if len(v) == 2 {
			a, aOK := v[0].(float64)
			b, bOK := v[1].(float64)
			if aOK && bOK { // the common case
				return a, b
			}
		}
	}
	t := d.tuple(key)
	if len(t) != 2 {
		fail("Step", "the option %q has %d elements; it must have 2", key, len(t))
	}
	return t[0], t[1]
}

// plain returns d for a state dict.
func (d dict) plain() *torch.Dict {
	out := &torch.Dict{Entries: make([]torch.Entry, len(d))}
	for i, e := range d {
		v := e.value
		if s, ok := v.(*scalar); ok {
			v = s.value()
		}
		out.Entries[i] = torch.Entry{Key: e.key, Value: v}
	}
	return out
}

// dictOf returns the entries of a dict of a state dict, whose keys must be strings.
func dictOf(v torch.Value) (dict, error) {
	from, ok := v.(*torch.Dict)
	if !ok || from == nil {
		return nil, fmt.Errorf("is %s and not a dict", torch.Describe(v))
	}
	d := make(dict, 0, len(from.Entries))
	for _, e := range from.Entries {
		key, ok := e.Key.(string)
		if !ok {
			return nil, fmt.Errorf("has the key %v, which is not a string", e.Key)
		}
		d = append(d, entry{key, e.Value})
	}
	return d, nil
}
