package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/transforms"
	TF "github.com/torchhub/torchhub/transforms/functional"
)

func TestMain(m *testing.M) {
	report = func(w io.Writer, loss float64) { fmt.Fprintf(w, "Loss: %.9g\n", loss) }
	os.Exit(m.Run())
}

const picture = "data/val/n00000001/val_0001.JPEG"

// few are arguments for a quick step, on pictures in the folder data.
var few = []string{"-vgg", "none", "-image-size", "32", "-batch-size", "2", "-dataset", "data/train", "-style-image", "data/val/n00000000/val_0000.JPEG", "-save-model-dir", "models"}

// folder goes to a folder that has n pictures.
func folder(t *testing.T, n int) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, made.ImageFolder(n, 2)("data"))
}

func TestFlags(t *testing.T) {
	exampletest.Flags(t, runTrain, "epochs", "batch-size", "dataset", "style-image", "save-model-dir", "checkpoint-model-dir", "image-size", "style-size", "accel",
		"seed", "content-weight", "style-weight", "lr", "log-interval", "checkpoint-interval")
	exampletest.Flags(t, runEval, "content-scale", "content-image", "output-image", "model", "accel")
	var out strings.Builder
	require.Error(t, run(t.Context(), &out, []string{"-h"}))
	require.Contains(t, out.String(), "usage: train [flags]")
	require.Contains(t, out.String(), "usage: eval [flags]")
	folder(t, 1)
	for want, args := range map[string][]string{
		"specify either train or eval": nil,
		"give -save-model-dir":         {"train"},
		"give -content-image":          {"eval", "-model", "x"},
		"no.jpg":                       {"eval", "-content-image", "no.jpg", "-model", "no", "-output-image", "x.png"},
		"not a checkpoint":             {"eval", "-content-image", picture, "-model", picture, "-output-image", "x.png"},
		"no_folder":                    {"train", "-save-model-dir", "x", "-dataset", "no_folder"},
	} {
		err := run(t.Context(), io.Discard, args)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
}

// TestTrain trains, and paints a picture.
func TestTrain(t *testing.T) {
	folder(t, 6)
	out := exampletest.Output(t, runTrain, append(few, "-epochs", "2", "-log-interval", "3", "-checkpoint-model-dir", "checkpoints", "-checkpoint-interval", "2")...)
	require.Regexp(t, `(?m)^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\tEpoch 2:\t\[6/6\]\tcontent: \d+\.\d{6}\tstyle: \d+\.\d{6}\ttotal: \d+\.\d{6}$`, out)
	require.Regexp(t, `\n\nDone, trained model saved at models/epoch_2_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_100000\.0_10000000000\.0\.model\n$`, filepath.ToSlash(out))
	require.NoError(t, nn.LoadStateDictFile("checkpoints/ckpt_epoch_1_batch_id_2.pth", NewTransformerNet()))
	models, err := filepath.Glob("models/*.model")
	require.NoError(t, err)
	require.Len(t, models, 1)
	exampletest.Output(t, runEval, "-content-image", picture, "-content-scale", "1.5", "-model", models[0], "-output-image", "out.png")
	content, painted := pixels(t, picture), pixels(t, "out.png")
	side := func(n int) int { return int(float64(n)/1.5) / 4 * 4 } // which a network that halves twice and doubles twice rounds
	require.InDeltaSlice(t, []int{3, side(content.Size(1)), side(content.Size(2))}, painted.Shape(), 4)
}

// pixels returns the pixels of a picture as floats.
func pixels(t *testing.T, path string) *torch.Tensor {
	t.Helper()
	img, err := transforms.Open(path)
	require.NoError(t, err)
	return TF.PILToTensor(img).ToDType(torch.Float32)
}

func TestLive(t *testing.T) {
	folder(t, 40)
	exampletest.Compare(t, runTrain, "testdata/fast_neural_style.py", exampletest.CompareOptions{}, append(few, "-epochs", "5")...)
}

var twin, _ = filepath.Abs("testdata/fast_neural_style.py")

// Python paints the same picture by a network of Go that was saved with keys of old versions.
func TestPaintLive(t *testing.T) {
	python := reference.Python(t)
	folder(t, 1)
	torch.ManualSeed(0)
	state := nn.StateDict(NewTransformerNet())
	require.NoError(t, torch.Save("net.pth", state))
	require.NoError(t, torch.Save("old.pth", append(state, torch.Named{Name: "in1.running_mean", Tensor: torch.Zeros(32)})))
	require.NoError(t, runEval(context.Background(), io.Discard, []string{"-content-image", picture, "-model", "old.pth", "-output-image", "go.png"}))
	out, err := exec.Command(python, twin, "--paint", picture, "net.pth", "python.png").CombinedOutput()
	require.NoError(t, err, string(out))
	// A value of the network may be rounded to the other side of an integer.
	require.LessOrEqual(t, pixels(t, "go.png").Sub(pixels(t, "python.png")).Abs().Max().Item(), 1.)
	require.Less(t, pixels(t, "go.png").Sub(pixels(t, "python.png")).Abs().Mean().Item(), 0.01)
	require.Positive(t, pixels(t, "go.png").Std().Item())
}
