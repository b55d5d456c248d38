package nn

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Upsample resizes sequences, pictures or volumes: torch.nn.Upsample.
//
//	&nn.Upsample{ScaleFactor: 2, Mode: "bilinear"}
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html
type Upsample struct {
	Size                 torch.Ints   // of the result; this or ScaleFactor
	ScaleFactor          torch.Floats // of the result's size to x's
	Mode                 string       // "nearest", the default, "linear", "bilinear", "bicubic" or "trilinear"
	AlignCorners         bool         // the centers of the corner pixels stay where they are
	RecomputeScaleFactor bool         // from the size that ScaleFactor gives
}

// Forward maps x [N, C, *] to another size of *.
func (m *Upsample) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Upsample).forward) }

func (m *Upsample) forward(x *torch.Tensor) *torch.Tensor {
	return F.Interpolate(x, F.InterpolateOptions{Size: m.Size, ScaleFactor: m.ScaleFactor, Mode: m.Mode, AlignCorners: m.AlignCorners, RecomputeScaleFactor: m.RecomputeScaleFactor})
}

func (m *Upsample) extraRepr() string { return upsampleRepr(m.Size, m.ScaleFactor, m.Mode) }

func upsampleRepr(size torch.Ints, scale torch.Floats, mode string) string {
	s := "size=" + ints(size, "None")
	switch v := scale.(type) {
	case int:
		s = "scale_factor=" + pyrepr.Float(float64(v))
	case float64:
		s = "scale_factor=" + pyrepr.Float(v)
	case []float64:
		parts := make([]string, len(v))
		for i, f := range v {
			parts[i] = pyrepr.Float(f)
		}
		if len(parts) == 1 {
			parts[0] += ","
		}
		s = "scale_factor=(" + strings.Join(parts, ", ") + ")"
	}
	return s + ", mode=" + pyrepr.String(cmp.Or(mode, "nearest"))
}

// UpsamplingNearest2d resizes pictures to the nearest pixels: torch.nn.UpsamplingNearest2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.UpsamplingNearest2d.html
type UpsamplingNearest2d struct {
	Size        torch.Ints   // of the result; this or ScaleFactor
	ScaleFactor torch.Floats // of the result's size to x's
}

// Forward maps x [N, C, H, W] to [N, C, H', W'].
func (m *UpsamplingNearest2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*UpsamplingNearest2d).forward)
}

func (m *UpsamplingNearest2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Interpolate(x, F.InterpolateOptions{Size: m.Size, ScaleFactor: m.ScaleFactor})
}

func (m *UpsamplingNearest2d) extraRepr() string {
	return upsampleRepr(m.Size, m.ScaleFactor, "nearest")
}

// UpsamplingBilinear2d resizes pictures by interpolation, and keeps the centers of the
// corner pixels where they are: torch.nn.UpsamplingBilinear2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.UpsamplingBilinear2d.html
type UpsamplingBilinear2d struct {
	Size        torch.Ints   // of the result; this or ScaleFactor
	ScaleFactor torch.Floats // of the result's size to x's
}

// Forward maps x [N, C, H, W] to [N, C, H', W'].
func (m *UpsamplingBilinear2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*UpsamplingBilinear2d).forward)
}

func (m *UpsamplingBilinear2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Interpolate(x, F.InterpolateOptions{Size: m.Size, ScaleFactor: m.ScaleFactor, Mode: "bilinear", AlignCorners: true})
}

func (m *UpsamplingBilinear2d) extraRepr() string {
	return upsampleRepr(m.Size, m.ScaleFactor, "bilinear")
}

// PixelShuffle makes pixels of channels: torch.nn.PixelShuffle.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html
type PixelShuffle struct{ UpscaleFactor int }

// NewPixelShuffle makes a layer that increases the resolution by a factor r: nn.PixelShuffle(r).
func NewPixelShuffle(upscaleFactor int) *PixelShuffle { return &PixelShuffle{upscaleFactor} }

// Forward maps x [*, C·r², H, W] to [*, C, H·r, W·r].
func (m *PixelShuffle) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*PixelShuffle).forward)
}

func (m *PixelShuffle) forward(x *torch.Tensor) *torch.Tensor {
	return F.PixelShuffle(x, m.UpscaleFactor)
}

func (m *PixelShuffle) extraRepr() string { return fmt.Sprintf("upscale_factor=%d", m.UpscaleFactor) }

// PixelUnshuffle makes channels of pixels, and so undoes [PixelShuffle]: torch.nn.PixelUnshuffle.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html
type PixelUnshuffle struct{ DownscaleFactor int }

// NewPixelUnshuffle makes a layer that reduces the resolution by a factor r: nn.PixelUnshuffle(r).
func NewPixelUnshuffle(downscaleFactor int) *PixelUnshuffle { return &PixelUnshuffle{downscaleFactor} }

// Forward maps x [*, C, H·r, W·r] to [*, C·r², H, W].
func (m *PixelUnshuffle) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*PixelUnshuffle).forward)
}

func (m *PixelUnshuffle) forward(x *torch.Tensor) *torch.Tensor {
	return F.PixelUnshuffle(x, m.DownscaleFactor)
}

func (m *PixelUnshuffle) extraRepr() string {
	return fmt.Sprintf("downscale_factor=%d", m.DownscaleFactor)
}

// ChannelShuffle interleaves groups of channels: torch.nn.ChannelShuffle.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
type ChannelShuffle struct{ Groups int }

// NewChannelShuffle makes a layer that interleaves a number of groups: nn.ChannelShuffle(groups).
func NewChannelShuffle(groups int) *ChannelShuffle { return &ChannelShuffle{groups} }

// Forward maps x [N, C, *] to the same shape.
func (m *ChannelShuffle) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ChannelShuffle).forward)
}

func (m *ChannelShuffle) forward(x *torch.Tensor) *torch.Tensor { return F.ChannelShuffle(x, m.Groups) }

func (m *ChannelShuffle) extraRepr() string { return fmt.Sprintf("groups=%d", m.Groups) }
