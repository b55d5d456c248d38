package aten

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// A curatedFunction is a function of package torch and the rooms in it that
// calls one operator.
type curatedFunction struct {
	name     string
	function any
	op       string
	python   string   // Python's name for the function
	params   []string // the operator's names for the parameters
	options  []option
	checked  bool // by Go code that refuses some of what the operator takes
}

type option struct{ arg, field string }

// TestCurated calls these functions like TestPython, with Python's operator as
// the judge: that each gives its arguments and options to the right places. Those
// whose arguments the tables cannot make are in TestFitting. Without TORCHHUB_TEST_LARGE, half of
// the functions are called each day.
func TestCurated(t *testing.T) {
	if !strings.HasPrefix(torch.Version(), "2.15.") {
		t.Skip("generated for 2.15")
	}
	p := reference.Start(t, cases)
	unseen := 0
	calls, exact := 0, 0
	all, turn := os.Getenv("TORCHHUB_TEST_LARGE") != "", time.Now().YearDay()
	for batch := range slices.Chunk(curated, 100) {
		if turn++; !all && turn%2 != 0 {
			continue
		}
		var asked []map[string]any
		for _, f := range batch {
			options := []string{}
			for _, o := range f.options {
				options = append(options, o.arg)
			}
			asked = append(asked, map[string]any{"name": f.name, "op": f.op, "python": f.python, "params": f.params, "options": options})
		}
		var answers map[string][]testCase
		p.Call(&answers, "curated", asked)
		for _, f := range batch {
			if len(answers[f.name]) == 0 {
				unseen++
				t.Logf("no call of %s", f.name)
			}
			for _, c := range answers[f.name] {
				calls++
				same, err := f.run(c)
				if e := new(torch.Error); f.checked && errors.As(err, &e) && !strings.HasPrefix(e.Op, "aten::") {
					continue
				}
				if err != nil && !uninitialized[f.op] {
					t.Errorf("%s, %s: %v", f.name, c.What, err)
				} else if same {
					exact++
				}
			}
		}
	}
	t.Logf("%d functions, %d without a call; %d calls, %d of them equal to the last bit", len(curated), unseen, calls, exact)
	require.LessOrEqual(t, unseen, 54) // see TestFitting, and TestPorts of package torch
}

// TestTwoOptions gives each function that takes options two of them.
func TestTwoOptions(t *testing.T) {
	n := 0
	for _, f := range curated {
		fn := reflect.ValueOf(f.function)
		typ := fn.Type()
		if !typ.IsVariadic() || typ.In(typ.NumIn()-1).Elem().Kind() != reflect.Struct {
			continue
		}
		n++
		var args []reflect.Value
		for i := range typ.NumIn() - 1 {
			args = append(args, reflect.Zero(typ.In(i)))
		}
		args = append(args, reflect.MakeSlice(typ.In(typ.NumIn()-1), 2, 2))
		var e *torch.Error
		require.ErrorAs(t, torch.Try(func() { fn.CallSlice(args) }), &e, f.name)
		require.Equal(t, typ.In(typ.NumIn()-1).Elem().String(), e.Op, f.name)
		require.Equal(t, "2 values are given; give at most one", e.Msg, f.name)
	}
	require.Greater(t, n, 150)
}

// uninitialized are the operators whose results are unspecified.
var uninitialized = map[string]bool{"aten::empty.memory_format": true, "aten::empty_like": true}

func (f *curatedFunction) run(c testCase) (exact bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	fn := reflect.ValueOf(f.function)
	typ := fn.Type()
	given := map[string]value{}
	for i, name := range c.Names {
		given[name] = c.Args[i]
	}
	var args []reflect.Value
	for i, name := range f.params {
		v, err := parameter(typ.In(i), given[name], name)
		if err != nil {
			return false, fmt.Errorf("argument %s: %w", name, err)
		}
		args = append(args, v)
	}
	if len(f.options) > 0 {
		options := reflect.MakeSlice(typ.In(len(args)), 1, 1)
		for _, o := range f.options {
			field := options.Index(0).FieldByName(o.field)
			v := given[o.arg]
			if v.Kind == "none" || v.Kind == "list" && len(v.Items) == 0 {
				continue
			}
			set, err := parameter(field.Type(), v, o.arg)
			if err != nil {
				return false, fmt.Errorf("option %s: %w", o.arg, err)
			}
			if field.Kind() == reflect.Bool && !strings.EqualFold(strings.ReplaceAll(o.arg, "_", ""), o.field) {
				set = reflect.ValueOf(!set.Bool()) // the field says the opposite
			}
			field.Set(set)
		}
		args = append(args, options)
	}
	call := fn.Call
	if typ.IsVariadic() {
		call = fn.CallSlice
	}
	if c.Graph != nil {
		tracked := make([]reflect.Value, len(args))
		for i, a := range args {
			tracked[i] = reflect.ValueOf(track(a.Interface()))
			if !tracked[i].IsValid() {
				tracked[i] = a
			}
		}
		var names []string
		if err := torch.Try(func() { names = graph(call(tracked)) }); err != nil || len(names) < len(c.Graph) || !slices.Equal(names[:len(c.Graph)], c.Graph) { // Python leaves out results that were not asked for
			return false, fmt.Errorf("autograd records %q (%v), want %q as in Python", names, err, c.Graph)
		}
	}
	var out []reflect.Value
	torch.ManualSeed(0)
	if err := torch.Try(func() { torch.NoGrad(func() { out = call(args) }) }); err != nil {
		return false, err
	}
	return compareAll(c.Results, out)
}

// track returns copies that autograd follows of the tensors in an argument, and other arguments as they are.
func track(a any) any {
	switch a := a.(type) {
	case *torch.Tensor:
		if a == nil {
			return a
		}
		a = a.Clone()
		if a.DType().IsFloatingPoint() || a.DType().IsComplex() {
			a = a.RequireGrad(true).Clone() // which can be changed in place
		}
		return a
	case []*torch.Tensor:
		var tracked []*torch.Tensor
		for _, x := range a {
			tracked = append(tracked, track(x).(*torch.Tensor))
		}
		return tracked
	}
	return a
}

var gradFn = regexp.MustCompile(`grad_fn=<(\w+)>`)

// graph returns the names of the results' grad_fn, "" where they have none.
func graph(results []reflect.Value) []string {
	names := []string{}
	add := func(x *torch.Tensor) {
		name := ""
		if m := gradFn.FindStringSubmatch(x.String()); m != nil {
			name = m[1]
		}
		names = append(names, name)
	}
	for _, r := range results {
		switch v := r.Interface().(type) {
		case *torch.Tensor:
			if v != nil {
				add(v)
			}
		case []*torch.Tensor:
			for _, x := range v {
				add(x)
			}
		}
	}
	return names
}

// parameter makes an argument as argument does, of the types that only these functions have too.
func parameter(t reflect.Type, a value, name string) (reflect.Value, error) {
	switch {
	case name == "reduction":
		var i int
		err := json.Unmarshal(a.V, &i)
		return reflect.ValueOf([]string{"none", "mean", "sum"}[i]), err
	case t == reflect.TypeFor[[]int]() && a.Kind == "int": // a dim where several can be given
		v, err := argument(reflect.TypeFor[int](), a)
		return reflect.Append(reflect.Zero(t), v), err
	case t.Kind() == reflect.Interface && a.Kind == "list":
		t = reflect.TypeFor[[]int]()
	}
	return argument(t, a)
}
