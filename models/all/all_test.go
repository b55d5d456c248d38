package all

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// onMeta builds an entry's module without memory.
func onMeta(e *models.Entry) (m nn.Module) {
	torch.WithDevice(torch.Meta, func() { m = e.Build().(nn.Module) })
	return m
}

func TestEntries(t *testing.T) {
	require.Len(t, models.ImageNet.Labels(), 1000)
	require.Equal(t, "golden retriever", models.ImageNet.Labels()[207])
	for _, name := range models.Names() {
		t.Run(name, func(t *testing.T) {
			e, err := models.Lookup(name)
			require.NoError(t, err)
			require.Equal(t, name, e.Name)
			params := 0
			m := onMeta(e)
			for _, p := range nn.Parameters(m) {
				params += p.Numel()
			}
			require.NotEmpty(t, e.Weights)
			for _, w := range e.Weights {
				require.Equal(t, params, w.Params)
				require.Equal(t, []int{len(w.Classes.Labels())}, nn.StateDict(m).Get("fc.bias").Shape())
				require.Greater(t, w.Metrics["ImageNet-1K"]["acc@5"], w.Metrics["ImageNet-1K"]["acc@1"])
				require.Positive(t, w.GFLOPs*w.MiB)
				preset := w.Preset.(models.ClassificationPreset)
				require.LessOrEqual(t, preset.Crop, preset.Resize)
				require.Equal(t, e.Repo != models.Vision, w.License == "CC-BY-NC 4.0")
			}
		})
	}
}

func TestLookupSuggests(t *testing.T) {
	for name, want := range map[string]string{
		"resnet5":               "resnet50",
		"ResNet50":              "resnet50",
		"resnext101_32x8d_wls":  "resnext101_32x8d_wsl",
		"resnext101-32x48d-wsl": "resnext101_32x48d_wsl",
	} {
		_, err := models.Lookup(name)
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, "did you mean "+want)
	}
	_, err := models.New[nn.Module]("")
	require.Error(t, err)
}
