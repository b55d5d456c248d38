package googlenet

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
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

// TestPublishedLive loads a file as the published one, which has auxiliary heads, as googlenet(weights=…) does.
func TestPublishedLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, `
from torchvision.models import googlenet

torch.set_num_threads(1)

def published(x):
    torch.manual_seed(0)
    m = googlenet(init_weights=False, transform_input=True)
    state = m.state_dict()
    m.aux_logits, m.aux1, m.aux2 = False, None, None
    with torch.no_grad():
        return [state, m.eval()(x)]
`)
	x := torch.Randn(1, 3, 64, 64)
	want := p.Call("published", x).([]torch.Value)
	e, err := models.Lookup("googlenet")
	require.NoError(t, err)
	var m nn.Module
	torch.WithDevice(torch.Meta, func() { m = e.BuildFor(e.Default()).(nn.Module) })
	s, _, err := torch.FindStateDict(want[0])
	require.NoError(t, err)
	require.NoError(t, nn.LoadStateDict(m, s, nn.LoadOptions{Assign: true}))
	nn.Eval(m)
	torch.NoGrad(func() { torchtest.AssertClose(t, m.Forward(x), want[1]) })
	require.Nil(t, nn.StateDict(m).Get("aux1.fc1.weight"))
}
