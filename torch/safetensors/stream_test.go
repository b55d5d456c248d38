package safetensors_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/safetensors"
)

// Streams have the bytes of files.
func TestStreams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	var b bytes.Buffer
	meta := map[string]string{"format": "pt"}
	require.NoError(t, safetensors.SaveTo(&b, samples(), meta)) // sorted
	require.NoError(t, safetensors.SaveFile(samples(), path, meta))
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, b.Bytes())
	got, err := safetensors.LoadFrom(&b)
	require.NoError(t, err)
	requireEqual(t, samples(), got)
	_, err = safetensors.LoadFrom(bytes.NewReader(want[:len(want)-1]))
	require.ErrorIs(t, err, torch.ErrMalformed)
	checkpoint, err := os.ReadFile("../../testdata/checkpoints/zip_state_dict.pt")
	require.NoError(t, err)
	_, err = safetensors.LoadFrom(bytes.NewReader(checkpoint))
	require.Error(t, err)
}

func sequence(s ...torch.Named) func(func(torch.Named, error) bool) {
	return func(yield func(torch.Named, error) bool) {
		for _, e := range s {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func TestSaveSeq(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	all := samples()
	var infos []safetensors.Info
	for _, e := range all {
		infos = append(infos, safetensors.InfoOf(e))
	}
	require.NoError(t, safetensors.SaveSeq(path, infos, sequence(all...), nil))
	got, err := safetensors.LoadFile(path)
	require.NoError(t, err)
	requireEqual(t, all, got)
	require.Equal(t, infos[0].Name, got[0].Name, "the order is the caller's")

	before, err := os.ReadFile(path)
	require.NoError(t, err)
	x := torch.Named{Name: "x", Tensor: torch.Ones(2)}
	y := torch.Named{Name: "y", Tensor: torch.Ones(3)}
	both := []safetensors.Info{safetensors.InfoOf(x), safetensors.InfoOf(y)}
	broken := errors.New("broken")
	for says, seq := range map[string]func(func(torch.Named, error) bool){
		`tensor "y" is announced and does not follow`:    sequence(x),
		`tensor "x" follows the last announced one`:      sequence(x, y, x),
		`but "x" of the dtype float32 and the shape [2]`: sequence(y, x),
		`it is of the dtype float32 and the shape [1]`:   sequence(torch.Named{Name: "x", Tensor: torch.Ones(1)}),
		`nil tensor`: sequence(torch.Named{Name: "x"}),
		`broken`:     func(yield func(torch.Named, error) bool) { yield(torch.Named{}, broken) },
	} {
		require.ErrorContains(t, safetensors.SaveSeq(path, both, seq, nil), says)
	}
	require.ErrorContains(t, safetensors.SaveSeq(path, []safetensors.Info{{Name: "x", DType: torch.Float32, Shape: []int{-1}}}, sequence(x), nil), "has the shape [-1]")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// Python reads a file whose tensors are in an order of their own.
func TestSaveSeqInPython(t *testing.T) {
	p := reference.Start(t, script)
	var have bool
	if p.Call(&have, "have"); !have {
		t.Skip("the reference has no safetensors")
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	x := torch.Named{Name: "b", Tensor: torch.FromSlice([]int8{1, 2, 3})}
	y := torch.Named{Name: "a", Tensor: torch.FromSlice([]int64{4, 5})}
	require.NoError(t, safetensors.SaveSeq(path, []safetensors.Info{safetensors.InfoOf(x), safetensors.InfoOf(y)}, sequence(x, y), nil))
	var values [][]int
	p.Call(&values, `lambda path: [load_file(path)[k].tolist() for k in "ab"]`, path)
	require.Equal(t, [][]int{{4, 5}, {1, 2, 3}}, values)
}

func ExampleSaveSeq() {
	path := filepath.Join(os.TempDir(), "torchhub-example.safetensors")
	defer os.Remove(path)
	infos := []safetensors.Info{{Name: "layer.0", DType: torch.Float32, Shape: []int{2}}, {Name: "layer.1", DType: torch.Float32, Shape: []int{2}}}
	err := safetensors.SaveSeq(path, infos, func(yield func(torch.Named, error) bool) {
		for i, info := range infos {
			x := torch.Zeros(info.Shape...).FillInPlace(i) // one layer is in memory at a time
			if !yield(torch.Named{Name: info.Name, Tensor: x}, nil) {
				return
			}
			x.Free()
		}
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	state, err := safetensors.LoadFile(path)
	fmt.Println(state.Get("layer.1"), err)
	// Output: tensor([1., 1.]) <nil>
}
