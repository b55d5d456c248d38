package models

import (
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// CheckPictures panics with a *torch.Error that names the model if x is no batch of
// pictures [N, 3, H, W], or if H or W is below the least side that the model's layers take.
func CheckPictures(model string, x *torch.Tensor, least int) {
	if x.Dim() == 4 && x.Size(1) == 3 && min(x.Size(2), x.Size(3)) >= least {
		return
	}
	size := ""
	if least > 1 {
		size = fmt.Sprintf(" of at least %d×%d pixels", least, least)
	}
	panic(&torch.Error{Op: model, Msg: fmt.Sprintf("the input is %v; give a batch of pictures [N, 3, H, W]%s", x.Shape(), size)})
}

// FromImageNet returns pictures [N, 3, H, W] that were normalized by ImageNet's mean and standard
// deviation as they are if normalized to [-1, 1] instead: transform_input of torchvision's GoogLeNet
// and Inception3.
func FromImageNet(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		mean, std := []float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}
		var channels []*torch.Tensor
		for i := range mean {
			channels = append(channels, x.Narrow(1, i, 1).MulScalar(std[i]/0.5).AddScalarInPlace((mean[i]-0.5)/0.5))
		}
		y = torch.Keep(torch.Cat(channels, 1))
	})
	return y
}

// DropState removes from a state dict the tensors whose names begin with one of the prefixes, for
// the StateUpgrader of models that were built without some of the modules of a checkpoint.
func DropState(s map[string]*torch.Tensor, prefixes ...string) {
	for name := range s {
		for _, p := range prefixes {
			if strings.HasPrefix(name, p) {
				delete(s, name)
			}
		}
	}
}

// CheckVideos panics with a *torch.Error that names the model if x is no batch of videos
// [N, 3, T, H, W], or if T is below the least number of frames, or H or W below the least side, that the
// model's layers take.
func CheckVideos(model string, x *torch.Tensor, frames, side int) {
	fail := func(format string, args ...any) {
		panic(&torch.Error{Op: model, Msg: fmt.Sprintf(format, args...)})
	}
	switch s := x.Shape(); {
	case len(s) != 5 || s[1] != 3:
		fail("the input is %v; give a batch of videos [N, 3, T, H, W]", s)
	case s[2] < frames:
		fail("the number of frames is %d; give at least %d", s[2], max(frames, 1))
	case min(s[3], s[4]) < side:
		fail("the frames are %d×%d pixels; give at least %d×%d", s[4], s[3], side, side)
	}
}
