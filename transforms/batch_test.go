package transforms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

func pictures(n int) []image.Image {
	rng := rand.New(rand.NewPCG(8, 8))
	out := make([]image.Image, n)
	for i := range out {
		out[i] = noise(rng, 20+rng.IntN(100), 20+rng.IntN(100))
	}
	return out
}

func TestBatch(t *testing.T) {
	imgs := pictures(13)
	for _, p := range []*Pipeline{
		Classification(40, 32, Bilinear, mean, std), // written into the batch directly
		Classification(10, 64, Bicubic, mean, std),  // padded
		Compose(Resize([]int{16, 24}), ToTensor()),
		Compose(Resize(40), CenterCrop(32), ToTensor(), Func(func(v Value) Value { return v.WithTensor(v.Tensor.ToDType(torch.Float64)) })),
	} {
		var alone []*torch.Tensor
		for _, img := range imgs {
			alone = append(alone, p.Apply(img))
		}
		for workers := range 5 {
			got, err := Batch(t.Context(), p, imgs, BatchOptions{Workers: workers})
			require.NoError(t, err)
			require.True(t, got.Equal(torch.Stack(alone, 0)), "%v with %d workers", p, workers)
			got, err = Batch(t.Context(), p, imgs, BatchOptions{Workers: workers, BatchSize: 4})
			require.NoError(t, err)
			require.True(t, got.Equal(torch.Stack(alone, 0)), "%v with %d workers, in batches", p, workers)
		}
	}
}

func TestBatchFiles(t *testing.T) {
	dir := t.TempDir()
	imgs := pictures(5)
	var paths []string
	for i, img := range imgs {
		paths = append(paths, filepath.Join(dir, fmt.Sprint(i, ".png")))
		require.NoError(t, Save(paths[i], img))
	}
	p := Classification(40, 32, Bilinear, mean, std)
	want, err := Batch(t.Context(), p, imgs)
	require.NoError(t, err)
	got, err := BatchFiles(t.Context(), p, paths)
	require.NoError(t, err)
	require.True(t, got.Equal(want))

	paths[3] = filepath.Join(dir, "none.png")
	_, err = BatchFiles(t.Context(), p, paths)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "none.png")
}

// TestBatchParts compares with pictures that are decoded whole: a batch decodes only what the crop is made of.
func TestBatchParts(t *testing.T) {
	paths := photographs(t, 40)
	for _, p := range []*Pipeline{
		Classification(40, 32, Bilinear, mean, std),
		Classification(10, 64, Bicubic, mean, std),
		Classification(64, 24, Lanczos, mean, std),
		Compose(Resize(48, ResizeOptions{Interpolation: Nearest}), CenterCrop(32), ToTensor()),
		Compose(Resize(48, ResizeOptions{Interpolation: Box, MaxSize: 4000}), CenterCrop(32), ToTensor()),
		Compose(ResizeTo(16, 24, ResizeOptions{Interpolation: Hamming}), CenterCrop(8), ToTensor()),
	} {
		for _, opts := range [][]OpenOption{nil, {WithEXIFOrientation()}, {WithDraft(90, 90)}} {
			var alone []*torch.Tensor
			for _, path := range paths {
				img, err := Open(path, opts...)
				require.NoError(t, err)
				alone = append(alone, p.Apply(img))
			}
			got, err := BatchFiles(t.Context(), p, paths, BatchOptions{Open: opts, Workers: 2})
			require.NoError(t, err)
			require.True(t, got.Equal(torch.Stack(alone, 0)), "%v", p)
		}
	}
}

// TestDrawnParts compares with pictures that are decoded whole and then pass through the transforms one by one: where the
// first transform draws a part, only that is decoded.
func TestDrawnParts(t *testing.T) {
	paths := photographs(t, 30)
	crop := func(how Interpolation) Transform {
		return RandomResizedCrop([]int{20, 28}, RandomResizedCropOptions{Interpolation: how})
	}
	flip, turn, normalize := RandomHorizontalFlip(), RandomVerticalFlip(), Normalize(mean, std)
	for _, ts := range [][]Transform{
		{crop(Bilinear), flip, ToTensor(), normalize},
		{crop(Bicubic), turn, flip, turn, ToTensor()},
		{crop(Nearest), ToTensor(), normalize},
		{crop(NearestExact), flip, ToTensor()},
		{crop(Lanczos), flip, flip, ToTensor(), normalize, RandomErasing()},
		{crop(Box), flip, ColorJitter(ColorJitterOptions{Brightness: 0.4, Hue: 0.2}), ToTensor()},
		{RandomResizedCrop(24, RandomResizedCropOptions{Scale: []float64{2, 3}}), turn, ToTensor(), normalize}, // the whole picture, nearly
		{crop(Hamming), Resize(17), CenterCrop(40), flip, ToTensor()},
		{Resize(24), CenterCrop(32), turn, flip, ToTensor(), normalize}, // black at the sides
		{ResizeTo(30, 20), flip, turn, RandomCrop(20), ToTensor()},
		{flip, crop(Bilinear), ToTensor()},
	} {
		p := Compose(ts...)
		for _, opts := range [][]OpenOption{nil, {WithEXIFOrientation()}, {WithDraft(90, 90)}, {WithMode()}} {
			for i, path := range paths {
				img, err := Open(path, opts...)
				require.NoError(t, err)
				torch.ManualSeed(int64(i))
				var want *torch.Tensor
				failed := torch.Try(func() { want = oneByOne(ts, Value{Image: img}).Tensor })
				after := torch.Rand(4)
				torch.ManualSeed(int64(i))
				got, err := PrepareFile(t.Context(), p, path, opts...)
				if failed != nil { // CMYK has no normalization of three channels, say
					require.Error(t, err, "%v %s", p, path)
					continue
				}
				require.NoError(t, err)
				require.True(t, got.Equal(want), "%v %s", p, path)
				require.True(t, torch.Rand(4).Equal(after), "%v %s draws other numbers", p, path)
				torch.ManualSeed(int64(i))
				got, err = Prepare(t.Context(), p, img)
				require.NoError(t, err)
				require.True(t, got.Equal(want), "%v %s, opened", p, path)
			}
			if opts != nil {
				continue
			}
			var imgs []image.Image
			for _, path := range paths {
				img, err := Open(path)
				require.NoError(t, err)
				imgs = append(imgs, img)
			}
			torch.ManualSeed(5)
			want, err := Batch(t.Context(), Func(func(v Value) Value { return oneByOne(ts, v) }), imgs, BatchOptions{Workers: 3, BatchSize: 2})
			require.NoError(t, err)
			torch.ManualSeed(5)
			got, err := BatchFiles(t.Context(), p, paths, BatchOptions{Workers: 3, BatchSize: 2})
			require.NoError(t, err)
			require.True(t, got.Equal(want), "%v, in a batch", p)
		}
	}
}

// TestDrawnRefusals: a mistake that shows while a picture is decoded is reported as one that shows later.
func TestDrawnRefusals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wide.jpg")
	require.NoError(t, Save(path, noise(rand.New(rand.NewPCG(1, 1)), 900, 1)))
	p := Compose(Resize(1<<24), ToTensor())
	_, err := PrepareFile(t.Context(), p, path)
	require.ErrorContains(t, err, "the sides would become")
	require.ErrorContains(t, err, path)
	_, err = BatchFiles(t.Context(), p, []string{path, path})
	require.ErrorContains(t, err, "the sides would become")
	require.ErrorContains(t, err, path)
}

// photographs writes JPEGs of several kinds, and a PNG for every tenth of them.
func photographs(t *testing.T, n int) (paths []string) {
	rng := rand.New(rand.NewPCG(8, 9))
	dir := t.TempDir()
	for i := range n {
		w, h := side(rng, 500), side(rng, 500)
		var img image.Image = noise(rng, w, h)
		switch i % 5 {
		case 0:
			img = &image.Gray{Pix: img.(*RGB).Pix, Stride: w, Rect: image.Rect(0, 0, w, h)}
		case 1:
			m := image.NewCMYK(image.Rect(0, 0, w, h))
			copy(m.Pix, img.(*RGB).Pix)
			img = m
		}
		var b bytes.Buffer
		require.NoError(t, EncodeJPEG(&b, img, JPEGOptions{Subsampling: []string{"", "4:2:2", "4:4:4"}[rng.IntN(3)], Progressive: rng.IntN(3) == 0}))
		data := b.Bytes()
		if i%2 == 0 { // turned
			exif := "\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
			data = bytes.Join([][]byte{data[:2], []byte(exif), data[2:]}, nil)
		}
		paths = append(paths, filepath.Join(dir, fmt.Sprint(i, ".jpg")))
		require.NoError(t, os.WriteFile(paths[i], data, 0o644))
		if i%10 == 9 {
			paths[i] = filepath.Join(dir, fmt.Sprint(i, ".png"))
			require.NoError(t, Save(paths[i], noise(rng, w, h)))
		}
	}
	return paths
}

// TestBatchDraws compares with the worker processes of a DataLoader.
func TestBatchDraws(t *testing.T) {
	p := reference.Start(t, `
import numpy, random, torch
from PIL import Image
from torchvision import transforms as T

class Pictures(torch.utils.data.Dataset):
    def __init__(self, pictures, transform): self.pictures, self.transform = pictures, transform
    def __len__(self): return len(self.pictures)
    def __getitem__(self, i): return self.transform(self.pictures[i])

def load(seed, arrays, workers, size):
    torch.manual_seed(seed)
    random.seed(seed)
    t = T.Compose([T.RandomChoice([T.RandomHorizontalFlip(), T.RandomVerticalFlip()]), T.RandomResizedCrop(16), T.ToTensor()])
    pictures = [Image.fromarray(a) for a in arrays]
    return torch.cat(list(torch.utils.data.DataLoader(Pictures(pictures, t), batch_size=size, num_workers=workers)))
`)
	imgs := pictures(9)
	var arrays []reference.Array
	for _, img := range imgs {
		arrays = append(arrays, array(img.(*RGB)))
	}
	pipeline := Compose(
		RandomChoice([]Transform{RandomHorizontalFlip(), RandomVerticalFlip()}),
		RandomResizedCrop(16),
		ToTensor(),
	)
	var paths []string
	for i, img := range imgs {
		paths = append(paths, filepath.Join(t.TempDir(), fmt.Sprint(i, ".png")))
		require.NoError(t, Save(paths[i], img))
	}
	for _, c := range []struct{ workers, size int }{
		{0, 1}, {0, 3}, {0, 4}, {1, 1}, {1, 3}, {1, 4}, {2, 1}, {2, 3}, {2, 4}, {2, 9}, {3, 1}, {3, 2}, {7, 4},
	} {
		seed := 40 + c.workers
		var want reference.Array
		p.Call(&want, "load", seed, arrays, c.workers, c.size)
		if c.workers == 0 {
			torch.ManualSeed(int64(seed))
			pyrandom.Seed(int64(seed))
			data.BaseSeed(nil)
			var alone []*torch.Tensor
			for _, img := range imgs {
				alone = append(alone, pipeline.Apply(img))
			}
			require.Equal(t, reference.Data[float32](want), torch.Data[float32](torch.Stack(alone, 0)), c)
			continue
		}
		o := BatchOptions{Workers: c.workers, BatchSize: c.size}
		torch.ManualSeed(int64(seed))
		got, err := Batch(t.Context(), pipeline, imgs, o)
		require.NoError(t, err)
		require.Equal(t, want.Shape, got.Shape())
		require.Equal(t, reference.Data[float32](want), torch.Data[float32](got), c)

		torch.ManualSeed(int64(seed))
		files, err := BatchFiles(t.Context(), pipeline, paths, o)
		require.NoError(t, err)
		require.True(t, files.Equal(got), c)

		o.Generator = torch.NewGenerator(torch.CPU).ManualSeed(int64(seed))
		again, err := Batch(t.Context(), pipeline, imgs, o)
		require.NoError(t, err)
		require.True(t, again.Equal(got), c)
	}
}

func TestBatchMistakes(t *testing.T) {
	imgs := pictures(6)
	p := Classification(40, 32, Bilinear, mean, std)
	_, err := Batch(t.Context(), p, nil)
	require.ErrorContains(t, err, "there are no pictures")
	_, err = Batch(t.Context(), Resize(8), imgs)
	require.ErrorContains(t, err, "transforms: batch: picture 0")
	require.ErrorContains(t, err, "add ToTensor()")
	_, err = Batch(t.Context(), Compose(Resize(8), ToTensor()), imgs)
	require.ErrorContains(t, err, "resize and crop to one size")
	bad := append([]image.Image{}, imgs...)
	bad[4] = &RGB{Pix: make([]uint8, 5), W: 2, H: 2}
	_, err = Batch(t.Context(), p, bad)
	require.ErrorContains(t, err, "picture 4")
	bad[4] = nil
	_, err = Batch(t.Context(), p, bad)
	require.ErrorContains(t, err, "picture 4 is nil")
	bad[4] = image.NewGray(image.Rect(0, 0, 9, 9))
	_, err = Batch(t.Context(), p, bad)
	require.ErrorContains(t, err, "picture 4")
	require.ErrorContains(t, torch.Try(func() { Batch(t.Context(), nil, imgs) }), "the transform is nil")
	require.ErrorContains(t, torch.Try(func() { Batch(t.Context(), p, imgs, BatchOptions{Workers: -1}) }), "Workers is -1")
	require.ErrorContains(t, torch.Try(func() { Batch(t.Context(), p, imgs, BatchOptions{BatchSize: -1}) }), "BatchSize is -1")
	require.PanicsWithValue(t, "mine", func() {
		Batch(t.Context(), Func(func(v Value) Value { panic("mine") }), imgs)
	})
}

func TestBatchCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var seen atomic.Int32
	slow := Compose(Func(func(v Value) Value {
		if seen.Add(1) == 3 {
			cancel(errors.New("enough"))
		}
		time.Sleep(time.Millisecond)
		return v
	}), Resize([]int{8, 8}), ToTensor())
	_, err := Batch(ctx, slow, pictures(200))
	require.ErrorContains(t, err, "enough")
	require.Less(t, seen.Load(), int32(100))
}

// TestAllocations checks that preparing a picture allocates a fixed number of times, whatever its size.
func TestAllocations(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	p := Classification(256, 224, Bilinear, mean, std)
	count := func(w, h int) float64 {
		src := noise(rng, w, h)
		return testing.AllocsPerRun(20, func() { p.Apply(src).Free() })
	}
	small, large := count(300, 300), count(2400, 1800)
	t.Log(small, large)
	require.LessOrEqual(t, large, 60.0)
	require.LessOrEqual(t, large, small+20, "more goroutines for a large picture, but nothing a row or a pixel")
}

func TestDraft(t *testing.T) {
	p := reference.Start(t, decoding)
	rng := rand.New(rand.NewPCG(9, 10))
	for range 60 {
		w, h := 1+rng.IntN(500), 1+rng.IntN(500)
		dw, dh := 1+rng.IntN(300), 1+rng.IntN(300)
		var data []byte
		p.Call(&data, "bytes_of", []string{"L", "RGB", "CMYK"}[rng.IntN(3)], w, h, 1, map[string]any{"format": "JPEG"})
		var want reference.Array
		p.Call(&want, `lambda data, w, h: (lambda img: (img.draft(None, (w, h)), np.array(img.convert("RGB")))[1])(Image.open(io.BytesIO(__import__("base64").b64decode(data))))`, data, dw, dh)
		got, err := Decode(bytes.NewReader(data), WithDraft(dw, dh))
		require.NoError(t, err)
		require.Equal(t, want.Shape[:2], []int{got.(*RGB).H, got.(*RGB).W})
		same(t, want.Data, got.(*RGB).Pix, "%d×%d for %d×%d", w, h, dw, dh)
	}
}
