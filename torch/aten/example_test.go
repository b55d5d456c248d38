package aten_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
)

func Example() {
	x := torch.FromSlice([]float32{1, 2, 3})
	y := torch.FromSlice([]float32{10, 20, 30})
	fmt.Println(torch.Data[float32](aten.AddTensor(x, y, 2))) // x + 2 y
	mean := aten.MeanDim(x, []int{0}, true, 0)
	fmt.Println(mean.Shape(), mean.Item())
	// Output:
	// [21 42 63]
	// [1] 2
}
