package resnet

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// onMeta builds an entry's module without memory.
func onMeta(e *models.Entry) (m nn.Module) {
	torch.WithDevice(torch.Meta, func() { m = e.Build().(nn.Module) })
	return m
}

func TestForwardFreesIntermediates(t *testing.T) {
	m, err := models.New[*ResNet]("resnet18")
	require.NoError(t, err)
	nn.Eval(m)
	x := torch.Ones(1, 3, 224, 224)
	torch.NoGrad(func() {
		m.Forward(x).Free()
		before := torch.LiveBytes()
		y := m.Forward(x)
		require.LessOrEqual(t, torch.LiveBytes()-before, int64(64<<10))
		y.Free()
	})
}

func TestBasicBlockHasOneGroup(t *testing.T) {
	require.Error(t, torch.Try(func() { New(Config{Layers: [4]int{1, 1, 1, 1}, Groups: 2}) }))
}
