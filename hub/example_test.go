package hub_test

import (
	"context"
	"fmt"
	"log"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/transforms"
)

func Example() {
	ctx := context.Background()
	model, err := hub.Load(ctx, "facebookresearch/WSL-Images", "resnext101_32x8d_wsl")
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	img, err := transforms.Open("dog.jpg")
	if err != nil {
		log.Fatal(err)
	}
	top, err := model.Classify(ctx, img, 5)
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range top {
		fmt.Printf("%5.1f %% %s\n", 100*l.Score, l.Name)
	}
}

func ExampleList() {
	names, err := hub.List(context.Background(), "facebookresearch/WSL-Images")
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range names {
		fmt.Println(n)
	}
	// Output:
	// resnext101_32x16d_wsl
	// resnext101_32x32d_wsl
	// resnext101_32x48d_wsl
	// resnext101_32x8d_wsl
}

func ExampleHelp() {
	text, err := hub.Help(context.Background(), "", "resnext101_32x8d_wsl")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
	// Output:
	// resnext101_32x8d_wsl: Exploring the Limits of Weakly Supervised Pretraining, https://arxiv.org/abs/1805.00932
	// INSTAGRAM: ig_resnext101_32x8-c38310e5.pth, 339.5 MiB, 88.8M parameters, top-1 82.2 %, top-5 96.4 % on ImageNet-1K, license CC-BY-NC 4.0
}

func ExampleTop() {
	for _, l := range hub.Top([]float32{0, 2, 1}, []string{"cat", "dog", "fox"}, 2) {
		fmt.Printf("%d %s %.3f\n", l.Index, l.Name, l.Score)
	}
	// Output:
	// 1 dog 0.665
	// 2 fox 0.245
}
