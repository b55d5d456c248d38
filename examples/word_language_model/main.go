// Word_language_model learns which word comes next, with a recurrent network or a Transformer, and writes sentences:
// https://github.com/pytorch/examples/tree/main/word_language_model.
//
//	go run ./examples/word_language_model
//	go run ./examples/word_language_model generate -words 100
package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
)

type arguments struct {
	data, model, save                          string
	emsize, nhid, nlayers, nhead               int
	lr, clip, dropout                          float64
	epochs, batchSize, bptt, seed, logInterval int
	tied, dryRun, accel, useOptimizer          bool
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	if len(argv) > 0 && argv[0] == "generate" {
		return runGenerate(ctx, w, argv[1:])
	}
	var args arguments
	flags := program.Flags("word_language_model", "Learns which word comes next; with the argument generate it writes sentences.")
	flags.StringVar(&args.data, "data", "", "`folder` of train.txt, valid.txt and test.txt; by default sentences are made")
	flags.StringVar(&args.model, "model", "LSTM", "LSTM, GRU, RNN_TANH, RNN_RELU or Transformer")
	flags.IntVar(&args.emsize, "emsize", 200, "size of the embeddings of words")
	flags.IntVar(&args.nhid, "nhid", 200, "hidden units of a layer")
	flags.IntVar(&args.nlayers, "nlayers", 2, "how many layers")
	flags.Float64Var(&args.lr, "lr", 20, "initial learning rate")
	flags.Float64Var(&args.clip, "clip", 0.25, "largest norm of the gradients")
	flags.IntVar(&args.epochs, "epochs", 40, "how often the words are seen")
	flags.IntVar(&args.batchSize, "batch_size", 20, "sequences of a step")
	flags.IntVar(&args.bptt, "bptt", 35, "length of the sequences")
	flags.Float64Var(&args.dropout, "dropout", 0.2, "probability of dropout")
	flags.BoolVar(&args.tied, "tied", false, "use the same weights for encoder and decoder")
	flags.IntVar(&args.seed, "seed", 1111, "of the random numbers")
	flags.IntVar(&args.logInterval, "log-interval", 200, "steps from one printed loss to the next")
	flags.StringVar(&args.save, "save", "model.pt", "the `file` that the best model is written to")
	flags.IntVar(&args.nhead, "nhead", 2, "heads of the Transformer")
	flags.BoolVar(&args.dryRun, "dry-run", false, "end each epoch after one step")
	flags.BoolVar(&args.accel, "accel", false, "use a GPU if there is one")
	flags.BoolVar(&args.useOptimizer, "use-optimizer", false, "use AdamW")
	program.AtLeast(flags, 0, "epochs")
	program.AtLeast(flags, 1, "emsize", "nhid", "nlayers", "batch_size", "bptt", "log-interval", "nhead")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return languageModel(ctx, w, args) })
}

// sentences are made where there is no folder of others.
var sentences = made.Corpus(600, 100, 100)

const evalBatchSize = 10

// batchify arranges words in columns, which the model takes as independent: with the alphabet as words and 4 columns
//
//	a g m s
//	b h n t
//	c i o u
//	d j p v
//	e k q w
//	f l r x
func batchify(data *torch.Tensor, bsz int, device torch.Device) *torch.Tensor { // [words] → [words/bsz, bsz]
	// How often bsz words fit into the data.
	nbatch := data.Size(0) / bsz
	// Leave out the rest.
	data = data.Narrow(0, 0, nbatch*bsz)
	data = data.View(bsz, -1).T().Contiguous()
	return data.To(device)
}

// repackageHidden detaches hidden states from their history.
func repackageHidden(h any) any {
	if h, ok := h.(*torch.Tensor); ok {
		return h.Detach()
	}
	s := h.(nn.LSTMState)
	return nn.LSTMState{H: s.H.Detach(), C: s.C.Detach()}
}

// getBatch returns bptt rows, and the rows after each as one vector.
func getBatch(source *torch.Tensor, i, bptt int) (data, target *torch.Tensor) {
	seqLen := min(bptt, source.Size(0)-1-i)
	data = source.Index(torch.Slice(i, i+seqLen))
	target = source.Index(torch.Slice(i+1, i+1+seqLen)).View(-1)
	return data, target
}

// A trainer is what training and evaluation share.
type trainer struct {
	w         io.Writer
	args      arguments
	corpus    *Corpus
	model     any // *RNNModel or *TransformerModel
	criterion *nn.NLLLoss
	optimizer *optim.Optimizer // nil without the flag use-optimizer
	lr        float64
}

// evaluate returns the mean loss of the words, without dropout.
func (t *trainer) evaluate(dataSource *torch.Tensor) float64 {
	nn.Eval(t.model)
	totalLoss := 0.
	ntokens := t.corpus.dictionary.len()
	torch.NoGrad(func() {
		var hidden any
		if rnn, ok := t.model.(*RNNModel); ok {
			hidden = rnn.initHidden(evalBatchSize)
		}
		for i := 0; i < dataSource.Size(0)-1; i += t.args.bptt {
			data, targets := getBatch(dataSource, i, t.args.bptt)
			var output *torch.Tensor
			switch model := t.model.(type) {
			case *TransformerModel:
				output = model.Forward(data, true)
				output = output.View(-1, ntokens)
			case *RNNModel:
				output, hidden = model.Forward(data, hidden)
				hidden = repackageHidden(hidden)
			}
			totalLoss += float64(data.Size(0)) * t.criterion.Forward(output, targets).Item()
		}
	})
	return totalLoss / float64(dataSource.Size(0)-1)
}

// train sees all words once.
func (t *trainer) train(ctx context.Context, trainData *torch.Tensor, epoch int) error {
	nn.Train(t.model)
	totalLoss := 0.
	startTime := time.Now()
	ntokens := t.corpus.dictionary.len()
	var hidden any
	if rnn, ok := t.model.(*RNNModel); ok {
		hidden = rnn.initHidden(t.args.batchSize)
	}
	for batch, i := 0, 0; i < trainData.Size(0)-1; batch, i = batch+1, i+t.args.bptt {
		data, targets := getBatch(trainData, i, t.args.bptt)
		if t.args.useOptimizer {
			t.optimizer.ZeroGrad()
		} else {
			nn.ZeroGrad(t.model)
		}
		var output *torch.Tensor
		switch model := t.model.(type) {
		case *TransformerModel:
			output = model.Forward(data, true)
			output = output.View(-1, ntokens)
		case *RNNModel:
			// Without this the gradients would go back to the first words.
			hidden = repackageHidden(hidden)
			output, hidden = model.Forward(data, hidden)
		}
		loss := t.criterion.Forward(output, targets)
		loss.Backward()

		// The gradients of recurrent networks can be very large.
		nn.ClipGradNorm(nn.Parameters(t.model), t.args.clip)
		if t.args.useOptimizer {
			t.optimizer.Step()
		} else {
			for _, p := range nn.Parameters(t.model) {
				p.Data().AddInPlace(p.Grad(), torch.AddOptions{Alpha: -t.lr})
			}
		}

		totalLoss += loss.Item()

		if batch%t.args.logInterval == 0 && batch > 0 {
			curLoss := totalLoss / float64(t.args.logInterval)
			elapsed := time.Since(startTime)
			fmt.Fprintf(t.w, "| epoch %3d | %5d/%5d batches | lr %02.2f | ms/batch %5.2f | Loss: %.9g | ppl %8.2f\n",
				epoch, batch, trainData.Size(0)/t.args.bptt, t.lr,
				elapsed.Seconds()*1000/float64(t.args.logInterval), curLoss, math.Exp(curLoss))
			totalLoss = 0
			startTime = time.Now()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if t.args.dryRun {
			break
		}
	}
	return nil
}

func languageModel(ctx context.Context, w io.Writer, args arguments) error {
	torch.ManualSeed(int64(args.seed))
	device := torch.CPU
	if args.accel && accelerator.IsAvailable() {
		device = accelerator.CurrentAccelerator()
	}
	fmt.Fprintln(w, "Using device:", device)

	root, remove, err := made.Root(args.data, sentences)
	if err != nil {
		return err
	}
	defer remove()
	corpus, err := NewCorpus(root)
	if err != nil {
		return err
	}
	trainData := batchify(corpus.train, args.batchSize, device)
	valData := batchify(corpus.valid, evalBatchSize, device)
	testData := batchify(corpus.test, evalBatchSize, device)

	config := Config{args.model, corpus.dictionary.len(), args.emsize, args.nhead, args.nhid, args.nlayers, args.dropout, args.tied}
	model, err := config.New()
	if err != nil {
		return err
	}
	nn.To(model, device)
	t := &trainer{w: w, args: args, corpus: corpus, model: model, criterion: &nn.NLLLoss{}, lr: args.lr}
	if args.useOptimizer {
		t.optimizer = optim.NewAdamW(nn.Parameters(model), optim.AdamWOptions{LR: args.lr})
	}

	if err := t.epochs(ctx, trainData, valData, config); err != nil {
		return err
	}

	// Load the best model.
	if t.model, err = loadModel(args.save, device); err != nil {
		return err
	}
	testLoss := t.evaluate(testData)
	fmt.Fprintln(w, strings.Repeat("=", 89))
	fmt.Fprintf(w, "| End of training | test loss %5.2f | test ppl %8.2f\n", testLoss, math.Exp(testLoss))
	fmt.Fprintln(w, strings.Repeat("=", 89))
	return nil
}

// epochs trains, and saves the best model. It ends early at Ctrl-C.
func (t *trainer) epochs(ctx context.Context, trainData, valData *torch.Tensor, config Config) error {
	bestValLoss := math.Inf(1)
	for epoch := 1; epoch <= t.args.epochs; epoch++ {
		epochStartTime := time.Now()
		if err := t.train(ctx, trainData, epoch); err != nil {
			if epoch == 1 { // no model has been saved
				return err
			}
			fmt.Fprintln(t.w, strings.Repeat("-", 89))
			fmt.Fprintln(t.w, "Exiting from training early")
			return nil
		}
		valLoss := t.evaluate(valData)
		fmt.Fprintln(t.w, strings.Repeat("-", 89))
		fmt.Fprintf(t.w, "| end of epoch %3d | time: %5.2fs | valid loss %5.2f | valid ppl %8.2f\n",
			epoch, time.Since(epochStartTime).Seconds(), valLoss, math.Exp(valLoss))
		fmt.Fprintln(t.w, strings.Repeat("-", 89))
		// Save the model if it is the best so far.
		if valLoss < bestValLoss {
			if err := torch.Save(t.args.save, Checkpoint{config, nn.StateDict(t.model)}); err != nil {
				return err
			}
			bestValLoss = valLoss
		} else {
			// Reduce the learning rate if there was no progress.
			t.lr /= 4
		}
	}
	return nil
}
