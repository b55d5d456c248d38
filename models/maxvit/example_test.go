package maxvit_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/maxvit"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := maxvit.New(maxvit.Config{InputSize: [2]int{56, 56}, Channels: []int{64, 128}, Layers: []int{1, 1}, NumClasses: 10})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(2, 3, 56, 56)).Shape())
	})
	// Output: [2 10]
}
