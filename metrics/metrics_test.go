package metrics_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/metrics"
)

const script = `
import contextlib, io, json, numpy as np, torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

def stats(images, truth, found):
    truth, found = truth or [], found or []
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = {"images": [{"id": i} for i in images], "annotations": truth,
                      "categories": [{"id": c} for c in sorted({t["category_id"] for t in truth} | {f["category_id"] for f in found})]}
        gt.createIndex()
        none = COCO()
        none.dataset = {**gt.dataset, "annotations": []}
        none.createIndex()
        e = COCOeval(gt, gt.loadRes(found) if found else none, "bbox")
        e.params.imgIds = images
        e.evaluate(); e.accumulate(); e.summarize()
    return list(e.stats)

def ranks(logits, classes):
    x = torch.tensor(logits)
    order = x.topk(x.shape[1], 1, True, True).indices
    return [(o == c).nonzero().item() for o, c in zip(order, classes)]

def segmentation(classes, target, predicted):
    a, b = torch.tensor(target), torch.tensor(predicted)
    k = (a >= 0) & (a < classes)
    h = torch.bincount(classes * a[k] + b[k], minlength=classes**2).reshape(classes, classes).double()
    d = h.diag()
    iou = d / (h.sum(1) + h.sum(0) - d)
    return [str(v) for v in [(d.sum() / h.sum()).item() * 100, *(d / h.sum(1) * 100).tolist(), *(iou * 100).tolist(), iou.mean().item() * 100]]
`

// objects makes random truth of several categories, and a detector that is often nearly right.
func objects(r *rand.Rand, images int) (ids []int, truth []metrics.Truth, found []metrics.Found) {
	for i := range images {
		ids = append(ids, 3*i+1)
		for range r.IntN(12) {
			side := math.Exp(r.Float64() * 5.5)
			b := [4]float64{math.Round(r.Float64() * 400), r.Float64() * 400, side, math.Round(side * (0.3 + 2*r.Float64()))}
			t := metrics.Truth{ID: len(truth) + 1, Image: 3*i + 1, Category: 1 + r.IntN(4), Box: b, Area: b[2] * b[3] * (0.5 + r.Float64()/2)}
			if r.IntN(8) == 0 {
				t.Crowd = 1
			}
			truth = append(truth, t)
			for range r.IntN(4) {
				f := metrics.Found{Image: t.Image, Category: t.Category, Box: b, Score: math.Round(r.Float64()*20) / 20} // equal scores too
				if r.IntN(6) == 0 {
					f.Category = 1 + r.IntN(5)
				}
				shake := r.Float64() * 0.3
				for k := range f.Box {
					f.Box[k] += shake * side * r.NormFloat64() / 2
				}
				f.Box[2], f.Box[3] = max(f.Box[2], 1), max(f.Box[3], 1)
				found = append(found, f)
			}
		}
	}
	return ids, truth, found
}

func TestCOCOEqualsPycocotools(t *testing.T) {
	p := reference.Start(t, script)
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		images, truth, found := objects(r, int(seed)*3+1)
		if seed == 3 { // more of one picture than count
			for range 150 {
				found = append(found, metrics.Found{Image: 1, Category: 1, Box: [4]float64{1, 2, 30, 40}, Score: r.Float64()})
			}
		}
		if seed == 5 {
			images = images[2:]
			var of []metrics.Found
			for _, f := range found {
				if f.Image > 4 {
					of = append(of, f)
				}
			}
			found = of
		}
		var want []float64
		p.Call(&want, "stats", images, truth, found)
		got := metrics.COCO(images, truth, found).Stats()
		require.InDeltaSlice(t, want, got, 1e-12, "seed %d: %v", seed, got)
	}
}

func TestCOCOWithout(t *testing.T) {
	truth := []metrics.Truth{{ID: 1, Image: 1, Category: 1, Box: [4]float64{0, 0, 10, 10}, Area: 100}}
	found := []metrics.Found{{Image: 1, Category: 1, Box: [4]float64{0, 0, 10, 10}, Score: 0.5}}
	a := metrics.COCO([]int{1}, truth, found)
	require.Equal(t, metrics.AveragePrecision{AP: a.AP, AP50: a.AP50, AP75: a.AP75, APSmall: a.APSmall, APMedium: -1, APLarge: -1, AR1: 1, AR10: 1, AR100: 1, ARSmall: 1, ARMedium: -1, ARLarge: -1}, a)
	require.InDelta(t, 1, a.AP, 1e-12)
	require.Zero(t, metrics.COCO([]int{1}, truth, nil).AP)
	require.Equal(t, -1.0, metrics.COCO([]int{1}, nil, found).AP)
	require.Equal(t, -1.0, metrics.COCO([]int{2}, truth, found).AP, "another picture")
	require.Equal(t, -1.0, metrics.COCO(nil, nil, nil).AP)
}

func TestRanksEqualTopK(t *testing.T) {
	p := reference.Start(t, script)
	r := rand.New(rand.NewPCG(2, 2))
	var logits [][]float32
	var classes []int
	for range 50 {
		row := make([]float32, 9)
		for i := range row {
			row[i] = r.Float32()
		}
		logits, classes = append(logits, row), append(classes, r.IntN(9))
	}
	var want []int
	p.Call(&want, "ranks", logits, classes)
	a := metrics.NewAccuracy(1, 3)
	var top [2]int
	for i, row := range logits {
		got := metrics.Rank(row, classes[i])
		require.Equal(t, want[i], got)
		a.Add(got)
		for j, k := range a.K {
			if want[i] < k {
				top[j]++
			}
		}
	}
	require.Equal(t, []float64{100 * float64(top[0]) / 50, 100 * float64(top[1]) / 50}, a.Percent())
}

func TestRank(t *testing.T) {
	nan := float32(math.NaN())
	require.Equal(t, 1, metrics.Rank([]float32{2, 2, 1}, 1), "the first of equals")
	require.Equal(t, 1, metrics.Rank([]float32{1, nan}, 0))
	require.Equal(t, 0, metrics.Rank([]float32{1, nan}, 1))
	require.Panics(t, func() { metrics.Rank([]float32{1}, 1) })
	require.True(t, math.IsNaN(metrics.NewAccuracy().Percent()[1]))
}

func TestSegmentationEqualsPython(t *testing.T) {
	p := reference.Start(t, script)
	r := rand.New(rand.NewPCG(3, 3))
	for _, c := range []struct{ classes, most int }{{4, 4}, {21, 21}, {5, 4}} { // the last without one class
		target, predicted := make([]uint8, 2000), make([]uint8, 2000)
		for i := range target {
			target[i], predicted[i] = uint8(r.IntN(c.most)), uint8(r.IntN(c.most))
			if r.IntN(10) == 0 {
				target[i] = 255
			}
		}
		a, b := metrics.NewConfusionMatrix(c.classes), metrics.NewConfusionMatrix(c.classes)
		a.Add(target[:700], predicted[:700])
		b.Add(target[700:], predicted[700:])
		a.Merge(b)
		s := a.Compute()
		got := append(append(append([]float64{s.PixelAccuracy}, s.ClassAccuracy...), s.IoU...), s.MeanIoU)
		ints := func(v []uint8) (out []int) {
			for _, n := range v {
				out = append(out, int(n))
			}
			return out
		}
		var want []string
		p.Call(&want, "segmentation", c.classes, ints(target), ints(predicted))
		for i, w := range want {
			f, err := strconv.ParseFloat(w, 64)
			require.NoError(t, err)
			require.True(t, math.IsNaN(f) == math.IsNaN(got[i]) && !(math.Abs(f-got[i]) > 1e-10), "%d: %v %v", i, f, got[i])
		}
	}
	require.Panics(t, func() { metrics.NewConfusionMatrix(2).Add([]uint8{1}, nil) })
	require.Panics(t, func() { metrics.NewConfusionMatrix(2).Add([]uint8{1}, []uint8{2}) })
	require.Panics(t, func() { metrics.NewConfusionMatrix(0) })
	require.Panics(t, func() { metrics.NewConfusionMatrix(2).Merge(metrics.NewConfusionMatrix(3)) })
}
