package optim

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

const scheduleScript = `
import math, torch, warnings
warnings.filterwarnings("ignore")
O, S = torch.optim, torch.optim.lr_scheduler
SWALR = torch.optim.swa_utils.SWALR

def make(optimizer, source):
    p = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    o = eval(optimizer, {"O": O, "p": p, "torch": torch})
    return o, eval(source, {"S": S, "o": o, "math": math, "SWALR": SWALR})

def numbers(o):
    out = []
    for g in o.param_groups:
        for k in ("lr", "momentum", "betas"):
            v = g.get(k, 0)
            out.append(float(v[0] if isinstance(v, tuple) else v).hex())
    return out

def run(o, s, metrics):
    out = [[float(x).hex() for x in s.get_last_lr()] + numbers(o)]
    for m in metrics:
        o.step()
        s.step(m) if isinstance(s, S.ReduceLROnPlateau) else s.step()
        out.append([float(x).hex() for x in s.get_last_lr()] + numbers(o))
    return out

def schedule(optimizer, source, metrics, path, resume, at):
    """The learning rates of all steps, those of the steps after Go's state, and whether the states are equal."""
    o, s = make(optimizer, source)
    rates = run(o, s, metrics[:at])
    torch.save({"o": o.state_dict(), "s": s.state_dict()}, path)
    rates += run(o, s, metrics[at:])
    d = torch.load(resume)
    def same(a, b, where):
        if isinstance(a, dict):
            assert set(a) == set(b) and type(a) == type(b), f"{where}: {a} {b}"
            for k in a: same(a[k], b[k], f"{where}[{k!r}]")
        elif isinstance(a, (list, tuple)):
            assert len(a) == len(b) and type(a) == type(b), f"{where}: {a} {b}"
            for i, (x, y) in enumerate(zip(a, b)): same(x, y, f"{where}[{i}]")
        else: assert a == b and isinstance(a, torch.Tensor) == isinstance(b, torch.Tensor), f"{where}: {a!r} {b!r}"
    same(torch.load(path), d, "")
    o, s = make(optimizer, source)
    s.load_state_dict(d["s"])
    o.load_state_dict(d["o"])
    return [rates, run(o, s, metrics[at:])]
`

// A stepper is a scheduler of either type.
type stepper interface {
	LastLR() []float64
	StateDict() *torch.Dict
	LoadStateDict(*torch.Dict) error
}

// A case is a scheduler in Python and in Go.
type scheduleCase struct {
	python string
	make   func(o *Optimizer) stepper
	steps  int // at most; 0 is any number
}

// text returns a number as Python reads it.
func py(v float64) string { return pyrepr.Float(v) }

// drawSchedule draws a scheduler of a kind with options at random.
func drawSchedule(r draw, kind string, inner bool) scheduleCase {
	f := func(vs ...float64) float64 { return vs[r.IntN(len(vs))] }
	n := func(low, high int) int { return low + r.IntN(high-low) }
	simple := func(python string, make func(o *Optimizer) *Scheduler) scheduleCase {
		return scheduleCase{python, func(o *Optimizer) stepper { return make(o) }, 0}
	}
	switch kind {
	case "LambdaLR":
		g := f(0.9, 0.99)
		return simple(fmt.Sprintf("S.LambdaLR(o, lambda e: %s ** e)", py(g)), func(o *Optimizer) *Scheduler {
			return NewLambdaLR(o, func(e int) float64 { return libm.Pow(g, float64(e)) })
		})
	case "MultiplicativeLR":
		return simple("S.MultiplicativeLR(o, lambda e: 1 - 1 / (e + 50))", func(o *Optimizer) *Scheduler {
			return NewMultiplicativeLR(o, func(e int) float64 { return 1 - 1/float64(e+50) })
		})
	case "StepLR":
		size, g := n(1, 40), f(0.9, 0.5, 0.97)
		return simple(fmt.Sprintf("S.StepLR(o, %d, gamma=%s)", size, py(g)), func(o *Optimizer) *Scheduler { return NewStepLR(o, size, StepLROptions{Gamma: &g}) })
	case "MultiStepLR":
		a, b, g := n(1, 100), n(100, 300), f(0.3, 0.7)
		return simple(fmt.Sprintf("S.MultiStepLR(o, [%d, %d, %d], %s)", a, b, b, py(g)), func(o *Optimizer) *Scheduler {
			return NewMultiStepLR(o, []int{a, b, b}, MultiStepLROptions{Gamma: &g})
		})
	case "ConstantLR":
		g, total := f(0.3, 0.01, 1), n(1, 200)
		return simple(fmt.Sprintf("S.ConstantLR(o, %s, %d)", py(g), total), func(o *Optimizer) *Scheduler {
			return NewConstantLR(o, ConstantLROptions{Factor: &g, TotalIters: &total})
		})
	case "LinearLR":
		a, b, total := f(0.3, 0.01, 1), f(1, 0, 0.7), n(1, 200)
		return simple(fmt.Sprintf("S.LinearLR(o, %s, %s, %d)", py(a), py(b), total), func(o *Optimizer) *Scheduler {
			return NewLinearLR(o, LinearLROptions{StartFactor: &a, EndFactor: &b, TotalIters: &total})
		})
	case "ExponentialLR":
		g := f(0.9, 0.999, 0.97)
		return simple(fmt.Sprintf("S.ExponentialLR(o, %s)", py(g)), func(o *Optimizer) *Scheduler { return NewExponentialLR(o, g) })
	case "PolynomialLR":
		total, power := n(1, 300), f(1, 2, 0.9, 0.5)
		return simple(fmt.Sprintf("S.PolynomialLR(o, %d, %s)", total, py(power)), func(o *Optimizer) *Scheduler {
			return NewPolynomialLR(o, PolynomialLROptions{TotalIters: &total, Power: &power})
		})
	case "CosineAnnealingLR":
		t, eta := n(1, 120), f(0, 0.001)
		return simple(fmt.Sprintf("S.CosineAnnealingLR(o, %d, %s)", t, py(eta)), func(o *Optimizer) *Scheduler {
			return NewCosineAnnealingLR(o, t, CosineAnnealingLROptions{EtaMin: eta})
		})
	case "CosineAnnealingWarmRestarts":
		t, m, eta := n(1, 30), n(1, 4), f(0, 0.001)
		return simple(fmt.Sprintf("S.CosineAnnealingWarmRestarts(o, %d, %d, %s)", t, m, py(eta)), func(o *Optimizer) *Scheduler {
			return NewCosineAnnealingWarmRestarts(o, t, CosineAnnealingWarmRestartsOptions{TMult: &m, EtaMin: eta})
		})
	case "CyclicLR":
		up, down, mode, g, off := n(1, 60), n(1, 60), []string{"triangular", "triangular2", "exp_range"}[r.IntN(3)], f(0.99, 1), r.IntN(3) == 0
		return simple(fmt.Sprintf("S.CyclicLR(o, 0.01, [0.1, 0.2], step_size_up=%d, step_size_down=%d, mode=%q, gamma=%s, cycle_momentum=%s)", up, down, mode, py(g), map[bool]string{true: "False", false: "True"}[off]),
			func(o *Optimizer) *Scheduler {
				return NewCyclicLR(o, 0.01, []float64{0.1, 0.2}, CyclicLROptions{StepSizeUp: &up, StepSizeDown: &down, Mode: mode, Gamma: &g, NoCycleMomentum: off})
			})
	case "OneCycleLR":
		total, pct, how, three := n(450, 550), f(0.3, 0.1), []string{"cos", "linear"}[r.IntN(2)], r.flag()
		c := simple(fmt.Sprintf("S.OneCycleLR(o, [0.1, 0.3], %d, pct_start=%s, anneal_strategy=%q, three_phase=%s)", total, py(pct), how, map[bool]string{true: "True", false: "False"}[three]),
			func(o *Optimizer) *Scheduler {
				return NewOneCycleLR(o, []float64{0.1, 0.3}, OneCycleLROptions{TotalSteps: &total, PctStart: &pct, AnnealStrategy: how, ThreePhase: three})
			})
		c.steps = total
		return c
	case "SWALR":
		lr, epochs, how := f(0.05, 0.001), n(0, 100), []string{"cos", "linear"}[r.IntN(2)]
		return simple(fmt.Sprintf("SWALR(o, %s, %d, %q)", py(lr), epochs, how), func(o *Optimizer) *Scheduler {
			return NewSWALR(o, lr, SWALROptions{AnnealEpochs: &epochs, AnnealStrategy: how})
		})
	case "ReduceLROnPlateau":
		mode, g, patience, how, cool := []string{"min", "max"}[r.IntN(2)], f(0.5, 0.9), n(0, 8), []string{"rel", "abs"}[r.IntN(2)], n(0, 4)
		return scheduleCase{
			fmt.Sprintf("S.ReduceLROnPlateau(o, %q, %s, %d, threshold_mode=%q, cooldown=%d, min_lr=[1e-4, 1e-3])", mode, py(g), patience, how, cool),
			func(o *Optimizer) stepper {
				return NewReduceLROnPlateau(o, ReduceLROnPlateauOptions{Mode: mode, Factor: &g, Patience: &patience, ThresholdMode: how, Cooldown: cool, MinLR: []float64{1e-4, 1e-3}})
			}, 0,
		}
	}
	return drawSeveral(r, kind, inner)
}

// drawSeveral draws a scheduler of schedulers.
func drawSeveral(r draw, kind string, inner bool) scheduleCase {
	parts := []string{"LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts"}
	n := 2 + r.IntN(2)
	var cases []scheduleCase
	var sources []string
	for i := range n {
		part := parts[r.IntN(len(parts))]
		if !inner && r.IntN(4) == 0 && (kind == "ChainedScheduler" || i == 0) {
			part = []string{"ChainedScheduler", "SequentialLR"}[r.IntN(2)]
		}
		c := drawSchedule(r, part, true)
		cases, sources = append(cases, c), append(sources, c.python)
	}
	children := func(o *Optimizer) []*Scheduler {
		var all []*Scheduler
		for _, c := range cases {
			all = append(all, c.make(o).(*Scheduler))
		}
		return all
	}
	list := strings.Join(sources, ", ")
	if kind == "ChainedScheduler" {
		return scheduleCase{fmt.Sprintf("S.ChainedScheduler([%s])", list), func(o *Optimizer) stepper { return NewChainedScheduler(children(o)) }, 0}
	}
	var at []int
	for i := 1; i < n; i++ {
		at = append(at, 60*i+r.IntN(50)*(1-r.IntN(2)*(i/2)))
	}
	return scheduleCase{
		fmt.Sprintf("S.SequentialLR(o, [%s], %s)", list, strings.ReplaceAll(fmt.Sprint(at), " ", ", ")),
		func(o *Optimizer) stepper { return NewSequentialLR(o, children(o), at) }, 0,
	}
}

var scheduleKinds = []string{
	"LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts",
	"CyclicLR", "OneCycleLR", "SWALR", "ReduceLROnPlateau", "SequentialLR", "ChainedScheduler",
}

// TestSchedules compares 500 learning rates and momenta of all schedulers with Python's, to
// the last bit, with options at random. State dicts cross in both directions.
func TestSchedules(t *testing.T) {
	reference.Start(t, scheduleScript)
	was := slog.Default()
	t.Cleanup(func() { slog.SetDefault(was) })
	slog.SetDefault(slog.New(slog.DiscardHandler)) // schedulers in others begin without a step of the optimizer
	seed, rounds := uint64(time.Now().YearDay()), 2
	if s := os.Getenv("TORCHHUB_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		seed = n
	}
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		rounds = 40
	}
	for i, kind := range scheduleKinds {
		for round := range rounds {
			t.Run(fmt.Sprint(kind, round), func(t *testing.T) {
				compareSchedule(t, draw{rand.New(rand.NewPCG(seed, uint64(1000+100*i+round)))}, kind)
			})
		}
	}
}

func compareSchedule(t *testing.T, r draw, kind string) {
	python := reference.Start(t, scheduleScript)
	c := drawSchedule(r, kind, false)
	optimizer := `O.SGD([{"params": p[:1]}, {"params": p[1:], "lr": 0.03}], lr=0.1, momentum=0.9)`
	make := func() *Optimizer {
		return NewSGD([]Group{{Params: params(param(2))}, {Params: params(param(2)), Options: SGDOptions{LR: 0.03}}}, SGDOptions{LR: 0.1, Momentum: 0.9})
	}
	switch r.IntN(4) {
	case 0:
		optimizer = `O.Adam([{"params": p[:1]}, {"params": p[1:], "lr": 0.03}], lr=0.1)`
		make = func() *Optimizer {
			return NewAdam([]Group{{Params: params(param(2))}, {Params: params(param(2)), Options: AdamOptions{LR: 0.03}}}, AdamOptions{LR: 0.1})
		}
	case 1:
		optimizer = `O.SGD([{"params": p[:1]}, {"params": p[1:], "lr": 0.03}], lr=torch.tensor(0.1), momentum=0.9)`
		make = func() *Optimizer {
			return NewSGD([]Group{{Params: params(param(2))}, {Params: params(param(2)), Options: SGDOptions{LR: 0.03}}}, SGDOptions{LR: torch.Scalar(float32(0.1)), Momentum: 0.9})
		}
	}
	steps := 500
	if c.steps > 0 {
		steps = min(steps, c.steps-1)
	}
	metrics := []float64{}
	for i := range steps {
		metrics = append(metrics, 1/(1+float64(i)/30)+0.1*r.NormFloat64())
	}
	at := r.IntN(steps)
	dir := t.TempDir()
	fromGo, fromPython := filepath.Join(dir, "go.pt"), filepath.Join(dir, "python.pt")

	o := make()
	s := c.make(o)
	got := runSchedule(o, s, metrics[:at])
	require.NoError(t, torch.Save(fromGo, map[string]any{"o": o.StateDict(), "s": s.StateDict()}))
	rest := runSchedule(o, s, metrics[at:])
	got = append(got, rest...)
	var want [][][]string
	python.Call(&want, "schedule", optimizer, c.python, metrics, fromPython, fromGo, at)
	about := optimizer + " " + c.python
	for i := range want[0] {
		require.Equal(t, want[0][i], got[i], "%s: step %d, resumed at %d", about, i, at)
	}
	require.Equal(t, want[1], rest, "%s: resumed", about)

	v, err := torch.Load(fromPython)
	require.NoError(t, err)
	o = make()
	s = c.make(o)
	part := func(key string) *torch.Dict {
		d, err := torch.Get[*torch.Dict](v, key)
		require.NoError(t, err)
		return d
	}
	require.NoError(t, s.LoadStateDict(part("s")), about)
	require.NoError(t, o.LoadStateDict(part("o")), about)
	require.Equal(t, rest, runSchedule(o, s, metrics[at:]), "%s: from Python's state", about)
}

// runSchedule returns the learning rates and momenta, as Python's float.hex() writes them.
func runSchedule(o *Optimizer, s stepper, metrics []float64) [][]string {
	var out [][]string
	note := func() {
		var row []string
		for _, lr := range s.LastLR() {
			row = append(row, hex(lr))
		}
		for _, g := range o.ParamGroups() {
			momentum, beta := 0.0, 0.0
			if g.Get("momentum") != nil {
				momentum = g.options.float("momentum")
			}
			if g.Get("betas") != nil {
				beta, _ = g.options.pair("betas")
			}
			row = append(row, hex(g.LR()), hex(momentum), hex(beta))
		}
		out = append(out, row)
	}
	note()
	for _, m := range metrics {
		o.Step()
		switch s := s.(type) {
		case *Scheduler:
			s.Step()
		case *ReduceLROnPlateau:
			s.Step(m)
		}
		note()
	}
	return out
}

// hex returns v.hex() of Python.
func hex(v float64) string {
	if v == 0 {
		return map[bool]string{false: "0x0.0p+0", true: "-0x0.0p+0"}[math.Signbit(v)]
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'x', 13, 64), "p")
	n, _ := strconv.Atoi(exponent)
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%sp%+d", mantissa, n)
}
