package reference

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const script = `
import numpy, sys
print("noise on stdout")
calls = 0
def count():
    global calls
    calls += 1
    return calls
def describe(a):
    return [str(a.dtype), list(a.shape), a.tolist()]
`

func TestCall(t *testing.T) {
	p := Start(t, script)
	var sum int
	p.Call(&sum, "lambda a, b: a + b", 3, 4)
	require.Equal(t, 7, sum)

	var first, second int
	p.Call(&first, "count")
	Start(t, script).Call(&second, "count")
	require.Equal(t, first+1, second, "the second Start shares the process")

	var text []byte
	p.Call(&text, "lambda: b'\\x00\\xff'")
	require.Equal(t, []byte{0, 255}, text)
	p.Call(nil, "count")
}

func TestArray(t *testing.T) {
	p := Start(t, script)
	var got []any
	p.Call(&got, "describe", NewArray([]float32{1, 2, 3, 4, 5, 6}, 2, 3))
	require.Equal(t, []any{"float32", []any{2., 3.}, []any{[]any{1., 2., 3.}, []any{4., 5., 6.}}}, got)

	var a Array
	p.Call(&a, "lambda: numpy.arange(6, dtype='int64').reshape(3, 2).T")
	require.Equal(t, []int{2, 3}, a.Shape)
	require.Equal(t, []int64{0, 2, 4, 1, 3, 5}, Data[int64](a))
	require.Panics(t, func() { Data[float32](a) })

	p.Call(&a, "lambda a: a[:0]", NewArray([]bool{true}, 1))
	require.Equal(t, []int{0}, a.Shape)
	require.Empty(t, Data[bool](a))
	p.Call(&a, "lambda a: a", NewArray([]float64{}, 0, 3))
	require.Equal(t, []int{0, 3}, a.Shape)
}
