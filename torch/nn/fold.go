package nn

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// UnfoldOptions are the options of [NewUnfold] and [NewFold], those of [F.Unfold].
type UnfoldOptions = F.UnfoldOptions

func unfoldRepr(kernel torch.Ints, o UnfoldOptions) string {
	return fmt.Sprintf("kernel_size=%s, dilation=%s, padding=%s, stride=%s", ints(kernel, "None"), ints(o.Dilation, "1"), ints(o.Padding, "0"), ints(o.Stride, "1"))
}

// Unfold takes the blocks of pictures under a sliding kernel: torch.nn.Unfold.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html
type Unfold struct {
	Kernel  torch.Ints
	Options UnfoldOptions
}

// NewUnfold makes a layer with a kernel [kH, kW]: nn.Unfold(kernel).
func NewUnfold(kernel torch.Ints, options ...UnfoldOptions) *Unfold {
	return &Unfold{kernel, torch.Only(options)}
}

// Forward maps x [N, C, H, W] to [N, C·kH·kW, blocks].
func (m *Unfold) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Unfold).forward) }

func (m *Unfold) forward(x *torch.Tensor) *torch.Tensor { return F.Unfold(x, m.Kernel, m.Options) }

func (m *Unfold) extraRepr() string { return unfoldRepr(m.Kernel, m.Options) }

// Fold adds blocks up to pictures: torch.nn.Fold.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html
type Fold struct {
	OutputSize, Kernel torch.Ints
	Options            UnfoldOptions
}

// NewFold makes a layer with an output size [H, W] and a kernel [kH, kW]: nn.Fold(output_size, kernel).
func NewFold(outputSize, kernel torch.Ints, options ...UnfoldOptions) *Fold {
	return &Fold{outputSize, kernel, torch.Only(options)}
}

// Forward maps x [N, C·kH·kW, blocks] to [N, C, H, W].
func (m *Fold) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Fold).forward) }

func (m *Fold) forward(x *torch.Tensor) *torch.Tensor {
	return F.Fold(x, m.OutputSize, m.Kernel, m.Options)
}

func (m *Fold) extraRepr() string {
	return "output_size=" + ints(m.OutputSize, "None") + ", " + unfoldRepr(m.Kernel, m.Options)
}
