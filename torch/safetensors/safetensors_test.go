package safetensors_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/safetensors"
)

var dtypes = []torch.DType{
	torch.Bool, torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64, torch.Uint16, torch.Uint32, torch.Uint64, torch.Float16, torch.BFloat16,
	torch.Float32, torch.Float64, torch.Complex64, torch.Float8E4M3FN, torch.Float8E4M3FNUZ, torch.Float8E5M2, torch.Float8E5M2FNUZ, torch.Float8E8M0FNU,
}

// samples makes a tensor of each dtype and of odd shapes.
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
		s = append(s, torch.Named{Name: "dtype." + d.String(), Tensor: torch.FromSlice(b).ViewDType(d).Reshape(2, 3)})
	}
	x := torch.Arange(24).ToDType(torch.Float32).Reshape(2, 3, 4)
	for name, t := range map[string]*torch.Tensor{
		"scalar": torch.FromSlice([]float64{2.5}).Reshape(), "empty": torch.Zeros(0), "hollow": torch.Zeros(2, 0, 3),
		"turned": x.Transpose(0, 2), "part": x.Select(1, 1), "one": x.Select(0, 1).Select(0, 1).AsStrided([]int{1}, []int{2}), "whole": x, "é \"\\\n\u0001 日本語 😀": torch.FromSlice([]int8{1}),
		"grad": torch.Options{RequiresGrad: true}.Ones(2),
	} {
		s = append(s, torch.Named{Name: name, Tensor: t})
	}
	return s
}

func requireEqual(t *testing.T, want, got torch.StateDict) {
	t.Helper()
	require.Len(t, got, len(want))
	for _, e := range want {
		g := got.Get(e.Name)
		require.NotNil(t, g, e.Name)
		require.Equal(t, e.Tensor.Shape(), g.Shape(), e.Name)
		require.Equal(t, e.Tensor.DType(), g.DType(), e.Name)
		require.Equal(t, bits(e.Tensor), bits(g), e.Name)
	}
}

func bits(x *torch.Tensor) (b []byte) {
	if x.Numel() > 0 {
		b = torch.Data[uint8](x.Detach().Contiguous().AsStrided([]int{x.Numel()}, []int{1}).ViewDType(torch.Uint8))
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	want := samples()
	text := map[string]string{"format": "pt", "": "empty", "note": "tab\t \"quoted\" é 😀"}
	require.NoError(t, safetensors.SaveFile(want, path, text))
	require.NoError(t, safetensors.SaveFile(want, path, text), "over a file that is there")
	left, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.Equal(t, []string{path}, left)
	got, err := safetensors.LoadFile(path)
	require.NoError(t, err)
	requireEqual(t, want, got)
	meta, err := safetensors.Metadata(path)
	require.NoError(t, err)
	require.Equal(t, text, meta)

	// by content, whatever the name is
	other := filepath.Join(t.TempDir(), "model.bin")
	require.NoError(t, os.Rename(path, other))
	got, err = torch.LoadStateDict(other)
	require.NoError(t, err)
	requireEqual(t, want, got)

	require.NoError(t, safetensors.SaveFile(nil, path, nil))
	got, err = safetensors.LoadFile(path)
	require.NoError(t, err)
	require.Empty(t, got)
	meta, err = safetensors.Metadata(path)
	require.NoError(t, err)
	require.Nil(t, meta)
}

// Writing to a tensor leaves the file as it is.
func TestLoadFileIsCopyOnWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, safetensors.SaveFile(torch.StateDict{{Name: "x", Tensor: torch.Ones(4)}}, path, nil))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	s, err := safetensors.LoadFile(path)
	require.NoError(t, err)
	s.Get("x").FillInPlace(7)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestSaveFileMistakes(t *testing.T) {
	dir := t.TempDir()
	x := torch.Ones(2)
	freed := torch.Ones(1)
	freed.Free()
	for says, s := range map[string]torch.StateDict{
		"twice":     {{Name: "a", Tensor: x}, {Name: "a", Tensor: x}},
		"metadata":  {{Name: "__metadata__", Tensor: x}},
		"UTF-8":     {{Name: "\xff", Tensor: x}},
		"complex32": {{Name: "a", Tensor: torch.Zeros(2).ViewDType(torch.Complex32)}},
		"Free":      {{Name: "a", Tensor: freed}},
		"nil":       {{Name: "a"}},
		"a":         {{Name: "a", Tensor: torch.Eye(2).ToSparse()}},
	} {
		path := filepath.Join(dir, "model.safetensors")
		err := safetensors.SaveFile(s, path, nil)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, says)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	require.Error(t, safetensors.SaveFile(nil, filepath.Join(dir, "no", "folder"), nil))
}

func TestLoadFileMistakes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, head, data string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(string(binary.LittleEndian.AppendUint64(nil, uint64(len(head))))+head+data), 0o600))
		return p
	}
	_, err := safetensors.LoadFile(write("cut", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "1234"))
	require.ErrorIs(t, err, torch.ErrMalformed)
	var m *torch.MalformedError
	require.ErrorAs(t, err, &m)
	require.Equal(t, int64(9), m.Offset)
	_, err = safetensors.LoadFile(write("four", `{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}`, "1"))
	require.ErrorIs(t, err, torch.ErrUnsupported)
	_, err = safetensors.LoadFile("../../testdata/checkpoints/zip_state_dict.pt")
	require.Error(t, err)
	_, err = safetensors.LoadFile(dir)
	require.ErrorContains(t, err, "regular")
	_, err = safetensors.Metadata(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	state := torch.StateDict{{Name: "fc.bias", Tensor: torch.FromSlice([]float32{1, 2})}}
	if err := safetensors.SaveFile(state, path, map[string]string{"format": "pt"}); err != nil {
		fmt.Println(err)
		return
	}
	loaded, err := safetensors.LoadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(loaded[0].Name, torch.Data[float32](loaded[0].Tensor))
	text, err := safetensors.Metadata(path)
	fmt.Println(text, err)
	// Output:
	// fc.bias [1 2]
	// map[format:pt] <nil>
}

func ExampleSaveFile() {
	err := safetensors.SaveFile(torch.StateDict{{Name: "x", Tensor: torch.Ones(2).ToSparse()}}, filepath.Join(os.TempDir(), "sparse.safetensors"), nil)
	fmt.Println(strings.Contains(err.Error(), `tensor "x"`))
	// Output: true
}
