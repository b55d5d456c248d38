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

// floating names the transforms whose pixels go through floating-point operators,
// which may differ in the last bit among processors; the live tests compare them.
const floating = "T.RandomErasing T.GaussianBlur T.ElasticTransform T.AugMix"

// TestDrawsGolden compares what random transforms draw with what Python drew; see
// testdata/gen/draws.py.
func TestDrawsGolden(t *testing.T) {
	data, err := os.ReadFile("../testdata/draws.json")
	require.NoError(t, err)
	var golden map[string]uint32
	require.NoError(t, json.Unmarshal(data, &golden))
	const w, h, n, seed = 23, 19, 60, 11
	src := &RGB{W: w, H: h}
	for i := range 3 * w * h {
		src.Pix = append(src.Pix, uint8((i*i*7+i*13)%251))
	}
	for _, d := range draws {
		if name, _, _ := strings.Cut(d.python, "("); strings.Contains(floating, name) {
			continue
		}
		require.Contains(t, golden, d.python)
		torch.ManualSeed(seed)
		pyrandom.Seed(seed)
		transform, sum := d.make(), uint32(0)
		for range n {
			sum = crc32.Update(sum, crc32.IEEETable, pix(transform.Transform(Value{Image: src})))
		}
		require.Equal(t, golden[d.python], sum, d.python)
		delete(golden, d.python)
	}
	require.Empty(t, golden, "goldens that nothing is compared with")
}
