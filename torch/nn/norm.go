package nn

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// BatchNorm2dOptions are the options of [NewBatchNorm2d].
type BatchNorm2dOptions struct {
	Eps            *float64 // default 1e-5
	Momentum       *float64 // weight of the batch in the running statistics, default 0.1
	Cumulative     bool     // the running statistics are the averages of all batches: momentum=None
	NoAffine       bool     // no weight and no bias: affine=False
	NoBias         bool     // bias=False
	NoRunningStats bool     // always normalize by the batch: track_running_stats=False
}

// BatchNorm1dOptions are the options of [NewBatchNorm1d].
type BatchNorm1dOptions BatchNorm2dOptions

// BatchNorm3dOptions are the options of [NewBatchNorm3d].
type BatchNorm3dOptions BatchNorm2dOptions

// BatchNorm is what [BatchNorm1d], [BatchNorm2d] and [BatchNorm3d] have in common:
// they normalize each channel by the batch while training and by the running
// statistics otherwise.
type BatchNorm struct {
	Weight, Bias      *torch.Tensor // [C], nil with NoAffine
	RunningMean       *torch.Tensor `nn:",buffer"`          // [C], nil with NoRunningStats
	RunningVar        *torch.Tensor `nn:",buffer"`          // [C], nil with NoRunningStats
	NumBatchesTracked *torch.Tensor `nn:",buffer,optional"` // [] int64, nil with NoRunningStats
	NumFeatures       int           // the channels
	Options           BatchNorm2dOptions
	Training          bool // true in a new layer
}

// StateVersion returns the version of the layer's part of a state dict.
func (*BatchNorm) StateVersion() int { return 2 }

func newBatchNorm(op string, channels int, o BatchNorm2dOptions) BatchNorm {
	if o.Cumulative && o.Momentum != nil {
		fail("%s: Cumulative and a Momentum of %v are both given; give one of them", op, *o.Momentum)
	}
	if channels < 0 {
		fail("%s: there are %d channels; their number must not be negative", op, channels)
	}
	m := BatchNorm{NumFeatures: channels, Options: o, Training: true}
	m.Weight, m.Bias = affine(o.NoAffine, o.NoBias, channels)
	if !o.NoRunningStats {
		m.RunningMean = buffer([]int{channels}, torch.DefaultDType(), 0)
		m.RunningVar = buffer([]int{channels}, torch.DefaultDType(), 1)
		m.NumBatchesTracked = buffer(nil, torch.Int64, 0)
	}
	return m
}

// affine returns a weight of ones and a bias of zeros.
func affine(none, noBias bool, shape ...int) (weight, bias *torch.Tensor) {
	if !none {
		weight = buffer(shape, torch.DefaultDType(), 1).RequireGrad(true)
	}
	if !none && !noBias {
		bias = buffer(shape, torch.DefaultDType(), 0).RequireGrad(true)
	}
	return weight, bias
}

var opAddScalarIn = torch.NewOp("aten::add_", "Scalar")

func (m *BatchNorm) normalize(op string, x *torch.Tensor, want string, dims ...int) *torch.Tensor {
	if !slices.Contains(dims, x.Dim()) {
		fail("%s: x is %v and must be %s", op, x.Shape(), want)
	}
	momentum := m.Options.Momentum
	if m.Training && m.NumBatchesTracked != nil {
		var c torch.Call
		c.Tensor(m.NumBatchesTracked)
		c.Int(1)
		c.Do(opAddScalarIn)
		if m.Options.Cumulative {
			momentum = new(1 / m.NumBatchesTracked.Item())
		}
	}
	return F.BatchNorm(x, F.BatchNormOptions{
		Weight: m.Weight, Bias: m.Bias, RunningMean: m.RunningMean, RunningVar: m.RunningVar,
		Training: m.Training || m.RunningMean == nil, Momentum: momentum, Eps: m.Options.Eps,
	})
}

func (m *BatchNorm) extraRepr() string {
	momentum := float(m.Options.Momentum, 0.1)
	if m.Options.Cumulative {
		momentum = "None"
	}
	return normRepr(m.NumFeatures, m.Options.Eps, momentum, !m.Options.NoAffine, m.Bias != nil, !m.Options.NoRunningStats)
}

func normRepr(features int, eps *float64, momentum string, affine, bias, track bool) string {
	return fmt.Sprintf("%d, eps=%s, momentum=%s, affine=%s, bias=%s, track_running_stats=%s",
		features, float(eps, 1e-5), momentum, boolean(affine), boolean(bias), boolean(track))
}

// BatchNorm1d is the [BatchNorm] of vectors and sequences: torch.nn.BatchNorm1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
type BatchNorm1d struct{ BatchNorm }

// NewBatchNorm1d makes a normalization of the given number of channels:
// nn.BatchNorm1d(channels).
func NewBatchNorm1d(channels int, options ...BatchNorm1dOptions) *BatchNorm1d {
	return &BatchNorm1d{newBatchNorm("BatchNorm1d", channels, BatchNorm2dOptions(torch.Only(options)))}
}

// Forward maps x [N, C] or [N, C, L] to the same shape.
func (m *BatchNorm1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*BatchNorm1d).forward)
}

func (m *BatchNorm1d) forward(x *torch.Tensor) *torch.Tensor {
	return m.normalize("BatchNorm1d", x, "[N, C] or [N, C, L]", 2, 3)
}

// BatchNorm2d is the [BatchNorm] of pictures: torch.nn.BatchNorm2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
type BatchNorm2d struct{ BatchNorm }

// NewBatchNorm2d makes a normalization of the given number of channels:
// nn.BatchNorm2d(channels).
func NewBatchNorm2d(channels int, options ...BatchNorm2dOptions) *BatchNorm2d {
	return &BatchNorm2d{newBatchNorm("BatchNorm2d", channels, torch.Only(options))}
}

// Forward maps x [N, C, H, W] to the same shape.
func (m *BatchNorm2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*BatchNorm2d).forward)
}

func (m *BatchNorm2d) forward(x *torch.Tensor) *torch.Tensor {
	return m.normalize("BatchNorm2d", x, "[N, C, H, W]", 4)
}

// BatchNorm3d is the [BatchNorm] of volumes: torch.nn.BatchNorm3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm3d.html
type BatchNorm3d struct{ BatchNorm }

// NewBatchNorm3d makes a normalization of the given number of channels:
// nn.BatchNorm3d(channels).
func NewBatchNorm3d(channels int, options ...BatchNorm3dOptions) *BatchNorm3d {
	return &BatchNorm3d{newBatchNorm("BatchNorm3d", channels, BatchNorm2dOptions(torch.Only(options)))}
}

// Forward maps x [N, C, D, H, W] to the same shape.
func (m *BatchNorm3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*BatchNorm3d).forward)
}

func (m *BatchNorm3d) forward(x *torch.Tensor) *torch.Tensor {
	return m.normalize("BatchNorm3d", x, "[N, C, D, H, W]", 5)
}

// LayerNormOptions are the options of [NewLayerNorm].
type LayerNormOptions struct {
	Eps      *float64 // default 1e-5
	NoAffine bool     // no weight and no bias: elementwise_affine=False
	NoBias   bool     // bias=False
}

// LayerNorm normalizes each sample over its last dimensions: torch.nn.LayerNorm.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
type LayerNorm struct {
	Weight, Bias    *torch.Tensor // [normalizedShape], nil without
	NormalizedShape []int
	Options         LayerNormOptions
}

// NewLayerNorm makes a normalization over the last dimensions, of the given
// sizes: nn.LayerNorm(normalizedShape).
func NewLayerNorm(normalizedShape torch.Ints, options ...LayerNormOptions) *LayerNorm {
	m := &LayerNorm{NormalizedShape: torch.DimsOf("LayerNorm", normalizedShape), Options: torch.Only(options)}
	m.Weight, m.Bias = affine(m.Options.NoAffine, m.Options.NoBias, m.NormalizedShape...)
	return m
}

// Forward maps x [*, normalizedShape] to the same shape.
func (m *LayerNorm) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*LayerNorm).forward) }

func (m *LayerNorm) forward(x *torch.Tensor) *torch.Tensor {
	return F.LayerNorm(x, m.NormalizedShape, F.LayerNormOptions{Weight: m.Weight, Bias: m.Bias, Eps: m.Options.Eps})
}

func (m *LayerNorm) extraRepr() string {
	return fmt.Sprintf("%s, eps=%s, elementwise_affine=%s, bias=%s", tuple(m.NormalizedShape...), float(m.Options.Eps, 1e-5), boolean(!m.Options.NoAffine), boolean(m.Bias != nil))
}

// GroupNormOptions are the options of [NewGroupNorm].
type GroupNormOptions struct {
	Eps      *float64 // default 1e-5
	NoAffine bool     // no weight and no bias: affine=False
	NoBias   bool     // bias=False
}

// GroupNorm normalizes groups of channels of each sample: torch.nn.GroupNorm.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
type GroupNorm struct {
	Weight, Bias *torch.Tensor // [C], nil with NoAffine
	Groups       int
	Channels     int
	Options      GroupNormOptions
}

// NewGroupNorm makes a normalization of channels in groups: nn.GroupNorm(groups,
// channels). It panics with a *torch.Error if groups does not divide the channels.
func NewGroupNorm(groups, channels int, options ...GroupNormOptions) *GroupNorm {
	if groups < 1 || channels < 0 || channels%groups != 0 {
		fail("GroupNorm: %d groups do not divide %d channels", groups, channels)
	}
	m := &GroupNorm{Groups: groups, Channels: channels, Options: torch.Only(options)}
	m.Weight, m.Bias = affine(m.Options.NoAffine, m.Options.NoBias, channels)
	return m
}

// Forward maps x [N, C, *] to the same shape.
func (m *GroupNorm) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*GroupNorm).forward) }

func (m *GroupNorm) forward(x *torch.Tensor) *torch.Tensor {
	return F.GroupNorm(x, m.Groups, F.GroupNormOptions{Weight: m.Weight, Bias: m.Bias, Eps: m.Options.Eps})
}

func (m *GroupNorm) extraRepr() string {
	return fmt.Sprintf("%d, %d, eps=%s, affine=%s, bias=%s", m.Groups, m.Channels, float(m.Options.Eps, 1e-5), boolean(!m.Options.NoAffine), boolean(m.Bias != nil))
}

// SyncBatchNorm is the [BatchNorm] of tensors of any number of dimensions:
// torch.nn.SyncBatchNorm in a single process, where there is nothing to synchronize.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html
type SyncBatchNorm struct{ BatchNorm }

// SyncBatchNormOptions are the options of [NewSyncBatchNorm].
type SyncBatchNormOptions BatchNorm2dOptions

// NewSyncBatchNorm makes a normalization of the given number of channels:
// nn.SyncBatchNorm(channels).
func NewSyncBatchNorm(channels int, options ...SyncBatchNormOptions) *SyncBatchNorm {
	return &SyncBatchNorm{newBatchNorm("SyncBatchNorm", channels, BatchNorm2dOptions(torch.Only(options)))}
}

// Forward maps x [N, C, *] to the same shape.
func (m *SyncBatchNorm) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*SyncBatchNorm).forward)
}

func (m *SyncBatchNorm) forward(x *torch.Tensor) *torch.Tensor {
	if x.Dim() < 2 {
		fail("SyncBatchNorm: x is %v and must be [N, C, *]", x.Shape())
	}
	if x.Size(1) == 0 {
		fail("SyncBatchNorm: x is %v; it must have channels", x.Shape())
	}
	return m.normalize("SyncBatchNorm", x, "", x.Dim())
}

// RMSNormOptions are the options of [NewRMSNorm].
type RMSNormOptions struct {
	Eps      *float64 // default the machine epsilon of the dtype
	NoAffine bool     // no weight: elementwise_affine=False
}

// RMSNorm divides each sample by the root of the mean square of its last dimensions: torch.nn.RMSNorm.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html
type RMSNorm struct {
	Weight          *torch.Tensor // [normalizedShape], nil with NoAffine
	NormalizedShape []int
	Options         RMSNormOptions
}

// NewRMSNorm makes a normalization over the last dimensions, of the given sizes:
// nn.RMSNorm(normalizedShape).
func NewRMSNorm(normalizedShape torch.Ints, options ...RMSNormOptions) *RMSNorm {
	m := &RMSNorm{NormalizedShape: torch.DimsOf("RMSNorm", normalizedShape), Options: torch.Only(options)}
	m.Weight, _ = affine(m.Options.NoAffine, true, m.NormalizedShape...)
	return m
}

// Forward maps x [*, normalizedShape] to the same shape.
func (m *RMSNorm) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*RMSNorm).forward) }

func (m *RMSNorm) forward(x *torch.Tensor) *torch.Tensor {
	return F.RMSNorm(x, m.NormalizedShape, F.RMSNormOptions{Weight: m.Weight, Eps: m.Options.Eps})
}

func (m *RMSNorm) extraRepr() string {
	eps := "None"
	if m.Options.Eps != nil {
		eps = float(m.Options.Eps, 0)
	}
	return fmt.Sprintf("%s, eps=%s, elementwise_affine=%s", tuple(m.NormalizedShape...), eps, boolean(!m.Options.NoAffine))
}
