// Gcn learns the topics of papers from their words and from which cite which, by graph convolutions:
// https://github.com/pytorch/examples/tree/main/gcn.
//
//	go run ./examples/gcn
package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/torchhub/torchhub/examples/internal/cora"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/optim"
)

// GraphConv is the graph convolution of "Semi-Supervised Classification with Graph Convolutional Networks" (Kipf and
// Welling 2016), https://arxiv.org/abs/1609.02907: it multiplies the features of the nodes with a kernel, and sums those of
// neighbors.
type GraphConv struct {
	Kernel *torch.Tensor // [in, out]
	Bias   *torch.Tensor // [out], or nil
}

func NewGraphConv(inputDim, outputDim int, useBias bool) *GraphConv {
	m := &GraphConv{Kernel: torch.Options{RequiresGrad: true}.Empty(inputDim, outputDim)}
	nn.InitXavierNormal(m.Kernel)
	if useBias {
		m.Bias = torch.Options{RequiresGrad: true}.Empty(outputDim)
		nn.InitZeros(m.Bias)
	}
	return m
}

func (m *GraphConv) Forward(inputTensor, adjMat *torch.Tensor) *torch.Tensor { // [N, in], [N, N] → [N, out]
	support := inputTensor.MM(m.Kernel)
	output := adjMat.MM(support)
	if m.Bias != nil {
		output = output.Add(m.Bias)
	}
	return output
}

// GCN is two graph convolutions with a ReLU and a dropout between them.
type GCN struct {
	GC1, GC2 *GraphConv
	Dropout  *nn.Dropout
}

func NewGCN(inputDim, hiddenDim, outputDim int, useBias bool, dropoutP float64) *GCN {
	return &GCN{
		GC1:     NewGraphConv(inputDim, hiddenDim, useBias),
		GC2:     NewGraphConv(hiddenDim, outputDim, useBias),
		Dropout: nn.NewDropout(dropoutP),
	}
}

// Forward returns the logarithms of the probabilities of the classes.
func (m *GCN) Forward(inputTensor, adjMat *torch.Tensor) *torch.Tensor { // [N, in], [N, N] → [N, classes]
	x := m.GC1.Forward(inputTensor, adjMat)
	x = F.ReLU(x)
	x = m.Dropout.Forward(x)
	x = m.GC2.Forward(x, adjMat)
	return F.LogSoftmax(x, 1)
}

type arguments struct {
	epochs, hiddenDim, valEvery, seed int
	lr, l2, dropoutP                  float64
	includeBias, noAccel, dryRun      bool
	data                              string
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("gcn", "Learns the topics of papers by graph convolutions.")
	flags.IntVar(&args.epochs, "epochs", 200, "how often the graph is seen")
	flags.Float64Var(&args.lr, "lr", 0.01, "learning rate")
	flags.Float64Var(&args.l2, "l2", 5e-4, "weight decay")
	flags.Float64Var(&args.dropoutP, "dropout-p", 0.5, "probability of dropout")
	flags.IntVar(&args.hiddenDim, "hidden-dim", 16, "size of the hidden representation")
	flags.IntVar(&args.valEvery, "val-every", 20, "epochs from one printed loss to the next")
	flags.BoolVar(&args.includeBias, "include-bias", false, "add a bias in convolutions")
	flags.BoolVar(&args.noAccel, "no-accel", false, "use no GPU")
	flags.BoolVar(&args.dryRun, "dry-run", false, "end after one epoch")
	flags.IntVar(&args.seed, "seed", 42, "of the random numbers")
	flags.StringVar(&args.data, "data", "", "`folder` of cora.content and cora.cites; by default a graph is made")
	program.AtLeast(flags, 0, "epochs")
	program.AtLeast(flags, 1, "hidden-dim", "val-every")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return gcn(ctx, w, args) })
}

// renormalize returns D^(-1/2) A D^(-1/2) of the adjacency matrix A and the matrix D of its degrees.
func renormalize(adjMat *torch.Tensor) *torch.Tensor {
	degree := adjMat.Sum(1)
	degree = degree.Reciprocal().Sqrt()
	degree.SetIndex(0, degree.EqScalar(math.Inf(1)))
	degreeMat := degree.Diag().ToSparse()
	return degreeMat.MatMul(adjMat).MatMul(degreeMat)
}

func gcn(ctx context.Context, w io.Writer, args arguments) error {
	torch.ManualSeed(int64(args.seed))
	device := torch.CPU
	if !args.noAccel && accelerator.IsAvailable() {
		device = accelerator.CurrentAccelerator()
	}
	fmt.Fprintf(w, "Using %s device\n", device)

	fmt.Fprintln(w, "Loading dataset...")
	root, remove, err := made.Root(args.data, made.Cora(2708, 1433))
	if err != nil {
		return err
	}
	defer remove()
	features, labels, adjMat, err := cora.Load(root)
	if err != nil {
		return err
	}
	features, labels = features.ToSparse().To(device), labels.To(device)
	adjMat = renormalize(adjMat).ToSparse().To(device)
	n := labels.Size(0)
	idx := torch.RandPerm(n).To(device)
	// 1000 and 500 papers of Cora's 2708
	test, val := n*1000/2708, n*1500/2708
	idxTest, idxVal, idxTrain := idx.Index(torch.Slice(0, test)), idx.Index(torch.Slice(test, val)), idx.Index(torch.Slice(val, torch.End))

	model := NewGCN(features.Size(1), args.hiddenDim, torch.Item[int](labels.Max())+1, args.includeBias, args.dropoutP)
	nn.To(model, device)
	optimizer := optim.NewAdam(nn.Parameters(model), optim.AdamOptions{LR: args.lr, WeightDecay: args.l2})
	criterion := &nn.NLLLoss{}

	// evaluate returns the loss and the share of right topics.
	evaluate := func(mask *torch.Tensor) (loss, acc float64) {
		nn.Eval(model)
		torch.NoGrad(func() {
			output := model.Forward(features, adjMat)
			output, target := output.Index(mask), labels.Index(mask)
			loss = criterion.Forward(output, target).Item()
			acc = output.ArgMax(1).Eq(target).ToDType(torch.Float32).Sum().Item() / float64(target.Size(0))
		})
		return loss, acc
	}
	for epoch := range args.epochs {
		start := time.Now()
		nn.Train(model)
		optimizer.ZeroGrad()

		output := model.Forward(features, adjMat)
		loss := criterion.Forward(output.Index(idxTrain), labels.Index(idxTrain))

		loss.Backward()
		optimizer.Step()

		lossTrain, accTrain := evaluate(idxTrain)
		lossVal, accVal := evaluate(idxVal)
		if (epoch+1)%args.valEvery == 0 {
			fmt.Fprintf(w, "Epoch: %04d (%.4fs) Loss_train: %.9g acc_train: %.4f Loss_val: %.9g acc_val: %.4f\n", epoch+1, time.Since(start).Seconds(), lossTrain, accTrain, lossVal, accVal)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if args.dryRun {
			break
		}
	}
	lossTest, accTest := evaluate(idxTest)
	fmt.Fprintf(w, "Test set results: loss %.4f accuracy %.4f\n", lossTest, accTest)
	return nil
}
