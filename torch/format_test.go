package torch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

const formatScript = `
import torch
def printed(values, **options):
	with torch._tensor_str.printoptions(**options):
		return repr(torch.tensor(values, dtype=torch.float32))
def formatted(value, spec): return format(torch.tensor(value), spec)
`

// Verbs change the digits as Python's options do.
func TestFormatEqualsPython(t *testing.T) {
	p := reference.Start(t, formatScript)
	for _, values := range [][]float64{{0.123456789, 1.5, -2000}, {1, 2, 3}, {1e-8, 1}, {1e10}, {}} {
		narrow := make([]float32, len(values))
		for i, v := range values {
			narrow[i] = float32(v)
		}
		x := torch.FromSlice(narrow)
		for format, options := range map[string]string{
			"%v": "", "%s": "", "%.2v": "precision=2", "%.7g": "precision=7", "%.3f": "precision=3, sci_mode=False", "%f": "sci_mode=False", "%.2e": "precision=2, sci_mode=True",
			"%+v": `threshold=10**9`,
		} {
			var want string
			p.Call(&want, "lambda v: printed(v, "+options+")", values)
			require.Equal(t, want, fmt.Sprintf(format, x), format)
		}
	}
	for _, value := range []any{0.693147, 3, -1e-9, true} {
		var x *torch.Tensor
		switch v := value.(type) {
		case float64:
			x = torch.Scalar(float32(v))
		case int:
			x = torch.Scalar(int64(v))
		case bool:
			x = torch.Scalar(v)
		}
		for spec, format := range map[string]string{".4f": "%.4f", "8.2f": "%8.2f", ".3e": "%.3e", "+.1f": "%+.1f"} {
			if value == true {
				continue // Python formats it as 1
			}
			var want string
			p.Call(&want, "formatted", value, spec)
			require.Equal(t, want, fmt.Sprintf(format, x))
		}
	}
	var want string
	p.Call(&want, "formatted", 12, "05d")
	require.Equal(t, want, fmt.Sprintf("%05d", torch.Scalar(12)))
}

func TestFormat(t *testing.T) {
	x := torch.FromSlice([]float32{1.5, 2, 3, 4}, 2, 2)
	many := torch.Zeros(2000)
	freed := torch.Ones(1)
	freed.Free()
	var none *torch.Tensor
	for want, got := range map[string]string{
		"tensor([2, 2] float32)":              fmt.Sprintf("%#v", x),
		"*torch.Tensor":                       fmt.Sprintf("%T", x),
		"  tensor([1, 2])":                    fmt.Sprintf("%16d", torch.FromSlice([]int64{1, 2})),
		"tensor([1, 2])  |":                   fmt.Sprintf("%-16v|", torch.FromSlice([]int64{1, 2})),
		"tensor([True])":                      fmt.Sprintf("%t", torch.FromSlice([]bool{true})),
		"%!d(*torch.Tensor=tensor([1.]))":     fmt.Sprintf("%d", torch.Ones(1)),
		"%!q(*torch.Tensor=tensor([1.]))":     fmt.Sprintf("%q", torch.Ones(1)),
		"tensor(freed)":                       fmt.Sprintf("%v", freed),
		"loss 0.25":                           fmt.Sprintf("loss %.2f", torch.Scalar(0.25)),
		"18446744073709551615":                fmt.Sprintf("%d", torch.Scalar(^uint64(0))),
		"(1.0+2.0i)":                          fmt.Sprintf("%.1f", torch.Scalar(complex64(1+2i))),
		"tensor(1.)":                          fmt.Sprint(torch.Scalar(float32(1))),
		"tensor(..., device='meta', size=())": fmt.Sprintf("%.2f", torch.Options{Device: torch.Meta}.Empty().Reshape()),
	} {
		require.Equal(t, want, got)
	}
	require.Equal(t, 2000, strings.Count(fmt.Sprintf("%+v", many), "0."))
	require.Less(t, strings.Count(many.String(), "0."), 10)
	require.Equal(t, "tensor(freed)", fmt.Sprintf("%.3f", none))
}

func ExampleTensor_Format() {
	x := torch.FromSlice([]float64{0.123456, 10})
	loss := torch.Scalar(0.693147)
	fmt.Printf("%v\n%.2f\n%#v\nloss %.4f\n", x, x, x, loss)
	// Output:
	// tensor([ 0.1235, 10.0000], dtype=torch.float64)
	// tensor([ 0.12, 10.00], dtype=torch.float64)
	// tensor([2] float64)
	// loss 0.6931
}
