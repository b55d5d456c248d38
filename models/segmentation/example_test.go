package segmentation_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/segmentation"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := segmentation.NewFCN(segmentation.Config{NumClasses: 3, AuxLoss: true})
	nn.Eval(m)
	torch.NoGrad(func() {
		y := m.Forward(torch.Zeros(1, 3, 32, 48))
		fmt.Println(y.Out.Shape(), y.Aux.Shape())
	})
	// Output: [1 3 32 48] [1 3 32 48]
}
