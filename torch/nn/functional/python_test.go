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

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// pythonCalls calls a function of torch.nn.functional, and tells what it raises.
const pythonCalls = `
import numpy as np, torch, warnings
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
warnings.simplefilter("ignore")

def argument(v):
    if isinstance(v, np.ndarray):
        return torch.from_numpy(v)
    if isinstance(v, dict):
        return float(v["float"])
    return v

def call(calls):
    out = []
    for name, args, options in calls:
        args = [argument(a) for a in args]
        torch.manual_seed(0)
        try:
            with torch.no_grad():
                y = eval(name)(*args, **{k: argument(v) for k, v in options.items()})
            out.append({"results": [t.contiguous() for t in (y if isinstance(y, tuple) else (y,))]})
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

// send returns the call as the script reads it.
func (c pythonCall) send() []any {
	args := []any{}
	for _, a := range c.args {
		args = append(args, sent(a))
	}
	options := map[string]any{}
	for k, v := range c.options {
		options[k] = sent(v)
	}
	return []any{c.name, args, options}
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

// sent returns a value as it travels.
func sent(v any) any {
	switch v := v.(type) {
	case *torch.Tensor:
		if v == nil {
			return nil
		}
		switch v.DType() {
		case torch.Float32:
			return reference.NewArray(torch.Data[float32](v), v.Shape()...)
		case torch.Float64:
			return reference.NewArray(torch.Data[float64](v), v.Shape()...)
		case torch.Int64:
			return reference.NewArray(torch.Data[int64](v), v.Shape()...)
		case torch.Bool:
			return reference.NewArray(torch.Data[bool](v), v.Shape()...)
		}
		panic(v.DType())
	case float64:
		return map[string]string{"float": fmt.Sprint(v)}
	}
	return v
}

// A pythonAnswer is what came of a call.
type pythonAnswer struct {
	Error   string
	Results []reference.Array
}

// ask makes calls in Python.
func ask(t *testing.T, calls []pythonCall) []pythonAnswer {
	p := reference.Start(t, pythonCalls)
	var out []pythonAnswer
	for part := range slices.Chunk(calls, 500) {
		var all []any
		for _, c := range part {
			all = append(all, c.send())
		}
		var answers []pythonAnswer
		p.Call(&answers, "call", all)
		out = append(out, answers...)
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
func differs(got []*torch.Tensor, want []reference.Array) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d results, want %d", len(got), len(want))
	}
	for i, w := range want {
		if !slices.Equal(got[i].Shape(), w.Shape) || got[i].DType().String() != w.DType {
			return fmt.Sprintf("%v %v, want %v %s", got[i].Shape(), got[i].DType(), w.Shape, w.DType)
		}
		g, e := torch.Data[float64](got[i].ToDType(torch.Float64)), numbers(w)
		scale := 0.0
		for _, v := range e {
			if !math.IsInf(v, 0) && !math.IsNaN(v) {
				scale = max(scale, math.Abs(v))
			}
		}
		for j := range e {
			if g[j] == e[j] || math.IsNaN(g[j]) && math.IsNaN(e[j]) || math.Abs(g[j]-e[j]) <= 1e-5*scale {
				continue
			}
			return fmt.Sprintf("element %d is %v, want %v", j, g[j], e[j])
		}
	}
	return ""
}

func numbers(a reference.Array) []float64 {
	switch a.DType {
	case "float32":
		return wide(reference.Data[float32](a))
	case "float64":
		return reference.Data[float64](a)
	case "int64":
		return wide(reference.Data[int64](a))
	case "bool":
		var out []float64
		for _, v := range reference.Data[bool](a) {
			out = append(out, map[bool]float64{true: 1}[v])
		}
		return out
	}
	panic(a.DType)
}

func wide[E float32 | int64](from []E) []float64 {
	out := make([]float64, len(from))
	for i, v := range from {
		out[i] = float64(v)
	}
	return out
}
