// Transfer trains a ResNet-18 of ImageNet on other classes:
// https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html.
//
//	go run ./examples/transfer -fixed -o mine.pth ~/hymenoptera_data
//	torchhub predict -m resnet18 --weights mine.pth photo.jpg
package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/transforms"
)

type arguments struct {
	data, weights, out  string
	epochs, batchSize   int
	workers, stepSize   int
	lr, momentum, gamma float64
	fixed, noAccel      bool
	seed                *int
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("transfer", "Trains a ResNet-18 on the pictures in DIR/train and DIR/val, which have a folder for each class. Without DIR it draws digits.")
	flags.StringVar(&args.weights, "weights", "IMAGENET1K_V1", "the `weights` to start from: a name or a file")
	flags.StringVar(&args.out, "o", "model.pth", "`file` for the best weights")
	flags.IntVar(&args.epochs, "epochs", 25, "how often the pictures are seen")
	flags.IntVar(&args.batchSize, "batch-size", 4, "pictures of a step")
	flags.IntVar(&args.workers, "workers", 4, "goroutines that read pictures")
	flags.IntVar(&args.stepSize, "step-size", 7, "epochs after which the learning rate decays")
	flags.Float64Var(&args.lr, "lr", 0.001, "learning rate")
	flags.Float64Var(&args.momentum, "momentum", 0.9, "of the optimizer")
	flags.Float64Var(&args.gamma, "gamma", 0.1, "by which the learning rate decays")
	flags.BoolVar(&args.fixed, "fixed", false, "train the last layer alone: the rest is a fixed feature extractor")
	flags.BoolVar(&args.noAccel, "no-accel", false, "use no GPU")
	program.OptionalInt(flags, &args.seed, "seed", "`number` for the random numbers; by default they differ each time")
	program.AtLeast(flags, 0, "epochs", "workers")
	program.AtLeast(flags, 1, "batch-size", "step-size")
	if err := program.Parse(flags, w, argv, program.Argument{Name: "DIR", To: &args.data}); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return transfer(ctx, w, args) })
}

func transfer(ctx context.Context, w io.Writer, args arguments) error {
	t := &training{args: args, w: w, device: torch.CPU}
	if !args.noAccel && accelerator.IsAvailable() {
		t.device = accelerator.CurrentAccelerator()
	}
	root, remove, err := made.Root(args.data, made.ImageFolder(40, 20))
	if err != nil {
		return err
	}
	defer remove()
	if err := t.loadData(root); err != nil {
		return err
	}

	model, err := hub.Load(ctx, "pytorch/vision", "resnet18", hub.WithWeights(args.weights))
	if err != nil {
		return err
	}
	defer model.Close()
	t.model = model.Module().(*resnet.ResNet)
	if args.seed != nil { // after the model, which Python draws before it loads the weights
		torch.ManualSeed(int64(*args.seed))
	}
	if args.fixed {
		nn.RequireGrad(t.model, false)
	}

	// The parameters of new modules require gradients
	numFeatures := t.model.FC.Weight.Size(1)
	t.model.FC = nn.NewLinear(numFeatures, len(t.classNames))
	nn.To(t.model, t.device)

	parameters := nn.Parameters(t.model)
	if args.fixed {
		parameters = nn.Parameters(t.model.FC)
	}
	t.optimizer = optim.NewSGD(parameters, optim.SGDOptions{LR: args.lr, Momentum: args.momentum})

	// Decay LR by a factor of 0.1 every 7 epochs
	t.scheduler = optim.NewStepLR(t.optimizer, args.stepSize, optim.StepLROptions{Gamma: &args.gamma})
	return t.trainModel(ctx)
}

// A training is a model with all that it is trained with.
type training struct {
	args        arguments
	w           io.Writer
	device      torch.Device
	classNames  []string
	dataloaders map[string]*data.Loader[data.Batch]
	model       *resnet.ResNet
	criterion   nn.CrossEntropyLoss
	optimizer   *optim.Optimizer
	scheduler   *optim.Scheduler
}

// loadData makes the loaders. For training the pictures are augmented and normalized, and for validation normalized.
func (t *training) loadData(root string) error {
	normalize := transforms.Normalize([]float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225})
	dataTransforms := map[string]transforms.Transform{
		"train": transforms.Compose(
			transforms.RandomResizedCrop(224),
			transforms.RandomHorizontalFlip(),
			transforms.ToTensor(),
			normalize,
		),
		"val": transforms.Compose(
			transforms.Resize(256),
			transforms.CenterCrop(224),
			transforms.ToTensor(),
			normalize,
		),
	}
	t.dataloaders = map[string]*data.Loader[data.Batch]{}
	for x, transform := range dataTransforms {
		folder, err := datasets.NewImageFolder(filepath.Join(root, x))
		if err != nil {
			return err
		}
		if x == "train" {
			t.classNames = folder.Classes
		}
		t.dataloaders[x] = data.NewLoader[data.Batch](datasets.Transform(folder, transform), data.LoaderOptions{BatchSize: t.args.batchSize, Shuffle: true, Workers: t.args.workers})
	}
	return nil
}

// trainModel trains for all epochs, and writes the weights of the best one.
func (t *training) trainModel(ctx context.Context) error {
	since := time.Now()
	bestAcc := -1.
	for epoch := range t.args.epochs {
		fmt.Fprintf(t.w, "Epoch %d/%d\n", epoch, t.args.epochs-1)
		fmt.Fprintln(t.w, strings.Repeat("-", 10))

		// Each epoch has a training and validation phase
		for _, phase := range []string{"train", "val"} {
			epochLoss, epochAcc, err := t.run(ctx, phase)
			if err != nil {
				return err
			}
			fmt.Fprintf(t.w, "%s Loss: %.9g Acc: %.4f\n", phase, epochLoss, epochAcc)

			if phase == "val" && epochAcc > bestAcc {
				bestAcc = epochAcc
				// The names of the classes are found in the file when it is loaded.
				if err := torch.Save(t.args.out, map[string]any{"state_dict": nn.StateDict(t.model), "classes": t.classNames}); err != nil {
					return err
				}
			}
		}
		fmt.Fprintln(t.w)
	}

	timeElapsed := time.Since(since).Seconds()
	fmt.Fprintf(t.w, "Training complete in %dm %ds\n", int(timeElapsed)/60, int(timeElapsed)%60)
	fmt.Fprintf(t.w, "Best val Acc: %4f\n", bestAcc)
	return nil
}

// run goes through the pictures of a phase.
func (t *training) run(ctx context.Context, phase string) (epochLoss, epochAcc float64, err error) {
	if phase == "train" {
		nn.Train(t.model) // Set model to training mode
	} else {
		nn.Eval(t.model) // Set model to evaluate mode
	}

	runningLoss, runningCorrects := 0., 0.

	// Iterate over data.
	for batch, err := range t.dataloaders[phase].Batches(ctx) {
		if err != nil {
			return 0, 0, err
		}
		inputs, labels := batch.Input.To(t.device), batch.Target.To(t.device)

		// zero the parameter gradients
		t.optimizer.ZeroGrad()

		// forward
		// track history if only in train
		torch.SetGradEnabled(phase == "train", func() {
			outputs := t.model.Forward(inputs)
			_, preds := outputs.MaxDim(1)
			loss := t.criterion.Forward(outputs, labels)

			// backward + optimize only if in training phase
			if phase == "train" {
				loss.Backward()
				t.optimizer.Step()
			}

			// statistics
			runningLoss += loss.Item() * float64(inputs.Size(0))
			runningCorrects += preds.Eq(labels).Sum().Item()
		})
	}
	if phase == "train" {
		t.scheduler.Step()
	}

	n := float64(t.dataloaders[phase].Dataset().Len())
	return runningLoss / n, runningCorrects / n, nil
}
