package mnasnet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/mnasnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := mnasnet.New(mnasnet.Config{Alpha: 0.35, NumClasses: 10})
	nn.Eval(m)
	fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	// Output: [1 10]
}
