package videoresnet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/videoresnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := videoresnet.New(videoresnet.Config{Layers: [4]int{1, 1, 1, 1}, NumClasses: 10})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(1, 3, 8, 32, 32)).Shape())
	})
	// Output: [1 10]
}
