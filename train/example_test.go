package train_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/train"
)

// The second program goes on where the first one was stopped.
func ExampleCheckpoint() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program := func(stop int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		torch.ManualSeed(0)
		model := nn.NewLinear(3, 1)
		optimizer := optim.NewSGD(nn.Parameters(model), optim.SGDOptions{LR: 0.1, Momentum: 0.9})
		run := train.Checkpoint{Path: filepath.Join(dir, "run.pt"), Parts: train.Parts{"model": model, "optimizer": optimizer}}
		found, err := run.Resume()
		if err != nil {
			panic(err)
		}
		fmt.Println("resumed:", found, "step:", run.StepsRun)
		for run.StepsRun < 5 {
			if run.StepsRun == stop-1 {
				cancel() // as Ctrl-C does, see train.WithInterrupt
			}
			optimizer.ZeroGrad()
			F.MSELoss(model.Forward(torch.Randn(8, 3)), torch.Zeros(8, 1)).Backward()
			optimizer.Step()
			if err := run.Step(ctx); err != nil {
				fmt.Println("stopped after step", run.StepsRun)
				return
			}
		}
		fmt.Println("done")
	}
	program(3)
	program(0)
	// Output:
	// resumed: false step: 0
	// stopped after step 3
	// resumed: true step: 3
	// done
}
