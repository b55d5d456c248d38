package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/transforms"
)

// folder goes to a folder that has pictures and random weights, and returns arguments for them.
func folder(t *testing.T, train, val int) []string {
	t.Helper()
	require.NoError(t, torch.Init(t.Context()))
	t.Chdir(t.TempDir())
	require.NoError(t, made.ImageFolder(train, val)("data"))
	torch.ManualSeed(0)
	base, err := models.New[*resnet.ResNet]("resnet18")
	require.NoError(t, err)
	require.NoError(t, nn.SaveStateDict("weights.pth", base))
	return []string{"data", "-weights", "weights.pth", "-seed", "1", "-workers", "2"}
}

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "epochs", "batch-size", "workers", "step-size", "lr", "momentum", "gamma", "fixed", "weights", "o", "no-accel", "seed")
	args := folder(t, 1, 1)
	require.ErrorContains(t, run(t.Context(), io.Discard, []string{"none"}), "none")
	require.ErrorContains(t, run(t.Context(), io.Discard, append(args, "-weights", "data/val/n00000000/val_0000.JPEG")), "val_0000.JPEG")
}

// TestTransfer trains a new last layer, and reads the file with the names of the classes.
func TestTransfer(t *testing.T) {
	args := folder(t, 4, 4)
	out := exampletest.Output(t, run, append(args, "-fixed", "-epochs", "2")...)
	require.Regexp(t, `^Epoch 0/1
----------
train Loss: \d\.\d+ Acc: \d\.\d{4}
val Loss: \d+\.\d+ Acc: \d\.\d{4}

Epoch 1/1
----------
train Loss: \d\.\d+ Acc: \d\.\d{4}
val Loss: \d+\.\d+ Acc: \d\.\d{4}

Training complete in 0m \d+s
Best val Acc: \d\.\d{6}
$`, out)
	model, err := hub.Load(t.Context(), "pytorch/vision", "resnet18", hub.WithWeights("model.pth"), hub.WithNotice(nil))
	require.NoError(t, err)
	defer model.Close()
	require.Equal(t, []string{"n00000000", "n00000001", "n00000002", "n00000003"}, model.Labels())
	weights, err := torch.LoadStateDict("weights.pth")
	require.NoError(t, err)
	net := model.Module().(*resnet.ResNet)
	require.True(t, weights.Get("layer4.1.conv2.weight").Equal(nn.StateDict(net).Get("layer4.1.conv2.weight")), "it is frozen")
	img, err := transforms.Open("data/val/n00000001/val_0001.JPEG")
	require.NoError(t, err)
	top, err := model.Classify(t.Context(), img, 1)
	require.NoError(t, err)
	require.Contains(t, model.Labels(), top[0].Name)
}

func TestLive(t *testing.T) {
	args := folder(t, 6, 3)
	for _, c := range [][]string{nil, {"-fixed"}} {
		exampletest.Compare(t, run, "testdata/transfer.py", exampletest.CompareOptions{Losses: 10}, append(append(args, "-step-size", "2"), c...)...)
	}
}
