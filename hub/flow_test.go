package hub

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// steady gives each pixel the mean of the channels of both pictures as its flow.
type steady struct{ Bias *torch.Tensor }

func (*steady) Forward(first, second *torch.Tensor, _ ...models.FlowOptions) []*torch.Tensor {
	flow := torch.Stack([]*torch.Tensor{first.Mean(1), second.Mean(1)}, 1)
	return []*torch.Tensor{torch.Zeros(1), flow}
}

func TestFlow(t *testing.T) {
	m := newModel(t, &steady{}, models.OpticalFlowPreset{}, nil)
	a, b := noise(30, 20), noise(30, 20)
	f, err := m.Flow(t.Context(), a, b)
	require.NoError(t, err)
	require.Equal(t, []int{30, 20, 600, 600}, []int{f.Width, f.Height, len(f.X), len(f.Y)})
	require.Equal(t, f.X, f.Y) // of the same picture
	require.Equal(t, []int{2, 20, 30}, f.Tensor().Shape())
	x := m.Preprocess().Transform(transforms.Value{Parts: []transforms.Value{{Image: a}, {Image: b}}}).Parts[0].Tensor
	require.InDeltaSlice(t, torch.Data[float32](x.Mean(0)), f.X, 1e-6)
	_, err = m.Flow(t.Context(), a, noise(20, 30))
	require.ErrorContains(t, err, "the first picture is 30×20 pixels, and the second is 20×30 pixels; give pictures of one size")
	_, err = lettersModel(t).Flow(t.Context(), a, b)
	require.ErrorAs(t, err, new(*TaskError))
	m.Close()
	_, err = m.Flow(t.Context(), a, b)
	require.ErrorIs(t, err, torch.ErrClosed)
}
