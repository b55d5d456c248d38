package metrics_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/metrics"
)

const maskScript = `
import contextlib, io, json
import numpy as np
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

def parsed(segmentations, h, w):
    out = []
    for s in segmentations:
        s = json.loads(s)
        if isinstance(s, list):
            r = mask.merge(mask.frPyObjects(s, h, w))
        elif isinstance(s["counts"], list):
            r = mask.frPyObjects(s, h, w)
        else:
            r = s
        out.append({"counts": r["counts"] if isinstance(r["counts"], str) else r["counts"].decode(), "area": int(mask.area(r)), "sums": mask.decode(r).sum(0).tolist()})
    return out

def encoded(seed, h, w):
    r = np.random.default_rng(seed)
    m = np.asfortranarray((r.random((h, w)) < 0.4).astype(np.uint8))
    m[: h // 3] = 0
    return {"pixels": (m > 0).ravel().tolist(), "counts": mask.encode(m)["counts"].decode()}

def stats(kind, images, h, w, truth, found):
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = {"images": [{"id": i, "height": h, "width": w} for i in images], "annotations": truth,
                      "categories": [{"id": c} for c in sorted({t["category_id"] for t in truth})]}
        gt.createIndex()
        for f in found:
            f.pop("bbox")
        for t in truth:
            t.setdefault("num_keypoints", 0)
        e = COCOeval(gt, gt.loadRes(found), kind)
        e.evaluate(); e.accumulate(); e.summarize()
    return list(e.stats)
`

func TestMasksEqualPycocotools(t *testing.T) {
	p := reference.Start(t, maskScript)
	const h, w = 40, 50
	r := rand.New(rand.NewPCG(1, 2))
	segmentations := []string{
		`[[10, 10, 30, 10, 30, 20, 10, 20]]`, `[[0, 0, 50, 0, 50, 40, 0, 40]]`, `[[-5.5, -3, 60.2, 7, 20, 80]]`, `[[3, 3, 3, 3, 9, 9, 3, 9], [20, 5, 45, 5, 45, 30]]`,
		`{"size": [40, 50], "counts": [10, 90, 0, 5, 1895]}`, `{"size": [40, 50], "counts": [0, 2000]}`, `{"size": [40, 50], "counts": [2000]}`,
	}
	for range 60 {
		var polygons [][]float64
		for range 1 + r.IntN(3) {
			var xy []float64
			for range 3 + r.IntN(7) {
				x, y := r.Float64()*70-10, r.Float64()*60-10
				if r.IntN(3) == 0 {
					x, y = float64(int(x)), float64(int(2*y))/2
				}
				xy = append(xy, x, y)
			}
			polygons = append(polygons, xy)
		}
		b, err := json.Marshal(polygons)
		require.NoError(t, err)
		segmentations = append(segmentations, string(b))
	}
	var want []struct {
		Counts string
		Area   int
		Sums   []int
	}
	p.Call(&want, "parsed", segmentations, h, w)
	for i, s := range segmentations {
		m, err := metrics.ParseMask([]byte(s), h, w)
		require.NoError(t, err, s)
		require.Equal(t, want[i].Counts, m.String(), s)
		require.Equal(t, want[i].Area, m.Area(), s)
		text, err := json.Marshal(m)
		require.NoError(t, err)
		again, err := metrics.ParseMask(text, h, w)
		require.NoError(t, err)
		require.Equal(t, m.Area(), again.Area())
		require.Equal(t, m.String(), again.String())
	}
	for seed := range 3 {
		var e struct {
			Pixels []bool
			Counts string
		}
		p.Call(&e, "encoded", seed, h, w)
		require.Equal(t, e.Counts, metrics.NewMask(e.Pixels, h, w).String())
	}
	ids, truth, found := maskedObjects(t, r, h, w)
	var stats []float64
	p.Call(&stats, "stats", "segm", ids, h, w, truth, found)
	require.InDeltaSlice(t, stats, metrics.COCOMasks(ids, truth, found).Stats(), 1e-12)
	require.Greater(t, stats[0], 0.05)
	ids, truth, found = people(r)
	p.Call(&stats, "stats", "keypoints", ids, h, w, truth, found)
	require.InDeltaSlice(t, stats, metrics.COCOKeypoints(ids, truth, found).Stats(), 1e-12)
	require.Greater(t, stats[0], 0.05)
}

// maskedObjects makes random blocks of pixels, and a detector that shifts some of their edges.
func maskedObjects(t *testing.T, r *rand.Rand, h, w int) (ids []int, truth []metrics.Truth, found []metrics.Found) {
	block := func(x0, y0, x1, y1 int) *metrics.Mask {
		pixels := make([]bool, h*w)
		for y := max(y0, 0); y < min(y1, h); y++ {
			for x := max(x0, 0); x < min(x1, w); x++ {
				pixels[y*w+x] = true
			}
		}
		return metrics.NewMask(pixels, h, w)
	}
	for i := range 12 {
		ids = append(ids, i+1)
		for range r.IntN(6) {
			x, y, a, b := r.IntN(w-8), r.IntN(h-8), 4+r.IntN(35), 4+r.IntN(35)
			m := block(x, y, x+a, y+b)
			o := metrics.Truth{ID: len(truth) + 1, Image: i + 1, Category: 1 + r.IntN(2), Area: float64(m.Area()), Mask: m, Box: [4]float64{float64(x), float64(y), float64(a), float64(b)}}
			if r.IntN(6) == 0 {
				o.Crowd = 1
			}
			truth = append(truth, o)
			for range r.IntN(3) {
				f := metrics.Found{Image: o.Image, Category: o.Category, Score: float64(r.IntN(10)) / 10, Mask: block(x+r.IntN(3), y+r.IntN(3), x+a+r.IntN(3), y+b+r.IntN(2))}
				if f.Mask.Area() > 0 {
					found = append(found, f)
				}
			}
		}
	}
	return ids, truth, found
}

// people makes random persons with key points, of which some are not marked, and a detector that is near.
func people(r *rand.Rand) (ids []int, truth []metrics.Truth, found []metrics.Found) {
	for i := range 12 {
		ids = append(ids, i+1)
		for range r.IntN(5) {
			side := 30 + 100*r.Float64()
			o := metrics.Truth{ID: len(truth) + 1, Image: i + 1, Category: 1, Area: side * side * 0.6, Box: [4]float64{r.Float64() * 100, r.Float64() * 100, side, side}}
			f := metrics.Found{Image: o.Image, Category: 1, Score: float64(r.IntN(8)) / 8}
			near, unmarked := r.Float64()*0.12*side, r.IntN(6) == 0
			for range 17 {
				x, y := o.Box[0]+side*r.Float64(), o.Box[1]+side*r.Float64()
				v := float64(r.IntN(3))
				if unmarked {
					v = 0
				}
				if v > 0 {
					o.NumKeypoints++
				}
				o.Keypoints = append(o.Keypoints, x, y, v)
				f.Keypoints = append(f.Keypoints, x+near*r.NormFloat64(), y+near*r.NormFloat64(), 1)
			}
			if r.IntN(8) == 0 {
				o.Crowd = 1
			}
			truth, found = append(truth, o), append(found, f)
		}
	}
	return ids, truth, found
}

func TestBadMasks(t *testing.T) {
	for s, want := range map[string]string{
		`[]`:                            "the segmentation has no polygons",
		`[[1, 2, 3, 4]]`:                "a polygon of the segmentation has 4 numbers",
		`[[1, 2, 3, 4, 5, 1e300]]`:      "has the coordinate 1e+300",
		`"x"`:                           "neither polygons nor a mask",
		`{"size": [4], "counts": [16]}`: "the size of the mask is [4]",
		`{"size": [4, 999999999], "counts": [1]}`: "the size of the mask",
		`{"size": [4, 4], "counts": [8]}`:         "the runs of the mask are of 8 pixels, and it has 16",
		`{"size": [4, 4], "counts": [20, -4]}`:    "the runs of the mask do not fill its 4×4 pixels",
		`{"size": [4, 4], "counts": "\u0001"}`:    "byte 0",
		`{"size": [4, 4], "counts": "P"}`:         "cut short",
		`{"size": [4, 4], "counts": "PPPPPPPPP"}`: "byte 7",
	} {
		_, err := metrics.ParseMask([]byte(s), 4, 4)
		require.ErrorContains(t, err, want, s)
	}
}

func FuzzParseMask(f *testing.F) {
	f.Add([]byte(`[[1, 1, 3, 1, 3, 3]]`))
	f.Add([]byte(`{"size": [4, 5], "counts": "` + "b01" + `"}`))
	f.Add([]byte(`{"size": [4, 5], "counts": [3, 17]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := metrics.ParseMask(data, 20, 30)
		if err != nil {
			return
		}
		b, err := json.Marshal(m)
		require.NoError(t, err)
		again, err := metrics.ParseMask(b, 1, 1)
		require.NoError(t, err)
		require.Equal(t, m.Counts, again.Counts)
	})
}
