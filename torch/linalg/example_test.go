package linalg_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/linalg"
)

func Example() {
	A := torch.FromSlice([]float64{2, 0, 0, 4}, 2, 2)
	B := torch.FromSlice([]float64{2, 8}, 2, 1)
	fmt.Println(torch.Data[float64](linalg.Solve(A, B)))
	fmt.Println(linalg.Det(A).Item())
	// Output:
	// [1 2]
	// 8
}
