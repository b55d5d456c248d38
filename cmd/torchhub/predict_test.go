package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/safetensors"
)

// halves is a model for segmentation: the right half of a picture is of class 1.
type halves struct{ Bias *torch.Tensor }

func newHalves() *halves { return &halves{torch.Zeros(2)} }

// Forward maps [1, 3, H, W] to [1, 2, H, W].
func (m *halves) Forward(x *torch.Tensor) *models.SegmentationOutput {
	h, w := x.Size(2), x.Size(3)
	score := make([]float32, 2*h*w)
	for i := range h * w {
		class := 2 * (i % w) / w
		score[class*h*w+i] = 3
	}
	return &models.SegmentationOutput{Out: torch.FromSlice(score, 1, 2, h, w)}
}

// inProcess runs the command in this process.
func inProcess(t *testing.T, args ...string) (stdout, stderr string, status int) {
	var out, errs bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), status
}

func TestPredictSegmentation(t *testing.T) {
	dir := t.TempDir()
	models.RegisterClasses("halves", []string{background, "right"})
	models.Register(models.Entry{Name: "halves", Repo: "testowner/halves", Build: func() any { return newHalves() },
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/halves-01234567.pth", Preset: models.SegmentationPreset{Resize: 20}, Classes: "halves"}}})
	weights := filepath.Join(dir, "w.safetensors")
	require.NoError(t, safetensors.SaveFile(nn.StateDict(newHalves()), weights, nil))
	pictures := filepath.Join(dir, "pictures")
	require.NoError(t, os.MkdirAll(filepath.Join(pictures, "deep"), 0o777))
	write(t, pictures, "a.png", pngOf(t, 60, 40))
	write(t, pictures, "text.txt", nil)
	write(t, filepath.Join(pictures, "deep"), "a.PNG", pngOf(t, 33, 22))
	to := filepath.Join(dir, "out")
	out, errs, status := inProcess(t, "predict", "--device", "cpu", "-m", "halves", "--weights", weights, "--json", "-o", to, pictures, filepath.Join(dir, "none.png"))
	require.Equal(t, 1, status, errs)
	require.Contains(t, errs, "none.png: no such file")
	require.Equal(t, 1, strings.Count(errs, "\n"))
	var all []segmented
	for l := range strings.Lines(out) {
		var s segmented
		require.NoError(t, json.Unmarshal([]byte(l), &s))
		all = append(all, s)
	}
	require.Len(t, all, 2)
	s := all[0]
	require.Equal(t, []int{60, 40}, []int{s.Width, s.Height})
	require.Len(t, s.Regions, 2)
	require.Equal(t, []any{"right", 0.5}, []any{s.Regions[1].Name, s.Regions[1].Share})
	require.Equal(t, filepath.Join(to, "a.png"), s.Annotated)
	require.Equal(t, filepath.Join(to, "deep", "a.classes.png"), all[1].Classes)
	open := func(name string) image.Image {
		f, err := os.Open(name)
		require.NoError(t, err)
		defer f.Close()
		img, err := png.Decode(f)
		require.NoError(t, err)
		return img
	}
	classes := open(s.Classes).(*image.Paletted)
	require.Equal(t, []uint8{0, 1}, []uint8{classes.ColorIndexAt(29, 7), classes.ColorIndexAt(30, 7)})
	before, after := open(filepath.Join(pictures, "a.png")), open(s.Annotated)
	require.Equal(t, before.Bounds(), after.Bounds())
	r, _, _, _ := after.At(5, 5).RGBA() // of the background, which is as it was but for a rounding
	require.InDelta(t, before.(*image.NRGBA).NRGBAAt(5, 5).R, r>>8, 1)

	out, errs, status = inProcess(t, "predict", "--device", "cpu", "-m", "halves", "--weights", weights, "-k", "1", filepath.Join(pictures, "*.png"))
	require.Zero(t, status, errs)
	require.Contains(t, out, "a.png: halves on cpu\n  50.00 %  __background__\n")
	_, errs, status = inProcess(t, "predict", "-m", "halves", "--json", "--logits", "x.png")
	require.Equal(t, 2, status)
	require.Equal(t, "torchhub: --logits is for classification, and halves is for segmentation; leave it out\n", errs)
	_, errs, status = inProcess(t, "predict", "-m", "resnet18", "-o", to, "x.png")
	require.Equal(t, 2, status)
	require.Equal(t, "torchhub: -o is for segmentation, detection and optical flow, and resnet18 is for classification; leave it out\n", errs)
}

// whole finds the whole picture, with a mask and key points.
type whole struct{ Bias *torch.Tensor }

func (*whole) Detect(images []*torch.Tensor) (all []models.DetectionOutput) {
	h, w := images[0].Size(1), images[0].Size(2)
	return []models.DetectionOutput{{
		Boxes:  torch.FromSlice([]float32{1, 2, float32(w), float32(h), 0, 0, 1, 1}, 2, 4),
		Labels: torch.FromSlice([]int64{1, 1}, 2), Scores: torch.FromSlice([]float32{0.75, 0.25}, 2), Masks: torch.Ones(2, 1, h, w),
		Keypoints: torch.Ones(2, 17, 3), KeypointScores: torch.Ones(2, 17),
	}}
}

func (*whole) Losses([]*torch.Tensor, []models.DetectionTarget) []models.Loss { return nil }

func TestPredictDetection(t *testing.T) {
	dir := t.TempDir()
	models.Register(models.Entry{Name: "whole", Repo: "testowner/whole", Build: func() any { return &whole{torch.Zeros(2)} },
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/whole-01234567.pth", Preset: models.DetectionPreset{}, Classes: models.COCO, Keypoints: []string{"nose"}}}})
	weights := filepath.Join(dir, "w.safetensors")
	require.NoError(t, safetensors.SaveFile(nn.StateDict(&whole{torch.Zeros(2)}), weights, nil))
	picture := write(t, dir, "a.png", pngOf(t, 60, 40))
	out, errs, status := inProcess(t, "predict", "--device", "cpu", "-m", "whole", "--weights", weights, "--json", "-o", dir+"/out", picture)
	require.Zero(t, status, errs)
	var d detected
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	require.Len(t, d.Objects, 1)
	require.Equal(t, "person", d.Objects[0].Name)
	require.Equal(t, [4]float64{1, 2, 60, 40}, d.Objects[0].Box)
	require.Len(t, d.Objects[0].Keypoints, 17)
	require.FileExists(t, d.Annotated)
	out, errs, status = inProcess(t, "predict", "--device", "cpu", "-m", "whole", "--weights", weights, "--min-score", "0", picture)
	require.Zero(t, status, errs)
	require.Contains(t, out, "whole on cpu\n  75.00 %  person at 1,2 to 60,40\n  25.00 %  person at 0,0 to 1,1\n")
	out, errs, status = inProcess(t, "predict", "--device", "cpu", "-m", "whole", "--weights", weights, "--min-score", "0.9", "--json", picture)
	require.Zero(t, status, errs)
	require.Contains(t, out, `"objects":[]`)
	_, errs, status = inProcess(t, "predict", "-m", "whole", "--min-score", "2", picture)
	require.Equal(t, 2, status)
	require.Equal(t, "torchhub: --min-score is 2 and must be from 0 to 1\n", errs)
}

// TestPredictMany classifies a folder in order, beside pictures that cannot be had.
func TestPredictMany(t *testing.T) {
	dir := t.TempDir()
	for i := range 11 {
		write(t, dir, string(rune('a'+i))+".png", builtin.Picture())
	}
	write(t, dir, "e.png", []byte("text"))
	write(t, dir, ".hidden.png", nil)
	out, errs, status := inProcess(t, "predict", "--device", "cpu", "-m", "resnet18", "--weights", scripted(t), "--json", dir, filepath.Join(dir, "x*"), filepath.Join(dir, "[a-"), t.TempDir(), filepath.Join(dir, "a.png"))
	require.Equal(t, 1, status)
	var names []string
	for l := range strings.Lines(out) {
		var p prediction
		require.NoError(t, json.Unmarshal([]byte(l), &p))
		require.Len(t, p.Top, 5)
		names = append(names, strings.TrimSuffix(filepath.Base(p.Image), ".png"))
	}
	require.Equal(t, "a b c d f g h i j k a", strings.Join(names, " "))
	for _, want := range []string{"e.png: it is a text file", "x*: no file matches the pattern", "[a-: the pattern is not valid", "there are no pictures in the folder"} {
		require.Contains(t, errs, want)
	}
}

// TestPredictOptimize predicts with an optimized model, which is also what many pictures get.
func TestPredictOptimize(t *testing.T) {
	want, errs, status := inProcess(t, "predict", "--json")
	require.Zero(t, status, errs)
	got, errs, status := inProcess(t, "predict", "--json", "--optimize")
	require.Zero(t, status, errs)
	require.Equal(t, want, got) // the first two batches run as without
	got, errs, status = inProcess(t, "predict", "--json", "--optimize", "--dtype", "bfloat16")
	require.Zero(t, status, errs)
	require.Equal(t, want, got)
	_, errs, status = inProcess(t, "predict", "--dtype", "bfloat16")
	require.Equal(t, 2, status)
	require.Contains(t, errs, "--dtype bfloat16 is for optimized models; give --optimize too")
	c := predictCommand()
	var f predictFlags
	f.optimizeFor(c, many)
	require.True(t, f.optimizes(torch.CPU))
	require.False(t, f.optimizes("cuda:1"))
	f.optimizeFor(c, many-1)
	require.False(t, f.optimizes(torch.CPU))
	require.NoError(t, c.Flags().Set("optimize", "false"))
	f.optimizeFor(c, many)
	require.False(t, f.optimizes(torch.CPU))
	f.optimize = true
	require.True(t, f.optimizes(torch.CUDA))
}
