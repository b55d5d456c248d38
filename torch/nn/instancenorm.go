package nn

import (
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// InstanceNorm2dOptions are the options of [NewInstanceNorm2d].
type InstanceNorm2dOptions struct {
	Eps               *float64 // default 1e-5
	Momentum          *float64 // weight of the batch in the running statistics, default 0.1
	Affine            bool     // with weight and bias
	NoBias            bool     // no bias with Affine: bias=False
	TrackRunningStats bool     // normalize by the running statistics in evaluation
}

// InstanceNorm1dOptions are the options of [NewInstanceNorm1d].
type InstanceNorm1dOptions InstanceNorm2dOptions

// InstanceNorm3dOptions are the options of [NewInstanceNorm3d].
type InstanceNorm3dOptions InstanceNorm2dOptions

// InstanceNorm is what [InstanceNorm1d], [InstanceNorm2d] and [InstanceNorm3d] have in
// common: they normalize each channel of each sample.
type InstanceNorm struct {
	Weight, Bias      *torch.Tensor // [C], nil without Affine
	RunningMean       *torch.Tensor `nn:",buffer"`          // [C], nil without TrackRunningStats
	RunningVar        *torch.Tensor `nn:",buffer"`          // [C], nil without TrackRunningStats
	NumBatchesTracked *torch.Tensor `nn:",buffer,optional"` // [] int64, always 0, nil without TrackRunningStats
	NumFeatures       int           // the channels
	Options           InstanceNorm2dOptions
	Training          bool // true in a new layer
}

// StateVersion returns the version of the layer's part of a state dict.
func (*InstanceNorm) StateVersion() int { return 2 }

func newInstanceNorm(op string, channels int, o InstanceNorm2dOptions) InstanceNorm {
	b := newBatchNorm(op, channels, BatchNorm2dOptions{NoAffine: !o.Affine, NoBias: o.NoBias, NoRunningStats: !o.TrackRunningStats})
	return InstanceNorm{b.Weight, b.Bias, b.RunningMean, b.RunningVar, b.NumBatchesTracked, channels, o, true}
}

// normalize maps x [N, C, …] of n spatial dimensions, or [C, …], to the same shape.
func (m *InstanceNorm) normalize(op string, x *torch.Tensor, n int, want string) *torch.Tensor {
	channels := x.Dim() - n - 1 // their dimension
	if channels != 0 && channels != 1 {
		fail("%s: x is %v and must be %s", op, x.Shape(), want)
	}
	if m.Options.Affine && x.Size(channels) != m.NumFeatures {
		fail("%s: x is %v and must have %d channels", op, x.Shape(), m.NumFeatures)
	}
	o := F.InstanceNormOptions{
		Weight: m.Weight, Bias: m.Bias, RunningMean: m.RunningMean, RunningVar: m.RunningVar,
		UseRunning: !m.Training && m.RunningMean != nil, Momentum: m.Options.Momentum, Eps: m.Options.Eps,
	}
	if channels == 0 {
		return F.InstanceNorm(x.Unsqueeze(0), o).Squeeze(0)
	}
	return F.InstanceNorm(x, o)
}

func (m *InstanceNorm) extraRepr() string {
	o := m.Options
	return normRepr(m.NumFeatures, o.Eps, float(o.Momentum, 0.1), o.Affine, m.Bias != nil, o.TrackRunningStats)
}

// InstanceNorm1d is the [InstanceNorm] of sequences: torch.nn.InstanceNorm1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html
type InstanceNorm1d struct{ InstanceNorm }

// NewInstanceNorm1d makes a normalization of the given number of channels:
// nn.InstanceNorm1d(channels).
func NewInstanceNorm1d(channels int, options ...InstanceNorm1dOptions) *InstanceNorm1d {
	return &InstanceNorm1d{newInstanceNorm("InstanceNorm1d", channels, InstanceNorm2dOptions(torch.Only(options)))}
}

// Forward maps x [N, C, L] or [C, L] to the same shape.
func (m *InstanceNorm1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*InstanceNorm1d).forward)
}

func (m *InstanceNorm1d) forward(x *torch.Tensor) *torch.Tensor {
	return m.normalize("InstanceNorm1d", x, 1, "[N, C, L] or [C, L]")
}

// InstanceNorm2d is the [InstanceNorm] of pictures: torch.nn.InstanceNorm2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html
type InstanceNorm2d struct{ InstanceNorm }

// NewInstanceNorm2d makes a normalization of the given number of channels:
// nn.InstanceNorm2d(channels).
func NewInstanceNorm2d(channels int, options ...InstanceNorm2dOptions) *InstanceNorm2d {
	return &InstanceNorm2d{newInstanceNorm("InstanceNorm2d", channels, torch.Only(options))}
}

// Forward maps x [N, C, H, W] or [C, H, W] to the same shape.
func (m *InstanceNorm2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*InstanceNorm2d).forward)
}

func (m *InstanceNorm2d) forward(x *torch.Tensor) *torch.Tensor {
	return m.normalize("InstanceNorm2d", x, 2, "[N, C, H, W] or [C, H, W]")
}

// InstanceNorm3d is the [InstanceNorm] of volumes: torch.nn.InstanceNorm3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm3d.html
type InstanceNorm3d struct{ InstanceNorm }

// NewInstanceNorm3d makes a normalization of the given number of channels:
// nn.InstanceNorm3d(channels).
func NewInstanceNorm3d(channels int, options ...InstanceNorm3dOptions) *InstanceNorm3d {
	return &InstanceNorm3d{newInstanceNorm("InstanceNorm3d", channels, InstanceNorm2dOptions(torch.Only(options)))}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to the same shape.
func (m *InstanceNorm3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*InstanceNorm3d).forward)
}

func (m *InstanceNorm3d) forward(x *torch.Tensor) *torch.Tensor {
	return m.normalize("InstanceNorm3d", x, 3, "[N, C, D, H, W] or [C, D, H, W]")
}
