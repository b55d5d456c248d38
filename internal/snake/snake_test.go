package snake

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCase(t *testing.T) {
	for name, want := range map[string]string{
		"Weight": "weight", "RunningMean": "running_mean", "NumBatchesTracked": "num_batches_tracked",
		"FC": "fc", "FC1": "fc1", "BN1": "bn1", "Conv2d": "conv2d", "QProj": "q_proj", "InProjWeight": "in_proj_weight",
		"Layer1": "layer1", "Conv1A": "conv1_a", "WQKV": "wqkv", "MLPHead": "mlp_head", "Conv1_1": "conv1_1",
	} {
		require.Equal(t, want, Case(name), name)
	}
}
