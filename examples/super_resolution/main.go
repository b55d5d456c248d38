// Super_resolution trains a network that enlarges pictures:
// https://github.com/pytorch/examples/tree/main/super_resolution.
//
//	go run ./examples/super_resolution -upscale_factor 3 -batchSize 4 -lr 0.001
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/examples/super_resolution/model"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
)

type arguments struct {
	upscaleFactor, batchSize, testBatchSize, nEpochs int
	lr                                               float64
	accel                                            bool
	threads, seed                                    int
	data                                             string
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var opt arguments
	flags := program.Flags("super_resolution", "Trains a network that enlarges pictures.")
	flags.IntVar(&opt.upscaleFactor, "upscale_factor", 0, "by which sides of pictures become longer; it must be given")
	flags.IntVar(&opt.batchSize, "batchSize", 64, "pictures of a step of training")
	flags.IntVar(&opt.testBatchSize, "testBatchSize", 10, "pictures of a step of testing")
	flags.IntVar(&opt.nEpochs, "nEpochs", 2, "how often the pictures are seen")
	flags.Float64Var(&opt.lr, "lr", 0.01, "learning rate")
	flags.BoolVar(&opt.accel, "accel", false, "use the GPU, if there is one")
	flags.IntVar(&opt.threads, "threads", 4, "goroutines that read pictures")
	flags.IntVar(&opt.seed, "seed", 123, "of the random numbers")
	flags.StringVar(&opt.data, "data", "", "`folder` that has BSDS300/images/train and BSDS300/images/test; by default pictures are drawn")
	program.AtLeast(flags, 0, "nEpochs", "threads")
	program.AtLeast(flags, 1, "upscale_factor", "batchSize", "testBatchSize")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	if opt.upscaleFactor < 1 {
		return errors.New("super_resolution: give -upscale_factor, which is 1 or more; -h lists the flags")
	}
	return program.Run(ctx, func() error { return superResolution(ctx, w, opt) })
}

// A training is a network with all that it is trained with.
type training struct {
	w                                     io.Writer
	device                                torch.Device
	trainingDataLoader, testingDataLoader *data.Loader[data.Batch]
	model                                 *model.Net
	criterion                             *nn.MSELoss
	optimizer                             *optim.Optimizer
}

func superResolution(ctx context.Context, w io.Writer, opt arguments) error {
	torch.ManualSeed(int64(opt.seed))

	t := &training{w: w, device: torch.CPU}
	if opt.accel && accelerator.IsAvailable() {
		t.device = accelerator.CurrentAccelerator()
	}

	fmt.Fprintln(w, "===> Loading datasets")
	root, remove, err := made.Root(opt.data, made.BSDS300(16, 4))
	if err != nil {
		return err
	}
	defer remove()
	trainSet, err := newDatasetFromFolder(filepath.Join(root, "BSDS300", "images", "train"), opt.upscaleFactor)
	if err != nil {
		return err
	}
	testSet, err := newDatasetFromFolder(filepath.Join(root, "BSDS300", "images", "test"), opt.upscaleFactor)
	if err != nil {
		return err
	}
	t.trainingDataLoader = data.NewLoader[data.Batch](trainSet, data.LoaderOptions{Workers: opt.threads, BatchSize: opt.batchSize, Shuffle: true})
	t.testingDataLoader = data.NewLoader[data.Batch](testSet, data.LoaderOptions{Workers: opt.threads, BatchSize: opt.testBatchSize})

	fmt.Fprintln(w, "===> Building model")
	t.model = model.New(opt.upscaleFactor)
	nn.To(t.model, t.device)
	t.criterion = &nn.MSELoss{}

	t.optimizer = optim.NewAdam(nn.Parameters(t.model), optim.AdamOptions{LR: opt.lr})

	for epoch := 1; epoch <= opt.nEpochs; epoch++ {
		if err := t.train(ctx, epoch); err != nil {
			return err
		}
		if err := t.test(ctx); err != nil {
			return err
		}
		if err := t.checkpoint(epoch); err != nil {
			return err
		}
	}
	return nil
}

func (t *training) train(ctx context.Context, epoch int) error {
	epochLoss := 0.
	iteration := 0
	for batch, err := range t.trainingDataLoader.Batches(ctx) {
		if err != nil {
			return err
		}
		iteration++
		input, target := batch.Input.To(t.device), batch.Target.To(t.device)

		t.optimizer.ZeroGrad()
		loss := t.criterion.Forward(t.model.Forward(input), target)
		epochLoss += loss.Item()
		loss.Backward()
		t.optimizer.Step()

		fmt.Fprintf(t.w, "===> Epoch[%d](%d/%d): Loss: %.9g\n", epoch, iteration, t.trainingDataLoader.Len(), loss.Item())
	}

	fmt.Fprintf(t.w, "===> Epoch %d Complete: Avg. loss: %.4f\n", epoch, epochLoss/float64(t.trainingDataLoader.Len()))
	return nil
}

func (t *training) test(ctx context.Context) error {
	avgPSNR := 0.
	for batch, err := range t.testingDataLoader.Batches(ctx) {
		if err != nil {
			return err
		}
		torch.NoGrad(func() {
			input, target := batch.Input.To(t.device), batch.Target.To(t.device)

			prediction := t.model.Forward(input)
			mse := t.criterion.Forward(prediction, target)
			psnr := 10 * math.Log10(1/mse.Item())
			avgPSNR += psnr
		})
	}
	fmt.Fprintf(t.w, "===> Avg. PSNR: %.4f dB\n", avgPSNR/float64(t.testingDataLoader.Len()))
	return nil
}

func (t *training) checkpoint(epoch int) error {
	modelOutPath := fmt.Sprintf("model_epoch_%d.pth", epoch)
	if err := torch.Save(modelOutPath, nn.StateDict(t.model)); err != nil { // where Python's program saves the module
		return err
	}
	fmt.Fprintf(t.w, "Checkpoint saved to %s\n", modelOutPath)
	return nil
}
