package all

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
)

// TestWeightsLive compares what is registered of torchvision's models with its own metadata.
func TestWeightsLive(t *testing.T) {
	p := reference.Start(t, `
import json
from torchvision import models

KINDS = {"ImageClassification": "classification", "SemanticSegmentation": "segmentation", "ObjectDetection": "detection",
         "VideoClassification": "video_classification", "OpticalFlow": "optical_flow"}

def weights(name):
    out = []
    for w in models.get_model_weights(name):
        t, m = w.transforms(), w.meta
        numbers = {k: getattr(t, k) for k in ("crop_size", "resize_size", "mean", "std") if hasattr(t, k)}
        if hasattr(t, "interpolation"):
            numbers["interpolation"] = t.interpolation.value
        kind = KINDS[type(t).__name__]
        if kind in ("classification", "segmentation"): # a side in a list
            for k in ("crop_size", "resize_size"):
                if numbers.get(k):
                    numbers[k] = numbers[k][0]
        out.append({"name": w.name, "url": w.url, "metrics": m["_metrics"], "params": m["num_params"], "gflops": m["_ops"], "mib": m["_file_size"],
                    "labels": m.get("categories"), "license": m.get("license", ""), "task": kind, "preset": numbers})
    return out
`)
	for _, name := range models.Names() {
		e, err := models.Lookup(name)
		require.NoError(t, err)
		if e.Repo != models.Vision {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var want []struct {
				Name, URL, License string
				Metrics            models.Metrics
				Params             int
				GFLOPs, MiB        float64
				Labels             []string
				Task               models.Task
				Preset             json.RawMessage
			}
			p.Call(&want, "weights", name)
			require.Len(t, e.Weights, len(want))
			for i, w := range want {
				got := e.Weights[i]
				preset, err := json.Marshal(got.Preset)
				require.NoError(t, err)
				require.JSONEq(t, string(w.Preset), string(preset))
				require.Equal(t, w.Task, e.Task())
				require.Equal(t, w.Labels, got.Classes.Labels())
				require.Equal(t, models.Weights{Name: w.Name, URL: w.URL, License: w.License, Metrics: w.Metrics, Params: w.Params, GFLOPs: w.GFLOPs, MiB: w.MiB},
					models.Weights{Name: got.Name, URL: got.URL, License: got.License, Metrics: got.Metrics, Params: got.Params, GFLOPs: got.GFLOPs, MiB: got.MiB})
			}
		})
	}
}
