// Time_sequence_prediction learns sine waves with two LSTM cells and LBFGS, in float64, and predicts how they go on:
// https://github.com/pytorch/examples/tree/main/time_sequence_prediction.
//
//	go run ./examples/time_sequence_prediction -waves 100 -length 1000 -future 1000
package main

import (
	"context"
	"fmt"
	"io"

	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
)

// generateSineWave returns waves of the period 40π that begin at random. Python's program draws the beginnings with
// NumPy after np.random.seed(2): they are the same, since NumPy and PyTorch have one generator.
func generateSineWave(n, length int) *torch.Tensor { // [n, length]
	const t = 20
	g := torch.NewGenerator(torch.CPU).ManualSeed(2)
	draw := torch.Options{DType: torch.Int64}.Empty(1)
	starts := make([]int, n)
	for i := range starts {
		for {
			if starts[i] = torch.Item[int](draw.RandomInPlace(0, 256, torch.RandomOptions{Generator: g})); starts[i] < 8*t {
				break
			}
		}
	}
	x := torch.Arange(length).Add(torch.NewTensor(starts).SubScalar(4*t).View(n, 1))
	return x.ToDType(torch.Float64).DivScalar(t).Sin()
}

// Sequence predicts the next value of each wave.
type Sequence struct {
	LSTM1, LSTM2 *nn.LSTMCell
	Linear       *nn.Linear
}

func NewSequence() *Sequence {
	return &Sequence{
		LSTM1:  nn.NewLSTMCell(1, 51),
		LSTM2:  nn.NewLSTMCell(51, 51),
		Linear: nn.NewLinear(51, 1),
	}
}

func (m *Sequence) Forward(input *torch.Tensor, future int) *torch.Tensor { // [N, L] → [N, L+future]
	var outputs []*torch.Tensor
	double := torch.Options{DType: torch.Float64}
	s := nn.LSTMState{H: double.Zeros(input.Size(0), 51), C: double.Zeros(input.Size(0), 51)}
	s2 := nn.LSTMState{H: double.Zeros(input.Size(0), 51), C: double.Zeros(input.Size(0), 51)}

	var output *torch.Tensor
	for _, inputT := range input.Split(1, torch.SplitOptions{Dim: 1}) {
		s = m.LSTM1.Forward(inputT, s)
		s2 = m.LSTM2.Forward(s.H, s2)
		output = m.Linear.Forward(s2.H)
		outputs = append(outputs, output)
	}
	for range future { // predict the future
		s = m.LSTM1.Forward(output, s)
		s2 = m.LSTM2.Forward(s.H, s2)
		output = m.Linear.Forward(s2.H)
		outputs = append(outputs, output)
	}
	return torch.Cat(outputs, 1)
}

type arguments struct {
	steps, waves, length, future int
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("time_sequence_prediction", "Predicts how sine waves go on.")
	flags.IntVar(&args.steps, "steps", 15, "steps to run, of up to 20 losses each")
	flags.IntVar(&args.waves, "waves", 13, "how many waves are made, of which 3 are for testing; Python's program has 100")
	flags.IntVar(&args.length, "length", 100, "length of the waves; Python's program has 1000")
	flags.IntVar(&args.future, "future", 100, "length of the predictions; Python's program has 1000")
	program.AtLeast(flags, 0, "steps")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	if args.waves < 4 || args.length < 2 || args.future < 1 {
		return fmt.Errorf("time_sequence_prediction: %d waves of the length %d and predictions of %d are too little; there must be 4 waves of the length 2 and predictions of 1", args.waves, args.length, args.future)
	}
	return program.Run(ctx, func() error { return predict(ctx, w, args) })
}

func predict(ctx context.Context, w io.Writer, args arguments) error {
	torch.ManualSeed(0)
	data := generateSineWave(args.waves, args.length)
	input := data.Index(torch.Slice(3, torch.End), torch.Slice(0, -1))
	target := data.Index(torch.Slice(3, torch.End), torch.Slice(1, torch.End))
	testInput := data.Index(torch.Slice(0, 3), torch.Slice(0, -1))
	testTarget := data.Index(torch.Slice(0, 3), torch.Slice(1, torch.End))

	seq := NewSequence()
	nn.ToDType(seq, torch.Float64)
	criterion := &nn.MSELoss{}
	// LBFGS, since all data are used at once
	optimizer := optim.NewLBFGS(nn.Parameters(seq), optim.LBFGSOptions{LR: 0.8})
	for i := range args.steps {
		fmt.Fprintln(w, "STEP:", i)
		optimizer.StepClosure(func() (loss *torch.Tensor) {
			torch.Scope(func() {
				optimizer.ZeroGrad()
				out := seq.Forward(input, 0)
				loss = torch.Keep(criterion.Forward(out, target))
				fmt.Fprintf(w, "Loss: %.9g\n", loss.Item())
				loss.Backward()
			})
			return loss
		})
		if err := ctx.Err(); err != nil {
			return err
		}
		// predict, without recording for gradients
		torch.NoGrad(func() {
			pred := seq.Forward(testInput, args.future)
			loss := criterion.Forward(pred.Index(torch.All, torch.Slice(0, -args.future)), testTarget)
			fmt.Fprintln(w, "test loss:", loss.Item())
		})
	}
	return nil
}
