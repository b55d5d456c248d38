package oracle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
	"github.com/torchhub/torchhub/torch/internal/kernels/oracle"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// TestTokens runs a layer of attention on two samples, of whose pixels only each second one stays, by tensors [N, L, C].
func TestTokens(t *testing.T) {
	w := torch.Randn(12, 4, 1, 1)
	p := &kernels.Program{
		Values: []kernels.Value{{N: 2, C: 4, H: 1, W: 6}, {N: 2, C: 4, H: 1, W: 4}, {N: 2, C: 12, H: 1, W: 4}, {N: 2, C: 4, H: 1, W: 4}},
		Instructions: []kernels.Instruction{
			{Kind: kernels.Gather, In: []int{0}, Out: 1, Table: []int32{0, 2, 4, -1}},
			{Kind: kernels.Conv, In: []int{1}, Out: 2, Weight: w, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1},
			{Kind: kernels.Attention, In: []int{2, 2, 2}, Out: 3, Heads: 2, Offsets: [3]int{0, 4, 8}, Eps: 0.3},
		},
		Inputs:  []kernels.Port{{Value: 0, Strides: [4]int{24, 1, 0, 4}}},
		Outputs: []kernels.Port{{Value: 3, Strides: [4]int{16, 1, 0, 4}}},
	}
	x, y := torch.Randn(2, 6, 4), torch.Zeros(2, 4, 4)
	oracle.Run(p, []*torch.Tensor{x}, []*torch.Tensor{y})

	kept := torch.Cat([]*torch.Tensor{x.IndexSelect(1, torch.FromSlice([]int64{0, 2, 4})), torch.Zeros(2, 1, 4)}, 1)
	qkv := F.Linear(kept, w.Reshape(12, 4), nil).Reshape(2, 4, 3, 2, 2).Permute(2, 0, 3, 1, 4)
	want := F.ScaledDotProductAttention(qkv.Select(0, 0), qkv.Select(0, 1), qkv.Select(0, 2), F.ScaledDotProductAttentionOptions{Scale: new(0.3)}).Transpose(1, 2).Reshape(2, 4, 4)
	require.Less(t, y.Sub(want).Abs().Max().Item(), 1e-5) // sums of 4 numbers near 1
}

// TestWrongShape runs an instruction whose value has another shape than its result.
func TestWrongShape(t *testing.T) {
	p := &kernels.Program{
		Values:       []kernels.Value{{N: 1, C: 2, H: 4, W: 4}, {N: 1, C: 2, H: 1, W: 2}},
		Instructions: []kernels.Instruction{{Kind: kernels.Mean, In: []int{0}, Out: 1}},
		Inputs:       []kernels.Port{{Value: 0, Strides: [4]int{32, 16, 4, 1}}},
	}
	err := torch.Try(func() { oracle.Run(p, []*torch.Tensor{torch.Ones(1, 2, 4, 4)}, nil) })
	require.ErrorContains(t, err, "is [1 2 1 1], and its value is [1 2 1 2]")
}
