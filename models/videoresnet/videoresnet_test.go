package videoresnet

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/modeltest"
	"github.com/torchhub/torchhub/torch"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestBadInput(t *testing.T) {
	m := New(Config{Layers: [4]int{1, 1, 1, 1}})
	require.ErrorContains(t, torch.Try(func() { m.Forward(torch.Zeros(1, 3, 16, 16)) }), "the input is [1 3 16 16]; give a batch of videos [N, 3, T, H, W]")
	require.ErrorContains(t, torch.Try(func() { New(Config{Layers: [4]int{1, -1, 1, 1}}) }), "the number of blocks of stage 1 is -1")
}

func TestArgumentsLive(t *testing.T) {
	r := modeltest.Start(t)
	all := [4]Conv{Conv3D, Conv3DNoTemporal, Conv2Plus1D, Conv3D}
	const makers = "[v.Conv3DSimple, v.Conv3DNoTemporal, v.Conv2Plus1D, v.Conv3DSimple]"
	for arguments, c := range map[string]Config{
		"v.Bottleneck, " + makers + ", [1, 2, 1, 1], v.R2Plus1dStem, 3": {Bottleneck: true, Convs: all, Layers: [4]int{1, 2, 1, 1}, Stem2Plus1: true, NumClasses: 3},
		"v.BasicBlock, " + makers + ", [2, 1, 1, 2], v.BasicStem":       {Convs: all, Layers: [4]int{2, 1, 1, 2}},
	} {
		r.Compare(t, "(lambda v: v.VideoResNet("+arguments+"))(models.video.resnet)", func() any { return New(c) }, []int{2, 3, 5, 20, 24})
	}
}
