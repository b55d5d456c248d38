package aten

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
)

// gradientCase is a call of an operator with the gradients of its results with respect to
// its floating-point tensors.
type gradientCase struct {
	Args   []value         `json:"args"`
	First  []value         `json:"first"`
	Second json.RawMessage `json:"second"` // null, "error", or as First
	What   string          `json:"what"`
}

// TestGradients compares the gradients of operators with Python's, of the first and second
// order, to 1e-10 of the largest element in float64 and complex128 and to 1e-5 in float32.
// Without TORCHHUB_TEST_LARGE, an eighth of the operators are called each day.
func TestGradients(t *testing.T) {
	if !strings.HasPrefix(torch.Version(), "2.15.") {
		t.Skip("generated for 2.15")
	}
	p := reference.Start(t, cases)
	var names []string
	for name := range functions {
		names = append(names, name)
	}
	slices.Sort(names)
	if only := os.Getenv("TORCHHUB_TEST_ONLY"); only != "" {
		names = strings.Split(only, ",")
	}
	all, turn := os.Getenv("TORCHHUB_TEST_LARGE") != "", time.Now().YearDay()
	first, second, calls, exact := 0, 0, 0, 0
	for batch := range slices.Chunk(names, 60) {
		if turn++; !all && turn%8 != 0 {
			continue
		}
		var answers map[string][]gradientCase
		p.Call(&answers, "gradients_of", batch)
		for _, name := range batch {
			twice := false
			for _, c := range answers[name] {
				calls++
				same, two, err := compareGradients(functions[name], c)
				if err != nil {
					t.Errorf("%s, %s: %v", name, c.What, err)
				}
				if same {
					exact++
				}
				twice = twice || two
			}
			if len(answers[name]) > 0 {
				first++
			}
			if twice {
				second++
			}
		}
	}
	t.Logf("%d differentiable overloads, %d of them twice, %d calls, %d of them equal to the last bit", first, second, calls, exact)
	if os.Getenv("TORCHHUB_TEST_ONLY") == "" {
		require.GreaterOrEqual(t, first, 10)
		require.GreaterOrEqual(t, second, 2)
	}
	if all {
		require.GreaterOrEqual(t, first, 500)
		require.GreaterOrEqual(t, second, 250)
	}
}

func compareGradients(function any, c gradientCase) (exact, twice bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	f := reflect.ValueOf(function)
	args := make([]reflect.Value, len(c.Args))
	var xs []*torch.Tensor
	for i, a := range c.Args {
		if args[i], err = argument(f.Type().In(i), a); err != nil {
			return false, false, fmt.Errorf("argument %d: %w", i, err)
		}
		xs = append(xs, leaves(args[i])...)
	}
	torch.ManualSeed(0)
	var ys, vs []*torch.Tensor
	for _, r := range f.Call(args) {
		for _, y := range tensorsIn(r) {
			if y != nil && y.RequiresGrad() {
				ys, vs = append(ys, y), append(vs, cotangent(y, 3))
			}
		}
	}
	grads := autograd.Grad(ys, xs, autograd.GradOptions{GradOutputs: vs, CreateGraph: true, AllowUnused: true})
	if exact, err = compareLists(c.First, grads); err != nil {
		return false, false, fmt.Errorf("first order: %w", err)
	}
	var gs, ws []*torch.Tensor
	for _, g := range grads {
		if g != nil && g.RequiresGrad() {
			gs, ws = append(gs, g), append(ws, cotangent(g, 5))
		}
	}
	if string(c.Second) == "null" {
		if len(gs) > 0 {
			return false, false, fmt.Errorf("a gradient has a derivative in Go only")
		}
		return exact, false, nil
	}
	var grads2 []*torch.Tensor
	failed := torch.Try(func() {
		grads2 = autograd.Grad(gs, xs, autograd.GradOptions{GradOutputs: ws, AllowUnused: true})
	})
	if string(c.Second) == `"error"` {
		if failed == nil {
			return false, false, fmt.Errorf("Python fails in the second order")
		}
		return exact, false, nil
	}
	if failed != nil {
		return false, false, fmt.Errorf("second order: %w", failed)
	}
	var want []value
	if err := json.Unmarshal(c.Second, &want); err != nil {
		return false, false, err
	}
	same, err := compareLists(want, grads2)
	if err != nil {
		return false, false, fmt.Errorf("second order: %w", err)
	}
	return exact && same, true, nil
}

func compareLists(want []value, got []*torch.Tensor) (exact bool, err error) {
	if len(want) != len(got) {
		return false, fmt.Errorf("%d gradients, want %d", len(got), len(want))
	}
	exact = true
	for i := range want {
		w, g := want[i], got[i]
		if w.Kind == "none" || g == nil {
			if (w.Kind == "none") != (g == nil) {
				return false, fmt.Errorf("gradient %d exists in one of the two only", i)
			}
			continue
		}
		if !slices.Equal(w.Shape, g.Shape()) || w.DType != g.DType().String() {
			return false, fmt.Errorf("gradient %d is %v %v, want %v %s", i, g.Shape(), g.DType(), w.Shape, w.DType)
		}
		tolerance := 1e-10
		if w.DType == "float32" || w.DType == "complex64" {
			tolerance = 1e-5
		}
		a, b := numbersOf(tensorOf(w)), numbersOf(g.Detach())
		scale := 0.0
		for _, v := range a {
			if !math.IsInf(v, 0) && !math.IsNaN(v) {
				scale = max(scale, math.Abs(v))
			}
		}
		for k := range a {
			if a[k] == b[k] || math.IsNaN(a[k]) && math.IsNaN(b[k]) {
				continue
			}
			exact = false
			if !(math.Abs(a[k]-b[k]) <= tolerance*scale) {
				return false, fmt.Errorf("element %d of gradient %d is %v, want %v", k, i, b[k], a[k])
			}
		}
	}
	return exact, nil
}

// tensorsIn returns the tensors of a value in order.
func tensorsIn(v reflect.Value) []*torch.Tensor {
	switch x := v.Interface().(type) {
	case *torch.Tensor:
		return []*torch.Tensor{x}
	case []*torch.Tensor:
		return x
	}
	return nil
}

// leaves makes the floating-point tensors of an argument require gradients, and returns
// them.
func leaves(v reflect.Value) (out []*torch.Tensor) {
	for _, x := range tensorsIn(v) {
		if x != nil && (x.DType().IsFloatingPoint() || x.DType().IsComplex()) {
			out = append(out, x.RequireGrad(true))
		}
	}
	return out
}

// cotangent returns numbers in the shape of x that are exact in every dtype, as the Python
// function of this name does.
func cotangent(x *torch.Tensor, k int) *torch.Tensor {
	n := x.Numel()
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(i*k%7+1) / 8
	}
	c := torch.FromSlice(v).View(x.Shape()...)
	if x.DType().IsComplex() {
		c = torch.Complex(c, c.Neg().AddScalar(1))
	}
	return c.ToDType(x.DType())
}
