package torch_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// ports are lines of PyTorch programs beside what they are in Go. They are to be
// read aloud: where a line of Go reads worse than it must, the API is wrong.
var ports = []struct {
	python string
	g      func(x *torch.Tensor) []*torch.Tensor
}{
	// Reductions: F(dims...), and FDim(dim, options) where more is said.
	{"x.sum()", func(x *torch.Tensor) []*torch.Tensor { return one(x.Sum()) }},
	{"x.sum(1)", func(x *torch.Tensor) []*torch.Tensor { return one(x.Sum(1)) }},
	{"x.mean((1, 2))", func(x *torch.Tensor) []*torch.Tensor { return one(x.Mean(1, 2)) }},
	{"x.mean((1, 2), keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.MeanDim([]int{1, 2}, torch.MeanOptions{KeepDim: true}))
	}},
	{"x.sum(-1, keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.SumDim(-1, torch.SumOptions{KeepDim: true}))
	}},
	{"x.sum(dtype=torch.float64)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.SumDim(nil, torch.SumOptions{DType: torch.Float64}))
	}},
	{"x.prod()", func(x *torch.Tensor) []*torch.Tensor { return one(x.Prod()) }},
	{"x.prod(1, keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.ProdDim(1, torch.ProdOptions{KeepDim: true}))
	}},
	{"x.max()", func(x *torch.Tensor) []*torch.Tensor { return one(x.Max()) }},
	{"x.max(1)", func(x *torch.Tensor) []*torch.Tensor { return two(x.MaxDim(1)) }},
	{"x.min(-1, keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return two(x.MinDim(-1, torch.MinOptions{KeepDim: true}))
	}},
	{"x.argmax()", func(x *torch.Tensor) []*torch.Tensor { return one(x.ArgMax()) }},
	{"x.argmax(1)", func(x *torch.Tensor) []*torch.Tensor { return one(x.ArgMax(1)) }},
	{"x.argmin(-1, keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.ArgMinDim(-1, torch.ArgMinOptions{KeepDim: true}))
	}},
	{"x.argmax(keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.ArgMaxDim(nil, torch.ArgMaxOptions{KeepDim: true}))
	}},
	{"x.amax((0, 2))", func(x *torch.Tensor) []*torch.Tensor { return one(x.Amax(0, 2)) }},
	{"torch.aminmax(x)", func(x *torch.Tensor) []*torch.Tensor { return two(x.Aminmax()) }},
	{"torch.aminmax(x, dim=0, keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return two(x.AminmaxDim(0, torch.AminmaxOptions{KeepDim: true}))
	}},
	{"x.std()", func(x *torch.Tensor) []*torch.Tensor { return one(x.Std()) }},
	{"x.var(0, correction=0)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.VarDim(0, torch.VarOptions{Correction: 0}))
	}},
	{"torch.var_mean(x, (1, 2))", func(x *torch.Tensor) []*torch.Tensor { return two(x.VarMean(1, 2)) }},
	{"torch.std_mean(x, 1, keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return two(x.StdMeanDim(1, torch.StdMeanOptions{KeepDim: true}))
	}},
	{"x.norm()", func(x *torch.Tensor) []*torch.Tensor { return one(x.Norm(nil)) }},
	{"x.norm(1, dim=-1, keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.NormDim(1, -1, torch.NormOptions{KeepDim: true}))
	}},
	{"x.median()", func(x *torch.Tensor) []*torch.Tensor { return one(x.Median()) }},
	{"x.median(1)", func(x *torch.Tensor) []*torch.Tensor { return two(x.MedianDim(1)) }},
	{"x.quantile(0.25)", func(x *torch.Tensor) []*torch.Tensor { return one(x.Quantile(0.25)) }},
	{"x.quantile(0.25, dim=1, keepdim=True, interpolation='nearest')", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.QuantileDim(0.25, 1, torch.QuantileOptions{KeepDim: true, Interpolation: "nearest"}))
	}},
	{"(x > 0).all(1)", func(x *torch.Tensor) []*torch.Tensor { return one(x.GtScalar(0).All(1)) }},
	{"(x > 0).any()", func(x *torch.Tensor) []*torch.Tensor { return one(x.GtScalar(0).Any()) }},
	{"torch.logsumexp(x, 1)", func(x *torch.Tensor) []*torch.Tensor { return one(x.Logsumexp(1)) }},

	// Numbers beside tensors.
	{"torch.where(x > 0, x, 0.)", func(x *torch.Tensor) []*torch.Tensor { return one(torch.Where(x.GtScalar(0), x, 0.0)) }},
	{"torch.where(x > 0, 1, x)", func(x *torch.Tensor) []*torch.Tensor { return one(torch.Where(x.GtScalar(0), 1, x)) }},
	{"torch.where(x > 0, 1, 0)", func(x *torch.Tensor) []*torch.Tensor { return one(torch.Where(x.GtScalar(0), 1, 0)) }},
	{"torch.where(x > 0, x, -x)", func(x *torch.Tensor) []*torch.Tensor { return one(torch.Where(x.GtScalar(0), x, x.Neg())) }},
	{"1 - x", func(x *torch.Tensor) []*torch.Tensor { return one(x.RSubScalar(1)) }},
	{"torch.rsub(x, x * 2, alpha=2)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.RSub(x.MulScalar(2), torch.RSubOptions{Alpha: 2}))
	}},
	{"2 ** x", func(x *torch.Tensor) []*torch.Tensor { return one(x.RPowScalar(2)) }},
	{"x // 0.5", func(x *torch.Tensor) []*torch.Tensor { return one(x.FloorDivideScalar(0.5)) }},
	{"torch.div(x, 0.5, rounding_mode='trunc')", func(x *torch.Tensor) []*torch.Tensor { return one(x.DivModeScalar(0.5, "trunc")) }},
	{"x.quantile(torch.tensor([0.25, 0.5]), dim=1)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.QuantileTensor(torch.NewTensor([]float32{0.25, 0.5}), 1))
	}},
	{"torch.arange(5) & 3", func(x *torch.Tensor) []*torch.Tensor { return one(torch.Arange(5).BitwiseAndScalar(3)) }},
	{"torch.arange(5) << 2", func(x *torch.Tensor) []*torch.Tensor { return one(torch.Arange(5).BitwiseLeftShiftScalar(2)) }},
	{"x.repeat_interleave(torch.tensor([1, 2]), dim=0)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.RepeatInterleaveTensor(torch.NewTensor([]int{1, 2}), torch.RepeatInterleaveOptions{Dim: new(0)}))
	}},
	{"x.masked_fill(x > 0, torch.tensor(3.))", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.MaskedFillTensor(x.GtScalar(0), torch.Scalar(float32(3))))
	}},
	{"x.masked_fill_(x > 0, torch.tensor(3.))", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.MaskedFillTensorInPlace(x.GtScalar(0), torch.Scalar(float32(3))))
	}},
	{"x.index_fill(1, torch.tensor([0, 2]), torch.tensor(3.))", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.IndexFillTensor(1, torch.NewTensor([]int{0, 2}), torch.Scalar(float32(3))))
	}},
	{"x.index_fill_(1, torch.tensor([0, 2]), torch.tensor(3.))", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.IndexFillTensorInPlace(1, torch.NewTensor([]int{0, 2}), torch.Scalar(float32(3))))
	}},
	{"x.fill_(torch.tensor(3.))", func(x *torch.Tensor) []*torch.Tensor { return one(x.FillTensorInPlace(torch.Scalar(float32(3)))) }},
	{"x.div_(0.5, rounding_mode='floor')", func(x *torch.Tensor) []*torch.Tensor { return one(x.DivModeScalarInPlace(0.5, "floor")) }},
	{"x.quantile(torch.tensor(0.5), dim=1, keepdim=True)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.QuantileTensorDim(torch.Scalar(float32(0.5)), 1, torch.QuantileOptions{KeepDim: true}))
	}},
	{"x.nanquantile(torch.tensor([0.5]))", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.NanquantileTensor(torch.NewTensor([]float32{0.5})))
	}},
	{"torch.nanquantile(x, torch.tensor([0.5]), 2, interpolation='lower')", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.NanquantileTensorDim(torch.NewTensor([]float32{0.5}), 2, torch.NanquantileOptions{Interpolation: "lower"}))
	}},
	{"torch.logspace(0, 10, 5, base=2)", func(*torch.Tensor) []*torch.Tensor {
		return one(torch.Logspace(0, 10, 5, torch.LogspaceOptions{Base: new(2.0)}))
	}},
	{"torch.logspace(0, 4, 3, base=2, dtype=torch.float64)", func(*torch.Tensor) []*torch.Tensor {
		return one(torch.Options{DType: torch.Float64}.Logspace(0, 4, 3, torch.LogspaceOptions{Base: new(2.0)}))
	}},

	// Tensors of Go's values.
	{"torch.tensor([[1, 2], [3, 4]])", func(*torch.Tensor) []*torch.Tensor {
		return one(torch.NewTensor([][]int{{1, 2}, {3, 4}}))
	}},
	{"torch.tensor([[1, 2], [3, 4]], dtype=torch.float32)", func(*torch.Tensor) []*torch.Tensor {
		return one(torch.NewTensor([][]int{{1, 2}, {3, 4}}, torch.Options{DType: torch.Float32}))
	}},
	{"torch.tensor([[[1., 2.]], [[3., 4.]]])", func(*torch.Tensor) []*torch.Tensor {
		return one(torch.NewTensor([][][]float32{{{1, 2}}, {{3, 4}}}))
	}},
	{"x.new_zeros(2, 3)", func(x *torch.Tensor) []*torch.Tensor { return one(x.NewZeros(2, 3)) }},
	{"x.double().new_ones(4)", func(x *torch.Tensor) []*torch.Tensor { return one(x.ToDType(torch.Float64).NewOnes(4)) }},
	{"x.long().new_full((2, 1), 7)", func(x *torch.Tensor) []*torch.Tensor { return one(x.ToDType(torch.Int64).NewFull(7, 2, 1)) }},
	{"x.half().new_empty(0, 3)", func(x *torch.Tensor) []*torch.Tensor { return one(x.ToDType(torch.Float16).NewEmpty(0, 3)) }},
	{"torch.tensor(True)", func(*torch.Tensor) []*torch.Tensor { return one(torch.NewTensor(true)) }},
	{"x[torch.tensor([[0, 1], [1, 0]])]", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.Index(torch.NewTensor([][]int{{0, 1}, {1, 0}})))
	}},

	// Shapes.
	{"x.split(2, dim=-1)", func(x *torch.Tensor) []*torch.Tensor { return x.Split(2, torch.SplitOptions{Dim: -1}) }},
	{"x.split([1, 3], -1)", func(x *torch.Tensor) []*torch.Tensor { return x.Split([]int{1, 3}, torch.SplitOptions{Dim: -1}) }},
	{"x.tensor_split(2, dim=1)", func(x *torch.Tensor) []*torch.Tensor { return x.TensorSplit(2, torch.TensorSplitOptions{Dim: 1}) }},
	{"x.tensor_split((1, 2), dim=1)", func(x *torch.Tensor) []*torch.Tensor {
		return x.TensorSplit([]int{1, 2}, torch.TensorSplitOptions{Dim: 1})
	}},
	{"x.tensor_split(torch.tensor([1, 3]), dim=2)", func(x *torch.Tensor) []*torch.Tensor {
		return x.TensorSplitTensor(torch.NewTensor([]int{1, 3}), torch.TensorSplitOptions{Dim: 2})
	}},
	{"x.movedim(0, -1)", func(x *torch.Tensor) []*torch.Tensor { return one(x.Movedim(0, -1)) }},
	{"x.movedim((0, 1), (1, 2))", func(x *torch.Tensor) []*torch.Tensor { return one(x.Movedim([]int{0, 1}, []int{1, 2})) }},
	{"x[:1].squeeze()", func(x *torch.Tensor) []*torch.Tensor { return one(x.Index(torch.Slice(0, 1)).Squeeze()) }},
	{"x[:1].squeeze(0)", func(x *torch.Tensor) []*torch.Tensor { return one(x.Index(torch.Slice(0, 1)).Squeeze(0)) }},
	{"x[:1, :, :1].squeeze((0, 2))", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.Index(torch.Slice(0, 1), torch.All, torch.Slice(0, 1)).Squeeze(0, 2))
	}},
	{"x[:1, :, :1].clone().squeeze_((0, 2))", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.Index(torch.Slice(0, 1), torch.All, torch.Slice(0, 1)).Clone().SqueezeInPlace(0, 2))
	}},
	{"x[:1].clone().squeeze_(0)", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.Index(torch.Slice(0, 1)).Clone().SqueezeInPlace(0))
	}},
	{"x[:1].clone().squeeze_()", func(x *torch.Tensor) []*torch.Tensor {
		return one(x.Index(torch.Slice(0, 1)).Clone().SqueezeInPlace())
	}},
}

func one(x *torch.Tensor) []*torch.Tensor    { return []*torch.Tensor{x} }
func two(x, y *torch.Tensor) []*torch.Tensor { return []*torch.Tensor{x, y} }

func TestPorts(t *testing.T) {
	python := reference.Start(t, `
import torch

torch.set_num_threads(1)

def port(line):
    torch.manual_seed(1)
    x = torch.randn(2, 3, 4)
    with torch.no_grad():
        y = eval(line)
    return [t.contiguous() for t in (y if isinstance(y, (tuple, list)) else (y,))]
`)
	for _, c := range ports {
		var want []reference.Array
		python.Call(&want, "port", c.python)
		torch.ManualSeed(1)
		x := torch.Randn(2, 3, 4)
		var got []*torch.Tensor
		torch.NoGrad(func() { got = c.g(x) })
		require.Len(t, got, len(want), c.python)
		for i, y := range got {
			require.Equal(t, fmt.Sprintf("%v %v", want[i].DType, want[i].Shape), fmt.Sprintf("%v %v", y.DType(), y.Shape()), c.python)
			torch.WithBytes(y, func(data []byte) { require.Equal(t, string(want[i].Data), string(data), c.python) })
		}
	}
}

func TestBadDims(t *testing.T) {
	x := torch.Ones(2, 3)
	require.EqualError(t, torch.Try(func() { x.SumDim("1") }), "torch: SumDim: dim is a string; it must be an int, a []int or nil")
	require.ErrorContains(t, torch.Try(func() { x.ArgMax(0, 1) }), "2 dimensions [0 1] are given; give at most one")
}
