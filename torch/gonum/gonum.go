// Package gonum passes matrices between tensors and gonum's package mat, without a
// copy where both store them alike.
//
//	m := mat.NewDense(2, 2, []float64{1, 2, 3, 4})
//	x := gonum.FromDense(m)                                            // the tensor shares the memory of m
//	gonum.WithDense(x, func(m *mat.Dense) { fmt.Println(mat.Det(m)) }) // and the reverse
//	fmt.Println(mat.Trace(gonum.ToDense(x)))                           // of a copy
//
// A matrix of gonum is float64 or complex128, with its elements in the order of rows.
//
// https://pkg.go.dev/gonum.org/v1/gonum/mat
package gonum

import (
	"fmt"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/cblas128"
	"gonum.org/v1/gonum/mat"

	"github.com/torchhub/torchhub/torch"
)

// FromDense returns a matrix as a float64 tensor of two dimensions that shares its
// memory: torch.from_numpy. Writes to either are visible in both, so neither may be
// written while another goroutine uses them. [torch.FromBuffer] documents how long the
// memory is kept. An empty matrix is a tensor of the shape [0, 0].
//
// https://docs.pytorch.org/docs/stable/generated/torch.from_numpy.html
func FromDense(m *mat.Dense) *torch.Tensor {
	r := m.RawMatrix()
	return shared(r.Data, []int{r.Rows, r.Cols}, []int{r.Stride, 1})
}

// FromCDense is [FromDense] of a complex matrix; the tensor is complex128.
//
// https://docs.pytorch.org/docs/stable/generated/torch.from_numpy.html
func FromCDense(m *mat.CDense) *torch.Tensor {
	r := m.RawCMatrix()
	return shared(r.Data, []int{r.Rows, r.Cols}, []int{r.Stride, 1})
}

// FromVec returns a vector as a float64 tensor of one dimension that shares its memory,
// as [FromDense] does.
//
// https://docs.pytorch.org/docs/stable/generated/torch.from_numpy.html
func FromVec(v *mat.VecDense) *torch.Tensor {
	r := v.RawVector()
	return shared(r.Data, []int{r.N}, []int{r.Inc})
}

// shared makes a tensor over data.
func shared[E torch.Element](data []E, shape, strides []int) *torch.Tensor {
	for _, n := range shape {
		if n == 0 {
			return torch.FromSlice[E](nil, shape...)
		}
	}
	return torch.FromBuffer(data).Then(func(x *torch.Tensor) *torch.Tensor { return x.AsStrided(shape, strides) })
}

// FromMatrix copies any matrix, such as a symmetric or a banded one, to a float64
// tensor of two dimensions: torch.tensor(m).
//
// https://docs.pytorch.org/docs/stable/generated/torch.tensor.html
func FromMatrix(m mat.Matrix) *torch.Tensor {
	rows, cols := m.Dims()
	data := make([]float64, rows*cols)
	if len(data) > 0 {
		mat.NewDense(rows, cols, data).Copy(m)
	}
	return torch.FromSlice(data, rows, cols)
}

// ToDense copies a tensor of two dimensions and of any real dtype and device to a
// matrix: x.double().numpy(). It panics with a *[torch.Error] for another tensor. A
// tensor without elements is an empty matrix.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html
func ToDense(x *torch.Tensor) *mat.Dense {
	mustDims("ToDense", x, 2)
	mustReal("ToDense", x)
	rows, cols := x.Size(0), x.Size(1)
	data := values(x)
	if len(data) == 0 {
		return &mat.Dense{}
	}
	return mat.NewDense(rows, cols, data)
}

// ToVec copies a tensor of one dimension and of any real dtype and device to a vector,
// as [ToDense] does.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html
func ToVec(x *torch.Tensor) *mat.VecDense {
	mustDims("ToVec", x, 1)
	mustReal("ToVec", x)
	data := values(x)
	if len(data) == 0 {
		return &mat.VecDense{}
	}
	return mat.NewVecDense(len(data), data)
}

// values returns a copy of the elements.
func values(x *torch.Tensor) (data []float64) {
	torch.Scope(func() {
		torch.NoGrad(func() { data = torch.Data[float64](x.ToDType(torch.Float64)) })
	})
	return data
}

// WithDense calls f with a float64 tensor of two dimensions as a matrix that shares its
// memory: x.numpy(). What f writes to the elements is written to x. The matrix is valid
// only until f returns. WithDense panics with a *[torch.Error] if x is not dense and on
// the CPU, or if the elements of a row are not next to each other; the rows may be
// apart. For a transposed tensor, pass x.T() and use the transpose of the matrix.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html
func WithDense(x *torch.Tensor, f func(m *mat.Dense)) {
	withRows("WithDense", x, func(rows, cols, stride int, data []float64) {
		var m mat.Dense
		if len(data) > 0 {
			m.SetRawMatrix(blas64.General{Rows: rows, Cols: cols, Stride: stride, Data: data})
		}
		f(&m)
	})
}

// WithCDense is [WithDense] for a complex128 tensor.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html
func WithCDense(x *torch.Tensor, f func(m *mat.CDense)) {
	withRows("WithCDense", x, func(rows, cols, stride int, data []complex128) {
		var m mat.CDense
		if len(data) > 0 {
			m.SetRawCMatrix(cblas128.General{Rows: rows, Cols: cols, Stride: stride, Data: data})
		}
		f(&m)
	})
}

// WithVec is [WithDense] for a tensor of one dimension.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html
func WithVec(x *torch.Tensor, f func(v *mat.VecDense)) {
	mustDims("WithVec", x, 1)
	n, inc := x.Size(0), 1
	if n > 1 {
		inc = x.Strides()[0]
	}
	if inc < 1 {
		fail("WithVec", "its elements are one in memory; call Contiguous first")
	}
	with(x, n, inc*(n-1)+1, func(data []float64) {
		var v mat.VecDense
		if n > 0 {
			v.SetRawVector(blas64.Vector{N: n, Inc: inc, Data: data})
		}
		f(&v)
	})
}

// withRows calls f with the elements of a tensor of two dimensions, whose rows are stride apart.
func withRows[E torch.Element](op string, x *torch.Tensor, f func(rows, cols, stride int, data []E)) {
	mustDims(op, x, 2)
	rows, cols := x.Size(0), x.Size(1)
	stride := cols
	if rows > 1 {
		stride = x.Strides()[0]
	}
	if cols > 1 && x.Strides()[1] != 1 || stride < cols {
		fail(op, "the elements of its rows are not next to each other; pass its transpose or call Contiguous first")
	}
	with(x, rows*cols, stride*(rows-1)+cols, func(data []E) { f(rows, cols, stride, data) })
}

// with calls f with the memory of x from its first element on, or with none if it has no elements.
func with[E torch.Element](x *torch.Tensor, numel, n int, f func(data []E)) {
	if numel == 0 {
		torch.WithData(x, f)
		return
	}
	torch.Scope(func() {
		torch.WithData(x.Detach().AsStrided([]int{n}, []int{1}), f)
	})
}

func mustDims(op string, x *torch.Tensor, dims int) {
	if n := x.Dim(); n != dims {
		fail(op, fmt.Sprintf("it has %d dimensions, not %d", n, dims))
	}
}

func mustReal(op string, x *torch.Tensor) {
	if x.DType().IsComplex() {
		fail(op, fmt.Sprintf("it is of the dtype %v; use WithCDense, or take its real part", x.DType()))
	}
}

// fail panics with an error about the tensor of a call.
func fail(op, text string) {
	panic(&torch.Error{Op: "gonum." + op, Msg: "the tensor does not fit: " + text})
}
