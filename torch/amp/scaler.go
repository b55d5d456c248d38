package amp

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
)

// An Optimizer is what a [GradScaler] needs of an optimizer. Its dynamic type must be
// comparable, as a pointer is.
type Optimizer interface {
	Step()                       // changes the parameters by their gradients
	Parameters() []*torch.Tensor // of all groups
}

// GradScalerOptions are the options of [NewGradScaler].
type GradScalerOptions struct {
	InitScale      *float64 // the first scale; nil is 65536
	GrowthFactor   *float64 // by which the scale grows after GrowthInterval steps in a row, above 1; nil is 2
	BackoffFactor  *float64 // by which the scale is multiplied after a step that was skipped, below 1; nil is 0.5
	GrowthInterval *int     // nil is 2000
	Disabled       bool     // whether nothing is scaled, and Step only calls the optimizer: enabled=False
}

// A GradScaler multiplies a loss before [torch.Tensor.Backward], so that gradients which
// are small do not become 0 in float16, and divides the gradients before the step of
// the optimizer: torch.amp.GradScaler. It skips steps whose gradients are infinite or
// NaN, and lowers the scale then. It is not safe for concurrent use.
//
//	scaler := amp.NewGradScaler(torch.CUDA)
//	for _, batch := range batches {
//		opt.ZeroGrad()
//		amp.Autocast(torch.CUDA, func() { loss = F.MSELoss(model.Forward(batch.Input), batch.Target) })
//		scaler.Scale(loss).Backward()
//		scaler.Step(opt)
//		scaler.Update()
//	}
//
// https://docs.pytorch.org/docs/stable/amp.html#torch.amp.GradScaler
type GradScaler struct {
	GrowthFactor   float64 // by which the scale grows after GrowthInterval updates in a row that found no infinite gradient
	BackoffFactor  float64 // by which the scale is multiplied after a step that was skipped
	GrowthInterval int

	enabled     bool
	initScale   float64
	initTracker int

	scale, tracker *torch.Tensor // made at the first Scale, on the device of what it scales
	steps          map[Optimizer]*scalerStep
}

// scalerStep is what a GradScaler knows of an optimizer since the last Update.
type scalerStep struct {
	stepped  bool
	foundInf []*torch.Tensor // for each device of gradients, 1 if one is infinite or NaN; nil before Unscale
	unscaled bool
}

// NewGradScaler makes a GradScaler: torch.amp.GradScaler(device). The zero Device is
// [torch.CUDA]. As in Python, it is disabled if the device is a CUDA device and there is
// no GPU. A growth factor of 1 or less, and a backoff factor of 1 or more, panic with a
// *[torch.Error].
//
// https://docs.pytorch.org/docs/stable/amp.html#torch.amp.GradScaler
func NewGradScaler(d torch.Device, options ...GradScalerOptions) *GradScaler {
	const op = "amp.NewGradScaler"
	o := torch.Only(options)
	s := &GradScaler{enabled: !o.Disabled, steps: map[Optimizer]*scalerStep{}}
	s.initScale, s.GrowthFactor, s.BackoffFactor, s.GrowthInterval = 65536, 2, 0.5, 2000
	set(&s.initScale, o.InitScale)
	set(&s.GrowthFactor, o.GrowthFactor)
	set(&s.BackoffFactor, o.BackoffFactor)
	set(&s.GrowthInterval, o.GrowthInterval)
	if autocastIndex(op, cmp.Or(d, torch.CUDA)) == cudaIndex {
		s.enabled = s.enabled && cuda.IsAvailable()
	}
	switch {
	case s.enabled && !(s.GrowthFactor > 1):
		fail(op, "the growth factor is %v; it must be above 1", s.GrowthFactor)
	case s.enabled && !(s.BackoffFactor < 1):
		fail(op, "the backoff factor is %v; it must be below 1", s.BackoffFactor)
	}
	return s
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func fail(op, format string, args ...any) {
	panic(&torch.Error{Op: op, Msg: fmt.Sprintf(format, args...)})
}

// IsEnabled reports whether the GradScaler scales: scaler.is_enabled().
func (s *GradScaler) IsEnabled() bool { return s.on("amp.GradScaler.IsEnabled") }

// on reports whether the GradScaler is enabled, and panics if it is nil.
func (s *GradScaler) on(op string) bool {
	if s == nil {
		fail(op, "the GradScaler is nil")
	}
	return s.enabled
}

// Scale returns x multiplied by the scale, or x if the GradScaler is disabled:
// scaler.scale(x).
func (s *GradScaler) Scale(x *torch.Tensor) *torch.Tensor {
	if !s.on("amp.GradScaler.Scale") {
		return x
	}
	if s.scale == nil {
		d := x.Device()
		s.scale = torch.Options{DType: torch.Float32, Device: d}.Full(s.initScale)
		s.tracker = torch.Options{DType: torch.Int32, Device: d}.Full(s.initTracker)
	}
	return x.Mul(s.scale.To(x.Device(), torch.ToOptions{NonBlocking: true}))
}

// step returns what is known of an optimizer.
func (s *GradScaler) step(op string, o Optimizer) *scalerStep {
	s.mustHaveScaled(op)
	st := s.steps[o]
	if st == nil {
		st = new(scalerStep)
		s.steps[o] = st
	}
	return st
}

func (s *GradScaler) mustHaveScaled(op string) {
	if s.scale == nil {
		fail(op, "no loss was scaled yet; call Scale before Backward")
	}
}

// Unscale divides the gradients of an optimizer's parameters by the scale, for programs
// that change or look at gradients before Step: scaler.unscale_(optimizer). Call it at
// most once before each Step. It panics with a *[torch.Error] if a gradient is float16:
// parameters stay float32 while [Autocast] casts.
func (s *GradScaler) Unscale(o Optimizer) {
	const op = "amp.GradScaler.Unscale"
	switch {
	case o == nil:
		fail(op, "the optimizer is nil")
	case !s.on(op):
		return
	}
	st := s.step(op, o)
	switch {
	case st.stepped:
		fail(op, "Unscale is called after Step")
	case st.unscaled:
		fail(op, "Unscale was called for this optimizer since the last Update")
	}
	s.unscale(op, o, st)
}

func (s *GradScaler) unscale(op string, o Optimizer, st *scalerStep) {
	torch.NoGrad(func() {
		inverse := s.scale.ToDType(torch.Float64).Reciprocal().ToDType(torch.Float32)
		for _, group := range gradients(op, o.Parameters()) {
			d := group[0].Device()
			found := torch.Options{DType: torch.Float32, Device: d}.Zeros()
			var c torch.Call
			c.Tensors(group)
			c.Tensor(found)
			c.Tensor(inverse.To(d, torch.ToOptions{NonBlocking: true}))
			c.Do(opUnscale)
			st.foundInf = append(st.foundInf, found)
		}
	})
	st.unscaled = true
}

var (
	opUnscale = torch.NewOp("aten::_amp_foreach_non_finite_check_and_unscale_", "")
	opUpdate  = torch.NewOp("aten::_amp_update_scale_", "")
	opValues  = torch.NewOp("aten::_values", "")
)

// gradients returns the gradients of parameters, by device and dtype; those of sparse
// ones are their values.
func gradients(op string, parameters []*torch.Tensor) (groups [][]*torch.Tensor) {
	type key struct {
		device torch.Device
		dtype  torch.DType
	}
	at := map[key]int{}
	for _, p := range parameters {
		g := p.Grad()
		if g == nil {
			continue
		}
		if g.DType() == torch.Float16 {
			fail(op, "a gradient is float16; the parameters must be float32, which Autocast casts")
		}
		if g.Layout() == torch.Sparse {
			var c torch.Call
			c.Tensor(g)
			g = c.One(opValues)
		}
		k := key{g.Device(), g.DType()}
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], g)
	}
	return groups
}

// Step unscales the gradients of an optimizer's parameters, unless [GradScaler.Unscale]
// has, and calls the optimizer's Step if none of them is infinite or NaN; it reports
// whether it did: scaler.step(optimizer). It panics with a *[torch.Error] if no
// parameter has a gradient, and at a second Step of an optimizer before
// [GradScaler.Update].
func (s *GradScaler) Step(o Optimizer) (stepped bool) {
	const op = "amp.GradScaler.Step"
	if o == nil {
		fail(op, "the optimizer is nil")
	}
	if !s.on(op) {
		o.Step()
		return true
	}
	st := s.step(op, o)
	if st.stepped {
		fail(op, "Step was called for this optimizer since the last Update")
	}
	if !st.unscaled {
		s.unscale(op, o, st)
	}
	if len(st.foundInf) == 0 {
		fail(op, "no parameter of the optimizer has a gradient")
	}
	stepped = true
	for _, found := range st.foundInf {
		stepped = stepped && found.Item() == 0
	}
	if stepped {
		o.Step()
	}
	st.stepped = true
	return stepped
}

// Update multiplies the scale by the backoff factor if a gradient was infinite or NaN
// since the last Update, and by the growth factor if GrowthInterval updates in a row
// found none: scaler.update(). Call it after the steps of all optimizers.
func (s *GradScaler) Update() {
	const op = "amp.GradScaler.Update"
	if !s.on(op) {
		return
	}
	s.mustHaveScaled(op)
	var found *torch.Tensor
	for _, st := range s.steps {
		for _, f := range st.foundInf {
			f = f.To(s.scale.Device(), torch.ToOptions{NonBlocking: true})
			if found == nil {
				found = f
			} else {
				found = found.Add(f)
			}
		}
	}
	if found == nil {
		fail(op, "no gradients were checked; call Step before Update")
	}
	var c torch.Call
	c.Tensor(s.scale)
	c.Tensor(s.tracker)
	c.Tensor(found)
	c.Float(s.GrowthFactor)
	c.Float(s.BackoffFactor)
	c.Int(s.GrowthInterval)
	c.Do(opUpdate)
	clear(s.steps)
}

// UpdateTo sets the scale: scaler.update(new_scale).
func (s *GradScaler) UpdateTo(scale float64) {
	const op = "amp.GradScaler.UpdateTo"
	if !s.on(op) {
		return
	}
	s.mustHaveScaled(op)
	s.scale.FillInPlace(scale)
	clear(s.steps)
}

// ScaleFactor returns the scale, which is 1 if the GradScaler is disabled:
// scaler.get_scale(). It waits for the GPU.
func (s *GradScaler) ScaleFactor() float64 {
	switch {
	case !s.on("amp.GradScaler.ScaleFactor"):
		return 1
	case s.scale == nil:
		return s.initScale
	}
	return s.scale.Item()
}

// growthTracker returns the number of updates in a row that found no infinite gradient.
func (s *GradScaler) growthTracker() int {
	if s.tracker == nil {
		return s.initTracker
	}
	return int(s.tracker.Item())
}

// StateDict returns the state, with Python's keys: scaler.state_dict(). It is empty if
// the GradScaler is disabled. [torch.Save] can write it. Call it after Update.
func (s *GradScaler) StateDict() *torch.Dict {
	d := new(torch.Dict)
	if s.on("amp.GradScaler.StateDict") {
		d.Entries = []torch.Entry{
			{Key: "scale", Value: s.ScaleFactor()},
			{Key: "growth_factor", Value: s.GrowthFactor},
			{Key: "backoff_factor", Value: s.BackoffFactor},
			{Key: "growth_interval", Value: s.GrowthInterval},
			{Key: "_growth_tracker", Value: s.growthTracker()},
		}
	}
	return d
}

// LoadStateDict sets the state that [GradScaler.StateDict] or Python returned:
// scaler.load_state_dict(state). It does nothing if the GradScaler is disabled. It is an
// error if the state is empty or lacks a value.
func (s *GradScaler) LoadStateDict(state *torch.Dict) error {
	if !s.on("amp.GradScaler.LoadStateDict") {
		return nil
	}
	if state == nil || len(state.Entries) == 0 {
		return errors.New("amp: the state of the GradScaler is empty, perhaps since a disabled one saved it")
	}
	var values [5]float64
	for i, key := range []string{"scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"} {
		v, _ := state.Get(key)
		switch v := v.(type) {
		case float64:
			values[i] = v
		case int:
			values[i] = float64(v)
		default:
			return fmt.Errorf("amp: the state of the GradScaler has no number %q", key)
		}
	}
	s.initScale, s.GrowthFactor, s.BackoffFactor = values[0], values[1], values[2]
	s.GrowthInterval, s.initTracker = int(values[3]), int(values[4])
	if s.scale != nil {
		s.scale.FillInPlace(s.initScale)
		s.tracker.FillInPlace(s.initTracker)
	}
	return nil
}
