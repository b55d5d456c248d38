package port

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// live returns Python's network and one in Go with the same weights.
func live(t *testing.T) (*torchtest.Interpreter, *Net) {
	p := torchtest.PythonFile(t, "testdata/net.py")
	weights, err := torch.Get[torch.StateDict](p.Call("net.state_dict"))
	require.NoError(t, err)
	net := NewNet()
	require.NoError(t, nn.LoadStateDict(net, weights))
	torch.ManualSeed(0) // the same inputs in every run
	return p, net
}

func TestNetLive(t *testing.T) {
	p, net := live(t)
	for batch := range 5 {
		x := torchtest.MakeTensor([]int{batch, 1, 12, 12}, torch.Float32)
		torchtest.AssertClose(t, net.Forward(x), p.Call("net", x))
	}
}

func TestGradientLive(t *testing.T) {
	p, net := live(t)
	x := torchtest.MakeTensor([]int{2, 1, 12, 12}, torch.Float32, torchtest.MakeTensorOptions{RequiresGrad: true})
	net.Forward(x).Index(torch.All, 3).Sum().Backward()

	want := p.Call("lambda x: torch.autograd.grad(net(x)[:, 3].sum(), x)[0]", x)
	torchtest.AssertClose(t, x.Grad(), want)
}
