package densenet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/densenet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := densenet.New(densenet.Config{GrowthRate: 12, BlockConfig: []int{3, 3, 3}, NumClasses: 10})
	nn.Eval(m)
	fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	// Output: [1 10]
}
