package mnasnet

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
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

// TestFirstVersionLive loads a checkpoint of version 1, whose stem has a fixed width, and exchanges it with Python.
func TestFirstVersionLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, `
import warnings
from torchvision.models import MNASNet, mnasnet0_5

warnings.simplefilter("ignore")
torch.set_num_threads(1)

def first_version(path, x):
    torch.manual_seed(0)
    m = mnasnet0_5()
    state = m.state_dict()
    state._metadata[""]["version"] = 1
    try:
        m.load_state_dict(state)
    except RuntimeError: # of the stem, which the call has replaced
        pass
    torch.save(m.state_dict(), path)
    with torch.no_grad():
        return m.eval()(x)

def load(path, x):
    m = mnasnet0_5()
    m.load_state_dict(torch.load(path))
    with torch.no_grad():
        return m.eval()(x)
`)
	path := filepath.Join(t.TempDir(), "m.pth")
	x := torch.Randn(1, 3, 64, 64)
	want := p.Call("first_version", path, x)
	for _, device := range []torch.Device{torch.CPU, torch.Meta} {
		var m *MNASNet
		torch.WithDevice(device, func() { m = New(Config{Alpha: 0.5}) })
		require.NoError(t, nn.LoadStateDictFile(path, m, nn.LoadOptions{Assign: true}))
		nn.Eval(m)
		torch.NoGrad(func() { torchtest.AssertClose(t, m.Forward(x), want) })
		require.Equal(t, 1, m.StateVersion())
		require.NoError(t, nn.SaveStateDict(path, m))
		torchtest.AssertClose(t, p.Call("load", path, x), want)
	}
}
