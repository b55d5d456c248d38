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
	require.Regexp(t, `(?m)^MODEL +PARAMETERS +GFLOPS +METRICS +FILE +LICENSE$`, out)
	require.Regexp(t, `(?m)^toy_segmenter +8.0M +1.5 +miou 60.5, pixel_acc 91.4 on Horizons +31 MiB +BSD-3-Clause$`, out)
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
	require.Contains(t, func() string { out, _, _ := command("show", "toy_segmenter"); return out }(), `hub.Load(ctx, "testowner/segmenters", "toy_segmenter")`)
}

// TestListFilters lists the models that flags select.
func TestListFilters(t *testing.T) {
	names := func(args ...string) (all []string) {
		var out, errs bytes.Buffer
		require.Zero(t, run(t.Context(), append([]string{"list", "--json"}, args...), strings.NewReader(""), &out, &errs), errs.String())
		for l := range strings.Lines(out.String()) {
			var c card
			require.NoError(t, json.Unmarshal([]byte(l), &c))
			all = append(all, c.Model+" "+c.Weights)
		}
		return all
	}
	require.Equal(t, []string{"resnet18 IMAGENET1K_V1", "resnet34 IMAGENET1K_V1"}, names("--include", "resnet[0-9]*", "--exclude", "*_*", "--max-params", "21.8M"))
	require.Equal(t, []string{"resnet50 IMAGENET1K_V2"}, names("--include", "resnet50", "--min-acc1", "80"))
	require.Equal(t, []string{"fcn_resnet50 COCO_WITH_VOC_LABELS_V1"}, names("--task", "segmentation", "--max-params", "36m", "--include", "fcn*"))
	require.Empty(t, names("--max-params", "1"))
	for args, want := range map[string]string{
		"--task segment":         `--task is "segment" and must be one of classification detection optical_flow segmentation video_classification`,
		"--max-params many":      `--max-params is "many" and must be a positive number, such as 30M`,
		"--max-params -3":        `--max-params is "-3" and must be`,
		"--min-acc1 high":        `--min-acc1 is "high" and must be a number`,
		"--task detection owner": "--task selects among the models without a repository; leave it or owner out",
	} {
		var out, errs bytes.Buffer
		require.Equal(t, 2, run(t.Context(), append([]string{"list"}, strings.Fields(args)...), strings.NewReader(""), &out, &errs), args)
		require.Contains(t, errs.String(), want)
	}
}
