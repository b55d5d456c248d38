package all_test

import (
	"context"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch/torchtest"
	"github.com/torchhub/torchhub/transforms"
)

// memoryScript builds the model of a name in the way that published weights fill it.
const memoryScript = `
import inspect, sys
import torch
from PIL import Image
from torch import nn
from torchvision import models

def build(name):
    has = inspect.signature(models.get_model_builder(name)).parameters
    more = {"quantize": True} if name.startswith("quantized_") else {}
    if "weights_backbone" in has:
        more["weights_backbone"] = None
    if "aux_loss" in has and not name.startswith("lraspp"):
        more["aux_loss"] = True
    if name.startswith("vit_"):
        more["image_size"] = models.get_model_weights(name).DEFAULT.meta["min_size"][0]
    return models.get_model(name, weights=None, **more)
`

// saveScript saves a checkpoint of random numbers, which takes less time than the initialization. Quantized models are
// initialized, since the scales of their numbers are computed from the weights.
const saveScript = memoryScript + `
def save(name, path):
    quantized = name.startswith("quantized_")
    inits = {n: getattr(nn.init, n) for n in dir(nn.init) if n.endswith("_") and not n.startswith("_") and not quantized}
    for n in inits:
        setattr(nn.init, n, lambda x, *args, **kwargs: x)
    try:
        m = build(name)
    finally:
        for n, f in inits.items():
            setattr(nn.init, n, f)
    s = m.state_dict()
    if not quantized:
        torch.manual_seed(0)
        for k, x in s.items():
            if x.is_floating_point():
                x.uniform_(0.5, 1.5) if k.endswith("running_var") else x.uniform_(-0.05, 0.05)
    torch.save(s, path)
`

// runScript loads the checkpoint as torchvision's documentation does, and runs the model on a picture.
const runScript = memoryScript + `
name, path, picture = sys.argv[1:]
m = build(name)
m.load_state_dict(torch.load(path, weights_only=True))
m.eval()
preprocess = models.get_model_weights(name).DEFAULT.transforms()
image = Image.open(picture)
kind = type(preprocess).__name__
if kind == "OpticalFlow":
    inputs = [x.unsqueeze(0) for x in preprocess(image, image)]
elif kind == "VideoClassification":
    from torchvision.transforms.functional import pil_to_tensor
    inputs = [preprocess(torch.stack([pil_to_tensor(image)] * 16)).unsqueeze(0)]
elif kind == "ObjectDetection":
    inputs = [[preprocess(image)]]
else:
    inputs = [preprocess(image).unsqueeze(0)]
with torch.no_grad():
    m(*inputs)
print(next(l for l in open("/proc/self/status") if l.startswith("VmHWM:")))
`

// memoryNames are models of all families, the smallest and the largest of each, for TORCHHUB_TEST_LARGE=1.
// TORCHHUB_TEST_LARGE=NAME,NAME,… is for those alone.
var memoryNames = []string{
	"alexnet", "convnext_tiny", "convnext_large", "densenet121", "densenet161", "densenet201", "efficientnet_b0", "efficientnet_b7", "efficientnet_v2_s", "efficientnet_v2_l",
	"googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mnasnet1_3", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large",
	"regnet_x_400mf", "regnet_x_32gf", "regnet_y_400mf", "regnet_y_128gf", "resnet18", "resnet152", "resnext50_32x4d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2",
	"shufflenet_v2_x0_5", "shufflenet_v2_x2_0", "squeezenet1_0", "squeezenet1_1", "swin_t", "swin_b", "swin_v2_t", "swin_v2_b", "vgg11", "vgg19_bn", "vit_b_16", "vit_l_16", "vit_h_14",
	"fcn_resnet50", "fcn_resnet101", "deeplabv3_mobilenet_v3_large", "deeplabv3_resnet101", "lraspp_mobilenet_v3_large",
	"fasterrcnn_mobilenet_v3_large_320_fpn", "fasterrcnn_resnet50_fpn_v2", "maskrcnn_resnet50_fpn_v2", "keypointrcnn_resnet50_fpn", "retinanet_resnet50_fpn_v2",
	"fcos_resnet50_fpn", "ssd300_vgg16", "ssdlite320_mobilenet_v3_large",
	"mc3_18", "r2plus1d_18", "r3d_18", "s3d", "mvit_v1_b", "mvit_v2_s", "swin3d_t", "swin3d_b", "raft_small", "raft_large",
	"quantized_googlenet", "quantized_inception_v3", "quantized_mobilenet_v2", "quantized_mobilenet_v3_large", "quantized_resnet18", "quantized_resnext101_64x4d", "quantized_shufflenet_v2_x0_5", "quantized_shufflenet_v2_x2_0",
}

// TestMemoryLive compares the most memory of a process that loads a model from a checkpoint and runs it on a picture
// with that of a process of Python. Without TORCHHUB_TEST_LARGE it takes another small model every day.
func TestMemoryLive(t *testing.T) {
	if task := os.Getenv("TORCHHUB_TEST_MEMORY"); task != "" {
		name, picture, _ := strings.Cut(task, "\n")
		runModel(t, name, picture)
		return
	}
	python := reference.Python(t)
	small := []string{"squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x0_5", "mnasnet0_5", "regnet_y_400mf", "lraspp_mobilenet_v3_large", "ssdlite320_mobilenet_v3_large", "quantized_mobilenet_v2"}
	names := small[time.Now().YearDay()%len(small):][:1]
	switch large := os.Getenv("TORCHHUB_TEST_LARGE"); large {
	case "":
	case "1":
		names = memoryNames
	default:
		names = strings.Split(large, ",")
	}
	dir := t.TempDir()
	t.Setenv("TORCH_HOME", dir)
	checkpoints := filepath.Join(dir, "hub", "checkpoints")
	require.NoError(t, os.MkdirAll(checkpoints, 0o755))
	picture, script := filepath.Join(dir, "picture.png"), filepath.Join(dir, "run.py")
	require.NoError(t, os.WriteFile(script, []byte(runScript), 0o600))
	p := torchtest.Python(t, saveScript)
	p.Call(`lambda path: Image.effect_noise((512, 384), 90).convert("RGB").save(path)`, picture)
	t.Logf("%-40s %9s %9s %6s", "most memory, in MiB", "Go", "Python", "ratio")
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			e, err := models.Lookup(name)
			require.NoError(t, err)
			file := filepath.Join(checkpoints, filepath.Base(e.Default().URL)) // in place of the published weights
			defer os.Remove(file)
			p.Call("save", name, file)
			ours := exec.Command(os.Args[0], "-test.run=^TestMemoryLive$", "-test.v")
			ours.Env = append(os.Environ(), "TORCHHUB_TEST_MEMORY="+name+"\n"+picture)
			a, b := most(t, ours), most(t, exec.Command(python, script, name, file, picture))
			t.Logf("%-40s %9.0f %9.0f %6.2f", name, a, b, a/b)
			require.Less(t, a, b)
		})
	}
}

// most runs a process and returns the most memory, in MiB, that it says it had.
func most(t *testing.T, c *exec.Cmd) float64 {
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, line, ok := strings.Cut(string(out), "VmHWM:")
	require.True(t, ok, "%s", out)
	n, err := strconv.ParseFloat(strings.Fields(line)[0], 64)
	require.NoError(t, err)
	return n / 1024
}

// runModel is what a program of a user does: it loads a model with its weights and runs it on a picture.
func runModel(t *testing.T, name, picture string) {
	ctx := context.Background()
	m, err := hub.Load(ctx, "", name, hub.WithNotice(nil))
	require.NoError(t, err)
	img, err := transforms.Open(picture)
	require.NoError(t, err)
	switch m.Task() {
	case models.Classification:
		_, err = m.Classify(ctx, img, 5)
	case models.Segmentation:
		_, err = m.Segment(ctx, img)
	case models.Detection:
		_, err = m.Detect(ctx, img)
	case models.VideoClassification:
		frames := make([]image.Image, 16)
		for i := range frames {
			frames[i] = img
		}
		_, err = m.ClassifyVideo(ctx, frames, 5)
	case models.OpticalFlow:
		_, err = m.Flow(ctx, img, img)
	}
	require.NoError(t, err)
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ = strings.Cut(line, "\n")
	fmt.Println("VmHWM:" + line)
}
