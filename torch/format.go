package torch

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// Format implements [fmt.Formatter]:
//
//	%v %s   as String: the repr of Python
//	%+v     as String, with all elements: torch.set_printoptions(profile="full")
//	%#v     the shape, the dtype and a device other than the CPU
//	%.3v    with 3 digits after the decimal point: torch.set_printoptions(precision=3)
//	%.3g    likewise
//	%.3f    likewise, without exponents: sci_mode=False
//	%.3e    likewise, with exponents: sci_mode=True
//	%d      as String, if the elements are integers
//	%t      as String, if the elements are bools
//
// A tensor without dimensions is formatted by the verbs for numbers as its element is:
// f"{x:.3f}". A width pads the text.
//
//	fmt.Printf("loss %.4f\n", x.Mean()) // loss 0.6931
//
// https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
func (x *Tensor) Format(f fmt.State, verb rune) {
	o := *printOptions.Load()
	if digits, ok := f.Precision(); ok {
		o.precision = min(max(digits, 0), maxPrecision)
	}
	text, ok := "", x != nil
	if ok && verb != 'v' && verb != 's' {
		if text, ok = x.number(f, verb); ok {
			_, _ = io.WriteString(f, text) // already padded
			return
		}
	}
	switch {
	case verb == 'v' && f.Flag('#'):
		text = "tensor(" + x.describe() + ")"
	case verb == 'v' && f.Flag('+'):
		o.threshold = math.MaxInt
		text = x.text(&o)
	case verb == 'v', verb == 's', verb == 'g', verb == 'd' && x.isInteger(), verb == 't' && x.isBool():
		text = x.text(&o)
	case verb == 'f', verb == 'F', verb == 'e':
		o.sciMode = new(verb == 'e')
		text = x.text(&o)
	default:
		text = fmt.Sprintf("%%!%c(*torch.Tensor=%s)", verb, x.text(&o))
	}
	if width, ok := f.Width(); ok {
		pad := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
		if f.Flag('-') {
			text += pad
		} else {
			text = pad + text
		}
	}
	_, _ = io.WriteString(f, text)
}

// number formats the element of a tensor without dimensions, which a verb for floats takes as a float.
func (x *Tensor) number(f fmt.State, verb rune) (text string, ok bool) {
	err := Try(func() {
		if x.Dim() > 0 {
			return
		}
		var v any
		if x.DType() == Uint64 {
			v = Data[uint64](x)[0] // which may exceed an int
		} else if v, _ = itemOf(x); v == nil {
			return
		}
		if strings.ContainsRune("eEfFgG", verb) {
			if n, ok := floatOf(v); ok {
				v = n
			}
		}
		text, ok = fmt.Sprintf(fmt.FormatString(f, verb), v), true
	})
	return text, ok && err == nil
}

func (x *Tensor) isInteger() bool {
	return x.isKind(func(d DType) bool { return d != Bool && !d.IsFloatingPoint() && !d.IsComplex() })
}
func (x *Tensor) isBool() bool { return x.isKind(func(d DType) bool { return d == Bool }) }

func (x *Tensor) isKind(is func(DType) bool) (ok bool) {
	_ = Try(func() { ok = is(x.DType()) })
	return ok
}
