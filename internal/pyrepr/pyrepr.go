// Package pyrepr writes numbers and strings as Python's repr does.
package pyrepr

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Float writes a float64: repr(f).
func Float(f float64) string {
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
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+"))
	case a != 0 && (a < 1e-4 || a >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// Complex writes a complex128: repr(c).
func Complex(c complex128) string {
	re, im := real(c), shortest(imag(c))
	if re == 0 && !math.Signbit(re) {
		return im + "j"
	}
	if im[0] != '-' {
		im = "+" + im
	}
	return "(" + shortest(re) + im + "j)"
}

// String writes a string: repr(s).
func String(s string) string {
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
