package torchtest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// TestCloseEqualsPython compares random pairs of values, most of them nearly close, as Python does: verdict and message are
// equal. TORCHHUB_TEST_CLOSE sets how many there are, TORCHHUB_SEED what they are drawn from.
func TestCloseEqualsPython(t *testing.T) {
	n, seed := setting("TORCHHUB_TEST_CLOSE", 150), setting("TORCHHUB_SEED", 1)
	close, apart, refused := 0, 0, 0
	for i, c := range interpreter(t).Call("pairs", n, seed).([]torch.Value) {
		get := func(v torch.Value, key string) torch.Value { v, _ = v.(*torch.Dict).Get(key); return v }
		actual, expected, verdict := get(c, "actual"), get(c, "expected"), get(c, "verdict")
		message, fails := get(verdict, "message").(string)
		if !fails || !strings.Contains(message, "No comparison pair") { // that names the types
			g := rand.New(rand.NewPCG(uint64(seed), uint64(i)))
			actual, expected = asGo(g, actual), asGo(g, expected)
		}
		err := torchtest.CheckClose(actual, expected, closeOptions(get(c, "options").(*torch.Dict)))
		what := fmt.Sprintf("pair %d: %v and %v, %v", i, actual, expected, get(c, "options"))
		if reason, ok := get(verdict, "refused").(string); ok {
			refused++
			require.ErrorContains(t, err, reason, what)
			continue
		}
		if !fails {
			close++
			require.NoError(t, err, what)
			continue
		}
		apart++
		require.Error(t, err, what)
		require.Equal(t, goTypes.Replace(message), strings.ReplaceAll(err.Error(), "*big.Int", "int"), what)
	}
	t.Logf("%d close, %d not close, %d refused", close, apart, refused)
	require.Greater(t, close, n/10)
	require.Greater(t, apart, n/3)
}

// setting returns the number in an environment variable, or a default.
func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// goTypes replaces Python's types by those that torch.Load returns for them.
var goTypes = strings.NewReplacer("<class 'int'>", "int", "<class 'float'>", "float64", "<class 'complex'>", "complex128", "<class 'bool'>", "bool",
	"<class 'str'>", "string", "<class 'list'>", "[]any", "<class 'tuple'>", "torch.Tuple", "<class 'dict'>", "*torch.Dict",
	"<class 'collections.OrderedDict'>", "*torch.Dict", "<class 'torch.Tensor'>", "*torch.Tensor", "<class 'NoneType'>", "nil")

// closeOptions returns the options of a dict of keyword arguments.
func closeOptions(d *torch.Dict) (o torchtest.CloseOptions) {
	for _, e := range d.Entries {
		switch v := e.Value; e.Key {
		case "rtol":
			o.Rtol = new(v.(float64))
		case "atol":
			o.Atol = new(v.(float64))
		case "equal_nan":
			o.EqualNan = v.(bool)
		case "check_device":
			o.NoCheckDevice = !v.(bool)
		case "check_dtype":
			o.NoCheckDType = !v.(bool)
		case "check_layout":
			o.NoCheckLayout = !v.(bool)
		case "check_stride":
			o.CheckStride = v.(bool)
		case "msg":
			o.Msg = v
			if text := v.(string); strings.Contains(text, "{}") {
				o.Msg = func(msg string) string { return strings.ReplaceAll(text, "{}", msg) }
			}
		}
	}
	return o
}

// asGo returns a value of torch.Load as one of the Go types that a program may have it in.
func asGo(g *rand.Rand, v torch.Value) any {
	switch v := v.(type) {
	case []torch.Value:
		if floats, ok := all[float64](v); ok && g.IntN(2) == 0 {
			return floats
		}
		if tensors, ok := all[*torch.Tensor](v); ok && g.IntN(2) == 0 {
			return tensors
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = asGo(g, v[i])
		}
		return out
	case *torch.Dict:
		named := torch.StateDict{}
		texts, ints := map[string]any{}, map[int]any{}
		for _, e := range v.Entries {
			switch k := e.Key.(type) {
			case string:
				texts[k] = asGo(g, e.Value)
				if x, ok := e.Value.(*torch.Tensor); ok {
					named = append(named, torch.Named{Name: k, Tensor: x})
				}
			case int:
				ints[k] = asGo(g, e.Value)
			}
		}
		switch n := len(v.Entries); {
		case len(named) == n && g.IntN(2) == 0:
			return named
		case len(texts) == n && g.IntN(2) == 0:
			return texts
		case len(ints) == n && g.IntN(2) == 0:
			return ints
		}
	}
	return v
}

// all returns values as a slice of their type, if they all have it.
func all[T any](vs []torch.Value) ([]T, bool) {
	out := make([]T, len(vs))
	for i, v := range vs {
		x, ok := v.(T)
		if !ok {
			return nil, false
		}
		out[i] = x
	}
	return out, true
}
