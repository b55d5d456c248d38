package datasets

import (
	"context"
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms/functional"
)

// FakeData has pictures of noise, with Python's pixels: torchvision.datasets.FakeData.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.FakeData.html
type FakeData struct{ o FakeDataOptions }

// FakeDataOptions are the options of [NewFakeData].
type FakeDataOptions struct {
	Size         int    // the number of pictures; 0 means 1000
	ImageSize    [3]int // channels, 1 or 3, height and width; the zero value means 3, 224, 224
	NumClasses   int    // 0 means 10
	RandomOffset int    // is added to the index of a picture, which is the seed of its noise
}

// NewFakeData makes a data set of noise: FakeData(size, image_size, num_classes, random_offset=…).
func NewFakeData(options ...FakeDataOptions) *FakeData {
	o := torch.Only(options)
	if o.Size == 0 {
		o.Size = 1000
	}
	if o.ImageSize == [3]int{} {
		o.ImageSize = [3]int{3, 224, 224}
	}
	if o.NumClasses == 0 {
		o.NumClasses = 10
	}
	return &FakeData{o}
}

// Len returns the number of pictures.
func (d *FakeData) Len() int { return d.o.Size }

// Open makes picture i, and draws its class.
func (d *FakeData) Open(i int) (img image.Image, class int, err error) {
	err = torch.Try(func() {
		torch.Scope(func() {
			g := torch.NewGenerator(torch.CPU).ManualSeed(int64(i + d.o.RandomOffset))
			x := aten.RandnGenerator(d.o.ImageSize[:], g, torch.Float32, nil, torch.CPU, nil)
			class = int(torch.Item[int64](aten.RandintLowGenerator(0, d.o.NumClasses, []int{1}, g, torch.Int64, nil, torch.CPU, nil)))
			img = functional.ToPILImage(x)
		})
	})
	return img, class, err
}

// At returns picture i and its class, for package data.
func (d *FakeData) At(_ context.Context, i int) (s data.Sample[image.Image, int], err error) {
	s.Input, s.Target, err = d.Open(i)
	return s, err
}
