package all

import (
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// A layout is the shape of a model's state dict.
type layout struct {
	Tensors    int    // of the state dict
	Parameters int    // numbers that are trained
	Digest     string // of the names, dtypes and shapes in order
}

//go:generate sh -c "$TORCHHUB_REFERENCE ../../testdata/gen/layouts.py > testdata/layouts.json"

//go:embed testdata/layouts.json
var layoutsJSON []byte

func layouts(t *testing.T) (all map[string]layout) {
	require.NoError(t, json.Unmarshal(layoutsJSON, &all))
	require.Len(t, all, 121)
	return all
}

func layoutOf(m any) (l layout, lines []string) {
	for _, p := range nn.Parameters(m) {
		l.Parameters += p.Numel()
	}
	for _, e := range nn.StateDict(m) {
		shape := strings.ReplaceAll(fmt.Sprint(e.Tensor.Shape()), " ", ", ")
		lines = append(lines, fmt.Sprintf("%s %s %s\n", e.Name, e.Tensor.DType(), shape))
	}
	l.Tensors = len(lines)
	l.Digest = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, ""))))[:16]
	return l, lines
}

// TestLayouts compares the names, shapes and dtypes in the state dicts of all models, and their order, with torchvision's.
func TestLayouts(t *testing.T) {
	all := layouts(t)
	var absent []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		e, err := models.Lookup(name)
		if err != nil {
			absent = append(absent, name)
			continue
		}
		var m any
		torch.WithDevice(torch.Meta, func() { m = e.Build() })
		got, lines := layoutOf(m)
		require.Equal(t, all[name], got, "%s:\n%s", name, strings.Join(lines, ""))
	}
	require.Empty(t, absent, "models of torchvision that this module lacks")
	for _, name := range models.Names() {
		if e, err := models.Lookup(name); err == nil && e.Repo == models.Vision {
			require.Contains(t, all, name)
		}
	}
}
