// Classify prints the best class of each picture. It prepares the pictures on all
// cores and runs the model on a batch of them at a time:
//
//	go run ./examples/classify -m resnet50 *.jpg
//	go run ./examples/classify -repo facebookresearch/WSL-Images -m resnext101_32x8d_wsl *.jpg
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/transforms"
)

func main() {
	log.SetFlags(0)
	repo := flag.String("repo", "", "where the model is published, such as owner/name; empty for torchvision's models")
	name := flag.String("m", "resnet50", "the `model`")
	size := flag.Int("batch", 16, "how many pictures the model is given at a time")
	flag.Parse()
	if flag.NArg() == 0 || *size < 1 {
		log.Fatal("usage: classify [-repo OWNER/NAME] [-m MODEL] [-batch N] PICTURE...")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	model, err := hub.Load(ctx, *repo, *name)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	if cuda.IsAvailable() {
		if err := model.To(torch.CUDA); err != nil {
			log.Fatal(err)
		}
	}
	if err := classify(ctx, os.Stdout, model, *size, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// classify writes a line for each file: its name, and the best class with its probability.
func classify(ctx context.Context, w io.Writer, model *hub.Model, size int, files []string) error {
	for batch := range slices.Chunk(files, size) {
		input, err := transforms.BatchFiles(ctx, model.Preprocess(), batch) // [N, 3, H, W]
		if err != nil {
			return err
		}
		var logits [][]float32
		err = torch.Try(func() {
			torch.NoGrad(func() {
				output := model.Forward(input.To(model.Device())) // [N, classes]
				for i := range batch {
					logits = append(logits, torch.Data[float32](output.Select(0, i)))
				}
			})
		})
		if err != nil {
			return err
		}
		for i, file := range batch {
			best := hub.Top(logits[i], model.Labels(), 1)[0]
			fmt.Fprintf(w, "%s: %s, %.1f %%\n", file, best.Name, 100*best.Score)
		}
	}
	return nil
}
