package graph

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/internal/engine"
	"github.com/torchhub/torchhub/torch/internal/kernels"
)

// OptimizeOptions are the options of [Optimize].
type OptimizeOptions struct {
	Inputs []*torch.Tensor // on which the result is proved and timed; nil means random numbers

	// Tolerance is the largest difference from the outputs of the graph that is accepted, relative to the largest number of
	// an output; 0 means 1e-4, and 5e-2 with a DType of lower precision.
	Tolerance float64

	// DType is what most numbers are computed in where the graph has Float32; 0 means Float32. With BFloat16 the kernels of
	// convolutions and linear layers on the CPU, but for depthwise ones, multiply numbers that are rounded to bfloat16, and add up
	// float32: torch.autocast("cpu", torch.bfloat16). Where the processor does not have the instructions AVX512_BF16, or outputs
	// differ by more than the tolerance, all is float32, as without the option. A graph on a GPU computes in BFloat16 or Float16; its
	// inputs and outputs stay as they are. The report says what became of it, and what it changes in the outputs.
	DType torch.DType

	// Untimed takes the optimized graph without timing it.
	Untimed bool

	// Release, if not nil, says that the graph is not needed afterward. It is called after the graph was run to compare with,
	// unless that showed that it cannot be optimized, and frees what the caller has of the graph's constants, such as the
	// parameters of a module. The constants are then freed one by one as kernels copy them, and the graph and what it was traced
	// from cannot run. It implies Untimed, and linear layers are not computed by Strassen's algorithm, whose weights are larger. Parts that
	// differ by more than the tolerance are then an error. An error after the call means that the graph is lost.
	Release func()
}

// An Optimized computes what a graph does, faster. Any number of goroutines may run it.
type Optimized struct {
	graph    *Graph    // the original; without nodes and constants if it was released
	lean     *Graph    // the graph that steps are of
	steps    []step    // nil if the original is run, or what was captured
	captured *captured // on a GPU; nil if the original is run
	given    float64   // the tolerance of the options
	report   Report
}

// A Report says what became of a graph.
type Report struct {
	Nodes      int      // calls of operators in the graph
	Samples    int      // of a batch, so many are computed at a time; 0 means all
	Regions    []Region // what own kernels compute
	Islands    []Island // the calls of operators that remain, on the CPU
	Captured   int      // the calls of operators that are captured as one, on a GPU
	Reason     string   // why the graph is run as it was; "" if it is not
	Difference float64  // the largest one from the graph's outputs, relative to the largest number of an output
	Eager      time.Duration
	Optimized  time.Duration // of the fastest run; 0 if it was not timed
	Took       time.Duration // of the optimization
	Parts      Parts
	Rounding   *Rounding // nil without a DType of lower precision, or if the graph is run as it was
}

// Rounding says what came of the option DType.
type Rounding struct {
	DType  torch.DType
	Reason string // why everything is float32; "" if it is not
	Rows   int    // of all outputs [N, C], as classifiers have them
	Same   int    // of these, with the largest number in the place where the graph has it
}

// Parts are the durations of the parts of an optimization. The others have little to do.
type Parts struct {
	Trace   time.Duration // by [Compile]
	Passes  time.Duration // on the graph and on programs
	Packing time.Duration // of weights, for kernels
	Proof   time.Duration // that outputs are the same
	Timing  time.Duration
}

// A Region is a part of a graph that runs on own kernels.
type Region struct {
	First, Last  string // names of the values of its first and last node
	Nodes        int    // calls of operators that it stands for
	Instructions int
	Operations   int     // multiplications, additions and the like
	Difference   float64 // relative to the largest number of an output of it
}

// An Island is an operator that remains.
type Island struct {
	Op     string
	Reason string
	Count  int
}

// String returns the report as text, for reading.
func (r Report) String() string {
	var b strings.Builder
	if r.Reason != "" {
		fmt.Fprintf(&b, "not optimized: %s\n", r.Reason)
	}
	for _, g := range r.Regions {
		fmt.Fprintf(&b, "region %s … %s: %d operators as %d instructions, %.0f million operations, difference %.1e\n", g.First, g.Last, g.Nodes, g.Instructions, float64(g.Operations)/1e6, g.Difference)
	}
	if r.Captured > 0 {
		fmt.Fprintf(&b, "%d operators, captured as a CUDA graph\n", r.Captured)
	}
	for _, i := range r.Islands {
		fmt.Fprintf(&b, "%d × %s: %s\n", i.Count, i.Op, i.Reason)
	}
	switch h := r.Rounding; {
	case h == nil:
	case h.Reason != "":
		fmt.Fprintf(&b, "in float32 and not %v: %s\n", h.DType, h.Reason)
	default:
		fmt.Fprintf(&b, "in %v: outputs differ by %.1e of the largest number", h.DType, r.Difference)
		if h.Rows > 0 {
			fmt.Fprintf(&b, ", which is in the same place in %d of %d rows", h.Same, h.Rows)
		}
		b.WriteString("\n")
	}
	if r.Optimized > 0 {
		fmt.Fprintf(&b, "%v instead of %v, %.2f of the time\n", r.Optimized.Round(10*time.Microsecond), r.Eager.Round(10*time.Microsecond), float64(r.Optimized)/float64(r.Eager))
	}
	if r.Samples > 0 {
		fmt.Fprintf(&b, "%d samples at a time\n", r.Samples)
	}
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	fmt.Fprintf(&b, "difference %.1e, optimized in %v: trace %v, passes %v, packing %v, proof %v, timing %v",
		r.Difference, ms(r.Took), ms(r.Parts.Trace), ms(r.Parts.Passes), ms(r.Parts.Packing), ms(r.Parts.Proof), ms(r.Parts.Timing))
	return b.String()
}

// Optimize returns what computes the graph faster for inference: batch normalizations, constants and activations become part
// of the layers before them, and connected parts of the graph run on kernels of this module, on images in blocks of channels.
// Operators without such a kernel are called as before. It is what torch.compile or torch.jit.optimize_for_inference do in
// Python.
//
// A graph on a GPU has no such kernels: its convolutions take over additions and activations by cuDNN's, in the memory format
// channels_last, and its work is captured as a CUDA graph. One run takes place at a time there.
//
// The result is run beside the graph. Parts that differ by more than the tolerance are left as they were, and if it is no
// faster, the graph is run as it was; the report says why. Autograd does not record a run. The error is that of the context,
// or of a graph that fails.
//
// https://docs.pytorch.org/docs/stable/generated/torch.compile.html
// https://docs.pytorch.org/docs/stable/generated/torch.jit.optimize_for_inference.html
func Optimize(ctx context.Context, g *Graph, options ...OptimizeOptions) (*Optimized, error) {
	return optimize(ctx, g, torch.Only(options), func(p *kernels.Program) (plan, error) { return kernels.Compile(p) })
}

// leastWork is the work below which a region does not pay for the copies around it.
const leastWork = 10_000_000

func optimize(ctx context.Context, g *Graph, o OptimizeOptions, compile func(*kernels.Program) (plan, error)) (*Optimized, error) {
	start := time.Now()
	opt := &Optimized{graph: g, given: o.Tolerance, report: Report{Nodes: len(g.Nodes)}}
	if o.DType != 0 && o.DType != torch.Float32 {
		opt.report.Rounding = &Rounding{DType: o.DType}
		has, err := kernels.BFloat16()
		switch gpu := g.gpu() != ""; {
		case o.DType != torch.BFloat16 && !(gpu && o.DType == torch.Float16):
			return nil, fmt.Errorf("graph: the dtype is %v; it can be Float32, BFloat16, and on a GPU Float16", o.DType)
		case !gpu && (err != nil || !has):
			opt.report.Rounding.Reason = "the processor or the C++ compiler does not have AVX512_BF16"
		}
	}
	var err error
	if terr := torch.Try(func() {
		torch.Run(func() {
			torch.NoGrad(func() {
				torch.Scope(func() { err = opt.make(ctx, o, compile) })
			})
		})
	}); terr != nil {
		err = terr
	}
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	if opt.report.Reason != "" {
		opt.report.Rounding = nil
	}
	if o.Release == nil {
		opt.trim()
	} else {
		torch.EmptyCache()
	}
	opt.report.Took = time.Since(start)
	return opt, nil
}

// rounds reports whether numbers may be rounded to a dtype of lower precision.
func (o *Optimized) rounds() bool { return o.report.Rounding != nil && o.report.Rounding.Reason == "" }

// withoutRounding gives that up.
func (o *Optimized) withoutRounding(reason string) {
	o.report.Rounding.Reason = reason
	o.report.Rounding.Rows, o.report.Rounding.Same = 0, 0
	o.report.Difference = 0
}

// tolerance returns the largest difference that is accepted.
func (o *Optimized) tolerance() float64 {
	switch {
	case o.given != 0:
		return o.given
	case o.rounds(): // networks mostly differ by less than 1e-2, and far more if something is wrong
		return 5e-2
	}
	return 1e-4
}

// static returns an error if the graph is not one of operators on tensors of known shapes, of which none draws random
// numbers.
func (g *Graph) static() error {
	known := func(v *Value) error {
		if v != nil && (v.Number != "" || slices.Contains(v.Shape, -1)) {
			return fmt.Errorf("%s is %s, which depends on the inputs", v.Name, v.kind())
		}
		return nil
	}
	for _, v := range g.Inputs {
		if err := known(v); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		if strings.HasPrefix(n.Op, "higher_order::") {
			return fmt.Errorf("%s runs another graph", n.Op)
		}
		if random(n) {
			return fmt.Errorf("%s draws random numbers", n.Op)
		}
		for _, v := range n.Results {
			if err := known(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// random reports whether an operator draws random numbers: those that may be given a generator, and dropout.
func random(n *Node) bool {
	if strings.Contains(operator(n.Op).Schema(), "Generator?") {
		return true
	}
	base, _, _ := strings.Cut(n.Op, ".")
	switch base {
	case "aten::dropout", "aten::feature_dropout", "aten::alpha_dropout", "aten::feature_alpha_dropout":
		return n.Args[2] != false
	case "aten::native_dropout", "aten::rand", "aten::randn", "aten::rand_like", "aten::randn_like", "aten::randint", "aten::randint_like", "aten::randperm", "aten::rrelu", "aten::multinomial":
		return true
	}
	return false
}

// pure returns an editor of a copy of the graph, without effects. The error says why the graph must be run as it is.
func (g *Graph) pure() (*editor, error) {
	if err := g.static(); err != nil {
		return nil, err
	}
	e := g.edit()
	return e, e.withoutEffects()
}

// simplified returns the graph after the passes that need no kernels. On a GPU it computes in a dtype unless that is 0.
func (e *editor) simplified(d torch.DType) (*Graph, error) {
	e.clean()
	e.fold()
	e.foldBatchNorm()
	e.recognizeAttention()
	e.clean()
	if e.gpu() != "" {
		e.forGPU(d)
	}
	return e.Graph, e.link()
}

func (o *Optimized) make(ctx context.Context, options OptimizeOptions, compile func(*kernels.Program) (plan, error)) error {
	parts := &o.report.Parts
	last := time.Now()
	lap := func(d *time.Duration) {
		now := time.Now()
		*d += now.Sub(last)
		last = now
	}
	e, err := o.graph.pure()
	if err != nil {
		o.report.Reason = err.Error()
		return nil
	}
	lap(&parts.Passes)
	inputs := options.Inputs
	if inputs == nil {
		inputs = examples(o.graph)
	}
	want := o.graph.Run(inputs...)
	if err := ctx.Err(); err != nil {
		return err
	}
	released := options.Release != nil
	if released {
		options.Release()
		o.release(e)
		torch.EmptyCache()
	}
	lap(&parts.Proof)
	if o.lean, err = e.simplified(options.DType); err != nil {
		return err
	}
	var reason string
	if gpu := o.lean.gpu(); gpu != "" {
		lap(&parts.Passes)
		if reason = o.onGPU(gpu, inputs); reason == "" {
			reason, err = o.compare(ctx, inputs, want)
		}
		lap(&parts.Proof)
	} else {
		reason, err = o.onCPU(ctx, inputs, want, compile, released, lap)
	}
	if err != nil {
		return err
	}
	switch {
	case reason != "" && released:
		return fmt.Errorf("%s, and the constants were released", reason)
	case reason != "":
		o.fallBack(reason)
		return nil
	case options.Untimed || released:
		return nil
	}
	err = o.time(ctx, inputs)
	lap(&parts.Timing)
	return err
}

// onCPU divides the graph, and returns why the result cannot be used, if so. In a dtype of lower precision it may do so once more
// without that.
func (o *Optimized) onCPU(ctx context.Context, inputs, want []*torch.Tensor, compile func(*kernels.Program) (plan, error), released bool, lap func(*time.Duration)) (reason string, err error) {
	p := &partition{o.lean, compile, leastWork, false, map[*Node]string{}, released}
	for {
		if err := o.divide(ctx, p, inputs, released, lap); err != nil {
			return "", err
		}
		reason, err := o.compare(ctx, inputs, want)
		lap(&o.report.Parts.Proof)
		if err != nil || reason == "" || released || !o.rounds() {
			o.describe(p.islands)
			return reason, err
		}
		o.withoutRounding(reason)
	}
}

// divide makes steps of regions whose results are those of their nodes, and of other nodes. Constants that only regions need are
// freed if they are released. lap adds the time since its last call.
func (o *Optimized) divide(ctx context.Context, p *partition, inputs []*torch.Tensor, released bool, lap func(*time.Duration)) (err error) {
	for {
		p.halves = o.rounds()
		if o.steps, err = p.regions(ctx); err != nil {
			return err
		}
		lap(&o.report.Parts.Passes)
		values, err := o.eager(ctx, inputs, released)
		if err != nil {
			return err
		}
		if released {
			o.trim()
			runtime.GC() // programs that were given up have views of weights
			torch.EmptyCache()
		}
		lap(&o.report.Parts.Proof)
		for _, s := range o.steps {
			if s.region != nil {
				if err := s.region.plan.Pack(); err != nil {
					return err
				}
			}
		}
		lap(&o.report.Parts.Packing)
		refused, err := o.prove(ctx, values)
		if err != nil {
			return err
		}
		lap(&o.report.Parts.Proof)
		if len(refused) == 0 {
			return nil
		}
		for _, r := range refused {
			reason := fmt.Sprintf("the kernels for %s … %s differ from it by %.1e of the largest number", r.about.First, r.about.Last, r.about.Difference)
			if released {
				return fmt.Errorf("%s, and the constants were released", reason)
			}
			if p.halves {
				o.withoutRounding(reason)
				break
			}
			for _, n := range r.nodes {
				p.islands[n] = reason
			}
		}
	}
}

// compare runs the optimized graph, and returns why it cannot be used, if so.
func (o *Optimized) compare(ctx context.Context, inputs, want []*torch.Tensor) (reason string, err error) {
	got, err := o.run(ctx, inputs)
	if err != nil {
		return "", err
	}
	for i := range want {
		d := relative(want[i], got[i])
		o.report.Difference = max(o.report.Difference, d)
		if h := o.report.Rounding; o.rounds() && want[i].Dim() == 2 && want[i].Numel() > 0 {
			a, b := want[i].ArgMaxDim(1), got[i].ArgMaxDim(1)
			h.Rows += a.Numel()
			h.Same += int(a.Eq(b).Sum().Item())
		}
		if !(d <= o.tolerance()) {
			return fmt.Sprintf("output %s differs by %.1e of its largest number", o.graph.Outputs[i].Name, d), nil
		}
	}
	return "", nil
}

// release makes the constants of the original graph the editor's own.
func (o *Optimized) release(e *editor) {
	for _, v := range e.Constants {
		v.own = true
	}
	o.graph = &Graph{Inputs: o.graph.Inputs, Outputs: o.graph.Outputs}
}

// examples returns inputs of the shapes of the graph's.
func examples(g *Graph) (inputs []*torch.Tensor) {
	random := torch.NewGenerator(torch.CPU)
	random.ManualSeed(0)
	for _, v := range g.Inputs {
		x := torch.Options{DType: v.DType}.Zeros(v.Shape...)
		if v.DType.IsFloatingPoint() {
			x.NormalInPlace(0, 1, torch.RandomOptions{Generator: random})
		}
		inputs = append(inputs, x.To(v.Device))
	}
	return inputs
}

// relative returns the largest difference of two tensors, relative to the largest number of the first. It is +Inf where only
// one is finite, or where their shapes or dtypes differ.
func relative(want, got *torch.Tensor) (d float64) {
	if want.DType() != got.DType() || !slices.Equal(want.Shape(), got.Shape()) {
		return math.Inf(1)
	}
	if want.Numel() == 0 || want.Equal(got) {
		return 0
	}
	torch.Scope(func() {
		a, b := want.ToDType(torch.Float64), got.ToDType(torch.Float64)
		finite := a.IsFinite()
		if !finite.Equal(b.IsFinite()) {
			d = math.Inf(1)
			return
		}
		a, b = torch.Where(finite, a, 0.0), torch.Where(finite, b, 0.0)
		d = a.Sub(b).Abs().Max().Item() / max(a.Abs().Max().Item(), math.SmallestNonzeroFloat32)
	})
	return d
}

// eager returns the values between the steps, as the graph's nodes compute them until ctx is done. If it is thrifty, memory of
// others returns to the system at once.
func (o *Optimized) eager(ctx context.Context, inputs []*torch.Tensor, thrifty bool) (map[*Value]*torch.Tensor, error) {
	values := map[*Value]*torch.Tensor{}
	for i, v := range o.lean.Inputs {
		values[v] = inputs[i]
	}
	for _, s := range o.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r := s.region
		if r == nil {
			if err := s.run(ctx, values); err != nil {
				return nil, err
			}
			continue
		}
		torch.Scope(func() {
			inner := map[*Value]*torch.Tensor{}
			for _, v := range r.inputs {
				inner[v] = values[v]
			}
			for _, n := range r.nodes {
				if ctx.Err() != nil {
					return
				}
				step{node: n}.run(ctx, inner)
				for _, v := range slices.Concat(tensors(n.Args), n.Results) {
					if v != nil && inner[v] != nil && slices.Contains(n.dead, v.slot) && !slices.Contains(r.inputs, v) && !slices.Contains(r.outputs, v) {
						inner[v].Free()
						delete(inner, v)
					}
				}
				if thrifty {
					torch.EmptyCache()
				}
			}
			for _, v := range r.outputs {
				values[v] = torch.Keep(inner[v])
			}
		})
	}
	return values, ctx.Err()
}

// prove runs each region on values, until ctx is done, and returns those regions whose results differ from them.
func (o *Optimized) prove(ctx context.Context, values map[*Value]*torch.Tensor) (refused []*region, err error) {
	o.report.Regions = nil
	for _, s := range o.steps {
		r := s.region
		if r == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		got := map[*Value]*torch.Tensor{}
		for _, v := range r.inputs {
			got[v] = values[v]
		}
		if err := s.run(ctx, got); err != nil {
			return nil, err
		}
		for _, v := range r.outputs {
			r.about.Difference = max(r.about.Difference, relative(values[v], got[v]))
			got[v].Free()
		}
		o.report.Regions = append(o.report.Regions, r.about)
		if !(r.about.Difference <= o.tolerance()) {
			refused = append(refused, r)
		}
	}
	return refused, ctx.Err()
}

func name(n *Node) string {
	if len(n.Results) > 0 && n.Results[0] != nil {
		return n.Results[0].Name
	}
	return n.Op
}

// describe sets the islands of the report.
func (o *Optimized) describe(reasons map[*Node]string) {
	o.report.Islands = nil
	for _, s := range o.steps {
		if s.node == nil {
			continue
		}
		island := Island{s.node.Op, reasons[s.node], 1}
		i := slices.IndexFunc(o.report.Islands, func(j Island) bool { return j.Op == island.Op && j.Reason == island.Reason })
		if i < 0 {
			o.report.Islands = append(o.report.Islands, island)
		} else {
			o.report.Islands[i].Count++
		}
	}
}

// fallBack makes the original graph run.
func (o *Optimized) fallBack(reason string) {
	o.report.Reason = reason
	o.steps, o.captured = nil, nil
}

// time compares the time of runs, in turns, and falls back if the optimized ones take longer.
func (o *Optimized) time(ctx context.Context, inputs []*torch.Tensor) error {
	const budget = 2 * time.Second
	var eager, own []time.Duration
	start := time.Now()
	finish := func() {}
	if c := o.captured; c != nil {
		finish = func() { cuda.Synchronize(c.device) }
	}
	for i := 0; i < 3 || i < 25 && time.Since(start) < budget; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := time.Now()
		torch.Scope(func() { o.graph.Run(inputs...) })
		finish()
		between := time.Now()
		var err error
		torch.Scope(func() { _, err = o.run(ctx, inputs) })
		if err != nil {
			return err
		}
		finish()
		if i > 0 { // the first ones warm up
			eager, own = append(eager, between.Sub(at)), append(own, time.Since(between))
		}
	}
	o.report.Eager, o.report.Optimized = slices.Min(eager), slices.Min(own) // noise only adds
	if o.report.Optimized > o.report.Eager {
		o.fallBack(fmt.Sprintf("it would take %v, and the graph %v", o.report.Optimized.Round(10*time.Microsecond), o.report.Eager.Round(10*time.Microsecond)))
	}
	return nil
}

func asValues(xs []*torch.Tensor) []any {
	out := make([]any, len(xs))
	for i, x := range xs {
		out[i] = x
	}
	return out
}

// trim drops what runs do not need: the nodes of regions, and constants that only they have.
func (o *Optimized) trim() {
	if o.lean == nil || o.captured != nil { // what is captured reads the constants
		return
	}
	constants := map[*torch.Tensor]bool{}
	for _, v := range o.lean.Constants {
		constants[v.Tensor] = true
	}
	used := map[*Value]bool{}
	for _, s := range o.steps {
		if s.region != nil {
			for _, in := range s.region.program.Instructions {
				for _, x := range []*torch.Tensor{in.Weight, in.Bias} {
					if !constants[x] { // one that was made for the program
						x.Free()
					}
				}
			}
			s.region.nodes, s.region.program = nil, nil
		} else {
			for _, v := range tensors(s.node.Args) {
				used[v] = true
			}
		}
	}
	for _, v := range o.lean.Outputs {
		used[v] = true
	}
	o.lean.keep(func(v *Value) bool { return used[v] && o.steps != nil })
	o.lean = &Graph{Inputs: o.lean.Inputs, Outputs: o.lean.Outputs}
}

// Report returns what became of the graph.
func (o *Optimized) Report() Report { return o.report }

// Run computes the outputs of the graph. It panics with a *torch.Error as [Graph.Run] does; the error is that of the context,
// which ends a run between two instructions.
func (o *Optimized) Run(ctx context.Context, inputs ...*torch.Tensor) (outputs []*torch.Tensor, err error) {
	o.graph.check(asValues(inputs))
	if late := engine.RunUntil(ctx, func() { torch.NoGrad(func() { outputs, err = o.run(ctx, inputs) }) }); late != nil {
		return nil, late
	}
	return outputs, err
}

func (o *Optimized) run(ctx context.Context, inputs []*torch.Tensor) ([]*torch.Tensor, error) {
	switch {
	case o.captured != nil:
		return o.captured.run(inputs), nil
	case o.steps == nil:
		return o.graph.Run(inputs...), nil
	}
	values := make(map[*Value]*torch.Tensor, len(o.steps))
	for i, v := range o.lean.Inputs {
		values[v] = inputs[i]
	}
	for _, s := range o.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.run(ctx, values); err != nil {
			return nil, err
		}
		for _, v := range s.dead {
			values[v].Free()
			delete(values, v)
		}
	}
	outputs := make([]*torch.Tensor, len(o.lean.Outputs))
	for i, v := range o.lean.Outputs {
		if outputs[i] = values[v]; v.Tensor != nil {
			outputs[i] = v.Tensor
		}
	}
	return outputs, nil
}
