package optim_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/optim"
)

// A line is fitted to points.
func Example() {
	x := torch.FromSlice([]float32{0, 1, 2, 3}, 4, 1)
	y := torch.FromSlice([]float32{1, 3, 5, 7}, 4, 1)
	w := torch.Options{RequiresGrad: true}.Zeros(1, 1)
	b := torch.Options{RequiresGrad: true}.Zeros(1)

	opt := optim.NewSGD([]*torch.Tensor{w, b}, optim.SGDOptions{LR: 0.05, Momentum: 0.9})
	for range 300 {
		opt.ZeroGrad()
		F.MSELoss(F.Linear(x, w, b), y).Backward()
		opt.Step()
	}
	fmt.Printf("y = %.2f x + %.2f\n", w.Item(), b.Item())
	// Output: y = 2.00 x + 1.00
}

// Groups of parameters have options of their own.
func ExampleGroup() {
	w := torch.Options{RequiresGrad: true}.Ones(2, 2)
	b := torch.Options{RequiresGrad: true}.Ones(2)
	opt := optim.NewAdamW([]optim.Group{
		{Params: []*torch.Tensor{w}},
		{Params: []*torch.Tensor{b}, Options: optim.AdamWOptions{WeightDecay: 0, LR: 0.1}},
	}, optim.AdamWOptions{WeightDecay: 0.05})
	for _, g := range opt.ParamGroups() {
		fmt.Println(g.LR(), g.Get("weight_decay"))
	}
	// Output:
	// 0.001 0.05
	// 0.1 0
}

// L-BFGS calls a function that computes the loss.
func ExampleNewLBFGS() {
	x := torch.Options{RequiresGrad: true}.Full(3.0, 2)
	opt := optim.NewLBFGS([]*torch.Tensor{x}, optim.LBFGSOptions{LineSearchFn: "strong_wolfe"})
	opt.StepClosure(func() *torch.Tensor {
		opt.ZeroGrad()
		loss := x.SubScalar(1).Square().Sum()
		loss.Backward()
		return loss
	})
	fmt.Printf("%.3f\n", torch.Data[float32](x.Detach()))
	// Output: [1.000 1.000]
}

// A scheduler changes the learning rate.
func ExampleNewSequentialLR() {
	w := torch.Options{RequiresGrad: true}.Ones(1)
	opt := optim.NewSGD([]*torch.Tensor{w}, optim.SGDOptions{LR: 0.8})
	sched := optim.NewSequentialLR(opt, []*optim.Scheduler{
		optim.NewLinearLR(opt, optim.LinearLROptions{StartFactor: new(0.25), TotalIters: new(2)}), // warms up
		optim.NewStepLR(opt, 2, optim.StepLROptions{Gamma: new(0.5)}),
	}, []int{3})
	for range 7 {
		fmt.Print(sched.LastLR()[0], " ")
		opt.Step()
		sched.Step()
	}
	// Output: 0.2 0.5 0.8 0.8 0.8 0.4 0.4
}
