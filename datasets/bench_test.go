package datasets

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
)

// BenchmarkLoader reads a folder of JPEGs of 500×375 pixels with two workers, in turns with Python's DataLoader where
// TORCHHUB_REFERENCE is set, and reports the medians and their ratio.
//
//	TORCHHUB_REFERENCE=path/to/python go test -run - -bench Loader ./datasets
func BenchmarkLoader(b *testing.B) {
	p := reference.Start(b, `
import time, torch
from torchvision import datasets, transforms as T
torch.set_num_threads(1)

def epoch(root, preset):
    t = [T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
    t = [T.Resize(256), T.CenterCrop(224)] + t if preset == "eval" else [T.RandomResizedCrop(224), T.RandomHorizontalFlip()] + t
    it = iter(torch.utils.data.DataLoader(datasets.ImageFolder(root, T.Compose(t)), batch_size=8, num_workers=2))
    for _ in range(2): next(it) # the workers' start is not the other's to save
    start, n = time.perf_counter(), 0
    for x, y in it: n += len(x)
    return (time.perf_counter() - start) / n
`)
	root := b.TempDir()
	for i := range 96 {
		img := image.NewRGBA(image.Rect(0, 0, 500, 375))
		for y := range 375 {
			for x := range 500 {
				v := 128 + 60*math.Sin(float64(x*(i+3))/97) + 50*math.Cos(float64(y*y)/3001) + float64((x*7919+y*104729)%19)
				img.SetRGBA(x, y, color.RGBA{uint8(v), uint8(255 - v), uint8(v / 2), 255})
			}
		}
		var file bytes.Buffer
		require.NoError(b, jpeg.Encode(&file, img, &jpeg.Options{Quality: 90}))
		put(b, file.Bytes(), root, fmt.Sprint(i%4), fmt.Sprint(i, ".jpg"))
	}
	folder, err := NewImageFolder(root)
	require.NoError(b, err)
	normalize := transforms.Normalize([]float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225})
	for name, t := range map[string]transforms.Transform{
		"eval":  transforms.Compose(transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalize),
		"train": transforms.Compose(transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalize),
	} {
		b.Run(name, func(b *testing.B) {
			loader := data.NewLoader[data.Batch](Transform(folder, t), data.LoaderOptions{BatchSize: 8, Workers: 2})
			var ours, theirs []float64
			for b.Loop() {
				start, n := time.Now(), 0
				for batch, err := range loader.Batches(b.Context()) {
					require.NoError(b, err)
					if n++; n == 2 {
						start = time.Now()
					}
					batch.Input.Free()
				}
				ours = append(ours, time.Since(start).Seconds()/float64(folder.Len()-16))
				var s float64
				p.Call(&s, "epoch", root, name)
				theirs = append(theirs, s)
			}
			slices.Sort(ours)
			slices.Sort(theirs)
			us, them := ours[len(ours)/2], theirs[len(theirs)/2]
			b.ReportMetric(1/us, "images/s")
			b.ReportMetric(1/them, "Python-images/s")
			b.ReportMetric(them/us, "ratio")
		})
	}
}
