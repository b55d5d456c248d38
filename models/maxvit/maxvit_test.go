package maxvit

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/modeltest"
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

// small is MaxVit((32, 32), 8, 2, [8, 16], [1, 2], 4, 0.3, num_classes=3).
var small = Config{InputSize: [2]int{32, 32}, StemChannels: 8, PartitionSize: 2, Channels: []int{8, 16}, Layers: []int{1, 2}, HeadDim: 4, StochasticDepth: new(0.3), NumClasses: 3}

func TestBadInput(t *testing.T) {
	m := New(small)
	for want, f := range map[string]func(){
		"MaxVit: the input is [1 3 64 64]; give a batch of pictures [N, 3, 32, 32]": func() { m.Forward(torch.Zeros(1, 3, 64, 64)) },
		"the input is [1 1 32 32]":    func() { m.Forward(torch.Zeros(1, 1, 32, 32)) },
		"the input size is [224 256]": func() { New(Config{InputSize: [2]int{224, 256}}) },
		"pictures of [225 225] with 64 channels in block 0 cannot be partitioned by 7": func() { New(Config{InputSize: [2]int{225, 225}}) },
		"there are 1 numbers of channels":                                              func() { New(Config{Channels: []int{64}}) },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	_, err := models.Configure("maxvit_t", []byte(`{"input_size": [224, 1000000]}`))
	require.ErrorContains(t, err, "element 1 of input_size is 1000000; give a number from 1 to 8192")
}

func TestArgumentsLive(t *testing.T) {
	r := modeltest.Start(t)
	other := small
	other.SqueezeRatio, other.ExpansionRatio, other.MLPRatio, other.MLPDropout, other.AttentionDropout = 0.5, 2.5, 3, 0.2, 0.3
	other.Activation = func() nn.Module { return &nn.SiLU{} }
	other.Norm = func(channels int) nn.Module { return nn.NewBatchNorm2d(channels) }
	for arguments, c := range map[string]Config{
		"": small,
		"squeeze_ratio=0.5, expansion_ratio=2.5, mlp_ratio=3, mlp_dropout=0.2, attention_dropout=0.3, norm_layer=nn.BatchNorm2d, activation_layer=nn.SiLU": other,
	} {
		r.Compare(t, "models.MaxVit((32, 32), 8, 2, [8, 16], [1, 2], 4, 0.3, num_classes=3, "+arguments+")", func() any { return New(c) }, []int{3, 3, 31, 32})
	}
}
