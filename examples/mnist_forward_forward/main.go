// Mnist_forward_forward trains a network to read handwritten digits without
// backpropagation from layer to layer: each layer learns by itself to tell digits with their
// labels from digits with wrong labels, which are drawn into the pictures:
// https://github.com/pytorch/examples/tree/main/mnist_forward_forward.
//
//	go run ./examples/mnist_forward_forward -data ~/data
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/transforms"
)

type arguments struct {
	epochs, trainSize, testSize int
	lr, threshold               float64
	noAccel, saveModel          bool
	seed                        int
	logInterval                 int
	data                        string
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("mnist_forward_forward", "Trains a network to read handwritten digits, each layer by itself.")
	flags.IntVar(&args.epochs, "epochs", 1000, "steps of each layer")
	flags.Float64Var(&args.lr, "lr", 0.03, "learning rate")
	flags.BoolVar(&args.noAccel, "no_accel", false, "use no GPU")
	flags.IntVar(&args.seed, "seed", 1, "of the random numbers")
	flags.BoolVar(&args.saveModel, "save_model", false, "write the weights to mnist_ff.pt")
	flags.BoolVar(&args.saveModel, "save-model", false, "the same")
	flags.IntVar(&args.trainSize, "train_size", 50000, "digits to train on, at most")
	flags.Float64Var(&args.threshold, "threshold", 2, "goodness that a layer tells right from wrong by")
	flags.IntVar(&args.testSize, "test_size", 10000, "digits to test with, at most")
	flags.IntVar(&args.logInterval, "log-interval", 10, "steps from one printed loss to the next")
	flags.StringVar(&args.data, "data", "", "`folder` of MNIST, to which it is downloaded; by default digits are drawn")
	program.AtLeast(flags, 0, "epochs")
	program.AtLeast(flags, 1, "train_size", "test_size", "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return forwardForward(ctx, w, args) })
}

func forwardForward(ctx context.Context, w io.Writer, args arguments) error {
	torch.ManualSeed(int64(args.seed))
	device := torch.CPU
	trainOptions := data.LoaderOptions{BatchSize: args.trainSize}
	testOptions := data.LoaderOptions{BatchSize: args.testSize}
	if !args.noAccel && accelerator.IsAvailable() {
		device = accelerator.CurrentAccelerator()
		for _, o := range []*data.LoaderOptions{&trainOptions, &testOptions} {
			o.Workers, o.PinMemory, o.Shuffle = 1, true, true
		}
	}

	transform := transforms.Compose(
		transforms.ToTensor(),
		transforms.Normalize([]float64{0.1307}, []float64{0.3081}),
		transforms.Lambda(func(v transforms.Value) transforms.Value { return v.WithTensor(v.Tensor.Flatten(0)) }),
	)
	root, remove, err := made.Root(args.data, made.MNIST(512, 128))
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

	net := NewNet(args, device, 784, 500, 500)
	batch, err := trainLoader.First(ctx)
	if err != nil {
		return err
	}
	x, y := batch.Input.To(device), batch.Target.To(device)
	if err := net.Train(ctx, w, overlay(x, y), overlay(x, negatives(y))); err != nil {
		return err
	}
	fmt.Fprintln(w, "train error:", 1-net.Predict(x).Eq(y).ToDType(torch.Float32).Mean().Item())

	if batch, err = testLoader.First(ctx); err != nil {
		return err
	}
	x, y = batch.Input.To(device), batch.Target.To(device)
	if args.saveModel {
		if err := torch.Save("mnist_ff.pt", nn.StateDict(net)); err != nil {
			return err
		}
	}
	fmt.Fprintln(w, "test error:", 1-net.Predict(x).Eq(y).ToDType(torch.Float32).Mean().Item())
	return nil
}

// negatives returns a wrong label, at random, for each of y.
func negatives(y *torch.Tensor) *torch.Tensor { // [N] → [N]
	labels := torch.Data[int64](y)
	for i, label := range labels {
		allowed := slices.DeleteFunc([]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, func(l int64) bool { return l == label })
		labels[i] = allowed[int(torch.RandInt(0, len(allowed), 1).Item())]
	}
	return torch.FromSlice(labels, len(labels)).To(y.Device())
}

// overlay draws labels into the first ten pixels of pictures: y is an int or a tensor [N].
func overlay(x *torch.Tensor, y any) *torch.Tensor { // [N, 784] → [N, 784]
	x2 := x.Clone()
	x2.Index(torch.All, torch.Slice(0, 10)).MulScalarInPlace(0)
	return x2.SetIndex(x.Max(), torch.Arange(x.Size(0)), y)
}
