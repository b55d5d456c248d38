package functional_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// pythonCalls calls a function of torch.nn.functional, and tells what it raises.
const pythonCalls = `
import torch, warnings
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
warnings.simplefilter("ignore")

def call(calls):
    out = []
    for name, args, options in calls:
        torch.manual_seed(0)
        try:
            with torch.no_grad():
                y = eval(name)(*args, **options)
            out.append({"results": list(y) if isinstance(y, tuple) else [y]})
        except Exception as e:
            out.append({"error": f"{type(e).__name__}: {e}"[:200]})
    return out
`

// A pythonCall is a call with arguments that both languages have.
type pythonCall struct {
	name    string // an expression
	args    []any
	options map[string]any
}

func (c pythonCall) String() string {
	var parts []string
	for _, a := range c.args {
		parts = append(parts, shown(a))
	}
	for k, v := range c.options {
		parts = append(parts, k+"="+shown(v))
	}
	return fmt.Sprintf("%s(%s)", c.name, strings.Join(parts, ", "))
}

func shown(v any) string {
	if x, ok := v.(*torch.Tensor); ok && x != nil {
		return fmt.Sprint(x.Shape(), x.DType())
	}
	return fmt.Sprintf("%#v", v)
}

// A pythonAnswer is what came of a call.
type pythonAnswer struct {
	Error   string
	Results []*torch.Tensor
}

// ask makes calls in Python.
func ask(t *testing.T, calls []pythonCall) (out []pythonAnswer) {
	reference.Python(t)
	p := torchtest.Python(t, pythonCalls)
	for part := range slices.Chunk(calls, 500) {
		var all []any
		for _, c := range part {
			all = append(all, torch.Tuple{c.name, c.args, c.options})
		}
		for _, v := range p.Call("call", all).([]torch.Value) {
			var a pythonAnswer
			var err error
			if a.Error, err = torch.Get[string](v, "error"); err != nil {
				a.Results, err = torch.Get[[]*torch.Tensor](v, "results")
			}
			require.NoError(t, err)
			out = append(out, a)
		}
	}
	return out
}

// goCall calls a function with positional arguments and options by their names in Python.
func goCall(fn any, args []any, options map[string]any) (out []*torch.Tensor, err error) {
	f := reflect.ValueOf(fn)
	typ := f.Type()
	var in []reflect.Value
	for i, a := range args {
		v := reflect.New(typ.In(i)).Elem()
		set(v, a)
		in = append(in, v)
	}
	if typ.NumIn() > len(args) {
		o := typ.In(len(args))
		if typ.IsVariadic() {
			o = o.Elem()
		}
		v := reflect.New(o).Elem()
		for name, value := range options {
			setOption(v, name, value)
		}
		in = append(in, v)
	}
	var results []reflect.Value
	torch.ManualSeed(0)
	err = torch.Try(func() { torch.NoGrad(func() { results = f.Call(in) }) })
	for _, r := range results {
		out = append(out, r.Interface().(*torch.Tensor))
	}
	return out, err
}

// opposite are the fields that say the opposite of Python's argument.
var opposite = map[string]string{"count_include_pad": "ExcludePad", "log_input": "NoLogInput", "use_input_stats": "UseRunning"}

func setOption(o reflect.Value, name string, value any) {
	if field, ok := opposite[name]; ok {
		o.FieldByName(field).SetBool(!value.(bool))
		return
	}
	field := o.FieldByNameFunc(func(f string) bool { return strings.EqualFold(f, strings.ReplaceAll(name, "_", "")) })
	if !field.IsValid() {
		panic(fmt.Sprintf("%v has no field for %s", o.Type(), name))
	}
	set(field, value)
}

func set(v reflect.Value, value any) {
	switch {
	case value == nil:
	case v.Kind() == reflect.Interface:
		v.Set(reflect.ValueOf(value))
	case v.Kind() == reflect.Pointer && v.Type() != reflect.TypeFor[*torch.Tensor]():
		v.Set(reflect.New(v.Type().Elem()))
		v.Elem().Set(reflect.ValueOf(value).Convert(v.Type().Elem()))
	case v.Kind() == reflect.Slice && reflect.TypeOf(value).Kind() != reflect.Slice:
		v.Set(reflect.Append(v, reflect.ValueOf(value).Convert(v.Type().Elem())))
	default:
		v.Set(reflect.ValueOf(value).Convert(v.Type()))
	}
}

// differs says how results differ from Python's, by more than 1e-5 of the largest; "" where they do not.
func differs(got, want []*torch.Tensor) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d results, want %d", len(got), len(want))
	}
	for i, w := range want {
		o := torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0), EqualNan: true}
		if w.DType().IsFloatingPoint() {
			for _, v := range torch.Data[float64](w.ToDType(torch.Float64)) {
				if !math.IsInf(v, 0) && !math.IsNaN(v) {
					*o.Atol = max(*o.Atol, 1e-5*math.Abs(v))
				}
			}
		}
		if err := torchtest.CheckClose(got[i], w, o); err != nil {
			return err.Error()
		}
	}
	return ""
}
