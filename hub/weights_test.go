package hub

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
)

func TestWeightsByName(t *testing.T) {
	e, err := findRegistered("", "resnet50")
	require.NoError(t, err)
	require.Equal(t, "IMAGENET1K_V2", e.Artifacts[0].Name)
	for name, want := range map[string]string{
		"DEFAULT": "IMAGENET1K_V2", "pretrained": "IMAGENET1K_V1", "ResNet50_Weights.IMAGENET1K_V1": "IMAGENET1K_V1", "IMAGENET1K_V1": "IMAGENET1K_V1",
	} {
		a, file, err := newLoader([]Option{WithWeights(name)}).choose(t.Context(), e, place{})
		require.NoError(t, err)
		require.Equal(t, want, a.Name)
		require.Empty(t, file)
	}
	_, _, err = newLoader([]Option{WithWeights("ResNet18_Weights.DEFAULT")}).choose(t.Context(), e, place{})
	require.ErrorContains(t, err, "the model has no weights of that name")
}

// TestWeightsWithoutHash registers a file whose name has no hash, which only package models can announce.
func TestWeightsWithoutHash(t *testing.T) {
	of := func(noHash bool) models.Entry {
		return models.Entry{Name: "old", Repo: "testowner/old", Build: func() any { return nil }, Weights: []models.Weights{
			{Name: "V1", URL: "https://example.com/old_0123abcd.pth", NoHash: noHash, Preset: models.DetectionPreset{}}}}
	}
	e := of(false)
	require.Panics(t, func() { Register(e.Repo, e.Name, published(&e)) })
	e = of(true)
	require.NotPanics(t, func() { Register(e.Repo, e.Name, published(&e)) })
}
