package transforms

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// How Python writes values.

// float writes a float64 as Python's repr does.
func float(x float64) string {
	switch {
	case math.IsNaN(x):
		return "nan"
	case math.IsInf(x, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(x, 'g', -1, 64), "+"))
	case x != 0 && (math.Abs(x) < 1e-4 || math.Abs(x) >= 1e16):
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// number writes an int or a float64.
func number(n torch.Number) string {
	if f, ok := n.(float64); ok {
		return float(f)
	}
	return fmt.Sprint(n)
}

// list writes numbers as a list.
func list(numbers []float64) string { return "[" + joined(numbers, float) + "]" }

// tuple writes numbers as a tuple.
func tuple(numbers []float64) string { return "(" + joined(numbers, float) + ")" }

// rounded writes numbers as a tuple of four decimals at most.
func rounded(numbers []float64) string {
	return "(" + joined(numbers, func(x float64) string {
		r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 4, 64), 64)
		return float(r)
	}) + ")"
}

// filling writes the fill: 0 for nil, a number, or a tuple of them.
func filling(fill Floats) string {
	short := func(x float64) string {
		if x == math.Trunc(x) && math.Abs(x) < 1e15 {
			return strconv.Itoa(int(x))
		}
		return float(x)
	}
	switch f := fill.(type) {
	case float64:
		return short(f)
	case int:
		return strconv.Itoa(f)
	case []float64:
		switch len(f) {
		case 0:
		case 1:
			return "(" + short(f[0]) + ",)"
		default:
			return "(" + joined(f, short) + ")"
		}
	}
	return "0"
}

// none writes None for nil, and otherwise the result of write for the numbers.
func none(numbers []float64, write func([]float64) string) string {
	if numbers == nil {
		return "None"
	}
	return write(numbers)
}

// boolean writes a bool.
func boolean(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// integers writes an int, or a list of them as a tuple.
func integers(n any) string {
	switch n := n.(type) {
	case nil:
		return "None"
	case []int:
		if len(n) == 1 {
			return fmt.Sprintf("(%d,)", n[0])
		}
		return "(" + joined(n, strconv.Itoa) + ")"
	}
	return fmt.Sprint(n)
}

func joined[T any](xs []T, write func(T) string) string {
	parts := make([]string, len(xs))
	for i, x := range xs {
		parts[i] = write(x)
	}
	return strings.Join(parts, ", ")
}

// block writes transforms, and lines before them, one in each line.
func block(class string, ts []Transform, lines ...string) string {
	var b strings.Builder
	b.WriteString(class + "(\n")
	for _, l := range lines {
		b.WriteString("    " + l + "\n")
	}
	for _, t := range ts {
		b.WriteString("    " + name(t) + "\n")
	}
	b.WriteString(")")
	return b.String()
}
