package torchtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

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
		return quoted(v)
	case torch.DType:
		return "torch." + v.String()
	}
	return fmt.Sprint(v)
}

// floatText writes a float64 as Python's repr does.
func floatText(f float64) string {
	s := shortest(f)
	if !strings.ContainsAny(s, ".ein") {
		s += ".0"
	}
	return s
}

// shortest writes a float64 with as few digits as identify it.
func shortest(f float64) string {
	switch a := math.Abs(f); {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64)), "+")
	case a != 0 && (a < 1e-4 || a >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// complexText writes a complex128 as Python's repr does.
func complexText(c complex128) string {
	re, im := real(c), imag(c)
	if re == 0 && !math.Signbit(re) {
		return shortest(im) + "j"
	}
	sign := "+"
	if text := shortest(im); text[0] == '-' {
		sign = ""
	}
	return "(" + shortest(re) + sign + shortest(im) + "j)"
}

// tupleText writes integers as Python writes a tuple.
func tupleText(v []int) string {
	t := make(torch.Tuple, len(v))
	for i, n := range v {
		t[i] = n
	}
	return repr(t)
}

// quoted writes a string as Python's repr does.
func quoted(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b := []byte{quote}
	for _, r := range s {
		switch {
		case r == '\\' || r == rune(quote):
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case unicode.IsPrint(r):
			b = append(b, string(r)...)
		case r < 0x100:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r < 0x10000:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
	}
	return string(append(b, quote))
}
