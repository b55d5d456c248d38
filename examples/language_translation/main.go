// Language_translation trains a Transformer to translate sentences from German to English:
// https://github.com/pytorch/examples/tree/main/language_translation.
//
//	go run ./examples/language_translation -data ~/multi30k
//	go run ./examples/language_translation -data ~/multi30k -inference -model_path best.pt
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
)

type arguments struct {
	data, src, tgt                                 string
	epochs, batch, attnHeads, encLayers, decLayers int
	embedSize, dimFeedforward, logInterval         int
	lr, dropout                                    float64
	backend, modelPath, loggingDir                 string
	dryRun, inference                              bool
	seed                                           *int
}

func main() { program.Main(run) }

// stdin has the sentences to translate.
var stdin io.Reader = os.Stdin

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("language_translation", "Trains a Transformer to translate sentences, or translates with it.")
	flags.IntVar(&args.epochs, "epochs", 30, "how often the sentences are seen")
	flags.IntVar(&args.epochs, "e", 30, "the same as -epochs")
	flags.StringVar(&args.src, "src", "de", "source language, the end of the names of files")
	flags.StringVar(&args.tgt, "tgt", "en", "target language, the end of the names of files")
	flags.Float64Var(&args.lr, "lr", 1e-4, "learning rate")
	flags.IntVar(&args.batch, "batch", 128, "pairs of sentences of a step")
	flags.StringVar(&args.backend, "backend", "cpu", "cpu or gpu")
	flags.IntVar(&args.attnHeads, "attn_heads", 8, "heads of the attention")
	flags.IntVar(&args.encLayers, "enc_layers", 5, "layers of the encoder")
	flags.IntVar(&args.decLayers, "dec_layers", 5, "layers of the decoder")
	flags.IntVar(&args.embedSize, "embed_size", 512, "size of the embeddings of words")
	flags.IntVar(&args.dimFeedforward, "dim_feedforward", 512, "hidden units of a layer")
	flags.Float64Var(&args.dropout, "dropout", 0.1, "probability of dropout")
	flags.BoolVar(&args.dryRun, "dry_run", false, "end each epoch after one step")
	flags.BoolVar(&args.inference, "inference", false, "translate sentences that are typed, by the weights of model_path")
	flags.StringVar(&args.modelPath, "model_path", "", "the `file` of weights for -inference, made with the same sizes and sentences")
	flags.StringVar(&args.loggingDir, "logging_dir", ".", "`folder` for best.pt and last.pt")
	flags.StringVar(&args.data, "data", "", "`folder` of train.de, train.en, val.de and val.en; by default sentences are made")
	program.OptionalInt(flags, &args.seed, "seed", "`number` for the random numbers; by default they differ each time")
	flags.IntVar(&args.logInterval, "log-interval", 10, "steps from one printed loss to the next")
	program.AtLeast(flags, 0, "epochs", "e")
	program.AtLeast(flags, 1, "batch", "attn_heads", "enc_layers", "dec_layers", "embed_size", "dim_feedforward", "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return translation(ctx, w, args) })
}

func translation(ctx context.Context, w io.Writer, args arguments) error {
	if args.seed != nil {
		torch.ManualSeed(int64(*args.seed))
	}
	device := torch.CPU
	if args.backend == "gpu" && cuda.IsAvailable() {
		device = torch.CUDA
	}
	root, remove, err := made.Root(args.data, made.Pairs(512, 64))
	if err != nil {
		return err
	}
	defer remove()
	corpus, err := NewCorpus(root, args.src, args.tgt)
	if err != nil {
		return err
	}
	model := NewTranslator(corpus.src.len(), corpus.tgt.len(), args)
	nn.To(model, device)
	t := &trainer{w: w, args: args, corpus: corpus, model: model, device: device}
	if args.inference {
		return t.inference(ctx)
	}
	fmt.Fprintf(w, "Translation task: %s -> %s\n", args.src, args.tgt)
	fmt.Fprintf(w, "Using device: %v\n", device)
	return t.run(ctx)
}

// A trainer is what training, validation and translation share.
type trainer struct {
	w         io.Writer
	args      arguments
	corpus    *Corpus
	model     *Translator
	device    torch.Device
	lossFn    *nn.CrossEntropyLoss
	optimizer *optim.Optimizer
}

// loss returns the mean loss of the words of a batch, each of which follows those before it.
func (t *trainer) loss(batch Pairs) *torch.Tensor {
	src, tgt := batch.Src.To(t.device), batch.Tgt.To(t.device)
	tgtInput := tgt.Index(torch.Slice(0, -1))

	srcMask, tgtMask, srcPaddingMask, tgtPaddingMask := createMask(src, tgtInput)
	logits := t.model.Forward(src, tgtInput, srcMask, tgtMask, srcPaddingMask, tgtPaddingMask, srcPaddingMask)

	tgtOut := tgt.Index(torch.Slice(1, torch.End))
	return t.lossFn.Forward(logits.Reshape(-1, logits.Size(-1)), tgtOut.Reshape(-1))
}

func (t *trainer) train(ctx context.Context, loader *data.Loader[Pairs], epoch int) (float64, error) {
	nn.Train(t.model)
	losses, i := 0., 0
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return 0, err
		}
		loss := t.loss(batch)
		t.optimizer.ZeroGrad()
		loss.Backward()
		t.optimizer.Step()

		losses += loss.Item()
		if i%t.args.logInterval == 0 {
			fmt.Fprintf(t.w, "Epoch: %d [%d/%d]\tLoss: %.9g\n", epoch, i+1, loader.Len(), loss.Item())
		}
		if t.args.dryRun {
			break
		}
		i++
	}
	return losses / float64(loader.Len()), nil
}

func (t *trainer) validate(ctx context.Context, loader *data.Loader[Pairs]) (float64, error) {
	nn.Eval(t.model)
	losses := 0.
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return 0, err
		}
		torch.NoGrad(func() { losses += t.loss(batch).Item() })
	}
	return losses / float64(loader.Len()), nil
}

func (t *trainer) run(ctx context.Context) error {
	pad := padID
	t.lossFn = &nn.CrossEntropyLoss{IgnoreIndex: &pad}
	// These values are from the paper "Attention Is All You Need".
	t.optimizer = optim.NewAdam(nn.Parameters(t.model), optim.AdamOptions{LR: t.args.lr, Betas: []float64{0.9, 0.98}, Eps: 1e-9})
	options := data.LoaderOptions{BatchSize: t.args.batch}
	trainLoader := data.NewLoaderFunc(t.corpus.train, collate, options)
	validLoader := data.NewLoaderFunc(t.corpus.valid, collate, options)

	bestValLoss := 1e6
	for epoch := range t.args.epochs {
		start := time.Now()
		trainLoss, err := t.train(ctx, trainLoader, epoch+1)
		if err != nil {
			return err
		}
		epochTime := time.Since(start)
		valLoss, err := t.validate(ctx, validLoader)
		if err != nil {
			return err
		}
		if valLoss < bestValLoss {
			bestValLoss = valLoss
			fmt.Fprintln(t.w, "New best model, saving...")
			if err := torch.Save(filepath.Join(t.args.loggingDir, "best.pt"), nn.StateDict(t.model)); err != nil {
				return err
			}
		}
		if err := torch.Save(filepath.Join(t.args.loggingDir, "last.pt"), nn.StateDict(t.model)); err != nil {
			return err
		}
		fmt.Fprintf(t.w, "Epoch: %d\n\tTrain loss: %.3f\n\tVal loss: %.3f\n\tEpoch time = %.1f seconds\n\tETA = %.1f seconds\n",
			epoch+1, trainLoss, valLoss, epochTime.Seconds(), epochTime.Seconds()*float64(t.args.epochs-epoch-1))
	}
	return nil
}

// inference translates each line that is typed.
func (t *trainer) inference(ctx context.Context) error {
	if t.args.modelPath == "" {
		return fmt.Errorf("-inference needs the weights of a model: give -model_path")
	}
	weights, err := torch.LoadStateDict(t.args.modelPath)
	if err != nil {
		return err
	}
	if err := nn.LoadStateDict(t.model, weights); err != nil {
		return err
	}
	nn.Eval(t.model)
	lines := bufio.NewScanner(stdin)
	for fmt.Fprint(t.w, "> "); ctx.Err() == nil && lines.Scan(); fmt.Fprint(t.w, "> ") {
		if strings.TrimSpace(lines.Text()) != "" {
			fmt.Fprintln(t.w, t.translate(lines.Text()))
		}
	}
	fmt.Fprintln(t.w)
	return lines.Err()
}

// translate returns the translation of a sentence.
func (t *trainer) translate(sentence string) (translated string) {
	torch.NoGrad(func() {
		src := torch.NewTensor(t.corpus.src.ids(sentence)).View(-1, 1).To(t.device)
		ids := t.greedyDecode(src, src.Size(0)+5)
		translated = t.corpus.tgt.text(ids)
	})
	return translated
}

// greedyDecode takes the most probable word after those before it, until the sentence ends or has maxLen words.
func (t *trainer) greedyDecode(src *torch.Tensor, maxLen int) []int { // [S, 1]
	n := src.Size(0)
	memory := t.model.Encode(src, torch.Options{DType: torch.Bool, Device: t.device}.Zeros(n, n))
	ids := []int{bosID}
	for len(ids) < maxLen && ids[len(ids)-1] != eosID {
		ys := torch.NewTensor(ids).View(-1, 1).To(t.device)
		out := t.model.Decode(ys, memory, generateSquareSubsequentMask(len(ids), t.device))
		prob := t.model.FF.Forward(out.Select(0, -1)) // [1, words]
		ids = append(ids, int(prob.ArgMax(1).Item()))
	}
	return ids
}
