package torchtest

import (
	"fmt"
	"strings"

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
func repr(v any) string {
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
	case sequence:
		var parts []string
		for i := range w.len() {
			parts = append(parts, repr(w.index(i)))
		}
		if _, ok := v.(torch.Tuple); ok {
			if len(parts) == 1 {
				return "(" + parts[0] + ",)"
			}
			return "(" + strings.Join(parts, ", ") + ")"
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case mapping:
		var parts []string
		for _, e := range w.entries() {
			parts = append(parts, e.text+": "+repr(e.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	switch v := v.(type) {
	case string:
		return pyrepr.String(v)
	case torch.DType:
		return "torch." + v.String()
	}
	return fmt.Sprint(v)
}

// tupleText writes integers as Python writes a tuple.
func tupleText(v []int) string {
	t := make(torch.Tuple, len(v))
	for i, n := range v {
		t[i] = n
	}
	return repr(t)
}
