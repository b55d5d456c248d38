package optim

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
)

var _ amp.Optimizer = (*Optimizer)(nil)

const badScript = `
import torch, warnings
O, S, U = torch.optim, torch.optim.lr_scheduler, torch.optim.swa_utils
warnings.filterwarnings("ignore")
P = lambda *s: torch.nn.Parameter(torch.ones(s or (2, 2)))

def sgd(**k): return O.SGD([P()], **k)

def stepped(opt, sparse=False):
    for g in opt.param_groups:
        for p in g["params"]: p.grad = torch.ones_like(p).to_sparse() if sparse else torch.ones_like(p)
    opt.step()
    return opt

def message(source):
    """The text of what Python raises, or "" if it raises nothing."""
    try: eval(source)
    except Exception as e: return f"{type(e).__name__}: {e}"
    return ""
`

func param(shape ...int) *torch.Tensor {
	if len(shape) == 0 {
		shape = []int{2, 2}
	}
	return torch.Options{RequiresGrad: true}.Ones(shape...)
}

// stepped makes a step with gradients of 1.
func stepped(o *Optimizer, sparse bool) *Optimizer {
	for _, p := range o.Parameters() {
		g := torch.OnesLike(p.Detach())
		if sparse {
			g = g.ToSparse()
		}
		p.SetGrad(g)
	}
	o.Step()
	return o
}

func sgd1() *Optimizer { return NewSGD(params(param())) }

func params(ps ...*torch.Tensor) []*torch.Tensor { return ps }

func must(err error) {
	if err != nil {
		panic(&torch.Error{Op: "test", Msg: err.Error()})
	}
}

// bad are wrong uses: what Python says of them, "" where it accepts them, and what Go says.
var bad = []struct {
	python  string
	g       func()
	raises  string
	message string
}{
	{"O.SGD([])", func() { NewSGD(params()) }, "ValueError: optimizer got an empty parameter list",
		"torch: optim.NewSGD: the list of parameters is empty; a model without parameters cannot be trained"},
	{"O.SGD(None)", func() { NewSGD(nil) }, "TypeError: 'NoneType' object is not iterable",
		"torch: optim.NewSGD: the parameters are a <nil>; give a []*torch.Tensor, a torch.StateDict, or an []optim.Group"},
	{"O.SGD(P())", func() { NewSGD(param()) }, "TypeError: params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor",
		"torch: optim.NewSGD: the parameters are a *torch.Tensor; give a []*torch.Tensor, a torch.StateDict, or an []optim.Group"},
	{"O.SGD([None])", func() { NewSGD(params(nil)) }, "TypeError: optimizer can only optimize Tensors, but one of the params is NoneType",
		"torch: optim.NewSGD: parameter 0 is nil"},
	{"(lambda p: O.SGD([p, p]))(P())", func() { p := param(); NewSGD(params(p, p)) }, "",
		"torch: optim.NewSGD: parameter 1 is given twice; it would be changed twice in each step"},
	{"(lambda p: O.SGD([{'params': [p]}, {'params': [p]}]))(P())", func() { p := param(); NewSGD([]Group{{Params: params(p)}, {Params: params(p)}}) },
		"ValueError: some parameters appear in more than one parameter group",
		"torch: optim.NewSGD: parameter 0 is in another group too; a parameter can be in one group only"},
	{"O.SGD([P() * 2])", func() { NewSGD(params(param().MulScalar(2))) }, "ValueError: can't optimize a non-leaf Tensor",
		"torch: optim.NewSGD: parameter 0 is the result of an operation that autograd recorded; only leaf tensors can be optimized, so call Detach and then RequireGrad, or RetainGrad"},
	{"O.SGD([{'params': [('a', P())]}, {'params': [P()]}])", func() {
		NewSGD([]Group{{Params: []torch.Named{{Name: "a", Tensor: param()}}}, {Params: params(param())}})
	}, "ValueError: all optimizer param groups should be with/without names. cannot add param group without names to the optimizer",
		"torch: optim.NewSGD: the parameters of some groups have names and those of others have none; give names in all groups or in none"},
	{"sgd(lr=-1)", func() { NewSGD(params(param()), SGDOptions{LR: -1}) }, "ValueError: Invalid learning rate: -1",
		"torch: optim.NewSGD: the learning rate is -1; it must be at least 0"},
	{"sgd(lr='a')", func() { NewSGD(params(param()), SGDOptions{LR: "a"}) }, "TypeError: '<' not supported between instances of 'str' and 'float'",
		"torch: optim.NewSGD: the option LR is a string; it must be a number"},
	{"sgd(lr=torch.ones(2))", func() { NewSGD(params(param()), SGDOptions{LR: torch.Ones(2)}) }, "ValueError: Tensor lr must be 1-element",
		"torch: optim.NewSGD: the learning rate is a tensor of 2 elements; it must have 1"},
	{"sgd(momentum=-1)", func() { NewSGD(params(param()), SGDOptions{Momentum: -1}) }, "ValueError: Invalid momentum value: -1",
		"torch: optim.NewSGD: the momentum is -1; it must be at least 0"},
	{"sgd(nesterov=True)", func() { NewSGD(params(param()), SGDOptions{Nesterov: true}) }, "ValueError: Nesterov momentum requires a momentum and zero dampening",
		"torch: optim.NewSGD: Nesterov momentum requires a momentum and no dampening; the momentum is 0 and the dampening 0"},
	{"sgd(fused=True, foreach=True)", func() { NewSGD(params(param()), SGDOptions{Fused: new(true), Foreach: new(true)}) }, "RuntimeError: `fused` and `foreach` cannot be `True` together.",
		"torch: optim.NewSGD: Fused and Foreach are both true; at most one of them can be"},
	{"O.Adam([P()], betas=(1.0, 0.5))", func() { NewAdam(params(param()), AdamOptions{Betas: []float64{1, 0.5}}) }, "ValueError: Invalid beta parameter at index 0: 1.0",
		"torch: optim.NewAdam: Betas[0] is 1; it must be at least 0 and below 1"},
	{"O.Adam([P()], betas=(0.5,))", func() { NewAdam(params(param()), AdamOptions{Betas: []float64{0.5}}) }, "IndexError: tuple index out of range",
		"torch: optim.NewAdam: Betas have 1 elements; there must be 2"},
	{"O.Adam([P()], eps=-1)", func() { NewAdam(params(param()), AdamOptions{Eps: -1}) }, "ValueError: Invalid epsilon value: -1",
		"torch: optim.NewAdam: the term eps, which is added to the denominator, is -1; it must be at least 0"},
	{"O.AdamW([P()], weight_decay=-1)", func() { NewAdamW(params(param()), AdamWOptions{WeightDecay: -1}) }, "ValueError: Invalid weight_decay value: -1",
		"torch: optim.NewAdamW: the weight decay is -1; it must be at least 0"},
	{"O.Adadelta([P()], rho=2)", func() { NewAdadelta(params(param()), AdadeltaOptions{Rho: 2}) }, "ValueError: Invalid rho value: 2",
		"torch: optim.NewAdadelta: Rho is 2; it must be between 0 and 1"},
	{"O.Rprop([P()], etas=(1.5, 0.5))", func() { NewRprop(params(param()), RpropOptions{Etas: []float64{1.5, 0.5}}) }, "ValueError: Invalid eta values: 1.5, 0.5",
		"torch: optim.NewRprop: Etas are 1.5 and 0.5; the first must be between 0 and 1 and the second above 1"},
	{"O.Adafactor([P()], d=0.5)", func() { NewAdafactor(params(param()), AdafactorOptions{D: 0.5}) }, "ValueError: Clipping threshold d should be >= 1 but is: 0.5",
		"torch: optim.NewAdafactor: the clipping threshold D is 0.5; it must be at least 1"},
	{"O.Muon([P(3)])", func() { NewMuon(params(param(3))) }, "ValueError: Muon only supports 2D parameters whereas we found a parameter with size: torch.Size([3])",
		"torch: optim.NewMuon: a parameter has the shape [3]; Muon optimizes matrices only, so give the others to another optimizer"},
	{"O.Muon([P()], adjust_lr_fn='x')", func() { NewMuon(params(param()), MuonOptions{AdjustLRFn: "x"}) }, "ValueError: Adjust learning rate function x is not supported",
		`torch: optim.NewMuon: AdjustLRFn is "x"; it can be "original", "match_rms_adamw" or "spectral_unclamped"`},
	{"O.SparseAdam([P()], lr=0.0)", func() { NewSparseAdam(params(param()), SparseAdamOptions{LR: 0}) }, "ValueError: Invalid learning rate: 0.0",
		"torch: optim.NewSparseAdam: the learning rate is 0; it must be above 0"},
	{"stepped(O.Adam([P()]), sparse=True)", func() { stepped(NewAdam(params(param())), true) }, "RuntimeError: Adam does not support sparse gradients, please consider SparseAdam instead",
		"torch: optim.Step: a gradient is sparse, which Adam does not support; SparseAdam does"},
	{"stepped(O.SparseAdam([P()]))", func() { stepped(NewSparseAdam(params(param())), false) }, "RuntimeError: SparseAdam does not support dense gradients, please consider Adam instead",
		"torch: optim.Step: a gradient is dense, which SparseAdam does not support; Adam does"},
	{"O.LBFGS([P()]).step()", func() { NewLBFGS(params(param())).Step() }, "TypeError: LBFGS.step() missing 1 required positional argument: 'closure'",
		"torch: optim.Optimizer.Step: LBFGS evaluates the loss several times in a step; call StepClosure with a function that does so"},
	{"O.LBFGS([{'params': [P()]}, {'params': [P()]}])", func() { NewLBFGS([]Group{{Params: params(param())}, {Params: params(param())}}) },
		"ValueError: LBFGS doesn't support per-parameter options (parameter groups)",
		"torch: optim.NewLBFGS: 2 parameter groups are given; LBFGS has one, for which all options hold"},
	{"O.LBFGS([P()]).step(lambda: None)", func() { NewLBFGS(params(param())).StepClosure(func() *torch.Tensor { return nil }) },
		"TypeError: float() argument must be a string or a real number, not 'NoneType'",
		"torch: optim.Optimizer.StepClosure: the function that computes the loss returned nil"},
	{"sgd().load_state_dict(O.SGD([P(), P()]).state_dict())", func() {
		must(NewSGD(params(param())).LoadStateDict(NewSGD(params(param(), param())).StateDict()))
	}, "ValueError: loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
		"torch: test: optim: load the state of SGD: parameter group 0 has 2 parameters in the state and 1 in the optimizer"},
	{"sgd().load_state_dict(O.SGD([{'params': [P()]}, {'params': [P()]}]).state_dict())", func() {
		must(NewSGD(params(param())).LoadStateDict(NewSGD([]Group{{Params: params(param())}, {Params: params(param())}}).StateDict()))
	}, "ValueError: loaded state dict has a different number of parameter groups",
		"torch: test: optim: load the state of SGD: the state has 2 parameter groups and the optimizer 1 parameter group; the groups must be those of the optimizer that was saved"},
	{"sgd().load_state_dict({})", func() { must(NewSGD(params(param())).LoadStateDict(&torch.Dict{})) }, "KeyError: 'param_groups'",
		`torch: test: optim: load the state of SGD: torch: the value has no key "param_groups"; it is empty`},
	{"sgd().load_state_dict(stepped(O.Adam([P()])).state_dict())", func() {
		must(NewSGD(params(param())).LoadStateDict(stepped(NewAdam(params(param())), false).StateDict()))
	}, "", `torch: test: optim: load the state of SGD: parameter group 0 has no option "momentum" in the state, which is perhaps that of another optimizer`},
	{"O.Adam([P()]).load_state_dict(stepped(O.SGD([P()], momentum=0.9)).state_dict())", func() {
		must(NewAdam(params(param())).LoadStateDict(stepped(NewSGD(params(param()), SGDOptions{Momentum: 0.9}), false).StateDict()))
	}, "KeyError: 'step'", `torch: test: optim: load the state of Adam: parameter group 0 has no option "betas" in the state, which is perhaps that of another optimizer`},
	{"O.NAdam([P()]).load_state_dict(stepped(O.NAdam([P(3)])).state_dict())", func() {
		must(NewNAdam(params(param())).LoadStateDict(stepped(NewNAdam(params(param(3))), false).StateDict()))
	}, "", `torch: test: optim: load the state of NAdam: parameter group 0 has the parameter 0, whose state has "exp_avg", which has the shape [3] for a parameter of the shape [2 2]`},
	{"S.StepLR(None, 3)", func() { NewStepLR(nil, 3) }, "TypeError: NoneType is not an Optimizer", "torch: optim.NewStepLR: the optimizer is nil"},
	{"S.StepLR(sgd(), 0)", func() { NewStepLR(sgd1(), 0) }, "", "torch: optim.NewStepLR: the step size is 0; it must be at least 1"},
	{"S.StepLR(sgd(), 3, last_epoch=2)", func() { NewStepLR(sgd1(), 3, StepLROptions{LastEpoch: new(2)}) },
		"KeyError: \"param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with last_epoch >= 0.\\nThis typically happens when:\\n1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\\n2. You're using last_epoch >= 0 for a fresh training run (not recommended)\"",
		"torch: optim.NewStepLR: parameter group 0 has no initial_lr, which a schedule that is resumed at epoch 2 needs; load the state of the optimizer first, or the state of the scheduler in place of LastEpoch"},
	{"S.LambdaLR(sgd(), [lambda e: 1, lambda e: 2])", func() {
		f := func(int) float64 { return 1 }
		NewLambdaLR(sgd1(), f, f)
	}, "ValueError: Expected 1 lr_lambdas, but got 2", "torch: optim.NewLambdaLR: 2 functions are given for 1 parameter group; give one, or one for each group"},
	{"S.ConstantLR(sgd(), 2)", func() { NewConstantLR(sgd1(), ConstantLROptions{Factor: new(2.0)}) }, "ValueError: Constant multiplicative factor expected to be between 0 and 1.",
		"torch: optim.NewConstantLR: Factor is 2; it must be between 0 and 1"},
	{"S.LinearLR(sgd(), 0)", func() { NewLinearLR(sgd1(), LinearLROptions{StartFactor: new(0.0)}) }, "ValueError: Starting multiplicative factor expected to be greater than 0 and less or equal to 1.",
		"torch: optim.NewLinearLR: StartFactor is 0; it must be above 0 and at most 1"},
	{"S.CosineAnnealingWarmRestarts(sgd(), 0)", func() { NewCosineAnnealingWarmRestarts(sgd1(), 0) }, "ValueError: Expected positive integer T_0, but got 0",
		"torch: optim.NewCosineAnnealingWarmRestarts: T_0 is 0; it must be at least 1"},
	{"S.CyclicLR(O.Adagrad([P()]), 0.1, 0.2)", func() { NewCyclicLR(NewAdagrad(params(param())), 0.1, 0.2) }, "ValueError: optimizer must support momentum or beta1 with `cycle_momentum` option enabled",
		"torch: optim.NewCyclicLR: Adagrad has neither momentum nor betas to cycle; set NoCycleMomentum"},
	{"S.CyclicLR(sgd(), [0.1, 0.2], 0.2)", func() { NewCyclicLR(sgd1(), []float64{0.1, 0.2}, 0.2) },
		"ValueError: base_lr must have the same length as optimizer.param_groups. base_lr has 2 values, param_groups has 1.",
		"torch: optim.NewCyclicLR: baseLR has 2 elements for 1 parameter group; give one number, or one for each group"},
	{"S.OneCycleLR(sgd(), 0.1)", func() { NewOneCycleLR(sgd1(), 0.1) }, "ValueError: You must define either total_steps OR (epochs AND steps_per_epoch)",
		"torch: optim.NewOneCycleLR: the number of steps is not given; set TotalSteps, or Epochs and StepsPerEpoch"},
	{"(lambda s: [s.step() for _ in range(5)])(S.OneCycleLR(sgd(), 0.1, 3))", func() {
		s := NewOneCycleLR(stepped(sgd1(), false), 0.1, OneCycleLROptions{TotalSteps: new(3)})
		stepped(s.opt, false)
		for range 5 {
			s.Step()
		}
	}, "ValueError: Tried to step 4 times. The specified number of total steps is 3", "torch: optim.Scheduler.Step: step 4 of a OneCycleLR is beyond its 3 steps"},
	{"S.ReduceLROnPlateau(sgd(), 'best')", func() { NewReduceLROnPlateau(sgd1(), ReduceLROnPlateauOptions{Mode: "best"}) }, "ValueError: mode best is unknown!",
		`torch: optim.NewReduceLROnPlateau: Mode is "best"; it can be "min" or "max"`},
	{"S.ReduceLROnPlateau(sgd(), factor=1.0)", func() { NewReduceLROnPlateau(sgd1(), ReduceLROnPlateauOptions{Factor: new(1.0)}) }, "ValueError: Factor should be < 1.0.",
		"torch: optim.NewReduceLROnPlateau: Factor is 1; it must be below 1"},
	{"S.SequentialLR(sgd(), [], [])", func() { NewSequentialLR(sgd1(), nil, nil) }, "ValueError: SequentialLR expects at least one scheduler, but got no scheduler.",
		"torch: optim.NewSequentialLR: the list of schedulers is empty"},
	{"(lambda o: S.SequentialLR(o, [S.StepLR(o, 3)], [3]))(sgd())", func() { o := sgd1(); NewSequentialLR(o, []*Scheduler{NewStepLR(o, 3)}, []int{3}) },
		"ValueError: Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but got number of schedulers 1 and the number of milestones to be equal to 1",
		"torch: optim.NewSequentialLR: 1 scheduler and 1 milestone are given; there must be one milestone less than schedulers"},
	{"", func() { NewChainedScheduler([]*Scheduler{NewStepLR(sgd1(), 3), NewStepLR(sgd1(), 3)}) }, "",
		"torch: optim.NewChainedScheduler: scheduler 1, a StepLR, is of another optimizer; all must be of one"},
	{"S.StepLR(sgd(), 3).load_state_dict(S.ExponentialLR(sgd(), 0.5).state_dict())", func() { must(NewStepLR(sgd1(), 3).LoadStateDict(NewExponentialLR(sgd1(), 0.5).StateDict())) }, "",
		`torch: test: optim: load the state of StepLR: the state has no "step_size"; it is perhaps that of another scheduler`},
	{"U.SWALR(sgd(), 0.1, anneal_epochs=-1)", func() { NewSWALR(sgd1(), 0.1, SWALROptions{AnnealEpochs: new(-1)}) }, "ValueError: anneal_epochs must be equal or greater than 0, got -1",
		"torch: optim.NewSWALR: AnnealEpochs is -1; it must be at least 0"},
	{"U.get_ema_avg_fn(2)", func() { GetEMAAvgFn(2) }, "ValueError: Invalid decay value 2 provided. Please provide a value in [0,1] range.",
		"torch: optim.GetEMAAvgFn: the decay is 2; it must be between 0 and 1"},
	{"", func() { NewSGD([]Group{{Params: params(param()), Options: AdamOptions{}}}) }, "",
		"torch: optim.NewSGD: the options of the group are a optim.AdamOptions; give an optim.SGDOptions"},
}

// TestBad compares errors about wrong uses with Python's.
func TestBad(t *testing.T) {
	for _, b := range bad {
		err := torch.Try(b.g)
		assert.EqualError(t, err, b.message, b.python)
	}
}

// TestBadPython requires that Python refuses the same uses, apart from those that the table names.
func TestBadPython(t *testing.T) {
	p := reference.Start(t, badScript)
	for _, b := range bad {
		if b.python == "" {
			continue
		}
		var text string
		p.Call(&text, "message", b.python)
		assert.Equal(t, b.raises, text, b.python)
	}
}

// TestSteppedTooEarly requires a warning where Python warns: at the first step of a
// scheduler whose optimizer has made none since the scheduler was made.
func TestSteppedTooEarly(t *testing.T) {
	was := slog.Default()
	t.Cleanup(func() { slog.SetDefault(was) })
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	o := stepped(sgd1(), false)
	s := NewStepLR(o, 3)
	require.Empty(t, log.String())
	s.Step()
	require.Contains(t, log.String(), `level=WARN msg="optim: the scheduler StepLR is stepped before its optimizer, which skips the first learning rate; call the optimizer's Step first"`)
	log.Reset()
	s.Step()
	stepped(o, false)
	NewStepLR(o, 3).Step()
	require.Empty(t, log.String())

	momentum := func() *Optimizer { return NewSGD(params(param()), SGDOptions{Momentum: 0.9}) }
	for want, state := range map[string]*torch.Dict{"": stepped(momentum(), false).StateDict(), "WARN": momentum().StateDict()} {
		log.Reset()
		o := momentum()
		s := NewStepLR(o, 3)
		require.NoError(t, o.LoadStateDict(state))
		s.Step()
		require.Contains(t, log.String(), want)
		require.Equal(t, want == "", log.Len() == 0, log.String())
	}
}
