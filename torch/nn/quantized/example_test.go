package quantized_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/nn/quantized"
)

func Example() {
	m := quantized.NewQuantize()
	state := torch.StateDict{{Name: "scale", Tensor: torch.FromSlice([]float32{0.5})}, {Name: "zero_point", Tensor: torch.FromSlice([]int64{10})}}
	if err := nn.LoadStateDict(m, state); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(torch.Data[float32](quantized.Dequantize(m.Forward(torch.FromSlice([]float32{0.2, 0.3, -9})))))
	// Output: [0 0.5 -5]
}
