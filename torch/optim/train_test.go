package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// trainScript trains the net of the type net below with Python's optimizers.
const trainScript = `
import io, torch, warnings
import torch.nn.functional as F
torch.set_num_threads(1)
warnings.filterwarnings("ignore")
O = torch.optim

class Net:
    def __init__(self, seed, kind, dtype):
        torch.manual_seed(seed)
        dtype = getattr(torch, dtype)
        make = lambda *s: torch.randn(s).to(dtype).requires_grad_()
        imaginary = lambda *s: torch.complex(torch.randn(s), torch.randn(s)).to(torch.complex128 if dtype == torch.float64 else torch.complex64).requires_grad_()
        self.kind = kind
        self.p = {"sparse": lambda: [make(12, 3), make(9, 3)], "complex": lambda: [imaginary(2, 3), imaginary(3)], "matrices": lambda: [make(6, 5), make(3, 6)],
            "dense": lambda: [make(6, 5), make(6), make(3, 6), make(3)], "scalar": lambda: [make(6, 5), make(6), make(3, 6), make(3), make()]}[kind]()
        self.x, self.y = torch.randn(8, 5).to(dtype), torch.randn(8, 3).to(dtype)
        self.at = torch.randint(0, 9, (8,))
    def loss(self):
        p = self.p
        if self.kind == "sparse":
            z = F.embedding(self.at, p[0], sparse=True) * F.embedding(self.at, p[1], sparse=True)
        elif self.kind == "complex":
            z = torch.view_as_real(p[0] * self.x[:2, :3] + p[1]).flatten(1)[:, :3]
            return F.mse_loss(torch.tanh(z), self.y[:2])
        elif self.kind == "matrices":
            z = F.linear(torch.tanh(F.linear(self.x, p[0])), p[1])
        else:
            z = F.linear(torch.tanh(F.linear(self.x, p[0], p[1])), p[2], p[3])
            if self.kind == "scalar": z = z * p[4]
        return F.mse_loss(torch.tanh(z), self.y)

def option(v):
    if isinstance(v, list): return tuple(map(option, v))
    if isinstance(v, dict) and "float" in v: return float(v["float"])
    if isinstance(v, dict): return torch.tensor(float(v["tensor"]))
    return v

def options(o): return {k: option(v) for k, v in o.items()}

def make(name, p, groups):
    gs = [{"params": p[g["from"]:g["to"]], **options(g["own"])} for g in groups["groups"]]
    if groups["names"]:
        for g, from_ in zip(gs, groups["groups"]):
            g["params"] = [(f"p{i + from_['from']}", q) for i, q in enumerate(g["params"])]
    return getattr(O, name)(gs, **options(groups["options"]))

def steps(net, opt, n):
    def closure():
        opt.zero_grad()
        loss = net.loss()
        loss.backward()
        return loss
    for i in range(n):
        if isinstance(opt, O.LBFGS): opt.step(closure)
        else:
            closure()
            if i % 7 == 3: net.p[0].grad = None # is skipped
            opt.step()

def flat(net): return torch.cat([(torch.view_as_real(q.detach()) if q.is_complex() else q.detach()).flatten() for q in net.p]).double()

def train(name, seed, kind, dtype, groups, n, path, resume):
    """Trains n steps, saves, and trains as many more steps. Returns the parameters at both times."""
    net = Net(seed, kind, dtype)
    opt = make(name, net.p, groups)
    steps(net, opt, n)
    first = flat(net)
    torch.save({"p": [q.detach() for q in net.p], "opt": opt.state_dict()}, path)
    steps(net, opt, n)
    last = flat(net)
    # what Go saved
    net = Net(seed, kind, dtype)
    opt = make(name, net.p, groups)
    d = torch.load(resume)
    with torch.no_grad():
        for q, v in zip(net.p, d["p"]): q.copy_(v)
    opt.load_state_dict(d["opt"])
    steps(net, opt, n)
    return {"first": first, "last": last, "resumed": flat(net), "repr": repr(make(name, net.p, groups))}

def same_state(path, resume):
    a, b = torch.load(path)["opt"], torch.load(resume)["opt"]
    def same(x, y, at):
        if isinstance(x, torch.Tensor) and x.is_sparse: same(x.to_dense(), y.to_dense(), at)
        elif isinstance(x, torch.Tensor):
            assert isinstance(y, torch.Tensor) and x.dtype == y.dtype and x.shape == y.shape and torch.allclose(x, y, rtol=0, atol=0, equal_nan=True), f"{at}: {x} {y}"
        elif isinstance(x, dict):
            assert set(x) == set(y), f"{at}: {list(x)} {list(y)}"
            for k in x: same(x[k], y[k], f"{at}[{k!r}]")
        elif isinstance(x, (list, tuple)):
            if at.endswith("['al']"): return # of which Python keeps what is not used
            assert len(x) == len(y) and type(x) == type(y), f"{at}: {x} {y}"
            for i, (v, w) in enumerate(zip(x, y)): same(v, w, f"{at}[{i}]")
        else: assert x == y and (type(x) == type(y) or isinstance(x, (int, float)) and isinstance(y, (int, float))), f"{at}: {x!r} {y!r}"
    same(a, b, "")
`

// net is a network with the names of its Python twin.
type net struct {
	kind  string
	p     []*torch.Tensor
	x, y  *torch.Tensor
	index *torch.Tensor
}

func newNet(seed uint64, kind string, d torch.DType) *net {
	torch.ManualSeed(int64(seed))
	shapes := map[string][][]int{
		"sparse": {{12, 3}, {9, 3}}, "complex": {{2, 3}, {3}}, "matrices": {{6, 5}, {3, 6}}, "dense": {{6, 5}, {6}, {3, 6}, {3}}, "scalar": {{6, 5}, {6}, {3, 6}, {3}, {}},
	}
	n := &net{kind: kind}
	for _, s := range shapes[kind] {
		x := torch.Randn(s...)
		if kind == "complex" {
			x = aten.Complex(x, torch.Randn(s...))
			if d == torch.Float64 {
				x = x.ToDType(torch.Complex128)
			}
			n.p = append(n.p, x.RequireGrad(true))
			continue
		}
		n.p = append(n.p, x.ToDType(d).RequireGrad(true))
	}
	n.x, n.y = torch.Randn(8, 5).ToDType(d), torch.Randn(8, 3).ToDType(d)
	n.index = torch.RandInt(0, 9, 8)
	return n
}

func (n *net) loss() *torch.Tensor {
	p := n.p
	var z *torch.Tensor
	switch n.kind {
	case "sparse":
		z = aten.Embedding(p[0], n.index, -1, false, true).Mul(aten.Embedding(p[1], n.index, -1, false, true))
	case "complex":
		z = p[0].Mul(n.x.Narrow(0, 0, 2).Narrow(1, 0, 3)).Add(p[1]).ViewAsReal().Flatten(1).Narrow(1, 0, 3)
		return F.MSELoss(z.Tanh(), n.y.Narrow(0, 0, 2))
	case "matrices":
		z = F.Linear(F.Linear(n.x, p[0], nil).Tanh(), p[1], nil)
	default:
		z = F.Linear(F.Linear(n.x, p[0], p[1]).Tanh(), p[2], p[3])
		if n.kind == "scalar" {
			z = z.Mul(p[4])
		}
	}
	return F.MSELoss(z.Tanh(), n.y)
}

func (n *net) steps(opt *Optimizer, steps int) {
	closure := func() *torch.Tensor {
		opt.ZeroGrad()
		loss := n.loss()
		loss.Backward()
		return loss
	}
	for i := range steps {
		if opt.Name() == "LBFGS" {
			opt.StepClosure(closure)
			continue
		}
		closure()
		if i%7 == 3 {
			n.p[0].ZeroGrad()
		}
		torch.Scope(func() { opt.Step() })
	}
}

func (n *net) flat() []float64 {
	var all []float64
	for _, p := range n.p {
		x := p.Detach()
		if x.DType().IsComplex() {
			x = x.ViewAsReal()
		}
		all = append(all, torch.Data[float64](x.ToDType(torch.Float64))...)
	}
	return all
}

// draw draws options.
type draw struct{ *rand.Rand }

func (r draw) maybe(v Number) Number {
	if r.IntN(2) == 0 {
		return nil
	}
	return v
}

func (r draw) of(vs ...float64) Number { return vs[r.IntN(len(vs))] }

func (r draw) flag() bool { return r.IntN(2) == 0 }

func (r draw) path() *bool {
	switch r.IntN(5) {
	case 0:
		return new(true)
	case 1:
		return new(false)
	}
	return nil
}

// rate draws a learning rate, which may be a tensor.
func (r draw) rate(vs ...float64) Number {
	v := r.of(vs...)
	if r.IntN(6) == 0 {
		return torch.FromSlice([]float32{float32(v.(float64))}).View()
	}
	return v
}

func (r draw) betas() []float64 {
	if r.flag() {
		return nil
	}
	return []float64{[]float64{0, 0.5, 0.8, 0.9, 0.95}[r.IntN(5)], []float64{0.9, 0.99, 0.999}[r.IntN(3)]}
}

// optimizers are all of them, with options at random.
var optimizers = []struct {
	name    string
	options func(r draw) any
	make    func(p Params, o any) *Optimizer
}{
	{"SGD", func(r draw) any {
		o := SGDOptions{LR: r.rate(0.01, 0.1, 0.003), Momentum: r.maybe(r.of(0.9, 0.5)), WeightDecay: r.maybe(r.of(0.1, 1e-4)), Maximize: r.IntN(4) == 0, Foreach: r.path()}
		if o.Momentum != nil && r.flag() {
			o.Nesterov = true
		} else {
			o.Dampening = r.maybe(0.1)
		}
		if o.Foreach == nil && r.IntN(3) == 0 {
			o.Fused = new(true)
		}
		return o
	}, func(p Params, o any) *Optimizer { return NewSGD(p, o.(SGDOptions)) }},
	{"Adam", func(r draw) any {
		o := AdamOptions{LR: r.rate(0.01, 0.1, 1e-3), Betas: r.betas(), Eps: r.maybe(1e-6), WeightDecay: r.maybe(0.1), AMSGrad: r.flag(), Maximize: r.IntN(4) == 0, DecoupledWeightDecay: r.flag()}
		if _, tensor := o.LR.(*torch.Tensor); !tensor {
			o.Foreach = r.path()
		}
		if o.Foreach == nil && r.IntN(3) == 0 {
			o.Fused = new(true)
		}
		return o
	}, func(p Params, o any) *Optimizer { return NewAdam(p, o.(AdamOptions)) }},
	{"AdamW", func(r draw) any {
		return AdamWOptions{LR: r.rate(0.01, 0.1, 1e-3), Betas: r.betas(), Eps: r.maybe(1e-6), WeightDecay: r.maybe(0.1), AMSGrad: r.flag(), Maximize: r.IntN(4) == 0}
	}, func(p Params, o any) *Optimizer { return NewAdamW(p, o.(AdamWOptions)) }},
	{"Adagrad", func(r draw) any {
		o := AdagradOptions{LR: r.rate(0.01, 0.1), LRDecay: r.maybe(0.01), WeightDecay: r.maybe(0.1), InitialAccumulatorValue: r.maybe(0.1), Eps: r.maybe(1e-6), Foreach: r.path(), Maximize: r.IntN(4) == 0}
		if o.Foreach == nil && r.IntN(3) == 0 {
			o.Fused = new(true)
		}
		return o
	}, func(p Params, o any) *Optimizer { return NewAdagrad(p, o.(AdagradOptions)) }},
	{"Adadelta", func(r draw) any {
		return AdadeltaOptions{LR: r.rate(1, 0.5), Rho: r.maybe(0.8), Eps: r.maybe(1e-5), WeightDecay: r.maybe(0.1), Foreach: r.path(), Maximize: r.IntN(4) == 0}
	}, func(p Params, o any) *Optimizer { return NewAdadelta(p, o.(AdadeltaOptions)) }},
	{"Adamax", func(r draw) any {
		return AdamaxOptions{LR: r.rate(0.01, 0.002), Betas: r.betas(), Eps: r.maybe(1e-6), WeightDecay: r.maybe(0.1), Foreach: r.path(), Maximize: r.IntN(4) == 0}
	}, func(p Params, o any) *Optimizer { return NewAdamax(p, o.(AdamaxOptions)) }},
	{"NAdam", func(r draw) any {
		return NAdamOptions{LR: r.rate(0.01, 0.002), Betas: r.betas(), Eps: r.maybe(1e-6), WeightDecay: r.maybe(0.1), MomentumDecay: r.maybe(0.01), DecoupledWeightDecay: r.flag(), Foreach: r.path(), Maximize: r.IntN(4) == 0}
	}, func(p Params, o any) *Optimizer { return NewNAdam(p, o.(NAdamOptions)) }},
	{"RAdam", func(r draw) any {
		return RAdamOptions{LR: r.rate(0.01, 0.002), Betas: r.betas(), Eps: r.maybe(1e-6), WeightDecay: r.maybe(0.1), DecoupledWeightDecay: r.flag(), Foreach: r.path(), Maximize: r.IntN(4) == 0}
	}, func(p Params, o any) *Optimizer { return NewRAdam(p, o.(RAdamOptions)) }},
	{"RMSprop", func(r draw) any {
		return RMSpropOptions{LR: r.rate(0.01, 0.002), Alpha: r.maybe(0.9), Eps: r.maybe(1e-6), WeightDecay: r.maybe(0.1), Momentum: r.maybe(0.9), Centered: r.flag(), Foreach: r.path(), Maximize: r.IntN(4) == 0}
	}, func(p Params, o any) *Optimizer { return NewRMSprop(p, o.(RMSpropOptions)) }},
	{"Rprop", func(r draw) any {
		o := RpropOptions{LR: r.rate(0.01, 0.1), Foreach: r.path(), Maximize: r.IntN(4) == 0}
		if r.flag() {
			o.Etas = []float64{0.4, 1.1}
		}
		if r.flag() {
			o.StepSizes = []float64{1e-5, 1}
		}
		return o
	}, func(p Params, o any) *Optimizer { return NewRprop(p, o.(RpropOptions)) }},
	{"ASGD", func(r draw) any {
		return ASGDOptions{LR: r.rate(0.01, 0.1), Lambd: r.maybe(1e-3), Alpha: r.maybe(0.5), T0: r.maybe(30), WeightDecay: r.maybe(0.1), Foreach: r.path(), Maximize: r.IntN(4) == 0}
	}, func(p Params, o any) *Optimizer { return NewASGD(p, o.(ASGDOptions)) }},
	{"Adafactor", func(r draw) any {
		o := AdafactorOptions{LR: r.rate(0.01, 0.1), Beta2Decay: r.maybe(-0.5), Eps1: r.maybe(1e-5), Eps2: r.maybe(0.01), D: r.maybe(2), WeightDecay: r.maybe(0.1), Foreach: r.path(), Maximize: r.IntN(4) == 0}
		if _, tensor := o.LR.(*torch.Tensor); tensor && o.Foreach != nil {
			o.Foreach = new(false) // Python would multiply by a list of numbers and tensors, which is a TypeError there
		}
		return o
	}, func(p Params, o any) *Optimizer { return NewAdafactor(p, o.(AdafactorOptions)) }},
	{"Muon", func(r draw) any {
		return MuonOptions{LR: r.rate(0.01, 0.1), WeightDecay: r.maybe(0.01), Momentum: r.maybe(0.9), NoNesterov: r.flag(), Eps: r.maybe(1e-5), AdjustLRFn: []string{"", "original", "match_rms_adamw", "spectral_unclamped"}[r.IntN(4)]}
	}, func(p Params, o any) *Optimizer { return NewMuon(p, o.(MuonOptions)) }},
	{"SparseAdam", func(r draw) any {
		return SparseAdamOptions{LR: r.rate(0.01, 0.1), Betas: r.betas(), Eps: r.maybe(1e-6), Maximize: r.IntN(4) == 0}
	}, func(p Params, o any) *Optimizer { return NewSparseAdam(p, o.(SparseAdamOptions)) }},
	{"LBFGS", func(r draw) any {
		o := LBFGSOptions{LR: r.rate(1, 0.5, 0.1)}
		if r.flag() {
			o.LineSearchFn = "strong_wolfe"
		}
		if r.flag() {
			o.MaxIter, o.HistorySize = new(1+r.IntN(6)), new(1+r.IntN(5))
		}
		return o
	}, func(p Params, o any) *Optimizer { return NewLBFGS(p, o.(LBFGSOptions)) }},
}

// forJSON returns options by Python's names.
func forJSON(d dict) map[string]any {
	m := map[string]any{}
	for _, e := range d {
		switch v := e.value.(type) {
		case *torch.Tensor:
			m[e.key] = map[string]any{"tensor": pyrepr.Float(v.Item())}
		case torch.Tuple:
			list := make([]any, len(v))
			for i, x := range v {
				list[i] = forJSON(dict{{"", x}})[""]
			}
			m[e.key] = list
		case float64:
			m[e.key] = map[string]any{"float": pyrepr.Float(v)}
		default:
			m[e.key] = v
		}
	}
	return m
}

// TestTrain compares steps of all optimizers with Python's, with options, groups and
// dtypes at random. The parameters have the same bits, state dicts cross in both
// directions, and as many more steps are equal.
func TestTrain(t *testing.T) {
	reference.Start(t, trainScript)
	large := os.Getenv("TORCHHUB_TEST_LARGE") != ""
	seed := uint64(time.Now().YearDay())
	if s := os.Getenv("TORCHHUB_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		seed = n
	}
	rounds, steps := 1, 40
	if large {
		rounds, steps = 12, 100
	}
	torch.Run(func() {
		libtorch.SetThreadWidth(1)
		for i, kind := range optimizers {
			for round := range rounds {
				r := draw{rand.New(rand.NewPCG(seed, uint64(i*100+round)))}
				n := steps
				if kind.name == "LBFGS" {
					n = steps / 5
				}
				t.Run(fmt.Sprint(kind.name, round), func(t *testing.T) { compare(t, reference.Start(t, trainScript), r, i, n) })
			}
		}
	})
}

// notFused returns options without those that complex parameters cannot have.
func notFused(options any) any {
	v := reflect.New(reflect.TypeOf(options)).Elem()
	v.Set(reflect.ValueOf(options))
	if f := v.FieldByName("Fused"); f.IsValid() {
		f.SetZero()
	}
	return v.Interface()
}

// compare compares steps with one draw of options.
func compare(t *testing.T, python *reference.Process, r draw, which, steps int) {
	kind := optimizers[which]
	netKind := []string{"dense", "scalar", "dense", "scalar", "complex"}[r.IntN(5)]
	switch kind.name {
	case "Muon":
		netKind = "matrices"
	case "Adafactor": // which takes no complex parameters
		netKind = "dense"
	case "SparseAdam":
		netKind = "sparse"
	case "Adagrad", "SGD":
		if r.IntN(3) == 0 {
			netKind = "sparse"
		}
	}
	options := kind.options(r)
	if netKind == "sparse" {
		switch o := options.(type) {
		case SGDOptions:
			options = SGDOptions{LR: o.LR, Momentum: o.Momentum, Dampening: o.Dampening, Maximize: o.Maximize, Foreach: o.Foreach}
		case AdagradOptions:
			o.WeightDecay, o.Fused = nil, nil
			options = o
		}
	}
	dtype := torch.Float32
	if r.IntN(5) == 0 && kind.name != "Muon" {
		dtype = torch.Float64
	}
	seed := r.Uint64N(1 << 30)
	if netKind == "complex" {
		options = notFused(options)
	}
	all := given("", options)
	rule := kind.make([]*torch.Tensor{torch.Ones(2, 2)}, options).rule
	if rule.join != nil && rule != lbfgsRule {
		all = rule.join(all, rule.defaults)
	}
	own := kind.options(r)
	if netKind == "complex" {
		own = notFused(own)
	}
	split := r.IntN(2) == 0 && kind.name != "LBFGS" && netKind != "sparse"
	names := r.IntN(3) == 0
	build := func(n *net) *Optimizer {
		params := func(from, to int) Params {
			if !names {
				return n.p[from:to]
			}
			var named []torch.Named
			for i := from; i < to; i++ {
				named = append(named, torch.Named{Name: fmt.Sprint("p", i), Tensor: n.p[i]})
			}
			return named
		}
		if split {
			return kind.make([]Group{{Params: params(0, 1)}, {Params: params(1, len(n.p)), Options: own}}, options)
		}
		return kind.make([]Group{{Params: params(0, len(n.p))}}, options)
	}
	type group struct {
		From int            `json:"from"`
		To   int            `json:"to"`
		Own  map[string]any `json:"own"`
	}
	n := newNet(seed, netKind, dtype)
	groups := []group{{0, len(n.p), map[string]any{}}}
	if split {
		d := given("", own)
		if rule.join != nil {
			d = rule.join(d, build(n).defaults)
		}
		groups = []group{{0, 1, map[string]any{}}, {1, len(n.p), forJSON(d)}}
	}
	dir := t.TempDir()
	fromGo, fromPython := filepath.Join(dir, "go.pt"), filepath.Join(dir, "python.pt")
	opt := build(n)
	text := opt.String()
	n.steps(opt, steps)
	first := n.flat()
	save(t, fromGo, n, opt)
	n.steps(opt, steps)
	last := n.flat()

	var want struct {
		First, Last, Resumed reference.Array
		Repr                 string
	}
	pythonGroups := map[string]any{"groups": groups, "names": names, "options": forJSON(all)}
	python.Call(&want, "train", kind.name, seed, netKind, dtype.String(), pythonGroups, steps, fromPython, fromGo)
	about := fmt.Sprintf("%s of %s %v with %+v, groups %+v", kind.name, netKind, dtype, forJSON(all), groups)
	sameBits(t, reference.Data[float64](want.First), first, about+": the first steps")
	sameBits(t, reference.Data[float64](want.Last), last, about+": the last steps")
	require.Equal(t, want.Repr, text)
	python.Call(nil, "same_state", fromPython, fromGo)

	v, err := torch.Load(fromPython)
	require.NoError(t, err)
	state, err := torch.Get[*torch.Dict](v, "opt")
	require.NoError(t, err)
	n = newNet(seed, netKind, dtype)
	opt = build(n)
	require.NoError(t, opt.LoadStateDict(state), about)
	for i, p := range n.p {
		q, err := torch.Get[*torch.Tensor](v, "p", i)
		require.NoError(t, err)
		torch.NoGrad(func() { p.CopyInPlace(q) })
	}
	n.steps(opt, steps)
	sameBits(t, reference.Data[float64](want.Resumed), n.flat(), about+": the steps from saved states")
}

func save(t *testing.T, path string, n *net, opt *Optimizer) {
	var p []torch.Value
	for _, q := range n.p {
		p = append(p, q.Detach())
	}
	require.NoError(t, torch.Save(path, map[string]any{"p": p, "opt": opt.StateDict()}))
}

func sameBits(t *testing.T, want, got []float64, about string) {
	t.Helper()
	require.Len(t, got, len(want), about)
	for i := range want {
		if math.Float64bits(want[i]) != math.Float64bits(got[i]) && !(math.IsNaN(want[i]) && math.IsNaN(got[i])) {
			require.Failf(t, "other bits", "%s: element %d is %v, want %v", about, i, got[i], want[i])
		}
	}
}
