package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
)

// TestOtherTask lists, shows and refuses to classify with a model for segmentation.
func TestOtherTask(t *testing.T) {
	models.Register(models.Entry{
		Name: "toy_segmenter", Repo: "testowner/segmenters", Title: "Sky and Earth", Paper: "https://example.com/segmenter",
		Build: func() any { return nil },
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/segmenter-01234567.pth", Preset: models.SegmentationPreset{Resize: 520},
			Metrics: models.Metrics{"Horizons": {"miou": 60.5, "pixel_acc": 91.4}}, Params: 8e6, GFLOPs: 1.5, MiB: 31}},
	})
	command := func(args ...string) (stdout, stderr string, status int) {
		var out, errs bytes.Buffer
		status = run(t.Context(), args, strings.NewReader(""), &out, &errs)
		return out.String(), errs.String(), status
	}
	out, errs, status := command("list")
	require.Zero(t, status, errs)
	require.Contains(t, out, `

MODEL          PARAMETERS  GFLOPS  METRICS                                FILE    LICENSE
toy_segmenter  8.0M        1.5     miou 60.5, pixel_acc 91.4 on Horizons  31 MiB  BSD-3-Clause
`)
	out, errs, status = command("show", "toy_segmenter")
	require.Zero(t, status, errs)
	require.Contains(t, out, "segmentation: resize 520 (bilinear), mean [0.485 0.456 0.406], std [0.229 0.224 0.225]\n")
	require.NotContains(t, out, "labels")
	out, errs, status = command("show", "--json", "toy_segmenter")
	require.Zero(t, status, errs)
	var c card
	require.NoError(t, json.Unmarshal([]byte(out), &c))
	require.Equal(t, models.Segmentation, c.Task)
	require.Equal(t, models.SegmentationPreset{Resize: 520}.WithDefaults(), c.Preprocess.Preset)
	_, errs, status = command("predict", "-m", "toy_segmenter", "x.png")
	require.Equal(t, 1, status)
	require.Equal(t, "torchhub: toy_segmenter: the model is for segmentation, not for classification\n", errs)
}
