package hub

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// onBase is a model whose backbone is another one without its head.
type onBase struct {
	Body *nn.Linear
	Head *nn.Linear
}

type base struct{ Body, FC *nn.Linear }

func TestWeightsBackbone(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	type arguments struct {
		NumClasses int `json:"num_classes"`
	}
	models.RegisterClasses("two", []string{"left", "right"})
	models.Register(models.Entry{
		Name: "toy_base", Repo: "testowner/backbones", Build: func() any { return &base{nn.NewLinear(2, 3), nn.NewLinear(3, 5)} },
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/base-01234567.pth", Preset: models.ClassificationPreset{Crop: 8}}},
	}, models.Entry{
		Name: "toy_on_base", Repo: "testowner/backbones", Build: func() any { return nil },
		Backbone: models.NewBackbone("toy_base", "V1", func(s torch.StateDict) func([]byte) (func() any, error) {
			return models.Configurer(arguments{2}, func(a arguments) any {
				b := &base{nn.NewLinear(2, 3), nn.NewLinear(3, 5)}
				if err := nn.LoadStateDict(b, s); err != nil {
					panic(&torch.Error{Op: "toy", Msg: err.Error()})
				}
				return &onBase{b.Body, nn.NewLinear(3, a.NumClasses)}
			})
		}),
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/toy-01234567.pth", Preset: models.DetectionPreset{}, Classes: "two"}},
	})
	trained := &base{nn.NewLinear(2, 3), nn.NewLinear(3, 5)}
	file := filepath.Join(t.TempDir(), "w.pth")
	require.NoError(t, nn.SaveStateDict(file, trained))
	load := func(opts ...Option) (*Model, error) {
		return Load(t.Context(), "testowner/backbones", "toy_on_base", append(opts, WithNotice(nil))...)
	}
	for n, opts := range map[int][]Option{2: nil, 4: {WithNumClasses(4)}, 7: {WithArguments(`{"num_classes": 7}`)}} {
		var notice strings.Builder
		m, err := Load(t.Context(), "testowner/backbones", "toy_on_base", append(opts, WithWeightsBackbone(file), WithNotice(&notice))...)
		require.NoError(t, err)
		require.Equal(t, "torchhub: toy_on_base has weights of toy_base in its backbone; its other tensors are new, and to be trained\n", notice.String())
		got := m.Module().(*onBase)
		require.Equal(t, torch.Data[float32](trained.Body.Weight.Detach()), torch.Data[float32](got.Body.Weight.Detach()))
		require.Equal(t, n, got.Head.Weight.Size(0))
		require.Equal(t, n == 2, m.Labels() != nil)
		require.Equal(t, models.Detection, m.Task())
		require.NoError(t, m.Close())
	}
	_, err := load(WithWeightsBackbone("V2"))
	require.ErrorContains(t, err, `and the model has no weights of that name; did you mean V1`)
	_, err = load(WithWeightsBackbone(file), WithWeights("V1"))
	require.ErrorContains(t, err, "weights of the model and of its backbone are given; give one of them")
	_, err = Load(t.Context(), "testowner/backbones", "toy_base", WithWeightsBackbone(""))
	require.ErrorContains(t, err, "the model has no backbone that can start from weights of another model")
	wrong := filepath.Join(t.TempDir(), "wrong.pth")
	require.NoError(t, nn.SaveStateDict(wrong, nn.NewLinear(2, 2)))
	_, err = load(WithWeightsBackbone(wrong))
	require.ErrorContains(t, err, `the state dict does not fit the module: missing "body.weight"`)
}
