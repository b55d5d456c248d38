package export_test

import (
	"os"
	"testing"

	"github.com/torchhub/torchhub/internal/reference"
)

// torchvisionScript exports a model of torchvision with random weights, for batches of any size.
const torchvisionScript = `
import torch, torchvision
torch.set_num_threads(1)

def make(name, folder, size):
	torch.manual_seed(0)
	model = torchvision.models.get_model(name, weights=None, **({"weights_backbone": None} if name in torchvision.models.list_models(torchvision.models.segmentation) else {})).eval()
	for m in model.modules():
		if isinstance(m, torch.nn.modules.batchnorm._BatchNorm):
			m.running_mean.uniform_(-0.1, 0.1); m.running_var.uniform_(0.9, 1.1)
	arguments = lambda n: (torch.randn(n, *size),)
	program = torch.export.export(model, arguments(2), dynamic_shapes=({0: torch.export.Dim("batch")},))
	torch.export.save(program, f"{folder}/{name}.pt2")
	calls = []
	with torch.no_grad():
		for n in 1, 2, 5:
			a = arguments(n)
			calls.append([[x.clone() for x in a], {}, list(a), model(*a)])
	torch.save([calls, dict(program.state_dict)], f"{folder}/{name}.calls")
`

// picture, of 75 pixels and of 224 pixels where the model needs them, and clip are sizes of inputs.
var (
	picture               = []int{3, 64, 64}
	picture75, picture224 = []int{3, 75, 75}, []int{3, 224, 224}
	clip, clip64          = []int{3, 8, 112, 112}, []int{3, 16, 224, 224}
)

var torchvision = map[string][]int{
	"alexnet": picture, "convnext_tiny": picture, "densenet121": picture, "densenet161": picture, "efficientnet_b0": picture,
	"efficientnet_b2": picture, "efficientnet_v2_s": picture, "googlenet": picture, "inception_v3": picture75, "maxvit_t": picture224,
	"mnasnet0_5": picture, "mnasnet1_3": picture, "mobilenet_v2": picture, "mobilenet_v3_large": picture, "mobilenet_v3_small": picture,
	"regnet_x_400mf": picture, "regnet_x_800mf": picture, "regnet_y_400mf": picture, "regnet_y_800mf": picture, "resnet18": picture,
	"resnet34": picture, "resnet50": picture, "resnext50_32x4d": picture, "shufflenet_v2_x0_5": picture, "shufflenet_v2_x1_5": picture,
	"squeezenet1_0": picture, "squeezenet1_1": picture, "swin_t": picture, "swin_v2_t": picture, "vgg11": picture, "vgg11_bn": picture,
	"vit_b_16": picture224, "wide_resnet50_2": picture,
	"deeplabv3_mobilenet_v3_large": picture, "deeplabv3_resnet50": picture, "fcn_resnet50": picture, "lraspp_mobilenet_v3_large": picture,
	"mc3_18": clip, "mvit_v1_b": clip64, "r2plus1d_18": clip, "r3d_18": clip, "swin3d_t": {3, 8, 64, 64},
}

// TestTorchvision runs what Python exports of torchvision's models, with batches of three sizes: one of them, and all
// with TORCHHUB_TEST_LARGE=1.
func TestTorchvision(t *testing.T) {
	p := reference.Start(t, torchvisionScript)
	large := os.Getenv("TORCHHUB_TEST_LARGE") == "1"
	for name, size := range torchvision {
		if !large && name != "mobilenet_v3_small" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p.Call(nil, "make", name, dir, size)
			runProgram(t, dir, name)
		})
	}
}
