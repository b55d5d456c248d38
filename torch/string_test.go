package torch_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

func ExampleTensor_String() {
	fmt.Println(torch.FromSlice([]float32{1, -2.5, 1000, 0}, 2, 2))
	fmt.Println(torch.FromSlice([]int32{1, 20}))
	fmt.Println(torch.Zeros(0, 3))
	// Output:
	// tensor([[   1.0000,   -2.5000],
	//         [1000.0000,    0.0000]])
	// tensor([ 1, 20], dtype=torch.int32)
	// tensor([], size=(0, 3))
}

func TestStringOfOthers(t *testing.T) {
	var none *torch.Tensor
	require.Equal(t, "tensor(freed)", none.String())
	x := torch.Ones(2)
	x.Free()
	require.Equal(t, "tensor(freed)", fmt.Sprint(x))
	torch.WithDevice(torch.Meta, func() {
		require.Equal(t, "tensor(..., device='meta', size=(2,))", torch.Zeros(2).String())
	})
	y := torch.Ones(2).RequireGrad(true)
	require.Equal(t, "tensor([1., 1.], requires_grad=True)", y.String())
	require.Equal(t, "tensor([2., 2.], grad_fn=<MulBackward0>)", y.Mul(torch.FromSlice([]float32{2})).String())
	defer torch.SetPrintOptions(torch.PrintOptions{})
	torch.SetPrintOptions(torch.PrintOptions{Precision: new(2), Threshold: new(5), EdgeItems: 1})
	require.Equal(t, "tensor([0.50,  ..., 0.25])", torch.FromSlice([]float32{0.5, 1, 2, 3, 4, 0.25}).String())
}

// TestPythonReprs writes random tensors of all dtypes, sizes and values as Python does.
func TestPythonReprs(t *testing.T) {
	p := reference.Start(t, `
import base64, random, torch
dtypes = [torch.float32] * 6 + [torch.float64, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool, torch.complex64, torch.complex64, torch.complex128, torch.complex32,
    torch.float8_e5m2, torch.float8_e4m3fn, torch.float8_e5m2fnuz, torch.float8_e4m3fnuz, torch.float8_e8m0fnu]

def tensors(n, seed):
    random.seed(seed)
    torch.manual_seed(seed)
    out = []
    while len(out) < n:
        dtype = random.choice(dtypes)
        shape = random.choice([[], [1], [5], [17], [60], [0], [0, 3], [2, 3], [3, 1, 4], [2, 2, 3, 2], [1001], [40, 30], [7, 9, 20], [3, 500], [2000, 2], [1, 1, 1, 1], [12, 12, 12], [6, 7, 40]])
        kind = random.choice(["normal", "whole", "large", "tiny", "mixed", "special", "negative zero", "huge whole"])
        x = torch.randn(shape, dtype=torch.float64)
        if kind == "whole": x = (x * 10).round()
        if kind == "large": x = x * 10.0 ** random.randint(0, 12)
        if kind == "tiny": x = x * 10.0 ** -random.randint(0, 12)
        if kind == "mixed": x = x * 10.0 ** torch.randint(-5, 6, shape)
        if kind == "huge whole": x = (x * 1e6).round() * 1e5
        if kind == "special" and x.numel():
            for v in [float("nan"), float("inf"), -float("inf"), 0.0, -0.0]:
                if random.random() < .6: x.reshape(-1)[random.randrange(x.numel())] = v
        if kind == "negative zero": x = -torch.zeros(shape, dtype=torch.float64)
        if dtype.is_complex:
            x = torch.complex(x, torch.randn(shape, dtype=torch.float64) * 10.0 ** random.randint(-3, 3))
        elif dtype == torch.bool:
            x = x > 0
        elif not dtype.is_floating_point:
            bits = torch.iinfo(dtype).bits
            x = torch.randint(-2**63, 2**63 - 1, shape) >> random.randint(64 - bits, 63) if random.random() < .5 else torch.randint(0, 100, shape)
        try:
            x = x.to(dtype)
            transposed = x.dim() >= 2 and random.random() < .3
            grad = dtype in (torch.float32, torch.float64, torch.complex64) and random.random() < .2
            data = base64.b64encode(x.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()).decode()
            shape = list(x.shape)
            if transposed: x = x.transpose(-1, -2)
            if grad: x = x.requires_grad_() if random.random() < .5 else x.requires_grad_().clone()
            text = repr(x)
        except Exception:
            continue
        out.append({"dtype": str(dtype)[6:], "shape": shape, "data": data, "transposed": transposed, "leaf": x.is_leaf, "grad": grad, "text": text, "kind": kind})
    return out
`)
	var cases []struct {
		DType      string
		Shape      []int
		Data       []byte
		Transposed bool
		Leaf, Grad bool
		Text, Kind string
	}
	p.Call(&cases, "tensors", 1200, 1)
	viewDType := torch.NewOp("aten::view", "dtype")
	for i, c := range cases {
		d, err := torch.ParseDType(c.DType)
		require.NoError(t, err)
		var call torch.Call
		call.Tensor(torch.FromSlice(c.Data, len(c.Data)))
		call.DType(d)
		x := call.One(viewDType).View(c.Shape...).Clone()
		if c.Transposed {
			x = x.Transpose(-1, -2)
		}
		if c.Grad {
			x = x.RequireGrad(true)
			if !c.Leaf {
				x = x.Clone()
			}
		}
		require.Equal(t, c.Text, x.String(), "%d: %s %v, %s", i, c.DType, c.Shape, c.Kind)
	}
}

// TestSparseReprs writes sparse tensors of all layouts as Python does.
func TestSparseReprs(t *testing.T) {
	p := reference.Start(t, `
import random, torch

def sparse(n):
    random.seed(3)
    torch.manual_seed(3)
    out = []
    for _ in range(n):
        shape = random.choice([[2, 3], [4, 4], [40, 60], [6, 8], [2, 4, 6], [1, 1], [8, 2]])
        x = torch.randn(shape).relu() * random.choice([0, 1, 1000, 1e-3])
        x = x.to(random.choice([torch.float32, torch.float32, torch.float64, torch.int32, torch.complex64]))
        layout = random.choice(["coo", "coo 1", "csr", "csc", "bsr", "bsc"])
        if layout == "coo 1" and len(shape) != 3: layout = "coo"
        if len(shape) == 3 and layout != "coo 1": layout = "coo"
        if layout in ("bsr", "bsc") and (shape[0] % 2 or shape[1] % 2): layout = "csr"
        y = {"coo": lambda: x.to_sparse(), "coo 1": lambda: x.to_sparse(1), "csr": lambda: x.to_sparse_csr(), "csc": lambda: x.to_sparse_csc(),
             "bsr": lambda: x.to_sparse_bsr((2, 2)), "bsc": lambda: x.to_sparse_bsc((2, 2))}[layout]()
        out.append({"dtype": str(x.dtype)[6:], "shape": shape, "values": torch.view_as_real(x).flatten().tolist() if x.is_complex() else x.flatten().tolist(), "layout": layout, "text": repr(y)})
    return out
`)
	var cases []struct {
		DType  string
		Shape  []int
		Values []float64
		Layout string
		Text   string
	}
	p.Call(&cases, "sparse", 150)
	for i, c := range cases {
		d, err := torch.ParseDType(c.DType)
		require.NoError(t, err)
		x := torch.FromSlice(c.Values)
		if d.IsComplex() {
			x = x.View(-1, 2).ViewAsComplex()
		}
		x = x.ToDType(d).View(c.Shape...)
		switch c.Layout {
		case "coo":
			x = x.ToSparse()
		case "coo 1":
			x = x.ToSparseDim(1)
		case "csr":
			x = x.ToSparseCSR()
		case "csc":
			x = x.ToSparseCSC()
		case "bsr":
			x = x.ToSparseBSR([]int{2, 2})
		case "bsc":
			x = x.ToSparseBSC([]int{2, 2})
		}
		require.Equal(t, c.Text, x.String(), "%d: %s %v, %s", i, c.DType, c.Shape, c.Layout)
	}
}

// TestQuantizedReprs writes quantized tensors as Python does.
func TestQuantizedReprs(t *testing.T) {
	p := reference.Start(t, `
import itertools, torch

def save(path):
    torch.manual_seed(0)
    xs = []
    for dtype, shape in itertools.product([torch.qint8, torch.quint8, torch.qint32], [[], [3], [2, 3], [0, 2], [40, 40]]):
        x = torch.randn(shape)
        xs.append(torch.quantize_per_tensor(x, 0.1, 3, dtype))
        if shape:
            xs.append(torch.quantize_per_channel(x, torch.rand(shape[-1]).double() + 1e-5, torch.arange(shape[-1]), len(shape) - 1, dtype))
    for dtype in torch.quint4x2, torch.quint2x4:
        xs.append(torch.quantize_per_channel(torch.randn(2, 8), torch.rand(2) + 0.1, torch.rand(2), 0, dtype))
    torch.save(xs, path)
    return [[repr(x), str(x.qscheme())] for x in xs]
`)
	path := filepath.Join(t.TempDir(), "quantized.pt")
	var want [][2]string
	p.Call(&want, "save", path)
	v, err := torch.Load(path)
	require.NoError(t, err)
	for i, x := range v.([]torch.Value) {
		require.Equal(t, want[i][0], x.(*torch.Tensor).String())
		require.Equal(t, torch.QScheme(want[i][1]), x.(*torch.Tensor).QScheme())
		require.True(t, x.(*torch.Tensor).IsQuantized())
	}
	require.False(t, torch.Ones(1).IsQuantized())
	require.Error(t, torch.Try(func() { torch.Ones(1).QScheme() }))
}
