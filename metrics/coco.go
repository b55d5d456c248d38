package metrics

import (
	"cmp"
	"maps"
	"slices"
)

// A Truth is an object of a picture, as an annotation of COCO describes it.
type Truth struct {
	ID       int        `json:"id"` // from 1; pycocotools counts no match with 0
	Image    int        `json:"image_id"`
	Category int        `json:"category_id"`
	Box      [4]float64 `json:"bbox"` // x, y, width, height, in pixels
	Area     float64    `json:"area"` // of the object, in pixels; it says whether it is small, medium or large
	Crowd    int        `json:"iscrowd"`

	Mask         *Mask     `json:"segmentation,omitempty"` // for COCOMasks
	Keypoints    []float64 `json:"keypoints,omitempty"`    // x, y and visibility of each, for COCOKeypoints
	NumKeypoints int       `json:"num_keypoints,omitempty"`
}

// A Found is an object that a detector has found, as a result of COCO describes it.
type Found struct {
	Image    int        `json:"image_id"`
	Category int        `json:"category_id"`
	Box      [4]float64 `json:"bbox"` // x, y, width, height, in pixels
	Score    float64    `json:"score"`

	Mask      *Mask     `json:"segmentation,omitempty"` // for COCOMasks
	Keypoints []float64 `json:"keypoints,omitempty"`    // x, y and a number that is not looked at, of each, for COCOKeypoints
}

// AveragePrecision is the twelve figures of COCO for boxes and for masks: COCOeval.stats. A figure
// for which there are no objects is -1.
//
// https://cocodataset.org/#detection-eval
type AveragePrecision struct {
	AP, AP50, AP75             float64 // mean average precision at IoU 0.50 to 0.95, at 0.50 and at 0.75
	APSmall, APMedium, APLarge float64 // of objects below 32², to 96² and above, in pixels
	AR1, AR10, AR100           float64 // average recall of at most so many objects of a picture
	ARSmall, ARMedium, ARLarge float64
}

// The settings of COCOeval.
var (
	cocoAreas = [4][2]float64{{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}} // all, small, medium, large
	cocoIoUs  = linspace(0.5, 0.95, 10)
	recalls   = linspace(0, 1, 101)
)

// linspace is numpy.linspace.
func linspace(from, to float64, n int) []float64 {
	v := make([]float64, n)
	step := (to - from) / float64(n-1)
	for i := range v {
		v[i] = float64(float64(i)*step) + from // unlike a fused multiply-add
	}
	v[n-1] = to
	return v
}

// COCO compares what a detector has found with the truth, by the rules of COCO:
// COCOeval(…, "bbox") of pycocotools. The images are those that were looked at; objects of
// others do not count.
//
// https://github.com/cocodataset/cocoapi
func COCO(images []int, truth []Truth, found []Found) AveragePrecision {
	r := rules{
		most:   [3]int{1, 10, 100},
		iou:    func(f *Found, t *Truth) float64 { return overlap(f.Box, t.Box, t.Crowd != 0) },
		area:   func(f *Found) float64 { return f.Box[2] * f.Box[3] },
		ignore: func(*Truth) bool { return false },
	}
	a := r.accumulate(images, truth, found)
	return a.figures()
}

// COCOMasks is [COCO] for masks instead of boxes: COCOeval(…, "segm"). All objects have masks.
func COCOMasks(images []int, truth []Truth, found []Found) AveragePrecision {
	r := rules{
		most:   [3]int{1, 10, 100},
		iou:    func(f *Found, t *Truth) float64 { return f.Mask.iou(t.Mask, t.Crowd != 0) },
		area:   func(f *Found) float64 { return float64(f.Mask.Area()) },
		ignore: func(*Truth) bool { return false },
	}
	a := r.accumulate(images, truth, found)
	return a.figures()
}

// rules say how objects are compared.
type rules struct {
	most   [3]int // objects of a picture
	iou    func(f *Found, t *Truth) float64
	area   func(f *Found) float64
	ignore func(t *Truth) bool // does not count, although it is not a crowd
}

// accumulate compares what was found with the truth.
func (r *rules) accumulate(images []int, truth []Truth, found []Found) (a accumulator) {
	type key struct{ category, image int }
	looked := map[int]bool{}
	for _, i := range images {
		looked[i] = true
	}
	truths, founds, categories := map[key][]Truth{}, map[key][]Found{}, map[int]bool{}
	for _, t := range truth {
		if looked[t.Image] {
			k := key{t.Category, t.Image}
			truths[k] = append(truths[k], t)
			categories[t.Category] = true
		}
	}
	for _, f := range found {
		if looked[f.Image] {
			k := key{f.Category, f.Image}
			founds[k] = append(founds[k], f)
		}
	}
	ids := slices.Sorted(maps.Keys(looked))
	for _, c := range slices.Sorted(maps.Keys(categories)) { // of a category without objects nothing counts
		var pictures []*picture
		for _, i := range ids {
			if k := (key{c, i}); len(truths[k])+len(founds[k]) > 0 {
				pictures = append(pictures, r.newPicture(truths[k], founds[k]))
			}
		}
		for area := range cocoAreas {
			for most, n := range r.most {
				if most == len(r.most)-1 || area == 0 { // the others are not among the figures
					a.add(pictures, area, most, n)
				}
			}
		}
	}
	return a
}

// A picture is what there is of one category in one picture, and what was found.
type picture struct {
	*rules
	truth []Truth
	found []Found     // the best first
	ious  [][]float64 // by found, then by truth
}

func (r *rules) newPicture(truth []Truth, found []Found) *picture {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b Found) int { return cmp.Compare(b.Score, a.Score) })
	found = found[:min(len(found), r.most[len(r.most)-1])]
	p := &picture{r, truth, found, make([][]float64, len(found))}
	for i := range found {
		p.ious[i] = make([]float64, len(truth))
		for j := range truth {
			p.ious[i][j] = r.iou(&found[i], &truth[j])
		}
	}
	return p
}

// overlap is the intersection over union of two boxes, or over the first alone if the second is a crowd.
func overlap(a, b [4]float64, crowd bool) float64 {
	w := min(a[0]+a[2], b[0]+b[2]) - max(a[0], b[0])
	h := min(a[1]+a[3], b[1]+b[3]) - max(a[1], b[1])
	if w <= 0 || h <= 0 {
		return 0
	}
	both := float64(w * h)
	if crowd {
		return both / (a[2] * a[3])
	}
	return both / (float64(a[2]*a[3]) + float64(b[2]*b[3]) - both)
}

// A match is an object that was found, at one IoU.
type match struct {
	score          float64
	right, ignored bool
}

// matches assigns the best found objects to the true ones, and returns the number of
// true objects that count.
func (p *picture) matches(area [2]float64, most int, threshold float64) (found []match, objects int) {
	outside := func(a float64) bool { return a < area[0] || a > area[1] }
	order := make([]int, len(p.truth)) // those that count come first
	ignored := make([]bool, len(p.truth))
	for i, t := range p.truth {
		order[i] = i
		ignored[i] = t.Crowd != 0 || p.ignore(&t) || outside(t.Area)
		if !ignored[i] {
			objects++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return compareBool(ignored[a], ignored[b]) })
	taken := make([]bool, len(p.truth))
	for d, f := range p.found[:min(len(p.found), most)] {
		best, iou := -1, min(threshold, 1-1e-10)
		for _, g := range order {
			if taken[g] && p.truth[g].Crowd == 0 {
				continue
			}
			if best >= 0 && !ignored[best] && ignored[g] {
				break
			}
			if p.ious[d][g] >= iou {
				best, iou = g, p.ious[d][g]
			}
		}
		m := match{score: f.Score}
		if best >= 0 {
			taken[best] = true
			m.ignored = ignored[best]
			m.right = p.truth[best].ID != 0
		}
		m.ignored = m.ignored || !m.right && outside(p.area(&f))
		found = append(found, m)
	}
	return found, objects
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// An accumulator sums precision and recall over categories, by IoU, area and number of
// found objects.
type accumulator [10][4][3]struct {
	precision, recall float64 // sums
	n                 int     // categories
}

func (a *accumulator) add(pictures []*picture, area, most, n int) {
	for t, threshold := range cocoIoUs {
		var all []match
		objects := 0
		for _, p := range pictures {
			m, count := p.matches(cocoAreas[area], n, threshold)
			all, objects = append(all, m...), objects+count
		}
		if objects == 0 {
			continue
		}
		slices.SortStableFunc(all, func(a, b match) int { return cmp.Compare(b.score, a.score) })
		precision, recall := curve(all, objects)
		to := &a[t][area][most]
		to.precision += precision
		to.recall += recall
		to.n++
	}
}

// curve returns the mean precision over the recalls of COCO, and the recall of all that was found.
func curve(all []match, objects int) (mean, recall float64) {
	var precisions, rs []float64
	right, wrong := 0., 0.
	for _, m := range all {
		switch {
		case m.ignored:
		case m.right:
			right++
		default:
			wrong++
		}
		rs = append(rs, right/float64(objects))
		precisions = append(precisions, right/(wrong+right+0x1p-52))
	}
	for i := len(precisions) - 1; i > 0; i-- { // the best precision at a recall or above
		precisions[i-1] = max(precisions[i-1], precisions[i])
	}
	for _, r := range recalls {
		if i, _ := slices.BinarySearch(rs, r); i < len(rs) {
			mean += precisions[i]
		}
	}
	if len(rs) > 0 {
		recall = rs[len(rs)-1]
	}
	return mean / float64(len(recalls)), recall
}

// mean averages over the categories and the IoUs, or those of the given numbers.
func (a *accumulator) mean(area, most int, recall bool, ious ...int) float64 {
	sum, n := 0., 0
	for t := range a {
		if len(ious) > 0 && !slices.Contains(ious, t) {
			continue
		}
		c := a[t][area][most]
		n += c.n
		if recall {
			sum += c.recall
		} else {
			sum += c.precision
		}
	}
	if n == 0 {
		return -1
	}
	return sum / float64(n)
}

// figures returns those for boxes and masks.
func (a *accumulator) figures() AveragePrecision {
	mean := a.mean
	const all = 2
	return AveragePrecision{
		AP: mean(0, all, false), AP50: mean(0, all, false, 0), AP75: mean(0, all, false, 5),
		APSmall: mean(1, all, false), APMedium: mean(2, all, false), APLarge: mean(3, all, false),
		AR1: mean(0, 0, true), AR10: mean(0, 1, true), AR100: mean(0, all, true),
		ARSmall: mean(1, all, true), ARMedium: mean(2, all, true), ARLarge: mean(3, all, true),
	}
}

// Stats returns the figures in the order of COCOeval.stats.
func (p AveragePrecision) Stats() []float64 {
	return []float64{p.AP, p.AP50, p.AP75, p.APSmall, p.APMedium, p.APLarge, p.AR1, p.AR10, p.AR100, p.ARSmall, p.ARMedium, p.ARLarge}
}
