package jit_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
)

func parts(t *testing.T, options ...jit.Option) *jit.Module {
	m, err := jit.Load("../../testdata/jit/parts.pt", options...) // by testdata/gen/jit.py
	require.NoError(t, err)
	return m
}

func keys(s torch.StateDict) (names []string) {
	for _, e := range s {
		names = append(names, e.Name)
	}
	return names
}

func TestExtraFiles(t *testing.T) {
	files := map[string][]byte{"labels.txt": nil, "dir/x.bin": nil, "none": []byte("as it was")}
	parts(t, jit.WithExtraFiles(files))
	require.Equal(t, map[string][]byte{"labels.txt": []byte("cat\ndog\n"), "dir/x.bin": {0, 0xff}, "none": []byte("as it was")}, files)
}

func TestParts(t *testing.T) {
	m := parts(t)
	require.Equal(t, []string{"scale", "first.weight", "second.weight", "second.bias", "tied.bias"}, keys(m.NamedParameters()))
	require.Len(t, m.Parameters(), 5)
	require.Equal(t, []string{"first.count"}, keys(m.NamedBuffers()))
	require.Equal(t, []string{"scale", "first.weight", "first.count", "second.weight", "second.bias", "tied.weight", "tied.bias"}, keys(m.StateDict()))
	require.ElementsMatch(t, []string{"forward", "count", "counter", "divide", "draw", "raises", "total"}, m.Methods())
	require.Contains(t, m.TypeName(), "Parts")
	require.Subset(t, m.Attributes(), []string{"first", "second", "scale", "names"})
	names, err := m.Attribute("names")
	require.NoError(t, err)
	require.Equal(t, []torch.Value{"a", "b"}, names)
	_, err = m.Attribute("none")
	require.ErrorIs(t, err, torch.ErrNotImplemented)
	first, err := m.Attribute("first")
	require.NoError(t, err)
	inner := first.(*jit.Module)
	require.Equal(t, []string{"weight"}, keys(inner.NamedParameters()))
	y, err := inner.Forward(torch.FromSlice([]float32{1, 1}))
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2}, torch.Data[float32](y.(*torch.Tensor).Detach()))

	// the tensors are the module's own
	torch.NoGrad(func() { m.NamedParameters().Get("first.weight").FillInPlace(5) })
	y, err = m.Forward(torch.FromSlice([]float32{1, 2}))
	require.NoError(t, err)
	require.Equal(t, []float32{10, 20}, torch.Data[float32](y.(*torch.Tensor).Detach()))
	require.NoError(t, inner.Close())
	require.NoError(t, m.Close())
	require.ErrorIs(t, torch.Try(func() { m.Methods() }), torch.ErrClosed)
	_, err = m.Attribute("names")
	require.ErrorIs(t, err, torch.ErrClosed)
}

func TestKwargs(t *testing.T) {
	m := parts(t)
	x := torch.FromSlice([]float32{1, 2})
	y, err := m.Forward(x, jit.Kwargs{"shift": torch.FromSlice([]float32{1, 1})})
	require.NoError(t, err)
	require.Equal(t, []float32{3, 9}, torch.Data[float32](y.(*torch.Tensor).Detach()))
	y, err = m.Forward(jit.Kwargs{"x": x, "scale": float32(1)})
	require.NoError(t, err)
	require.Equal(t, []float32{1, 4}, torch.Data[float32](y.(*torch.Tensor).Detach()))
	_, err = m.Forward(x, jit.Kwargs{"x": x})
	require.ErrorContains(t, err, `"x" is given twice`)
	_, err = m.Forward(x, jit.Kwargs{"other": 1})
	require.ErrorContains(t, err, `no argument "other"`)
	_, err = m.Forward(jit.Kwargs{"scale": 1})
	require.ErrorContains(t, err, `"x" is missing`)
}

func TestValues(t *testing.T) {
	m := parts(t)
	draw := func(seed int64) []float32 {
		y, err := m.Call("draw", int32(3), torch.NewGenerator(torch.CPU).ManualSeed(seed))
		require.NoError(t, err)
		return torch.Data[float32](y.(*torch.Tensor))
	}
	require.Equal(t, draw(1), draw(1))
	require.NotEqual(t, draw(1), draw(2))
	_, err := m.Call("draw", 3)
	require.NoError(t, err)

	type counts map[string][]uint8
	total, err := m.Call("total", []float32{0.5, 1}, counts{"b": {1, 2}, "a": {}})
	require.NoError(t, err)
	require.Equal(t, 4.5, total)
	total, err = m.Call("total", [2]float64{1, 2}, map[string][]int{})
	require.NoError(t, err)
	require.Equal(t, 3.0, total)
	_, err = m.Call("total", []float64{}, map[string]chan int{"x": nil})
	require.ErrorContains(t, err, "chan int")

	c, err := m.Call("counter", int8(5))
	require.NoError(t, err)
	object := c.(*jit.Object)
	require.Subset(t, object.Methods(), []string{"add"})
	require.Equal(t, []string{"n"}, object.Attributes())
	n, err := object.Call("add")
	require.NoError(t, err)
	require.Equal(t, 6, n)
	n, err = m.Call("count", object)
	require.NoError(t, err)
	require.Equal(t, 16, n)
	n, err = object.Attribute("n")
	require.NoError(t, err)
	require.Equal(t, 16, n)
	_, err = m.Call("count", &jit.Object{})
	require.ErrorContains(t, err, "made by no script")
}

// TestErrors says the cause first, and the place in a field.
func TestErrors(t *testing.T) {
	m := parts(t)
	_, err := m.Call("raises", 1)
	var e *torch.Error
	require.True(t, errors.As(err, &e), "%v", err)
	require.Equal(t, "ValueError: n must not be positive", e.Msg)
	require.Contains(t, e.Trace, "in raises")
	for _, args := range [][2]int{{5, 0}, {math.MinInt, -1}} {
		_, err = m.Call("divide", args[0], args[1])
		require.Error(t, err)
	}
	y, err := m.Call("divide", -7, 2)
	require.NoError(t, err)
	require.Equal(t, torch.Tuple{-4, 1}, y)

	_, err = jit.Load("no/such/file.pt")
	require.EqualError(t, err, "jit: load no/such/file.pt: no such file or directory")
	_, err = jit.Load("../../testdata/checkpoints/zip_state_dict.pt")
	require.ErrorIs(t, err, torch.ErrUnsupported)
	require.ErrorContains(t, err, "torch.LoadStateDict")
}
