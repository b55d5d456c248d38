// Dcgan trains a generator, which draws pictures like those of a data set, and a discriminator,
// which tells them from real ones: https://github.com/pytorch/examples/tree/main/dcgan, after
// "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
// Networks", https://arxiv.org/abs/1511.06434.
//
//	go run ./examples/dcgan -dataset cifar10 -dataroot ~/data -outf out
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/transforms"
	"github.com/torchhub/torchhub/transforms/draw"
)

type arguments struct {
	dataset, dataroot string
	workers           int
	batchSize         int
	imageSize         int
	nz, ngf, ndf      int
	niter             int
	lr, beta1         float64
	dryRun            bool
	netG, netD        string
	outf              string
	manualSeed        int
	accel             bool
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("dcgan", "Trains a generator, which draws pictures like those of a data set.")
	flags.StringVar(&args.dataset, "dataset", "", "`name` of the data set: cifar10, mnist, imagenet, folder, lfw or fake; by default digits are drawn")
	flags.StringVar(&args.dataroot, "dataroot", "", "`folder` of the data set, to which cifar10 and mnist are downloaded")
	flags.IntVar(&args.workers, "workers", 2, "goroutines that read pictures")
	flags.IntVar(&args.batchSize, "batchSize", 64, "pictures of a step")
	flags.IntVar(&args.imageSize, "imageSize", 64, "height and width of the pictures")
	flags.IntVar(&args.nz, "nz", 100, "elements of the vectors that pictures are drawn from")
	flags.IntVar(&args.ngf, "ngf", 64, "channels of the generator")
	flags.IntVar(&args.ndf, "ndf", 64, "channels of the discriminator")
	flags.IntVar(&args.niter, "niter", 25, "how often the pictures are seen")
	flags.Float64Var(&args.lr, "lr", 0.0002, "learning rate")
	flags.Float64Var(&args.beta1, "beta1", 0.5, "of Adam")
	flags.BoolVar(&args.dryRun, "dry-run", false, "end after one step")
	flags.StringVar(&args.netG, "netG", "", "`file` of weights of the generator to start from")
	flags.StringVar(&args.netD, "netD", "", "`file` of weights of the discriminator to start from")
	flags.StringVar(&args.outf, "outf", ".", "`folder` for pictures, and for the weights of each epoch")
	flags.IntVar(&args.manualSeed, "manualSeed", 0, "of the random numbers; 0 is a random one")
	flags.BoolVar(&args.accel, "accel", false, "use a GPU")
	program.AtLeast(flags, 0, "workers", "niter")
	program.AtLeast(flags, 1, "batchSize", "imageSize", "nz", "ngf", "ndf")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return dcgan(ctx, w, args) })
}

func dcgan(ctx context.Context, w io.Writer, args arguments) error {
	if err := os.MkdirAll(args.outf, 0o777); err != nil {
		return err
	}
	if args.manualSeed == 0 {
		args.manualSeed = 1 + rand.IntN(10000)
	}
	fmt.Fprintln(w, "Random Seed:", args.manualSeed)
	torch.ManualSeed(int64(args.manualSeed))

	device := torch.CPU
	if args.accel && accelerator.IsAvailable() {
		device = accelerator.CurrentAccelerator()
	}
	fmt.Fprintf(w, "Using device: %v\n", device)

	dataset, nc, err := open(ctx, args)
	if err != nil {
		return err
	}
	dataloader := data.NewLoader[data.Batch](dataset, data.LoaderOptions{BatchSize: args.batchSize, Shuffle: true, Workers: args.workers})

	netG := NewGenerator(args.nz, args.ngf, nc)
	nn.To(netG, device)
	nn.Apply(netG, weightsInit)
	if args.netG != "" {
		if err := nn.LoadStateDictFile(args.netG, netG); err != nil {
			return err
		}
	}
	fmt.Fprintln(w, nn.Repr(netG))

	netD := NewDiscriminator(args.ndf, nc)
	nn.To(netD, device)
	nn.Apply(netD, weightsInit)
	if args.netD != "" {
		if err := nn.LoadStateDictFile(args.netD, netD); err != nil {
			return err
		}
	}
	fmt.Fprintln(w, nn.Repr(netD))

	fixedNoise := torch.Randn(args.batchSize, args.nz, 1, 1).To(device)
	t := &training{
		netG: netG, netD: netD, nz: args.nz, device: device,
		optimizerD: optim.NewAdam(nn.Parameters(netD), optim.AdamOptions{LR: args.lr, Betas: []float64{args.beta1, 0.999}}),
		optimizerG: optim.NewAdam(nn.Parameters(netG), optim.AdamOptions{LR: args.lr, Betas: []float64{args.beta1, 0.999}}),
	}
	if args.dryRun {
		args.niter = 1
	}
	for epoch := range args.niter {
		i := 0
		for batch, err := range dataloader.Batches(ctx) {
			if err != nil {
				return err
			}
			real := batch.Input.To(device)
			fmt.Fprintf(w, "[%d/%d][%d/%d] %s\n", epoch, args.niter, i, dataloader.Len(), t.step(real))
			if i%100 == 0 {
				if err := saveImages(args.outf, epoch, real, netG.Forward(fixedNoise).Detach()); err != nil {
					return err
				}
			}
			if args.dryRun {
				break
			}
			i++
		}
		if err := torch.Save(filepath.Join(args.outf, fmt.Sprintf("netG_epoch_%d.pth", epoch)), nn.StateDict(netG)); err != nil {
			return err
		}
		if err := torch.Save(filepath.Join(args.outf, fmt.Sprintf("netD_epoch_%d.pth", epoch)), nn.StateDict(netD)); err != nil {
			return err
		}
	}
	return nil
}

// saveImages writes real and drawn pictures.
func saveImages(dir string, epoch int, real, fake *torch.Tensor) error {
	normalize := draw.GridOptions{Normalize: true}
	return errors.Join(
		draw.SaveImage(real.To(torch.CPU), filepath.Join(dir, "real_samples.png"), normalize),
		draw.SaveImage(fake.To(torch.CPU), filepath.Join(dir, fmt.Sprintf("fake_samples_epoch_%03d.png", epoch)), normalize),
	)
}

// A training is of two networks against each other.
type training struct {
	netG                   *Generator
	netD                   *Discriminator
	nz                     int
	device                 torch.Device
	criterion              nn.BCELoss
	optimizerG, optimizerD *optim.Optimizer
}

const realLabel, fakeLabel = 1., 0.

// step trains both networks on a batch, and returns a line about it.
func (t *training) step(real *torch.Tensor) string {
	// (1) Update D: maximize log(D(x)) + log(1 - D(G(z))), first with real pictures,
	nn.ZeroGrad(t.netD)
	n := real.Size(0)
	label := torch.Full(realLabel, n).To(t.device)
	output := t.netD.Forward(real)
	errDReal := t.criterion.Forward(output, label)
	errDReal.Backward()
	dX := output.Mean().Item()

	// then with drawn ones.
	noise := torch.Randn(n, t.nz, 1, 1).To(t.device)
	fake := t.netG.Forward(noise)
	label.FillInPlace(fakeLabel)
	output = t.netD.Forward(fake.Detach())
	errDFake := t.criterion.Forward(output, label)
	errDFake.Backward()
	dGz1 := output.Mean().Item()
	errD := errDReal.Add(errDFake)
	t.optimizerD.Step()

	// (2) Update G: maximize log(D(G(z))).
	nn.ZeroGrad(t.netG)
	label.FillInPlace(realLabel) // the generator is right where the discriminator is wrong
	output = t.netD.Forward(fake)
	errG := t.criterion.Forward(output, label)
	errG.Backward()
	dGz2 := output.Mean().Item()
	t.optimizerG.Step()

	return fmt.Sprintf("Loss_D: %.9g Loss_G: %.9g D(x): %.4f D(G(z)): %.4f / %.4f", errD.Item(), errG.Item(), dX, dGz1, dGz2)
}

// open opens the data set, whose pictures have nc channels.
func open(ctx context.Context, args arguments) (dataset data.Dataset[data.Sample[*torch.Tensor, int]], nc int, err error) {
	half := []float64{0.5, 0.5, 0.5}
	download := []datasets.Option{datasets.WithDownload(), datasets.WithProgress(os.Stderr)}
	if args.dataroot == "" && args.dataset != "fake" && args.dataset != "" {
		return nil, 0, fmt.Errorf("dcgan: the data set %s needs a folder; name it by -dataroot", args.dataset)
	}
	var pictures datasets.Pictures[int]
	switch args.dataset {
	case "imagenet", "folder", "lfw":
		pictures, err = datasets.NewImageFolder(args.dataroot)
		return datasets.Transform(pictures, transforms.Compose(
			transforms.Resize(args.imageSize),
			transforms.CenterCrop(args.imageSize),
			transforms.ToTensor(),
			transforms.Normalize(half, half),
		)), 3, err
	case "cifar10":
		pictures, err = datasets.NewCIFAR10(ctx, args.dataroot, download...)
		return datasets.Transform(pictures, transforms.Compose(
			transforms.Resize(args.imageSize),
			transforms.ToTensor(),
			transforms.Normalize(half, half),
		)), 3, err
	case "mnist", "":
		root, remove, err := made.Root(args.dataroot, made.MNIST(32, 1))
		if err != nil {
			return nil, 0, err
		}
		defer remove()
		pictures, err := datasets.NewMNIST(ctx, root, download...)
		return datasets.Transform(pictures, transforms.Compose(
			transforms.Resize(args.imageSize),
			transforms.ToTensor(),
			transforms.Normalize(half[:1], half[:1]),
		)), 1, err
	case "fake":
		pictures = datasets.NewFakeData(datasets.FakeDataOptions{ImageSize: [3]int{3, args.imageSize, args.imageSize}})
		return datasets.Transform(pictures, transforms.ToTensor()), 3, nil
	}
	return nil, 0, fmt.Errorf("dcgan: there is no data set %q; choose one of cifar10, mnist, imagenet, folder, lfw and fake", args.dataset)
}
