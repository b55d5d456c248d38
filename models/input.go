package models

import (
	"fmt"

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
