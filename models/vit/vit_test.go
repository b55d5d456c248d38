package vit

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/modeltest"
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

// small is models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3).
var small = Config{ImageSize: 32, PatchSize: 8, Layers: 2, Heads: 2, Hidden: 16, MLP: 32, NumClasses: 3}

func TestBadInput(t *testing.T) {
	m := New(small)
	for _, shape := range [][]int{{1, 3, 32, 40}, {1, 1, 32, 32}, {3, 32, 32}} {
		require.ErrorContains(t, torch.Try(func() { m.Forward(torch.Zeros(shape...)) }), "give a batch of pictures [N, 3, 32, 32]")
	}
	require.ErrorContains(t, torch.Try(func() { New(Config{ImageSize: 100}) }), "the image size 100 is no multiple of the patch size 16")
	_, err := models.Configure("vit_b_16", []byte(`{"image_size": 100000}`))
	require.ErrorContains(t, err, "image_size is 100000; give a number from 1 to 8192")
}

func TestOldNames(t *testing.T) {
	m := New(small)
	s := nn.StateDict(m)
	for i := range s {
		s[i].Name = strings.NewReplacer(".mlp.0.", ".mlp.linear_1.", ".mlp.3.", ".mlp.linear_2.").Replace(s[i].Name)
	}
	require.NotNil(t, s.Get("encoder.layers.encoder_layer_1.mlp.linear_2.bias"))
	require.NoError(t, nn.LoadStateDict(New(small), s))
}

func TestInterpolateErrors(t *testing.T) {
	s := nn.StateDict(New(small))
	same, err := InterpolateEmbeddings(32, 8, s)
	require.NoError(t, err)
	require.Equal(t, s, same)
	for _, c := range []struct {
		size  int
		state torch.StateDict
		mode  string
		want  string
	}{
		{4, s, "", "there are no patches of 8 pixels in pictures of 4"},
		{64, s, "cubic", "cubic"},
		{64, nil, "", `lacks "encoder.pos_embedding"`},
		{64, torch.StateDict{{Name: "encoder.pos_embedding", Tensor: torch.Zeros(1, 4, 8)}}, "", "3 positions of patches, which are no square"},
		{64, torch.StateDict{{Name: "encoder.pos_embedding", Tensor: torch.Zeros(5, 8)}}, "", "must be [1, positions, features]"},
	} {
		_, err := InterpolateEmbeddings(c.size, 8, c.state, InterpolateOptions{Mode: c.mode})
		require.ErrorContains(t, err, c.want)
	}
}

func TestArgumentsLive(t *testing.T) {
	r := modeltest.Start(t)
	dropout, representation, stem := small, small, small
	dropout.Dropout, dropout.AttentionDropout = 0.2, 0.3
	representation.RepresentationSize = 24
	representation.Norm = func(n int) nn.Module { return nn.NewLayerNorm(n) }
	stem.ConvStem = []ConvStem{{Out: 4, Kernel: 3, Stride: 4}, {Out: 8, Kernel: 3, Stride: 2, Activation: func() nn.Module { return &nn.GELU{} }}}
	for arguments, c := range map[string]Config{
		"":                                   small,
		"dropout=0.2, attention_dropout=0.3": dropout,
		"representation_size=24, norm_layer=nn.LayerNorm": representation,
		"conv_stem_configs=[models.vision_transformer.ConvStemConfig(4, 3, 4), models.vision_transformer.ConvStemConfig(8, 3, 2, activation_layer=lambda inplace: nn.GELU())]": stem,
	} {
		r.Compare(t, "models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3, "+arguments+")", func() any { return New(c) }, []int{2, 3, 32, 32})
	}
}

func TestInterpolateLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, `
from torchvision.models.vision_transformer import interpolate_embeddings

def interpolate(size, patch, pos, mode, reset):
    s = interpolate_embeddings(size, patch, {"encoder.pos_embedding": pos, "heads.head.bias": pos, "z": pos}, mode, reset)
    return [list(s), s["encoder.pos_embedding"].contiguous()]
`)
	pos := torch.Randn(1, 17, 6)
	s := torch.StateDict{{Name: "encoder.pos_embedding", Tensor: pos}, {Name: "heads.head.bias", Tensor: pos}, {Name: "z", Tensor: pos}}
	for _, c := range []struct {
		size, patch int
		mode        string
		reset       bool
	}{{64, 8, "bicubic", false}, {16, 8, "bicubic", true}, {57, 8, "bilinear", true}, {32, 8, "bicubic", true}, {8, 8, "bicubic", false}} {
		got, err := InterpolateEmbeddings(c.size, c.patch, s, InterpolateOptions{c.mode, c.reset})
		require.NoError(t, err)
		want := p.Call("interpolate", c.size, c.patch, pos, c.mode, c.reset).([]torch.Value)
		var names []torch.Value
		for _, e := range got {
			names = append(names, e.Name)
		}
		require.Equal(t, want[0], names)
		torchtest.AssertClose(t, got[0].Tensor, want[1], torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)})
	}
}
