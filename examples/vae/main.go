// Vae trains a variational autoencoder, which learns to draw handwritten digits:
// https://github.com/pytorch/examples/tree/main/vae.
//
//	go run ./examples/vae -data ~/data
//
// It writes pictures to the folder results.
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
	"github.com/torchhub/torchhub/transforms/draw"
)

// VAE is a variational autoencoder: https://arxiv.org/abs/1312.6114.
type VAE struct {
	FC1, FC21, FC22, FC3, FC4 *nn.Linear
}

// NewVAE returns an autoencoder with random weights.
func NewVAE() *VAE {
	return &VAE{
		FC1:  nn.NewLinear(784, 400),
		FC21: nn.NewLinear(400, 20),
		FC22: nn.NewLinear(400, 20),
		FC3:  nn.NewLinear(20, 400),
		FC4:  nn.NewLinear(400, 784),
	}
}

// Encode returns the means and the logarithms of the variances of codes.
func (m *VAE) Encode(x *torch.Tensor) (mu, logvar *torch.Tensor) { // [N, 784] → [N, 20], [N, 20]
	h1 := m.FC1.Forward(x).ReLU()
	return m.FC21.Forward(h1), m.FC22.Forward(h1)
}

// Reparameterize draws codes.
func (m *VAE) Reparameterize(mu, logvar *torch.Tensor) *torch.Tensor { // [N, 20], [N, 20] → [N, 20]
	std := logvar.MulScalar(0.5).Exp()
	eps := torch.RandnLike(std)
	return mu.Add(eps.Mul(std))
}

// Decode returns the pictures of codes.
func (m *VAE) Decode(z *torch.Tensor) *torch.Tensor { // [N, 20] → [N, 784]
	h3 := m.FC3.Forward(z).ReLU()
	return m.FC4.Forward(h3).Sigmoid()
}

// Forward returns pictures as they come back from their codes, and the distribution of the codes.
func (m *VAE) Forward(x *torch.Tensor) (recon, mu, logvar *torch.Tensor) { // [N, 1, 28, 28] → [N, 784], [N, 20], [N, 20]
	mu, logvar = m.Encode(x.View(-1, 784))
	z := m.Reparameterize(mu, logvar)
	return m.Decode(z), mu, logvar
}

// lossFunction returns the binary cross-entropy of the pictures plus the divergence of the codes from the normal
// distribution (appendix B of the paper), as sums over all elements.
func lossFunction(recon, x, mu, logvar *torch.Tensor) *torch.Tensor {
	bce := F.BinaryCrossEntropy(recon, x.View(-1, 784), F.BinaryCrossEntropyOptions{Reduction: "sum"})
	kld := logvar.AddScalar(1).Sub(mu.PowScalar(2)).Sub(logvar.Exp()).Sum().MulScalar(-0.5)
	return bce.Add(kld)
}

type arguments struct {
	batchSize, epochs int
	noAccel           bool
	seed              int
	logInterval       int
	data              string
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("vae", "Trains a variational autoencoder, which learns to draw handwritten digits.")
	flags.IntVar(&args.batchSize, "batch-size", 128, "digits of a step of training")
	flags.IntVar(&args.epochs, "epochs", 10, "how often the digits are seen")
	flags.BoolVar(&args.noAccel, "no-accel", false, "use no GPU")
	flags.IntVar(&args.seed, "seed", 1, "of the random numbers")
	flags.IntVar(&args.logInterval, "log-interval", 10, "steps from one printed loss to the next")
	flags.StringVar(&args.data, "data", "", "`folder` of MNIST, to which it is downloaded; by default digits are drawn")
	program.AtLeast(flags, 0, "epochs")
	program.AtLeast(flags, 1, "batch-size", "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return vae(ctx, w, args) })
}

func vae(ctx context.Context, w io.Writer, args arguments) error {
	torch.ManualSeed(int64(args.seed))
	device := torch.CPU
	trainOptions := data.LoaderOptions{BatchSize: args.batchSize, Shuffle: true}
	testOptions := data.LoaderOptions{BatchSize: args.batchSize}
	if !args.noAccel && accelerator.IsAvailable() {
		device = accelerator.CurrentAccelerator()
		for _, o := range []*data.LoaderOptions{&trainOptions, &testOptions} {
			o.Workers, o.PinMemory = 1, true
		}
	}
	fmt.Fprintf(w, "Using device: %v\n", device)

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
	trainLoader := data.NewLoader[data.Batch](datasets.Transform(dataset1, transforms.ToTensor()), trainOptions)
	testLoader := data.NewLoader[data.Batch](datasets.Transform(dataset2, transforms.ToTensor()), testOptions)

	model := NewVAE()
	nn.To(model, device)
	optimizer := optim.NewAdam(nn.Parameters(model), optim.AdamOptions{LR: 1e-3})

	if err := os.MkdirAll("results", 0o777); err != nil {
		return err
	}
	for epoch := 1; epoch <= args.epochs; epoch++ {
		if err := train(ctx, w, args, model, device, trainLoader, optimizer, epoch); err != nil {
			return err
		}
		if err := test(ctx, w, model, device, testLoader, epoch); err != nil {
			return err
		}
		var sample *torch.Tensor
		torch.NoGrad(func() { sample = model.Decode(torch.Randn(64, 20).To(device)).To(torch.CPU) })
		if err := draw.SaveImage(sample.View(64, 1, 28, 28), fmt.Sprintf("results/sample_%d.png", epoch)); err != nil {
			return err
		}
	}
	return nil
}

func train(ctx context.Context, w io.Writer, args arguments, model *VAE, device torch.Device, loader *data.Loader[data.Batch], optimizer *optim.Optimizer, epoch int) error {
	nn.Train(model)
	trainLoss := 0.
	i := 0
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		x := batch.Input.To(device)
		optimizer.ZeroGrad()
		recon, mu, logvar := model.Forward(x)
		loss := lossFunction(recon, x, mu, logvar)
		loss.Backward()
		trainLoss += loss.Item()
		optimizer.Step()
		if i%args.logInterval == 0 {
			fmt.Fprintf(w, "Train Epoch: %d [%d/%d (%.0f%%)]\tLoss: %.9g\n",
				epoch, i*x.Size(0), loader.Dataset().Len(), 100*float64(i)/float64(loader.Len()), loss.Item()/float64(x.Size(0)))
		}
		i++
	}
	fmt.Fprintf(w, "====> Epoch: %d Average loss: %.4f\n", epoch, trainLoss/float64(loader.Dataset().Len()))
	return nil
}

func test(ctx context.Context, w io.Writer, model *VAE, device torch.Device, loader *data.Loader[data.Batch], epoch int) error {
	nn.Eval(model)
	testLoss := 0.
	i := 0
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		x := batch.Input.To(device)
		var recon, mu, logvar *torch.Tensor
		torch.NoGrad(func() {
			recon, mu, logvar = model.Forward(x)
			testLoss += lossFunction(recon, x, mu, logvar).Item()
		})
		if i == 0 {
			n := min(x.Size(0), 8)
			comparison := torch.Cat([]*torch.Tensor{
				x.Index(torch.Slice(0, n)),
				recon.View(-1, 1, 28, 28).Index(torch.Slice(0, n)),
			}, 0)
			if err := draw.SaveImage(comparison.To(torch.CPU), fmt.Sprintf("results/reconstruction_%d.png", epoch), draw.GridOptions{NRow: n}); err != nil {
				return err
			}
		}
		i++
	}
	fmt.Fprintf(w, "====> Test set loss: %.4f\n", testLoss/float64(loader.Dataset().Len()))
	return nil
}
