package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/nn"
)

type generateArguments struct {
	data, checkpoint, outf   string
	words, seed, logInterval int
	temperature              float64
	accel                    bool
}

func runGenerate(ctx context.Context, w io.Writer, argv []string) error {
	var args generateArguments
	flags := program.Flags("generate", "Writes sentences with a model that was trained before.")
	flags.StringVar(&args.data, "data", "", "`folder` of the words that the model was trained with; by default sentences are made")
	flags.StringVar(&args.checkpoint, "checkpoint", "model.pt", "the `file` of the model")
	flags.StringVar(&args.outf, "outf", "generated.txt", "the `file` that the words are written to")
	flags.IntVar(&args.words, "words", 1000, "how many words are written")
	flags.IntVar(&args.seed, "seed", 1111, "of the random numbers")
	flags.Float64Var(&args.temperature, "temperature", 1, "higher means more diverse")
	flags.IntVar(&args.logInterval, "log-interval", 100, "words from one printed line to the next")
	flags.BoolVar(&args.accel, "accel", false, "use a GPU if there is one")
	program.AtLeast(flags, 0, "words")
	program.AtLeast(flags, 1, "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	if args.temperature < 1e-3 {
		return fmt.Errorf("generate: the temperature is %v; it must be 0.001 or more", args.temperature)
	}
	return program.Run(ctx, func() error { return generate(ctx, w, args) })
}

func generate(ctx context.Context, w io.Writer, args generateArguments) (err error) {
	torch.ManualSeed(int64(args.seed))
	device := torch.CPU
	if args.accel && accelerator.IsAvailable() {
		device = accelerator.CurrentAccelerator()
	}
	model, err := loadModel(args.checkpoint, device)
	if err != nil {
		return err
	}
	nn.Eval(model)

	root, remove, err := made.Root(args.data, sentences)
	if err != nil {
		return err
	}
	defer remove()
	corpus, err := NewCorpus(root)
	if err != nil {
		return err
	}
	ntokens := corpus.dictionary.len()

	var hidden any
	if rnn, ok := model.(*RNNModel); ok {
		hidden = rnn.initHidden(1)
	}
	input := torch.RandInt(0, ntokens, 1, 1).To(device)

	file, err := os.Create(args.outf)
	if err != nil {
		return err
	}
	outf := bufio.NewWriter(file)
	defer func() { err = errors.Join(err, outf.Flush(), file.Close()) }()
	torch.NoGrad(func() {
		for i := range args.words {
			if err = ctx.Err(); err != nil {
				return
			}
			var wordIdx *torch.Tensor
			switch model := model.(type) {
			case *TransformerModel:
				output := model.Forward(input, false)
				wordWeights := output.Index(-1).Squeeze().DivScalar(args.temperature).Exp().To(torch.CPU)
				wordIdx = wordWeights.Multinomial(1).Index(0)
				input = torch.Cat([]*torch.Tensor{input, wordIdx.View(1, 1).To(device)}, 0)
			case *RNNModel:
				var output *torch.Tensor
				output, hidden = model.Forward(input, hidden)
				wordWeights := output.Squeeze().DivScalar(args.temperature).Exp().To(torch.CPU)
				wordIdx = wordWeights.Multinomial(1).Index(0)
				input.FillTensorInPlace(wordIdx)
			}
			word := corpus.dictionary.idx2word[torch.Item[int](wordIdx)]

			if i%20 == 19 {
				fmt.Fprintln(outf, word)
			} else {
				fmt.Fprint(outf, word, " ")
			}

			if i%args.logInterval == 0 {
				fmt.Fprintf(w, "| Generated %d/%d words\n", i, args.words)
			}
		}
	})
	return err
}
