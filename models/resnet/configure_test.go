package resnet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func TestConfigureMistakes(t *testing.T) {
	for _, c := range []struct{ name, arguments, want string }{
		{"resnet5", "", "did you mean resnet50"},
		{"resnet18", `{"layers": [1, 1, 1, 1]}`, "take resnet to choose them"},
		{"resnet18", `{"block": "Bottleneck"}`, "take resnet to choose them"},
		{"resnet18", `{"groups": 2}`, "BasicBlock has one group"},
		{"resnet18", `{"width": 2}`, `there is no argument "width"`},
		{"resnet18", `{"num_classes": 0}`, "num_classes is 0"},
		{"resnet18", `{"num_classes": 1e3}`, "num_classes"},
		{"resnet18", `{"num_classes": "10"}`, "num_classes"},
		{"resnet18", `{"num_classes": 1000000000}`, "from 1 to"},
		{"resnet18", `[]`, "arguments"},
		{"resnet18", `{} {}`, "something follows"},
		{"resnet18", `{`, "arguments"},
		{"resnet50", `{"groups": 60000, "width_per_group": 60000}`, "more than 65536 channels"},
		{"resnet50", `{"replace_stride_with_dilation": [true]}`, "has 1 elements; give 3"},
		{"resnet34", `{"replace_stride_with_dilation": [false, false, true]}`, "BasicBlock has no dilation"},
		{"resnet", ``, "block is missing"},
		{"resnet", `{"block": "Bottleneck"}`, "layers has 0 numbers"},
		{"resnet", `{"block": "Bottleneck", "layers": [1, 2, 3]}`, "layers has 3 numbers"},
		{"resnet", `{"block": "Bottleneck", "layers": [1, 2, 3, 0]}`, "a number from 1 to 1000"},
		{"resnet", `{"block": "Bottleneck", "layers": [1, 2, 3, 1000000000]}`, "a number from 1 to 1000"},
		{"resnet", `{"block": "Block", "layers": [1, 2, 3, 4]}`, `block is "Block"`},
	} {
		_, err := models.Configure(c.name, []byte(c.arguments))
		require.ErrorContains(t, err, c.want, "%s %s", c.name, c.arguments)
		require.False(t, strings.Contains(err.Error(), "\n"))
	}
}

// The keys and shapes are those of torchvision's get_model with the same arguments.
func TestConfigure(t *testing.T) {
	p := reference.Start(t, `
import json, torch, torchvision.models as m
from torchvision.models.resnet import ResNet, BasicBlock, Bottleneck
def shapes(name, arguments):
    a = json.loads(arguments)
    if name == "resnet":
        model = ResNet(globals()[a.pop("block")], a.pop("layers"), **a)
    else:
        model = m.get_model(name.removesuffix("_wsl"), **a)
    return [[k, list(v.shape)] for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")]
`)
	require.NoError(t, torch.Init(t.Context()))
	for _, c := range []struct{ name, arguments string }{
		{"resnet18", `{}`},
		{"resnet18", `{"num_classes": 7}`},
		{"resnet50", `{"groups": 2, "width_per_group": 48, "num_classes": 1}`},
		{"resnext50_32x4d", `{"num_classes": 10, "replace_stride_with_dilation": [false, true, true]}`},
		{"resnext101_32x8d_wsl", `{"num_classes": 3}`},
		{"resnet", `{"block": "BasicBlock", "layers": [1, 2, 1, 3], "num_classes": 5}`},
		{"resnet", `{"block": "Bottleneck", "layers": [1, 1, 2, 1], "groups": 4, "width_per_group": 20}`},
	} {
		build, err := models.Configure(c.name, []byte(c.arguments))
		require.NoError(t, err, c)
		var want [][]any
		p.Call(&want, "shapes", c.name, c.arguments)
		var got [][]any
		torch.WithDevice(torch.Meta, func() {
			for _, n := range nn.StateDict(build()) {
				if strings.HasSuffix(n.Name, "num_batches_tracked") {
					continue
				}
				shape := []any{}
				for _, s := range n.Tensor.Shape() {
					shape = append(shape, float64(s))
				}
				got = append(got, []any{n.Name, shape})
			}
		})
		require.Equal(t, want, got, c)
	}
}
