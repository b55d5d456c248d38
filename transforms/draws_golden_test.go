package transforms

import (
	"encoding/json"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

//go:generate $TORCHHUB_REFERENCE ../testdata/gen/draws.py ../testdata/draws.json

// TestDrawsGolden compares what random transforms draw with what Python drew; see
// testdata/gen/draws.py. Where all that is drawn decides between whole numbers, and the pixels are
// computed in Go, a checksum of the results is stored. The last bit of a drawn
// float depends on the processor, as does what libtorch computes of it; of these
// results the means are stored, and may differ by what a few pixels make of them.
func TestDrawsGolden(t *testing.T) {
	data, err := os.ReadFile("../testdata/draws.json")
	require.NoError(t, err)
	var golden map[string]any
	require.NoError(t, json.Unmarshal(data, &golden))
	const w, h, n, seed = 23, 19, 60, 11
	src := &RGB{W: w, H: h}
	for i := range 3 * w * h {
		src.Pix = append(src.Pix, uint8((i*i*7+i*13)%251))
	}
	for _, d := range draws {
		torch.ManualSeed(seed)
		pyrandom.Seed(seed)
		transform := d.make()
		switch want := golden[d.python].(type) {
		case float64:
			sum := uint32(0)
			for range n {
				sum = crc32.Update(sum, crc32.IEEETable, pix(transform.Transform(Value{Image: src})))
			}
			require.Equal(t, uint32(want), sum, d.python)
		case []any:
			v := Value{Image: src}
			if strings.Contains(d.python, "Erasing") {
				v = ToTensor().Transform(v)
			}
			for i := range want {
				got := transform.Transform(v)
				if got.Tensor == nil {
					got = ToTensor().Transform(got)
				}
				require.InDelta(t, want[i], got.Tensor.Mean().Item(), 1e-3, "%s, draw %d", d.python, i)
			}
		default:
			t.Errorf("%s has no golden", d.python)
		}
		delete(golden, d.python)
	}
	require.Empty(t, golden, "goldens that nothing is compared with")
}
