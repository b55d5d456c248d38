package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/safetensors"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// grayPNG returns a picture of one gray value.
func grayPNG(t *testing.T, w, h int, gray uint8) []byte {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = gray
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// grayGIF returns an animation whose frames have the gray values 0, step, 2·step, …
func grayGIF(t *testing.T, frames, step int) []byte {
	var g gif.GIF
	for i := range frames {
		img := image.NewPaletted(image.Rect(0, 0, 24, 16), color.Palette{color.Gray{uint8(i * step)}})
		g.Image, g.Delay = append(g.Image, img), append(g.Delay, 10)
	}
	var b bytes.Buffer
	require.NoError(t, gif.EncodeAll(&b, &g))
	return b.Bytes()
}

// brightness is a model for videos, whose logits are the number of the frames and the gray values of the first two and the last.
type brightness struct{ Bias *torch.Tensor }

// Forward maps [1, 3, T, H, W] to [1, 4].
func (m *brightness) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckVideos("brightness", x, 2, 1)
	gray := torch.Data[float32](x.Mean(0, 1, 3, 4)) // [T]
	return torch.FromSlice([]float32{float32(len(gray)), 255 * gray[0], 255 * gray[1], 255 * gray[len(gray)-1]}, 1, 4)
}

func TestPredictVideo(t *testing.T) {
	dir := t.TempDir()
	models.Register(models.Entry{Name: "brightness", Repo: "testowner/brightness", Build: func() any { return &brightness{torch.Zeros(2)} },
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/brightness-01234567.pth",
			Preset: models.VideoClassificationPreset{Resize: []int{8, 8}, Crop: []int{8, 8}, Mean: []float64{0, 0, 0}, Std: []float64{1, 1, 1}}}}})
	weights := filepath.Join(dir, "w.safetensors")
	require.NoError(t, safetensors.SaveFile(nn.StateDict(&brightness{torch.Zeros(2)}), weights, nil))
	predict := func(args ...string) (out []classifiedVideo, errs string, status int) {
		text, errs, status := inProcess(t, append([]string{"predict", "--device", "cpu", "-m", "brightness", "--weights", weights, "--json", "-k", "4"}, args...)...)
		for l := range strings.Lines(text) {
			var v classifiedVideo
			require.NoError(t, json.Unmarshal([]byte(l), &v))
			require.Len(t, v.Top, 4)
			out = append(out, v)
		}
		return out, errs, status
	}
	videos := filepath.Join(dir, "videos")
	require.NoError(t, os.MkdirAll(filepath.Join(videos, "stills"), 0o777))
	write(t, videos, "long.gif", grayGIF(t, 61, 1))
	for i := range 12 {
		write(t, filepath.Join(videos, "stills"), fmt.Sprintf("frame%d.png", i), grayPNG(t, 20, 10, uint8(10*i)))
	}
	still := func(i int) string { return filepath.Join(videos, "stills", fmt.Sprintf("frame%d.png", i)) }

	// The logits are large numbers, of which the first label is the greatest.
	out, errs, status := predict(videos)
	require.Zero(t, status, errs)
	require.Len(t, out, 2)
	require.Equal(t, []any{filepath.Join(videos, "long.gif"), 61, 16, 3}, []any{out[0].Video, out[0].Frames, out[0].Used, out[0].Top[0].Index})
	require.Equal(t, []any{filepath.Join(videos, "stills"), 12, 12, 3}, []any{out[1].Video, out[1].Frames, out[1].Used, out[1].Top[0].Index})
	out, _, _ = predict(still(0), still(10), filepath.Join(videos, "long.gif"), still(3))
	require.Equal(t, []int{61, 3}, []int{out[0].Frames, out[1].Frames})
	require.Equal(t, 2, out[1].Top[0].Index, "the second frame is the lightest")
	out, _, _ = predict("--frames", "5", filepath.Join(videos, "stills", "*.png"))
	require.Equal(t, []int{12, 5}, []int{out[0].Frames, out[0].Used})
	require.Nil(t, out[0].Logits)
	out, _, _ = predict("--logits", filepath.Join(videos, "stills"))
	require.InDeltaSlice(t, []float32{12, 0, 10, 110}, out[0].Logits, 1e-3)

	text, errs, status := inProcess(t, "predict", "--device", "cpu", "-m", "brightness", "--weights", weights, "-k", "1", videos)
	require.Zero(t, status, errs)
	require.Contains(t, text, "long.gif: brightness on cpu, 16 of 61 frames\n  100.00 %  class 3\n")
	other := write(t, dir, "other.png", grayPNG(t, 30, 10, 0))
	for want, args := range map[string][]string{
		"frame0.png: brightness: brightness: the number of frames is 1; give at least 2": {still(0)},
		"frame 1 is 30×10 pixels, and frame 0 is 20×10 pixels; give frames of one size":  {still(0), other},
		"none.png: no such file":               {still(0), filepath.Join(dir, "none.png")},
		"there are no pictures in the folder":  {t.TempDir()},
		"--frames is 0 and must be at least 1": {"--frames", "0", videos},
		"-o is for segmentation, detection and optical flow, and brightness is for video_classification; leave it out": {"-o", dir, videos},
	} {
		_, errs, status := predict(args...)
		require.NotZero(t, status)
		require.Contains(t, errs, want)
		require.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
}

func TestSpacedFrames(t *testing.T) {
	require.Equal(t, []int{0, 1, 2}, spaced(3, 16))
	require.Equal(t, []int{0, 3, 6, 10}, spaced(11, 4))
	require.Equal(t, []int{0}, spaced(11, 1))
	names := []string{"a10", "a9", "a09", "b1", "a", "a10b2", "a10b10"}
	for i, a := range names {
		for j, b := range names {
			require.Equal(t, compareNumbered(a, b), -compareNumbered(b, a), "%s %s", a, b)
			require.Equal(t, i == j, compareNumbered(a, b) == 0)
		}
	}
	require.Negative(t, compareNumbered("f2.png", "f10.png"))
	require.Negative(t, compareNumbered("2/f10.png", "10/f2.png"))
}

// motion is a model for optical flow: gray values of the first and the second picture are the motion to the right and down.
type motion struct{ Bias *torch.Tensor }

// Forward maps pictures [1, 3, H, W] of at least 8 pixels to a flow.
func (*motion) Forward(first, second *torch.Tensor, _ ...models.FlowOptions) []*torch.Tensor {
	if first.Size(2)%8 != 0 {
		panic(&torch.Error{Op: "motion", Msg: "give pictures whose sides are multiples of 8"})
	}
	return []*torch.Tensor{torch.Stack([]*torch.Tensor{first.Mean(1), second.Mean(1)}, 1)}
}

func TestPredictFlow(t *testing.T) {
	dir := t.TempDir()
	models.Register(models.Entry{Name: "motion", Repo: "testowner/motion", Build: func() any { return &motion{torch.Zeros(2)} },
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/motion-01234567.pth", Preset: models.OpticalFlowPreset{}}}})
	weights := filepath.Join(dir, "w.safetensors")
	require.NoError(t, safetensors.SaveFile(nn.StateDict(&motion{torch.Zeros(2)}), weights, nil))
	predict := func(args ...string) (out []estimatedFlow, errs string, status int) {
		text, errs, status := inProcess(t, append([]string{"predict", "--device", "cpu", "-m", "motion", "--weights", weights, "--json"}, args...)...)
		for l := range strings.Lines(text) {
			var v estimatedFlow
			require.NoError(t, json.Unmarshal([]byte(l), &v))
			out = append(out, v)
		}
		return out, errs, status
	}
	a, b := write(t, dir, "a.png", pngOf(t, 24, 16)), write(t, dir, "b.png", grayPNG(t, 24, 16, 255))
	long := write(t, dir, "long.gif", grayGIF(t, 4, 60))
	to := filepath.Join(dir, "out")
	out, errs, status := predict("-o", to, a, b, long)
	require.Zero(t, status, errs)
	require.Len(t, out, 4)
	n := 0 // that a bar counts to
	for c, err := range clips(t.Context(), nil, []string{a, b, long}) {
		require.NoError(t, err)
		n += flowsOf(c)
	}
	require.Equal(t, len(out), n)
	require.Equal(t, []string{long + " frame 0", long + " frame 1", filepath.Join(to, "long-0.png")}, []string{out[0].First, out[0].Second, out[0].Annotated})
	pair := out[3]
	require.Equal(t, []any{a, b, 24, 16, filepath.Join(to, "a.flo")}, []any{pair.First, pair.Second, pair.Width, pair.Height, pair.Flow})
	data, err := os.ReadFile(pair.Flow)
	require.NoError(t, err)
	require.Equal(t, "PIEH\x18\x00\x00\x00\x10\x00\x00\x00", string(data[:12]))
	require.Len(t, data, 12+24*16*2*4)
	flow := make([]float32, 24*16*2) // [H, W, 2]
	require.NoError(t, binary.Read(bytes.NewReader(data[12:]), binary.LittleEndian, flow))
	require.Equal(t, float32(1), flow[1])
	t.Run("live", func(t *testing.T) {
		reference.Python(t)
		want := torchtest.Python(t, `
import numpy as np
from PIL import Image
from torchvision.datasets._optical_flow import _read_flo
from torchvision.utils import flow_to_image

def run(flo, png):
    flow = torch.from_numpy(_read_flo(flo))
    return [flow, bool((flow_to_image(flow).permute(1, 2, 0).numpy() == np.asarray(Image.open(png))).all())]
`).Call("run", pair.Flow, pair.Annotated).([]torch.Value)
		require.Equal(t, true, want[1])
		require.Equal(t, flow, torch.Data[float32](want[0].(*torch.Tensor).Permute(1, 2, 0).Contiguous()))
	})
	text, _, status := inProcess(t, "predict", "--device", "cpu", "-m", "motion", "--weights", weights, b, b)
	require.Zero(t, status)
	require.Equal(t, b+" and "+b+": motion on cpu\n1.41 pixels on average, 1.41 at most\n", text)
	odd, small := write(t, dir, "odd.png", grayPNG(t, 24, 18, 0)), write(t, t.TempDir(), "one.png", grayPNG(t, 24, 16, 0))
	for want, args := range map[string][]string{
		"the number of pictures is 3, and optical flow is from one to another":                                                        {a, b, a},
		"there is one picture, and optical flow is from one to another; give at least two":                                            {filepath.Dir(small)},
		"a.png and " + odd + ": motion: the first picture is 24×16 pixels, and the second is 24×18 pixels; give pictures of one size": {a, odd},
		"odd.png: motion: motion: give pictures whose sides are multiples of 8":                                                       {odd, odd},
		"none.png: no such file": {a, filepath.Join(dir, "none.png")},
	} {
		_, errs, status := predict(args...)
		require.Equal(t, 1, status)
		require.Contains(t, errs, want)
		require.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
	out, errs, status = predict(a, filepath.Join(dir, "none.png"), b, a)
	require.Equal(t, 1, status)
	require.Contains(t, errs, "none.png: no such file")
	require.Len(t, out, 1, "the other pair")
}
