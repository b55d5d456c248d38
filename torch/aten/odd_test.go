package aten

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten/unchecked"
)

// An oddTensor is a kind of tensor that has no sizes, no strides, no storage, or
// another than it seems.
type oddTensor struct {
	name string
	make func() *torch.Tensor
}

func ones(shape ...int) *torch.Tensor { return torch.Ones(shape...) }

var oddTensors = []oddTensor{
	{"nested", func() *torch.Tensor {
		return unchecked.NestedFromPadded(ones(2, 2, 3), torch.FromSlice([]int64{2, 3, 1, 3}, 2, 2), false)
	}},
	{"nested of integers", func() *torch.Tensor {
		return unchecked.NestedFromPadded(ones(2, 3), torch.FromSlice([]int64{2, 1}, 2, 1), false).ToDType(torch.Int64)
	}},
	{"sparse COO", func() *torch.Tensor { return ones(2, 3).ToSparse() }},
	{"sparse COO, not coalesced", func() *torch.Tensor {
		return torch.SparseCOOTensor(torch.FromSlice([]int64{1, 1, 0, 0}, 2, 2), ones(2), 2, 3)
	}},
	{"sparse COO, hybrid", func() *torch.Tensor { return ToSparseSparseDim(ones(2, 3, 2), 1) }},
	{"sparse COO, empty", func() *torch.Tensor { return torch.Zeros(0, 3).ToSparse() }},
	{"sparse COO of one", func() *torch.Tensor { return ones(1).ToSparse() }},
	{"sparse CSR", func() *torch.Tensor { return ones(3, 3).ToSparseCSR() }},
	{"sparse CSR, batched", func() *torch.Tensor { return ones(2, 3, 3).ToSparseCSR() }},
	{"sparse CSC", func() *torch.Tensor { return ToSparseCsc(ones(3, 3), nil) }},
	{"sparse BSR", func() *torch.Tensor { return ToSparseBsr(ones(4, 4), []int{2, 2}, nil) }},
	{"sparse BSC", func() *torch.Tensor { return ToSparseBsc(ones(4, 4), []int{2, 2}, nil) }},
	{"sparse on meta", func() *torch.Tensor { return ones(2, 3).ToSparse().To(torch.Meta) }},
	{"mkldnn", func() *torch.Tensor { return ToMkldnn(ones(2, 3), 0) }},
	{"mkldnn of one", func() *torch.Tensor { return ToMkldnn(ones(1), 0) }},
	{"meta", func() *torch.Tensor { return ones(2, 3).To(torch.Meta) }},
	{"meta of one", func() *torch.Tensor { return ones().To(torch.Meta) }},
	{"quantized", func() *torch.Tensor { return QuantizePerTensor(ones(2, 3), 0.1, 0, torch.FromScalarType(12)) }},
	{"quantized by channels", func() *torch.Tensor {
		return QuantizePerChannel(ones(2, 3), ones(2).ToDType(torch.Float64), torch.Zeros(2).ToDType(torch.Int64), 0, torch.FromScalarType(13))
	}},
	{"zero", func() *torch.Tensor { return unchecked.Efficientzerotensor([]int{2, 3}, 0, nil, "", nil) }},
	{"zero of one", func() *torch.Tensor { return unchecked.Efficientzerotensor([]int{}, 0, nil, "", nil) }},
	{"conjugated", func() *torch.Tensor { return ones(2, 3).ToDType(torch.Complex64).Conj() }},
	{"negated", func() *torch.Tensor { return Imag(ones(2, 3).ToDType(torch.Complex64).Conj()) }},
	{"of bits", func() *torch.Tensor { return ones(2, 3).ToDType(torch.Uint8).ViewDType(torch.FromScalarType(21)) }},
	{"a view of a graph that was written", func() *torch.Tensor {
		x := ones(4, 3).RequireGrad(true)
		xs := x.MulScalar(2).Unbind(0)
		torch.NoGrad(func() { xs[0].MulScalarInPlace(2) })
		return xs[0]
	}},
	{"of no dimensions", func() *torch.Tensor { return ones() }},
	{"expanded", func() *torch.Tensor { return ones(1, 3).Expand(2, 3) }},
	{"undefined", func() *torch.Tensor { return &torch.Tensor{} }},
	{"nil", func() *torch.Tensor { return nil }},
}

// TestOddTensors calls every method of Tensor, and what reads a tensor's
// elements, on each kind of odd tensor, in other processes as TestBadArguments
// does, and writes the results as text.
func TestOddTensors(t *testing.T) {
	if !strings.HasPrefix(torch.Version(), "2.15.") {
		t.Skip("what is guarded against is 2.15's")
	}
	all := everything()
	var names []string
	for name, f := range all {
		reads := slices.ContainsFunc([]string{"torch.Data", "torch.WithData", "torch.WithBytes"}, func(s string) bool { return strings.HasPrefix(name, s) })
		if strings.HasPrefix(name, "Tensor.") || reads || strings.HasPrefix(name, "torch.") && f.Type().NumIn() == 1 && f.Type().In(0) == reflect.TypeFor[*torch.Tensor]() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if only := os.Getenv("TORCHHUB_TEST_ONLY"); only != "" {
		names = strings.Split(only, ",")
	}
	tasks := badTasks{Names: names, Odd: true}
	tasks.Call, _ = strconv.Atoi(os.Getenv("TORCHHUB_TEST_CALL"))
	for len(tasks.Names) > 0 {
		done, how := callBadly(t, tasks)
		if how == "" {
			break
		}
		t.Errorf("%s: %s", tasks.Names[done], how)
		tasks.Names = tasks.Names[done+1:]
	}
	t.Logf("%d functions, %d calls, %d of which worked", badCounts[0].Load(), badCounts[1].Load(), badCounts[2].Load())
}

// callOddly makes a call with an odd tensor first, and good arguments behind it.
func callOddly(t *testing.T, b *badArguments, name string, f reflect.Value, odd oddTensor) bool {
	b.shape, b.dtype, b.bad = []int{2, 3}, torch.Float32, 0
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s of a tensor that is %s: panics with %T: %v", name, odd.name, p, p)
		}
	}()
	args := make([]reflect.Value, f.Type().NumIn())
	for i := range args {
		args[i] = b.value(f.Type().In(i), 0)
	}
	var x *torch.Tensor
	if err := torch.Try(func() { x = odd.make() }); err != nil {
		t.Errorf("%s cannot be made: %v", odd.name, err)
	}
	args[0] = reflect.ValueOf(x)
	return torch.Try(func() {
		call := f.Call
		if f.Type().IsVariadic() {
			call = f.CallSlice
		}
		for _, r := range call(args) {
			_ = fmt.Sprint(r.Interface())
		}
	}) == nil
}
