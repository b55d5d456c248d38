package shufflenet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/shufflenet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := shufflenet.New(shufflenet.Config{Channels: [5]int{24, 32, 64, 128, 512}, NumClasses: 10})
	nn.Eval(m)
	fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	// Output: [1 10]
}
