package mvit_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/mvit"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m := mvit.New(mvit.Config{SpatialSize: [2]int{32, 32}, TemporalSize: 4, NumClasses: 10, Blocks: []mvit.Block{
		{Heads: 1, In: 16, Out: 32, KernelKV: []int{3, 3, 3}, StrideKV: []int{1, 2, 2}},
		{Heads: 2, In: 32, Out: 32, KernelQ: []int{3, 3, 3}, StrideQ: []int{1, 2, 2}},
	}})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(2, 3, 4, 32, 32)).Shape())
	})
	// Output: [2 10]
}
