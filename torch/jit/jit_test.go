package jit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
)

//go:generate $TORCHHUB_REFERENCE ../../testdata/gen/jit.py ../../testdata/jit

const archive = "../../testdata/jit/containers.pt" // by testdata/gen/jit.py

func TestContainers(t *testing.T) {
	m, err := jit.Load(archive)
	require.NoError(t, err)
	x := torch.FromSlice([]float32{1, 2})
	got, err := m.Call("everything", []*torch.Tensor{x, x, x},
		&torch.Dict{Entries: []torch.Entry{{Key: "a", Value: x}, {Key: "b", Value: x}}}, torch.Tuple{3, 0.5}, "_z")
	require.NoError(t, err)
	r := got.(torch.Tuple)
	require.Equal(t, []float32{3, 6}, torch.Data[float32](r[0].(*torch.Tensor)))
	require.Equal(t, []torch.Value{3, 2}, r[1])
	d := r[2].(*torch.Dict)
	require.Len(t, d.Entries, 2)
	b, ok := d.Get("b_z")
	require.True(t, ok)
	require.Equal(t, []float32{2.5, 3.5}, torch.Data[float32](b.(*torch.Tensor)))
	require.Equal(t, torch.Tuple{"_z!", true, nil}, r[3:])
}

func TestMistakes(t *testing.T) {
	m, err := jit.Load(archive)
	require.NoError(t, err)
	x := torch.FromSlice([]float32{1, 2})
	_, err = m.Call("fails", x)
	require.ErrorContains(t, err, "shape '[7]' is invalid for input of size 2")
	_, err = m.Call("nothing", x)
	require.ErrorIs(t, err, torch.ErrNotImplemented)
	_, err = m.Forward()
	require.ErrorContains(t, err, "missing")
	_, err = m.Forward(x, x)
	require.ErrorContains(t, err, "too many")
	_, err = m.Forward(struct{}{})
	require.Error(t, err)
	_, err = m.Forward("text")
	require.Error(t, err)
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	_, err = m.Forward(x)
	require.ErrorIs(t, err, torch.ErrClosed)
}

func TestBadFiles(t *testing.T) {
	_, err := jit.Load("no/such/file.pt")
	require.ErrorContains(t, err, "no/such/file.pt")
	whole, err := os.ReadFile(archive)
	require.NoError(t, err)
	cut := filepath.Join(t.TempDir(), "cut.pt")
	require.NoError(t, os.WriteFile(cut, whole[:len(whole)/2], 0o600))
	_, err = jit.Load(cut)
	require.ErrorContains(t, err, cut)
	_, err = jit.LoadBytes(nil)
	require.Error(t, err)
	m, err := jit.LoadBytes(whole)
	require.NoError(t, err)
	require.NoError(t, m.Close())
}

func TestGoroutinesShareAModule(t *testing.T) {
	m, err := jit.Load(archive)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			y, err := m.Forward(torch.FromSlice([]int64{int64(i)}))
			if err != nil || torch.Data[int64](y.(*torch.Tensor))[0] != int64(2*i) {
				t.Error(i, y, err)
			}
		})
	}
	wg.Wait()
}

func Example() {
	m, err := jit.Load(archive)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	y, err := m.Forward(torch.FromSlice([]float32{1, 2, 3}))
	fmt.Println(torch.Data[float32](y.(*torch.Tensor)), err)
	// Output: [2 4 6] <nil>
}
