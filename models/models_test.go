package models

import (
	"context"
	"os"
	"path"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

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
func onMeta(e *Entry) (m nn.Module) {
	torch.WithDevice(torch.Meta, func() { m = e.Build() })
	return m
}

func TestEntries(t *testing.T) {
	require.Len(t, ImageNet.Labels(), 1000)
	require.Equal(t, "golden retriever", ImageNet.Labels()[207])
	hashed := regexp.MustCompile(`-[0-9a-f]{8}\.pth$`)
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			e, err := Lookup(name)
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
				require.Regexp(t, hashed, path.Base(w.URL))
				require.Equal(t, []int{len(w.Classes.Labels())}, nn.StateDict(m).Get("fc.bias").Shape())
				require.Greater(t, w.Acc5, w.Acc1)
				require.Positive(t, w.GFLOPs*w.MiB)
				require.LessOrEqual(t, w.Preset.Crop, w.Preset.Resize)
				require.Equal(t, e.Repo == WSLImages, w.License == "CC-BY-NC 4.0")
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
		_, err := Lookup(name)
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, "did you mean "+want)
	}
	_, err := New("")
	require.Error(t, err)
}

func TestForwardFreesIntermediates(t *testing.T) {
	m, err := New("resnet18")
	require.NoError(t, err)
	nn.Eval(m)
	x := torch.Ones(1, 3, 224, 224)
	torch.NoGrad(func() {
		m.Forward(x).Free()
		before := torch.LiveBytes()
		y := m.Forward(x)
		require.LessOrEqual(t, torch.LiveBytes()-before, int64(64<<10))
		y.Free()
	})
}

func TestBasicBlocksHaveOneGroup(t *testing.T) {
	require.Error(t, torch.Try(func() { NewResNet(ResNetConfig{Layers: [4]int{1, 1, 1, 1}, Groups: 2}) }))
}
