package torch_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
)

func Example() {
	x := torch.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	y := x.MulScalar(2).Add(torch.Ones(3)) // broadcast
	fmt.Println(y)
	fmt.Println(y.Index(torch.All, torch.Slice(1, torch.End)).Shape()) // y[:, 1:]
	fmt.Println(torch.Data[float32](y.Select(0, 1)))
	// Output:
	// tensor([[ 3.,  5.,  7.],
	//         [ 9., 11., 13.]])
	// [2 2]
	// [9 11 13]
}
