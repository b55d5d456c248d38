package nn_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// withoutMeaning are the public classes of torch.nn that this package lacks for good, and why.
var withoutMeaning = map[string]string{
	"Module":       "the base class; here any struct with a method Forward is a module",
	"Container":    "a deprecated name of Module",
	"RNNBase":      "a base class",
	"RNNCellBase":  "a base class",
	"NLLLoss2d":    "a deprecated name of NLLLoss",
	"DataParallel": "splits batches among GPUs by Python's threads; PyTorch advises against it",
}

// missing are the classes that are not written yet.
var missing []string

// An input is a tensor that a module is called with.
type input struct {
	make func() *torch.Tensor
	grad bool // its gradient is compared
}

// f is an input of normally distributed numbers.
func f(shape ...int) input {
	return input{func() *torch.Tensor { return torch.Randn(shape...) }, true}
}

// c is an input without a gradient.
func c(shape ...int) input {
	return input{func() *torch.Tensor { return torch.Randn(shape...) }, false}
}

// u is an input of numbers between 0 and 1.
func u(shape ...int) input {
	return input{func() *torch.Tensor { return torch.Rand(shape...).MulScalar(0.98).AddScalar(0.01) }, true}
}

// cu is u without a gradient.
func cu(shape ...int) input { return input{u(shape...).make, false} }

// k is an input of int64 numbers below n.
func k(n int, shape ...int) input {
	return input{func() *torch.Tensor { return torch.RandInt(0, n, shape...) }, false}
}

// pm is an input of 1 and -1.
func pm(shape ...int) input {
	return input{func() *torch.Tensor {
		return torch.RandInt(0, 2, shape...).MulScalar(2).SubScalar(1).ToDType(torch.Float32)
	}, false}
}

// ls is an input of logarithms of probabilities along the last dimension.
func ls(shape ...int) input {
	return input{func() *torch.Tensor { return torch.Randn(shape...).LogSoftmax(-1) }, true}
}

// A row is a module in Python and in Go, and how it is called.
type row struct {
	python  string
	g       func() any
	in      []input
	call    string                                         // in Python, with the module m and the inputs x; "" is m(*x)
	forward func(m any, x []*torch.Tensor) []*torch.Tensor // in Go; nil is the method Forward
	state   bool                                           // only the construction is compared
}

var className = regexp.MustCompile(`^nn\.(\w+)`)

// class returns the name of the row's class.
func (r row) class() string { return className.FindStringSubmatch(r.python)[1] }

func only(y ...*torch.Tensor) []*torch.Tensor { return y }

// method calls a method with all inputs, and options if there are any.
func method(name string, options ...any) func(m any, x []*torch.Tensor) []*torch.Tensor {
	return func(m any, x []*torch.Tensor) (ys []*torch.Tensor) {
		var args []reflect.Value
		for _, t := range x {
			args = append(args, reflect.ValueOf(t))
		}
		for _, o := range options {
			args = append(args, reflect.ValueOf(o))
		}
		for _, y := range reflect.ValueOf(m).MethodByName(name).Call(args) {
			ys = append(ys, y.Interface().(*torch.Tensor))
		}
		return ys
	}
}

const modulesScript = `
import inspect, math, random, torch
from collections import OrderedDict
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)

def copies(m):
    return OrderedDict((k, v.detach().clone().contiguous()) for k, v in m.state_dict().items())

def classes():
    return [n for n, c in vars(nn).items() if inspect.isclass(c) and issubclass(c, nn.Module)]

def flat(y):
    return [t for t in y if t is not None] if isinstance(y, tuple) else [y]

def plain(t):
    return None if t is None else t.detach().to_dense().contiguous()

def row(expression, call, inputs, grads, path):
    torch.manual_seed(0)
    m = eval(expression)
    out = {"repr": repr(m), "before": copies(m)}
    metadata = m.state_dict()._metadata
    assert torch.load(path)._metadata == metadata, metadata
    out["named"] = [[n for n, _ in m.named_parameters()], [n for n, _ in m.named_buffers()], [n for n, _ in m.named_modules()]]
    if call == "none":
        return out
    leaves = [t.requires_grad_(g) for t, g in zip(inputs, grads)]
    def run(seed):
        torch.manual_seed(seed)
        x = [t.clone() if t.requires_grad else t for t in leaves]
        return flat(eval(call, globals(), {"m": m, "x": x}))
    ys = run(1)
    out["train"] = [plain(y) for y in ys]
    out["after"] = copies(m)
    torch.manual_seed(2)
    ys = [y for y in ys if y.requires_grad]
    if ys:
        torch.autograd.backward(ys, [torch.randn(y.shape, dtype=y.dtype) for y in ys])
    out["grads"] = [plain(t.grad) for t in [*leaves, *m.parameters()]]
    m.eval()
    with torch.no_grad():
        out["eval"] = [plain(y) for y in run(3)]
    return out

def raises(statements):
    out = []
    for s in statements:
        try:
            exec(s, globals(), {})
            out.append("")
        except Exception as e:
            out.append(type(e).__name__ + ": " + str(e))
    return out

def filled(expression, shape):
    torch.manual_seed(4)
    x = torch.empty(shape)
    eval(expression, globals(), {"x": x})
    return [x, torch.rand(3)]
`

// TestModulesLive compares all classes of torch.nn with PyTorch's after the same seed: their
// parameters, buffers and their order, their outputs while training and in evaluation, the
// gradients of inputs and parameters, the buffers afterwards, and the text of repr.
func TestModulesLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, tensorScript)
	threads := torch.NumThreads()
	torch.SetNumThreads(1) // as in Python, since sums depend on it
	defer torch.SetNumThreads(threads)
	t.Run("all classes", func(t *testing.T) {
		covered := map[string]bool{}
		for _, r := range rows {
			covered[r.class()] = true
		}
		var lacking []string
		for _, name := range p.Call("classes").([]torch.Value) {
			lazy := len(name.(string)) > 4 && name.(string)[:4] == "Lazy" // their arguments depend on a first input
			if withoutMeaning[name.(string)] == "" && !lazy && !covered[name.(string)] {
				lacking = append(lacking, name.(string))
			}
		}
		slices.Sort(lacking)
		require.Equal(t, missing, lacking)
	})
	path := t.TempDir() + "/module.pth"
	all, day := os.Getenv("TORCHHUB_TEST_LARGE") != "", time.Now().YearDay()
	compared := slices.Clone(rows)
	for i, r := range moreRows { // an eighth of them each day, since they take seconds
		if !*update && (all || i%8 == day%8) {
			compared = append(compared, r)
		}
	}
	for _, r := range compared {
		t.Run(r.python, func(t *testing.T) { torch.Run(func() { r.compare(t, torchtest.Python(t, tensorScript), path) }) }) // Run obeys SetNumThreads
	}
	if *update {
		data, err := json.MarshalIndent(golden, "", "\t")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(goldenPath, append(data, '\n'), 0o644))
	}
}

func (r row) compare(t *testing.T, p *torchtest.Interpreter, path string) {
	exact := torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0), EqualNan: true}
	torch.ManualSeed(7)
	var leaves []*torch.Tensor
	inputs, grads := []torch.Value{}, []torch.Value{}
	for _, in := range r.in {
		x := in.make()
		leaves = append(leaves, x)
		inputs, grads = append(inputs, x), append(grads, in.grad)
	}
	torch.ManualSeed(0)
	m := r.g()
	require.NoError(t, nn.SaveStateDict(path, m))
	call := cmp.Or(r.call, "m(*x)")
	if r.state {
		call = "none"
	}
	want := p.Call("row", r.python, call, inputs, grads, path)
	get := func(key string) torch.Value {
		v, err := torch.Get[torch.Value](want, key)
		require.NoError(t, err)
		return v
	}
	same := func(key string, got []*torch.Tensor) {
		wanted := get(key).([]torch.Value)
		require.Len(t, got, len(wanted), key)
		for i, w := range wanted {
			if w == nil {
				require.Nil(t, got[i], "%s %d", key, i)
				continue
			}
			require.NotNil(t, got[i], "%s %d", key, i)
			require.NoError(t, torchtest.CheckClose(got[i].Detach().ToDense().Contiguous(), w, exact), "%s %d", key, i)
		}
	}
	states := func(key string) {
		d := get(key).(*torch.Dict)
		s := nn.StateDict(m)
		require.Len(t, s, len(d.Entries), key)
		for i, e := range d.Entries {
			require.Equal(t, e.Key, s[i].Name, key)
			require.NoError(t, torchtest.CheckClose(s[i].Tensor.Detach().Contiguous(), e.Value, exact), "%s %s", key, e.Key)
		}
	}
	require.Equal(t, get("repr"), nn.Repr(m))
	states("before")
	if *update {
		golden[r.python] = construction{get("repr").(string), r.described(nn.StateDict(m))}
	}
	var parameters, buffers, modules []torch.Value
	for _, e := range nn.NamedParameters(m) {
		parameters = append(parameters, e.Name)
	}
	for _, e := range nn.NamedBuffers(m) {
		buffers = append(buffers, e.Name)
	}
	for _, e := range nn.NamedModules(m) {
		modules = append(modules, e.Name)
	}
	named := get("named").([]torch.Value)
	require.ElementsMatch(t, named[0], parameters)
	require.ElementsMatch(t, named[1], buffers)
	require.ElementsMatch(t, named[2], modules)
	if r.state {
		return
	}
	forward := r.forward
	if forward == nil {
		forward = method("Forward")
	}
	for i, x := range leaves {
		leaves[i] = x.RequireGrad(r.in[i].grad)
	}
	run := func(seed int64) []*torch.Tensor {
		torch.ManualSeed(seed)
		x := slices.Clone(leaves)
		for i := range x {
			if x[i].RequiresGrad() {
				x[i] = x[i].Clone()
			}
		}
		return forward(m, x)
	}
	ys := run(1)
	same("train", ys)
	states("after")
	torch.ManualSeed(2)
	var roots, gs []*torch.Tensor
	for _, y := range ys {
		if y.RequiresGrad() {
			roots, gs = append(roots, y), append(gs, torch.Options{DType: y.DType()}.Randn(y.Shape()...))
		}
	}
	if roots != nil {
		autograd.Backward(roots, autograd.BackwardOptions{GradTensors: gs})
	}
	var got []*torch.Tensor
	for _, x := range append(leaves, nn.Parameters(m)...) {
		got = append(got, x.Grad())
	}
	same("grads", got)
	nn.Eval(m)
	torch.NoGrad(func() { same("eval", run(3)) })
}

var update = flag.Bool("update", false, "write testdata/modules.json anew, from the live Python")

// A construction is what Python says of a new module.
type construction struct {
	Repr  string
	State []string // name, dtype, shape, and the first numbers where they are drawn uniformly or constant
}

var (
	golden     = map[string]construction{}
	goldenPath = filepath.Join("testdata", "modules.json")
)

// described returns the lines of a state dict. Normally distributed numbers are left out,
// since their last bits depend on the processor.
func (r row) described(s torch.StateDict) []string {
	lines := []string{}
	for _, e := range s {
		line := fmt.Sprint(e.Name, " ", e.Tensor.DType(), " ", e.Tensor.Shape())
		drawn := strings.HasPrefix(r.class(), "Embedding") || strings.HasPrefix(e.Name, "bias_")
		if !drawn && e.Tensor.Numel() > 0 {
			for _, v := range torch.Data[float64](e.Tensor.Detach().ToDType(torch.Float64).Flatten(0).Narrow(0, 0, min(3, e.Tensor.Numel()))) {
				line += fmt.Sprintf(" %.5g", v)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// TestModules compares new modules with what Python said of its own when it was asked last.
//
//go:generate go test -run TestModulesLive . -update
func TestModules(t *testing.T) {
	data, err := os.ReadFile(goldenPath)
	require.NoError(t, err)
	want := map[string]construction{}
	require.NoError(t, json.Unmarshal(data, &want))
	require.Len(t, want, len(rows))
	for _, r := range rows {
		torch.ManualSeed(0)
		m := r.g()
		require.Equal(t, nn.Repr(m), fmt.Sprint(m), "a type without a method String: %T", m)
		require.Equal(t, want[r.python].Repr, nn.Repr(m))
		requireState(t, want[r.python].State, r.described(nn.StateDict(m)), r.python)
	}
}

// requireState compares descriptions of state dicts. How a draw between two bounds is rounded depends on the processor's
// kernel, and so does the sign of a zero.
func requireState(t *testing.T, want, got []string, name string) {
	require.Len(t, got, len(want), name)
	for i := range want {
		w, g := strings.SplitAfterN(want[i], "]", 2), strings.SplitAfterN(got[i], "]", 2) // after the shape are numbers
		require.Equal(t, w[0], g[0], name)
		numbers := strings.Fields(g[1])
		require.Len(t, numbers, len(strings.Fields(w[1])), name)
		for j, text := range strings.Fields(w[1]) {
			x, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			y, err := strconv.ParseFloat(numbers[j], 64)
			require.NoError(t, err)
			require.InDelta(t, x, y, 1e-7+2e-5*math.Abs(x), "%s: %s", name, w[0]) // they are printed with five digits
		}
	}
}
