package datasets

import (
	"context"
	"fmt"
	"image"
	"os"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
)

// Images are small pictures in memory with their classes, such as those of MNIST and CIFAR.
type Images struct {
	Classes []string // the names of the classes, or nil where the data set has none
	Targets []int    // the class of each picture; -1 is unknown

	width, height, channels int
	pix                     []uint8 // of all pictures, as the file has them
	// strides are the distances of pixels in x and y, of channels, and of pictures.
	strides [4]int
}

// Len returns the number of pictures.
func (d *Images) Len() int { return len(d.Targets) }

// Open returns picture i and its class. The picture is an *image.Gray, Pillow's mode L, or a [*transforms.RGB].
func (d *Images) Open(i int) (image.Image, int, error) {
	out := make([]uint8, 0, d.width*d.height*d.channels)
	at := d.strides[3] * i
	if i < 0 || i >= len(d.Targets) {
		panic(&torch.Error{Op: "datasets.Images.Open", Msg: fmt.Sprintf("there is no picture %d; the data set has %d", i, len(d.Targets))})
	}
	if d.channels == 1 && d.strides[0] == 1 && d.strides[1] == d.width {
		out = append(out, d.pix[at:at+cap(out)]...)
	} else {
		for y := range d.height {
			for x := range d.width {
				p := at + y*d.strides[1] + x*d.strides[0]
				for c := range d.channels {
					out = append(out, d.pix[p+c*d.strides[2]])
				}
			}
		}
	}
	if d.channels == 1 {
		return &image.Gray{Pix: out, Stride: d.width, Rect: image.Rect(0, 0, d.width, d.height)}, d.Targets[i], nil
	}
	return &transforms.RGB{Pix: out, W: d.width, H: d.height}, d.Targets[i], nil
}

// At returns picture i and its class, for package data.
func (d *Images) At(_ context.Context, i int) (s data.Sample[image.Image, int], err error) {
	s.Input, s.Target, err = d.Open(i)
	return s, err
}

// Data returns the pixels of all pictures, uint8 [N, H, W], or [N, 3, H, W] of pictures in color: dataset.data, which in
// Python is an array of NumPy for some data sets, and [N, H, W, 3] for CIFAR.
func (d *Images) Data() *torch.Tensor {
	shape := []int{d.Len(), d.height, d.width}
	if d.channels > 1 {
		shape = []int{d.Len(), d.channels, d.height, d.width}
	}
	out := make([]uint8, 0, d.Len()*d.channels*d.height*d.width)
	for i := range d.Len() {
		for c := range d.channels {
			for y := range d.height {
				for x := range d.width {
					out = append(out, d.pix[i*d.strides[3]+c*d.strides[2]+y*d.strides[1]+x*d.strides[0]])
				}
			}
		}
	}
	return torch.FromSlice(out, shape...)
}

// take keeps the pictures with these indices.
func (d *Images) take(indices []int) {
	size := d.strides[3]
	pix := make([]uint8, 0, size*len(indices))
	targets := make([]int, 0, len(indices))
	for _, i := range indices {
		pix = append(pix, d.pix[i*size:(i+1)*size]...)
		targets = append(targets, d.Targets[i])
	}
	d.pix, d.Targets = pix, targets
}

// planes sets the layout of pictures whose channels are planes of rows.
func (d *Images) planes(width, height, channels int) {
	d.width, d.height, d.channels = width, height, channels
	d.strides = [4]int{1, width, width * height, width * height * channels}
}

// Pictures are pictures with a target each, such as the number of a class: [ImageFolder], [Images], [FakeData] and [Annotated].
type Pictures[T any] interface {
	Len() int
	Open(i int) (image.Image, T, error)
}

// files are Pictures in files.
type files[T any] interface {
	// file returns the path of picture i and how it is opened; ok is false if it is opened in another way.
	file(i int) (path string, opts []transforms.OpenOption, ok bool)
	Target(i int) (T, error)
}

// transformed has the tensors of pictures.
type transformed[T any] struct {
	Pictures[T]
	t transforms.Transform
}

// Transform returns a dataset of the pictures' tensors, which t makes: what Python's data sets return that are given a
// transform. Random transforms draw from the generators of the loader's workers. Of a file, only the pixels are decoded
// that t needs. [data.Map] converts the targets.
//
//	samples := datasets.Transform(folder, transforms.Compose(transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()))
//	loader := data.NewLoader[data.Batch](samples, data.LoaderOptions{BatchSize: 32, Shuffle: true, Workers: 4})
func Transform[T any](d Pictures[T], t transforms.Transform) data.Dataset[data.Sample[*torch.Tensor, T]] {
	return transformed[T]{d, t}
}

// At returns the tensor of picture i and its target.
func (t transformed[T]) At(ctx context.Context, i int) (s data.Sample[*torch.Tensor, T], err error) {
	if f, ok := t.Pictures.(files[T]); ok {
		if path, opts, ok := f.file(i); ok {
			if s.Target, err = f.Target(i); err != nil {
				return s, err
			}
			s.Input, err = transforms.PrepareFile(ctx, t.t, path, opts...)
			return s, err
		}
	}
	img, target, err := t.Open(i)
	if err != nil {
		return s, err
	}
	s.Target = target
	s.Input, err = transforms.Prepare(ctx, t.t, img)
	return s, err
}

// readAll reads a file of at most a limit of bytes.
func readAll(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("datasets: %s has %d bytes; want at most %d", path, info.Size(), limit)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	return b, nil
}

// oneOf returns an error unless a name of a kind, such as a split, is among those of a data set.
func oneOf(what, kind, name string, names ...string) error {
	if slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("datasets: %s has no %s %q; choose one of %q", what, kind, name, names)
}
