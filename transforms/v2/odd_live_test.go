package v2_test

import (
	"fmt"
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	v2 "github.com/torchhub/torchhub/transforms/v2"
)

// TestRotatedBoxesOfIntegers compares with Python's wrap, which, unlike the constructor, checks no dtype.
func TestRotatedBoxesOfIntegers(t *testing.T) {
	p := reference.Start(t, `
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

def apply(expr, rows, numbers, n, dtype, format):
    like = tv_tensors.BoundingBoxes(torch.zeros(1, numbers), format=format, canvas_size=(40, 50))
    b = tv_tensors.wrap(torch.tensor(rows).reshape(-1, numbers)[:n].to(getattr(torch, dtype)), like=like)
    torch.manual_seed(0)
    try:
        out = eval(expr)(torch.zeros(3, 40, 50), b)[1]
    except Exception as e:
        return "refused"
    return f"{str(out.dtype)[6:]} {list(out.shape)} {out.double().round().long().tolist()}".replace(",", "")
`)
	passed := 0
	none := v2.SanitizeBoundingBoxes(v2.SanitizeBoundingBoxesOptions{NoLabels: true})
	for _, tr := range []struct {
		python string
		t      v2.Transform
	}{
		{"v2.RandomHorizontalFlip(1)", v2.RandomHorizontalFlip(1)},
		{"v2.RandomVerticalFlip(1)", v2.RandomVerticalFlip(1)},
		{"v2.SanitizeBoundingBoxes(labels_getter=None)", none},
		{"v2.ClampBoundingBoxes()", v2.ClampBoundingBoxes()},
		{"v2.Resize((20, 20))", v2.Resize([]int{20, 20})},
		{"v2.CenterCrop(30)", v2.CenterCrop(30)},
		{"v2.Pad(3)", v2.Pad(3)},
		{"v2.RandomRotation((90, 90))", v2.RandomRotation([]float64{90, 90})},
		{"v2.RandomIoUCrop(sampler_options=[1.0])", v2.RandomIoUCrop(v2.RandomIoUCropOptions{SamplerOptions: []float64{1}})},
		{"v2.RandomIoUCrop(sampler_options=[0.5])", v2.RandomIoUCrop(v2.RandomIoUCropOptions{SamplerOptions: []float64{0.5}})},
	} {
		for format, row := range map[tv.BoundingBoxFormat][]float32{
			tv.CXCYWHR:  {20, 20, 10, 10, 30},
			tv.XYWHR:    {10, 10, 10, 10, 30},
			tv.XYXYXYXY: {10, 10, 20, 10, 20, 20, 10, 20},
		} {
			for _, d := range []torch.DType{torch.Int16, torch.Int64, torch.Uint8, torch.Float32} {
				for n := range 2 {
					var want string
					p.Call(&want, "apply", tr.python, row, len(row), n, d.String(), format.String())
					b := v2.BoundingBoxes{Tensor: torch.FromSlice(row, 1, len(row)).ToDType(d).Index(torch.Slice(0, n)), Format: format, CanvasSize: [2]int{40, 50}}
					got := "refused"
					err := torch.Try(func() {
						torch.ManualSeed(0)
						out := v2.Apply(tr.t, []any{torch.Zeros(3, 40, 50), b})[1].(v2.BoundingBoxes)
						rows := make([][]int64, out.Size(0))
						for i, x := range torch.Data[int64](out.ToDType(torch.Float64).Round().ToDType(torch.Int64).Contiguous()) {
							rows[i/out.Size(1)] = append(rows[i/out.Size(1)], x)
						}
						passed++
						got = fmt.Sprint(out.DType(), " ", out.Shape(), " ", rows)
					})
					require.Equal(t, want, got, "%s of %d boxes %v %v: %v", tr.python, n, format, d, err)
				}
			}
		}
	}
	t.Log(passed, "of 240 pass in both")
	require.Greater(t, passed, 100)
}

// TestPicturesOfOtherIntegers compares ToPILImage of bytes that are not uint8, and of wider integers, which is refused here alone.
func TestPicturesOfOtherIntegers(t *testing.T) {
	p := reference.Start(t, `
import torch
from torchvision.transforms import v2

def picture(mode, channels, dtype):
    x = (torch.arange(channels * 6) * 11 - 40).to(getattr(torch, dtype)).reshape(channels, 2, 3)
    try:
        out = v2.ToPILImage(mode)(x)
    except Exception as e:
        return "refused"
    return f"{out.mode} {list(out.tobytes())}".replace(",", "")
`)
	for _, c := range []struct {
		mode     string
		channels int
	}{{"", 1}, {"L", 1}, {"I", 1}, {"LA", 2}, {"", 2}, {"RGB", 3}, {"HSV", 3}, {"YCbCr", 3}, {"CMYK", 3}, {"", 3}, {"RGBA", 4}, {"CMYK", 4}, {"RGBX", 4}, {"", 4}} {
		for _, d := range []torch.DType{torch.Int8, torch.Bool, torch.Int16, torch.Int64} {
			var want string
			var mode any // None
			if c.mode != "" {
				mode = c.mode
			}
			p.Call(&want, "picture", mode, c.channels, d.String())
			if d.Size() > 1 && c.channels > 1 {
				want = "refused"
			}
			x := torch.Arange(c.channels*6).MulScalar(11).SubScalar(40).ToDType(d).View(c.channels, 2, 3)
			got := "refused"
			err := torch.Try(func() {
				picture := pillow.From(v2.Apply(v2.ToPILImage(c.mode), any(x)).(image.Image))
				got = fmt.Sprint(picture.Mode, " ", picture.Pix)
			})
			require.Equal(t, want, got, "%q of %d channels of %v: %v", c.mode, c.channels, d, err)
		}
	}
}
