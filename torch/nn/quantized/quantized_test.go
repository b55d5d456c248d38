package quantized_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/nn/quantized"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

type net struct {
	Quant *quantized.Quantize
	Conv  *quantized.Conv2d
	Dw    *quantized.Conv2d
	Sum   *quantized.Functional
	Fc    *quantized.Linear
}

func (m *net) Forward(x *torch.Tensor) *torch.Tensor {
	x = m.Conv.Forward(m.Quant.Forward(x))
	x = m.Sum.AddReLU(m.Dw.Forward(x), x)
	return quantized.Dequantize(m.Fc.Forward(x.Mean(2, 3)))
}

// TestLayersLive compares a small network with PyTorch's, with the weights of PyTorch's state dict.
func TestLayersLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, `
import warnings
from torch import nn
from torch.ao import quantization as q

warnings.simplefilter("ignore")
torch.set_num_threads(1)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = q.QuantStub(), q.DeQuantStub()
        self.conv, self.relu, self.dw = nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1, groups=8)
        self.sum, self.fc = nn.quantized.FloatFunctional(), nn.Linear(8, 5)

    def forward(self, x):
        x = self.relu(self.conv(self.quant(x)))
        x = self.sum.add_relu(self.dw(x), x)
        return self.dequant(self.fc(x.mean([2, 3])))

def run(x):
    torch.manual_seed(0)
    m = Net().eval()
    q.fuse_modules(m, ["conv", "relu"], inplace=True)
    m.qconfig = q.get_default_qconfig(torch.backends.quantized.engine)
    q.prepare(m, inplace=True)
    m(x)
    q.convert(m, inplace=True)
    return [m.state_dict(), m(x)]
`)
	x := torch.Randn(2, 3, 16, 16)
	want := p.Call("run", x).([]torch.Value)
	m := &net{
		quantized.NewQuantize(), quantized.NewConv2d(3, 8, 3, true, nn.Conv2dOptions{Stride: 2, Padding: 1}),
		quantized.NewConv2d(8, 8, 3, false, nn.Conv2dOptions{Padding: 1, Groups: 8}), quantized.NewFunctional(), quantized.NewLinear(8, 5),
	}
	require.ErrorContains(t, torch.Try(func() { m.Forward(x) }), "load a quantized checkpoint first")
	s, _, err := torch.FindStateDict(want[0])
	require.NoError(t, err)
	require.NoError(t, nn.LoadStateDict(m, s, nn.LoadOptions{Assign: true}))
	torchtest.AssertClose(t, m.Forward(x), want[1], torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)})
}
