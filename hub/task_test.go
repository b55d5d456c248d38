package hub

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/safetensors"
	"github.com/torchhub/torchhub/transforms"
)

// TestPresets writes the preset of each task into a hubconf.json, reads it, and compares its transforms.
func TestPresets(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	mean, std := []float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}
	clip := torch.Ones(2, 3, 40, 60).ToDType(torch.Uint8)
	picture := transforms.Value{Image: noise(90, 70)}
	for _, c := range []struct {
		preset models.Preset
		json   string
		input  transforms.Value
		want   transforms.Transform
	}{
		{models.ClassificationPreset{Resize: 64, Crop: 56}, `{"classification": {"resize_size": 64, "crop_size": 56, "interpolation": "bilinear", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}`,
			picture, transforms.Classification(64, 56, transforms.Bilinear, mean, std)},
		{models.ClassificationPreset{Crop: 224}, `{"classification": {"resize_size": 256, "crop_size": 224, "interpolation": "bilinear", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}`,
			picture, transforms.Classification(256, 224, transforms.Bilinear, mean, std)},
		{models.SegmentationPreset{Resize: 52, Interpolation: "bicubic"}, `{"segmentation": {"resize_size": 52, "interpolation": "bicubic", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}`,
			picture, transforms.SemanticSegmentation(52, transforms.Bicubic, mean, std)},
		{models.SegmentationPreset{}, `{"segmentation": {"interpolation": "bilinear", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}`,
			picture, transforms.SemanticSegmentation(0, transforms.Bilinear, mean, std)},
		{models.DetectionPreset{}, `{"detection": {}}`, picture, transforms.ObjectDetection()},
		{models.VideoClassificationPreset{Resize: []int{32, 40}, Crop: []int{28, 30}}, `{"video_classification": {"resize_size": [32, 40], "crop_size": [28, 30], "interpolation": "bilinear", "mean": [0.43216, 0.394666, 0.37645], "std": [0.22803, 0.22145, 0.216989]}}`,
			transforms.Value{Tensor: clip}, transforms.VideoClassification([]int{32, 40}, []int{28, 30}, transforms.Bilinear, []float64{0.43216, 0.394666, 0.37645}, []float64{0.22803, 0.22145, 0.216989})},
		{models.OpticalFlowPreset{}, `{"optical_flow": {}}`, transforms.Value{Parts: []transforms.Value{picture, picture}}, transforms.OpticalFlow()},
	} {
		t.Run(string(c.preset.Task()), func(t *testing.T) {
			got, err := json.Marshal(Preprocess{Preset: c.preset})
			require.NoError(t, err)
			require.JSONEq(t, c.json, string(got))
			e := letters("letters.pt")
			e.Preprocess = &Preprocess{Preset: c.preset}
			data, err := json.Marshal(Hubconf{Version: 1, Entries: map[string]Entry{"m": e}})
			require.NoError(t, err)
			conf, err := ParseHubconf(data)
			require.NoError(t, err)
			read := conf.Entries["m"].Preprocess
			require.Equal(t, c.preset.WithDefaults(), read.Preset)
			pipeline, err := read.pipeline()
			require.NoError(t, err)
			m := &Model{steps: read, pre: transforms.Compose(toRGB{}, pipeline)}
			require.Equal(t, c.preset.Task(), m.Task())
			require.Equal(t, tensors(c.want.Transform(rgb(c.input))), tensors(m.Preprocess().Transform(c.input)))
		})
	}
	for data, want := range map[string]string{
		`{"detection": {"size": 3}}`:                                                    "preprocess.detection",
		`{"segmentation": {"resize_size": 0}}`:                                          "preprocess.segmentation.resize_size",
		`{"segmentation": {"std": [0, 1, 1]}}`:                                          "preprocess.segmentation",
		`{"video_classification": {"resize_size": [128, 171]}}`:                         "crop_size",
		`{"video_classification": {"resize_size": [1, 2, 3], "crop_size": [112, 112]}}`: "resize_size",
		`{"flow": {}}`: "flow",
		`{}`:           "preprocess",
	} {
		e := letters("letters.pt")
		e.Preprocess = nil
		conf, err := json.Marshal(Hubconf{Version: 1, Entries: map[string]Entry{"m": e}})
		require.NoError(t, err)
		var all map[string]any
		require.NoError(t, json.Unmarshal(conf, &all))
		all["entries"].(map[string]any)["m"].(map[string]any)["preprocess"] = json.RawMessage(data)
		conf, err = json.Marshal(all)
		require.NoError(t, err)
		_, err = ParseHubconf(conf)
		require.ErrorContains(t, err, want, data)
	}
}

func rgb(v transforms.Value) transforms.Value { return toRGB{}.Transform(v) }

// tensors returns the numbers of a value.
func tensors(v transforms.Value) [][]float32 {
	if v.Parts == nil {
		return [][]float32{torch.Data[float32](v.Tensor.Contiguous())}
	}
	var all [][]float32
	for _, p := range v.Parts {
		all = append(all, tensors(p)...)
	}
	return all
}

// segmenter is a model whose Forward is not that of a layer.
type segmenter struct{ Classifier *nn.Conv2d }

// Forward maps pictures [N, 3, H, W] to the scores of each pixel [N, 2, H, W], by the name of the output.
func (m *segmenter) Forward(x *torch.Tensor) map[string]*torch.Tensor {
	return map[string]*torch.Tensor{"out": m.Classifier.Forward(x)}
}

// TestOtherTask loads models for segmentation, in Go and as TorchScript, and runs them.
func TestOtherTask(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	home := hubHome(t)
	dir := t.TempDir()
	trained := &segmenter{nn.NewConv2d(3, 2, 1)}
	file := filepath.Join(dir, "segmenter.safetensors")
	require.NoError(t, safetensors.SaveFile(nn.StateDict(trained), file, nil))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	stored := "segmenter-" + digest(data)[:8] + ".pth"
	require.NoError(t, os.MkdirAll(filepath.Join(home, "checkpoints"), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(home, "checkpoints", stored), data, 0o666))

	// It is registered after this package is initialized, and found.
	models.RegisterClasses("segmenter's", []string{"sky", "earth"})
	models.Register(models.Entry{
		Name: "toy_segmenter", Repo: "testowner/segmenters", Title: "Sky and Earth", Paper: "https://example.com/segmenter",
		Build: func() any { return &segmenter{nn.NewConv2d(3, 2, 1)} },
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/" + stored, Preset: models.SegmentationPreset{Resize: 52},
			Classes: "segmenter's", Metrics: models.Metrics{"Horizons": {"miou": 60.5}}, Params: 8}},
	})
	help, err := Help(t.Context(), "testowner/segmenters", "toy_segmenter")
	require.NoError(t, err)
	require.Contains(t, help, "miou 60.5 on Horizons")
	m, err := Load(t.Context(), "testowner/segmenters", "toy_segmenter")
	require.NoError(t, err)
	defer m.Close()
	require.Equal(t, models.Segmentation, m.Task())
	require.Equal(t, []string{"sky", "earth"}, m.Labels())
	require.Equal(t, models.SegmentationPreset{Resize: 52}.WithDefaults(), m.Preset())
	x := m.Preprocess().Apply(noise(90, 70)).Unsqueeze(0)
	require.Equal(t, []int{1, 3, 52, 66}, x.Shape())
	torch.NoGrad(func() {
		want := torch.Data[float32](trained.Forward(x)["out"])
		require.Equal(t, want, torch.Data[float32](m.Module().(*segmenter).Forward(x)["out"]))
	})
	var task *TaskError
	_, err = m.Classify(t.Context(), noise(90, 70), 5)
	require.ErrorAs(t, err, &task)
	require.EqualError(t, err, `hub: model "toy_segmenter": the model is for segmentation, not for classification; make its input with Preprocess, and call Call, or the Forward of its Module`)
	_, err = m.Call(t.Context(), x)
	require.ErrorContains(t, err, "its module is a *hub.segmenter, which does not map a tensor to a tensor")
	require.ErrorContains(t, torch.Try(func() { m.Forward(x) }), "*hub.segmenter")
	_, err = models.New[nn.Module]("toy_segmenter")
	require.EqualError(t, err, "models: toy_segmenter is a *hub.segmenter for segmentation, not a nn.Module")
	built, err := models.New[*segmenter]("toy_segmenter")
	require.NoError(t, err)
	require.NotNil(t, built.Classifier)

	// A program of a hubconf.json.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "letters.pt"), builtin.Model(), 0o666))
	e := letters("letters.pt")
	e.Preprocess = &Preprocess{Preset: models.SegmentationPreset{Resize: 40}}
	require.NoError(t, Pack(t.Context(), dir, "m", e))
	p, err := Load(t.Context(), dir, "m", WithSource("local"), WithLabels([]string{"one", "two"}))
	require.NoError(t, err)
	defer p.Close()
	require.Equal(t, models.Segmentation, p.Task())
	require.Nil(t, p.Module())
	require.Equal(t, []string{"one", "two"}, p.Labels())
	_, err = p.Logits(t.Context(), noise(40, 40))
	require.ErrorAs(t, err, &task)
	y, err := p.Call(t.Context(), p.Preprocess().Apply(noise(40, 40)).Unsqueeze(0))
	require.NoError(t, err)
	require.Equal(t, []int{1, 36}, y.(*torch.Tensor).Shape())
}
