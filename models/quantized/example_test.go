package quantized_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models"
	_ "github.com/torchhub/torchhub/models/quantized"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m, err := models.New[nn.Module]("quantized_shufflenet_v2_x0_5")
	if err != nil {
		fmt.Println(err)
		return
	}
	nn.Eval(m)
	torch.NoGrad(func() { fmt.Println(m.Forward(torch.Zeros(1, 3, 64, 64)).Shape()) })
	// Output: [1 1000]
}
