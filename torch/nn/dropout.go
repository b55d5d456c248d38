package nn

import (
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// DropoutOptions are the options of [NewDropout], and of the other dropouts.
type DropoutOptions struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

var (
	opDropoutIn        = torch.NewOp("aten::dropout_", "")
	opFeatureDropoutIn = torch.NewOp("aten::feature_dropout_", "")
)

func dropoutRepr(p float64, o DropoutOptions) string {
	return "p=" + float(&p, 0) + ", inplace=" + boolean(o.InPlace)
}

func checkProbability(op string, p float64) {
	if !(p >= 0 && p <= 1) {
		fail("%s: the probability is %v; it must be between 0 and 1", op, p)
	}
}

// Dropout zeroes elements at random while training: torch.nn.Dropout.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
type Dropout struct {
	P        float64 // probability, in [0, 1]
	Options  DropoutOptions
	Training bool // true in a new layer
}

// NewDropout makes a dropout: nn.Dropout(p). It panics with a *torch.Error if p is
// outside of [0, 1].
func NewDropout(p float64, options ...DropoutOptions) *Dropout {
	checkProbability("Dropout", p)
	return &Dropout{P: p, Options: torch.Only(options), Training: true}
}

// Forward maps x to the same shape. It returns x itself where it changes nothing.
func (m *Dropout) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Dropout).forward) }

func (m *Dropout) forward(x *torch.Tensor) *torch.Tensor {
	switch {
	case !m.Training:
		return x
	case m.Options.InPlace:
		return inPlace(opDropoutIn, x, m.P, true)
	}
	return F.Dropout(x, m.P, true)
}

func (m *Dropout) extraRepr() string { return dropoutRepr(m.P, m.Options) }

// Dropout1d zeroes whole channels of sequences at random while training: torch.nn.Dropout1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html
type Dropout1d struct {
	P        float64 // probability, in [0, 1]
	Options  DropoutOptions
	Training bool // true in a new layer
}

// NewDropout1d makes a dropout: nn.Dropout1d(p). It panics with a *torch.Error if p is
// outside of [0, 1].
func NewDropout1d(p float64, options ...DropoutOptions) *Dropout1d {
	checkProbability("Dropout1d", p)
	return &Dropout1d{P: p, Options: torch.Only(options), Training: true}
}

// Forward maps x [N, C, L] or [C, L] to the same shape.
func (m *Dropout1d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Dropout1d).forward) }

func (m *Dropout1d) forward(x *torch.Tensor) *torch.Tensor {
	if !m.Options.InPlace {
		return F.Dropout1d(x, m.P, m.Training)
	}
	switch x.Dim() {
	case 2:
		inPlace(opFeatureDropoutIn, x.Unsqueeze(0), m.P, m.Training)
	case 3:
		inPlace(opFeatureDropoutIn, x, m.P, m.Training)
	default:
		fail("Dropout1d: x is %v and must be [N, C, L] or [C, L]", x.Shape())
	}
	return x
}

func (m *Dropout1d) extraRepr() string { return dropoutRepr(m.P, m.Options) }

// Dropout2d zeroes whole channels of pictures at random while training: torch.nn.Dropout2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
type Dropout2d struct {
	P        float64 // probability, in [0, 1]
	Options  DropoutOptions
	Training bool // true in a new layer
}

// NewDropout2d makes a dropout: nn.Dropout2d(p). It panics with a *torch.Error if p is
// outside of [0, 1].
func NewDropout2d(p float64, options ...DropoutOptions) *Dropout2d {
	checkProbability("Dropout2d", p)
	return &Dropout2d{P: p, Options: torch.Only(options), Training: true}
}

// Forward maps x [N, C, H, W] to the same shape. As PyTorch, which warns of it, it also takes x [N, C, …].
func (m *Dropout2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Dropout2d).forward) }

func (m *Dropout2d) forward(x *torch.Tensor) *torch.Tensor {
	if m.Options.InPlace {
		return inPlace(opFeatureDropoutIn, x, m.P, m.Training)
	}
	return F.Dropout2d(x, m.P, m.Training)
}

func (m *Dropout2d) extraRepr() string { return dropoutRepr(m.P, m.Options) }

// Dropout3d zeroes whole channels of volumes at random while training: torch.nn.Dropout3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout3d.html
type Dropout3d struct {
	P        float64 // probability, in [0, 1]
	Options  DropoutOptions
	Training bool // true in a new layer
}

// NewDropout3d makes a dropout: nn.Dropout3d(p). It panics with a *torch.Error if p is
// outside of [0, 1].
func NewDropout3d(p float64, options ...DropoutOptions) *Dropout3d {
	checkProbability("Dropout3d", p)
	return &Dropout3d{P: p, Options: torch.Only(options), Training: true}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to the same shape.
func (m *Dropout3d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Dropout3d).forward) }

func (m *Dropout3d) forward(x *torch.Tensor) *torch.Tensor {
	switch {
	case !m.Options.InPlace:
		return F.Dropout3d(x, m.P, m.Training)
	case x.Dim() == 5:
		return inPlace(opFeatureDropoutIn, x, m.P, m.Training)
	}
	inPlace(opFeatureDropoutIn, x.Unsqueeze(0), m.P, m.Training)
	return x
}

func (m *Dropout3d) extraRepr() string { return dropoutRepr(m.P, m.Options) }

// AlphaDropout replaces elements at random while training, so that mean and variance stay: torch.nn.AlphaDropout.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html
type AlphaDropout struct {
	P        float64 // probability, in [0, 1]
	Options  DropoutOptions
	Training bool // true in a new layer
}

// NewAlphaDropout makes a dropout: nn.AlphaDropout(p). It panics with a *torch.Error if p is
// outside of [0, 1].
func NewAlphaDropout(p float64, options ...DropoutOptions) *AlphaDropout {
	checkProbability("AlphaDropout", p)
	return &AlphaDropout{P: p, Options: torch.Only(options), Training: true}
}

// Forward maps x to the same shape.
func (m *AlphaDropout) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AlphaDropout).forward)
}

func (m *AlphaDropout) forward(x *torch.Tensor) *torch.Tensor {
	return F.AlphaDropout(x, m.P, m.Training) // not in place, as in PyTorch
}

func (m *AlphaDropout) extraRepr() string { return dropoutRepr(m.P, m.Options) }

// FeatureAlphaDropout is [AlphaDropout] of whole channels: torch.nn.FeatureAlphaDropout.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.FeatureAlphaDropout.html
type FeatureAlphaDropout struct {
	P        float64 // probability, in [0, 1]
	Options  DropoutOptions
	Training bool // true in a new layer
}

// NewFeatureAlphaDropout makes a dropout: nn.FeatureAlphaDropout(p). It panics with a *torch.Error if p is
// outside of [0, 1].
func NewFeatureAlphaDropout(p float64, options ...DropoutOptions) *FeatureAlphaDropout {
	checkProbability("FeatureAlphaDropout", p)
	return &FeatureAlphaDropout{P: p, Options: torch.Only(options), Training: true}
}

// Forward maps x [N, C, *] to the same shape.
func (m *FeatureAlphaDropout) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*FeatureAlphaDropout).forward)
}

func (m *FeatureAlphaDropout) forward(x *torch.Tensor) *torch.Tensor {
	return F.FeatureAlphaDropout(x, m.P, m.Training) // not in place, as in PyTorch
}

func (m *FeatureAlphaDropout) extraRepr() string { return dropoutRepr(m.P, m.Options) }
