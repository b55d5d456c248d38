package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

type sampleArguments struct {
	outDir, start, device                string
	numSamples, maxNewTokens, topK, seed int
	temperature                          float64
}

func runSample(ctx context.Context, w io.Writer, argv []string) error {
	var args sampleArguments
	flags := program.Flags("sample", "Writes text with a model that was trained before.")
	flags.IntVar(&args.numSamples, "num_samples", 10, "how many texts are written")
	flags.StringVar(&args.outDir, "out_dir", "out", "`folder` of the checkpoint ckpt.pt")
	flags.StringVar(&args.start, "start", "\n", "how the texts begin, or FILE: and the path of a file")
	flags.IntVar(&args.maxNewTokens, "max_new_tokens", 500, "length of a text")
	flags.Float64Var(&args.temperature, "temperature", 0.8, "higher means more random")
	flags.IntVar(&args.topK, "top_k", 200, "draw from so many of the most likely characters")
	flags.IntVar(&args.seed, "seed", 1337, "of the random numbers")
	flags.StringVar(&args.device, "device", "cpu", "cpu or cuda")
	program.AtLeast(flags, 0, "num_samples", "max_new_tokens")
	program.AtLeast(flags, 1, "top_k")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return sample(ctx, w, args) })
}

func sample(ctx context.Context, w io.Writer, args sampleArguments) error {
	torch.ManualSeed(int64(args.seed))
	device, err := torch.ParseDevice(args.device)
	if err != nil {
		return err
	}
	checkpoint, err := loadCheckpoint(filepath.Join(args.outDir, "ckpt.pt"), device)
	if err != nil {
		return err
	}
	model := NewGPT(checkpoint.ModelArgs)
	if err := nn.LoadStateDict(model, checkpoint.Model); err != nil {
		return err
	}
	nn.Eval(model)
	nn.To(model, device)

	chars := []rune(checkpoint.Chars)
	if path, ok := strings.CutPrefix(args.start, "FILE:"); ok {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		args.start = string(text)
	}
	startIDs, err := encode(chars, args.start)
	if err != nil {
		return err
	}
	x := startIDs.Unsqueeze(0).To(device)
	for range args.numSamples {
		y := model.generate(x, args.maxNewTokens, args.temperature, args.topK)
		fmt.Fprintln(w, decode(chars, y.Index(0).To(torch.CPU)))
		fmt.Fprintln(w, "---------------")
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
