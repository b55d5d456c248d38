package pickle

import (
	"strconv"
	"strings"
)

// An Array is a NumPy array of numbers, as pickles of data sets have it.
type Array struct {
	DType   string // in NumPy's short form with the byte order, such as "|u1" or "<i8"
	Shape   []int
	Fortran bool   // the first index varies fastest
	Data    []byte // as many as the shape and the dtype require
}

// arrayType is a numpy.dtype.
type arrayType struct{ code, order string }

// ReadArrays decodes a plain pickle, in which besides the values of [Read] there are NumPy arrays: it equals
// pickle.load(f, encoding="latin1") for files of such values. A str of Python 2 becomes a string of its bytes. No
// storages may be named.
func ReadArrays(data []byte, o Options) (any, error) {
	o = o.withDefaults(len(data))
	m := &machine{reader: &reader{Options: o, size: int64(len(data)), nodes: o.MaxNodes}, data: data, arrays: true}
	return m.run()
}

// arrayGlobals are what the pickles of arrays name.
var arrayGlobals = map[string]*global{}

func init() {
	for _, module := range []string{"numpy.core", "numpy._core"} {
		arrayGlobals[module+".multiarray._reconstruct"] = &global{name: "numpy._reconstruct", call: func(m *machine, args Tuple) (any, error) {
			if len(args) != 3 {
				return nil, m.wrong("numpy._reconstruct", args)
			}
			return &Array{}, m.spend(costContainer)
		}}
		arrayGlobals[module+".numeric._frombuffer"] = &global{name: "numpy._frombuffer", call: arrayOfBuffer}
	}
	arrayGlobals["numpy.ndarray"] = &global{name: "numpy.ndarray"}
	arrayGlobals["numpy.dtype"] = &global{name: "numpy.dtype", call: func(m *machine, args Tuple) (any, error) {
		if len(args) != 3 {
			return nil, m.wrong("numpy.dtype", args)
		}
		code, ok := args[0].(string)
		if !ok || len(code) < 2 || len(code) > 3 || !strings.Contains("iufb", code[:1]) {
			return nil, m.unsupported("a NumPy array that is not one of numbers")
		}
		return &arrayType{code: code, order: "|"}, m.spend(costContainer)
	}}
}

// arrayOfBuffer is _frombuffer(buffer, dtype, shape, order).
func arrayOfBuffer(m *machine, args Tuple) (any, error) {
	if len(args) != 4 {
		return nil, m.wrong("numpy._frombuffer", args)
	}
	a := &Array{}
	return a, m.fill(a, args[2], args[1], args[3] == "F", args[0])
}

// buildArray gives an array or a dtype its state, and reports whether obj is one.
func (m *machine) buildArray(obj, state any) (bool, error) {
	t, _ := state.(Tuple)
	switch obj := obj.(type) {
	case *Array:
		if len(t) != 5 || obj.Shape != nil {
			return true, m.malformed("a NumPy array is given a state that is none of one")
		}
		return true, m.fill(obj, t[1], t[2], t[3] == true || t[3] == int64(1), t[4])
	case *arrayType:
		if len(t) < 2 {
			return true, m.malformed("a NumPy dtype is given a state that is none of one")
		}
		order, _ := t[1].(string)
		if order != "<" && order != ">" && order != "|" {
			return true, m.malformed("a NumPy dtype is given the byte order %s", describe(t[1]))
		}
		obj.order = order
		return true, nil
	}
	return false, nil
}

// fill sets an array's parts and checks that they agree.
func (m *machine) fill(a *Array, shape, dtype any, fortran bool, data any) error {
	sizes, ok1 := shape.(Tuple)
	t, ok2 := dtype.(*arrayType)
	if !ok1 || !ok2 || len(sizes) > 32 {
		return m.malformed("a NumPy array has the shape %s and the dtype %s", describe(shape), describe(dtype))
	}
	switch d := data.(type) {
	case []byte:
		a.Data = d
	case string: // of Python 2
		if err := m.spend(len(d)); err != nil {
			return err
		}
		a.Data = []byte(d)
	default:
		return m.malformed("a NumPy array's data are %s, not bytes", describe(data))
	}
	size, err := strconv.Atoi(t.code[1:])
	n := size
	a.Shape = make([]int, len(sizes))
	for i, s := range sizes {
		v, ok := s.(int64)
		if !ok || v < 0 || n > 0 && v > int64(len(a.Data)/n) {
			return m.malformed("a NumPy array's shape does not agree with its %d bytes", len(a.Data))
		}
		a.Shape[i] = int(v)
		n *= int(v)
	}
	if err != nil || n != len(a.Data) {
		return m.malformed("a NumPy array's shape requires %d bytes, but it has %d", n, len(a.Data))
	}
	a.DType, a.Fortran = t.order+t.code, fortran
	return nil
}
