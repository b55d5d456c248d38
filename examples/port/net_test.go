package port

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestNet(t *testing.T) {
	f := torchtest.Load(t, "testdata/net.pt")
	net := NewNet()
	require.NoError(t, nn.LoadStateDict(net, f.StateDict("weights")))

	torchtest.AssertClose(t, net.Forward(f.Tensor("input")), f.Tensor("output"))
}
