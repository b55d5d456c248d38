package optim

import (
	"math"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// Floats are numbers for all groups of an optimizer: a float64 or an int, or a []float64 of
// one for each group. A value of another type panics with a *[torch.Error].
type Floats = any

// perGroup returns a number for each group.
func perGroup(op, name string, opt *Optimizer, v Floats, standard float64) []torch.Value {
	if opt == nil {
		fail(op, "the optimizer is nil")
	}
	list := make([]torch.Value, len(opt.groups))
	switch v := v.(type) {
	case nil:
		for i := range list {
			list[i] = standard
		}
	case []float64:
		if len(v) != len(list) {
			fail(op, "%s has %d elements for %s; give one number, or one for each group", name, len(v), count(len(list), "parameter group"))
		}
		for i := range list {
			list[i] = v[i]
		}
	default:
		_, ok := numOf(v)
		if _, tensor := v.(*torch.Tensor); !ok || tensor {
			fail(op, "%s is a %T; it must be a number or a []float64", name, v)
		}
		for i := range list {
			list[i] = v
		}
	}
	return list
}

// CyclicLROptions are the options of [NewCyclicLR].
type CyclicLROptions struct {
	StepSizeUp      *int                    // steps in which the learning rate rises; nil is 2000
	StepSizeDown    *int                    // steps in which it falls; nil is StepSizeUp
	Mode            string                  // "triangular", "triangular2", which halves the amplitude after each cycle, or "exp_range", which multiplies it by Gamma in each step; "" is "triangular"
	Gamma           *float64                // of "exp_range"; nil is 1
	ScaleFn         func(x float64) float64 // by which the amplitude is multiplied, in place of Mode
	ScaleMode       string                  // what ScaleFn is given: the "cycle", which counts from 1, or the "iterations"; "" is "cycle"
	NoCycleMomentum bool                    // leaves the momentum, or the first beta, as it is: cycle_momentum=False
	BaseMomentum    Floats                  // the smallest momentum; nil is 0.8
	MaxMomentum     Floats                  // the largest momentum; nil is 0.9
	LastEpoch       *int                    // the step at which a schedule is resumed; nil is -1, which begins it
}

var cyclicLR = &schedule{name: "CyclicLR", rates: cyclicRates}

// NewCyclicLR makes a scheduler that moves learning rates between two bounds, and the
// momentum in the opposite direction: torch.optim.lr_scheduler.CyclicLR(optimizer, base_lr,
// max_lr). It is stepped after each batch.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html
func NewCyclicLR(opt *Optimizer, baseLR, maxLR Floats, options ...CyclicLROptions) *Scheduler {
	const op = "NewCyclicLR"
	o := torch.Only(options)
	bases, most := perGroup(op, "baseLR", opt, baseLR, 0), perGroup(op, "maxLR", opt, maxLR, 0)
	if o.LastEpoch == nil {
		for i, g := range opt.groups {
			g.update("lr", bases[i])
		}
	}
	mode, scaleMode := o.Mode, o.ScaleMode
	if mode == "" {
		mode = "triangular"
	}
	if scaleMode == "" {
		scaleMode = "cycle"
	}
	if o.ScaleFn == nil {
		switch mode {
		case "triangular", "triangular2":
			scaleMode = "cycle"
		case "exp_range":
			scaleMode = "iterations"
		default:
			fail(op, `Mode is %q; it can be "triangular", "triangular2" or "exp_range", unless there is a ScaleFn`, mode)
		}
	}
	up := float64(or(o.StepSizeUp, 2000))
	total := up + float64(or(o.StepSizeDown, int(up)))
	fields := dict{{"max_lrs", most}, {"total_size", total}, {"step_ratio", up / total}, {"mode", mode}, {"gamma", or(o.Gamma, 1)}, {"scale_mode", scaleMode}, {"cycle_momentum", !o.NoCycleMomentum}}
	if !o.NoCycleMomentum {
		base, largest := perGroup(op, "BaseMomentum", opt, o.BaseMomentum, 0.8), perGroup(op, "MaxMomentum", opt, o.MaxMomentum, 0.9)
		fields = append(fields, entry{"use_beta1", usesBetas(op, opt)}, entry{"base_momentums", base}, entry{"max_momentums", largest})
		if o.LastEpoch == nil {
			setMomenta(opt, base, largest)
		}
	}
	fields.set("_scale_fn_custom", nil)
	s := newScheduler(cyclicLR, opt, o.LastEpoch, fields, func(s *Scheduler) { s.scale = o.ScaleFn })
	s.fields.set("base_lrs", bases)
	return s
}

// usesBetas reports whether the optimizer has betas in place of a momentum, and panics if it has neither.
func usesBetas(op string, opt *Optimizer) bool {
	if opt.defaults.find("betas") >= 0 {
		return true
	}
	if opt.defaults.find("momentum") < 0 {
		fail(op, "%s has neither momentum nor betas to cycle; set NoCycleMomentum", opt.Name())
	}
	return false
}

// setMomentum sets the momentum, or the first beta.
func (g *ParamGroup) setMomentum(v torch.Value) {
	if g.options.find("betas") < 0 {
		g.options.set("momentum", v)
		return
	}
	betas := torch.Tuple{v}
	for _, b := range g.options.tuple("betas")[1:] {
		betas = append(betas, b)
	}
	g.options.set("betas", betas)
}

// setMomenta sets the momentum of each group to the largest, and notes the bounds.
func setMomenta(opt *Optimizer, base, largest []torch.Value) {
	for i, g := range opt.groups {
		g.setMomentum(largest[i])
		g.options.set("max_momentum", largest[i])
		g.options.set("base_momentum", base[i])
	}
}

// scaled returns by what the amplitude of a CyclicLR is multiplied.
func (s *Scheduler) scaled(cycle float64) float64 {
	x := cycle
	if s.fields.get("scale_mode") != "cycle" {
		x = s.float(lastEpochField)
	}
	if s.scale != nil {
		return s.scale(x)
	}
	switch s.fields.get("mode") {
	case "triangular2":
		return 1 / libm.Pow(2, x-1)
	case "exp_range":
		return libm.Pow(s.float("gamma"), x)
	}
	return 1
}

func cyclicRates(s *Scheduler) []num {
	total, ratio := s.float("total_size"), s.float("step_ratio")
	at := 1 + s.float(lastEpochField)/total
	cycle := math.Floor(at)
	x := at - cycle
	if x <= ratio {
		x /= ratio
	} else {
		x = (x - 1) / (ratio - 1)
	}
	scale := s.scaled(cycle)
	bases, most := s.bases(), nums(s.fields.get("max_lrs"))
	rates := make([]num, len(bases))
	for i, b := range bases {
		rates[i] = b.add(most[i].sub(b).mul(float(x)).mul(float(scale)))
	}
	if s.fields.bool("cycle_momentum") {
		base, largest := nums(s.fields.get("base_momentums")), nums(s.fields.get("max_momentums"))
		for i, g := range s.opt.groups[:min(len(s.opt.groups), len(base))] {
			height := float64((largest[i].v - base[i].v) * x)
			g.setMomentum(largest[i].v - float64(height*scale))
		}
	}
	return rates
}

// OneCycleLROptions are the options of [NewOneCycleLR].
type OneCycleLROptions struct {
	TotalSteps      *int     // all steps; nil is Epochs*StepsPerEpoch
	Epochs          *int     // needed with StepsPerEpoch where TotalSteps is nil
	StepsPerEpoch   *int     // needed with Epochs where TotalSteps is nil
	PctStart        *float64 // the part of the steps in which the learning rate rises; nil is 0.3
	AnnealStrategy  string   // "cos" or "linear"; "" is "cos"
	NoCycleMomentum bool     // leaves the momentum, or the first beta, as it is: cycle_momentum=False
	BaseMomentum    Floats   // the smallest momentum; nil is 0.85
	MaxMomentum     Floats   // the largest momentum; nil is 0.95
	DivFactor       *float64 // the largest learning rate divided by the first; nil is 25
	FinalDivFactor  *float64 // the first learning rate divided by the last; nil is 10000
	ThreePhase      bool     // falls to the first learning rate, and then in a phase of its own to the last
	LastEpoch       *int     // the step at which a schedule is resumed; nil is -1, which begins it
}

var oneCycleLR = &schedule{name: "OneCycleLR", rates: oneCycleRates}

// NewOneCycleLR makes a scheduler that raises learning rates to a maximum and then lets
// them fall, with the momentum in the opposite direction:
// torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=…). It is stepped after
// each batch; a step after the last one panics with a *[torch.Error].
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
func NewOneCycleLR(opt *Optimizer, maxLR Floats, options ...OneCycleLROptions) *Scheduler {
	const op = "NewOneCycleLR"
	o := torch.Only(options)
	total := o.total(op)
	start := or(o.PctStart, 0.3)
	if !(start >= 0 && start <= 1) {
		fail(op, "PctStart is %v; it must be between 0 and 1", start)
	}
	how := o.AnnealStrategy
	if how == "" {
		how = "cos"
	}
	if how != "cos" && how != "linear" {
		fail(op, `AnnealStrategy is %q; it can be "cos" or "linear"`, how)
	}
	most := nums(perGroup(op, "maxLR", opt, maxLR, 0))
	if o.LastEpoch == nil {
		for i, g := range opt.groups {
			first := most[i].v / or(o.DivFactor, 25)
			g.Set("initial_lr", first)
			g.Set("max_lr", most[i].v)
			g.Set("min_lr", first/or(o.FinalDivFactor, 1e4))
		}
	}
	fields := dict{{"total_steps", total}, {"_schedule_phases", phases(total, start, o.ThreePhase)}, {"_anneal_func_type", how}, {"cycle_momentum", !o.NoCycleMomentum}}
	if !o.NoCycleMomentum {
		fields.set("use_beta1", usesBetas(op, opt))
		if o.LastEpoch == nil {
			setMomenta(opt, perGroup(op, "BaseMomentum", opt, o.BaseMomentum, 0.85), perGroup(op, "MaxMomentum", opt, o.MaxMomentum, 0.95))
		}
	}
	return newScheduler(oneCycleLR, opt, o.LastEpoch, fields)
}

// total returns the number of steps.
func (o *OneCycleLROptions) total(op string) int {
	check := func(name string, n *int) int {
		if *n <= 0 {
			fail(op, "%s is %d; it must be at least 1", name, *n)
		}
		return *n
	}
	switch {
	case o.TotalSteps != nil:
		return check("TotalSteps", o.TotalSteps)
	case o.Epochs == nil || o.StepsPerEpoch == nil:
		fail(op, "the number of steps is not given; set TotalSteps, or Epochs and StepsPerEpoch")
	}
	return check("Epochs", o.Epochs) * check("StepsPerEpoch", o.StepsPerEpoch)
}

// phases returns the phases of a OneCycleLR.
func phases(total int, start float64, three bool) []torch.Value {
	phase := func(end torch.Value, names ...string) torch.Value {
		d := dict{{"end_step", end}}
		for i, key := range []string{"start_lr", "end_lr", "start_momentum", "end_momentum"} {
			d.set(key, names[i])
		}
		return d.plain()
	}
	rise := phase(float64(start*float64(total))-1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
	if three {
		return []torch.Value{
			rise,
			phase(float64(2*start*float64(total))-2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
			phase(total-1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
		}
	}
	return []torch.Value{rise, phase(total-1, "max_lr", "min_lr", "base_momentum", "max_momentum")}
}

func oneCycleRates(s *Scheduler) []num {
	step, total := s.int(lastEpochField), s.int("total_steps")
	if step > total {
		fail("Scheduler.Step", "step %d of a OneCycleLR is beyond its %d steps", step, total)
	}
	list, _ := s.fields.get("_schedule_phases").([]torch.Value)
	rates := make([]num, len(s.opt.groups))
	for i, g := range s.opt.groups {
		start := 0.0
		for k, v := range list {
			phase, err := dictOf(v)
			if err != nil {
				fail("Scheduler.Step", "phase %d of the schedule %v", k, err)
			}
			end := phase.float("end_step")
			if float64(step) > end && k < len(list)-1 {
				start = end
				continue
			}
			pct := (float64(step) - start) / (end - start)
			value := func(key string) num {
				name, _ := phase.get(key).(string)
				return g.options.num(name)
			}
			rates[i] = s.anneal(value("start_lr"), value("end_lr"), pct)
			if s.fields.bool("cycle_momentum") {
				g.setMomentum(s.anneal(value("start_momentum"), value("end_momentum"), pct).v)
			}
			break
		}
	}
	return rates
}

// anneal returns a number between start and end.
func (s *Scheduler) anneal(start, end num, pct float64) num {
	if s.fields.get("_anneal_func_type") == "linear" {
		return end.sub(start).mul(float(pct)).add(start)
	}
	return end.add(start.sub(end).div(float(2)).mul(float(libm.Cos(math.Pi*pct) + 1)))
}
