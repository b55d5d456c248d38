package segmentation_test

import (
	"context"
	"hash/crc32"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/segmentation"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestAuxLoss compares a model with an auxiliary classifier with torchvision's: its initialization bit for bit, and its
// outputs in evaluation and while training.
func TestAuxLoss(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, `
import zlib, torch
from torchvision import models
torch.set_num_threads(1)

def run(name, aux, shape):
    torch.manual_seed(0)
    m = models.get_model(name, weights=None, weights_backbone=None, num_classes=5, aux_loss=aux)
    sums = [[k, zlib.crc32(v.contiguous().view(-1).view(torch.uint8).numpy())] for k, v in m.state_dict().items()]
    x = torch.randn(shape)
    with torch.no_grad():
        y = m.eval()(x)
        torch.manual_seed(1)
        z = m.train()(x)
    return [sums, y["out"], y["aux"], z["out"], z["aux"]]
`)
	want := p.Call("run", "deeplabv3_mobilenet_v3_large", true, []int{2, 3, 33, 65}).([]torch.Value)
	torch.ManualSeed(0)
	m := segmentation.NewDeepLabV3(segmentation.Config{Backbone: segmentation.MobileNetV3Large, NumClasses: 5, AuxLoss: true})
	s := nn.StateDict(m)
	sums := want[0].([]torch.Value)
	require.Len(t, s, len(sums))
	for i, e := range s {
		sum := sums[i].([]torch.Value)
		require.Equal(t, sum[0], e.Name)
		require.EqualValues(t, sum[1], crc32.ChecksumIEEE(torch.Data[uint8](e.Tensor.Detach().Reshape(-1).ViewDType(torch.Uint8))), e.Name)
	}
	torch.NoGrad(func() {
		x := torch.Randn(2, 3, 33, 65)
		nn.Eval(m)
		y := m.Forward(x)
		nn.Train(m)
		torch.ManualSeed(1)
		z := m.Forward(x)
		for i, got := range []*torch.Tensor{y.Out, y.Aux, z.Out, z.Aux} {
			w := want[1+i].(*torch.Tensor)
			require.LessOrEqual(t, got.Sub(w).Abs().Max().Item(), 1e-4*w.Abs().Max().Item(), i)
		}
	})
}

func TestMistakes(t *testing.T) {
	m := segmentation.NewLRASPP(segmentation.LRASPPConfig{NumClasses: 2})
	for want, f := range map[string]func(){
		`there is no backbone "vgg16"`:                    func() { segmentation.NewFCN(segmentation.Config{Backbone: "vgg16"}) },
		"the input is [1 1 32 32]; give a batch of pictu": func() { m.Forward(torch.Zeros(1, 1, 32, 32)) },
		"the input is [3 32 32]; give a batch of picture": func() { m.Forward(torch.Zeros(3, 32, 32)) },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	for arguments, want := range map[string]string{
		`{"num_classes": 0}`:   "num_classes is 0",
		`{"aux_loss": "yes"}`:  "the argument aux_loss cannot be a string",
		`{"backbone": "vgg1"}`: `there is no argument "backbone"; there are num_classes and aux_loss`,
	} {
		_, err := models.Configure("fcn_resnet50", []byte(arguments))
		require.ErrorContains(t, err, want)
	}
}

func TestForwardFreesIntermediates(t *testing.T) {
	m := segmentation.NewLRASPP(segmentation.LRASPPConfig{})
	nn.Eval(m)
	x := torch.Ones(1, 3, 64, 64)
	torch.NoGrad(func() {
		m.Forward(x).Out.Free()
		before := torch.LiveBytes()
		y := m.Forward(x).Out
		require.LessOrEqual(t, torch.LiveBytes()-before, int64(21*64*64*4+64<<10))
		y.Free()
	})
}
