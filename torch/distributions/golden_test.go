package distributions_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

var update = flag.Bool("update", false, "write the goldens")

const goldenPath = "testdata/golden.json"

// goldenFacts are the facts that are stored. Texts that contain computed numbers are not, as
// their last digits depend on the processor.
var goldenFacts = []string{
	"repr", "batch", "event", "has_rsample", "support", "sample 1", "rsample", "log_prob", "cdf", "icdf",
	"entropy", "mean", "mode", "variance", "stddev", "enumerate", "expanded",
}

// goldenDType is the dtype of the parameters for the goldens: the greater one, as samples are
// accepted or rejected by comparisons.
func (r row) goldenDType() torch.DType {
	if len(r.args[0]) == 0 {
		return torch.Float32
	}
	return torch.Float64
}

func goldenOf(want *torch.Dict) map[string]string {
	out := map[string]string{}
	for _, name := range goldenFacts {
		for _, e := range want.Entries {
			if e.Key == name {
				out[name] = described(e.Value)
			}
		}
	}
	return out
}

func writeGolden(t *testing.T, golden map[string]map[string]string) {
	data, err := json.MarshalIndent(golden, "", "\t")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll("testdata", 0o755))
	require.NoError(t, os.WriteFile(goldenPath, append(data, '\n'), 0o644))
}

// described writes a value with six digits of its numbers.
func described(v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = described(e)
		}
		return strings.Join(parts, " | ")
	case *torch.Tensor:
		text := fmt.Sprint(v.DType(), " ", v.Shape())
		for _, x := range torch.Data[float64](v.ToDType(torch.Float64)) {
			text += " " + strconv.FormatFloat(x, 'g', 6, 64)
		}
		return text
	}
	return fmt.Sprint(v)
}

// TestGolden compares distributions with what Python said of its own when it was asked last.
//
//go:generate go test -run TestLive$ . -update
func TestGolden(t *testing.T) {
	data, err := os.ReadFile(goldenPath)
	require.NoError(t, err)
	var golden map[string]map[string]string
	require.NoError(t, json.Unmarshal(data, &golden))
	require.Len(t, golden, len(rows))
	for _, r := range rows {
		want := golden[r.python]
		require.NotEmpty(t, want, r.python)
		x := tensors(r.args[0], r.goldenDType())
		for _, x := range x {
			x.RequireGrad(true)
		}
		got := facts(r.make(x), x)
		for _, name := range goldenFacts {
			if r.class() == "Pareto" && (name == "mean" || name == "variance") {
				continue // they are infinite, and the gradient of clamp there is 0 or NaN, by the version of libtorch
			}
			if want[name] == "error" && fails(r.class(), name, r.goldenDType()) {
				continue
			}
			requireDescribed(t, want[name], described(got[name]), r.python+" "+name)
		}
	}
}

// requireDescribed compares descriptions: words exactly, and numbers by the digits that are
// written. Gradients add up errors of rounding.
func requireDescribed(t *testing.T, want, got, name string) {
	w, g := strings.Fields(want), strings.Fields(got)
	require.Len(t, g, len(w), "%s: got %s, want %s", name, got, want)
	for i := range w {
		x, err := strconv.ParseFloat(w[i], 64)
		y, bad := strconv.ParseFloat(g[i], 64)
		if err != nil || bad != nil || w[i] == g[i] {
			require.Equal(t, w[i], g[i], "%s: got %s, want %s", name, got, want)
			continue
		}
		require.InDelta(t, x, y, 1e-5+2e-5*math.Abs(x), "%s: got %s, want %s", name, got, want)
	}
}
