package datasets

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/transforms"
)

// A KittiObject is an object in a picture of [NewKitti].
type KittiObject struct {
	Type       string
	Truncated  float64 // from 0 to 1
	Occluded   int
	Alpha      float64    // the angle at which it is seen
	Box        [4]float64 // left, top, right, bottom, in pixels
	Dimensions [3]float64 // height, width, length, in meters
	Location   [3]float64 // x, y, z in front of the camera, in meters
	RotationY  float64
}

// NewKitti opens the streets in root/Kitti/raw: Kitti(root, train, download). Pictures have the mode of their files, and are in
// the order of their names, where torchvision's is that of the file system; those for testing have no targets. It honors
// [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Kitti.html
func NewKitti(ctx context.Context, root string, opts ...Option) (*Annotated[[]KittiObject], error) {
	o := optionsOf(opts)
	folder, need := "training", []string{"training/image_2", "training/label_2"}
	if o.test {
		folder, need = "testing", []string{"testing/image_2"}
	}
	dir, err := o.in(ctx, "Kitti", root, need...)
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, folder)
	pictures, err := names(filepath.Join(dir, "image_2"), anyEntry)
	if err != nil {
		return nil, err
	}
	d := &Annotated[[]KittiObject]{opts: []transforms.OpenOption{transforms.WithMode()}}
	for _, name := range pictures {
		d.Paths = append(d.Paths, filepath.Join(dir, "image_2", name))
	}
	d.targets = func(i int) ([]KittiObject, error) {
		if o.test {
			return nil, nil
		}
		name, _, _ := strings.Cut(pictures[i], ".")
		return readKitti(filepath.Join(dir, "label_2", name+".txt"))
	}
	return d, nil
}

func readKitti(path string) ([]KittiObject, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	objects := []KittiObject{}
	for i, line := range lines {
		fields := strings.Split(line, " ")
		if len(fields) < 15 {
			return nil, fmt.Errorf("datasets: %s: line %d has %d fields; want a type and 14 numbers", path, i+1, len(fields))
		}
		var v [15]float64
		for k := 1; k < 15; k++ {
			if v[k], err = strconv.ParseFloat(fields[k], 64); err != nil || k == 2 && v[k] != float64(int(v[k])) {
				return nil, fmt.Errorf("datasets: %s: line %d has %.20q, which is not such a number", path, i+1, fields[k])
			}
		}
		objects = append(objects, KittiObject{fields[0], v[1], int(v[2]), v[3], [4]float64(v[4:8]), [3]float64(v[8:11]), [3]float64(v[11:14]), v[14]})
	}
	return objects, nil
}

// A CityscapesClass is a class of the pixels of [NewCityscapes].
type CityscapesClass struct {
	Name                       string
	ID                         int
	TrainID                    int // 255 and -1 are not trained on
	Category                   string
	CategoryID                 int
	HasInstances, IgnoreInEval bool
	Color                      [3]uint8
}

// CityscapesClasses are the classes: Cityscapes.classes.
var CityscapesClasses = []CityscapesClass{
	{"unlabeled", 0, 255, "void", 0, false, true, [3]uint8{0, 0, 0}},
	{"ego vehicle", 1, 255, "void", 0, false, true, [3]uint8{0, 0, 0}},
	{"rectification border", 2, 255, "void", 0, false, true, [3]uint8{0, 0, 0}},
	{"out of roi", 3, 255, "void", 0, false, true, [3]uint8{0, 0, 0}},
	{"static", 4, 255, "void", 0, false, true, [3]uint8{0, 0, 0}},
	{"dynamic", 5, 255, "void", 0, false, true, [3]uint8{111, 74, 0}},
	{"ground", 6, 255, "void", 0, false, true, [3]uint8{81, 0, 81}},
	{"road", 7, 0, "flat", 1, false, false, [3]uint8{128, 64, 128}},
	{"sidewalk", 8, 1, "flat", 1, false, false, [3]uint8{244, 35, 232}},
	{"parking", 9, 255, "flat", 1, false, true, [3]uint8{250, 170, 160}},
	{"rail track", 10, 255, "flat", 1, false, true, [3]uint8{230, 150, 140}},
	{"building", 11, 2, "construction", 2, false, false, [3]uint8{70, 70, 70}},
	{"wall", 12, 3, "construction", 2, false, false, [3]uint8{102, 102, 156}},
	{"fence", 13, 4, "construction", 2, false, false, [3]uint8{190, 153, 153}},
	{"guard rail", 14, 255, "construction", 2, false, true, [3]uint8{180, 165, 180}},
	{"bridge", 15, 255, "construction", 2, false, true, [3]uint8{150, 100, 100}},
	{"tunnel", 16, 255, "construction", 2, false, true, [3]uint8{150, 120, 90}},
	{"pole", 17, 5, "object", 3, false, false, [3]uint8{153, 153, 153}},
	{"polegroup", 18, 255, "object", 3, false, true, [3]uint8{153, 153, 153}},
	{"traffic light", 19, 6, "object", 3, false, false, [3]uint8{250, 170, 30}},
	{"traffic sign", 20, 7, "object", 3, false, false, [3]uint8{220, 220, 0}},
	{"vegetation", 21, 8, "nature", 4, false, false, [3]uint8{107, 142, 35}},
	{"terrain", 22, 9, "nature", 4, false, false, [3]uint8{152, 251, 152}},
	{"sky", 23, 10, "sky", 5, false, false, [3]uint8{70, 130, 180}},
	{"person", 24, 11, "human", 6, true, false, [3]uint8{220, 20, 60}},
	{"rider", 25, 12, "human", 6, true, false, [3]uint8{255, 0, 0}},
	{"car", 26, 13, "vehicle", 7, true, false, [3]uint8{0, 0, 142}},
	{"truck", 27, 14, "vehicle", 7, true, false, [3]uint8{0, 0, 70}},
	{"bus", 28, 15, "vehicle", 7, true, false, [3]uint8{0, 60, 100}},
	{"caravan", 29, 255, "vehicle", 7, true, true, [3]uint8{0, 0, 90}},
	{"trailer", 30, 255, "vehicle", 7, true, true, [3]uint8{0, 0, 110}},
	{"train", 31, 16, "vehicle", 7, true, false, [3]uint8{0, 80, 100}},
	{"motorcycle", 32, 17, "vehicle", 7, true, false, [3]uint8{0, 0, 230}},
	{"bicycle", 33, 18, "vehicle", 7, true, false, [3]uint8{119, 11, 32}},
	{"license plate", -1, -1, "vehicle", 7, false, true, [3]uint8{0, 0, 142}},
}

// A CityscapesTarget are the annotations of a picture of [NewCityscapes], each of which is read when it is asked for.
type CityscapesTarget struct{ prefix string }

// Instance reads the instances: the id of the class, or 1000 times that and the number of the object. The target type instance.
func (t CityscapesTarget) Instance() (image.Image, error) {
	return transforms.Open(t.prefix+"instanceIds.png", transforms.WithMode())
}

// Semantic reads the ids of the classes: the target type semantic.
func (t CityscapesTarget) Semantic() (image.Image, error) { return openMask(t.prefix + "labelIds.png") }

// Color reads the colors of the classes: the target type color.
func (t CityscapesTarget) Color() (image.Image, error) {
	return transforms.Open(t.prefix+"color.png", transforms.WithMode())
}

// CityscapesPolygons are the outlines of the objects in a picture.
type CityscapesPolygons struct {
	Height  int `json:"imgHeight"`
	Width   int `json:"imgWidth"`
	Objects []struct {
		Label   string       `json:"label"`
		Polygon [][2]float64 `json:"polygon"`
	} `json:"objects"`
}

// Polygons reads the outlines: the target type polygon.
func (t CityscapesTarget) Polygons() (p CityscapesPolygons, err error) {
	path := t.prefix + "polygons.json"
	b, err := readAll(path, 1<<28)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("datasets: %s is not a file of polygons: %w", path, err)
	}
	return p, nil
}

// NewCityscapes opens the streets in root/leftImg8bit and root/gtFine or root/gtCoarse: Cityscapes(root, split, mode) with all
// target types. [WithSplit] names train, which is the default, val, or test of the fine annotations and train_extra of the
// coarse ones, and [WithVariant] the mode: fine, which is the default, or coarse. Pictures are in the order of the cities' and
// their names, where torchvision's is that of the file system. As in torchvision the archives, such as
// leftImg8bit_trainvaltest.zip, are unpacked if they are in root. It honors [WithTest].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Cityscapes.html
func NewCityscapes(ctx context.Context, root string, opts ...Option) (*Annotated[CityscapesTarget], error) {
	o := optionsOf(opts)
	mode, err := o.form("Cityscapes", "mode", "fine", "coarse")
	if err != nil {
		return nil, err
	}
	splits, kind, test := []string{"train", "val", "test"}, "gtFine", "test"
	if mode == "coarse" {
		splits, kind, test = []string{"train", "val", "train_extra"}, "gtCoarse", ""
	}
	split, err := o.part("Cityscapes "+mode, test, splits...)
	if err != nil {
		return nil, err
	}
	pictures, targets := filepath.Join(root, "leftImg8bit", split), filepath.Join(root, kind, split)
	if !exists(pictures) || !exists(targets) {
		for _, archive := range []string{
			map[bool]string{false: "leftImg8bit_trainvaltest.zip", true: "leftImg8bit_trainextra.zip"}[split == "train_extra"],
			map[string]string{"gtFine": "gtFine_trainvaltest.zip", "gtCoarse": "gtCoarse.zip"}[kind],
		} {
			path := filepath.Join(root, archive)
			if !exists(path) {
				return nil, fmt.Errorf("datasets: Cityscapes has no folders %s and %s, nor the archive %s that has one; get it from https://www.cityscapes-dataset.com", pictures, targets, path)
			}
			if err := unpack(ctx, path, root); err != nil {
				return nil, fmt.Errorf("datasets: unpack %s: %w", path, err)
			}
		}
	}
	cities, err := names(pictures, anyEntry)
	if err != nil {
		return nil, err
	}
	var paths []string
	var of []CityscapesTarget
	for _, city := range cities {
		files, err := names(filepath.Join(pictures, city), anyEntry)
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			scene, _, _ := strings.Cut(name, "_leftImg8bit")
			paths = append(paths, filepath.Join(pictures, city, name))
			of = append(of, CityscapesTarget{filepath.Join(targets, city, scene+"_"+kind+"_")})
		}
	}
	return annotated(paths, of), nil
}
