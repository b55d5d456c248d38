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

// onMeta builds the module that weights fill, without memory.
func onMeta(e *models.Entry, w *models.Weights) (m any) {
	torch.WithDevice(torch.Meta, func() {
		if e.BuildFor != nil {
			m = e.BuildFor(w)
		} else {
			m = e.Build()
		}
	})
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
			require.NotEmpty(t, e.Weights)
			for _, w := range e.Weights {
				if w.Backend != "" {
					continue // package quantized tests them
				}
				params := 0
				for _, p := range nn.Parameters(onMeta(e, &w)) {
					params += p.Numel()
				}
				require.Equal(t, w.Params, params)
				require.Positive(t, w.GFLOPs*w.MiB)
				require.Equal(t, e.Repo != models.Vision, w.License == "CC-BY-NC 4.0")
			}
		})
	}
}

// TestConfigureFor requires that a model with arguments has the layers that its published weights fill.
func TestConfigureFor(t *testing.T) {
	for _, name := range models.Names() {
		e, err := models.Lookup(name)
		require.NoError(t, err)
		if e.BuildFor == nil || e.ConfigureFor == nil {
			require.True(t, e.BuildFor == nil || e.Configure == nil, "%s has arguments, but none for its weights", name)
			continue
		}
		w := e.Default()
		build, err := e.ConfigureFor(w, []byte(`{}`))
		require.NoError(t, err)
		torch.WithDevice(torch.Meta, func() {
			want, _ := layoutOf(e.BuildFor(w))
			got, _ := layoutOf(build())
			require.Equal(t, want, got, name)
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
