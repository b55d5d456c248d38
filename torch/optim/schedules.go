package optim

import (
	"math"
	"slices"
	"sort"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

var lambdaLR = &schedule{
	name: "LambdaLR",
	rates: func(s *Scheduler) []num {
		rates := s.bases()
		for i, b := range rates {
			rates[i] = b.mul(float(s.lambdas[i](s.LastEpoch())))
		}
		return rates
	},
}

// NewLambdaLR makes a scheduler that multiplies the first learning rate by a function of
// the epoch: torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda). It takes one function,
// or one for each group.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html
func NewLambdaLR(opt *Optimizer, lambdas ...func(epoch int) float64) *Scheduler {
	return newScheduler(lambdaLR, opt, nil, nil, withLambdas(lambdas))
}

var multiplicativeLR = &schedule{
	name: "MultiplicativeLR",
	rates: func(s *Scheduler) []num {
		if s.initial() {
			return nil
		}
		return s.of(func(lr num, i int) num { return lr.mul(float(s.lambdas[i](s.LastEpoch()))) })
	},
}

// NewMultiplicativeLR makes a scheduler that multiplies the learning rate by a function of
// the epoch: torch.optim.lr_scheduler.MultiplicativeLR(optimizer, lr_lambda). It takes one
// function, or one for each group.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html
func NewMultiplicativeLR(opt *Optimizer, lambdas ...func(epoch int) float64) *Scheduler {
	return newScheduler(multiplicativeLR, opt, nil, nil, withLambdas(lambdas))
}

// withLambdas sets the functions of a scheduler.
func withLambdas(lambdas []func(int) float64) func(s *Scheduler) {
	return func(s *Scheduler) {
		n := len(s.opt.groups)
		if len(lambdas) == 1 {
			lambdas = slices.Repeat(lambdas, n)
		}
		if len(lambdas) != n {
			fail(s.kind.op(), "%s are given for %s; give one, or one for each group", count(len(lambdas), "function"), count(n, "parameter group"))
		}
		for i, f := range lambdas {
			if f == nil {
				fail(s.kind.op(), "function %d is nil", i)
			}
		}
		s.lambdas = lambdas
		s.fields.set("lr_lambdas", make([]torch.Value, n))
	}
}

// StepLROptions are the options of [NewStepLR].
type StepLROptions struct {
	Gamma     *float64 // by which learning rates are multiplied; nil is 0.1
	LastEpoch *int     // the epoch at which a schedule is resumed; nil is -1, which begins it
}

var stepLR = &schedule{
	name: "StepLR",
	rates: func(s *Scheduler) []num {
		if e := s.LastEpoch(); e == 0 || e%s.int("step_size") != 0 {
			return nil
		}
		return s.times(s.float("gamma"))
	},
	closed: func(s *Scheduler) []num {
		return s.timesBases(libm.Pow(s.float("gamma"), float64(s.LastEpoch()/s.int("step_size"))))
	},
}

// NewStepLR makes a scheduler that multiplies learning rates by a factor every stepSize
// epochs: torch.optim.lr_scheduler.StepLR(optimizer, step_size).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
func NewStepLR(opt *Optimizer, stepSize int, options ...StepLROptions) *Scheduler {
	o := torch.Only(options)
	if stepSize <= 0 {
		fail("NewStepLR", "the step size is %d; it must be at least 1", stepSize)
	}
	return newScheduler(stepLR, opt, o.LastEpoch, dict{{"step_size", stepSize}, {"gamma", or(o.Gamma, 0.1)}})
}

func or[T any](p *T, standard T) T {
	if p != nil {
		return *p
	}
	return standard
}

// MultiStepLROptions are the options of [NewMultiStepLR].
type MultiStepLROptions struct {
	Gamma     *float64 // by which learning rates are multiplied; nil is 0.1
	LastEpoch *int     // the epoch at which a schedule is resumed; nil is -1, which begins it
}

var multiStepLR = &schedule{
	name: "MultiStepLR",
	rates: func(s *Scheduler) []num {
		n, ok := s.fields.get("milestones").(*torch.Dict).Get(s.LastEpoch())
		if !ok {
			return nil
		}
		times, _ := numOf(n)
		return s.times(libm.Pow(s.float("gamma"), times.v))
	},
	closed: func(s *Scheduler) []num {
		passed := 0
		for _, e := range s.fields.get("milestones").(*torch.Dict).Entries {
			at, _ := numOf(e.Key)
			times, _ := numOf(e.Value)
			if int(at.v) <= s.LastEpoch() {
				passed += int(times.v)
			}
		}
		return s.timesBases(libm.Pow(s.float("gamma"), float64(passed)))
	},
}

// NewMultiStepLR makes a scheduler that multiplies learning rates by a factor at some
// epochs: torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
func NewMultiStepLR(opt *Optimizer, milestones []int, options ...MultiStepLROptions) *Scheduler {
	o := torch.Only(options)
	counter := &torch.Dict{Class: torch.Counter}
	for _, m := range milestones {
		n, _ := counter.Get(m)
		times, _ := n.(int)
		counter.Set(m, times+1)
	}
	return newScheduler(multiStepLR, opt, o.LastEpoch, dict{{"milestones", counter}, {"gamma", or(o.Gamma, 0.1)}})
}

// ConstantLROptions are the options of [NewConstantLR].
type ConstantLROptions struct {
	Factor     *float64 // by which learning rates are multiplied, between 0 and 1; nil is 0.3333333333333333
	TotalIters *int     // the epoch at which that is undone; nil is 5
	LastEpoch  *int     // the epoch at which a schedule is resumed; nil is -1, which begins it
}

var constantLR = &schedule{
	name: "ConstantLR",
	rates: func(s *Scheduler) []num {
		switch s.float(lastEpochField) {
		case 0:
			return s.times(s.float("factor"))
		case s.float("total_iters"):
			return s.times(1 / s.float("factor"))
		}
		return nil
	},
	closed: func(s *Scheduler) []num {
		factor := s.float("factor")
		if s.float(lastEpochField) >= s.float("total_iters") {
			factor += 1 - factor
		}
		return s.timesBases(factor)
	},
}

// NewConstantLR makes a scheduler that multiplies learning rates by a factor until an
// epoch: torch.optim.lr_scheduler.ConstantLR(optimizer).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html
func NewConstantLR(opt *Optimizer, options ...ConstantLROptions) *Scheduler {
	o := torch.Only(options)
	factor := or(o.Factor, 1.0/3)
	if !(factor >= 0 && factor <= 1) {
		fail("NewConstantLR", "Factor is %v; it must be between 0 and 1", factor)
	}
	return newScheduler(constantLR, opt, o.LastEpoch, dict{{"factor", factor}, {"total_iters", or(o.TotalIters, 5)}})
}

// LinearLROptions are the options of [NewLinearLR].
type LinearLROptions struct {
	StartFactor *float64 // by which the first learning rate is multiplied, above 0 and at most 1; nil is 0.3333333333333333
	EndFactor   *float64 // and the last one, between 0 and 1; nil is 1
	TotalIters  *int     // the epoch of the last one; nil is 5
	LastEpoch   *int     // the epoch at which a schedule is resumed; nil is -1, which begins it
}

var linearLR = &schedule{
	name: "LinearLR",
	rates: func(s *Scheduler) []num {
		e, total := s.float(lastEpochField), s.float("total_iters")
		start, end := s.float("start_factor"), s.float("end_factor")
		switch {
		case e == 0:
			return s.times(start)
		case s.initial() || e > total:
			return nil
		}
		return s.times(1 + (end-start)/(float64(total*start)+float64((e-1)*(end-start))))
	},
	closed: func(s *Scheduler) []num {
		e, total := s.float(lastEpochField), s.float("total_iters")
		start, end := s.float("start_factor"), s.float("end_factor")
		return s.timesBases(start + (end-start)*min(total, e)/total)
	},
}

// NewLinearLR makes a scheduler that multiplies learning rates by a factor that changes
// linearly: torch.optim.lr_scheduler.LinearLR(optimizer).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
func NewLinearLR(opt *Optimizer, options ...LinearLROptions) *Scheduler {
	o := torch.Only(options)
	start, end := or(o.StartFactor, 1.0/3), or(o.EndFactor, 1)
	switch {
	case !(start > 0 && start <= 1):
		fail("NewLinearLR", "StartFactor is %v; it must be above 0 and at most 1", start)
	case !(end >= 0 && end <= 1):
		fail("NewLinearLR", "EndFactor is %v; it must be between 0 and 1", end)
	}
	return newScheduler(linearLR, opt, o.LastEpoch, dict{{"start_factor", start}, {"end_factor", end}, {"total_iters", or(o.TotalIters, 5)}})
}

// ExponentialLROptions are the options of [NewExponentialLR].
type ExponentialLROptions struct {
	LastEpoch *int // the epoch at which a schedule is resumed; nil is -1, which begins it
}

var exponentialLR = &schedule{
	name: "ExponentialLR",
	rates: func(s *Scheduler) []num {
		if s.initial() {
			return nil
		}
		return s.times(s.float("gamma"))
	},
	closed: func(s *Scheduler) []num {
		return s.timesBases(libm.Pow(s.float("gamma"), s.float(lastEpochField)))
	},
}

// NewExponentialLR makes a scheduler that multiplies learning rates by gamma in each epoch:
// torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
func NewExponentialLR(opt *Optimizer, gamma float64, options ...ExponentialLROptions) *Scheduler {
	return newScheduler(exponentialLR, opt, torch.Only(options).LastEpoch, dict{{"gamma", gamma}})
}

// PolynomialLROptions are the options of [NewPolynomialLR].
type PolynomialLROptions struct {
	TotalIters *int     // the epoch at which learning rates become 0; nil is 5
	Power      *float64 // of the polynomial; nil is 1
	LastEpoch  *int     // the epoch at which a schedule is resumed; nil is -1, which begins it
}

var polynomialLR = &schedule{
	name: "PolynomialLR",
	rates: func(s *Scheduler) []num {
		e, total := s.float(lastEpochField), s.float("total_iters")
		if s.initial() || e > total {
			return nil
		}
		return s.times(libm.Pow((1-e/total)/(1-(e-1)/total), s.float("power")))
	},
	closed: func(s *Scheduler) []num {
		e, total := s.float(lastEpochField), s.float("total_iters")
		return s.timesBases(libm.Pow(1-min(total, e)/total, s.float("power")))
	},
}

// NewPolynomialLR makes a scheduler that decays learning rates to 0 by a polynomial:
// torch.optim.lr_scheduler.PolynomialLR(optimizer).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
func NewPolynomialLR(opt *Optimizer, options ...PolynomialLROptions) *Scheduler {
	o := torch.Only(options)
	return newScheduler(polynomialLR, opt, o.LastEpoch, dict{{"total_iters", or(o.TotalIters, 5)}, {"power", or(o.Power, 1)}})
}

// CosineAnnealingLROptions are the options of [NewCosineAnnealingLR].
type CosineAnnealingLROptions struct {
	EtaMin    float64 // the smallest learning rate
	LastEpoch *int    // the epoch at which a schedule is resumed; nil is -1, which begins it
}

var cosineAnnealingLR = &schedule{
	name: "CosineAnnealingLR",
	rates: func(s *Scheduler) []num {
		if s.initial() {
			return nil
		}
		e, t, eta := s.int(lastEpochField), s.int("T_max"), float(s.float("eta_min"))
		half := func(base num, cos float64) num { return base.sub(eta).mul(float(cos)).div(float(2)) }
		switch {
		case s.int("_step_count") == 1 && e > 0:
			return cosines(s, eta, math.Pi*float64(e)/float64(t))
		case (e-1-t)%(2*t) == 0:
			bases := s.bases()
			return s.of(func(lr num, i int) num { return lr.add(half(bases[i], 1-libm.Cos(math.Pi/float64(t)))) })
		}
		ratio := (1 + libm.Cos(math.Pi*float64(e)/float64(t))) / (1 + libm.Cos(math.Pi*float64(e-1)/float64(t)))
		return s.of(func(lr num, _ int) num { return float(ratio).mul(lr.sub(eta)).add(eta) })
	},
	closed: func(s *Scheduler) []num {
		return cosines(s, float(s.float("eta_min")), math.Pi*s.float(lastEpochField)/s.float("T_max"))
	},
}

// cosines returns eta + (base - eta) * (1 + cos(angle)) / 2.
func cosines(s *Scheduler, eta num, angle float64) []num {
	return s.ofBases(func(b num) num { return eta.add(b.sub(eta).mul(float(1 + libm.Cos(angle))).div(float(2))) })
}

// NewCosineAnnealingLR makes a scheduler that anneals learning rates by half a cosine of
// tMax epochs: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
func NewCosineAnnealingLR(opt *Optimizer, tMax int, options ...CosineAnnealingLROptions) *Scheduler {
	o := torch.Only(options)
	if tMax <= 0 {
		fail("NewCosineAnnealingLR", "T_max is %d; it must be at least 1", tMax)
	}
	return newScheduler(cosineAnnealingLR, opt, o.LastEpoch, dict{{"T_max", tMax}, {"eta_min", o.EtaMin}})
}

// CosineAnnealingWarmRestartsOptions are the options of [NewCosineAnnealingWarmRestarts].
type CosineAnnealingWarmRestartsOptions struct {
	TMult     *int    `torch:"T_mult"` // by which the number of epochs grows after each restart; nil is 1
	EtaMin    float64 // the smallest learning rate
	LastEpoch *int    // the epoch at which a schedule is resumed; nil is -1, which begins it
}

var cosineAnnealingWarmRestarts = &schedule{
	name: "CosineAnnealingWarmRestarts",
	rates: func(s *Scheduler) []num {
		return cosines(s, float(s.float("eta_min")), math.Pi*s.float("T_cur")/s.float("T_i"))
	},
	step: stepWarmRestarts,
}

func stepWarmRestarts(s *Scheduler, to *float64) {
	first, factor := s.int("T_0"), s.int("T_mult")
	last := s.int(lastEpochField)
	switch {
	case to == nil && last >= 0:
		epoch, current, length := float64(last+1), s.float("T_cur")+1, s.float("T_i")
		to = &epoch
		if current >= length {
			s.fields.set("T_i", int(length)*factor)
			current = math.Mod(current, length)
		}
		s.fields.set("T_cur", whole(current))
	default:
		epoch := 0.0
		if to != nil {
			epoch = *to
		}
		to = &epoch
		switch {
		case epoch < 0:
			fail("Scheduler.StepTo", "the epoch is %v; it must be at least 0", epoch)
		case epoch < float64(first):
			s.fields.set("T_i", first)
			s.fields.set("T_cur", whole(epoch))
		case factor == 1:
			s.fields.set("T_cur", whole(math.Mod(epoch, float64(first))))
		default:
			n := int(libm.Log(float64(epoch/float64(first)*float64(factor-1))+1) / libm.Log(float64(factor)))
			power := 1
			for range n {
				power *= factor
			}
			s.fields.set("T_cur", epoch-float64(first*(power-1))/float64(factor-1))
			s.fields.set("T_i", first*power)
		}
	}
	s.fields.set(lastEpochField, int(math.Floor(*to)))
	s.apply(s.kind.rates(s))
}

// whole returns v as an int where it is one, as Python keeps it.
func whole(v float64) torch.Value {
	if v == math.Trunc(v) {
		return int(v)
	}
	return v
}

// NewCosineAnnealingWarmRestarts makes a scheduler that anneals learning rates by half a
// cosine of t0 epochs, again and again:
// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0). [Scheduler.StepTo] takes parts of epochs.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
func NewCosineAnnealingWarmRestarts(opt *Optimizer, t0 int, options ...CosineAnnealingWarmRestartsOptions) *Scheduler {
	const op = "NewCosineAnnealingWarmRestarts"
	o := torch.Only(options)
	factor := or(o.TMult, 1)
	switch {
	case t0 <= 0:
		fail(op, "T_0 is %d; it must be at least 1", t0)
	case factor < 1:
		fail(op, "TMult is %d; it must be at least 1", factor)
	}
	return newScheduler(cosineAnnealingWarmRestarts, opt, o.LastEpoch, dict{
		{"T_0", t0}, {"T_i", t0}, {"T_mult", factor}, {"eta_min", o.EtaMin}, {"T_cur", or(o.LastEpoch, -1)},
	})
}

var sequentialLR = &schedule{
	name: "SequentialLR",
	step: func(s *Scheduler, to *float64) {
		s.needsNoEpoch(to)
		epoch := s.LastEpoch() + 1
		s.fields.set(lastEpochField, epoch)
		milestones := s.fields.tuple("_milestones")
		i := sort.Search(len(milestones), func(i int) bool { return int(milestones[i]) > epoch })
		child := s.children[i]
		if i > 0 && int(milestones[i-1]) == epoch {
			child.jump(0)
		} else {
			child.Step()
		}
		s.fields.set("_last_lr", child.fields.get("_last_lr"))
	},
}

// NewSequentialLR makes a scheduler that steps schedulers of one optimizer one after the
// other; at each milestone the next one begins:
// torch.optim.lr_scheduler.SequentialLR(optimizer, schedulers, milestones).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
func NewSequentialLR(opt *Optimizer, schedulers []*Scheduler, milestones []int) *Scheduler {
	const op = "NewSequentialLR"
	checkChildren(op, opt, schedulers)
	if len(milestones) != len(schedulers)-1 {
		fail(op, "%s and %s are given; there must be one milestone less than schedulers", count(len(schedulers), "scheduler"), count(len(milestones), "milestone"))
	}
	at := make([]torch.Value, len(milestones))
	for i, m := range milestones {
		at[i] = m
	}
	s := &Scheduler{kind: sequentialLR, opt: opt, children: slices.Clone(schedulers), fields: dict{{"_milestones", at}, {lastEpochField, 0}}}
	for _, g := range opt.groups {
		g.update("lr", g.options.get("initial_lr"))
	}
	s.undo()
	first := s.children[sort.Search(len(milestones), func(i int) bool { return milestones[i] > 0 })]
	first.begin()
	s.fields.set("_last_lr", first.fields.get("_last_lr"))
	return s
}

// needsNoEpoch panics if an epoch is given to a scheduler that only steps others.
func (s *Scheduler) needsNoEpoch(to *float64) {
	if to != nil {
		fail("Scheduler.StepTo", "a %s cannot be moved to an epoch; call Step", s.kind.name)
	}
}

// undo takes back the first steps of the schedulers in s.
func (s *Scheduler) undo() {
	for _, c := range s.children {
		c.undo()
	}
	if s.children == nil {
		s.fields.set(lastEpochField, s.LastEpoch()-1)
	}
}

// checkChildren checks the schedulers in another one.
func checkChildren(op string, opt *Optimizer, schedulers []*Scheduler) {
	if opt == nil {
		fail(op, "the optimizer is nil")
	}
	if len(schedulers) == 0 {
		fail(op, "the list of schedulers is empty")
	}
	for i, s := range schedulers {
		switch {
		case s == nil:
			fail(op, "scheduler %d is nil", i)
		case s.opt != opt:
			fail(op, "scheduler %d, a %s, is of another optimizer; all must be of one", i, s.kind.name)
		}
	}
}

var chainedScheduler = &schedule{
	name: "ChainedScheduler",
	step: func(s *Scheduler, to *float64) {
		s.needsNoEpoch(to)
		for _, c := range s.children {
			c.Step()
		}
		s.note()
	},
}

// NewChainedScheduler makes a scheduler that steps all schedulers in each step:
// torch.optim.lr_scheduler.ChainedScheduler(schedulers).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html
func NewChainedScheduler(schedulers []*Scheduler) *Scheduler {
	const op = "NewChainedScheduler"
	if len(schedulers) == 0 || schedulers[0] == nil {
		fail(op, "the list of schedulers is empty")
	}
	checkChildren(op, schedulers[0].opt, schedulers)
	s := &Scheduler{kind: chainedScheduler, opt: schedulers[0].opt, children: slices.Clone(schedulers)}
	s.note()
	return s
}
