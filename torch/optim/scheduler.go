package optim

import (
	"fmt"
	"log/slog"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A Scheduler changes the learning rates of an optimizer, in all its groups:
// torch.optim.lr_scheduler.LRScheduler. It sets the first ones when it is made. Schedulers
// of one optimizer can be stepped one after the other. A Scheduler is not safe for
// concurrent use.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LRScheduler.html
type Scheduler struct {
	kind     *schedule
	opt      *Optimizer
	fields   dict // the attributes of Python's scheduler, apart from its optimizer
	children []*Scheduler
	lambdas  []func(epoch int) float64
	scale    func(x float64) float64
}

// A schedule is how one kind of scheduler differs from the others.
type schedule struct {
	name   string
	rates  func(s *Scheduler) []num // get_lr(), the next learning rates given the current ones; nil leaves them
	closed func(s *Scheduler) []num // the learning rates given the epoch only; nil if there is no such formula
	step   func(s *Scheduler, epoch *float64)
}

const lastEpochField = "last_epoch"

// newScheduler makes a scheduler with the fields of its kind. An epoch is that at which a
// schedule is resumed; nil begins it.
func newScheduler(kind *schedule, opt *Optimizer, epoch *int, fields dict, set ...func(s *Scheduler)) *Scheduler {
	if opt == nil {
		fail(kind.op(), "the optimizer is nil")
	}
	s := &Scheduler{kind: kind, opt: opt, fields: fields}
	for _, f := range set {
		f(s)
	}
	last := -1
	if epoch != nil {
		last = *epoch
	}
	bases := make([]torch.Value, len(opt.groups))
	for i, g := range opt.groups {
		switch {
		case g.options.find("initial_lr") >= 0:
		case last >= 0:
			fail(kind.op(), "parameter group %d has no initial_lr, which a schedule that is resumed at epoch %d needs; load the state of the optimizer first, or the state of the scheduler in place of LastEpoch", i, last)
		default:
			g.options.set("initial_lr", copied(g.options.get("lr")))
		}
		bases[i] = copied(g.options.get("initial_lr"))
	}
	s.fields.set("base_lrs", bases)
	s.fields.set(lastEpochField, last)
	opt.watched = true
	s.begin()
	return s
}

func (k *schedule) op() string { return "New" + k.name }

// copied returns a value that shares no memory with v.
func copied(v torch.Value) torch.Value {
	if x, ok := v.(*torch.Tensor); ok && x != nil {
		var y *torch.Tensor
		torch.NoGrad(func() { engine.Unscoped(func() { y = x.Clone() }) })
		return y
	}
	return v
}

// begin makes the first step, with which a schedule begins.
func (s *Scheduler) begin() {
	s.fields.set("_step_count", 0)
	s.fields.set("_is_initial", true)
	s.Step()
	s.fields.set("_is_initial", false)
}

// Step sets the next learning rates: scheduler.step(). Call it after the step of the
// optimizer; the other order skips the first learning rate, which is logged as a warning.
func (s *Scheduler) Step() { s.step(nil) }

// StepTo sets the learning rates of an epoch: scheduler.step(epoch). Only
// CosineAnnealingWarmRestarts has parts of epochs; other schedulers take the integer below.
func (s *Scheduler) StepTo(epoch float64) { s.step(&epoch) }

func (s *Scheduler) step(epoch *float64) {
	if s.kind.step != nil {
		s.kind.step(s, epoch)
		return
	}
	n := s.int("_step_count")
	if n == 1 && !s.opt.stepped {
		slog.Warn("optim: the scheduler " + s.kind.name + " is stepped before its optimizer, which skips the first learning rate; call the optimizer's Step first")
	}
	s.fields.set("_step_count", n+1)
	if epoch == nil {
		s.fields.set(lastEpochField, s.int(lastEpochField)+1)
		s.apply(s.kind.rates(s))
		return
	}
	s.jump(int(math.Floor(*epoch)))
}

// jump sets the learning rates of an epoch.
func (s *Scheduler) jump(epoch int) {
	s.fields.set(lastEpochField, epoch)
	switch {
	case s.kind.closed != nil:
		s.apply(s.kind.closed(s))
	case s.kind.rates != nil:
		s.apply(s.kind.rates(s))
	default:
		fail("Scheduler.Step", "a %s cannot begin at a milestone of a SequentialLR", s.kind.name)
	}
}

// apply sets the learning rates, and notes them.
func (s *Scheduler) apply(rates []num) {
	if rates != nil && len(rates) != len(s.opt.groups) {
		fail("Scheduler.Step", "the optimizer has %s and the %s was made for %d; make it after the last AddParamGroup", count(len(s.opt.groups), "parameter group"), s.kind.name, len(rates))
	}
	for i, r := range rates {
		s.opt.groups[i].update("lr", r.v)
	}
	s.fields.set("_get_lr_called_within_step", false)
	s.note()
}

// note notes the learning rates of the optimizer.
func (s *Scheduler) note() { s.fields.set("_last_lr", lastRates(s.opt)) }

func lastRates(o *Optimizer) []torch.Value {
	rates := make([]torch.Value, len(o.groups))
	for i, g := range o.groups {
		rates[i] = copied(g.options.get("lr"))
	}
	return rates
}

// LastLR returns the learning rate of each group that the last step set:
// scheduler.get_last_lr().
func (s *Scheduler) LastLR() []float64 { return s.fields.tuple("_last_lr") }

// LastEpoch returns the number of steps since the schedule began: scheduler.last_epoch.
func (s *Scheduler) LastEpoch() int { return s.int(lastEpochField) }

// Name returns the kind of the scheduler, such as "StepLR".
func (s *Scheduler) Name() string { return s.kind.name }

func (s *Scheduler) int(key string) int { return s.fields.int(key) }

func (s *Scheduler) float(key string) float64 { return s.fields.float(key) }

// initial reports whether the step is the first, which begins the schedule.
func (s *Scheduler) initial() bool { return s.fields.bool("_is_initial") }

// of returns f of the learning rate of each group.
func (s *Scheduler) of(f func(lr num, i int) num) []num {
	rates := make([]num, len(s.opt.groups))
	for i, g := range s.opt.groups {
		rates[i] = f(g.options.num("lr"), i)
	}
	return rates
}

// times returns the learning rates multiplied by a factor.
func (s *Scheduler) times(factor float64) []num {
	return s.of(func(lr num, _ int) num { return lr.mul(float(factor)) })
}

// bases returns the learning rates at the beginning.
func (s *Scheduler) bases() []num { return nums(s.fields.get("base_lrs")) }

func nums(v torch.Value) []num {
	list, _ := v.([]torch.Value)
	out := make([]num, len(list))
	for i, e := range list {
		out[i], _ = numOf(e)
	}
	return out
}

// ofBases returns f of the learning rates at the beginning.
func (s *Scheduler) ofBases(f func(base num) num) []num {
	rates := s.bases()
	for i, b := range rates {
		rates[i] = f(b)
	}
	return rates
}

// timesBases returns the learning rates at the beginning multiplied by a factor.
func (s *Scheduler) timesBases(factor float64) []num {
	return s.ofBases(func(b num) num { return b.mul(float(factor)) })
}

// StateDict returns the state of the scheduler, as Python's torch.save and [torch.Save]
// write it: scheduler.state_dict(). Functions are not part of it.
func (s *Scheduler) StateDict() *torch.Dict {
	d := slices.Clone(s.fields)
	if s.children != nil {
		states := make([]torch.Value, len(s.children))
		for i, c := range s.children {
			states[i] = c.StateDict()
		}
		d.set("_schedulers", states)
	}
	return d.plain()
}

// LoadStateDict sets the state that [Scheduler.StateDict] or Python returned, the arguments
// of the constructor among it: scheduler.load_state_dict(state). It does not set learning
// rates, which are part of the state of the optimizer. The error says how the state differs
// from that of a scheduler of this kind; the scheduler is then unchanged.
func (s *Scheduler) LoadStateDict(state *torch.Dict) error {
	fields, children, err := s.loaded(state)
	if err != nil {
		return fmt.Errorf("optim: load the state of %s: the state %w", s.kind.name, err)
	}
	for i, c := range s.children {
		if err := c.LoadStateDict(children[i]); err != nil {
			return err
		}
	}
	s.fields = fields
	return nil
}

// loaded returns the fields of a state, and the states of the schedulers in it.
func (s *Scheduler) loaded(state *torch.Dict) (fields dict, children []*torch.Dict, err error) {
	from, err := dictOf(state)
	if err != nil {
		return nil, nil, err
	}
	fields = slices.Clone(s.fields)
	for i, e := range fields {
		at := from.find(e.key)
		switch {
		case at < 0 && e.key[0] == '_': // which older versions lack
			continue
		case at < 0:
			return nil, nil, fmt.Errorf("has no %q; it is perhaps that of another scheduler", e.key)
		case !sameField(from[at].value, e.value):
			return nil, nil, fmt.Errorf("has %q, which is %s and not %s", e.key, torch.Describe(from[at].value), torch.Describe(e.value))
		}
		fields[i].value = from[at].value
	}
	if s.children == nil {
		return fields, nil, nil
	}
	if children, err = torch.Get[[]*torch.Dict](state, "_schedulers"); err != nil {
		return nil, nil, err
	}
	if len(children) != len(s.children) {
		return nil, nil, fmt.Errorf("has %s and the scheduler %d", count(len(children), "scheduler"), len(s.children))
	}
	return fields, children, nil
}

// sameField reports whether an attribute can have a value, given the one that it has.
func sameField(v, old torch.Value) bool {
	switch old := old.(type) {
	case nil:
		return true
	case string:
		_, ok := v.(string)
		return ok
	case *torch.Dict:
		_, ok := v.(*torch.Dict)
		return ok
	case bool:
		_, ok := v.(bool)
		return ok
	case []torch.Value:
		list, ok := v.([]torch.Value)
		return ok && len(list) == len(old)
	}
	_, ok := numOf(v)
	return ok
}
