package raft_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/raft"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	m, err := models.New[models.FlowEstimator]("raft_small")
	if err != nil {
		panic(err)
	}
	_, isRAFT := m.(*raft.RAFT)
	nn.Eval(m)
	torch.NoGrad(func() {
		flows := m.Forward(torch.Zeros(1, 3, 128, 136), torch.Zeros(1, 3, 128, 136), models.FlowOptions{Updates: 2})
		fmt.Println(isRAFT, len(flows), flows[1].Shape())
	})
	// Output: true 2 [1 2 128 136]
}
