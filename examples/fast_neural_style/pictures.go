package main

import (
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
	TF "github.com/torchhub/torchhub/transforms/functional"
)

// loadImage opens a picture and resizes it to a square, if a size is given, or by a scale.
func loadImage(filename string, size int, scale float64) (image.Image, error) {
	img, err := transforms.Open(filename)
	if err != nil {
		return nil, err
	}
	lanczos := TF.ResizeOptions{Interpolation: TF.Lanczos}
	if size > 0 {
		img = TF.Resize(TF.Value{Image: img}, []int{size, size}, lanczos).Image
	} else if scale > 0 {
		b := img.Bounds()
		img = TF.Resize(TF.Value{Image: img}, []int{int(float64(b.Dy()) / scale), int(float64(b.Dx()) / scale)}, lanczos).Image
	}
	return img, nil
}

// saveImage writes a picture [3, H, W] of values from 0 to 255.
func saveImage(filename string, data *torch.Tensor) error {
	img := TF.ToPILImage(data.Clamp(0, 255).ToDType(torch.Uint8))
	return transforms.Save(filename, img)
}

// times255 makes values from 0 to 1 values from 0 to 255.
func times255() transforms.Transform {
	return transforms.Lambda(func(v transforms.Value) transforms.Value {
		return v.WithTensor(v.Tensor.MulScalar(255))
	})
}

// gramMatrix returns the products of the channels of features.
func gramMatrix(y *torch.Tensor) *torch.Tensor { // [N, C, H, W] → [N, C, C]
	b, ch, h, w := y.Size(0), y.Size(1), y.Size(2), y.Size(3)
	features := y.View(b, ch, w*h)
	featuresT := features.Transpose(1, 2)
	return features.BMM(featuresT).DivScalar(ch * h * w)
}

// normalizeBatch normalizes by ImageNet's mean and standard deviation. It changes the batch, too.
func normalizeBatch(batch *torch.Tensor) *torch.Tensor { // [N, 3, H, W]
	mean := torch.NewTensor([]float32{0.485, 0.456, 0.406}).To(batch.Device()).View(-1, 1, 1)
	std := torch.NewTensor([]float32{0.229, 0.224, 0.225}).To(batch.Device()).View(-1, 1, 1)
	batch = batch.DivScalarInPlace(255.0)
	return batch.Sub(mean).Div(std)
}
