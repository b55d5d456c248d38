package main

import (
	"context"
	"image"
	"os"
	"path/filepath"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
)

func calculateValidCropSize(cropSize, upscaleFactor int) int {
	return cropSize - cropSize%upscaleFactor
}

func inputTransform(cropSize, upscaleFactor int) *transforms.Pipeline {
	return transforms.Compose(
		transforms.CenterCrop(cropSize),
		transforms.Resize(cropSize/upscaleFactor),
		transforms.ToTensor(),
	)
}

func targetTransform(cropSize int) *transforms.Pipeline {
	return transforms.Compose(
		transforms.CenterCrop(cropSize),
		transforms.ToTensor(),
	)
}

// loadImg returns the luminance of a picture.
func loadImg(filepath string) (image.Image, error) {
	img, err := transforms.Open(filepath, transforms.WithMode())
	if err != nil {
		return nil, err
	}
	y := transforms.Split(transforms.Convert(img, "YCbCr"))[0]
	return y, nil
}

// A datasetFromFolder has small pictures and what they should become.
type datasetFromFolder struct {
	imageFilenames                  []string
	inputTransform, targetTransform *transforms.Pipeline
}

// newDatasetFromFolder lists the pictures of a folder in alphabetical order, where Python's program takes the order of
// the file system.
func newDatasetFromFolder(imageDir string, upscaleFactor int) (*datasetFromFolder, error) {
	entries, err := os.ReadDir(imageDir)
	if err != nil {
		return nil, err
	}
	cropSize := calculateValidCropSize(256, upscaleFactor)
	d := &datasetFromFolder{inputTransform: inputTransform(cropSize, upscaleFactor), targetTransform: targetTransform(cropSize)}
	for _, e := range entries {
		if slices.Contains([]string{".png", ".jpg", ".jpeg"}, filepath.Ext(e.Name())) {
			d.imageFilenames = append(d.imageFilenames, filepath.Join(imageDir, e.Name()))
		}
	}
	return d, nil
}

// Len returns the number of pictures.
func (d *datasetFromFolder) Len() int { return len(d.imageFilenames) }

// At reads picture i.
func (d *datasetFromFolder) At(_ context.Context, i int) (s data.Sample[*torch.Tensor, *torch.Tensor], err error) {
	input, err := loadImg(d.imageFilenames[i])
	if err != nil {
		return s, err
	}
	s.Input = d.inputTransform.Apply(input)
	s.Target = d.targetTransform.Apply(input)
	return s, nil
}
