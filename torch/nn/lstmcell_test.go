package nn_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
	"github.com/torchhub/torchhub/torch/nn"
)

// TestLSTMCellBits compares the kernel of LSTM cells with libtorch's operators, which compute in inference mode and
// where gradients are recorded: outputs and gradients have the same bits.
func TestLSTMCellBits(t *testing.T) {
	for _, dtype := range []torch.DType{torch.Float32, torch.Float64} {
		for _, size := range [][3]int{{1, 1, 1}, {5, 1, 51}, {5, 51, 51}, {97, 3, 64}, {300, 20, 130}} {
			t.Run(fmt.Sprint(dtype, size), func(t *testing.T) {
				torch.ManualSeed(0)
				n, in, hidden := size[0], size[1], size[2]
				cell := nn.NewLSTMCell(in, hidden, nn.LSTMCellOptions{NoBias: in == 3})
				nn.ToDType(cell, dtype)
				o := torch.Options{DType: dtype, RequiresGrad: true}
				x, h, c := o.Randn(n, in), o.Randn(n, hidden), o.Randn(n, hidden)
				var want nn.LSTMState
				torch.InferenceMode(func() { want = cell.Forward(x, nn.LSTMState{H: h, C: c}) })
				got := cell.Forward(x, nn.LSTMState{H: h, C: c})
				require.True(t, want.H.Equal(got.H))
				require.True(t, want.C.Equal(got.C))
				inputs := append(nn.Parameters(cell), x, h, c)
				gh, gc := torch.RandnLike(got.H), torch.RandnLike(got.C)
				for _, by := range [][]*torch.Tensor{{got.H, gh}, {got.C, gc}, {got.H, gh, got.C, gc}} {
					var y, g []*torch.Tensor
					for pair := range slices.Chunk(by, 2) {
						y, g = append(y, pair[0]), append(g, pair[1])
					}
					options := autograd.GradOptions{GradOutputs: g, RetainGraph: true, AllowUnused: true}
					found := autograd.Grad(y, inputs, options)
					options.CreateGraph = true
					for i, want := range autograd.Grad(y, inputs, options) {
						require.True(t, want.Detach().Equal(found[i]), "the gradient of input %d", i)
					}
				}
			})
		}
	}
}

// TestLSTMCellWithoutGradient has a cell whose outputs get no gradient: neither do its inputs.
func TestLSTMCellWithoutGradient(t *testing.T) {
	cell := nn.NewLSTMCell(2, 3)
	none := autograd.Function{
		Forward:  func(_ *autograd.Context, x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{x[0].Clone()} },
		Backward: func(_ *autograd.Context, _ ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{nil} },
	}
	for _, create := range []bool{false, true} {
		y := none.Apply(cell.Forward(torch.Randn(4, 2)).H)[0].Sum()
		found := autograd.Grad([]*torch.Tensor{y}, nn.Parameters(cell), autograd.GradOptions{CreateGraph: create, AllowUnused: true})
		for _, g := range found {
			require.Nil(t, g)
		}
	}
	none.Apply(cell.Forward(torch.Randn(4, 2)).H)[0].Sum().Backward()
	require.Nil(t, cell.WeightIH.Grad())
}
