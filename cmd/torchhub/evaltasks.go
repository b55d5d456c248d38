package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/metrics"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// classification measures a classifier by a folder for each class.
type classification struct {
	data  *datasets.ImageFolder
	class []int // by folder, the class of the model
	batch int
	paths []string
	sum   *metrics.Accuracy
}

func newClassification(m *hub.Model, dir string, batch int) (evaluation, error) {
	if val, err := filepath.Glob(filepath.Join(dir, "val", "*", "*")); err == nil && len(val) > 0 {
		dir = filepath.Join(dir, "val")
	}
	d, err := datasets.NewImageFolder(dir)
	if err != nil {
		return nil, err
	}
	class, err := classesOf(d, m.Labels())
	if err != nil {
		return nil, err
	}
	e := &classification{data: d, class: class, batch: batch, sum: metrics.NewAccuracy()}
	for _, s := range d.Samples {
		e.paths = append(e.paths, s.Path)
	}
	return e, nil
}

// classesOf returns the class of each folder: by its name if all are labels of the
// model, or else by their order if there are as many.
func classesOf(d *datasets.ImageFolder, labels []string) ([]int, error) {
	class, unknown := make([]int, len(d.Classes)), ""
	for i, name := range d.Classes {
		class[i] = slices.IndexFunc(labels, func(l string) bool { return strings.EqualFold(l, strings.ReplaceAll(name, "_", " ")) || l == name })
		if class[i] < 0 && unknown == "" {
			unknown = name
		}
	}
	if unknown == "" {
		return class, nil
	}
	if labels != nil && len(labels) != len(d.Classes) {
		return nil, fmt.Errorf("%s has %d folders, and the model has %d classes; give one folder a class, or name the folders by labels, which %q is not", d.Root, len(d.Classes), len(labels), unknown)
	}
	for i := range class {
		class[i] = i
	}
	return class, nil
}

func (e *classification) names() []string { return e.paths }

func (e *classification) run(ctx context.Context, m *hub.Model, pictures []int, done func(int, any, error) error) error {
	next, stop := iter.Pull2(m.LogitsAll(ctx, hub.Files(pick(e.paths, pictures)...), hub.AllOptions{BatchSize: e.batch}))
	defer stop()
	for _, i := range pictures {
		logits, err, ok := next()
		if !ok {
			return ctx.Err()
		}
		var rank int
		if err == nil {
			class := e.class[e.data.Samples[i].Class]
			if class >= len(logits) {
				return fmt.Errorf("%s has %d folders, and the model gives %d logits", e.data.Root, len(e.class), len(logits))
			}
			rank = metrics.Rank(logits, class)
		}
		if err := done(i, rank, err); err != nil {
			return err
		}
	}
	return nil
}

func pick(all []string, which []int) []string {
	out := make([]string, len(which))
	for i, w := range which {
		out[i] = all[w]
	}
	return out
}

func (e *classification) add(_ int, result json.RawMessage) error {
	var rank int
	if err := json.Unmarshal(result, &rank); err != nil {
		return err
	}
	e.sum.Add(rank)
	return nil
}

func (e *classification) figures() []figure {
	p := e.sum.Percent()
	return []figure{{"acc@1", p[0]}, {"acc@5", p[1]}}
}

// each calls f with the numbers on all processors, and done one at a time.
func each(ctx context.Context, numbers []int, f func(i int) (any, error), done func(int, any, error) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	queue := make(chan int)
	for range min(runtime.GOMAXPROCS(0), len(numbers)) {
		wg.Go(func() {
			for i := range queue {
				r, err := f(i)
				mu.Lock()
				if ctx.Err() == nil {
					if err := done(i, r, err); err != nil {
						cancel(err)
					}
				}
				mu.Unlock()
			}
		})
	}
feed:
	for _, i := range numbers {
		select {
		case queue <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}

// segmentation measures a segmentation by the masks of Pascal VOC.
type segmentation struct {
	data  *datasets.Annotated[image.Image]
	paths []string
	sum   *metrics.ConfusionMatrix
}

func newSegmentation(ctx context.Context, m *hub.Model, dir string) (evaluation, error) {
	d, err := datasets.NewVOCSegmentation(ctx, dir, datasets.WithSplit("val"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no ImageSets/Segmentation/val.txt, nor a folder VOCdevkit/VOC2012 that has; give a folder of Pascal VOC", dir)
	}
	if err != nil {
		return nil, err
	}
	if len(m.Labels()) == 0 || len(m.Labels()) > 255 {
		return nil, fmt.Errorf("the model has %d labels; give it one name a class, at most 255, with --labels", len(m.Labels()))
	}
	e := &segmentation{data: d, sum: metrics.NewConfusionMatrix(len(m.Labels()))}
	e.paths = append(e.paths, d.Paths...)
	return e, nil
}

func (e *segmentation) names() []string { return e.paths }

// A pixelCount says how many pixels of a true class have a predicted one.
type pixelCount struct{ Truth, Predicted, Pixels int }

func (e *segmentation) run(ctx context.Context, m *hub.Model, pictures []int, done func(int, any, error) error) error {
	return each(ctx, pictures, func(i int) (any, error) {
		img, mask, err := e.data.Open(i)
		if err != nil {
			return nil, err
		}
		s, err := m.Segment(ctx, img)
		if err != nil {
			return nil, err
		}
		truth, err := resizedMask(mask, s.Width, s.Height)
		if err != nil {
			return nil, err
		}
		predicted := make([]uint8, len(s.Classes))
		for i, c := range s.Classes {
			predicted[i] = uint8(c)
		}
		one := metrics.NewConfusionMatrix(e.sum.Classes)
		one.Add(truth, predicted)
		var counts []pixelCount
		for i, n := range one.Counts {
			if n > 0 {
				counts = append(counts, pixelCount{i / one.Classes, i % one.Classes, n})
			}
		}
		return counts, nil
	}, done)
}

// resizedMask returns the classes of a mask at the size of a model's output, as the
// reference script resizes it: to the nearest pixels.
func resizedMask(mask image.Image, w, h int) (classes []uint8, err error) {
	err = torch.Try(func() {
		resize := transforms.ResizeTo(h, w, transforms.ResizeOptions{Interpolation: transforms.Nearest})
		x := transforms.Compose(resize, transforms.PILToTensor()).Apply(mask)
		defer x.Free()
		classes = torch.Data[uint8](x)
	})
	return classes, err
}

func (e *segmentation) add(_ int, result json.RawMessage) error {
	var counts []pixelCount
	if err := json.Unmarshal(result, &counts); err != nil {
		return err
	}
	n := e.sum.Classes
	for _, c := range counts {
		if min(c.Truth, c.Predicted, c.Pixels) < 0 || max(c.Truth, c.Predicted) >= n {
			return fmt.Errorf("there are no such pixels as %+v", c)
		}
		e.sum.Counts[c.Truth*n+c.Predicted] += c.Pixels
	}
	return nil
}

func (e *segmentation) figures() []figure {
	s := e.sum.Compute()
	return []figure{{"miou", s.MeanIoU}, {"pixel_acc", s.PixelAccuracy}}
}

// detection measures a detector by the boxes of COCO, and also by masks or key points if the model gives them.
type detection struct {
	data      *datasets.CocoDetection
	category  []int // by class of the model, the id of COCO; 0 without
	paths     []string
	seen      []int // the images
	found     []metrics.Found
	truth     []metrics.Truth // in the images seen
	masks     bool            // the model gives masks
	keypoints bool            // the model gives key points
}

func newDetection(m *hub.Model, dir string) (evaluation, error) {
	kind, figures := "instances_", map[string]float64{}
	if e, err := models.Lookup(m.Name()); err == nil {
		figures = published(e.Default().Metrics)
	}
	_, masks := figures["mask_map"]
	_, keypoints := figures["kp_map"]
	if keypoints {
		kind = "person_keypoints_"
	}
	files, err := filepath.Glob(filepath.Join(dir, "annotations", kind+"val*.json"))
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("%s has %d files annotations/%sval….json; give a folder that is laid out as COCO's, with one", dir, len(files), kind)
	}
	set := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(files[0]), kind), ".json") // val2017
	d, err := datasets.NewCocoDetection(filepath.Join(dir, set), files[0])
	if err != nil {
		return nil, err
	}
	e := &detection{data: d, category: make([]int, len(m.Labels())), masks: masks, keypoints: keypoints}
	for _, c := range d.Categories {
		i := slices.Index(m.Labels(), c.Name)
		if i < 0 {
			return nil, fmt.Errorf("the model has no class %q, which %s has; it has the classes of \"torchhub show\"", c.Name, files[0])
		}
		e.category[i] = c.ID
	}
	for _, i := range d.Images {
		e.paths = append(e.paths, filepath.Join(d.Root, filepath.FromSlash(i.FileName)))
	}
	return e, nil
}

func (e *detection) names() []string { return e.paths }

func (e *detection) run(ctx context.Context, m *hub.Model, pictures []int, done func(int, any, error) error) error {
	return each(ctx, pictures, func(i int) (any, error) {
		img, _, err := e.data.Open(i)
		if err != nil {
			return nil, err
		}
		objects, err := m.Detect(ctx, img)
		if err != nil {
			return nil, err
		}
		found := []metrics.Found{}
		for _, o := range objects {
			if o.Index < len(e.category) && e.category[o.Index] != 0 {
				found = append(found, foundOf(o, e.data.Images[i].ID, e.category[o.Index], img.Bounds().Size()))
			}
		}
		return found, nil
	}, done)
}

// foundOf returns an object as a result of COCO.
func foundOf(o hub.Object, image, category int, size image.Point) metrics.Found {
	b := o.Box
	f := metrics.Found{Image: image, Category: category, Box: [4]float64{b[0], b[1], b[2] - b[0], b[3] - b[1]}, Score: o.Score}
	if o.Mask != nil {
		inside := make([]bool, len(o.Mask))
		for i, p := range o.Mask {
			inside[i] = p > 0.5
		}
		f.Mask = metrics.NewMask(inside, size.Y, size.X)
	}
	for _, k := range o.Keypoints {
		f.Keypoints = append(f.Keypoints, k.X, k.Y, 1)
	}
	return f
}

func (e *detection) add(i int, result json.RawMessage) error {
	var found []metrics.Found
	if err := json.Unmarshal(result, &found); err != nil {
		return err
	}
	for _, f := range found {
		if e.masks && f.Mask == nil || e.keypoints && len(f.Keypoints) != numKeypoints {
			return fmt.Errorf("an object has no mask, or other key points than the %d of COCO", numKeypoints/3)
		}
	}
	for _, o := range e.data.Objects(i) {
		if e.keypoints && len(o.Keypoints) != numKeypoints {
			return fmt.Errorf("annotation %d has %d numbers for key points, and must have %d", o.ID, len(o.Keypoints), numKeypoints)
		}
		t := metrics.Truth{
			ID: o.ID, Image: o.Image, Category: o.Category, Box: o.Box, Area: o.Area, Crowd: o.Crowd, Keypoints: o.Keypoints, NumKeypoints: o.NumKeypoints,
		}
		if e.masks {
			var err error
			if t.Mask, err = metrics.ParseMask(o.Segmentation, e.data.Images[i].Height, e.data.Images[i].Width); err != nil {
				return fmt.Errorf("annotation %d: %w", o.ID, err)
			}
		}
		e.truth = append(e.truth, t)
	}
	e.seen, e.found = append(e.seen, e.data.Images[i].ID), append(e.found, found...)
	return nil
}

// numKeypoints is the length of COCO's lists of key points: x, y and visibility of 17.
const numKeypoints = 3 * 17

func (e *detection) figures() []figure {
	a := metrics.COCO(e.seen, e.truth, e.found)
	all := []figure{{"box_map", 100 * a.AP}, {"box_map@50", 100 * a.AP50}, {"box_map@75", 100 * a.AP75}}
	if e.masks {
		a := metrics.COCOMasks(e.seen, e.truth, e.found)
		all = append(all, figure{"mask_map", 100 * a.AP}, figure{"mask_map@50", 100 * a.AP50}, figure{"mask_map@75", 100 * a.AP75})
	}
	if e.keypoints {
		a := metrics.COCOKeypoints(e.seen, e.truth, e.found)
		all = append(all, figure{"kp_map", 100 * a.AP}, figure{"kp_map@50", 100 * a.AP50}, figure{"kp_map@75", 100 * a.AP75})
	}
	return all
}
