// Package reference lets tests call Python, whose results are the reference for
// this module.
//
// The environment variable TORCHHUB_REFERENCE names a Python that has torch,
// torchvision and Pillow; tests that need it are skipped if it is not set.
//
// It imports nothing of this module but the machinery that runs Python, so that
// every test can use it. Tests that exchange tensors with Python, and are not of a package
// that torch/torchtest imports, use that instead.
//
//	p := reference.Start(t, `
//	import torch
//	def softmax(x):
//		return torch.from_numpy(x).softmax(0)
//	`)
//	var want reference.Array
//	p.Call(&want, "softmax", reference.NewArray([]float32{1, 2}, 2))
//	require.Equal(t, reference.Data[float32](want), got)
package reference

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"github.com/torchhub/torchhub/internal/python"
)

// Variable names the environment variable that holds the path of Python.
const Variable = "TORCHHUB_REFERENCE"

// A Process is a running Python for one test.
type Process struct {
	t testing.TB
	p *python.Process
}

// Python returns the path of Python, and skips the test where TORCHHUB_REFERENCE is not set.
func Python(t testing.TB) string {
	t.Helper()
	path := os.Getenv(Variable)
	if path == "" {
		t.Skip(Variable + " is not set")
	}
	return path
}

// Start runs the Python source script and returns its process, which is shared
// by all tests of the test binary that start the same script, so that imports
// are paid for once. It ends with the test binary, or earlier if several other
// scripts have been started after the last test that uses it. Start skips the test where
// TORCHHUB_REFERENCE is not set and fails it where the script raises.
func Start(t testing.TB, script string) *Process {
	t.Helper()
	executable := Python(t)
	p, err := python.Start(executable, 0, python.Program{Source: script})
	t.Cleanup(p.Release)
	if err != nil {
		t.Fatalf("reference: start %s: %v", executable, err)
	}
	return &Process{t, p}
}

// Call calls a Python function and reads its result into answer, a pointer or
// nil. The function is an expression, evaluated among the script's globals: a
// name that the script defines or imports, or a lambda.
//
// Arguments and results travel as JSON, and these besides: an [Array] arrives
// as a numpy.ndarray; a numpy.ndarray or torch.Tensor comes back as an Array, and
// bytes as []byte. An exception fails the test at once, with its traceback in the
// log; so call it on the test's own goroutine.
func (p *Process) Call(answer any, function string, args ...any) {
	p.t.Helper()
	if _, err := p.p.Call(0, answer, function, args...); err != nil {
		p.t.Fatalf("reference: call %s: %v", function, err)
	}
}

// An Array is a numpy.ndarray: elements in C order, in the machine's byte order.
type Array struct {
	DType string `json:"dtype"` // numpy's name, such as "float32"
	Shape []int  `json:"shape"`
	Data  []byte `json:"data"`
}

// An Element is a type of number that an [Array] can hold.
type Element interface {
	bool | uint8 | int8 | uint16 | int16 | uint32 | int32 | uint64 | int64 | float32 | float64
}

// NewArray returns an Array of a copy of the data: numpy.array(data).reshape(shape).
func NewArray[E Element](data []E, shape ...int) Array {
	return Array{dtype[E](), append([]int{}, shape...), slices.Clone(raw(data))}
}

// Data returns the elements of a. It panics if they are not of type E.
func Data[E Element](a Array) []E {
	if a.DType != dtype[E]() {
		panic(fmt.Sprintf("reference: the array holds %s, not %s", a.DType, dtype[E]()))
	}
	var z E
	out := make([]E, len(a.Data)/int(unsafe.Sizeof(z)))
	copy(raw(out), a.Data)
	return out
}

func dtype[E Element]() string {
	return reflect.TypeFor[E]().String() // numpy's names are Go's
}

func raw[E Element](s []E) []byte {
	var z E
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(z)))
}

// LargeSides draws the width and height of a photograph, or of a strip's extreme aspect.
func LargeSides(rng *rand.Rand) (w, h int) {
	between := func(lo, hi int) int { return lo + rng.IntN(hi-lo+1) }
	thin := []int{1, 2, 3, 17}
	switch rng.IntN(4) {
	case 0:
		return thin[rng.IntN(len(thin))], between(1000, 2000)
	case 1:
		return between(1000, 2000), thin[rng.IntN(len(thin))]
	case 2:
		return 2000, 1500
	}
	return between(300, 2000), between(300, 1500)
}
