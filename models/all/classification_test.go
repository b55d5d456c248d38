package all

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// TestBadPictures gives classifiers what is no batch of color pictures.
func TestBadPictures(t *testing.T) {
	for name, model := range map[string]string{
		"alexnet": "AlexNet", "convnext_tiny": "ConvNeXt", "densenet121": "DenseNet", "efficientnet_b0": "EfficientNet", "googlenet": "GoogLeNet",
		"inception_v3": "Inception V3", "mnasnet0_5": "MNASNet", "mobilenet_v2": "MobileNet V2", "mobilenet_v3_small": "MobileNet V3",
		"regnet_x_400mf": "RegNet", "shufflenet_v2_x0_5": "ShuffleNet V2", "squeezenet1_1": "SqueezeNet", "vgg11": "VGG",
	} {
		torch.WithDevice(torch.Meta, func() {
			m, err := models.New[nn.Module](name)
			require.NoError(t, err)
			for _, shape := range [][]int{{1, 1, 64, 64}, {3, 64, 64}, {1, 4, 80, 80}, {1, 3, 0, 64}} {
				var e *torch.Error
				require.ErrorAs(t, torch.Try(func() { m.Forward(torch.Empty(shape...)) }), &e, "%s %v", name, shape)
				require.Equal(t, model, e.Op)
				require.Contains(t, e.Msg, "give a batch of pictures [N, 3, H, W]")
			}
		})
	}
}

const builderScript = `
import inspect, json
import torch
from torchvision import models
from torchvision.models.regnet import BlockParams

torch.set_num_threads(1)

def takes(name, sides):
    m, out = models.get_model(name, weights=None).eval(), []
    for side in sides:
        try:
            with torch.no_grad():
                m(torch.zeros(1, 3, side, side))
            out.append(True)
        except RuntimeError:
            out.append(False)
    return out

params = BlockParams.from_init_params.__func__

def on_cpu(cls, *args, **kwargs): # it computes with tensors
    with torch.device("cpu"):
        return params(cls, *args, **kwargs)

BlockParams.from_init_params = classmethod(on_cpu)

def shapes(name, arguments):
    with torch.device("meta"):
        m = models.get_model(name, weights=None, **json.loads(arguments))
    return [[k, list(v.shape)] for k, v in m.state_dict().items()]
`

// TestSmallestPicturesLive compares which pictures are too small.
func TestSmallestPicturesLive(t *testing.T) {
	p := reference.Start(t, builderScript)
	for name, least := range map[string]int{
		"alexnet": 63, "convnext_tiny": 32, "densenet121": 29, "efficientnet_b0": 1, "efficientnet_v2_s": 1, "googlenet": 15, "inception_v3": 75,
		"mnasnet0_5": 1, "mobilenet_v2": 1, "mobilenet_v3_small": 1, "shufflenet_v2_x0_5": 1, "squeezenet1_0": 21, "squeezenet1_1": 17,
	} {
		sides := []int{least, max(1, least-1)}
		var want []bool
		p.Call(&want, "takes", name, sides)
		m, err := models.New[nn.Module](name)
		require.NoError(t, err)
		nn.Eval(m)
		for i, side := range sides {
			err := torch.Try(func() { torch.NoGrad(func() { m.Forward(torch.Zeros(1, 3, side, side)) }) })
			require.Equal(t, want[i], err == nil, "%s %d: %v", name, side, err)
			require.Equal(t, side >= least, err == nil, "%s %d: %v", name, side, err)
		}
	}
}

// TestArgumentsLive compares names and shapes of models with other arguments than their own.
func TestArgumentsLive(t *testing.T) {
	p := reference.Start(t, builderScript)
	for _, c := range []struct{ name, arguments string }{
		{"alexnet", `{"num_classes": 7, "dropout": 0.1}`},
		{"convnext_tiny", `{"num_classes": 7, "stochastic_depth_prob": 0.9, "layer_scale": 0.1}`},
		{"densenet121", `{"num_classes": 7, "bn_size": 2, "drop_rate": 0.5}`},
		{"efficientnet_b3", `{"num_classes": 7, "dropout": 0, "stochastic_depth_prob": 0}`},
		{"efficientnet_v2_m", `{"num_classes": 7}`},
		{"googlenet", `{"num_classes": 7, "aux_logits": false, "init_weights": true}`},
		{"googlenet", `{"num_classes": 7, "transform_input": true, "init_weights": false, "dropout_aux": 0.1}`},
		{"inception_v3", `{"num_classes": 7, "aux_logits": false, "init_weights": false}`},
		{"mnasnet1_3", `{"num_classes": 7, "dropout": 0.5}`},
		{"mobilenet_v2", `{"num_classes": 7, "width_mult": 0.35, "round_nearest": 4}`},
		{"mobilenet_v2", `{"inverted_residual_setting": [[1, 16, 1, 1], [4, 32, 2, 2]], "width_mult": 1.3}`},
		{"mobilenet_v3_large", `{"num_classes": 7, "width_mult": 0.75, "reduced_tail": true, "dilated": true}`},
		{"mobilenet_v3_small", `{"width_mult": 1.7, "reduced_tail": true}`},
		{"regnet_y_400mf", `{"num_classes": 7, "stem_width": 16}`},
		{"shufflenet_v2_x1_5", `{"num_classes": 7}`},
		{"squeezenet1_0", `{"num_classes": 7, "dropout": 0.1}`},
		{"vgg13_bn", `{"num_classes": 7, "init_weights": false, "dropout": 0.9}`},
	} {
		build, err := models.Configure(c.name, []byte(c.arguments))
		require.NoError(t, err, c)
		var want, got [][2]any
		p.Call(&want, "shapes", c.name, c.arguments)
		torch.WithDevice(torch.Meta, func() {
			for _, e := range nn.StateDict(build()) {
				shape := []any{}
				for _, n := range e.Tensor.Shape() {
					shape = append(shape, float64(n))
				}
				got = append(got, [2]any{e.Name, shape})
			}
		})
		require.Equal(t, want, got, c)
	}
}
