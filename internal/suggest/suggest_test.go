package suggest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var models = []string{
	"resnet101", "resnet152", "resnet18", "resnet34", "resnet50", "resnext101_32x16d_wsl", "resnext101_32x8d", "resnext101_32x8d_wsl",
	"resnext101_64x4d", "resnext50_32x4d", "wide_resnet101_2", "wide_resnet50_2",
}

func TestNear(t *testing.T) {
	for name, want := range map[string][]string{
		"resnext101":   {"resnext101_32x8d", "resnext101_64x4d", "resnext101_32x8d_wsl"},
		"resnet5":      {"resnet50", "resnet18", "resnet34"},
		"ResNet-50":    {"resnet50", "resnet18", "resnet34"},
		"resnet18.pth": {"resnet18", "resnet34", "resnet50"},
		"wsl 32x16":    nil,
		"32x16d wsl":   {"resnext101_32x16d_wsl"},
		"wideresnet50": {"wide_resnet50_2"},
		"yolov5s":      nil,
		"":             nil,
	} {
		got := Near(name, models, 3)
		if want == nil {
			require.Empty(t, got, name)
			continue
		}
		require.Equal(t, want[0], got[0], name)
		require.Subset(t, models, got)
		require.LessOrEqual(t, len(got), 3)
	}
	require.Equal(t, []string{"weights"}, Near("weigths", []string{"device", "json", "weights"}, 1))
	require.Empty(t, Near(strings.Repeat("x", 1<<20), models, 3))
}

func TestMean(t *testing.T) {
	require.Empty(t, Mean(nil))
	require.Equal(t, "did you mean a?", Mean([]string{"a"}))
	require.Equal(t, "did you mean a, b or c?", Mean([]string{"a", "b", "c"}))
}

func TestNatural(t *testing.T) {
	want := []string{"a", "a1", "a2", "a02", "a10", "a10b", "b", "resnet18", "resnet34", "resnet101", "resnext50_32x4d", "resnext101_32x8d", "resnext101_32x16d"}
	got := slices.Clone(want)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, Natural)
	require.Equal(t, want, got)
}
