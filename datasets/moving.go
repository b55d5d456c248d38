package datasets

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/torchhub/torchhub/internal/npy"
	"github.com/torchhub/torchhub/torch"
)

// MovingMNIST are videos of digits that move: torchvision.datasets.MovingMNIST.
type MovingMNIST struct {
	frames, videos, height, width int
	pix                           []byte // [frames, videos, height, width]
}

// NewMovingMNIST opens the videos in root/MovingMNIST/mnist_test_seq.npy: MovingMNIST(root, split, download=…). [WithSplit] names
// train, the first ten frames, or test, the others, and [WithVariant] another number than ten, the split_ratio; without a split
// there are all frames, as in torchvision. It honors [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.MovingMNIST.html
func NewMovingMNIST(ctx context.Context, root string, opts ...Option) (*MovingMNIST, error) {
	o := optionsOf(opts)
	if o.split != "" {
		if err := oneOf("MovingMNIST", "split", o.split, "train", "test"); err != nil {
			return nil, err
		}
	}
	ratio := 10
	if o.variant != "" {
		var err error
		if ratio, err = strconv.Atoi(o.variant); err != nil || ratio < 1 || ratio > 19 {
			return nil, fmt.Errorf("datasets: MovingMNIST has no split ratio %q; choose one from 1 to 19", o.variant)
		}
	}
	dir, err := o.in(ctx, "MovingMNIST", root, "mnist_test_seq.npy")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "mnist_test_seq.npy")
	b, err := readAll(path, 8<<30)
	if err != nil {
		return nil, err
	}
	h, err := npy.Read(b[:min(len(b), npy.MaxData)], int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", path, err)
	}
	if h.DType != "uint8" || len(h.Shape) != 4 || h.Fortran {
		return nil, fmt.Errorf("datasets: %s has %s of the shape %v; want uint8 of [frames, videos, height, width]", path, h.DType, h.Shape)
	}
	d := &MovingMNIST{h.Shape[0], h.Shape[1], h.Shape[2], h.Shape[3], b[h.Data : h.Data+h.Size]}
	at := min(ratio, d.frames)
	size := d.videos * d.height * d.width
	switch o.split {
	case "train":
		d.frames, d.pix = at, d.pix[:at*size]
	case "test":
		d.frames, d.pix = d.frames-at, d.pix[at*size:]
	}
	return d, nil
}

// Len returns the number of videos.
func (d *MovingMNIST) Len() int { return d.videos }

// At returns the frames of video i, uint8 of the shape [frames, 1, height, width], for package data.
func (d *MovingMNIST) At(_ context.Context, i int) (video *torch.Tensor, err error) {
	size := d.height * d.width
	pix := make([]uint8, 0, d.frames*size)
	for f := range d.frames {
		at := (f*d.videos + i) * size
		pix = append(pix, d.pix[at:at+size]...)
	}
	err = torch.Try(func() { video = torch.FromSlice(pix, d.frames, 1, d.height, d.width) })
	return video, err
}
