package distributions_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	D "github.com/torchhub/torchhub/torch/distributions"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// exactly compares the bits of tensors.
var exactly = torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0), EqualNan: true}

// live calls f with a Python that has the functions of distributions.py. Both sides compute in one
// thread, since another division of the work changes the last bits.
func live(t *testing.T, f func(p *torchtest.Interpreter)) {
	reference.Python(t)
	n := torch.NumThreads()
	torch.SetNumThreads(1)
	defer torch.SetNumThreads(n)
	p := torchtest.PythonFile(t, "../../testdata/gen/distributions.py")
	torch.Run(func() { f(p) })
}

// tensors returns new tensors of values.
func tensors(values []any, dtype torch.DType) []*torch.Tensor {
	x := make([]*torch.Tensor, len(values))
	for i, v := range values {
		x[i] = torch.NewTensor(v, torch.Options{DType: dtype})
	}
	return x
}

func list(x []*torch.Tensor) []any {
	out := make([]any, len(x))
	for i, x := range x {
		out[i] = x
	}
	return out
}

func plain(x *torch.Tensor) any {
	if x == nil {
		return nil
	}
	return x.Detach().Clone().Contiguous()
}

func attempt(f func() any) (v any) {
	err := torch.Try(func() { v = f() })
	switch {
	case errors.Is(err, torch.ErrNotImplemented):
		return "not implemented"
	case err != nil:
		return "error"
	}
	return v
}

func withGradients(f func() *torch.Tensor, x []*torch.Tensor) any {
	for _, t := range x {
		t.SetGrad(nil)
	}
	v := f()
	if v.RequiresGrad() {
		n := v.Numel()
		w := torch.Options{DType: v.DType()}.Arange(n).DivScalar(n).AddScalar(0.5).Reshape(v.Shape()...)
		v.Mul(w).Sum().Backward(torch.BackwardOptions{RetainGraph: true})
	}
	out := []any{plain(v)}
	for _, t := range x {
		out = append(out, plain(t.Grad()))
	}
	return out
}

func sampled(f func() *torch.Tensor, seed int64) any {
	torch.ManualSeed(seed)
	return []any{plain(f()), torch.Rand(2)}
}

// facts returns what a distribution computes.
func facts(d D.Distribution, x []*torch.Tensor) map[string]any {
	out := map[string]any{"repr": d.String(), "batch": ints(d.BatchShape()), "event": ints(d.EventShape()), "has_rsample": d.HasRSample()}
	s := d.Support()
	out["support"] = []any{s.String(), s.IsDiscrete(), s.EventDim()}
	for i, shape := range [][]int{nil, {3}, {2, 3}} {
		out[fmt.Sprintf("sample %d", i)] = attempt(func() any {
			return sampled(func() *torch.Tensor { return d.Sample(shape...) }, int64(i))
		})
	}
	try := func(name string, f func() *torch.Tensor) {
		out[name] = attempt(func() any { return withGradients(f, x) })
	}
	try("rsample", func() *torch.Tensor {
		torch.ManualSeed(5)
		return d.RSample(3)
	})
	value := d.Sample(4)
	try("log_prob", func() *torch.Tensor { return d.LogProb(value) })
	try("cdf", func() *torch.Tensor { return d.CDF(value) })
	dtype := torch.DefaultDType()
	if len(x) > 0 {
		dtype = x[len(x)-1].DType()
	}
	p := torch.Options{DType: dtype}.Linspace(0.125, 0.875, 4)
	p = p.Reshape(append([]int{4}, slices.Repeat([]int{1}, len(d.BatchShape())+len(d.EventShape()))...)...)
	try("icdf", func() *torch.Tensor { return d.ICDF(p) })
	try("entropy", d.Entropy)
	try("perplexity", d.Perplexity)
	try("mean", d.Mean)
	try("mode", d.Mode)
	try("variance", d.Variance)
	try("stddev", d.StdDev)
	attributes(d, try)
	if e, ok := d.(interface {
		EnumerateSupport(...D.EnumerateSupportOptions) *torch.Tensor
	}); ok {
		out["enumerate"] = attempt(func() any {
			return []any{plain(e.EnumerateSupport()), plain(e.EnumerateSupport(D.EnumerateSupportOptions{NoExpand: true}))}
		})
	}
	out["repr after"] = d.String()
	e := d.Expand(append([]int{2}, d.BatchShape()...)...)
	out["expanded"] = []any{e.String(), ints(e.BatchShape()), ints(e.EventShape())}
	out["expanded sample"] = attempt(func() any { return sampled(func() *torch.Tensor { return e.Sample(2) }, 7) })
	try("expanded log_prob", func() *torch.Tensor { return e.LogProb(e.Sample()) })
	try("expanded mean", e.Mean)
	return out
}

// attributes tries parameters that are computed.
func attributes(d D.Distribution, try func(string, func() *torch.Tensor)) {
	if o, ok := d.(interface{ Probs() *torch.Tensor }); ok {
		try("probs", o.Probs)
	}
	if o, ok := d.(interface{ Logits() *torch.Tensor }); ok {
		try("logits", o.Logits)
	}
	if o, ok := d.(interface{ ScaleTril() *torch.Tensor }); ok {
		try("scale_tril", o.ScaleTril)
	}
	if o, ok := d.(interface{ CovarianceMatrix() *torch.Tensor }); ok {
		try("covariance_matrix", o.CovarianceMatrix)
	}
	if o, ok := d.(interface{ PrecisionMatrix() *torch.Tensor }); ok {
		try("precision_matrix", o.PrecisionMatrix)
	}
}

func ints(v []int) []any {
	out := make([]any, len(v))
	for i, n := range v {
		out[i] = n
	}
	return out
}

// fails reports whether Python fails where Go does not.
func fails(class, name string, dtype torch.DType) bool {
	switch class {
	case "GeneralizedPareto": // which is compared with a number of float32
		return dtype == torch.Float64 && (strings.Contains(name, "log_prob") || name == "cdf")
	case "Wishart": // which changes a mask in place that the gradient needs
		return name == "rsample"
	}
	return false
}

// same compares to the bit what is made of tensors, numbers and texts.
func same(got, want any) error {
	g, isList := got.([]any)
	w, alsoList := want.([]any)
	if !isList || !alsoList {
		if _, ok := want.(*torch.Tensor); ok {
			return torchtest.CheckClose(got, want, exactly)
		}
		if !assert.ObjectsAreEqual(want, got) {
			return fmt.Errorf("got %v, want %v", got, want)
		}
		return nil
	}
	if len(g) != len(w) {
		return fmt.Errorf("got %v, want %v", g, w)
	}
	for i := range g {
		if err := same(g[i], w[i]); err != nil {
			return fmt.Errorf("item %d: got %v, want %v: %w", i, g[i], w[i], err)
		}
	}
	return nil
}

// class returns the name of Python's class.
func (r row) class() string {
	name, _, _ := strings.Cut(r.python, "(")
	return name[strings.LastIndex(name, ".")+1:]
}

// TestLive requires that every distribution has Python's samples, values, gradients and
// texts, to the bit.
func TestLive(t *testing.T) {
	live(t, func(p *torchtest.Interpreter) {
		golden := map[string]map[string]string{}
		missing := map[string]bool{}
		for _, name := range p.Call("classes").([]torch.Value) {
			missing[name.(string)] = true
		}
		delete(missing, "Distribution")      // abstract: the interface
		delete(missing, "ExponentialFamily") // abstract, and of no use outside
		for _, r := range rows {
			delete(missing, r.class())
			for i, args := range r.args {
				for _, dtype := range []torch.DType{torch.Float32, torch.Float64} {
					if dtype == torch.Float64 && (i > 0 || len(args) == 0) {
						continue
					}
					t.Run(fmt.Sprintf("%s/%d/%v", r.python, i, dtype), func(t *testing.T) {
						x := tensors(args, dtype)
						want := p.Call("facts", r.python, list(x)).(*torch.Dict)
						if i == 0 && dtype == r.goldenDType() {
							golden[r.python] = goldenOf(want)
						}
						for _, x := range x {
							x.RequireGrad(true)
						}
						got := facts(r.make(x), x)
						for _, e := range want.Entries {
							name := e.Key.(string)
							if e.Value == "error" && fails(r.class(), name, dtype) {
								assert.NotEqual(t, "error", got[name], name)
								continue
							}
							assert.NoError(t, same(got[name], e.Value), name)
						}
					})
				}
			}
		}
		require.Empty(t, missing, "these classes have no row")
		if *update {
			writeGolden(t, golden)
		}
	})
}

// TestLiveKL requires that every divergence that Python registers has its bits, and those of
// its gradients.
func TestLiveKL(t *testing.T) {
	first := map[string]row{}
	for _, r := range slices.Backward(rows) {
		first[r.class()] = r
	}
	live(t, func(py *torchtest.Interpreter) {
		pairs := 0
		for _, pair := range py.Call("pairs").([]torch.Value) {
			names := pair.([]torch.Value)
			if names[0] == "ExponentialFamily" { // of which Wishart is the only one without its own
				names = []torch.Value{"Wishart", "Wishart"}
			}
			p, q := first[names[0].(string)], first[names[1].(string)]
			pairs++
			t.Run(fmt.Sprint(p.class(), " ", q.class()), func(t *testing.T) {
				for i := range 2 {
					x, y := tensors(p.args[i], torch.Float32), tensors(q.args[1-i], torch.Float32)
					want := py.Call("kl", p.python, list(x), q.python, list(y))
					for _, x := range append(slices.Clone(x), y...) {
						x.RequireGrad(true)
					}
					got := attempt(func() any {
						return withGradients(func() *torch.Tensor { return D.KL(p.make(x), q.make(y)) }, append(x, y...))
					})
					assert.NoError(t, same(got, want))
				}
			})
		}
		require.Greater(t, pairs, 80)
	})
}
