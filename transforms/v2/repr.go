package v2

import (
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/pyrepr"
)

// tuple is a list that Python writes in parentheses.
type tuple []any

// repr writes a transform as Python does: its name, and names and values in turn. Values that are nil are left out.
func repr(name string, attributes ...any) string {
	var parts []string
	for i := 0; i < len(attributes); i += 2 {
		if v := attributes[i+1]; v != nil {
			parts = append(parts, attributes[i].(string)+"="+python(v))
		}
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

// python writes a value as Python's str does.
func python(v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "True"
		}
		return "False"
	case float64:
		return pyrepr.Float(v)
	case []int:
		return pythonList(v)
	case []float64:
		return pythonList(v)
	case [2]int:
		return python(tuple{v[0], v[1]})
	case [2]float64:
		return python(tuple{v[0], v[1]})
	case []Transform:
		return pythonList(v)
	case tuple:
		s := pythonList(v)
		return "(" + s[1:len(s)-1] + ")"
	}
	return fmt.Sprint(v)
}

func pythonList[E any](v []E) string {
	var parts []string
	for _, e := range v {
		parts = append(parts, python(e))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// orNil returns v, or nil if it is the zero value, for attributes that are None.
func orNil[E comparable](v E) any {
	var zero E
	if v == zero {
		return nil
	}
	return v
}
