package special_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/special"
)

func Example() {
	x := torch.FromSlice([]float64{0, 1, 2})
	fmt.Println(special.Expit(x))
	fmt.Println(special.Gammaln(torch.FromSlice([]float64{1, 2, 5})))
	// Output:
	// tensor([0.5000, 0.7311, 0.8808], dtype=torch.float64)
	// tensor([0.0000, 0.0000, 3.1781], dtype=torch.float64)
}
