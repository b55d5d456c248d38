// Nanogpt trains a small GPT on a text, character by character, and writes more of it:
// https://github.com/karpathy/nanoGPT.
//
//	go run ./examples/nanogpt
//	go run ./examples/nanogpt sample
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
)

type arguments struct {
	outDir, initFrom, data, device, dtype                             string
	evalInterval, logInterval, evalIters, seed                        int
	gradientAccumulationSteps, batchSize, blockSize                   int
	nLayer, nHead, nEmbd, maxIters, warmupIters, lrDecayIters         int
	dropout, learningRate, weightDecay, beta1, beta2, gradClip, minLR float64
	evalOnly, alwaysSaveCheckpoint, bias, constantLR                  bool
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	if len(argv) > 0 && argv[0] == "sample" {
		return runSample(ctx, w, argv[1:])
	}
	var args arguments
	flags := program.Flags("nanogpt", "Trains a small GPT on a text; with the argument sample it writes more of it.")
	flags.StringVar(&args.outDir, "out_dir", "out", "`folder` of the checkpoint ckpt.pt")
	flags.IntVar(&args.evalInterval, "eval_interval", 250, "steps from one evaluation to the next")
	flags.IntVar(&args.logInterval, "log_interval", 10, "steps from one printed loss to the next")
	flags.IntVar(&args.evalIters, "eval_iters", 20, "batches of an evaluation")
	flags.BoolVar(&args.evalOnly, "eval_only", false, "end after the first evaluation")
	flags.BoolVar(&args.alwaysSaveCheckpoint, "always_save_checkpoint", false, "write a checkpoint after each evaluation, not only the best")
	flags.StringVar(&args.initFrom, "init_from", "scratch", "scratch, or resume to go on from the checkpoint")
	flags.StringVar(&args.data, "data", "", "`folder` of input.txt; by default sentences are made")
	flags.IntVar(&args.gradientAccumulationSteps, "gradient_accumulation_steps", 1, "batches of a step")
	flags.IntVar(&args.batchSize, "batch_size", 12, "pieces of text in a batch")
	flags.IntVar(&args.blockSize, "block_size", 64, "characters of a piece")
	flags.IntVar(&args.nLayer, "n_layer", 4, "how many layers")
	flags.IntVar(&args.nHead, "n_head", 4, "heads of the attention")
	flags.IntVar(&args.nEmbd, "n_embd", 128, "size of the embeddings")
	flags.Float64Var(&args.dropout, "dropout", 0, "probability of dropout")
	flags.BoolVar(&args.bias, "bias", false, "biases in linear layers and normalizations")
	flags.Float64Var(&args.learningRate, "learning_rate", 1e-3, "largest learning rate")
	flags.IntVar(&args.maxIters, "max_iters", 500, "how many steps")
	flags.Float64Var(&args.weightDecay, "weight_decay", 1e-1, "weight decay of AdamW")
	flags.Float64Var(&args.beta1, "beta1", 0.9, "of AdamW")
	flags.Float64Var(&args.beta2, "beta2", 0.99, "of AdamW")
	flags.Float64Var(&args.gradClip, "grad_clip", 1, "largest norm of the gradients; 0 is any")
	flags.BoolVar(&args.constantLR, "constant_lr", false, "do not decay the learning rate")
	flags.IntVar(&args.warmupIters, "warmup_iters", 100, "steps in which the learning rate rises")
	flags.IntVar(&args.lrDecayIters, "lr_decay_iters", 500, "step at which the learning rate is smallest")
	flags.Float64Var(&args.minLR, "min_lr", 1e-4, "smallest learning rate")
	flags.StringVar(&args.device, "device", "cpu", "cpu or cuda")
	flags.StringVar(&args.dtype, "dtype", "float32", "of products of matrices on cuda: float32, bfloat16 or float16")
	flags.IntVar(&args.seed, "seed", 1337, "of the random numbers")
	program.AtLeast(flags, 0, "max_iters")
	program.AtLeast(flags, 1, "eval_interval", "log_interval", "eval_iters", "gradient_accumulation_steps", "batch_size", "block_size", "n_layer", "n_head", "n_embd")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	if args.initFrom != "scratch" && args.initFrom != "resume" {
		return fmt.Errorf("nanogpt: init_from is %q; it can be scratch or resume", args.initFrom)
	}
	if args.nHead < 1 || args.nEmbd%args.nHead != 0 {
		return fmt.Errorf("nanogpt: n_embd is %d and n_head %d; it must be a multiple", args.nEmbd, args.nHead)
	}
	return program.Run(ctx, func() error { return train(ctx, w, args) })
}

// A Checkpoint has the keys of nanoGPT's, and the characters of the text.
type Checkpoint struct {
	Model       torch.StateDict
	Optimizer   *torch.Dict
	ModelArgs   GPTConfig
	IterNum     int
	BestValLoss float64
	Chars       string
}

// loadCheckpoint reads a checkpoint.
func loadCheckpoint(path string, device torch.Device) (c Checkpoint, err error) {
	v, err := torch.Load(path, torch.WithMapLocation(device))
	if err != nil {
		return c, err
	}
	if c, err = torch.Get[Checkpoint](v); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return c, err
}

// A trainer is a model with what trains it.
type trainer struct {
	w           io.Writer
	args        arguments
	device      torch.Device
	data        *dataset
	model       *GPT
	optimizer   *optim.Optimizer
	scaler      *amp.GradScaler
	autocast    func(f func())
	iterNum     int
	bestValLoss float64
}

func newTrainer(w io.Writer, args arguments, data *dataset) (*trainer, error) {
	t := &trainer{w: w, args: args, data: data, bestValLoss: 1e9}
	var err error
	if t.device, err = torch.ParseDevice(args.device); err != nil {
		return nil, err
	}
	dtype, err := torch.ParseDType(args.dtype)
	if err != nil {
		return nil, err
	}
	t.autocast = func(f func()) { f() }
	if t.device != torch.CPU {
		t.autocast = func(f func()) { amp.Autocast(t.device, f, amp.AutocastOptions{DType: dtype}) }
	}
	config := GPTConfig{
		NLayer: args.nLayer, NHead: args.nHead, NEmbd: args.nEmbd, BlockSize: args.blockSize,
		Bias: args.bias, VocabSize: len(data.chars), Dropout: args.dropout,
	}
	var checkpoint Checkpoint
	if args.initFrom == "scratch" {
		fmt.Fprintln(w, "Initializing a new model from scratch")
	} else {
		fmt.Fprintln(w, "Resuming training from", args.outDir)
		if checkpoint, err = loadCheckpoint(filepath.Join(args.outDir, "ckpt.pt"), t.device); err != nil {
			return nil, err
		}
		config = checkpoint.ModelArgs
		config.Dropout = args.dropout
		t.args.blockSize = config.BlockSize
		t.iterNum, t.bestValLoss = checkpoint.IterNum, checkpoint.BestValLoss
	}
	t.model = NewGPT(config)
	fmt.Fprintf(w, "number of parameters: %.2fM\n", float64(t.model.numParams())/1e6)
	nn.To(t.model, t.device)
	t.scaler = amp.NewGradScaler(t.device, amp.GradScalerOptions{Disabled: dtype != torch.Float16 || t.device == torch.CPU})
	t.optimizer = t.model.configureOptimizers(w, args.weightDecay, args.learningRate, []float64{args.beta1, args.beta2}, t.device != torch.CPU)
	if args.initFrom == "resume" {
		err = errors.Join(nn.LoadStateDict(t.model, checkpoint.Model), t.optimizer.LoadStateDict(checkpoint.Optimizer))
	}
	return t, err
}

// getBatch draws a batch.
func (t *trainer) getBatch(split *torch.Tensor) (x, y *torch.Tensor) {
	return getBatch(split, t.args.batchSize, t.args.blockSize, t.device)
}

// estimateLoss returns the mean loss of eval_iters batches.
func (t *trainer) estimateLoss(split *torch.Tensor) (mean float64) {
	nn.Eval(t.model)
	torch.NoGrad(func() {
		losses := torch.Zeros(t.args.evalIters)
		for k := range t.args.evalIters {
			x, y := t.getBatch(split)
			var loss *torch.Tensor
			t.autocast(func() { _, loss = t.model.Forward(x, y) })
			losses.SetIndex(loss.Item(), k)
		}
		mean = losses.Mean().Item()
	})
	nn.Train(t.model)
	return mean
}

// getLR returns the learning rate of a step: it rises linearly, and falls as a cosine does.
func (t *trainer) getLR(it int) float64 {
	a := t.args
	switch {
	case a.constantLR:
		return a.learningRate
	case it < a.warmupIters:
		return a.learningRate * float64(it+1) / float64(a.warmupIters+1)
	case it > a.lrDecayIters:
		return a.minLR
	}
	decayRatio := float64(it-a.warmupIters) / float64(a.lrDecayIters-a.warmupIters)
	coeff := 0.5 * (1 + math.Cos(math.Pi*decayRatio)) // from 1 to 0
	return a.minLR + coeff*(a.learningRate-a.minLR)
}

// evaluate prints the losses, and writes a checkpoint.
func (t *trainer) evaluate() error {
	train, val := t.estimateLoss(t.data.train), t.estimateLoss(t.data.val)
	fmt.Fprintf(t.w, "step %d: train loss %.4f, val loss %.4f\n", t.iterNum, train, val)
	if val >= t.bestValLoss && !t.args.alwaysSaveCheckpoint {
		return nil
	}
	t.bestValLoss = val
	if t.iterNum == 0 {
		return nil
	}
	fmt.Fprintln(t.w, "saving checkpoint to", t.args.outDir)
	return torch.Save(filepath.Join(t.args.outDir, "ckpt.pt"), Checkpoint{
		Model:       nn.StateDict(t.model),
		Optimizer:   t.optimizer.StateDict(),
		ModelArgs:   t.model.config,
		IterNum:     t.iterNum,
		BestValLoss: t.bestValLoss,
		Chars:       string(t.data.chars),
	})
}

func train(ctx context.Context, w io.Writer, args arguments) error {
	fmt.Fprintln(w, "tokens per iteration will be:", args.gradientAccumulationSteps*args.batchSize*args.blockSize)
	if err := os.MkdirAll(args.outDir, 0o777); err != nil {
		return err
	}
	torch.ManualSeed(int64(args.seed))
	root, remove, err := made.Root(args.data, made.Characters(4000))
	if err != nil {
		return err
	}
	defer remove()
	data, err := newDataset(root)
	if err != nil {
		return err
	}
	t, err := newTrainer(w, args, data)
	if err != nil {
		return err
	}

	x, y := t.getBatch(data.train)
	for t0 := time.Now(); t.iterNum <= args.maxIters; t.iterNum++ {
		lr := t.getLR(t.iterNum)
		for _, paramGroup := range t.optimizer.ParamGroups() {
			paramGroup.SetLR(lr)
		}

		if t.iterNum%args.evalInterval == 0 {
			if err := t.evaluate(); err != nil {
				return err
			}
		}
		if t.iterNum == 0 && args.evalOnly {
			break
		}

		// The gradients of several batches add up to those of a larger one.
		var loss *torch.Tensor
		for range args.gradientAccumulationSteps {
			t.autocast(func() {
				_, loss = t.model.Forward(x, y)
				loss = loss.DivScalar(args.gradientAccumulationSteps)
			})
			x, y = t.getBatch(data.train)
			t.scaler.Scale(loss).Backward()
		}
		if args.gradClip != 0 {
			t.scaler.Unscale(t.optimizer)
			nn.ClipGradNorm(nn.Parameters(t.model), args.gradClip)
		}
		t.scaler.Step(t.optimizer)
		t.scaler.Update()
		t.optimizer.ZeroGrad()

		dt := time.Since(t0)
		t0 = time.Now()
		if t.iterNum%args.logInterval == 0 {
			lossf := loss.Item() * float64(args.gradientAccumulationSteps)
			fmt.Fprintf(w, "iter %d: Loss: %.9g time %.2fms\n", t.iterNum, lossf, 1000*dt.Seconds())
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
