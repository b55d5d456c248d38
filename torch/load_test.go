package torch_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/torch/aten/unchecked"
)

const checkpoints = "../testdata/checkpoints/"

// hexOf returns, as the goldens do, the little-endian bytes of a float32 or int64 tensor.
func hexOf(t *testing.T, x *torch.Tensor) string {
	var b bytes.Buffer
	switch x.DType() {
	case torch.Float32:
		require.NoError(t, binary.Write(&b, binary.LittleEndian, torch.Data[float32](x)))
	case torch.Int64:
		require.NoError(t, binary.Write(&b, binary.LittleEndian, torch.Data[int64](x)))
	default:
		require.Fail(t, "unexpected dtype", x.DType())
	}
	if b.Len() > 64 { // the goldens hold a hash of what is longer
		sum := sha256.Sum256(b.Bytes())
		return hex.EncodeToString(sum[:])
	}
	return hex.EncodeToString(b.Bytes())
}

func TestLoadStateDictEqualsPythons(t *testing.T) {
	for _, name := range []string{"zip_state_dict", "legacy_state_dict"} {
		var want struct{ Items [][2]json.RawMessage }
		b, err := os.ReadFile(checkpoints + name + ".json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &want))
		got, err := torch.LoadStateDict(checkpoints + name + ".pt")
		require.NoError(t, err)
		require.Len(t, got, len(want.Items))
		for i, item := range want.Items {
			var key string
			var v struct {
				Tensor struct {
					DType  string
					Size   []int
					Values string
				}
			}
			require.NoError(t, json.Unmarshal(item[0], &key))
			require.NoError(t, json.Unmarshal(item[1], &v))
			require.Equal(t, key, got[i].Name)
			require.Equal(t, v.Tensor.Size, got[i].Tensor.Shape(), key)
			require.Equal(t, v.Tensor.DType, got[i].Tensor.DType().String(), key)
			require.Equal(t, v.Tensor.Values, hexOf(t, got[i].Tensor), key)
		}
		got.Free()
	}
}

// Writing to a loaded tensor changes neither the file nor another load of it.
func TestLoadIsCopyOnWrite(t *testing.T) {
	path := checkpoints + "zip_state_dict.pt"
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	s, err := torch.LoadStateDict(path)
	require.NoError(t, err)
	s.Get("conv.weight").FillInPlace(7)
	require.Equal(t, float32(7), torch.Data[float32](s.Get("conv.weight"))[0])
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// TestLoadAllGoldens compares with what torch.load makes of the same files.
func TestLoadAllGoldens(t *testing.T) {
	requireGoldens(t, checkpoints, 40)
}

// TestLoadEqualsPython compares random nested containers of all dtypes that Python saves.
func TestLoadEqualsPython(t *testing.T) {
	python := reference.Python(t)
	dir := t.TempDir()
	out, err := exec.Command(python, "../testdata/gen/checkpoints.py", "--random", dir, "100", "7").CombinedOutput()
	require.NoError(t, err, "%s", out)
	requireGoldens(t, dir, 100)
}

func requireGoldens(t *testing.T, dir string, atLeast int) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.pt"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), atLeast)
	for _, p := range paths {
		var want any
		b, err := os.ReadFile(strings.TrimSuffix(p, ".pt") + ".json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &want))
		v, err := torch.Load(p)
		if err != nil { // a dtype that libtorch cannot compute with, which the layout itself allows
			require.ErrorIs(t, err, torch.ErrUnsupported, p)
			require.ErrorContains(t, err, "dtype", p)
			continue
		}
		requireTree(t, p, want, v)
	}
}

// requireTree compares a value with the tree that testdata/gen/checkpoints.py wrote for Python's.
func requireTree(t *testing.T, at string, want any, got torch.Value) {
	list := func(items any, got []torch.Value) {
		require.Len(t, got, len(items.([]any)), at)
		for i, w := range items.([]any) {
			requireTree(t, fmt.Sprintf("%s[%d]", at, i), w, got[i])
		}
	}
	switch w := want.(type) {
	case nil, bool, string:
		require.Equal(t, want, got, at)
		return
	case []any:
		require.IsType(t, []torch.Value{}, got, at)
		list(w, got.([]torch.Value))
		return
	}
	for kind, w := range want.(map[string]any) {
		switch kind {
		case "int":
			require.Equal(t, w, fmt.Sprint(got), at)
		case "float":
			require.Equal(t, w, fmt.Sprintf("%016x", math.Float64bits(got.(float64))), at)
		case "complex":
			c := got.(complex128)
			require.Equal(t, w, fmt.Sprintf("%016x%016x", math.Float64bits(real(c)), math.Float64bits(imag(c))), at)
		case "str":
			require.Equal(t, w, hex.EncodeToString([]byte(got.(string))), at)
		case "bytes":
			require.Equal(t, w, hex.EncodeToString(got.([]byte)), at)
		case "tuple":
			list(w, got.(torch.Tuple))
		case "set":
			require.IsType(t, torch.Set{}, got, at)
			require.Len(t, got, len(w.([]any)), at)
		case "size":
			require.Equal(t, torch.Size(numbers(w)), got, at)
		case "items":
			d := got.(*torch.Dict)
			require.Len(t, d.Entries, len(w.([]any)), at)
			for i, e := range w.([]any) {
				requireTree(t, fmt.Sprintf("%s key %d", at, i), e.([]any)[0], d.Entries[i].Key)
				requireTree(t, fmt.Sprintf("%s value %d", at, i), e.([]any)[1], d.Entries[i].Value)
			}
		case "class":
			require.Equal(t, w, got.(*torch.Dict).Class.String(), at)
		case "metadata":
			requireTree(t, at+" metadata", w, got.(*torch.Dict).Metadata)
		case "dtype":
			require.Equal(t, w, got.(torch.DType).String(), at)
		case "device":
			require.Equal(t, w.([]any)[0], got.(torch.Device).Type(), at)
		case "layout":
			require.Equal(t, torch.Strided, got, at)
		case "qscheme":
			require.Equal(t, torch.QScheme(w.(string)), got, at)
		case "storage":
			require.Equal(t, w, digest(got.(*torch.Tensor)), at)
		case "meta":
			x, m := got.(*torch.Tensor), w.(map[string]any)
			require.Equal(t, torch.Meta, x.Device(), at)
			requireShape(t, at, m, x)
			require.Equal(t, numbers(m["stride"]), x.Strides(), at)
			require.Equal(t, m["grad"], x.RequiresGrad(), at)
		case "sparse":
			x, m := got.(*torch.Tensor), w.(map[string]any)
			require.Equal(t, numbers(m["size"]), x.Shape(), at)
			var parts []*torch.Tensor
			if m["layout"] == "torch.sparse_coo" {
				parts = []*torch.Tensor{unchecked.Indices(x), unchecked.Values(x)}
				require.Equal(t, m["coalesced"], aten.IsCoalesced(x), at)
			} else if m["layout"] == "torch.sparse_csr" || m["layout"] == "torch.sparse_bsr" {
				parts = []*torch.Tensor{aten.CrowIndices(x), aten.ColIndices(x), aten.Values(x)}
			} else {
				parts = []*torch.Tensor{aten.CcolIndices(x), aten.RowIndices(x), aten.Values(x)}
			}
			for i, p := range m["parts"].([]any) {
				requireShape(t, at, p.(map[string]any), parts[i])
				require.Equal(t, p.(map[string]any)["values"], digest(parts[i]), at)
			}
		case "tensor":
			x, m := got.(*torch.Tensor), w.(map[string]any)
			requireShape(t, at, m, x)
			require.Equal(t, m["grad"], x.RequiresGrad(), at)
			if q, ok := m["quantizer"]; ok {
				require.Equal(t, numbers(m["stride"]), x.Strides(), at)
				requireQuantizer(t, at, q.(map[string]any), x)
				x = aten.IntRepr(x)
				require.Equal(t, m["values"], digest(x), at)
			} else if m["conj"] == false && m["neg"] == false { // else the tree has what is stored, not what it stands for
				require.Equal(t, numbers(m["stride"]), x.Strides(), at)
				require.Equal(t, m["values"], digest(x), at)
			}
		case "itself": // see TestLoadItself
			require.Contains(t, []string{"[]interface {}", "*torch.Dict"}, fmt.Sprintf("%T", got), at)
		default:
			require.Fail(t, "a tree of an unknown kind", kind)
		}
	}
}

func requireQuantizer(t *testing.T, at string, want map[string]any, x *torch.Tensor) {
	scale, ok := want["scale"]
	if ok {
		require.Equal(t, scale, fmt.Sprintf("%016x", math.Float64bits(aten.QScale(x))), at)
		require.Equal(t, want["zero_point"], float64(aten.QZeroPoint(x)), at)
		return
	}
	require.Equal(t, want["axis"], float64(aten.QPerChannelAxis(x)), at)
	require.Equal(t, want["scales"], digest(aten.QPerChannelScales(x)), at)
	require.Equal(t, want["zero_points"], digest(aten.QPerChannelZeroPoints(x)), at)
}

// TestLoadItself loads [l, d, l] with l = [1, l] and d = {"a": 2, "self": d, "list": [d, l]}.
func TestLoadItself(t *testing.T) {
	for _, name := range []string{"zip_itself", "legacy_itself"} {
		v, err := torch.Load(checkpoints + name + ".pt")
		require.NoError(t, err)
		l, d := v.([]torch.Value)[0].([]torch.Value), v.([]torch.Value)[1].(*torch.Dict)
		require.Equal(t, 1, l[0])
		require.Same(t, &l[0], &l[1].([]torch.Value)[0])
		require.Same(t, &l[0], &v.([]torch.Value)[2].([]torch.Value)[0])
		self, _ := d.Get("self")
		require.Same(t, d, self)
		list, _ := d.Get("list")
		require.Same(t, d, list.([]torch.Value)[0])
	}
}

// TestLoadQuantized computes with what was quantized.
func TestLoadQuantized(t *testing.T) {
	v, err := torch.Load(checkpoints + "zip_quantized.pt")
	require.NoError(t, err)
	x, _ := v.(*torch.Dict).Get("torch.quint4x2") // -6 … 5 in steps of 1/4, of which 16 can be told from each other
	require.Equal(t, []float32{-0.75, -0.75, -0.75, -0.75, -0.75, -0.75, 0, 1, 2, 3, 3, 3}, torch.Data[float32](aten.DequantizeSelf(x.(*torch.Tensor)).Reshape(-1)))
	x, _ = v.(*torch.Dict).Get("row")
	require.InDeltaSlice(t, []float32{-0.3, -0.3, 0, 1}, torch.Data[float32](aten.DequantizeSelf(x.(*torch.Tensor))), 1e-6)
}

func requireShape(t *testing.T, at string, want map[string]any, x *torch.Tensor) {
	require.Equal(t, numbers(want["size"]), x.Shape(), at)
	require.Equal(t, want["dtype"], x.DType().String(), at)
}

func numbers(v any) []int {
	n := []int{}
	for _, x := range v.([]any) {
		n = append(n, int(x.(float64)))
	}
	return n
}

// digest returns, as the trees have it, the bytes of a tensor or a hash of what is longer.
func digest(x *torch.Tensor) string {
	if x.Numel() == 0 {
		return ""
	}
	b := torch.Data[uint8](x.Detach().Contiguous().AsStrided([]int{x.Numel()}, []int{1}).ViewDType(torch.Uint8))
	if len(b) > 64 {
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:])
	}
	return hex.EncodeToString(b)
}

// TestLimits lowers each limit below what a file needs.
func TestLimits(t *testing.T) {
	for name, l := range map[string]torch.Limits{"Memory": {Memory: 1000}, "Values": {Values: 10}, "Depth": {Depth: 2}, "Inflate": {Inflate: 10}} {
		path := checkpoints + map[bool]string{true: "zip_deflated.pt", false: "zip_training.pt"}[name == "Inflate"]
		_, err := torch.Load(path, torch.WithLimits(l))
		require.ErrorIs(t, err, torch.ErrUnsupported, name)
		require.ErrorContains(t, err, "raise Limits."+name)
		_, err = torch.LoadStateDict(path, torch.WithLimits(l))
		require.ErrorContains(t, err, "raise Limits."+name)
		_, err = torch.Load(path, torch.WithLimits(torch.Limits{Memory: 1 << 20, Values: 10000, Depth: 1 << 30, Inflate: 1 << 20}))
		require.NoError(t, err)
	}
}

// Tensors that shared memory when they were saved share it again.
func TestLoadShares(t *testing.T) {
	for _, name := range []string{"zip_views", "legacy_views", "legacy_storage_views"} {
		v, err := torch.Load(checkpoints + name + ".pt")
		require.NoError(t, err)
		d := v.(*torch.Dict)
		for i := range d.Entries {
			x := d.Entries[i].Value.(*torch.Tensor)
			if x.Numel() == 0 || d.Entries[i].Key == "channels_last" {
				continue
			}
			for _, e := range d.Entries { // each shows in the first what is written to it
				e.Value.(*torch.Tensor).FillInPlace(0)
			}
			x.FillInPlace(7)
			first := d.Entries[0].Value.(*torch.Tensor)
			require.Equal(t, 7.0, first.Max().Item(), "%s: %v", name, d.Entries[i].Key)
		}
	}
}

func TestLoadBadFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	for _, p := range []string{filepath.Join(dir, "none.pth"), dir, write("empty.pth", ""), write("text.pth", "hello"), write("page.pth", "<!DOCTYPE html><html>")} {
		_, err := torch.LoadStateDict(p)
		require.ErrorContains(t, err, p)
	}
	hostile, err := filepath.Glob(checkpoints + "hostile/*")
	require.NoError(t, err)
	require.NotEmpty(t, hostile)
	for _, p := range hostile {
		_, err := torch.LoadStateDict(p)
		require.Error(t, err, p)
	}
}

func ExampleLoadStateDict() {
	s, err := torch.LoadStateDict(checkpoints + "zip_state_dict.pt") // by torch.save(model.state_dict(), …)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Free()
	for _, e := range s {
		fmt.Println(e.Name, e.Tensor.Shape(), e.Tensor.DType())
	}
	// Output:
	// conv.weight [2 1 3 3] float32
	// conv.bias [2] float32
	// norm.weight [2] float32
	// norm.bias [2] float32
	// norm.running_mean [2] float32
	// norm.running_var [2] float32
	// norm.num_batches_tracked [] int64
	// fc.weight [3 2] float32
	// fc.bias [3] float32
}

func ExampleLoad() {
	v, err := torch.Load(checkpoints + "zip_training.pt") // what a training loop saves: a dict of many things
	if err != nil {
		fmt.Println(err)
		return
	}
	d := v.(*torch.Dict)
	for _, e := range d.Entries {
		fmt.Printf("%v: %T\n", e.Key, e.Value)
	}
	// Output:
	// epoch: int
	// model: *torch.Dict
	// optimizer: *torch.Dict
	// scheduler: *torch.Dict
	// best: float64
}

// TestLoadSparseDTypes reads compressed sparse tensors of dtypes other than the default one.
func TestLoadSparseDTypes(t *testing.T) {
	p := reference.Start(t, "import torch\ndef save(path): torch.save([torch.eye(2, dtype=d).to_sparse_csr() for d in (torch.float64, torch.complex64, torch.int64)], path)")
	path := filepath.Join(t.TempDir(), "sparse.pt")
	p.Call(nil, "save", path)
	v, err := torch.Load(path)
	require.NoError(t, err)
	for i, d := range []torch.DType{torch.Float64, torch.Complex64, torch.Int64} {
		x := v.([]torch.Value)[i].(*torch.Tensor)
		require.Equal(t, d, x.DType())
		require.True(t, x.ToDense().Equal(torch.Options{DType: d}.Eye(2)))
	}
}
