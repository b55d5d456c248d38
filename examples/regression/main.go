// Regression fits a polynomial of degree 4 with one linear layer, and gradients without an optimizer:
// https://github.com/pytorch/examples/tree/main/regression.
//
//	go run ./examples/regression
package main

import (
	"context"
	"fmt"
	"io"

	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

const polyDegree = 4

// makeFeatures returns a matrix with the columns x, x², x³ and x⁴.
func makeFeatures(x *torch.Tensor) *torch.Tensor { // [N] → [N, 4]
	x = x.Unsqueeze(1)
	var powers []*torch.Tensor
	for i := range polyDegree {
		powers = append(powers, x.PowScalar(i+1))
	}
	return torch.Cat(powers, 1)
}

// polyDesc describes a polynomial.
func polyDesc(w, b *torch.Tensor) string {
	result := "y = "
	for i, w := range torch.Data[float32](w) {
		result += fmt.Sprintf("%+.2f x^%d ", w, i+1)
	}
	return result + fmt.Sprintf("%+.2f", b.Item())
}

type arguments struct {
	seed, logInterval int
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("regression", "Fits a polynomial with one linear layer.")
	flags.IntVar(&args.seed, "seed", 0, "of the random numbers")
	flags.IntVar(&args.logInterval, "log-interval", 0, "steps from one printed loss to the next; 0 prints the last one only")
	program.AtLeast(flags, 0, "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return regression(ctx, w, args) })
}

func regression(ctx context.Context, w io.Writer, args arguments) error {
	torch.ManualSeed(int64(args.seed))
	wTarget := torch.Randn(polyDegree, 1).MulScalar(5)
	bTarget := torch.Randn(1).MulScalar(5)

	// f is the function that is approximated.
	f := func(x *torch.Tensor) *torch.Tensor { // [N, 4] → [N, 1]
		return x.MM(wTarget).AddScalar(bTarget.Item())
	}
	getBatch := func(batchSize int) (x, y *torch.Tensor) {
		random := torch.Randn(batchSize)
		x = makeFeatures(random)
		return x, f(x)
	}

	fc := nn.NewLinear(wTarget.Size(0), 1)

	batch, loss := 1, 0.
	for ; ; batch++ {
		torch.Scope(func() {
			batchX, batchY := getBatch(32)

			nn.ZeroGrad(fc)

			output := F.SmoothL1Loss(fc.Forward(batchX), batchY)
			loss = output.Item()

			output.Backward()

			for _, param := range nn.Parameters(fc) {
				param.Data().AddInPlace(param.Grad().MulScalar(-0.1))
			}
		})
		if args.logInterval > 0 && batch%args.logInterval == 0 {
			fmt.Fprintf(w, "Batch %d\tLoss: %.9g\n", batch, loss)
		}
		if loss < 1e-3 {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}

	fmt.Fprintf(w, "Loss: %.6f after %d batches\n", loss, batch)
	fmt.Fprintf(w, "==> Learned function:\t%s\n", polyDesc(fc.Weight.View(-1), fc.Bias))
	fmt.Fprintf(w, "==> Actual function:\t%s\n", polyDesc(wTarget.View(-1), bTarget))
	return nil
}
