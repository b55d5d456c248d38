package numpy_test

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/npy"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/numpy"
)

var dtypes = []torch.DType{
	torch.Bool, torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64, torch.Uint16, torch.Uint32, torch.Uint64, torch.Float16,
	torch.Float32, torch.Float64, torch.Complex64, torch.Complex128,
}

func samples() torch.StateDict {
	var s torch.StateDict
	for i, d := range dtypes {
		b := make([]byte, 6*d.Size())
		for j := range b {
			b[j] = byte(j*7 + i)
			if d == torch.Bool {
				b[j] &= 1
			}
		}
		s = append(s, torch.Named{Name: d.String(), Tensor: torch.FromSlice(b).ViewDType(d).Reshape(2, 3)})
	}
	x := torch.Arange(24).ToDType(torch.Float32).Reshape(2, 3, 4)
	return append(s, torch.StateDict{{Name: "scalar", Tensor: torch.FromSlice([]float64{2.5}).Reshape()}, {Name: "empty", Tensor: torch.Zeros(0, 3)},
		{Name: "turned", Tensor: x.Transpose(0, 2)}, {Name: "folder/part", Tensor: x.Select(1, 1)}, {Name: "grad", Tensor: torch.Options{RequiresGrad: true}.Ones(2)}}...)
}

func requireEqual(t *testing.T, want, got *torch.Tensor, name string) {
	t.Helper()
	bytes := func(x *torch.Tensor) (b []byte) {
		torch.WithBytes(x, func(d []byte) { b = append(b, d...) })
		return b
	}
	require.Equal(t, want.Shape(), got.Shape(), name)
	require.Equal(t, want.DType(), got.DType(), name)
	require.Equal(t, bytes(want), bytes(got), name)
}

func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	all := samples()
	for _, e := range all {
		path := filepath.Join(dir, "x.npy")
		require.NoError(t, numpy.Save(path, e.Tensor), e.Name)
		x, err := numpy.Load(path)
		require.NoError(t, err, e.Name)
		requireEqual(t, e.Tensor, x, e.Name)
	}
	f, err := os.OpenFile(filepath.Join(dir, "x.npy"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("what follows the first array is ignored")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	x, err := numpy.Load(f.Name())
	require.NoError(t, err)
	requireEqual(t, all[len(all)-1].Tensor, x, "with bytes behind it")
	path := filepath.Join(dir, "all.npz")
	require.NoError(t, numpy.SaveZip(path, all))
	got, err := numpy.LoadZip(path)
	require.NoError(t, err)
	require.Len(t, got, len(all))
	for i, e := range all {
		require.Equal(t, e.Name, got[i].Name)
		requireEqual(t, e.Tensor, got[i].Tensor, e.Name)
	}
}

// TestCompressedMask loads what compresses to a thousandth, as np.savez_compressed(mask=np.zeros((8, 3000, 1500), "u1")) writes it.
func TestCompressedMask(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mask.npz")
	f, err := os.Create(path)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "mask.npy", Method: zip.Deflate})
	require.NoError(t, err)
	head, err := npy.Write("uint8", []int{8, 3000, 1500})
	require.NoError(t, err)
	_, err = w.Write(append(head, make([]byte, 8*3000*1500)...))
	require.NoError(t, err)
	require.NoError(t, errors.Join(z.Close(), f.Close()))
	s, err := numpy.LoadZip(path)
	require.NoError(t, err)
	require.Equal(t, []int{8, 3000, 1500}, s.Get("mask").Shape())
	_, err = numpy.LoadZip(path, torch.Limits{Inflate: 32 << 20})
	require.ErrorIs(t, err, torch.ErrUnsupported)
	require.ErrorContains(t, err, "raise Limits.Inflate")
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.npy")
	require.ErrorContains(t, numpy.Save(path, torch.Options{DType: torch.BFloat16}.Ones(2)), "bfloat16")
	require.ErrorContains(t, numpy.Save(path, nil), "nil")
	require.Error(t, numpy.Save(path, torch.Eye(2).ToSparse()))
	require.ErrorContains(t, numpy.SaveZip(path, torch.StateDict{{Name: "a", Tensor: torch.Ones(1)}, {Name: "a", Tensor: torch.Ones(1)}}), "two arrays")
	_, err := os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = numpy.Load(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = numpy.Load(dir)
	require.ErrorContains(t, err, "regular")
	require.NoError(t, os.WriteFile(path, []byte("hello"), 0o600))
	_, err = numpy.Load(path)
	require.ErrorIs(t, err, torch.ErrMalformed)
	_, err = numpy.LoadZip(path)
	require.ErrorIs(t, err, torch.ErrMalformed)
	_, err = numpy.LoadZip("../../testdata/checkpoints/zip_state_dict.pt")
	require.ErrorIs(t, err, torch.ErrUnsupported)
}

const script = `
import numpy, torch

def array(dtype, order, swap, *shape):
	rnd = numpy.random.default_rng(len(shape))
	n = int(numpy.prod(shape))
	a = numpy.frombuffer(rnd.bytes(n * numpy.dtype(dtype).itemsize), dtype).reshape(shape)
	if dtype == "bool":
		a = a.view("u1") % 2 == 1
	a = numpy.asarray(a, order=order)
	return a.astype(a.dtype.newbyteorder(">"), order="K") if swap else a

def save(path, *args):
	a = array(*args)
	numpy.save(path, a)
	return numpy.ascontiguousarray(a.astype(a.dtype.newbyteorder("="))).view("u1").reshape(-1) if a.size else numpy.zeros(0, "u1")

def zipped(path, compressed):
	(numpy.savez_compressed if compressed else numpy.savez)(path, a=numpy.arange(1000.0), b=numpy.asfortranarray(numpy.arange(6).reshape(2, 3)))

def objects(path):
	numpy.save(path, numpy.array([{}, None]), allow_pickle=True)

def equal(ours, theirs):
	"""What Go saved, saved again."""
	a = numpy.load(ours)
	if isinstance(a, numpy.ndarray):
		numpy.save(theirs, a)
	else:
		return [[k, str(v.dtype), list(v.shape)] for k, v in a.items()]
`

func TestEqualsPython(t *testing.T) {
	p := reference.Start(t, script)
	dir := t.TempDir()
	path, theirs := filepath.Join(dir, "x.npy"), filepath.Join(dir, "theirs.npy")
	for _, d := range dtypes {
		for _, order := range []string{"C", "F"} {
			for _, swap := range []bool{false, true} {
				for _, shape := range [][]any{{}, {5}, {2, 3}, {2, 0, 3}, {2, 3, 4}} {
					var want reference.Array
					p.Call(&want, "save", append([]any{path, d.String(), order, swap}, shape...)...)
					x, err := numpy.Load(path)
					require.NoError(t, err)
					require.Equal(t, d, x.DType())
					require.Equal(t, fmt.Sprint(shape), fmt.Sprint(x.Shape()))
					torch.WithBytes(x, func(b []byte) { require.Equal(t, string(want.Data), string(b), "%v %v %v %v", d, order, swap, shape) })
				}
			}
		}
	}
	for _, e := range samples() {
		require.NoError(t, numpy.Save(path, e.Tensor))
		p.Call(nil, "equal", path, theirs)
		want, err := os.ReadFile(theirs)
		require.NoError(t, err)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, got, e.Name)
	}
	for _, compressed := range []bool{false, true} {
		p.Call(nil, "zipped", theirs+".npz", compressed)
		s, err := numpy.LoadZip(theirs + ".npz")
		require.NoError(t, err)
		require.Len(t, s, 2)
		require.Equal(t, 999.0, torch.Data[float64](s.Get("a"))[999])
		require.Equal(t, []int64{0, 1, 2, 3, 4, 5}, torch.Data[int64](s.Get("b")))
		require.Equal(t, []int{1, 2}, s.Get("b").Strides(), "Fortran's order")
	}
	require.NoError(t, numpy.SaveZip(path+".npz", samples()))
	var list [][]any
	p.Call(&list, "equal", path+".npz", "")
	require.Len(t, list, len(samples()))
	p.Call(nil, "objects", path)
	_, err := numpy.Load(path)
	require.ErrorIs(t, err, torch.ErrUnsupported)
	require.ErrorContains(t, err, "pickled")
}

func Example() {
	path := filepath.Join(os.TempDir(), "torchhub-example.npy")
	defer os.Remove(path)
	err := numpy.Save(path, torch.FromSlice([]float32{1, 2, 3, 4}, 2, 2))
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := numpy.Load(path)
	fmt.Println(x.Shape(), torch.Data[float32](x), err)
	// Output: [2 2] [1 2 3 4] <nil>
}

func ExampleSaveZip() {
	path := filepath.Join(os.TempDir(), "torchhub-example.npz")
	defer os.Remove(path)
	if err := numpy.SaveZip(path, torch.StateDict{{Name: "w", Tensor: torch.Ones(2)}}); err != nil {
		fmt.Println(err)
		return
	}
	s, err := numpy.LoadZip(path)
	fmt.Println(s[0].Name, torch.Data[float32](s[0].Tensor), err)
	// Output: w [1 1] <nil>
}
