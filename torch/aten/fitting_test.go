package aten

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/linalg"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// fittingCalls are calls whose arguments the tables of [TestCurated] cannot make: where
// they must fit each other, or results are sparse. The inputs and the call are
// Python's; call does the same.
var fittingCalls = []struct {
	inputs string // a tuple
	python string // a call with x, the inputs
	call   func(x []*torch.Tensor) []any
}{
	{"torch.zeros(3, 4), torch.zeros(5, dtype=torch.int64)", "x[0].random_(2, 9), x[1].random_(-3, 1000)", func(x []*torch.Tensor) []any {
		return []any{x[0].RandomInPlace(2, 9), x[1].RandomInPlace(-3, 1000)}
	}},
	{"torch.randn(3, 4), torch.arange(7)", "x[0].clamp(-0.5, 0.5), x[0].clamp(min=0.1), x[0].clamp(max=0), x[1].clamp(2, 4), x[1].clamp(1.5, 4)", func(x []*torch.Tensor) []any {
		return []any{x[0].Clamp(-0.5, 0.5), x[0].Clamp(0.1, nil), x[0].Clamp(nil, 0), x[1].Clamp(2, 4), x[1].Clamp(1.5, 4)}
	}},
	{"torch.randn(3, 4), torch.arange(7)", "x[0].clamp_(-0.5, 0.5), x[1].clamp_(min=3)", func(x []*torch.Tensor) []any {
		return []any{x[0].ClampInPlace(-0.5, 0.5), x[1].ClampInPlace(3, nil)}
	}},
	{"torch.randn(3, 4, 2), torch.randn(2, dtype=torch.float64)", "torch.view_as_complex(x[0]), torch.view_as_complex(x[1])", func(x []*torch.Tensor) []any {
		return []any{x[0].ViewAsComplex(), x[1].ViewAsComplex()}
	}},
	{"torch.tensor([3, 0, 3, 5]), torch.randn(4)", "x[0].bincount(), x[0].bincount(weights=x[1]), x[0].bincount(minlength=9)", func(x []*torch.Tensor) []any {
		return []any{x[0].Bincount(), x[0].Bincount(torch.BincountOptions{Weights: x[1]}), x[0].Bincount(torch.BincountOptions{Minlength: 9})}
	}},
	{"torch.randn(3), torch.randn(3, 4), torch.randn(4)", "x[0].addmv(x[1], x[2]), x[0].addmv(x[1], x[2], beta=2, alpha=0.5), x[0].addmv_(x[1], x[2], beta=0)", func(x []*torch.Tensor) []any {
		return []any{x[0].Addmv(x[1], x[2]), x[0].Addmv(x[1], x[2], torch.AddmvOptions{Beta: 2, Alpha: 0.5}), x[0].AddmvInPlace(x[1], x[2], torch.AddmvOptions{Beta: 0})}
	}},
	{"torch.randn(3, 5), torch.randn(2, 3, 4), torch.randn(2, 4, 5)", "x[0].addbmm(x[1], x[2]), x[0].addbmm(x[1], x[2], beta=2, alpha=0.5), x[0].addbmm_(x[1], x[2], alpha=3)", func(x []*torch.Tensor) []any {
		return []any{x[0].Addbmm(x[1], x[2]), x[0].Addbmm(x[1], x[2], torch.AddbmmOptions{Beta: 2, Alpha: 0.5}), x[0].AddbmmInPlace(x[1], x[2], torch.AddbmmOptions{Alpha: 3})}
	}},
	{"torch.randn(3, 4, 5), torch.randn(5, 3, 2)", "torch.tensordot(x[0], x[1], ([0, 2], [1, 0])), ", func(x []*torch.Tensor) []any {
		return []any{x[0].Tensordot(x[1], []int{0, 2}, []int{1, 0})}
	}},
	{"torch.randn(2, 64), torch.hann_window(16)", "torch.stft(x[0], 16, window=x[1], return_complex=True), torch.stft(x[0], 16, 4, 12, x[1][:12], center=False, normalized=True, onesided=False, return_complex=True), torch.stft(x[0], 16, 8, window=x[1], pad_mode='constant', return_complex=True)",
		func(x []*torch.Tensor) []any {
			yes, no, four, eight, twelve := true, false, 4, 8, 12
			return []any{
				x[0].STFT(16, torch.STFTOptions{Window: x[1], ReturnComplex: &yes}),
				x[0].STFT(16, torch.STFTOptions{HopLength: &four, WinLength: &twelve, Window: x[1].Narrow(0, 0, 12), NoCenter: true, Normalized: true, Onesided: &no, ReturnComplex: &yes}),
				x[0].STFT(16, torch.STFTOptions{HopLength: &eight, Window: x[1], PadMode: "constant", ReturnComplex: &yes}),
			}
		}},
	{"torch.stft(torch.randn(2, 64), 16, 4, window=torch.hann_window(16), return_complex=True), torch.hann_window(16)", "torch.istft(x[0], 16, 4, window=x[1]), torch.istft(x[0], 16, 4, window=x[1], length=50)", func(x []*torch.Tensor) []any {
		four, fifty := 4, 50
		return []any{x[0].ISTFT(16, torch.ISTFTOptions{HopLength: &four, Window: x[1]}), x[0].ISTFT(16, torch.ISTFTOptions{HopLength: &four, Window: x[1], Length: &fifty})}
	}},
	{"torch.randn(2, 3, 4), ", "torch.linalg.matrix_norm(x[0], 'nuc'), torch.linalg.matrix_norm(x[0], 'fro', keepdim=True, dtype=torch.float64)", func(x []*torch.Tensor) []any {
		return []any{linalg.MatrixNormOf(x[0], "nuc"), linalg.MatrixNormOf(x[0], "fro", linalg.MatrixNormOfOptions{KeepDim: true, DType: torch.Float64})}
	}},
	{"(lambda a: a @ a.mT + 3 * torch.eye(4))(torch.randn(2, 4, 4)), ", "torch.linalg.cholesky(x[0]), torch.linalg.cholesky(x[0], upper=True)", func(x []*torch.Tensor) []any {
		return []any{linalg.Cholesky(x[0]), linalg.Cholesky(x[0], linalg.CholeskyOptions{Upper: true})}
	}},
	{"*torch.linalg.lu_factor(torch.randn(2, 4, 4)), torch.randn(2, 4, 4)", "torch.linalg.lu_solve(*x), torch.linalg.lu_solve(*x, left=False), torch.linalg.lu_solve(*x, adjoint=True)", func(x []*torch.Tensor) []any {
		return []any{linalg.LUSolve(x[0], x[1], x[2]), linalg.LUSolve(x[0], x[1], x[2], linalg.LUSolveOptions{Right: true}), linalg.LUSolve(x[0], x[1], x[2], linalg.LUSolveOptions{Adjoint: true})}
	}},
	{"*torch.geqrf(torch.randn(2, 5, 3)), ", "torch.linalg.householder_product(*x), ", func(x []*torch.Tensor) []any {
		return []any{linalg.HouseholderProduct(x[0], x[1])}
	}},
	{"torch.eye(24).reshape(4, 6, 8, 3) + 0.01 * torch.randn(4, 6, 8, 3), torch.eye(24).reshape(24, 8, 3) + 0.01 * torch.randn(24, 8, 3)", "torch.linalg.tensorinv(x[0]), torch.linalg.tensorinv(x[1], ind=1)", func(x []*torch.Tensor) []any {
		return []any{linalg.Tensorinv(x[0]), linalg.Tensorinv(x[1], linalg.TensorinvOptions{Ind: 1})}
	}},
	{"torch.eye(24).reshape(8, 3, 6, 4) + 0.01 * torch.randn(8, 3, 6, 4), torch.randn(8, 3)", "torch.linalg.tensorsolve(*x), torch.linalg.tensorsolve(x[0].permute(0, 2, 1, 3), x[1], dims=(1, 3))", func(x []*torch.Tensor) []any {
		return []any{linalg.Tensorsolve(x[0], x[1]), linalg.Tensorsolve(x[0].Permute(0, 2, 1, 3), x[1], linalg.TensorsolveOptions{Dims: []int{1, 3}})}
	}},
	{"torch.randn(2, 3), torch.randn(2, 4), torch.randn(5, 3, 4), torch.randn(5)", "F.bilinear(*x), F.bilinear(*x[:3])", func(x []*torch.Tensor) []any {
		return []any{F.Bilinear(x[0], x[1], x[2], x[3]), F.Bilinear(x[0], x[1], x[2], nil)}
	}},
	{"torch.randn(2, 12, 12), torch.randn(2, 12, 4)", "F.fold(x[0], (4, 5), (2, 2)), F.fold(x[1], (3, 3), (2, 2), dilation=2, padding=1, stride=2)", func(x []*torch.Tensor) []any {
		one, two, none := []int{1, 1}, []int{2, 2}, []int{0, 0}
		return []any{F.Fold(x[0], []int{4, 5}, two, one, none, one), F.Fold(x[1], []int{3, 3}, two, two, one, two)}
	}},
	{"*F.max_pool2d(torch.randn(2, 3, 6, 6), 2, return_indices=True), ", "F.max_unpool2d(x[0], x[1], 2), ", func(x []*torch.Tensor) []any {
		return []any{F.MaxUnpool2d(x[0], x[1], []int{6, 6})}
	}},
	{"torch.randn(2, 2, 3), torch.randn(2, 3, 4)", "F.affine_grid(x[0], (2, 3, 4, 5), align_corners=False), F.affine_grid(x[0], (2, 3, 4, 5), align_corners=True), F.affine_grid(x[1], (2, 3, 4, 5, 2), align_corners=False)", func(x []*torch.Tensor) []any {
		return []any{F.AffineGrid(x[0], []int{2, 3, 4, 5}, false), F.AffineGrid(x[0], []int{2, 3, 4, 5}, true), F.AffineGrid(x[1], []int{2, 3, 4, 5, 2}, false)}
	}},
	{"torch.randn(4, 3), torch.randn(4, 3), torch.tensor([1, -1, 1, -1])", "F.cosine_embedding_loss(*x), F.cosine_embedding_loss(*x, margin=0.2, reduction='none'), F.cosine_embedding_loss(*x, reduction='sum')", func(x []*torch.Tensor) []any {
		return []any{F.CosineEmbeddingLoss(x[0], x[1], x[2]), F.CosineEmbeddingLoss(x[0], x[1], x[2], F.CosineEmbeddingLossOptions{Margin: 0.2, Reduction: "none"}), F.CosineEmbeddingLoss(x[0], x[1], x[2], F.CosineEmbeddingLossOptions{Reduction: "sum"})}
	}},
	{"torch.randn(12, 2, 5).log_softmax(2), torch.randint(1, 5, (2, 4)), torch.randint(0, 4, (2, 4))", "F.ctc_loss(x[0], x[1], (12, 10), (4, 3)), F.ctc_loss(x[0], x[2], (12, 10), (4, 3), blank=4, reduction='none'), F.ctc_loss(x[0], x[1], (12, 2), (4, 3), reduction='sum', zero_infinity=True)", func(x []*torch.Tensor) []any {
		return []any{
			F.CTCLoss(x[0], x[1], []int{12, 10}, []int{4, 3}),
			F.CTCLoss(x[0], x[2], []int{12, 10}, []int{4, 3}, F.CTCLossOptions{Blank: 4, Reduction: "none"}),
			F.CTCLoss(x[0], x[1], []int{12, 2}, []int{4, 3}, F.CTCLossOptions{Reduction: "sum", ZeroInfinity: true}),
		}
	}},

	{"torch.tensor([[0, 2, 0], [1, 0, 1]]), torch.randn(3), torch.randn(3, 2)",
		"*coo(torch.sparse_coo_tensor(x[0], x[1], (3, 4))), *coo(torch.sparse_coo_tensor(x[0], x[2], (3, 4, 2)))",
		func(x []*torch.Tensor) []any {
			return slices.Concat(coo(torch.SparseCOOTensor(x[0], x[1], 3, 4)), coo(torch.SparseCOOTensor(x[0], x[2], 3, 4, 2)))
		}},
	{"torch.tensor([0, 2, 2, 3]), torch.tensor([0, 2, 1]), torch.randn(3)", "*csr(torch.sparse_csr_tensor(*x, (3, 4))), *csc(torch.sparse_csc_tensor(*x, (4, 3)))", func(x []*torch.Tensor) []any {
		return slices.Concat(csr(torch.SparseCSRTensor(x[0], x[1], x[2], 3, 4)), csc(torch.SparseCSCTensor(x[0], x[1], x[2], 4, 3)))
	}},
	{"torch.tensor([0, 2, 3]), torch.tensor([0, 1, 1]), torch.randn(3, 2, 3)", "*csr(torch.sparse_bsr_tensor(*x, (4, 6))), *csc(torch.sparse_bsc_tensor(*x, (4, 6)))", func(x []*torch.Tensor) []any {
		return slices.Concat(csr(torch.SparseBSRTensor(x[0], x[1], x[2], 4, 6)), csc(torch.SparseBSCTensor(x[0], x[1], x[2], 4, 6)))
	}},
	{"torch.randn(4, 6).relu(), torch.randn(4, 6, 2) * (torch.rand(4, 6, 1) > 0.5)",
		"*coo(x[0].to_sparse()), *coo(x[1].to_sparse(2)), *csr(x[0].to_sparse_csr()), *csc(x[0].to_sparse_csc()), *csr(x[0].to_sparse_bsr((2, 3))), *csc(x[0].to_sparse_bsc((2, 3))), x[1].to_sparse(2).sparse_dim(), x[1].to_sparse(2).dense_dim(), x[0].to_sparse().is_coalesced()",
		func(x []*torch.Tensor) []any {
			y := x[1].ToSparseDim(2)
			return slices.Concat(coo(x[0].ToSparse()), coo(y), csr(x[0].ToSparseCSR()), csc(x[0].ToSparseCSC()), csr(x[0].ToSparseBSR([]int{2, 3})), csc(x[0].ToSparseBSC([]int{2, 3})),
				[]any{y.SparseDim(), y.DenseDim(), x[0].ToSparse().IsCoalesced()})
		}},
	{"torch.randn(4, 6), torch.randn(4, 6).relu()", "*coo(x[0].sparse_mask(x[1].to_sparse())), *csr(x[0].sparse_mask(x[1].to_sparse_csr()))", func(x []*torch.Tensor) []any {
		return slices.Concat(coo(x[0].SparseMask(x[1].ToSparse())), csr(x[0].SparseMask(x[1].ToSparseCSR())))
	}},
	{"torch.randn(4, 6).relu(), torch.randn(6, 3), torch.randn(4, 6).relu()", "x[0].to_sparse() @ x[1], x[0].to_sparse_csr() @ x[1], *coo(x[0].to_sparse() + x[2].to_sparse()), *coo(x[0].to_sparse() * x[2].to_sparse()), *coo(x[0].to_sparse().t()), *coo(x[0].to_sparse() * 3)", func(x []*torch.Tensor) []any {
		a, b := x[0].ToSparse(), x[2].ToSparse()
		return slices.Concat([]any{a.MatMul(x[1]), x[0].ToSparseCSR().MatMul(x[1])}, coo(a.Add(b)), coo(a.Mul(b)), coo(a.T()), coo(a.MulScalar(3)))
	}},
}

const fittingScript = `
import torch
import torch.nn.functional as F

def coo(x):
    c = x.coalesce()
    return str(x), x.to_dense(), c.indices(), c.values(), x.is_coalesced(), str(c)

def csr(x):
    return str(x), x.to_dense(), x.crow_indices(), x.col_indices(), x.values()

def csc(x):
    return str(x), x.to_dense(), x.ccol_indices(), x.row_indices(), x.values()

def fitting(inputs, call):
    torch.manual_seed(1)
    x = eval(f"({inputs})")
    sent = [encode(v.contiguous()) for v in x]
    torch.manual_seed(0)
    return sent, [result(v) for v in eval(f"({call})")]
`

func coo(x *torch.Tensor) []any {
	c := x.Coalesce()
	return []any{x.String(), x.ToDense(), c.Indices(), c.Values(), x.IsCoalesced(), c.String()}
}

func csr(x *torch.Tensor) []any {
	return []any{x.String(), x.ToDense(), x.CrowIndices(), x.ColIndices(), x.Values()}
}

func csc(x *torch.Tensor) []any {
	return []any{x.String(), x.ToDense(), x.CcolIndices(), x.RowIndices(), x.Values()}
}

// TestFitting compares them with Python's results.
func TestFitting(t *testing.T) {
	p := reference.Start(t, cases+fittingScript)
	for _, c := range fittingCalls {
		var answer [2][]value
		p.Call(&answer, "fitting", c.inputs, c.python)
		var x []*torch.Tensor
		for _, v := range answer[0] {
			x = append(x, tensorOf(v))
		}
		var out []any
		torch.ManualSeed(0)
		require.NoError(t, torch.Try(func() { torch.NoGrad(func() { out = c.call(x) }) }), c.python)
		require.Len(t, out, len(answer[1]), c.python)
		for i, want := range answer[1] {
			_, err := compare(want, out[i])
			require.NoError(t, err, "%s: result %d", c.python, i)
		}
	}
}
