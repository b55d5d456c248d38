package transforms_test

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/torchtest"
	"github.com/torchhub/torchhub/transforms"
	TF "github.com/torchhub/torchhub/transforms/functional"
)

// noise returns a random picture of the mode RGB.
func noise() *transforms.RGB {
	p := &transforms.RGB{Pix: make([]uint8, 3*7*5), W: 7, H: 5}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range p.Pix {
		p.Pix[i] = uint8(rng.IntN(256))
	}
	return p
}

func TestConvertLive(t *testing.T) {
	p := torchtest.Python(t, `
import torch
from PIL import Image
from torchvision.transforms import functional as TF
def convert(x, mode): return TF.pil_to_tensor(TF.to_pil_image(x).convert(mode))
def split(x, mode): return [TF.pil_to_tensor(c) for c in TF.to_pil_image(x).convert(mode).split()]
def merge(x, mode): return TF.pil_to_tensor(Image.merge(mode, TF.to_pil_image(x).split()))
`)
	img := noise()
	x := TF.PILToTensor(img)
	for _, mode := range []transforms.Mode{"1", "L", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F"} {
		got := transforms.Convert(img, mode)
		torchtest.AssertClose(t, TF.PILToTensor(got), p.Call("convert", x, string(mode)))
		var bands []*torch.Tensor
		for _, b := range transforms.Split(got) {
			bands = append(bands, TF.PILToTensor(b))
		}
		torchtest.AssertClose(t, bands, p.Call("split", x, string(mode)))
	}
	for _, mode := range []transforms.Mode{"RGB", "YCbCr", "HSV"} {
		torchtest.AssertClose(t, TF.PILToTensor(transforms.Merge(mode, transforms.Split(img)...)), p.Call("merge", x, string(mode)))
	}
}

func TestConvert(t *testing.T) {
	img := noise()
	require.IsType(t, &image.Gray{}, transforms.Convert(img, "L"))
	require.IsType(t, &image.CMYK{}, transforms.Convert(img, "CMYK"))
	require.Equal(t, transforms.Mode("YCbCr"), transforms.Convert(img, "YCbCr").(*transforms.Picture).Mode)
	require.Equal(t, img, transforms.Merge("RGB", transforms.Split(img)...))
	for want, f := range map[string]func(){
		`torch: transforms.Convert: no mode is called "XYZ"`:                     func() { transforms.Convert(img, "XYZ") },
		`torch: transforms.Merge: there are 1 channels; want 3 for the mode RGB`: func() { transforms.Merge("RGB", image.NewGray(img.Bounds())) },
		`torch: transforms.Merge: channel 0 has the mode RGB; want L`:            func() { transforms.Merge("LA", img, img) },
	} {
		require.EqualError(t, torch.Try(f), want)
	}
}

func ExampleConvert() {
	img := &transforms.RGB{Pix: []uint8{255, 0, 0}, W: 1, H: 1} // a red pixel
	ycbcr := transforms.Split(transforms.Convert(img, "YCbCr"))
	for _, band := range ycbcr {
		fmt.Println(band.(*image.Gray).Pix[0])
	}
	fmt.Println(transforms.Convert(transforms.Merge("YCbCr", ycbcr...), "RGB").(*transforms.RGB).Pix)
	// Output:
	// 76
	// 84
	// 255
	// [254 0 0]
}
