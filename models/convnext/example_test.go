package convnext_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/convnext"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := convnext.New(convnext.Config{Channels: []int{16, 32}, Layers: []int{1, 2}, NumClasses: 10})
	nn.Eval(m)
	fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	// Output: [1 10]
}
