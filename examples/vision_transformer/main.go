// Vision_transformer trains a vision transformer on CIFAR-10: the example vision_transformer that
// https://github.com/pytorch/examples had until 2024.
//
//	go run ./examples/vision_transformer -data ~/data
package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/transforms"
)

type arguments struct {
	noCUDA                                                  bool
	patchSize, latentSize, nChannels, numHeads, numEncoders int
	dropout                                                 float64
	imgSize, numClasses, epochs                             int
	lr, weightDecay                                         float64
	batchSize                                               int
	dryRun                                                  bool
	seed                                                    *int
	logInterval                                             int
	data                                                    string
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("vision_transformer", "Trains a vision transformer on CIFAR-10.")
	flags.BoolVar(&args.noCUDA, "no-cuda", false, "use no GPU")
	flags.IntVar(&args.patchSize, "patch-size", 16, "side of a patch")
	flags.IntVar(&args.latentSize, "latent-size", 768, "features of a patch")
	flags.IntVar(&args.nChannels, "n-channels", 3, "channels of the pictures")
	flags.IntVar(&args.numHeads, "num-heads", 12, "heads of the attention")
	flags.IntVar(&args.numEncoders, "num-encoders", 12, "layers")
	flags.Float64Var(&args.dropout, "dropout", 0.1, "probability of dropout")
	flags.IntVar(&args.imgSize, "img-size", 224, "side to which pictures are resized")
	flags.IntVar(&args.numClasses, "num-classes", 10, "classes of the data set")
	flags.IntVar(&args.epochs, "epochs", 10, "how often the pictures are seen")
	flags.Float64Var(&args.lr, "lr", 1e-2, "learning rate")
	flags.Float64Var(&args.weightDecay, "weight-decay", 3e-2, "of the optimizer")
	flags.IntVar(&args.batchSize, "batch-size", 4, "pictures of a step")
	flags.BoolVar(&args.dryRun, "dry-run", false, "end each epoch after one step")
	program.OptionalInt(flags, &args.seed, "seed", "`number` for the random numbers; by default they differ each time")
	flags.IntVar(&args.logInterval, "log-interval", 10, "steps from one printed loss to the next")
	flags.StringVar(&args.data, "data", "", "`folder` of CIFAR-10, to which it is downloaded; by default digits are drawn")
	program.AtLeast(flags, 0, "epochs")
	program.AtLeast(flags, 1, "patch-size", "latent-size", "n-channels", "num-heads", "num-encoders", "img-size", "num-classes", "batch-size", "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return visionTransformer(ctx, w, args) })
}

// drawn says that the folder has digits that were drawn, for tests.
var drawn bool

func visionTransformer(ctx context.Context, w io.Writer, args arguments) error {
	if args.seed != nil {
		torch.ManualSeed(int64(*args.seed))
	}
	device := torch.CPU
	if !args.noCUDA && cuda.IsAvailable() {
		device = torch.CUDA
	}

	transform := transforms.Compose(
		transforms.ResizeTo(args.imgSize, args.imgSize),
		transforms.ToTensor(),
	)
	options := []datasets.Option{datasets.WithDownload(), datasets.WithProgress(os.Stderr)}
	if args.data == "" || drawn {
		options = []datasets.Option{datasets.WithoutChecksums()}
	}
	root, remove, err := made.Root(args.data, made.CIFAR10(100, 20))
	if err != nil {
		return err
	}
	defer remove()
	trainData, err := datasets.NewCIFAR10(ctx, root, options...)
	if err != nil {
		return err
	}
	validData, err := datasets.NewCIFAR10(ctx, root, append(options, datasets.WithTest())...)
	if err != nil {
		return err
	}
	trainLoader := data.NewLoader[data.Batch](datasets.Transform(trainData, transform), data.LoaderOptions{BatchSize: args.batchSize, Shuffle: true})
	validLoader := data.NewLoader[data.Batch](datasets.Transform(validData, transform), data.LoaderOptions{BatchSize: args.batchSize, Shuffle: true})

	model := NewViT(args)
	nn.To(model, device)

	optimizer := optim.NewAdam(nn.Parameters(model), optim.AdamOptions{LR: args.lr, WeightDecay: args.weightDecay})

	t := &trainEval{w: w, args: args, model: model, trainDataloader: trainLoader, valDataloader: validLoader, optimizer: optimizer, device: device}
	return t.train(ctx)
}

type trainEval struct {
	w                              io.Writer
	args                           arguments
	model                          *ViT
	trainDataloader, valDataloader *data.Loader[data.Batch]
	optimizer                      *optim.Optimizer
	criterion                      nn.CrossEntropyLoss
	device                         torch.Device
}

func (t *trainEval) trainFn(ctx context.Context, currentEpoch int) (float64, error) {
	nn.Train(t.model)
	totalLoss := 0.
	i := 0
	for batch, err := range t.trainDataloader.Batches(ctx) {
		if err != nil {
			return 0, err
		}
		images, labels := batch.Input.To(t.device), batch.Target.To(t.device)
		t.optimizer.ZeroGrad()
		logits := t.model.Forward(images)
		loss := t.criterion.Forward(logits, labels)
		loss.Backward()
		t.optimizer.Step()

		totalLoss += loss.Item()
		if i%t.args.logInterval == 0 {
			fmt.Fprintf(t.w, "EPOCH[TRAIN]%d/%d [%d/%d]\tLoss: %.9g\n", currentEpoch+1, t.args.epochs, i+1, t.trainDataloader.Len(), loss.Item())
		}
		if t.args.dryRun {
			break
		}
		i++
	}
	return totalLoss / float64(t.trainDataloader.Len()), nil
}

func (t *trainEval) evalFn(ctx context.Context) (float64, error) {
	nn.Eval(t.model)
	totalLoss := 0.
	for batch, err := range t.valDataloader.Batches(ctx) {
		if err != nil {
			return 0, err
		}
		torch.NoGrad(func() {
			images, labels := batch.Input.To(t.device), batch.Target.To(t.device)

			logits := t.model.Forward(images)
			loss := t.criterion.Forward(logits, labels)

			totalLoss += loss.Item()
		})
		if t.args.dryRun {
			break
		}
	}
	return totalLoss / float64(t.valDataloader.Len()), nil
}

func (t *trainEval) train(ctx context.Context) error {
	bestValidLoss, bestTrainLoss := math.Inf(1), math.Inf(1)
	for i := range t.args.epochs {
		trainLoss, err := t.trainFn(ctx, i)
		if err != nil {
			return err
		}
		valLoss, err := t.evalFn(ctx)
		if err != nil {
			return err
		}

		if valLoss < bestValidLoss {
			if err := torch.Save("best-weights.pt", nn.StateDict(t.model)); err != nil {
				return err
			}
			fmt.Fprintln(t.w, "Saved Best Weights")
			bestValidLoss = valLoss
			bestTrainLoss = trainLoss
		}
	}
	fmt.Fprintf(t.w, "Training Loss : %g\n", bestTrainLoss)
	fmt.Fprintf(t.w, "Valid Loss : %g\n", bestValidLoss)
	return nil
}
