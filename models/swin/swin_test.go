package swin

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/modeltest"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// small is SwinTransformer([2, 3], 8, [2, 2], [2, 4], [3, 2], num_classes=3).
var small = Config{PatchSize: []int{2, 3}, EmbedDim: 8, Depths: []int{2, 2}, Heads: []int{2, 4}, Window: []int{3, 2}, NumClasses: 3}

// small3d is SwinTransformer3d([2, 2, 3], 8, [2, 2], [2, 4], [2, 3, 2], num_classes=3).
var small3d = Config{PatchSize: []int{2, 2, 3}, EmbedDim: 8, Depths: []int{2, 2}, Heads: []int{2, 4}, Window: []int{2, 3, 2}, NumClasses: 3}

func TestBadInput(t *testing.T) {
	for want, f := range map[string]func(){
		"SwinTransformer: the input is [1 3 2 9]; give a batch of pictures [N, 3, H, W] of at least 3×3 pixels": func() { New(small).Forward(torch.Zeros(1, 3, 2, 9)) },
		"SwinTransformer3d: the input is [3 9 9 9]; give a batch of videos [N, 3, T, H, W]":                     func() { New3d(small3d).Forward(torch.Zeros(3, 9, 9, 9)) },
		"there is no version 2 for videos":                          func() { New3d(Config{V2: true}) },
		"the 96 features of stage 0 are no multiple of its 5 heads": func() { New(Config{Heads: []int{5, 5, 5, 5}}) },
		"there are 4 stages but only 1 numbers of heads":            func() { New(Config{Heads: []int{3}}) },
		"must have 2 elements":                                      func() { New(Config{Window: []int{7}}) },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	_, err := models.Configure("swin_t", []byte(`{"mlp_ratio": 1e9}`))
	require.ErrorContains(t, err, "mlp_ratio is 1000000000; give a number from 0.01 to 64")
}

func TestArgumentsLive(t *testing.T) {
	r := modeltest.Start(t)
	with := func(c Config, change func(*Config)) Config {
		change(&c)
		return c
	}
	drop := func(c *Config) {
		c.Dropout, c.AttentionDropout, c.StochasticDepth, c.MLPRatio = 0.2, 0.3, new(0.4), 2.5
	}
	const dropped = "dropout=0.2, attention_dropout=0.3, stochastic_depth_prob=0.4, mlp_ratio=2.5"
	const v2 = "block=models.swin_transformer.SwinTransformerBlockV2, downsample_layer=models.swin_transformer.PatchMergingV2, "
	v := func(c *Config) { c.V2 = true }
	for _, c := range []struct {
		arguments string
		c         Config
		shape     []int
	}{
		{"", small, []int{2, 3, 17, 20}}, // odd sizes, which are padded
		{dropped, with(small, drop), []int{2, 3, 12, 12}},
		{"", small, []int{1, 3, 3, 3}}, // one patch
		{v2, with(small, v), []int{2, 3, 17, 20}},
		{v2 + dropped, with(with(small, v), drop), []int{2, 3, 12, 12}},
	} {
		r.Compare(t, "models.SwinTransformer([2, 3], 8, [2, 2], [2, 4], [3, 2], num_classes=3, "+c.arguments+")", func() any { return New(c.c) }, c.shape)
	}
	for _, c := range []struct {
		arguments string
		c         Config
		shape     []int
	}{
		{"", small3d, []int{2, 3, 7, 17, 20}},
		{dropped, with(small3d, drop), []int{2, 3, 6, 12, 13}},
		{"", small3d, []int{1, 3, 1, 16, 1}}, // one frame
	} {
		r.Compare(t, "models.video.SwinTransformer3d([2, 2, 3], 8, [2, 2], [2, 4], [2, 3, 2], num_classes=3, "+c.arguments+")", func() any { return New3d(c.c) }, c.shape)
	}
}
