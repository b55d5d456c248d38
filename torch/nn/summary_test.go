package nn_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// summed has lists, a module twice, frozen and own parameters, and one that is not called.
type summed struct {
	Scale  *torch.Tensor
	Stem   nn.Sequential
	Blocks []nn.Module
	Side   nn.Sequential
	Twice  *nn.Linear
	Frozen *nn.Linear
	Unused *nn.Linear
	Drop   *nn.Dropout
}

func newSummed() *summed {
	m := &summed{
		Scale:  torch.Ones(3).RequireGrad(true),
		Stem:   nn.Sequential{nn.NewConv2d(1, 8, 3, nn.Conv2dOptions{Stride: 2}), nn.NewBatchNorm2d(8), &nn.ReLU{}, nn.NewAdaptiveAvgPool2d(1), &nn.Flatten{}},
		Blocks: []nn.Module{nn.Sequential{nn.NewLinear(8, 8), nn.Sequential{&nn.GELU{}, nn.Sequential{nn.NewLinear(8, 8)}}}, nn.NewLinear(8, 8)},
		Side:   nn.Sequential{nn.NewLinear(8, 8, nn.LinearOptions{NoBias: true})},
		Twice:  nn.NewLinear(8, 8), Frozen: nn.NewLinear(8, 3), Unused: nn.NewLinear(100, 100), Drop: nn.NewDropout(0.5),
	}
	nn.RequireGrad(m.Frozen, false)
	return m
}

func (m *summed) Forward(x *torch.Tensor) *torch.Tensor {
	x = m.Stem.Forward(x)
	for _, b := range m.Blocks {
		x = nn.Call(b, x)
	}
	x = m.Side.Forward(x)
	x = m.Twice.Forward(m.Twice.Forward(x))
	return m.Frozen.Forward(m.Drop.Forward(x)).Mul(m.Scale)
}

// TestSummary compares the table with that of torchinfo 1.8.0.
//
//go:generate sh -c "$TORCHHUB_REFERENCE ../../testdata/gen/summary.py > testdata/summary.txt"
func TestSummary(t *testing.T) {
	m := newSummed()
	want, err := os.ReadFile("testdata/summary.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), nn.Summary(m, torch.Ones(4, 1, 9, 9))+"\n\n"+nn.Summary(m, torch.Ones(4, 1, 9, 9), nn.SummaryOptions{Depth: 1})+"\n")
	require.True(t, m.Drop.Training)
	require.Zero(t, m.Stem[1].(*nn.BatchNorm2d).NumBatchesTracked.Item())
}

func TestThousands(t *testing.T) {
	x := torch.Ones(1, 1<<12)
	require.Contains(t, nn.Summary(nn.NewLinear(1<<12, 1<<13), x), "\nTotal params: 33,562,624\n")
	require.Contains(t, nn.Summary(nn.NewLinear(1<<12, 1000, nn.LinearOptions{NoBias: true}), torch.Ones(1000, 1<<12)), "\nTotal mult-adds (Units.GIGABYTES): 4.10\n")
	require.Contains(t, nn.Summary(nn.NewLinear(1000, 1000, nn.LinearOptions{NoBias: true}), torch.Ones(3000, 1000)), "\nTotal mult-adds (Units.GIGABYTES): 3\n")
}
