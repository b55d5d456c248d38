package tensorboard_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/tensorboard"
)

// pluginScript writes hyperparameters, curves and embeddings with Python, and lists what a folder has of them.
const pluginScript = `
import glob, io, os
import numpy as np, torch
from PIL import Image
from google.protobuf import json_format
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData
from torch.utils.tensorboard import SummaryWriter

def pr(n): return torch.arange(n).mul(37).remainder(101).div(100)

def write(dir):
    w = SummaryWriter(dir)
    w.add_hparams({"adam": True, "batch": 32, "lr": 0.1, "name": "a ü", "none": None}, {"acc": 0.5, "loss": 2.5},
                  hparam_domain_discrete={"name": ["a ü", "b"], "batch": [16, 32]}, run_name="run", global_step=3)
    p = pr(100)
    labels = torch.arange(100).remainder(3) == 0
    w.add_pr_curve("curve", labels, p, 4)
    w.add_pr_curve("weighted", labels.long(), p.double(), 5, num_thresholds=11, weights=np.arange(100) / 7)
    w.add_pr_curve("more", labels, p, 5, num_thresholds=500)
    raw = [torch.arange(4) + i for i in range(4)] + [torch.arange(4).double() / 7, 1 / (torch.arange(4) + 1)]
    w.add_pr_curve_raw("raw", *raw, 6)
    w.add_pr_curve_raw("raw", *raw, 7, num_thresholds=4)
    w.add_pr_curve_raw("raw", *raw, 8, num_thresholds=500)
    w.add_embedding(torch.arange(6).reshape(3, 2) / 7 * 1e-5)
    pictures = torch.arange(5 * 3 * 4 * 6).reshape(5, 3, 4, 6) / 300 - 0.1
    w.add_embedding(torch.arange(10).reshape(5, 2), metadata=["a", "b", "c ü", "d", "e"], label_img=pictures, global_step=12, tag='x/y%"')
    w.add_embedding(torch.ones(2, 2).double(), metadata=[[1, "u"], [2, "v"]], metadata_header=["number", "letter"], label_img=torch.ones(2, 1, 2, 2) / 3, global_step=2)
    w.close()

def content(dir):
    out = {}
    for path in sorted(glob.glob(dir + "/**/*", recursive=True)):
        name = os.path.relpath(path, dir)
        if os.path.isdir(path): continue
        if name.endswith(".png"):
            out[name] = np.asarray(Image.open(path).convert("RGB")).tolist()
        elif "tfevents" not in name:
            out[name] = open(path).read()
        else:
            for i, raw in enumerate(RawEventFileLoader(path).Load()):
                e = Event.FromString(raw)
                row = [e.step]
                for v in e.summary.value:
                    p = v.metadata.plugin_data
                    kind = {"hparams": HParamsPluginData, "pr_curves": PrCurvePluginData}.get(p.plugin_name)
                    row += [v.tag, p.plugin_name, kind and json_format.MessageToDict(kind.FromString(p.content)), v.simple_value,
                            v.tensor.dtype, [d.size for d in v.tensor.tensor_shape.dim], [float("%.6g" % x) for x in v.tensor.float_val]]
                out[f"{os.path.dirname(name)} event {i}"] = row
    return out
`

func TestPluginsLive(t *testing.T) {
	python := reference.Start(t, pluginScript)
	dir := t.TempDir()
	w, err := tensorboard.NewSummaryWriter(filepath.Join(dir, "go"))
	require.NoError(t, err)
	require.NoError(t, w.AddHParams(map[string]any{"adam": true, "batch": 32, "lr": 0.1, "name": "a ü", "none": nil}, map[string]float64{"acc": 0.5, "loss": 2.5},
		tensorboard.AddHParamsOptions{DomainDiscrete: map[string][]any{"name": {"a ü", "b"}, "batch": {16, 32}}, RunName: "run", Step: 3}))
	p := torch.Arange(100).MulScalar(37).RemainderScalar(101).DivScalar(100)
	labels := torch.Arange(100).RemainderScalar(3).EqScalar(0)
	require.NoError(t, w.AddPRCurve("curve", labels, p, 4))
	weights := torch.Arange(100).ToDType(torch.Float64).DivScalar(7)
	require.NoError(t, w.AddPRCurve("weighted", labels.ToDType(torch.Int64), p.ToDType(torch.Float64), 5, tensorboard.AddPRCurveOptions{NumThresholds: 11, Weights: weights}))
	require.NoError(t, w.AddPRCurve("more", labels, p, 5, tensorboard.AddPRCurveOptions{NumThresholds: 500}))
	four := torch.Arange(4)
	for i, n := range []int{0, 4, 500} {
		require.NoError(t, w.AddPRCurveRaw("raw", four, four.AddScalar(1), four.AddScalar(2), four.AddScalar(3), four.ToDType(torch.Float64).DivScalar(7), four.AddScalar(1).Reciprocal(),
			6+i, tensorboard.AddPRCurveOptions{NumThresholds: n}))
	}
	require.NoError(t, w.AddEmbedding(torch.Arange(6).Reshape(3, 2).DivScalar(7).MulScalar(1e-5)))
	pictures := torch.Arange(5*3*4*6).Reshape(5, 3, 4, 6).DivScalar(300).SubScalar(0.1)
	require.NoError(t, w.AddEmbedding(torch.Arange(10).Reshape(5, 2), tensorboard.AddEmbeddingOptions{
		Metadata: [][]string{{"a"}, {"b"}, {"c ü"}, {"d"}, {"e"}}, LabelImg: pictures, Step: 12, Tag: `x/y%"`}))
	require.NoError(t, w.AddEmbedding(torch.Options{DType: torch.Float64}.Ones(2, 2), tensorboard.AddEmbeddingOptions{
		Metadata: [][]string{{"1", "u"}, {"2", "v"}}, MetadataHeader: []string{"number", "letter"}, LabelImg: torch.Ones(2, 1, 2, 2).DivScalar(3), Step: 2}))
	require.NoError(t, w.Close())

	python.Call(nil, "write", filepath.Join(dir, "python"))
	var got, want map[string]any
	python.Call(&got, "content", filepath.Join(dir, "go"))
	python.Call(&want, "content", filepath.Join(dir, "python"))
	require.Len(t, want, 1+3+1+3+3+2+1+7)
	require.Equal(t, want, got)
}

func TestPluginMistakes(t *testing.T) {
	w, err := tensorboard.NewSummaryWriter(t.TempDir())
	require.NoError(t, err)
	metrics := map[string]float64{"acc": 1}
	require.EqualError(t, w.AddHParams(map[string]any{"lr": []int{1}}, metrics), `tensorboard: the hyperparameter "lr": a []int is no bool, int, float64 or string`)
	domain := func(name string, vs ...any) tensorboard.AddHParamsOptions {
		return tensorboard.AddHParamsOptions{DomainDiscrete: map[string][]any{name: vs}}
	}
	require.EqualError(t, w.AddHParams(map[string]any{"lr": 1}, metrics, domain("lr", 1, "a")), `tensorboard: value 1 of those that the hyperparameter "lr" can have: it is of another type than the value 1`)
	require.EqualError(t, w.AddHParams(map[string]any{"lr": 1}, metrics, domain("wd", 1)), `tensorboard: the values that the hyperparameter "wd" can have are given, but not its value`)

	one := torch.Ones(1)
	require.EqualError(t, w.AddPRCurve("c", one, torch.Ones(2), 0), `tensorboard: the curve "c": there are 1 labels, 2 predictions and 0 weights; there must be as many of each, and one at least`)
	require.EqualError(t, w.AddPRCurve("c", one, torch.Full(1.5, 1), 0), `tensorboard: the curve "c": prediction 0 is not from 0 to 1`)
	require.EqualError(t, w.AddPRCurve("c", one, one, 0, tensorboard.AddPRCurveOptions{NumThresholds: 1}), `tensorboard: the curve "c": there are 1 thresholds, and at least 2 are needed`)

	two := torch.Ones(2)
	require.EqualError(t, w.AddPRCurveRaw("c", two, two, two, two, one, two, 0), `tensorboard: the curve "c": tensor 4 has the shape [1]; each must have one dimension, and as many numbers as the first`)
	require.ErrorContains(t, w.AddPRCurveRaw("c", torch.Ones(2, 2), two, two, two, two, two, 0), "tensor 0 has the shape [2 2]")
	require.ErrorContains(t, w.AddPRCurveRaw("c", two, two, two, two, two, two, 0, tensorboard.AddPRCurveOptions{NumThresholds: -1}), "there are -1 thresholds")

	require.ErrorContains(t, w.AddEmbedding(one), `the embedding "default": `)
	require.ErrorContains(t, w.AddEmbedding(one), "the points have 2 dimensions, and the tensor has 1")
	points := torch.Ones(2, 3)
	require.EqualError(t, w.AddEmbedding(points, tensorboard.AddEmbeddingOptions{Metadata: [][]string{{"a"}}}), `tensorboard: the embedding "default": there are labels for 1 points, and there are 2 points`)
	require.EqualError(t, w.AddEmbedding(points, tensorboard.AddEmbeddingOptions{Metadata: [][]string{{"a"}, {}}}), `tensorboard: the embedding "default": point 1 has 0 labels; it needs 1, as many as the header has, or 1 without one`)
	require.ErrorContains(t, w.AddEmbedding(points, tensorboard.AddEmbeddingOptions{LabelImg: torch.Ones(3, 3, 2, 2)}), "they must be [2, C, H, W] with 1 or 3 channels")
	require.ErrorContains(t, w.AddEmbedding(points, tensorboard.AddEmbeddingOptions{LabelImg: torch.Ones(2, 3, 9, 2)}), "they are 9 pixels high and 4 wide")
	require.NoError(t, w.Close())
	require.ErrorContains(t, w.AddEmbedding(points), "is closed")
}
