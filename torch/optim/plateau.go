package optim

import (
	"fmt"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// ReduceLROnPlateauOptions are the options of [NewReduceLROnPlateau].
type ReduceLROnPlateauOptions struct {
	Mode          string   // "min" where a smaller metric is better, or "max"; "" is "min"
	Factor        *float64 // by which learning rates are multiplied, below 1; nil is 0.1
	Patience      *int     // epochs without an improvement that are tolerated; nil is 10
	Threshold     *float64 // the least improvement; nil is 1e-4
	ThresholdMode string   // how Threshold is meant: "rel", relative to the best metric, or "abs"; "" is "rel"
	Cooldown      int      // epochs after a reduction in which none are counted
	MinLR         Floats   // the smallest learning rate; nil is 0
	Eps           *float64 // reductions by no more than this are left out; nil is 1e-8
}

// A ReduceLROnPlateau reduces learning rates when a metric has stopped improving:
// torch.optim.lr_scheduler.ReduceLROnPlateau.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
type ReduceLROnPlateau struct {
	opt    *Optimizer
	fields dict // the attributes of Python's scheduler, apart from its optimizer
}

// NewReduceLROnPlateau makes a scheduler that reduces learning rates when a metric has
// stopped improving: torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
func NewReduceLROnPlateau(opt *Optimizer, options ...ReduceLROnPlateauOptions) *ReduceLROnPlateau {
	const op = "NewReduceLROnPlateau"
	o := torch.Only(options)
	factor := or(o.Factor, 0.1)
	if !(factor < 1) {
		fail(op, "Factor is %v; it must be below 1", factor)
	}
	mode, how := o.Mode, o.ThresholdMode
	if mode == "" {
		mode = "min"
	}
	if how == "" {
		how = "rel"
	}
	worst := math.Inf(1)
	switch mode {
	case "min":
	case "max":
		worst = math.Inf(-1)
	default:
		fail(op, `Mode is %q; it can be "min" or "max"`, mode)
	}
	if how != "rel" && how != "abs" {
		fail(op, `ThresholdMode is %q; it can be "rel" or "abs"`, how)
	}
	least := perGroup(op, "MinLR", opt, o.MinLR, 0)
	var standard torch.Value = o.MinLR
	switch o.MinLR.(type) {
	case nil:
		standard = 0
	case []float64:
		standard = nil
	}
	return &ReduceLROnPlateau{opt, dict{
		{"factor", factor}, {"default_min_lr", standard}, {"min_lrs", least}, {"patience", or(o.Patience, 10)}, {"cooldown", o.Cooldown}, {"eps", or(o.Eps, 1e-8)},
		{lastEpochField, 0}, {"_last_lr", lastRates(opt)}, {"mode_worse", worst}, {"mode", mode}, {"threshold", or(o.Threshold, 1e-4)}, {"threshold_mode", how},
		{"best", worst}, {"cooldown_counter", 0}, {"num_bad_epochs", 0},
	}}
}

// Step takes the metric of an epoch, and reduces the learning rates if it has not improved
// for more than the patience: scheduler.step(metric).
func (s *ReduceLROnPlateau) Step(metric float64) {
	f := &s.fields
	f.set(lastEpochField, f.int(lastEpochField)+1)
	bad := f.int("num_bad_epochs") + 1
	if s.better(metric) {
		f.set("best", metric)
		bad = 0
	}
	if n := f.int("cooldown_counter"); n > 0 {
		f.set("cooldown_counter", n-1)
		bad = 0
	}
	if bad > f.int("patience") {
		s.reduce()
		f.set("cooldown_counter", f.int("cooldown"))
		bad = 0
	}
	f.set("num_bad_epochs", bad)
	f.set("_last_lr", lastRates(s.opt))
}

// better reports whether a metric is an improvement.
func (s *ReduceLROnPlateau) better(metric float64) bool {
	best, threshold := s.fields.float("best"), s.fields.float("threshold")
	relative := s.fields.get("threshold_mode") == "rel"
	switch {
	case s.fields.get("mode") == "min" && relative:
		return metric < float64(best*(1-threshold))
	case s.fields.get("mode") == "min":
		return metric < best-threshold
	case relative:
		return metric > float64(best*(threshold+1))
	}
	return metric > best+threshold
}

func (s *ReduceLROnPlateau) reduce() {
	least := nums(s.fields.get("min_lrs"))
	if len(least) != len(s.opt.groups) {
		n, ok := numOf(s.fields.get("default_min_lr"))
		if !ok {
			fail("ReduceLROnPlateau.Step", "the optimizer has %s and MinLR %d elements; make the scheduler after the last AddParamGroup", count(len(s.opt.groups), "parameter group"), len(least))
		}
		least = slices.Repeat([]num{n}, len(s.opt.groups))
		s.fields.set("min_lrs", slices.Repeat([]torch.Value{s.fields.get("default_min_lr")}, len(least)))
	}
	for i, g := range s.opt.groups {
		old := g.LR()
		lr := max(float64(old*s.fields.float("factor")), least[i].v)
		if old-lr > s.fields.float("eps") {
			g.SetLR(lr)
		}
	}
}

// LastLR returns the learning rate of each group after the last step: scheduler.get_last_lr().
func (s *ReduceLROnPlateau) LastLR() []float64 { return s.fields.tuple("_last_lr") }

// StateDict returns the state of the scheduler, as Python's torch.save and [torch.Save]
// write it: scheduler.state_dict().
func (s *ReduceLROnPlateau) StateDict() *torch.Dict { return s.fields.plain() }

// LoadStateDict sets the state that [ReduceLROnPlateau.StateDict] or Python returned:
// scheduler.load_state_dict(state). The error says how the state differs from one of this
// kind; the scheduler is then unchanged.
func (s *ReduceLROnPlateau) LoadStateDict(state *torch.Dict) error {
	fields, _, err := (&Scheduler{fields: s.fields}).loaded(state)
	if err != nil {
		return fmt.Errorf("optim: load the state of ReduceLROnPlateau: the state %w", err)
	}
	s.fields = fields
	return nil
}
