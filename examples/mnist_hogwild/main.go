// Mnist_hogwild trains one network in several goroutines at the same time, which change its
// weights without waiting for each other:
// https://github.com/pytorch/examples/tree/main/mnist_hogwild.
//
//	go run ./examples/mnist_hogwild -data ~/data -num-processes 4
package main

import (
	"context"
	"io"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/transforms"
)

// Net is a network of two convolutions and two layers.
type Net struct {
	Conv1, Conv2 *nn.Conv2d
	Conv2Drop    *nn.Dropout2d
	FC1, FC2     *nn.Linear
	Training     bool
}

// NewNet returns a network with random weights.
func NewNet() *Net {
	return &Net{
		Conv1: nn.NewConv2d(1, 10, 5), Conv2: nn.NewConv2d(10, 20, 5),
		Conv2Drop: nn.NewDropout2d(0.5),
		FC1:       nn.NewLinear(320, 50), FC2: nn.NewLinear(50, 10),
		Training: true,
	}
}

// Forward returns the logarithms of the probabilities of the digits.
func (m *Net) Forward(x *torch.Tensor) *torch.Tensor { // [N, 1, 28, 28] → [N, 10]
	x = F.MaxPool2d(m.Conv1.Forward(x), 2).ReLU()
	x = F.MaxPool2d(m.Conv2Drop.Forward(m.Conv2.Forward(x)), 2).ReLU()
	x = x.View(-1, 320)
	x = m.FC1.Forward(x).ReLU()
	x = F.Dropout(x, 0.5, m.Training)
	return m.FC2.Forward(x).LogSoftmax(1)
}

type arguments struct {
	batchSize, testBatchSize, epochs int
	lr, momentum                     float64
	seed                             int
	logInterval, numProcesses        int
	cuda, mps                        bool
	saveModel, dryRun                bool
	data                             string
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("mnist_hogwild", "Trains one network in several goroutines at the same time to read handwritten digits.")
	flags.IntVar(&args.batchSize, "batch-size", 64, "digits of a step of training")
	flags.IntVar(&args.testBatchSize, "test-batch-size", 1000, "as in Python it has no effect")
	flags.IntVar(&args.epochs, "epochs", 10, "how often each goroutine sees the digits")
	flags.Float64Var(&args.lr, "lr", 0.01, "learning rate")
	flags.Float64Var(&args.momentum, "momentum", 0.5, "of SGD")
	flags.IntVar(&args.seed, "seed", 1, "of the random numbers")
	flags.IntVar(&args.logInterval, "log-interval", 10, "steps from one printed loss to the next")
	flags.IntVar(&args.numProcesses, "num-processes", 2, "goroutines that train")
	flags.BoolVar(&args.cuda, "cuda", false, "use a GPU with CUDA")
	flags.BoolVar(&args.mps, "mps", false, "use the GPU of a Mac")
	flags.BoolVar(&args.saveModel, "save_model", false, "write the weights to MNIST_hogwild.pt")
	flags.BoolVar(&args.dryRun, "dry-run", false, "end each epoch after one step")
	flags.StringVar(&args.data, "data", "", "`folder` of MNIST, to which it is downloaded; by default digits are drawn")
	program.AtLeast(flags, 0, "epochs")
	program.AtLeast(flags, 1, "batch-size", "test-batch-size", "log-interval", "num-processes")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return hogwild(ctx, w, args)
}

func hogwild(ctx context.Context, w io.Writer, args arguments) error {
	if err := torch.Init(ctx); err != nil {
		return err
	}
	device := torch.CPU
	if args.cuda {
		device = torch.CUDA
	} else if args.mps {
		device = torch.MPS
	}

	transform := transforms.Compose(
		transforms.ToTensor(),
		transforms.Normalize([]float64{0.1307}, []float64{0.3081}),
	)
	root, remove, err := made.Root(args.data, made.MNIST(1024, 256))
	if err != nil {
		return err
	}
	defer remove()
	dataset1, err := datasets.NewMNIST(ctx, root, datasets.WithDownload(), datasets.WithProgress(os.Stderr))
	if err != nil {
		return err
	}
	dataset2, err := datasets.NewMNIST(ctx, root, datasets.WithTest())
	if err != nil {
		return err
	}
	options := data.LoaderOptions{BatchSize: args.batchSize, Shuffle: true}
	if args.cuda {
		options.Workers, options.PinMemory = 1, true
	}

	torch.ManualSeed(int64(args.seed))

	model := NewNet()
	nn.To(model, device)

	processes, training := errgroup.WithContext(ctx)
	for rank := range args.numProcesses {
		replica := nn.Share(model) // the same weights, but gradients of its own
		processes.Go(func() error {
			return program.Run(training, func() error {
				return train(training, w, rank, args, replica, device, datasets.Transform(dataset1, transform), options)
			})
		})
	}
	if err := processes.Wait(); err != nil {
		return err
	}

	if args.saveModel {
		if err := torch.Save("MNIST_hogwild.pt", nn.StateDict(model)); err != nil {
			return err
		}
	}

	// Once training is complete, the model is tested.
	return program.Run(ctx, func() error {
		return test(ctx, w, args, model, device, datasets.Transform(dataset2, transform), options)
	})
}
