package aten

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

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
	params   []string // the operator's names for the parameters
	options  []option
	checked  bool // by Go code that refuses some of what the operator takes
}

type option struct{ arg, field string }

// TestCurated calls these functions like TestPython, with Python's operator as
// the judge: that each gives its arguments and options to the right places. Those
// whose arguments the tables cannot make are in TestFitting.
func TestCurated(t *testing.T) {
	if !strings.HasPrefix(torch.Version(), "2.15.") {
		t.Skip("generated for 2.15")
	}
	p := reference.Start(t, cases)
	unseen := 0
	calls, exact := 0, 0
	for batch := range slices.Chunk(curated, 100) {
		var asked []map[string]any
		for _, f := range batch {
			options := []string{}
			for _, o := range f.options {
				options = append(options, o.arg)
			}
			asked = append(asked, map[string]any{"name": f.name, "op": f.op, "params": f.params, "options": options})
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
				if err != nil && !uninitialised[f.op] {
					t.Errorf("%s, %s: %v", f.name, c.What, err)
				} else if same {
					exact++
				}
			}
		}
	}
	t.Logf("%d functions, %d without a call; %d calls, %d of them equal to the last bit", len(curated), unseen, calls, exact)
	require.LessOrEqual(t, unseen, 50) // see TestFitting
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

// uninitialised are the operators whose results nobody can know.
var uninitialised = map[string]bool{"aten::empty.memory_format": true, "aten::empty_like": true}

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
	var out []reflect.Value
	torch.ManualSeed(0)
	err = torch.Try(func() {
		torch.NoGrad(func() {
			if typ.IsVariadic() {
				out = fn.CallSlice(args)
			} else {
				out = fn.Call(args)
			}
		})
	})
	if err != nil {
		return false, err
	}
	return compareAll(c.Results, out)
}

// parameter makes an argument as argument does, of the types that only these functions have too.
func parameter(t reflect.Type, a value, name string) (reflect.Value, error) {
	switch {
	case name == "reduction":
		var i int
		err := json.Unmarshal(a.V, &i)
		return reflect.ValueOf([]string{"none", "mean", "sum"}[i]), err
	case t.Kind() == reflect.Interface && a.Kind == "list":
		t = reflect.TypeFor[[]int]()
	}
	return argument(t, a)
}
