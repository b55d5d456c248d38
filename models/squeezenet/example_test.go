package squeezenet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/squeezenet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := squeezenet.New(squeezenet.Config{Version1_1: true, NumClasses: 10})
	nn.Eval(m)
	fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	// Output: [1 10]
}
