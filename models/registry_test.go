package models_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
)

func entry(change func(e *models.Entry)) models.Entry {
	e := models.Entry{Name: "some", Repo: "test/owner", Build: func() any { return nil },
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/some-01234567.pth", Preset: models.DetectionPreset{}}}}
	change(&e)
	return e
}

func TestRegisterMistakes(t *testing.T) {
	for want, f := range map[string]func(){
		`the entry "" lacks`:     func() { models.Register(entry(func(e *models.Entry) { e.Name = "" })) },
		`the entry "some" lacks`: func() { models.Register(entry(func(e *models.Entry) { e.Build = nil })) },
		`lacks a name, Build or`: func() { models.Register(entry(func(e *models.Entry) { e.Weights = nil })) },
		`a model "resnet18"`:     func() { models.Register(entry(func(e *models.Entry) { e.Name = "resnet18" })) },
		`lack a preset`:          func() { models.Register(entry(func(e *models.Entry) { e.Weights[0].Preset = nil })) },
		`of another task`: func() {
			models.Register(entry(func(e *models.Entry) {
				e.Weights = append(e.Weights, models.Weights{Name: "V2", Preset: models.OpticalFlowPreset{}})
			}))
		},
		`some has no weights "V3"`:                   func() { models.Register(entry(func(e *models.Entry) { e.DefaultWeights = "V3" })) },
		`the classes "none"`:                         func() { models.Register(entry(func(e *models.Entry) { e.Weights[0].Classes = "none" })) },
		`"ImageNet-1K" is empty or taken`:            func() { models.RegisterClasses(models.ImageNet, []string{"a"}) },
		`RegisterClasses: the name ""`:               func() { models.RegisterClasses("", []string{"a"}) },
		`there are no labels`:                        func() { models.RegisterClasses("empty", nil) },
		`RegisterFamily: the name "resnet" is empty`: func() { models.RegisterFamily(models.Family{Name: "resnet"}) },
		`two families convert timm's "resnet50"`: func() {
			models.RegisterFamily(models.Family{Name: "another", Timm: map[string]models.Converter{"resnet50": nil}})
		},
	} {
		func() {
			defer func() { require.Contains(t, recover(), want) }()
			f()
		}()
	}
	_, err := models.Lookup("some")
	require.Error(t, err)
}

func TestDecodeArguments(t *testing.T) {
	var a struct {
		Width *int `json:"width_mult"`
		Depth *int `json:"depth"`
	}
	require.NoError(t, models.DecodeArguments(nil, &a))
	require.NoError(t, models.DecodeArguments([]byte(` {"depth": 3} `), &a))
	require.Equal(t, 3, *a.Depth)
	require.Nil(t, a.Width)
	for arguments, want := range map[string]string{
		`{"width": 1}`:   `there is no argument "width"; there are width_mult and depth`,
		`{"depth": "3"}`: "the argument depth cannot be a string",
		`[]`:             `the arguments "[]" are not a JSON object such as {"num_classes": 10}; there are width_mult and depth`,
		`{} {}`:          "something follows the arguments; give one JSON object",
	} {
		require.EqualError(t, models.DecodeArguments([]byte(arguments), &a), want)
	}
}

func TestPresetAndMetricsInWords(t *testing.T) {
	require.Equal(t, "top-1 80.5 %, acc@10 97 on A; epe 1.38 on B", models.Metrics{"B": {"epe": 1.38}, "A": {"acc@1": 80.5, "acc@10": 97}}.String())
	for want, p := range map[string]models.Preset{
		"resize 256 (bilinear), crop 224, mean [0.485 0.456 0.406], std [0.229 0.224 0.225]": models.ClassificationPreset{Crop: 224},
		"resize 520 (bicubic), mean [0 0 0], std [1 1 1]":                                    models.SegmentationPreset{Resize: 520, Interpolation: "bicubic", Mean: []float64{0, 0, 0}, Std: []float64{1, 1, 1}},
		"mean [0.485 0.456 0.406], std [0.229 0.224 0.225]":                                  models.SegmentationPreset{},
		"scale to [0, 1]": models.DetectionPreset{},
		"resize [128 171] (bilinear), crop [112 112], mean [0.43216 0.394666 0.37645], std [0.22803 0.22145 0.216989]": models.VideoClassificationPreset{Resize: []int{128, 171}, Crop: []int{112, 112}},
		"scale to [-1, 1]": models.OpticalFlowPreset{},
	} {
		require.Equal(t, want, p.WithDefaults().String())
	}
}

func TestConfigurer(t *testing.T) {
	type config struct {
		NumClasses int      `json:"num_classes"`
		Dropout    *float64 `json:"dropout"`
		Alpha      float64  `json:"alpha" limits:"-1,10"`
		Widths     []int    `json:"widths"`
		Norm       bool     `json:"norm"`
		Fixed      int
	}
	shared := config{Dropout: new(0.5), Widths: []int{1, 2, 3}, Fixed: 7}
	configure := models.Configurer(shared, func(c config) *config { return &c })
	build, err := configure([]byte(`{"num_classes": 3, "dropout": 0, "widths": [9], "norm": true, "alpha": null}`))
	require.NoError(t, err)
	require.Equal(t, &config{NumClasses: 3, Dropout: new(0.0), Widths: []int{9}, Norm: true, Fixed: 7}, build())
	require.Equal(t, config{Dropout: new(0.5), Widths: []int{1, 2, 3}, Fixed: 7}, shared)
	for arguments, want := range map[string]string{
		`{"num_classes": 0}`:          "num_classes is 0; give a number from 1 to 16777216",
		`{"num_classes": 1000000000}`: "num_classes is 1000000000; give",
		`{"num_classes": 1e3}`:        "the argument num_classes cannot be a number 1e3",
		`{"Num_Classes": 1}`:          `there is no argument "Num_Classes"; there are num_classes, dropout, alpha, widths and norm`,
		`{"Fixed": 1}`:                `there is no argument "Fixed"`,
		`{"dropout": 1.5}`:            "dropout is 1.5; give a number from 0 to 1",
		`{"alpha": -2}`:               "alpha is -2; give a number from -1 to 10",
		`{"widths": [1, 0]}`:          "element 1 of widths is 0; give a number from 1 to 65536",
		`{"norm": 1}`:                 "the argument norm cannot be a number",
		`[]`:                          "are not a JSON object",
		`{} {}`:                       "something follows the arguments",
	} {
		_, err := configure([]byte(arguments))
		require.ErrorContains(t, err, want)
	}
	_, err = configure([]byte(`{"widths": [` + strings.Repeat("1,", 1024) + `1]}`))
	require.ErrorContains(t, err, "widths has 1025 elements")
}
