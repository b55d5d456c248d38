package resnet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := resnet.New(resnet.Config{Block: resnet.BasicBlock, Layers: [4]int{1, 1, 1, 1}, NumClasses: 10})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(2, 3, 64, 64)).Shape())
	})
	// Output: [2 10]
}
