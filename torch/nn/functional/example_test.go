package functional_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

func Example() {
	x := torch.FromSlice([]float32{1, 2, 3, 4}, 1, 1, 2, 2)
	fmt.Println(torch.Data[float32](F.MaxPool2d(x, 2)))
	// Output: [4]
}
