// Siamese_network trains a network to tell whether two handwritten digits are the same:
// https://github.com/pytorch/examples/tree/main/siamese_network.
//
//	go run ./examples/siamese_network -data ~/data
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

// SiameseNetwork tells whether two digits are the same. It has one network for both, whose features
// are compared by two layers. FaceNet is of this kind: https://arxiv.org/abs/1503.03832. The features
// are those of a ResNet-18: https://arxiv.org/abs/1512.03385.
type SiameseNetwork struct {
	ResNet  nn.Sequential `nn:"resnet"`
	FC      nn.Sequential
	Sigmoid *nn.Sigmoid
}

// NewSiameseNetwork returns a network with random weights.
func NewSiameseNetwork() *SiameseNetwork {
	base := resnet.New(resnet.Config{Block: resnet.BasicBlock, Layers: [4]int{2, 2, 2, 2}})

	// MNIST has one channel, and ResNet's pictures have three.
	base.Conv1 = nn.NewConv2d(1, 64, 7, nn.Conv2dOptions{Stride: 2, Padding: 3, NoBias: true})
	features := base.FC.Weight.Size(1)

	// The last layer, after the pooling, is left out.
	var layers nn.Sequential
	children := nn.Children(base)
	for _, layer := range children[:len(children)-1] {
		layers = append(layers, layer.(nn.Module))
	}
	m := &SiameseNetwork{
		ResNet: layers,
		FC: nn.Sequential{
			nn.NewLinear(features*2, 256),
			&nn.ReLU{InPlace: true},
			nn.NewLinear(256, 1),
		},
		Sigmoid: &nn.Sigmoid{},
	}
	nn.Apply(m.ResNet, initWeights)
	nn.Apply(m.FC, initWeights)
	return m
}

func initWeights(m any) {
	if m, ok := m.(*nn.Linear); ok {
		nn.InitXavierUniform(m.Weight)
		m.Bias.Data().FillInPlace(0.01)
	}
}

// ForwardOnce returns the features of pictures.
func (m *SiameseNetwork) ForwardOnce(x *torch.Tensor) *torch.Tensor { // [N, 1, 28, 28] → [N, 512]
	return m.ResNet.Forward(x).View(x.Size(0), -1)
}

// Forward returns the probabilities that pictures are of the same digit.
func (m *SiameseNetwork) Forward(x1, x2 *torch.Tensor) *torch.Tensor { // [N, 1, 28, 28], [N, 1, 28, 28] → [N, 1]
	y1 := m.ForwardOnce(x1)
	y2 := m.ForwardOnce(x2)
	y := torch.Cat([]*torch.Tensor{y1, y2}, 1)
	y = m.FC.Forward(y)
	return m.Sigmoid.Forward(y)
}

type arguments struct {
	batchSize, testBatchSize, epochs int
	lr, gamma                        float64
	noAccel, dryRun                  bool
	seed                             int
	logInterval                      int
	saveModel                        bool
	data                             string
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("siamese_network", "Trains a network to tell whether two handwritten digits are the same.")
	flags.IntVar(&args.batchSize, "batch-size", 64, "pairs of a step of training")
	flags.IntVar(&args.testBatchSize, "test-batch-size", 1000, "pairs of a step of testing")
	flags.IntVar(&args.epochs, "epochs", 14, "how often as many pairs as there are digits are seen")
	flags.Float64Var(&args.lr, "lr", 1, "learning rate")
	flags.Float64Var(&args.gamma, "gamma", 0.7, "factor of the learning rate after each epoch")
	flags.BoolVar(&args.noAccel, "no-accel", false, "use no GPU")
	flags.BoolVar(&args.dryRun, "dry-run", false, "end each epoch after one step")
	flags.IntVar(&args.seed, "seed", 1, "of the random numbers")
	flags.IntVar(&args.logInterval, "log-interval", 10, "steps from one printed loss to the next")
	flags.BoolVar(&args.saveModel, "save-model", false, "write the weights to siamese_network.pt")
	flags.StringVar(&args.data, "data", "", "`folder` of MNIST, to which it is downloaded; by default digits are drawn")
	program.AtLeast(flags, 0, "epochs")
	program.AtLeast(flags, 1, "batch-size", "test-batch-size", "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return siamese(ctx, w, args) })
}

func siamese(ctx context.Context, w io.Writer, args arguments) error {
	torch.ManualSeed(int64(args.seed))
	pyrandom.Seed(int64(args.seed))
	device := torch.CPU
	trainOptions := data.LoaderOptions{BatchSize: args.batchSize}
	testOptions := data.LoaderOptions{BatchSize: args.testBatchSize}
	if !args.noAccel && accelerator.IsAvailable() {
		device = accelerator.CurrentAccelerator()
		for _, o := range []*data.LoaderOptions{&trainOptions, &testOptions} {
			o.Workers, o.PinMemory, o.Shuffle = 1, true, true
		}
	}

	fmt.Fprintf(w, "Using device: %v\n", device)

	root, remove, err := made.Root(args.data, made.MNIST(256, 64))
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
	pairs1, err := NewMatcher(dataset1)
	if err != nil {
		return err
	}
	pairs2, err := NewMatcher(dataset2)
	if err != nil {
		return err
	}
	trainLoader := data.NewLoader[Pairs](pairs1, trainOptions)
	testLoader := data.NewLoader[Pairs](pairs2, testOptions)

	model := NewSiameseNetwork()
	nn.To(model, device)
	optimizer := optim.NewAdadelta(nn.Parameters(model), optim.AdadeltaOptions{LR: args.lr})

	scheduler := optim.NewStepLR(optimizer, 1, optim.StepLROptions{Gamma: &args.gamma})
	for epoch := range args.epochs {
		if err := train(ctx, w, args, model, device, trainLoader, optimizer, epoch+1); err != nil {
			return err
		}
		if err := test(ctx, w, model, device, testLoader); err != nil {
			return err
		}
		scheduler.Step()
	}

	if args.saveModel {
		return torch.Save("siamese_network.pt", nn.StateDict(model))
	}
	return nil
}

func train(ctx context.Context, w io.Writer, args arguments, model *SiameseNetwork, device torch.Device, loader *data.Loader[Pairs], optimizer *optim.Optimizer, epoch int) error {
	nn.Train(model)
	criterion := &nn.BCELoss{}
	i := 0
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		images1, images2, target := batch.Image1.To(device), batch.Image2.To(device), batch.Target.To(device)
		optimizer.ZeroGrad()
		output := model.Forward(images1, images2).Squeeze()
		loss := criterion.Forward(output, target)
		loss.Backward()
		optimizer.Step()
		if i%args.logInterval == 0 {
			fmt.Fprintf(w, "Train Epoch: %d [%d/%d (%.0f%%)]\tLoss: %.9g\n",
				epoch, i*images1.Size(0), loader.Dataset().Len(), 100*float64(i)/float64(loader.Len()), loss.Item())
			if args.dryRun {
				break
			}
		}
		i++
	}
	return nil
}

func test(ctx context.Context, w io.Writer, model *SiameseNetwork, device torch.Device, loader *data.Loader[Pairs]) error {
	nn.Eval(model)
	criterion := &nn.BCELoss{}
	testLoss, correct := 0., 0.
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		torch.NoGrad(func() {
			images1, images2, target := batch.Image1.To(device), batch.Image2.To(device), batch.Target.To(device)
			output := model.Forward(images1, images2).Squeeze()
			testLoss += criterion.Forward(output, target).Sum().Item()
			pred := output.GtScalar(0.5)
			correct += pred.Eq(target.ToDType(torch.Bool)).Sum().Item()
		})
	}
	n := loader.Dataset().Len()
	fmt.Fprintf(w, "\nTest set: Average loss: %.4f, Accuracy: %.0f/%d (%.0f%%)\n\n", testLoss/float64(n), correct, n, 100*correct/float64(n))
	return nil
}
