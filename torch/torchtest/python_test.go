package torchtest_test

import (
	"embed"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/torchtest"
)

//go:embed testdata/close.py testdata/make.py testdata/values.py
var sources embed.FS

// interpreter returns the Python of TORCHHUB_REFERENCE with what the tests call there; another Python of the machine
// could have another torch.
func interpreter(t testing.TB) *torchtest.Interpreter {
	t.Helper()
	reference.Python(t)
	var texts []string
	for _, name := range []string{"close", "make", "values"} {
		text, err := sources.ReadFile("testdata/" + name + ".py")
		require.NoError(t, err)
		texts = append(texts, string(text))
	}
	return torchtest.Python(t, texts...)
}

var exactly = torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0), EqualNan: true, CheckStride: true}

// TestPythonTensors sends tensors of all dtypes and layouts to Python and back.
func TestPythonTensors(t *testing.T) {
	p := interpreter(t)
	var xs []any
	for _, d := range []torch.DType{
		torch.Bool, torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64, torch.Uint16, torch.Uint32, torch.Uint64,
		torch.Float16, torch.BFloat16, torch.Float32, torch.Float64, torch.Complex32, torch.Complex64, torch.Complex128,
		torch.Float8E4M3FN, torch.Float8E5M2, torch.Float8E4M3FNUZ, torch.Float8E5M2FNUZ,
	} {
		xs = append(xs, torchtest.MakeTensor([]int{2, 3}, d), torchtest.MakeTensor([]int{3, 2}, d).T(), torchtest.MakeTensor(nil, d), torchtest.MakeTensor([]int{0, 4}, d))
	}
	for _, l := range []torch.Layout{torch.Sparse, torch.SparseCSR, torch.SparseCSC, torch.SparseBSR, torch.SparseBSC} {
		eye := torch.Options{DType: torch.Float64}.Eye(4)
		xs = append(xs, map[torch.Layout]func() *torch.Tensor{
			torch.Sparse: eye.ToSparse, torch.SparseCSR: eye.ToSparseCSR, torch.SparseCSC: eye.ToSparseCSC,
			torch.SparseBSR: func() *torch.Tensor { return eye.ToSparseBSR([]int{2, 2}) }, torch.SparseBSC: func() *torch.Tensor { return eye.ToSparseBSC([]int{2, 2}) },
		}[l]())
	}
	xs = append(xs, p.Call("quantized_tensors").([]torch.Value)...)
	xs = append(xs, torch.FromSlice([]torch.F8E8M0FNU{0, 127, 255}), torchtest.MakeTensor([]int{3}, torch.Complex64).Conj())
	xs = append(xs, torch.Ones(2).RequireGrad(true), torch.Ones(3).To(torch.Meta), torch.Scalar(float32(math.NaN())))
	there := p.Call("describe", xs...).([]torch.Value)
	back := p.Call("lambda *xs: xs", xs...).(torch.Tuple)
	require.Len(t, back, len(xs))
	for i, x := range xs {
		x := x.(*torch.Tensor)
		shape := torch.Tuple{}
		for _, n := range x.Shape() {
			shape = append(shape, n)
		}
		require.Equal(t, torch.Tuple{"torch." + x.DType().String(), shape, x.Layout(), x.RequiresGrad()}, there[i])
		require.NoError(t, torchtest.CheckClose(back[i], x, exactly), "tensor %d: %v", i, x)
		require.False(t, back[i].(*torch.Tensor).RequiresGrad())
	}
}

// TestPythonValues sends values other than tensors in both directions.
func TestPythonValues(t *testing.T) {
	p := interpreter(t)
	got := p.Call("lambda *args, **keywords: repr((args, keywords))", nil, true, 3, -2.5, complex(1, 2), "text", []any{1, "a"}, torch.Tuple{1, torch.Tuple{}},
		map[string]any{"a": []float64{1, 2}}, []*torch.Tensor{torch.Ones(1)}, torch.Int8, torchtest.Keywords{"dim": 0})
	require.Equal(t, "((None, True, 3, -2.5, (1+2j), 'text', [1, 'a'], (1, ()), {'a': [1.0, 2.0]}, [tensor([1.])], torch.int8), {'dim': 0})", got)

	for expression, want := range map[string]any{
		"None": nil, "3": 3, "Color.RED": 3, "numpy.float32(0.5)": 0.5, "numpy.bool_(True)": true, "numpy.array(7)": 7, "1j": 1i, "2**70": new(big.Int).Lsh(big.NewInt(1), 70),
		"'text'": "text", "b'bytes'": []byte("bytes"), "range(2)": []any{0, 1}, "Point(1, [2])": torch.Tuple{1, []any{2}}, "torch.float16": torch.Float16,
		"collections.OrderedDict(b=1)": &torch.Dict{Entries: []torch.Entry{{Key: "b", Value: 1}}},
	} {
		require.Equal(t, want, p.Call("lambda: "+expression), expression)
	}
	require.NoError(t, torchtest.CheckClose(p.Call("lambda: torch.ones(2, 3).max(1)"), []any{torch.Ones(2), torch.Options{DType: torch.Int64}.Zeros(2)}))
	require.NoError(t, torchtest.CheckClose(p.Call("lambda: Output(torch.nn.Parameter(torch.ones(2)))"), map[string]any{"logits": torch.Ones(2), "loss": 0.5}))
	require.NoError(t, torchtest.CheckClose(p.Call("lambda: numpy.arange(6, dtype='int16').reshape(2, 3)[:, ::-1]"), torch.NewTensor([][]int16{{2, 1, 0}, {5, 4, 3}})))
	require.NoError(t, torchtest.CheckClose(p.Call("torch.softmax", torch.Ones(2, 4), torchtest.Keywords{"dim": 1}), torch.Full(0.25, 2, 4)))

	_, err := p.Try("lambda: object()")
	require.EqualError(t, err, "TypeError: a object cannot be sent to Go; return tensors, numbers, strings, lists, tuples or dicts")
	_, err = p.Try("print", func() {})
	require.ErrorContains(t, err, "torch: save ")
}

// TestPythonBackward differentiates in Python with arguments of Go.
func TestPythonBackward(t *testing.T) {
	p := interpreter(t)
	x := torch.NewTensor([]float32{1, 2}).RequireGrad(true)
	torchtest.AssertClose(t, p.Call("grad", x), torch.NewTensor([]float32{2, 4}))
}

func TestPythonReports(t *testing.T) {
	p := interpreter(t)
	r := record(t, func(t testing.TB) { interpreter(t).Call("invert", 0) })
	require.Equal(t, []string{"python: x is 0"}, r.logs)
	require.Len(t, r.errors, 1)
	require.Contains(t, r.errors[0], "torchtest: call invert: ZeroDivisionError: integer division or modulo by zero\nTraceback (most recent call last):\n")
	require.Contains(t, r.errors[0], "return 1 // x\n")

	r = record(t, func(t testing.TB) { interpreter(t).Run("here = 1\nprint(here)\nnothing") })
	require.Equal(t, []string{"python: 1"}, r.logs)
	require.Contains(t, r.errors[0], "torchtest: run Python: NameError: name 'nothing' is not defined\nTraceback")
	require.Equal(t, 1, p.Call("lambda: here"))

	r = record(t, func(t testing.TB) { torchtest.Python(t, "1 +") })
	require.Contains(t, r.errors[0], "SyntaxError")

	_, err := p.Try("invert", 0)
	var e *torchtest.PythonError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "ZeroDivisionError", e.Type)
	require.Equal(t, 1, p.Call("invert", 1), "the process survives")

	_, err = p.Within(100 * time.Millisecond).Try("turn")
	require.ErrorContains(t, err, "python did not answer within 100ms and was ended; it was at:")
	require.ErrorContains(t, err, "while True: pass")
}

// TestPythonParallel calls one Python from many goroutines.
func TestPythonParallel(t *testing.T) {
	p := interpreter(t)
	for i := range 20 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			require.Equal(t, i+1, p.Call("lambda i: i + 1", i))
		})
	}
}

func TestPythonMistakes(t *testing.T) {
	p := interpreter(t)
	freed := torch.Ones(2)
	freed.Free()
	for function, args := range map[string][]any{
		"": {}, "nothing": {}, "1 +": {}, "3": {}, "lambda: 1": {1}, "len": {}, "id": {freed}, "hash": {make(chan int)}, "abs": {torchtest.Keywords{"x": 1}, 2}, "iter": {[]any{}}, "globals": {},
	} {
		v, err := p.Try(function, args...)
		require.Error(t, err, "%s: %v", function, v)
	}
	require.Equal(t, 1, p.Call("lambda: 1"))
}

func TestPythonFile(t *testing.T) {
	interpreter(t)
	p := torchtest.PythonFile(t, "testdata/values.py")
	require.Equal(t, "values.py", p.Call("lambda: __import__('os').path.basename(__file__)"))
	require.Equal(t, 3, p.Call("lambda: __import__('close') and 3"), "a module beside the file")
	r := record(t, func(t testing.TB) { torchtest.PythonFile(t, "testdata/none.py") })
	require.Equal(t, []string{"torchtest: stat testdata/none.py: no such file or directory"}, r.errors)
}

// TestPythonIsFound looks for Python in the places that the documentation names.
func TestPythonIsFound(t *testing.T) {
	real, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	without := func(path string) string { // a Python without modules such as torch
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\nPATH='%s' exec '%s' -S -E \"$@\"\n", os.Getenv("PATH"), real), 0o755))
		return path
	}
	dir := t.TempDir()
	onPath, active := without(filepath.Join(dir, "bin", "python3")), without(filepath.Join(dir, "env", "bin", "python"))
	start := func(t testing.TB) { torchtest.Python(t) }
	lacks := func(path string) []string {
		return []string{"torchtest: " + path + " lacks a module: No module named 'torch'; install it, or set TORCHHUB_REFERENCE to the path of a Python that has it"}
	}
	t.Setenv("TORCHHUB_REFERENCE", "")
	t.Setenv("VIRTUAL_ENV", "")
	t.Setenv("PATH", dir)
	r := record(t, start)
	require.True(t, r.skipped)
	require.Equal(t, []string{"torchtest: no Python was found; set TORCHHUB_REFERENCE to the path of one that has torch"}, r.logs)

	t.Setenv("PATH", filepath.Join(dir, "bin"))
	r = record(t, start)
	require.Equal(t, lacks(onPath), r.logs, "%v", r.errors)
	require.True(t, r.skipped)

	t.Setenv("VIRTUAL_ENV", filepath.Join(dir, "env"))
	require.Equal(t, lacks(active), record(t, start).logs)

	t.Setenv("TORCHHUB_REFERENCE", onPath)
	r = record(t, start)
	require.False(t, r.skipped)
	require.Equal(t, lacks(onPath), r.errors)
	t.Setenv("TORCHHUB_REFERENCE", filepath.Join(dir, "none"))
	require.Equal(t, []string{"torchtest: start " + dir + "/none: fork/exec " + dir + "/none: no such file or directory"}, record(t, start).errors)
}
