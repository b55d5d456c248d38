package mobilenet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/mobilenet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := mobilenet.NewV3(mobilenet.ConfigV3{Small: true, WidthMult: 0.5, NumClasses: 10})
	nn.Eval(m)
	fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	// Output: [1 10]
}
