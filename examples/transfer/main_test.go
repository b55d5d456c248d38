package main

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// TestTransfer trains random weights on dark and light pictures.
func TestTransfer(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	dir, weights := t.TempDir(), filepath.Join(t.TempDir(), "weights.pth")
	for i, class := range []string{"dark", "light"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, class), 0o777))
		for j := range 2 {
			img := image.NewGray(image.Rect(0, 0, 8, 8))
			for k := range img.Pix {
				img.Pix[k] = uint8(200*i + 20*j)
			}
			f, err := os.Create(filepath.Join(dir, class, string(rune('a'+j))+".png"))
			require.NoError(t, err)
			require.NoError(t, png.Encode(f, img))
			require.NoError(t, f.Close())
		}
	}
	torch.ManualSeed(0)
	base, err := models.New[*resnet.ResNet]("resnet18")
	require.NoError(t, err)
	require.NoError(t, nn.SaveStateDict(weights, base))
	data, err := datasets.NewImageFolder(dir)
	require.NoError(t, err)
	model, err := hub.Load(t.Context(), "pytorch/vision", "resnet18", hub.WithWeights(weights), hub.WithNumClasses(2), hub.WithLabels(data.Classes), hub.WithNotice(nil))
	require.NoError(t, err)
	defer model.Close()
	require.Equal(t, []string{"dark", "light"}, model.Labels())
	net := model.Module().(*resnet.ResNet)
	before := torch.Data[float32](net.FC.Weight.Detach().Clone())
	var out strings.Builder
	require.NoError(t, train(t.Context(), &out, model, data, 2))
	require.Regexp(t, `^epoch 1: loss \d\.\d{4}, accuracy \d+\.0 %\nepoch 2: loss `, out.String())
	require.NotEqual(t, before, torch.Data[float32](net.FC.Weight.Detach()))
	require.Equal(t, torch.Data[float32](base.Conv1.(*nn.Conv2d).Weight.Detach()), torch.Data[float32](net.Conv1.(*nn.Conv2d).Weight.Detach()), "it is frozen")
	require.Nil(t, net.Conv1.(*nn.Conv2d).Weight.Grad())
}
