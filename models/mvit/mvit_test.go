package mvit

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

// small has the blocks of the Python in TestArgumentsLive.
var small = Config{SpatialSize: [2]int{32, 48}, TemporalSize: 4, NumClasses: 3, Blocks: []Block{
	{Heads: 1, In: 8, Out: 16, KernelKV: []int{3, 3, 3}, StrideKV: []int{1, 4, 4}},
	{Heads: 2, In: 16, Out: 16, KernelQ: []int{3, 3, 3}, KernelKV: []int{3, 3, 3}, StrideQ: []int{1, 2, 2}, StrideKV: []int{1, 2, 2}},
	{Heads: 2, In: 16, Out: 24, KernelQ: []int{3, 3, 3}, StrideQ: []int{1, 1, 1}},
}}

func TestBadInput(t *testing.T) {
	m := New(small)
	for want, shapes := range map[string][][]int{
		"the number of frames is 1; give 4":        {{1, 3, 1, 32, 48}, {1, 3, 32, 48}},
		"the frames are 32×48 pixels; give 48×32":  {{1, 3, 4, 48, 32}},
		"give a batch of videos [N, 3, 4, 32, 48]": {{1, 1, 4, 32, 48}, {32, 48}},
	} {
		for _, shape := range shapes {
			require.ErrorContains(t, torch.Try(func() { m.Forward(torch.Zeros(shape...)) }), want)
		}
	}
	require.ErrorContains(t, torch.Try(func() { New(Config{Blocks: []Block{{Heads: 3, In: 8}}}) }), "the 3 heads of block 0 do not divide its 8 channels")
	require.ErrorContains(t, torch.Try(func() { New(Config{Blocks: []Block{}}) }), "there are no blocks")
	for arguments, want := range map[string]string{
		`{"temporal_size": 1000000}`:          "temporal_size is 1000000; give a number from 1 to 4096",
		`{"patch_embed_padding": [1, -3, 3]}`: "element 1 of patch_embed_padding is -3; give a number from 0 to 64",
	} {
		_, err := models.Configure("mvit_v1_b", []byte(arguments))
		require.ErrorContains(t, err, want)
	}
}

func TestArgumentsLive(t *testing.T) {
	r := modeltest.Start(t)
	other, second, picture := small, small, small
	other.Dropout, other.AttentionDropout, other.StochasticDepth = new(0.2), 0.3, 0.4
	other.ResidualPool, other.ResidualClass, other.ProjAfterAttn = true, true, true
	second.ResidualPool, second.RelPosEmbed, second.ProjAfterAttn = true, true, true
	second.PatchKernel, second.PatchStride, second.PatchPadding = [3]int{1, 4, 4}, [3]int{1, 4, 4}, &[3]int{0, 0, 0}
	picture.TemporalSize = 2
	for _, c := range []struct {
		arguments string
		c         Config
		shape     []int
	}{
		{"(32, 48), 4, b, False, False, False, False", small, []int{2, 3, 4, 32, 48}},
		{"(32, 48), 4, b, False, False, False, False", small, []int{2, 3, 3, 29, 48}}, // as many patches
		{"(32, 48), 4, b, True, True, False, True, 0.2, 0.3, 0.4", other, []int{3, 3, 4, 32, 48}},
		{"(32, 48), 4, b, True, False, True, True, patch_embed_kernel=(1, 4, 4), patch_embed_stride=(1, 4, 4), patch_embed_padding=(0, 0, 0)", second, []int{2, 3, 4, 32, 48}},
		{"(32, 48), 2, b, False, False, False, False", picture, []int{2, 3, 32, 48}},
	} {
		r.Compare(t, `(lambda v, b: v.MViT(`+c.arguments+`, num_classes=3))(models.video.mvit, [
			models.video.mvit.MSBlockConfig(1, 8, 16, [], [3, 3, 3], [], [1, 4, 4]),
			models.video.mvit.MSBlockConfig(2, 16, 16, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 2, 2]),
			models.video.mvit.MSBlockConfig(2, 16, 24, [3, 3, 3], [], [1, 1, 1], []),
		])`, func() any { return New(c.c) }, c.shape)
	}
}
