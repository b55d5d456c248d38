package vit_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/vit"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := vit.New(vit.Config{ImageSize: 64, Layers: 2, NumClasses: 10})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(2, 3, 64, 64)).Shape())
	})
	// Output: [2 10]
}
