package efficientnet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/efficientnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := efficientnet.New(efficientnet.Config{Stages: efficientnet.Scaled(0.5, 0.5), NumClasses: 10})
	nn.Eval(m)
	fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	// Output: [1 10]
}
