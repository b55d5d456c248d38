package all

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/modeltest"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/nn"
)

// TestGraphs compares the graphs of models with the models, bit for bit. Without TORCHHUB_TEST_LARGE=1 it takes some of
// the small ones, others every day. Detectors have no graph, since the number of their boxes depends on the picture, nor
// have quantized models, whose packed weights are no tensors.
func TestGraphs(t *testing.T) {
	all, day := layouts(t), time.Now().YearDay()
	for i, name := range models.Names() {
		l, ok := all[name]
		if !ok || os.Getenv("TORCHHUB_TEST_LARGE") == "" && ((i+6)%every != day%every || l.Parameters > large) {
			continue
		}
		e, err := models.Lookup(name)
		require.NoError(t, err)
		if e.Task() == models.Detection || strings.HasPrefix(name, "quantized_") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			torch.ManualSeed(0)
			m := e.Build()
			nn.Eval(m)
			shapes := inputs[name]
			if shapes == nil {
				shapes = [][]int{{2, 3, 64, 64}}
			}
			random := func() (xs []*torch.Tensor) {
				for _, s := range shapes {
					xs = append(xs, torch.Randn(s...))
				}
				return xs
			}
			f := func(x ...*torch.Tensor) []*torch.Tensor { return modeltest.Outputs(t, m, x) }
			torch.Scope(func() {
				g, err := graph.Trace(f, random(), graph.TraceOptions{Names: nn.StateDict(m)})
				require.NoError(t, err)
				require.NotEmpty(t, g.Nodes)
				x := random()
				torch.InferenceMode(func() {
					want, got := f(x...), g.Run(x...)
					require.Len(t, got, len(want))
					for i := range want {
						require.True(t, want[i].Equal(got[i]), "output %d of %s", i, name)
					}
				})
			})
		})
	}
}
