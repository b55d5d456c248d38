package torch_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// named yields tensors one at a time, then an error unless it is nil.
func named(err error, s ...torch.Named) func(func(torch.Named, error) bool) {
	return func(yield func(torch.Named, error) bool) {
		for _, e := range s {
			if !yield(e, nil) {
				return
			}
		}
		if err != nil {
			yield(torch.Named{}, err)
		}
	}
}

func TestSaveSeq(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.pt")
	x := torch.FromSlice([]float32{0, 1, 2, 3, 4, 5}, 2, 3).RequireGrad(true)
	s := torch.StateDict{
		{Name: "x", Tensor: x}, {Name: "t", Tensor: x.T()}, {Name: "row", Tensor: x.Select(0, 1)}, {Name: "small", Tensor: x.ToDType(torch.Float8E4M3FN)},
		{Name: "empty", Tensor: torch.Zeros(0, 2)}, {Name: "scalar", Tensor: torch.Scalar(int64(7))}, {Name: "conj", Tensor: torch.FromSlice([]complex64{1 + 2i}).Conj()},
	}
	require.NoError(t, torch.SaveSeq(path, named(nil, s...)))
	got, err := torch.LoadStateDict(path)
	require.NoError(t, err)
	require.Len(t, got, len(s))
	for i, e := range s {
		require.Equal(t, e.Name, got[i].Name)
		require.Equal(t, e.Tensor.Detach().String(), got[i].Tensor.String())
	}

	before, err := os.ReadFile(path)
	require.NoError(t, err)
	broken := errors.New("broken")
	require.ErrorIs(t, torch.SaveSeq(path, named(broken, s[0])), broken)
	require.ErrorContains(t, torch.SaveSeq(path, named(nil, s[0], s[0])), "a dict has the key x twice")
	require.ErrorContains(t, torch.SaveSeq(path, named(nil, torch.Named{Name: "w"})), `["w"]: torch: Save: nil tensor`)
	require.ErrorContains(t, torch.SaveSeq(path, named(nil, torch.Named{Name: "w", Tensor: nested()})), `["w"]: `)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after, "the file of before")
}

func TestSaveSeqInPython(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pt")
	x := torch.FromSlice([]float32{0, 1, 2, 3, 4, 5}, 2, 3)
	require.NoError(t, torch.SaveSeq(path, named(nil, torch.Named{Name: "t", Tensor: x.T()}, torch.Named{Name: "small", Tensor: x.ToDType(torch.Float8E4M3FN)})))
	p := reference.Start(t, saveScript)
	p.Call(nil, `lambda path: same(torch.load(path, weights_only=True)["t"], torch.arange(6.).reshape(2, 3).t().contiguous())`, path)
	p.Call(nil, `lambda path: same(torch.load(path, weights_only=True, mmap=True)["small"], torch.arange(6.).reshape(2, 3).to(torch.float8_e4m3fn))`, path)
}

// WriteBytes cuts what it must copy, and keeps the order.
func TestWriteBytes(t *testing.T) {
	const n = 3 << 10
	x := torch.Options{DType: torch.Int64}.Arange(n*n).Reshape(n, n) // 72 MiB
	for _, y := range []*torch.Tensor{x, x.T(), x.Unsqueeze(0).Transpose(1, 2), x.AsStrided([]int{1, 2, n * n / 2}, []int{1, 1, 2})} {
		var got bytes.Buffer
		pieces := 0
		require.NoError(t, torch.WriteBytes(writerFunc(func(b []byte) (int, error) { pieces++; return got.Write(b) }), y))
		want := y.Contiguous()
		torch.WithBytes(want, func(b []byte) { require.True(t, bytes.Equal(b, got.Bytes())) })
		require.Equal(t, y == x, pieces == 1)
	}
	broken := errors.New("broken")
	require.ErrorIs(t, torch.WriteBytes(writerFunc(func([]byte) (int, error) { return 0, broken }), x.T()), broken)
	var te *torch.Error
	require.ErrorAs(t, torch.WriteBytes(io.Discard, torch.Options{Device: torch.Meta}.Empty(2)), &te)
	require.ErrorAs(t, torch.WriteBytes(io.Discard, nil), &te)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func ExampleSaveSeq() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "squares.pt")
	err = torch.SaveSeq(path, func(yield func(torch.Named, error) bool) {
		for i := range 3 {
			x := torch.Scalar(float32(i * i))
			if !yield(torch.Named{Name: fmt.Sprint("square", i), Tensor: x}, nil) {
				return
			}
			x.Free()
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := torch.LoadStateDict(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Get("square2"))
	// Output: tensor(4.)
}
