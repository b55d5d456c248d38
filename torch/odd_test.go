package torch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

// nested returns a nested tensor of a 2×3 and a 1×3 one.
func nested() *torch.Tensor {
	var c torch.Call
	c.Tensor(torch.Ones(2, 2, 3))
	c.Tensor(torch.FromSlice([]int64{2, 3, 1, 3}, 2, 2))
	return c.One(torch.NewOp("aten::_nested_from_padded", ""))
}

func TestNestedTensor(t *testing.T) {
	x := nested()
	require.Equal(t, 3, x.Dim())
	require.Equal(t, 9, x.Numel())
	require.Equal(t, torch.Float32, x.DType())
	require.True(t, x.IsContiguous())
	require.Equal(t, "nested_tensor([\n  tensor([[1., 1., 1.],\n          [1., 1., 1.]]),\n  tensor([[1., 1., 1.]])\n])", x.String())
	require.Equal(t, []int{1, 3}, x.Unbind(0)[1].Shape())
	for name, f := range map[string]func(){
		"Shape":    func() { x.Shape() },
		"Strides":  func() { x.Strides() },
		"Size":     func() { x.Size(0) },
		"Data":     func() { torch.Data[float32](x) },
		"WithData": func() { torch.WithData(x, func([]float32) {}) },
		"Bytes":    func() { torch.WithBytes(x, func([]byte) {}) },
		"Item":     func() { x.Item() },
		"Add":      func() { x.Add(torch.Ones(2)) },
		"Index":    func() { x.Index(torch.Slice(0, 1), 0) },
		"Select":   func() { x.Select(-1, 0) },
	} {
		err := torch.Try(f)
		require.ErrorContains(t, err, "nested", name)
	}
}

// TestTensorWithoutMemory reads tensors that have elements and no memory for them.
func TestTensorWithoutMemory(t *testing.T) {
	var c torch.Call
	c.Size(2)
	zero := c.One(torch.NewOp("aten::_efficientzerotensor", ""))
	require.Equal(t, []float32{0, 0}, torch.Data[float32](zero))
	torch.WithBytes(zero, func(b []byte) { require.Equal(t, make([]byte, 8), b) })
	require.Equal(t, "tensor([0., 0.])", zero.String())
	require.Zero(t, zero.Select(0, 1).Item())
	require.ErrorContains(t, torch.Try(func() { torch.WithData(zero, func([]float32) {}) }), "no memory")

	for name, x := range map[string]*torch.Tensor{"meta": torch.Ones(2, 3).To(torch.Meta), "sparse": torch.Ones(2, 3).ToSparse()} {
		for _, f := range []func(){
			func() { torch.Data[float32](x) },
			func() { torch.WithData(x, func([]float32) {}) },
			func() { torch.WithBytes(x, func([]byte) {}) },
			func() { x.Item() },
		} {
			require.Error(t, torch.Try(f), name)
		}
		require.NotEmpty(t, x.String())
	}
}
