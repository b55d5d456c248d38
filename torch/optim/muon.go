package optim

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
)

// MuonOptions are the options of [NewMuon].
type MuonOptions struct {
	LR             Number    // the learning rate, which may be a tensor; nil is 0.001
	WeightDecay    Number    // nil is 0.1
	Momentum       Number    // nil is 0.95
	NoNesterov     bool      `torch:"!nesterov"` // plain momentum: nesterov=False
	NSCoefficients []float64 // of the Newton-Schulz iteration; nil is 3.4445, -4.775, 2.0315
	Eps            Number    // the least norm of an update; nil is 1e-7
	NSSteps        *int      // the number of iterations, below 100; nil is 5
	AdjustLRFn     string    // how the shape of a matrix changes its learning rate: "original", "match_rms_adamw" or "spectral_unclamped"; "" is "original"
}

var muon = &rule{
	name: "Muon",
	defaults: dict{
		{"lr", 1e-3}, {"weight_decay", 0.1}, {"momentum", 0.95}, {"nesterov", true},
		{"ns_coefficients", torch.Tuple{3.4445, -4.775, 2.0315}}, {"eps", 1e-7}, {"ns_steps", 5}, {"adjust_lr_fn", nil},
	},
	check: func(o dict) {
		c := checks{"NewMuon", o}
		c.atLeast("lr", "the learning rate", 0)
		c.atLeast("momentum", "the momentum", 0)
		c.atLeast("weight_decay", "the weight decay", 0)
		if n := len(o.tuple("ns_coefficients")); n != 3 {
			fail(c.op, "NSCoefficients have %d elements; there must be 3", n)
		}
		if n := o.int("ns_steps"); n >= 100 {
			fail(c.op, "NSSteps is %d; it must be below 100", n)
		}
		switch how := o.get("adjust_lr_fn"); how {
		case nil, "original", "match_rms_adamw", "spectral_unclamped":
		default:
			fail(c.op, `AdjustLRFn is %q; it can be "original", "match_rms_adamw" or "spectral_unclamped"`, how)
		}
	},
	param: func(p *torch.Tensor) {
		needsReal("Muon", p)
		if p.Dim() != 2 {
			fail("NewMuon", "a parameter has the shape %v; Muon optimizes matrices only, so give the others to another optimizer", p.Shape())
		}
	},
	parts: always(momentumBuffer),
	step:  stepMuon,
}

// NewMuon makes an optimizer of matrices by momentum that is orthogonalized:
// torch.optim.Muon(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Muon.html
func NewMuon(params Params, options ...MuonOptions) *Optimizer {
	return newOptimizer(muon, params, given("NewMuon", torch.Only(options)))
}

func stepMuon(b *batch) {
	o := b.group.options
	lr, momentum := o.num("lr"), o.float("momentum")
	bufs := b.state(momentumBuffer)
	b.by(opLerp_, 1-momentum, bufs, b.grads)
	decay := float(1).sub(lr.mul(float(o.float("weight_decay")))).v
	for i, p := range b.params {
		update := bufs[i]
		if o.bool("nesterov") {
			update = b.grads[i].Lerp(bufs[i], momentum)
			b.made = append(b.made, update)
		}
		update = orthogonal(update, o.tuple("ns_coefficients"), o.int("ns_steps"), o.float("eps"))
		p.MulScalarInPlace(decay)
		p.AddInPlace(update, torch.AddOptions{Alpha: lr.mul(float(muonRate(o, p.Shape()))).neg().v})
		update.Free()
	}
}

// muonRate returns by what the learning rate of a matrix is multiplied.
func muonRate(o dict, shape []int) float64 {
	rows, cols := float64(shape[0]), float64(shape[1])
	switch o.get("adjust_lr_fn") {
	case "match_rms_adamw":
		return 0.2 * math.Sqrt(max(rows, cols))
	case "spectral_unclamped":
		return math.Sqrt(rows / cols)
	}
	return math.Sqrt(max(1, rows/cols))
}

// orthogonal returns the nearest orthogonal matrix of x, approximately, in bfloat16.
func orthogonal(x *torch.Tensor, k []float64, steps int, eps float64) *torch.Tensor {
	y := x.To(x.Device(), torch.ToOptions{DType: torch.BFloat16, Copy: true})
	tall := x.Size(0) > x.Size(1)
	if tall {
		y = y.Then((*torch.Tensor).T)
	}
	n := vectorNorm(y)
	length := n.ClampMin(eps)
	y.DivInPlace(length)
	free([]*torch.Tensor{n, length})
	for range steps {
		y = y.Then(func(y *torch.Tensor) *torch.Tensor {
			t := y.T()
			gram := y.MatMul(t)
			update := aten.Addmm(gram, gram, gram, k[1], k[2])
			defer free([]*torch.Tensor{t, gram, update})
			return aten.Addmm(y, update, y, k[0], 1)
		})
	}
	if tall {
		y = y.Then((*torch.Tensor).T)
	}
	return y
}
