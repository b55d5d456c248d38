package torch_test

import (
	"bytes"
	"encoding"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/torch"
)

var (
	_ encoding.BinaryMarshaler   = (*torch.Tensor)(nil)
	_ encoding.BinaryUnmarshaler = (*torch.Tensor)(nil)
	_ encoding.BinaryMarshaler   = torch.StateDict(nil)
	_ encoding.BinaryUnmarshaler = (*torch.StateDict)(nil)
)

func TestGob(t *testing.T) {
	type message struct {
		Name  string
		Input *torch.Tensor
		None  *torch.Tensor
		State torch.StateDict
		All   []*torch.Tensor
	}
	x := torch.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	want := message{
		Name: "m", Input: x.T(), State: torch.StateDict{{Name: "w", Tensor: x}, {Name: "tied", Tensor: x.Detach()}},
		All: []*torch.Tensor{
			torch.Scalar(true), torch.Zeros(0, 2), torch.FromSlice([]complex128{1 + 2i}).Conj(), torch.Eye(2).ToSparse(), torch.Options{RequiresGrad: true}.Ones(2),
			x.ToDType(torch.BFloat16), torch.Options{Device: torch.Meta}.Empty(2), x.Select(0, 1),
		},
	}
	var b bytes.Buffer
	require.NoError(t, gob.NewEncoder(&b).Encode(want))
	var got message
	require.NoError(t, gob.NewDecoder(&b).Decode(&got))
	require.Equal(t, "m", got.Name)
	require.Nil(t, got.None)
	require.Equal(t, want.Input.String(), got.Input.String())
	require.Len(t, got.All, len(want.All))
	for i, y := range want.All {
		require.Equal(t, y.String(), got.All[i].String())
		require.Equal(t, y.RequiresGrad(), got.All[i].RequiresGrad())
	}
	got.State.Get("w").FillInPlace(9)
	require.Equal(t, 9.0, got.State.Get("tied").Min().Item(), "memory is shared")
	got.Input.Free()
	got.Input.Free()
	require.Error(t, torch.Try(func() { got.Input.Shape() }))
}

// A small view of a large tensor takes little.
func TestMarshalView(t *testing.T) {
	data, err := torch.Zeros(1<<20).Narrow(0, 5, 2).MarshalBinary()
	require.NoError(t, err)
	require.Less(t, len(data), 4096)
	v, err := torch.LoadFrom(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, []int{2}, v.(*torch.Tensor).Shape())
}

// What is unmarshaled is freed by the collector.
func TestUnmarshaledIsCollected(t *testing.T) {
	data, err := torch.Zeros(4 << 20).MarshalBinary()
	require.NoError(t, err)
	before := torch.LiveBytes()
	for range 40 {
		require.NoError(t, new(torch.Tensor).UnmarshalBinary(data))
	}
	runtime.GC()
	require.Less(t, torch.LiveBytes()-before, int64(400<<20))
}

func TestUnmarshalMistakes(t *testing.T) {
	x := torch.Ones(1)
	data, err := x.MarshalBinary()
	require.NoError(t, err)
	require.ErrorContains(t, x.UnmarshalBinary(data), "it is not the zero Tensor")
	require.ErrorContains(t, (*torch.Tensor)(nil).UnmarshalBinary(data), "it is not the zero Tensor")
	_, err = (*torch.Tensor)(nil).MarshalBinary()
	require.ErrorContains(t, err, "nil tensor")
	_, err = nested().MarshalBinary()
	require.ErrorContains(t, err, "a nested tensor cannot be saved")
	dict, err := torch.StateDict{{Name: "w", Tensor: x}}.MarshalBinary()
	require.NoError(t, err)
	require.ErrorContains(t, new(torch.Tensor).UnmarshalBinary(dict), "it is a dict, not a tensor")
	require.ErrorIs(t, new(torch.Tensor).UnmarshalBinary(dict), torch.ErrUnsupported)
	var s torch.StateDict
	require.ErrorContains(t, s.UnmarshalBinary(data), "it holds a tensor, not a state dict")
	require.Nil(t, s)
	for n := range len(data) {
		err := new(torch.Tensor).UnmarshalBinary(data[:n])
		require.True(t, errors.Is(err, torch.ErrMalformed) || errors.Is(err, torch.ErrUnsupported), "%d: %v", n, err)
	}
}

// FuzzUnmarshalBinary reads anything: an error is typed, and a tensor can be used and marshaled again.
func FuzzUnmarshalBinary(f *testing.F) {
	for _, x := range []*torch.Tensor{torch.Ones(2, 3), torch.Eye(2).ToSparse(), torch.Scalar(int8(1))} {
		data, err := x.MarshalBinary()
		require.NoError(f, err)
		f.Add(data)
	}
	for _, name := range []string{"zip_conj", "zip_quantized", "legacy_shapes"} {
		data, err := os.ReadFile(checkpoints + name + ".pt")
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		torch.Scope(func() {
			var x torch.Tensor
			if err := x.UnmarshalBinary(data); err != nil {
				require.True(t, errors.Is(err, torch.ErrMalformed) || errors.Is(err, torch.ErrUnsupported), "%v", err)
				return
			}
			defer x.Free()
			if x.Layout() != torch.Strided || x.Numel() > 1<<16 {
				return
			}
			again, err := x.MarshalBinary()
			require.NoError(t, err)
			var y torch.Tensor
			require.NoError(t, y.UnmarshalBinary(again))
			require.Equal(t, x.String(), y.String())
			y.Free()
		})
	})
}

func ExampleTensor_MarshalBinary() {
	data, err := torch.Ones(2).MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}
	var x torch.Tensor
	err = x.UnmarshalBinary(data)
	fmt.Println(&x, err)
	// Output: tensor([1., 1.]) <nil>
}
