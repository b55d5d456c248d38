package swin_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/swin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := swin.New(swin.Config{EmbedDim: 24, Depths: []int{2, 2}, NumClasses: 10})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(2, 3, 64, 64)).Shape())
	})
	// Output: [2 10]
}

func Example_video() {
	m := swin.New3d(swin.Config{EmbedDim: 24, Depths: []int{2, 2}, NumClasses: 10})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(1, 3, 4, 64, 64)).Shape())
	})
	// Output: [1 10]
}
