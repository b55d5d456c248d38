package googlenet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/googlenet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := googlenet.New(googlenet.Config{AuxLogits: new(false), InitWeights: new(false), NumClasses: 10})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	})
	// Output: [1 10]
}
