package metrics

import "math"

// KeypointPrecision is the ten figures of COCO for key points: COCOeval.stats. A figure for
// which there are no objects is -1.
//
// https://cocodataset.org/#keypoints-eval
type KeypointPrecision struct {
	AP, AP50, AP75    float64 // mean average precision at an OKS of 0.50 to 0.95, at 0.50 and at 0.75
	APMedium, APLarge float64 // of objects from 32² to 96² and above, in pixels
	AR, AR50, AR75    float64 // average recall of at most 20 objects of a picture
	ARMedium, ARLarge float64
}

// sigmas say how exact people mark the 17 key points of a person.
var sigmas = []float64{
	.26 / 10, .25 / 10, .25 / 10, .35 / 10, .35 / 10, .79 / 10, .79 / 10, .72 / 10, .72 / 10, .62 / 10, .62 / 10, 1.07 / 10, 1.07 / 10, .87 / 10, .87 / 10, .89 / 10, .89 / 10,
}

// COCOKeypoints is [COCO] for the 17 key points of persons instead of boxes: COCOeval(…, "keypoints"). All objects have key points,
// three numbers for each.
func COCOKeypoints(images []int, truth []Truth, found []Found) KeypointPrecision {
	r := rules{most: [3]int{0, 0, 20}, iou: similarity, area: extent, ignore: func(t *Truth) bool { return t.NumKeypoints == 0 }}
	a := r.accumulate(images, truth, found)
	const all = 2
	return KeypointPrecision{
		AP: a.mean(0, all, false), AP50: a.mean(0, all, false, 0), AP75: a.mean(0, all, false, 5),
		APMedium: a.mean(2, all, false), APLarge: a.mean(3, all, false),
		AR: a.mean(0, all, true), AR50: a.mean(0, all, true, 0), AR75: a.mean(0, all, true, 5),
		ARMedium: a.mean(2, all, true), ARLarge: a.mean(3, all, true),
	}
}

// Stats returns the figures in the order of COCOeval.stats.
func (p KeypointPrecision) Stats() []float64 {
	return []float64{p.AP, p.AP50, p.AP75, p.APMedium, p.APLarge, p.AR, p.AR50, p.AR75, p.ARMedium, p.ARLarge}
}

// similarity is the object keypoint similarity: how near the key points are that are marked or, if none are, how far the
// found ones are outside of twice the box.
func similarity(f *Found, t *Truth) float64 {
	marked := 0
	for i := range sigmas {
		if t.Keypoints[3*i+2] > 0 {
			marked++
		}
	}
	sum, n := 0., 0
	for i, sigma := range sigmas {
		x, y := f.Keypoints[3*i], f.Keypoints[3*i+1]
		var dx, dy float64
		switch b := t.Box; {
		case marked == 0:
			dx = max(0, b[0]-b[2]-x) + max(0, x-(b[0]+b[2]*2))
			dy = max(0, b[1]-b[3]-y) + max(0, y-(b[1]+b[3]*2))
		case t.Keypoints[3*i+2] > 0:
			dx, dy = x-t.Keypoints[3*i], y-t.Keypoints[3*i+1]
		default:
			continue
		}
		variance := (sigma * 2) * (sigma * 2)
		sum += math.Exp(-(float64(dx*dx) + float64(dy*dy)) / variance / (t.Area + 0x1p-52) / 2)
		n++
	}
	return sum / float64(n)
}

// extent is the area of the box around found key points, as COCO.loadRes computes it.
func extent(f *Found) float64 {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i := 0; i+2 < len(f.Keypoints); i += 3 {
		x, y := f.Keypoints[i], f.Keypoints[i+1]
		x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
	}
	return (x1 - x0) * (y1 - y0)
}
