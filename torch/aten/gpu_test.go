package aten

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
	"github.com/torchhub/torchhub/torch/backends"
)

// TestGPUOps calls operators on a GPU and on the CPU with the arguments of TestPython,
// and compares the results.
func TestGPUOps(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
	backends.CuDNNAllowTF32.Set(false)
	defer backends.CuDNNAllowTF32.Set(true)
	require.Greater(t, opsOn(t, torch.CUDA, slices.Sorted(maps.Keys(functions))), 400)
}

// TestOpsOnDevice checks how TestGPUOps compares, with the CPU as the device.
func TestOpsOnDevice(t *testing.T) {
	require.Equal(t, 6, opsOn(t, torch.CPU, []string{"aten::add.Tensor", "aten::matmul", "aten::bernoulli.p", "aten::linalg_svd", "aten::cat", "aten::sum"}))
}

// TestGPUGradients compares the gradients of operators, of the first and second order, on a
// GPU and on the CPU, with the arguments of TestGradients.
func TestGPUGradients(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
	backends.CuDNNAllowTF32.Set(false)
	defer backends.CuDNNAllowTF32.Set(true)
	require.Greater(t, gradientsOn(t, torch.CUDA, slices.Sorted(maps.Keys(functions))), 150)
}

// TestGradientsOnDevice checks how TestGPUGradients compares, with the CPU as the device.
func TestGradientsOnDevice(t *testing.T) {
	require.Equal(t, 3, gradientsOn(t, torch.CPU, []string{"aten::mul.Tensor", "aten::matmul", "aten::sigmoid"}))
}

// gradientsOn compares gradients and returns for how many operators the device has them.
func gradientsOn(t *testing.T, d torch.Device, names []string) (ran int) {
	p := reference.Start(t, cases)
	for batch := range slices.Chunk(names, 60) {
		var answers map[string][]gradientCase
		p.Call(&answers, "gradients_of", batch)
		for _, name := range batch {
			worked := false
			for _, c := range answers[name] {
				onCPU, err := gradientOn(functions[name], c, torch.CPU, 0)
				if err != nil {
					continue // the libtorch in use is older
				}
				out, err := gradientOn(functions[name], c, d, 0)
				var e *torch.Error
				switch {
				case errors.As(err, &e): // most have no kernel for the device
					continue
				case err != nil:
					t.Errorf("%s, %s: %v", name, c.What, err)
					continue
				}
				worked = true
				numbers := !ambiguous.MatchString(name)
				if again, err := gradientOn(functions[name], c, torch.CPU, 1); err != nil || sameResults(onCPU, again, true) != nil {
					numbers = false // they are random
				}
				if err := sameResults(onCPU, out, numbers); err != nil {
					t.Errorf("%s, %s: %v", name, c.What, err)
				}
			}
			if worked {
				ran++
			}
		}
	}
	t.Logf("%d overloads have gradients on %s", ran, d)
	return ran
}

// gradientOn returns the gradients of a call, of the first order and of the second.
func gradientOn(function any, c gradientCase, d torch.Device, seed int64) (results []any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	f := reflect.ValueOf(function)
	args := make([]reflect.Value, len(c.Args))
	var xs []*torch.Tensor
	for i, a := range c.Args {
		v, err := argument(f.Type().In(i), a)
		if err != nil {
			return nil, err
		}
		args[i] = onDevice(v, d)
		xs = append(xs, leaves(args[i])...)
	}
	torch.ManualSeed(seed)
	err = torch.Try(func() {
		var ys []*torch.Tensor
		for _, r := range f.Call(args) {
			ys = append(ys, tensorsIn(r)...)
		}
		for k := range 2 {
			var roots, vs []*torch.Tensor
			for _, y := range ys {
				if y != nil && y.RequiresGrad() {
					roots, vs = append(roots, y), append(vs, cotangent(y, 3+2*k).To(y.Device()))
				}
			}
			if len(roots) == 0 {
				return
			}
			ys = autograd.Grad(roots, xs, autograd.GradOptions{GradOutputs: vs, CreateGraph: k == 0, AllowUnused: true})
			results = append(results, ys)
		}
	})
	if len(results) > 0 {
		err = nil // there may be no derivative of the second order
	}
	return results, err
}

// ambiguous are operators of whose results another kernel may return others that are as
// right, such as vectors of the other sign; only shapes and dtypes are compared.
var ambiguous = regexp.MustCompile(`svd|eig|qr|ormqr|lstsq|householder|lobpcg|lu_factor|lu_with_info|ldl|unique|::mode`)

// opsOn compares operators and returns how many of them the device has.
func opsOn(t *testing.T, d torch.Device, names []string) (ran int) {
	p := reference.Start(t, cases)
	calls, missing := 0, map[string]string{}
	for batch := range slices.Chunk(names, 100) {
		var answers map[string][]testCase
		p.Call(&answers, "cases", batch)
		for _, name := range batch {
			worked := false
			for _, c := range answers[name] {
				onCPU, err := callOn(functions[name], c, torch.CPU, 0)
				if err != nil {
					continue // the libtorch in use is older
				}
				calls++
				out, err := callOn(functions[name], c, d, 0)
				var e *torch.Error
				switch {
				case errors.As(err, &e): // most have no kernel for the device, or not for the dtype
					if missing[name] == "" {
						missing[name] = err.Error()
					}
					continue
				case err != nil:
					t.Errorf("%s, %s: %v", name, c.What, err)
					continue
				}
				worked = true
				numbers := !ambiguous.MatchString(name)
				if again, err := callOn(functions[name], c, torch.CPU, 1); err != nil || sameResults(onCPU, again, true) != nil {
					numbers = false // they are random
				}
				if err := sameResults(onCPU, out, numbers); err != nil {
					t.Errorf("%s, %s: %v", name, c.What, err)
				}
			}
			if worked {
				ran++
			}
		}
	}
	for name, why := range missing {
		t.Logf("%s: %s", name, why)
	}
	t.Logf("%d of %d overloads ran on %s, %d calls", ran, len(names), d, calls)
	return ran
}

// callOn calls an operator with tensors on a device.
func callOn(function any, c testCase, d torch.Device, seed int64) (results []any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	f := reflect.ValueOf(function)
	args := make([]reflect.Value, len(c.Args))
	for i, a := range c.Args {
		v, err := argument(f.Type().In(i), a)
		if err != nil {
			return nil, err
		}
		args[i] = onDevice(v, d)
	}
	torch.ManualSeed(seed)
	err = torch.Try(func() {
		torch.NoGrad(func() {
			for _, v := range f.Call(args) {
				results = append(results, v.Interface())
			}
		})
	})
	return results, err
}

// onDevice moves the tensors in an argument.
func onDevice(v reflect.Value, d torch.Device) reflect.Value {
	switch x := v.Interface().(type) {
	case *torch.Tensor:
		if x != nil && x.Device() != d {
			return reflect.ValueOf(x.To(d))
		}
	case []*torch.Tensor:
		for i := range x {
			v.Index(i).Set(onDevice(v.Index(i), d))
		}
	case torch.Device:
		return reflect.ValueOf(d)
	case *torch.Device:
		if x != nil {
			return reflect.ValueOf(&d)
		}
	}
	return v
}

// sameResults compares results, also the numbers in tensors if that is wanted.
func sameResults(want, got []any, numbers bool) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d results, want %d", len(got), len(want))
	}
	for i := range want {
		switch w := want[i].(type) {
		case *torch.Tensor:
			if err := sameTensor(w, got[i].(*torch.Tensor), numbers); err != nil {
				return fmt.Errorf("result %d: %w", i, err)
			}
		case []*torch.Tensor:
			g := got[i].([]*torch.Tensor)
			if len(g) != len(w) {
				return fmt.Errorf("result %d: %d tensors, want %d", i, len(g), len(w))
			}
			for j := range w {
				if err := sameTensor(w[j], g[j], numbers); err != nil {
					return fmt.Errorf("result %d, tensor %d: %w", i, j, err)
				}
			}
		case torch.Device: // differs
		default:
			if numbers && fmt.Sprint(w) != fmt.Sprint(got[i]) {
				return fmt.Errorf("result %d: %v, want %v", i, got[i], w)
			}
		}
	}
	return nil
}

// deviceTolerances are parts of the largest element, by dtype; other dtypes are exact.
var deviceTolerances = map[torch.DType]float64{
	torch.Float64: 1e-8, torch.Complex128: 1e-8, torch.Float32: 1e-4, torch.Complex64: 1e-4, torch.Float16: 1e-2, torch.BFloat16: 2e-2,
}

func sameTensor(want, got *torch.Tensor, numbers bool) error {
	switch {
	case want == nil && got == nil:
		return nil
	case want == nil || got == nil:
		return fmt.Errorf("%v, want %v", got, want)
	case !want.SameShape(got) || want.DType() != got.DType():
		return fmt.Errorf("%v %v, want %v %v", got.Shape(), got.DType(), want.Shape(), want.DType())
	case !numbers || want.Layout() != torch.Strided:
		return nil
	}
	w, g := numbersOf(want.Detach()), numbersOf(got.Detach().To(torch.CPU))
	var scale float64
	for _, v := range w {
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			scale = max(scale, math.Abs(v))
		}
	}
	for i := range w {
		same := w[i] == g[i] || math.IsNaN(w[i]) && math.IsNaN(g[i])
		if !same && !(math.Abs(w[i]-g[i]) <= deviceTolerances[want.DType()]*scale) {
			return fmt.Errorf("element %d is %v, want %v", i, g[i], w[i])
		}
	}
	return nil
}
