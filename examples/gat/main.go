// Gat learns the topics of papers from their words and from which cite which, by graph attention:
// https://github.com/pytorch/examples/tree/main/gat.
//
//	go run ./examples/gat
package main

import (
	"context"
	"fmt"
	"io"
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

// GraphAttentionLayer is a layer of "Graph Attention Networks" (Veličković et al. 2017), https://arxiv.org/abs/1710.10903:
// each node takes from its neighbors by weights that depend on both.
type GraphAttentionLayer struct {
	W *torch.Tensor `nn:"W"` // [in, hidden·heads]
	A *torch.Tensor // [heads, 2·hidden, 1]

	nHeads, nHidden, outFeatures int
	concat                       bool
	dropout, slope               float64
	Training                     bool
}

// A layerConfig has what the layers of a network have in common.
type layerConfig struct {
	concat              bool
	dropout, leakySlope float64
}

func NewGraphAttentionLayer(inFeatures, outFeatures, nHeads int, c layerConfig) *GraphAttentionLayer {
	m := &GraphAttentionLayer{nHeads: nHeads, nHidden: outFeatures, outFeatures: outFeatures, concat: c.concat, dropout: c.dropout, slope: c.leakySlope, Training: true}
	if c.concat { // else the heads are averaged
		m.nHidden = outFeatures / nHeads
	}
	m.W = torch.Options{RequiresGrad: true}.Empty(inFeatures, m.nHidden*nHeads)
	m.A = torch.Options{RequiresGrad: true}.Empty(nHeads, 2*m.nHidden, 1)
	m.resetParameters()
	return m
}

func (m *GraphAttentionLayer) resetParameters() {
	nn.InitXavierNormal(m.W)
	nn.InitXavierNormal(m.A)
}

// getAttentionScores returns a score for each pair of nodes: e_ij = LeakyReLU(aᵀ [Wh_i || Wh_j]).
func (m *GraphAttentionLayer) getAttentionScores(hTransformed *torch.Tensor) *torch.Tensor { // [heads, N, hidden] → [heads, N, N]
	sourceScores := hTransformed.MatMul(m.A.Index(torch.All, torch.Slice(0, m.nHidden), torch.All))
	targetScores := hTransformed.MatMul(m.A.Index(torch.All, torch.Slice(m.nHidden, torch.End), torch.All))
	e := sourceScores.Add(targetScores.MT())
	return F.LeakyReLU(e, F.LeakyReLUOptions{NegativeSlope: m.slope})
}

func (m *GraphAttentionLayer) Forward(h, adjMat *torch.Tensor) *torch.Tensor { // [N, in], [N, N] → [N, out]
	nNodes := h.Size(0)
	hTransformed := h.MM(m.W)
	hTransformed = F.Dropout(hTransformed, m.dropout, m.Training)
	hTransformed = hTransformed.View(nNodes, m.nHeads, m.nHidden).Permute(1, 0, 2)

	// Nodes that are no neighbors have no weight.
	e := m.getAttentionScores(hTransformed)
	connectivityMask := torch.OnesLike(e).MulScalar(-9e16)
	e = torch.Where(adjMat.GtScalar(0), e, connectivityMask)

	attention := F.Softmax(e, -1)
	attention = F.Dropout(attention, m.dropout, m.Training)
	hPrime := attention.MatMul(hTransformed) // [heads, N, hidden]

	if m.concat {
		return hPrime.Permute(1, 0, 2).Contiguous().View(nNodes, m.outFeatures)
	}
	return hPrime.Mean(0)
}

// GAT is two layers of graph attention.
type GAT struct {
	Gat1, Gat2 *GraphAttentionLayer
}

func NewGAT(inFeatures, nHidden, nHeads, numClasses int, c layerConfig) *GAT {
	gat1 := NewGraphAttentionLayer(inFeatures, nHidden, nHeads, c)
	c.concat = false
	return &GAT{Gat1: gat1, Gat2: NewGraphAttentionLayer(nHidden, numClasses, 1, c)}
}

// Forward returns the logarithms of the probabilities of the classes.
func (m *GAT) Forward(inputTensor, adjMat *torch.Tensor) *torch.Tensor { // [N, in], [N, N] → [N, classes]
	x := m.Gat1.Forward(inputTensor, adjMat)
	x = F.ELU(x)
	x = m.Gat2.Forward(x, adjMat)
	return F.LogSoftmax(x, 1)
}

type arguments struct {
	epochs, hiddenDim, numHeads, valEvery, seed int
	lr, l2, dropoutP                            float64
	concatHeads, noAccel, dryRun                bool
	data                                        string
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("gat", "Learns the topics of papers by graph attention.")
	flags.IntVar(&args.epochs, "epochs", 300, "how often the graph is seen")
	flags.Float64Var(&args.lr, "lr", 0.005, "learning rate")
	flags.Float64Var(&args.l2, "l2", 5e-4, "weight decay")
	flags.Float64Var(&args.dropoutP, "dropout-p", 0.6, "probability of dropout")
	flags.IntVar(&args.hiddenDim, "hidden-dim", 64, "size of the hidden representation")
	flags.IntVar(&args.numHeads, "num-heads", 8, "heads of the attention")
	flags.BoolVar(&args.concatHeads, "concat-heads", false, "concatenate the heads in place of averaging them")
	flags.IntVar(&args.valEvery, "val-every", 20, "epochs from one printed loss to the next")
	flags.BoolVar(&args.noAccel, "no-accel", false, "use no GPU")
	flags.BoolVar(&args.dryRun, "dry-run", false, "end after one epoch")
	flags.IntVar(&args.seed, "seed", 13, "of the random numbers")
	flags.StringVar(&args.data, "data", "", "`folder` of cora.content and cora.cites; by default a graph is made")
	program.AtLeast(flags, 0, "epochs")
	program.AtLeast(flags, 1, "hidden-dim", "num-heads", "val-every")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	if args.concatHeads && (args.numHeads < 1 || args.hiddenDim%args.numHeads != 0) {
		return fmt.Errorf("gat: hidden-dim is %d and num-heads %d; with concat-heads it must be a multiple", args.hiddenDim, args.numHeads)
	}
	return program.Run(ctx, func() error { return gat(ctx, w, args) })
}

func gat(ctx context.Context, w io.Writer, args arguments) error {
	torch.ManualSeed(int64(args.seed))
	device := torch.CPU
	if !args.noAccel && accelerator.IsAvailable() {
		device = accelerator.CurrentAccelerator()
	}
	fmt.Fprintf(w, "Using %s device\n", device)

	fmt.Fprintln(w, "Loading dataset...")
	root, remove, err := made.Root(args.data, made.Cora(200, 100))
	if err != nil {
		return err
	}
	defer remove()
	features, labels, adjMat, err := cora.Load(root)
	if err != nil {
		return err
	}
	features, labels, adjMat = features.To(device), labels.To(device), adjMat.To(device)
	n := labels.Size(0)
	idx := torch.RandPerm(n).To(device)
	// 1200 and 400 papers of Cora's 2708
	test, val := n*1200/2708, n*1600/2708
	idxTest, idxVal, idxTrain := idx.Index(torch.Slice(0, test)), idx.Index(torch.Slice(test, val)), idx.Index(torch.Slice(val, torch.End))

	model := NewGAT(features.Size(1), args.hiddenDim, args.numHeads, torch.Item[int](labels.Max())+1, layerConfig{args.concatHeads, args.dropoutP, 0.2})
	nn.To(model, device)
	optimizer := optim.NewAdam(nn.Parameters(model), optim.AdamOptions{LR: args.lr, WeightDecay: args.l2})
	criterion := &nn.NLLLoss{}

	// evaluate returns the loss and the share of right topics.
	evaluate := func(mask *torch.Tensor) (loss, acc float64) {
		nn.Eval(model)
		torch.NoGrad(func() {
			torch.Scope(func() {
				output := model.Forward(features, adjMat)
				output, target := output.Index(mask), labels.Index(mask)
				loss = criterion.Forward(output, target).Item()
				acc = output.ArgMax(1).Eq(target).ToDType(torch.Float32).Sum().Item() / float64(target.Size(0))
			})
		})
		return loss, acc
	}
	for epoch := range args.epochs {
		start := time.Now()
		nn.Train(model)
		optimizer.ZeroGrad()

		torch.Scope(func() {
			output := model.Forward(features, adjMat)
			loss := criterion.Forward(output.Index(idxTrain), labels.Index(idxTrain))

			loss.Backward()
			optimizer.Step()
		})

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
