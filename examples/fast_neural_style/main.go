// Fast_neural_style trains a network that paints pictures in the style of another, and uses it:
// https://github.com/pytorch/examples/tree/main/fast_neural_style.
//
//	go run ./examples/fast_neural_style train -dataset ~/pictures -style-image mosaic.jpg -save-model-dir models
//	go run ./examples/fast_neural_style eval -content-image amber.jpg -model models/epoch_2.model -output-image out.jpg
package main

import (
	"context"
	"errors"
	"io"

	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
)

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	if len(argv) > 0 {
		switch argv[0] {
		case "train":
			return runTrain(ctx, w, argv[1:])
		case "eval":
			return runEval(ctx, w, argv[1:])
		case "-h", "-help", "--help":
			return errors.Join(runTrain(ctx, w, argv), runEval(ctx, w, argv))
		}
	}
	return errors.New("fast_neural_style: specify either train or eval; -h lists the flags")
}

type trainArguments struct {
	epochs, batchSize                int
	dataset, styleImage              string
	saveModelDir, checkpointModelDir string
	imageSize, styleSize             int
	accel                            bool
	seed                             int
	contentWeight, styleWeight, lr   float64
	logInterval, checkpointInterval  int
	vgg                              string
}

func runTrain(ctx context.Context, w io.Writer, argv []string) error {
	var args trainArguments
	flags := program.Flags("train", "Trains a network on pictures. Without a dataset it draws pictures and a style.")
	flags.IntVar(&args.epochs, "epochs", 2, "how often the pictures are seen")
	flags.IntVar(&args.batchSize, "batch-size", 4, "pictures of a step")
	flags.StringVar(&args.dataset, "dataset", "", "`folder` that has a folder of pictures")
	flags.StringVar(&args.styleImage, "style-image", "images/style-images/mosaic.jpg", "`picture` of the style")
	flags.StringVar(&args.saveModelDir, "save-model-dir", "", "`folder` for the network; it must be given")
	flags.StringVar(&args.checkpointModelDir, "checkpoint-model-dir", "", "`folder` for networks in between")
	flags.IntVar(&args.imageSize, "image-size", 256, "side of the pictures")
	flags.IntVar(&args.styleSize, "style-size", 0, "side of the picture of the style; by default its own")
	flags.BoolVar(&args.accel, "accel", false, "use the GPU")
	flags.IntVar(&args.seed, "seed", 42, "of the random numbers")
	flags.Float64Var(&args.contentWeight, "content-weight", 1e5, "of the loss of the content")
	flags.Float64Var(&args.styleWeight, "style-weight", 1e10, "of the loss of the style")
	flags.Float64Var(&args.lr, "lr", 1e-3, "learning rate")
	flags.IntVar(&args.logInterval, "log-interval", 500, "steps from one printed line to the next")
	flags.IntVar(&args.checkpointInterval, "checkpoint-interval", 2000, "steps from one network in between to the next")
	flags.StringVar(&args.vgg, "vgg", "IMAGENET1K_V1", "`weights` of the VGG-16 that judges: a name, a file, or none for random ones")
	program.AtLeast(flags, 0, "epochs", "style-size")
	program.AtLeast(flags, 1, "batch-size", "image-size", "log-interval", "checkpoint-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	if args.saveModelDir == "" {
		return errors.New("train: give -save-model-dir; -h lists the flags")
	}
	return program.Run(ctx, func() error { return train(ctx, w, args) })
}

type evalArguments struct {
	contentImage       string
	contentScale       float64
	outputImage, model string
	accel              bool
}

func runEval(ctx context.Context, w io.Writer, argv []string) error {
	var args evalArguments
	flags := program.Flags("eval", "Paints a picture by a network that train wrote, or Python's program.")
	flags.StringVar(&args.contentImage, "content-image", "", "the `picture`")
	flags.Float64Var(&args.contentScale, "content-scale", 0, "by which the picture is made smaller first")
	flags.StringVar(&args.outputImage, "output-image", "", "`file` for the result")
	flags.StringVar(&args.model, "model", "", "`file` of the network")
	flags.BoolVar(&args.accel, "accel", false, "use the GPU")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	if args.contentImage == "" || args.outputImage == "" || args.model == "" {
		return errors.New("eval: give -content-image, -output-image and -model; -h lists the flags")
	}
	return program.Run(ctx, func() error { return stylize(w, args) })
}

// deviceOf returns the GPU if it is to be used.
func deviceOf(accel bool) (torch.Device, error) {
	switch {
	case !accel:
		return torch.CPU, nil
	case !accelerator.IsAvailable():
		return "", errors.New("fast_neural_style: there is no GPU; run without -accel")
	}
	return accelerator.CurrentAccelerator(), nil
}
