// Package functional holds the operations behind the layers of torch/nn, as
// torch.nn.functional does. By custom it is imported as F:
//
//	import F "github.com/torchhub/torchhub/torch/nn/functional"
//
// Mistakes in shapes, dtypes and options panic with a [*torch.Error].
//
// https://docs.pytorch.org/docs/stable/nn.functional.html
package functional

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// fail panics with an Error about a function's own arguments.
func fail(op, format string, args ...any) {
	panic(&torch.Error{Op: op, Msg: fmt.Sprintf(format, args...)})
}

// or returns what p points to, or the default if it is nil.
func or[T any](p *T, standard T) T {
	if p == nil {
		return standard
	}
	return *p
}

// choice returns the number of a word; that of none is 0.
func choice(op, field, word string, words ...string) int {
	if word == "" {
		return 0
	}
	i := slices.Index(words, word)
	if i < 0 {
		fail(op, "%s is %q; it must be one of %q", field, word, words)
	}
	return i
}

// floats returns a number n times, or a []float64 of n elements; nil is nil.
func floats(op, field string, v torch.Floats, n int) []float64 {
	switch v := v.(type) {
	case nil:
		return nil
	case []float64:
		if len(v) != n {
			fail(op, "%s has %d elements; it must have %d", field, len(v), n)
		}
		return v
	case int:
		return slices.Repeat([]float64{float64(v)}, n)
	case float64:
		return slices.Repeat([]float64{v}, n)
	}
	fail(op, "%s is a %T; it must be a float64, an int or a []float64", field, v)
	return nil
}

// number returns a Number as a float64; nil is the default.
func number(op, field string, v torch.Number, standard float64) float64 {
	switch v := v.(type) {
	case nil:
		return standard
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	}
	fail(op, "%s is a %T; it must be a real number", field, v)
	return 0
}

// badReduction is the sentence about what is no reduction.
const badReduction = `the reduction is %q; it can be "mean", "sum" or "none"`

// checkReduction refuses what is no reduction, before any work.
func checkReduction(op, how string) {
	switch how {
	case "", "mean", "sum", "none":
	default:
		fail(op, badReduction, how)
	}
}

// reduce applies the reduction of a loss.
func reduce(how string, loss *torch.Tensor) *torch.Tensor {
	switch how {
	case "sum":
		return loss.Sum()
	case "none":
		return loss
	}
	return loss.Mean()
}
