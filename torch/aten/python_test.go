package aten

import (
	"bytes"
	_ "embed"
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
)

//go:embed testdata/cases.py
var cases string

// value is a Python value on its way between the two.
type value struct {
	Kind  string          `json:"kind"` // "none", "tensor", "list", "int", "float", "bool", "complex", "str", "dtype", "layout", "format", "device", "other"
	V     json.RawMessage `json:"v"`
	Items []value         `json:"items"`
	DType string          `json:"dtype"`
	Shape []int           `json:"shape"`
	Data  []byte          `json:"data"` // of a tensor, contiguous
	T     bool            `json:"t"`    // the tensor is to be transposed
}

type testCase struct {
	Args    []value  `json:"args"`
	Names   []string `json:"names"` // of the arguments
	Results []value  `json:"results"`
	Graph   []string `json:"graph"` // the names of the results' grad_fn in Python, nil where they are not known
	What    string   `json:"what"`
}

// TestPython calls operators in Python with arguments made from their schemas, by
// tables of shapes, dtypes and numbers, and compares Go's results for each call
// that Python takes. Without TORCHHUB_TEST_LARGE, a quarter of the operators are called each
// day. Results must be equal to 1e-6 of the largest element: the two
// run the same kernels, but sums depend on how memory is aligned.
func TestPython(t *testing.T) {
	if !strings.HasPrefix(torch.Version(), "2.15.") {
		t.Skip("generated for 2.15")
	}
	p := reference.Start(t, cases)
	names := make([]string, 0, len(functions))
	for name := range functions {
		names = append(names, name)
	}
	slices.Sort(names)
	overloads, calls, exact := 0, 0, 0
	dtypes := map[string]int{}
	all, turn := os.Getenv("TORCHHUB_TEST_LARGE") != "", time.Now().YearDay()
	for batch := range slices.Chunk(names, 50) {
		if turn++; !all && turn%4 != 0 {
			continue
		}
		var answers map[string][]testCase
		p.Call(&answers, "cases", batch)
		for _, name := range batch {
			cs := answers[name]
			if len(cs) > 0 {
				overloads++
			}
			for _, c := range cs {
				calls++
				dtypes[c.What[:strings.IndexByte(c.What, ' ')]]++
				same, err := run(functions[name], c)
				if err != nil {
					t.Errorf("%s, %s: %v", name, c.What, err)
				} else if same {
					exact++
				}
			}
		}
	}
	t.Logf("%d overloads, %d calls, %d of them equal to the last bit; by dtype %v", overloads, calls, exact, dtypes)
	require.GreaterOrEqual(t, overloads, 60)
	if all {
		require.GreaterOrEqual(t, overloads, 600)
	}
}

func run(function any, c testCase) (exact bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	f := reflect.ValueOf(function)
	args := make([]reflect.Value, len(c.Args))
	for i, a := range c.Args {
		if args[i], err = argument(f.Type().In(i), a); err != nil {
			return false, fmt.Errorf("argument %d: %w", i, err)
		}
	}
	var out []reflect.Value
	torch.ManualSeed(0)
	if err := torch.Try(func() { torch.NoGrad(func() { out = f.Call(args) }) }); err != nil {
		return false, err
	}
	return compareAll(c.Results, out)
}

func compareAll(wants []value, out []reflect.Value) (exact bool, err error) {
	if len(out) != len(wants) {
		return false, fmt.Errorf("%d results, want %d", len(out), len(wants))
	}
	exact = true
	for i, want := range wants {
		same, err := compare(want, out[i].Interface())
		if err != nil {
			return false, fmt.Errorf("result %d: %w", i, err)
		}
		exact = exact && same
	}
	return exact, nil
}

// argument makes a Go argument of a type.
func argument(t reflect.Type, a value) (reflect.Value, error) {
	v := reflect.New(t).Elem()
	if a.Kind == "none" {
		return v, nil
	}
	if t.Kind() == reflect.Pointer && t != reflect.TypeFor[*torch.Tensor]() {
		e, err := argument(t.Elem(), a)
		if err != nil {
			return v, err
		}
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(e)
		return v, nil
	}
	if a.Kind == "list" {
		v.Set(reflect.MakeSlice(t, len(a.Items), len(a.Items)))
		for i, item := range a.Items {
			e, err := argument(t.Elem(), item)
			if err != nil {
				return v, err
			}
			v.Index(i).Set(e)
		}
		return v, nil
	}
	var x any
	switch a.Kind {
	case "tensor":
		x = tensorOf(a)
	case "dtype":
		d, err := torch.ParseDType(a.DType)
		if err != nil {
			return v, err
		}
		x = d
	case "device":
		x = torch.CPU
	case "complex":
		var c [2]float64
		if err := json.Unmarshal(a.V, &c); err != nil {
			return v, err
		}
		x = complex(c[0], c[1])
	case "int", "layout", "format":
		var n int
		if err := json.Unmarshal(a.V, &n); err != nil {
			return v, err
		}
		x = n
		if t == reflect.TypeFor[torch.DType]() {
			x = torch.FromScalarType(n) // schemas give ScalarType as an int
		}
	case "float":
		var f float64
		if err := json.Unmarshal(a.V, &f); err != nil {
			return v, err
		}
		x = f
	case "bool":
		var b bool
		if err := json.Unmarshal(a.V, &b); err != nil {
			return v, err
		}
		x = b
	case "str":
		var s string
		if err := json.Unmarshal(a.V, &s); err != nil {
			return v, err
		}
		x = s
	default:
		return v, fmt.Errorf("no way to give a %s", a.Kind)
	}
	if t.Kind() == reflect.Interface {
		v.Set(reflect.ValueOf(x))
	} else {
		v.Set(reflect.ValueOf(x).Convert(t))
	}
	return v, nil
}

// tensorOf makes a tensor of any dtype from its bytes.
func tensorOf(a value) *torch.Tensor {
	d, err := torch.ParseDType(a.DType)
	if err != nil {
		panic(err)
	}
	x := ViewDtype(torch.FromSlice(a.Data, len(a.Data)), d).View(a.Shape...).Clone() // no view, as in Python
	if a.T {
		x = x.Transpose(-1, -2)
	}
	return x
}

// bytesOf is the reverse.
func bytesOf(x *torch.Tensor) []byte {
	return torch.Data[uint8](ViewDtype(ResolveNeg(ResolveConj(x)).Contiguous().View(-1), torch.Uint8))
}

// compare compares a result with Python's.
func compare(want value, got any) (exact bool, err error) {
	switch got := got.(type) {
	case *torch.Tensor:
		if got == nil {
			if want.Kind != "none" {
				return false, fmt.Errorf("no tensor, want a %s", want.Kind)
			}
			return true, nil
		}
		return compareTensors(want, got)
	case []*torch.Tensor:
		if len(got) != len(want.Items) {
			return false, fmt.Errorf("%d tensors, want %d", len(got), len(want.Items))
		}
		exact = true
		for i, x := range got {
			same, err := compare(want.Items[i], x)
			if err != nil {
				return false, fmt.Errorf("tensor %d: %w", i, err)
			}
			exact = exact && same
		}
		return exact, nil
	default:
		w, err := argument(reflect.TypeOf(got), want)
		if err != nil {
			return false, err
		}
		if !reflect.DeepEqual(w.Interface(), got) && fmt.Sprint(got) != fmt.Sprint(w.Interface()) {
			return false, fmt.Errorf("%v, want %v", got, w)
		}
		return true, nil
	}
}

func compareTensors(want value, got *torch.Tensor) (exact bool, err error) {
	if want.Kind != "tensor" {
		return false, fmt.Errorf("a tensor, want a %s", want.Kind)
	}
	if !slices.Equal(want.Shape, got.Shape()) || want.DType != got.DType().String() {
		return false, fmt.Errorf("%v %v, want %v %s", got.Shape(), got.DType(), want.Shape, want.DType)
	}
	if bytes.Equal(want.Data, bytesOf(got)) {
		return true, nil
	}
	w := numbersOf(tensorOf(want))
	g := numbersOf(got)
	var scale float64
	for _, v := range w {
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			scale = max(scale, math.Abs(v))
		}
	}
	tolerance := 1e-6
	if want.DType == "bfloat16" || want.DType == "float16" {
		tolerance = 1e-2 // a last bit
	}
	for i := range w {
		if w[i] == g[i] || math.IsNaN(w[i]) && math.IsNaN(g[i]) {
			continue
		}
		if !(math.Abs(w[i]-g[i]) <= tolerance*scale) {
			return false, fmt.Errorf("element %d is %v, want %v", i, g[i], w[i])
		}
	}
	return false, nil
}

func numbersOf(x *torch.Tensor) []float64 {
	if x.DType().IsComplex() {
		x = ViewAsReal(ResolveNeg(ResolveConj(x)))
	}
	return torch.Data[float64](x.ToDType(torch.Float64).Contiguous().View(-1))
}
