package regnet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/regnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := regnet.New(regnet.Config{Depth: 8, W0: 24, WA: 24, WM: 2.5, GroupWidth: 8, SERatio: 0.25, NumClasses: 10})
	nn.Eval(m)
	fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	// Output: [1 10]
}
