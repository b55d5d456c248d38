// Transfer trains a ResNet-18 of ImageNet on other classes: its layers stay as they are, except for a new last one. The
// folder has a folder of pictures for each class:
//
//	go run ./examples/transfer -o mine.pth photos
//	torchhub predict -m resnet18 --weights mine.pth photo.jpg
//
// It is "ConvNet as fixed feature extractor" of
// https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/transforms"
)

func main() {
	log.SetFlags(0)
	weights := flag.String("weights", "DEFAULT", "the `weights` to start from: a name or a file")
	epochs := flag.Int("epochs", 5, "how often the pictures are seen")
	out := flag.String("o", "model.pth", "the `file` that is written")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: transfer [-weights FILE] [-epochs N] [-o FILE] DIR")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	data, err := datasets.NewImageFolder(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	model, err := hub.Load(ctx, "pytorch/vision", "resnet18", hub.WithWeights(*weights), hub.WithNumClasses(len(data.Classes)), hub.WithLabels(data.Classes))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	if cuda.IsAvailable() {
		if err := model.To(torch.CUDA); err != nil {
			log.Fatal(err)
		}
	}
	if err := train(ctx, os.Stdout, model, data, *epochs); err != nil {
		log.Fatal(err)
	}
	// The names of the classes are found in the file when it is loaded.
	if err := torch.Save(*out, map[string]any{"state_dict": nn.StateDict(model.Module()), "classes": data.Classes}); err != nil {
		log.Fatal(err)
	}
}

// train trains the last layer, and writes a line for each epoch.
func train(ctx context.Context, w io.Writer, model *hub.Model, data *datasets.ImageFolder, epochs int) error {
	net := model.Module().(*resnet.ResNet)
	nn.RequireGrad(net, false)
	nn.RequireGrad(net.FC, true)
	opt := optim.NewSGD(nn.Parameters(net.FC), optim.SGDOptions{LR: 0.001, Momentum: 0.9})
	samples := slices.Clone(data.Samples)
	for epoch := range epochs {
		rand.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		sum, right := 0., 0.
		for batch := range slices.Chunk(samples, 16) {
			files, classes := make([]string, len(batch)), make([]int64, len(batch))
			for i, s := range batch {
				files[i], classes[i] = s.Path, int64(s.Class)
			}
			input, err := transforms.BatchFiles(ctx, model.Preprocess(), files) // [N, 3, 224, 224]
			if err != nil {
				return err
			}
			err = torch.Try(func() {
				torch.Scope(func() {
					target := torch.FromSlice(classes, len(classes)).To(model.Device())
					opt.ZeroGrad()
					logits := net.Forward(input.To(model.Device())) // [N, classes]
					loss := F.CrossEntropy(logits, target)
					loss.Backward()
					opt.Step()
					sum += loss.Item() * float64(len(batch))
					right += logits.ArgMax(1).Eq(target).Sum().Item()
				})
			})
			input.Free()
			if err != nil {
				return err
			}
		}
		n := float64(len(samples))
		fmt.Fprintf(w, "epoch %d: loss %.4f, accuracy %.1f %%\n", epoch+1, sum/n, 100*right/n)
	}
	return nil
}
