package torch_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

func TestNewTensor(t *testing.T) {
	for _, c := range []struct {
		data  any
		shape []int
		dtype torch.DType
	}{
		{3, []int{}, torch.Int64},
		{int64(3), []int{}, torch.Int64},
		{2.5, []int{}, torch.Float64},
		{complex64(1i), []int{}, torch.Complex64},
		{[]bool{true, false}, []int{2}, torch.Bool},
		{[3][2]uint8{}, []int{3, 2}, torch.Uint8},
		{[][2]float32{{1, 2}}, []int{1, 2}, torch.Float32},
		{[]int{}, []int{0}, torch.Int64},
		{[][]int{{}, {}}, []int{2, 0}, torch.Int64},
		{[][][]int{}, []int{0, 0, 0}, torch.Int64},
		{[][]torch.BF16{{0}}, []int{1, 1}, torch.BFloat16},
	} {
		x := torch.NewTensor(c.data)
		require.Equal(t, c.shape, x.Shape(), "%T", c.data)
		require.Equal(t, c.dtype, x.DType(), "%T", c.data)
	}
	x := torch.NewTensor([][]int{{1, 2, 3}, {4, 5, math.MaxInt}})
	require.Equal(t, []int{1, 2, 3, 4, 5, math.MaxInt}, torch.Data[int](x))
	require.Equal(t, []int64{1, 2, 3, 4, 5, math.MaxInt}, torch.Data[int64](x))
	require.Equal(t, []int{1, 2}, torch.Data[int](torch.FromSlice([]int{1, 2})))
	y := torch.NewTensor([]float32{1}, torch.Options{DType: torch.Float64, RequiresGrad: true})
	require.True(t, y.RequiresGrad() && y.IsLeaf())
	require.Equal(t, torch.Float64, y.DType())
	require.Equal(t, torch.Meta, torch.NewTensor([]int{1}, torch.Options{Device: torch.Meta}).Device())
	torch.WithDevice(torch.Meta, func() { require.Equal(t, torch.Meta, torch.NewTensor([]int{1}).Device()) })

	for want, data := range map[string]any{
		"torch: NewTensor: the data are nil":                                                              nil,
		"torch: NewTensor: a string holds no numbers of a type of torch.Element":                          "1",
		"torch: NewTensor: a []interface {} holds no numbers of a type of torch.Element":                  []any{1},
		"torch: NewTensor: slices of one dimension have 2 and 1 elements; they must have the same number": [][]int{{1, 2}, {3}},
		"torch: NewTensor: slices of one dimension have 0 and 1 elements; they must have the same number": [][]int{{}, {3}},
	} {
		require.EqualError(t, torch.Try(func() { torch.NewTensor(data) }), want)
	}
}

func TestItem(t *testing.T) {
	large := torch.FromSlice([]int64{1<<53 + 1})
	require.Equal(t, int64(1<<53+1), torch.Item[int64](large))
	require.Equal(t, 1<<53+1, torch.Item[int](large))
	require.Equal(t, uint64(1<<53+1), torch.Item[uint64](large))
	require.EqualError(t, torch.Try(func() { large.Item() }), "torch: Item([1] int64): the element 9007199254740993 cannot be represented as float64")
	require.Equal(t, float64(1<<53), torch.Scalar(int64(1<<53)).Item())
	require.Equal(t, -3.0, torch.Scalar(int8(-3)).Item())
	require.Equal(t, math.MinInt64, torch.Item[int](torch.Scalar(int64(math.MinInt64))))
	require.Equal(t, float64(math.MinInt64), torch.Scalar(int64(math.MinInt64)).Item())
	require.Equal(t, uint64(math.MaxUint64), torch.Item[uint64](torch.Scalar(uint64(math.MaxUint64))))
	require.Error(t, torch.Try(func() { torch.Item[int64](torch.Scalar(uint64(math.MaxUint64))) }))
	require.Equal(t, float64(1<<63), torch.Scalar(uint64(1<<63)).Item())
	require.Equal(t, int8(-128), torch.Item[int8](torch.Scalar(-128)))
	require.Equal(t, uint8(200), torch.Item[uint8](torch.Scalar(200)))
	require.True(t, torch.Item[bool](torch.Ones(2).GtScalar(0).All()))
	require.Equal(t, 1, torch.Item[int](torch.Scalar(true)))
	require.Equal(t, 1.0, torch.Scalar(true).Item())
	require.Equal(t, 0.5, torch.Item[float64](torch.Scalar(float32(0.5))))
	require.Equal(t, float32(0.5), torch.Item[float32](torch.Scalar(0.5)))
	require.True(t, math.IsNaN(float64(torch.Item[float32](torch.Scalar(math.NaN())))))
	require.Equal(t, 2+1i, torch.Item[complex128](torch.Scalar(complex64(2+1i))))
	require.Equal(t, complex(0.5, 0), torch.Item[complex128](torch.Scalar(0.5)))
	require.Equal(t, complex64(3), torch.Item[complex64](torch.Scalar(3)))
	require.Equal(t, 0.5, torch.Scalar(0.5).ToDType(torch.BFloat16).Item())
	require.Equal(t, float32(0.5), torch.Item[torch.BF16](torch.Scalar(0.5).ToDType(torch.BFloat16)).Float32())
	require.Equal(t, 7, torch.Item[int](torch.NewTensor([][]int{{7}})))

	for name, f := range map[string]func(){
		"a float is no int":        func() { torch.Item[int](torch.Scalar(2.0)) },
		"a complex is no float":    func() { torch.Scalar(1i).Item() },
		"an int is no bool":        func() { torch.Item[bool](torch.Scalar(1)) },
		"too large":                func() { torch.Item[int8](torch.Scalar(128)) },
		"negative":                 func() { torch.Item[uint8](torch.Scalar(-1)) },
		"inexact":                  func() { torch.Item[float32](torch.Scalar(0.1)) },
		"an inexact int":           func() { torch.Item[float32](torch.Scalar(1<<24 + 1)) },
		"an int is no small float": func() { torch.Item[torch.F16](torch.Scalar(1)) },
		"two elements":             func() { torch.Ones(2).Item() },
		"two of the same type":     func() { torch.Item[float32](torch.Ones(2)) },
		"none":                     func() { torch.Item[float32](torch.Ones(0)) },
	} {
		var e *torch.Error
		require.ErrorAs(t, torch.Try(f), &e, name)
	}
}

func TestAttributes(t *testing.T) {
	x := torch.Arange(6).View(2, 3)
	require.Equal(t, []int{0, 4}, []int{x.StorageOffset(), x.Index(1, torch.Slice(1, 3)).StorageOffset()})
	require.Equal(t, []torch.Layout{torch.Strided, torch.Sparse, torch.SparseCSR}, []torch.Layout{x.Layout(), x.ToSparse().Layout(), x.ToSparseCSR().Layout()})
	w := torch.Options{RequiresGrad: true}.Ones(2)
	require.Equal(t, []bool{true, true, false, true}, []bool{x.IsLeaf(), w.IsLeaf(), w.MulScalar(2).IsLeaf(), w.MulScalar(2).Detach().IsLeaf()})
}
