package densenet

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestOldNames loads a checkpoint that names its layers norm.1, conv.1, and so on.
func TestOldNames(t *testing.T) {
	c := Config{GrowthRate: 4, BlockConfig: []int{2, 1}, NumInitFeatures: 8, NumClasses: 3}
	from, to := New(c), New(c)
	var old torch.StateDict
	layer := regexp.MustCompile(`(denselayer\d+\.(?:norm|conv))(\d)`)
	for _, e := range nn.StateDict(from) {
		if !strings.HasSuffix(e.Name, "num_batches_tracked") {
			old = append(old, torch.Named{Name: layer.ReplaceAllString(e.Name, "$1.$2"), Tensor: e.Tensor})
		}
	}
	require.NotNil(t, old.Get("features.denseblock1.denselayer2.norm.1.running_mean"))
	require.NoError(t, nn.LoadStateDict(to, old))
	x := torch.Randn(2, 3, 32, 32)
	require.True(t, from.Forward(x).Equal(to.Forward(x)))
	old[0].Name = "features.conv1.weight"
	require.ErrorContains(t, nn.LoadStateDict(to, old), `missing "features.conv0.weight"; unexpected "features.conv1.weight"`)
}

// TestOnePicture compares a single picture, whose features are computed in place without gradients, with the same with gradients.
func TestOnePicture(t *testing.T) {
	m := New(Config{GrowthRate: 4, BlockConfig: []int{3, 2}, NumInitFeatures: 8, NumClasses: 3})
	nn.Eval(m)
	x := torch.Randn(1, 3, 48, 64)
	want := m.Forward(x)
	require.True(t, want.RequiresGrad())
	for _, mode := range []func(func()){torch.NoGrad, torch.InferenceMode} {
		mode(func() {
			require.True(t, want.Equal(m.Forward(x)))
			torchtest.AssertClose(t, m.Forward(x.ToMemoryFormat(torch.ChannelsLast)), want.Detach())
		})
	}
}
