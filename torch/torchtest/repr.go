package torchtest

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
)

// str writes a value as Python's str does.
func str(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case *torch.Tensor:
		if v != nil && v.Dim() == 0 && v.Device() != torch.Meta {
			return element(v).String() // format(x) is that of x.item()
		}
	}
	return repr(v)
}

// repr writes a value as Python's repr does, and what Python has no equal of as package fmt.
func repr(v any) string { return writer{}.repr(v) }

// A writer holds the addresses of the containers that it is writing, which may contain themselves.
type writer map[unsafe.Pointer]bool

func (open writer) repr(v any) string {
	w := viewOf(v)
	switch w.kind {
	case none:
		return "None"
	case boolean:
		if w.v.Bool() {
			return "True"
		}
		return "False"
	case numeric:
		return numberOf(w.v).String()
	case sequence, mapping, record:
		at := w.address()
		if at != nil && open[at] {
			return "..."
		}
		open[at] = true
		defer delete(open, at)
		return open.container(w)
	}
	switch v := v.(type) {
	case string:
		return pyrepr.String(v)
	case torch.DType:
		return "torch." + v.String()
	}
	return fmt.Sprint(v)
}

func (open writer) container(w view) string {
	var parts []string
	switch w.kind {
	case sequence:
		for i := range w.len() {
			parts = append(parts, open.repr(w.index(i)))
		}
		if _, ok := w.given.(torch.Tuple); !ok {
			return "[" + strings.Join(parts, ", ") + "]"
		}
		if len(parts) == 1 {
			return "(" + parts[0] + ",)"
		}
		return "(" + strings.Join(parts, ", ") + ")"
	case mapping:
		for _, e := range w.entries() {
			parts = append(parts, e.text+": "+open.repr(e.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	for _, f := range fields(w.v.Type()) {
		parts = append(parts, f.Name+"="+open.repr(w.v.FieldByIndex(f.Index).Interface()))
	}
	return w.v.Type().Name() + "(" + strings.Join(parts, ", ") + ")"
}

// tupleText writes integers as Python writes a tuple.
func tupleText(v []int) string {
	t := make(torch.Tuple, len(v))
	for i, n := range v {
		t[i] = n
	}
	return repr(t)
}
