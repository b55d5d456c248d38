package main

import (
	"context"
	"fmt"
	"io"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/optim"
)

type dataset = data.Dataset[data.Sample[*torch.Tensor, int]]

func train(ctx context.Context, w io.Writer, rank int, args arguments, model *Net, device torch.Device, d dataset, options data.LoaderOptions) error {
	torch.ManualSeed(int64(args.seed + rank))

	trainLoader := data.NewLoader[data.Batch](d, options)

	optimizer := optim.NewSGD(nn.Parameters(model), optim.SGDOptions{LR: args.lr, Momentum: args.momentum})
	for epoch := range args.epochs {
		if err := trainEpoch(ctx, w, rank, epoch+1, args, model, device, trainLoader, optimizer); err != nil {
			return err
		}
	}
	return nil
}

func test(ctx context.Context, w io.Writer, args arguments, model *Net, device torch.Device, d dataset, options data.LoaderOptions) error {
	torch.ManualSeed(int64(args.seed))

	testLoader := data.NewLoader[data.Batch](d, options)

	return testEpoch(ctx, w, model, device, testLoader)
}

func trainEpoch(ctx context.Context, w io.Writer, rank, epoch int, args arguments, model *Net, device torch.Device, loader *data.Loader[data.Batch], optimizer *optim.Optimizer) error {
	nn.Train(model)
	i := 0
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		optimizer.ZeroGrad()
		output := model.Forward(batch.Input.To(device))
		loss := F.NLLLoss(output, batch.Target.To(device))
		loss.Backward()
		optimizer.Step()
		if i%args.logInterval == 0 {
			fmt.Fprintf(w, "%d\tTrain Epoch: %d [%d/%d (%.0f%%)]\tLoss: %.9g\n", rank,
				epoch, i*batch.Input.Size(0), loader.Dataset().Len(), 100*float64(i)/float64(loader.Len()), loss.Item())
			if args.dryRun {
				break
			}
		}
		i++
	}
	return nil
}

func testEpoch(ctx context.Context, w io.Writer, model *Net, device torch.Device, loader *data.Loader[data.Batch]) error {
	nn.Eval(model)
	testLoss, correct := 0., 0.
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		torch.NoGrad(func() {
			output := model.Forward(batch.Input.To(device))
			testLoss += F.NLLLoss(output, batch.Target.To(device), F.NLLLossOptions{Reduction: "sum"}).Item()
			correct += output.ArgMax(1).Eq(batch.Target.To(device)).Sum().Item()
		})
	}
	n := loader.Dataset().Len()
	fmt.Fprintf(w, "\nTest set: Average loss: %.4f, Accuracy: %.0f/%d (%.0f%%)\n\n", testLoss/float64(n), correct, n, 100*correct/float64(n))
	return nil
}
