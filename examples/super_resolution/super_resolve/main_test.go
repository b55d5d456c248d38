package main

import (
	"io"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/super_resolution/model"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/transforms"
	TF "github.com/torchhub/torchhub/transforms/functional"
)

const picture = "BSDS300/images/test/20001.jpg"

// resolve goes to a folder where the program has enlarged a picture three times by random weights.
func resolve(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, made.BSDS300(0, 2)("."))
	torch.ManualSeed(1)
	require.NoError(t, nn.SaveStateDict("net.pth", model.New(3)))
	out := exampletest.Output(t, run, "-input_image", picture, "-model", "net.pth", "-output_filename", "go.png")
	require.Equal(t, "output image saved to  go.png\n", out)
}

// pixels returns the pixels of a picture as floats.
func pixels(t *testing.T, path string) *torch.Tensor {
	t.Helper()
	img, err := transforms.Open(path)
	require.NoError(t, err)
	return TF.PILToTensor(img).ToDType(torch.Float32)
}

func TestResolve(t *testing.T) {
	resolve(t)
	require.Equal(t, []int{3, 963, 1443}, pixels(t, "go.png").Shape())
	for want, args := range map[string][]string{
		"give -input_image, -model and -output_filename": nil,
		"no.jpg":           {"-input_image", "no.jpg", "-model", "net.pth", "-output_filename", "x.png"},
		"no.pth":           {"-input_image", picture, "-model", "no.pth", "-output_filename", "x.png"},
		"not a checkpoint": {"-input_image", picture, "-model", picture, "-output_filename", "x.png"},
		"x.gif":            {"-input_image", picture, "-model", "net.pth", "-output_filename", "x.gif"},
	} {
		err := run(t.Context(), io.Discard, args)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestResolveLive(t *testing.T) {
	twin, err := filepath.Abs("../testdata/super_resolution.py")
	require.NoError(t, err)
	python := reference.Python(t)
	resolve(t)
	out, err := exec.Command(python, twin, "--upscale_factor", "3", "--resolve", picture, "net.pth", "python.png").CombinedOutput()
	require.NoError(t, err, string(out))
	// A value of the network may be rounded to the other side of an integer.
	require.LessOrEqual(t, pixels(t, "go.png").Sub(pixels(t, "python.png")).Abs().Max().Item(), 3.)
	require.Less(t, pixels(t, "go.png").Sub(pixels(t, "python.png")).Abs().Mean().Item(), 0.001)
}
