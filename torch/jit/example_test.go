package jit_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
)

func ExampleLoad() {
	m, err := jit.Load("../../testdata/jit/containers.pt") // by torch.jit.save
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	y, err := m.Forward(torch.FromSlice([]float32{1, 2, 3}))
	fmt.Println(y, err)
	// Output: tensor([2., 4., 6.]) <nil>
}
