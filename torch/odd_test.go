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

// TestSparseDTypes makes sparse matrices of values of all dtypes, which is theirs then.
func TestSparseDTypes(t *testing.T) {
	ints := func(vs ...int64) *torch.Tensor { return torch.FromSlice(vs) }
	for _, d := range []torch.DType{torch.Bool, torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64, torch.Float16, torch.BFloat16, torch.Float32, torch.Float64, torch.Complex64, torch.Complex128} {
		vs, blocks := torch.Ones(2).ToDType(d), torch.Ones(2, 1, 1).ToDType(d)
		for _, x := range []*torch.Tensor{
			torch.SparseCOOTensor(torch.FromSlice([]int64{0, 1, 1, 0}, 2, 2), vs, 2, 2),
			torch.SparseCSRTensor(ints(0, 1, 2), ints(1, 0), vs, 2, 2),
			torch.SparseCSCTensor(ints(0, 1, 2), ints(1, 0), vs, 2, 2),
			torch.SparseBSRTensor(ints(0, 1, 2), ints(1, 0), blocks, 2, 2),
			torch.SparseBSCTensor(ints(0, 1, 2), ints(1, 0), blocks, 2, 2),
		} {
			require.Equal(t, d, x.DType())
			require.Equal(t, []float64{0, 1, 1, 0}, torch.Data[float64](x.ToDense().ToDType(torch.Float64).View(-1)))
			require.NotContains(t, x.String(), "...")
		}
	}
	x := torch.SparseCSRTensor(ints(0, 1, 2), ints(1, 0), torch.FromSlice([]float64{1.5, 2}), 2, 2)
	require.Equal(t, "tensor(crow_indices=tensor([0, 1, 2]),\n       col_indices=tensor([1, 0]),\n       values=tensor([1.5000, 2.0000]), size=(2, 2), nnz=2,\n       dtype=torch.float64, layout=torch.sparse_csr)", x.String())
	x = torch.SparseBSCTensor(ints(0, 1, 1), ints(1), torch.FromSlice([]int64{1, 2, 3, 4}, 1, 2, 2), 4, 4)
	require.Equal(t, "tensor(ccol_indices=tensor([0, 1, 1]),\n       row_indices=tensor([1]),\n       values=tensor([[[1, 2],\n                       [3, 4]]]), size=(4, 4), nnz=1, layout=torch.sparse_bsc)", x.String())
	require.ErrorIs(t, torch.Try(func() { torch.SparseCSRTensor(ints(0, 1), ints(0), nil, 1, 1) }), torch.ErrNil)
}

// TestGradFnNames checks that a number and no dims lead to the operators that Python calls.
func TestGradFnNames(t *testing.T) {
	x := torch.Ones(2, 1).RequireGrad(true)
	for name, y := range map[string]*torch.Tensor{
		"AddBackward0": x.AddScalar(2), "SubBackward0": x.SubScalar(2), "MulBackward0": x.MulScalar(2), "DivBackward0": x.DivScalar(2),
		"SumBackward0": x.Sum(), "SumBackward1": x.Sum(0), "MeanBackward0": x.Mean(), "MeanBackward1": x.Mean(0),
		"LinalgVectorNormBackward0": x.Norm(nil), "SqueezeBackward0": x.Squeeze(), "SqueezeBackward1": x.Squeeze(1), "SqueezeBackward2": x.Squeeze(0, 1),
		"CopyBackwards": torch.Zeros(2, 1).CopyInPlace(x), "NotImplemented": x.FloorDivide(x),
	} {
		require.Contains(t, y.String(), "grad_fn=<"+name+">")
	}
	// The number is none that decides the dtype.
	require.Equal(t, torch.Float32, x.MulScalar(2.5).DType())
	require.Equal(t, torch.Float16, torch.Ones(2).ToDType(torch.Float16).AddScalar(1e5).DType())
	require.Equal(t, torch.Float32, torch.Ones(2).ToDType(torch.Int64).MulScalar(0.5).DType())
	require.Equal(t, torch.Complex64, torch.Ones(2).MulScalar(1i).DType())
	require.Equal(t, torch.Int64, torch.Ones(2).ToDType(torch.Bool).AddScalar(1).DType())
	require.False(t, torch.RandIntLike(x, 0, 3).RequiresGrad())
}
