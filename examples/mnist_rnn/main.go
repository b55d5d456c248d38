// Mnist_rnn trains a recurrent network to read handwritten digits, row by row:
// https://github.com/pytorch/examples/tree/main/mnist_rnn.
//
//	go run ./examples/mnist_rnn -data ~/data
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/transforms"
)

// Net reads a picture row by row by an LSTM, whose last output two layers classify.
type Net struct {
	RNN                *nn.LSTM
	BatchNorm          *nn.BatchNorm1d `nn:"batchnorm"`
	Dropout1, Dropout2 *nn.Dropout2d
	FC1, FC2           *nn.Linear
}

// NewNet returns a network with random weights.
func NewNet() *Net {
	return &Net{
		RNN:       nn.NewLSTM(28, 64, nn.LSTMOptions{BatchFirst: true}),
		BatchNorm: nn.NewBatchNorm1d(64),
		Dropout1:  nn.NewDropout2d(0.25), Dropout2: nn.NewDropout2d(0.5),
		FC1: nn.NewLinear(64, 32), FC2: nn.NewLinear(32, 10),
	}
}

// Forward returns the logarithms of the probabilities of the digits.
func (m *Net) Forward(x *torch.Tensor) *torch.Tensor { // [N, 1, 28, 28] → [N, 10]
	x = x.Reshape(-1, 28, 28)
	x, _ = m.RNN.Forward(x)    // [N, 28, 64]
	x = x.Index(torch.All, -1) // [N, 64]
	x = m.BatchNorm.Forward(x)
	x = m.Dropout1.Forward(x)
	x = m.FC1.Forward(x).ReLU()
	x = m.Dropout2.Forward(x)
	return m.FC2.Forward(x).LogSoftmax(1)
}

type arguments struct {
	batchSize, testBatchSize, epochs int
	lr, gamma                        float64
	accel, dryRun                    bool
	seed                             int
	logInterval                      int
	saveModel                        bool
	data                             string
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("mnist_rnn", "Trains a recurrent network to read handwritten digits, row by row.")
	flags.IntVar(&args.batchSize, "batch-size", 64, "digits of a step of training")
	flags.IntVar(&args.testBatchSize, "test-batch-size", 1000, "digits of a step of testing")
	flags.IntVar(&args.epochs, "epochs", 14, "how often the digits are seen")
	flags.Float64Var(&args.lr, "lr", 0.1, "learning rate")
	flags.Float64Var(&args.gamma, "gamma", 0.7, "factor of the learning rate after each epoch")
	flags.BoolVar(&args.accel, "accel", false, "use a GPU")
	flags.BoolVar(&args.dryRun, "dry-run", false, "end each epoch after one step")
	flags.IntVar(&args.seed, "seed", 1, "of the random numbers")
	flags.IntVar(&args.logInterval, "log-interval", 10, "steps from one printed loss to the next")
	flags.BoolVar(&args.saveModel, "save-model", false, "write the weights to mnist_rnn.pt")
	flags.StringVar(&args.data, "data", "", "`folder` of MNIST, to which it is downloaded; by default digits are drawn")
	program.AtLeast(flags, 0, "epochs")
	program.AtLeast(flags, 1, "batch-size", "test-batch-size", "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return mnistRNN(ctx, w, args) })
}

func mnistRNN(ctx context.Context, w io.Writer, args arguments) error {
	torch.ManualSeed(int64(args.seed))
	device := torch.CPU
	trainOptions := data.LoaderOptions{BatchSize: args.batchSize, Shuffle: true}
	testOptions := data.LoaderOptions{BatchSize: args.testBatchSize, Shuffle: true}
	if args.accel {
		device = accelerator.CurrentAccelerator()
		for _, o := range []*data.LoaderOptions{&trainOptions, &testOptions} {
			o.Workers, o.PinMemory = 1, true
		}
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
	trainLoader := data.NewLoader[data.Batch](datasets.Transform(dataset1, transform), trainOptions)
	testLoader := data.NewLoader[data.Batch](datasets.Transform(dataset2, transform), testOptions)

	model := NewNet()
	nn.To(model, device)
	optimizer := optim.NewAdadelta(nn.Parameters(model), optim.AdadeltaOptions{LR: args.lr})

	scheduler := optim.NewStepLR(optimizer, 1, optim.StepLROptions{Gamma: &args.gamma})
	for epoch := range args.epochs {
		if err := train(ctx, w, args, model, device, trainLoader, optimizer, epoch+1); err != nil {
			return err
		}
		if err := test(ctx, w, args, model, device, testLoader); err != nil {
			return err
		}
		scheduler.Step()
	}

	if args.saveModel {
		return torch.Save("mnist_rnn.pt", nn.StateDict(model))
	}
	return nil
}

func train(ctx context.Context, w io.Writer, args arguments, model *Net, device torch.Device, loader *data.Loader[data.Batch], optimizer *optim.Optimizer, epoch int) error {
	nn.Train(model)
	i := 0
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		input, target := batch.Input.To(device), batch.Target.To(device)
		optimizer.ZeroGrad()
		output := model.Forward(input)
		loss := F.NLLLoss(output, target)
		loss.Backward()
		optimizer.Step()
		if i%args.logInterval == 0 {
			fmt.Fprintf(w, "Train Epoch: %d [%d/%d (%.0f%%)]\tLoss: %.9g\n",
				epoch, i*input.Size(0), loader.Dataset().Len(), 100*float64(i)/float64(loader.Len()), loss.Item())
			if args.dryRun {
				break
			}
		}
		i++
	}
	return nil
}

func test(ctx context.Context, w io.Writer, args arguments, model *Net, device torch.Device, loader *data.Loader[data.Batch]) error {
	nn.Eval(model)
	testLoss, correct := 0., 0.
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		torch.NoGrad(func() {
			input, target := batch.Input.To(device), batch.Target.To(device)
			output := model.Forward(input)
			testLoss += F.NLLLoss(output, target, F.NLLLossOptions{Reduction: "sum"}).Item()
			correct += output.ArgMax(1).Eq(target).Sum().Item()
		})
		if args.dryRun {
			break
		}
	}
	n := loader.Dataset().Len()
	fmt.Fprintf(w, "\nTest set: Average loss: %.4f, Accuracy: %.0f/%d (%.0f%%)\n\n", testLoss/float64(n), correct, n, 100*correct/float64(n))
	return nil
}
