package inception_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/inception"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := inception.New(inception.Config{AuxLogits: new(false), InitWeights: new(false), NumClasses: 10})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(1, 3, 75, 75)).Shape())
	})
	// Output: [1 10]
}
