package all

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/modeltest"
	"github.com/torchhub/torchhub/models"
)

// inputs are the shapes of small inputs, where [2, 3, 64, 64] cannot be taken.
var inputs = map[string][][]int{
	"raft_large": {{1, 3, 128, 128}, {1, 3, 128, 128}}, "raft_small": {{1, 3, 128, 128}, {1, 3, 128, 128}},
	"mvit_v1_b": {{1, 3, 16, 224, 224}}, "mvit_v2_s": {{1, 3, 16, 224, 224}},
	"maxvit_t": {{1, 3, 224, 224}},
	"s3d":      {{1, 3, 13, 209, 209}},
	"mc3_18":   {{2, 3, 4, 32, 32}}, "r2plus1d_18": {{2, 3, 4, 32, 32}}, "r3d_18": {{2, 3, 4, 32, 32}},
	"swin3d_b": {{2, 3, 3, 64, 64}}, "swin3d_s": {{2, 3, 3, 64, 64}}, "swin3d_t": {{2, 3, 3, 64, 64}},
	"inception_v3": {{2, 3, 299, 299}}, "quantized_inception_v3": {{2, 3, 299, 299}},
	"vit_b_16": {{1, 3, 224, 224}}, "vit_b_32": {{1, 3, 224, 224}}, "vit_h_14": {{1, 3, 224, 224}}, "vit_l_16": {{1, 3, 224, 224}}, "vit_l_32": {{1, 3, 224, 224}},
}

// large are the models with more parameters, which are compared with TORCHHUB_TEST_LARGE=1 alone.
const large = 30e6

// every is the number of days in which all models are compared once.
const every = 13

// TestModelsLive compares models with torchvision's after the same seed: the initialization bit for bit, and the
// outputs in evaluation and while training. Without TORCHHUB_TEST_LARGE=1 it takes some of the small ones, others every day.
func TestModelsLive(t *testing.T) {
	r := modeltest.Start(t)
	all, day := layouts(t), time.Now().YearDay()
	for i, name := range models.Names() {
		l, ok := all[name]
		if !ok || os.Getenv("TORCHHUB_TEST_LARGE") == "" && (i%every != day%every || l.Parameters > large) {
			continue
		}
		e, err := models.Lookup(name)
		require.NoError(t, err)
		if e.Task() == models.Detection {
			continue // models/detection compares them
		}
		t.Run(name, func(t *testing.T) {
			shapes := inputs[name]
			if shapes == nil {
				shapes = [][]int{{2, 3, 64, 64}}
			}
			r.Compare(t, fmt.Sprintf("build(%q)", name), e.Build, shapes...)
		})
	}
}
