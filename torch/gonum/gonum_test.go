package gonum_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/gonum"
)

// Memory is shared, also that of a part of a matrix.
func TestFromDense(t *testing.T) {
	m := mat.NewDense(3, 4, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	part := m.Slice(1, 3, 1, 3).(*mat.Dense)
	x := gonum.FromDense(part)
	require.Equal(t, []int{2, 2}, x.Shape())
	require.Equal(t, []int{4, 1}, x.Strides())
	require.Equal(t, []float64{5, 6, 9, 10}, torch.Data[float64](x))
	x.MulScalarInPlace(2)
	require.Equal(t, 10.0, m.At(1, 1))
	require.Equal(t, 7.0, m.At(1, 3))
	m.Set(2, 2, -1)
	require.Equal(t, -1.0, x.Index(1, 1).Item())

	col := m.ColView(2).(*mat.VecDense)
	v := gonum.FromVec(col)
	require.Equal(t, []float64{2, 12, -1}, torch.Data[float64](v))
	v.FillInPlace(0)
	require.Equal(t, 0.0, m.At(1, 2))

	c := mat.NewCDense(1, 2, []complex128{1, 2i})
	y := gonum.FromCDense(c)
	y.Conj().ResolveConj()
	require.Equal(t, []complex128{1, 2i}, torch.Data[complex128](y))
	require.Equal(t, []int{0, 0}, gonum.FromDense(&mat.Dense{}).Shape())
	require.Equal(t, []int{0}, gonum.FromVec(&mat.VecDense{}).Shape())
	require.Equal(t, []float64{0, 2, 2, 1}, torch.Data[float64](gonum.FromMatrix(mat.NewSymDense(2, []float64{0, 2, 5, 1}))))
	require.Equal(t, []int{4, 3}, gonum.FromMatrix(m.T()).Shape())
}

func TestWithDense(t *testing.T) {
	x := torch.Options{DType: torch.Float64}.Arange(12).Reshape(3, 4)
	part := x.Narrow(1, 1, 2).RequireGrad(false)
	gonum.WithDense(part, func(m *mat.Dense) {
		require.True(t, mat.Equal(m, mat.NewDense(3, 2, []float64{1, 2, 5, 6, 9, 10})))
		m.Set(0, 0, 100)
	})
	require.Equal(t, 100.0, x.Index(0, 1).Item())
	gonum.WithDense(x.T().T(), func(m *mat.Dense) { require.Equal(t, 11.0, m.At(2, 3)) })
	gonum.WithDense(x.Narrow(0, 0, 1), func(m *mat.Dense) { require.Equal(t, 100.0, m.At(0, 1)) })
	gonum.WithDense(x.Narrow(0, 0, 0), func(m *mat.Dense) { require.True(t, m.IsEmpty()) })
	gonum.WithVec(x.Select(1, 3), func(v *mat.VecDense) {
		require.Equal(t, []float64{3, 7, 11}, []float64{v.AtVec(0), v.AtVec(1), v.AtVec(2)})
		v.SetVec(2, -5)
	})
	require.Equal(t, -5.0, x.Index(2, 3).Item())
	gonum.WithVec(x.Select(1, 3).Narrow(0, 0, 0), func(v *mat.VecDense) { require.True(t, v.IsEmpty()) })
	gonum.WithCDense(torch.FromSlice([]complex128{1, 2i}, 1, 2), func(m *mat.CDense) { require.Equal(t, 2i, m.At(0, 1)) })

	require.True(t, mat.Equal(gonum.ToDense(torch.FromSlice([]float32{1, 2}, 2, 1).T()), mat.NewDense(1, 2, []float64{1, 2})))
	require.True(t, gonum.ToDense(torch.Zeros(0, 3)).IsEmpty())
	require.Equal(t, 2.0, gonum.ToVec(torch.FromSlice([]int8{1, 2})).AtVec(1))
	require.True(t, gonum.ToVec(torch.Zeros(0)).IsEmpty())
}

func TestMistakes(t *testing.T) {
	x := torch.Options{DType: torch.Float64}.Zeros(2, 3)
	dense := func(x *torch.Tensor) func() { return func() { gonum.WithDense(x, func(*mat.Dense) {}) } }
	for says, f := range map[string]func(){
		"not next to each other; pass its transpose": dense(x.T()),
		"it has 1 dimensions, not 2":                 dense(x.Select(0, 0)),
		"it has 2 dimensions, not 1":                 func() { gonum.WithVec(x, nil) },
		"float32 elements cannot be read as float64": dense(torch.Zeros(2, 3)),
		"only a dense, contiguous tensor on the CPU": dense(torch.Options{DType: torch.Float64, Device: torch.Meta}.Zeros(2, 3)),
		"its elements are one in memory":             func() { gonum.WithVec(x.Select(0, 0).Select(0, 0).Expand(4), nil) },
		"use WithCDense":                             func() { gonum.ToDense(x.ToDType(torch.Complex128)) },
		"nil tensor":                                 func() { gonum.ToDense(nil) },
	} {
		err := torch.Try(f)
		require.ErrorContains(t, err, says)
	}
}

func Example() {
	m := mat.NewDense(2, 2, []float64{2, 0, 0, 4})
	x := gonum.FromDense(m) // shares the memory of m
	x.AddScalarInPlace(1)
	fmt.Println(mat.Formatted(m))
	y := torch.Options{DType: torch.Float64}.Eye(2)
	gonum.WithDense(y, func(m *mat.Dense) { fmt.Println(mat.Det(m)) })
	// Output:
	// ⎡3  1⎤
	// ⎣1  5⎦
	// 1
}
