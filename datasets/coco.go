package datasets

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/torchhub/torchhub/transforms"
)

// CocoDetection has pictures with objects: torchvision.datasets.CocoDetection.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.CocoDetection.html
type CocoDetection struct {
	Root       string         // the folder of the pictures
	Images     []CocoImage    // in the order of their ids
	Categories []CocoCategory // in the order of the file
	objects    map[int][]CocoObject
}

// A CocoImage is a picture of COCO.
type CocoImage struct {
	ID       int    `json:"id"`
	FileName string `json:"file_name"` // inside the folder of the pictures
	Width    int    `json:"width"`
	Height   int    `json:"height"`
}

// A CocoCategory is a kind of objects.
type CocoCategory struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// A CocoObject is an annotation of COCO: an object in a picture.
//
// https://cocodataset.org/#format-data
type CocoObject struct {
	ID           int             `json:"id"`
	Image        int             `json:"image_id"`
	Category     int             `json:"category_id"`
	Box          [4]float64      `json:"bbox"` // x, y, width, height, in pixels
	Area         float64         `json:"area"` // in pixels
	Crowd        int             `json:"iscrowd"`
	Segmentation json.RawMessage `json:"segmentation,omitempty"` // polygons, or a mask by the lengths of its runs
	Keypoints    []float64       `json:"keypoints,omitempty"`    // x, y and visibility of each
	NumKeypoints int             `json:"num_keypoints,omitempty"`
	Caption      string          `json:"caption,omitempty"` // in a file of captions, which has no boxes
}

// NewCocoDetection reads an annotation file, such as instances_val2017.json, for the
// pictures in root: CocoDetection(root, annotations). It checks that the file describes
// objects of its pictures, and that the pictures' names do not lead out of root.
func NewCocoDetection(root, annotations string) (*CocoDetection, error) {
	f, err := os.Open(annotations)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer f.Close()
	d := &CocoDetection{Root: root, objects: map[int][]CocoObject{}}
	if err := d.read(bufio.NewReaderSize(f, 1<<16)); err != nil {
		return nil, fmt.Errorf("datasets: %s is not an annotation file of COCO: %w", annotations, err)
	}
	return d, nil
}

// read reads the file an object at a time: those of all pictures of COCO are larger than they are in memory.
func (d *CocoDetection) read(r io.Reader) error {
	j := json.NewDecoder(r)
	if err := expect(j, '{'); err != nil {
		return err
	}
	for j.More() {
		key, err := j.Token()
		if err != nil {
			return err
		}
		switch key {
		case "images":
			err = each(j, func(i CocoImage) error {
				if !filepath.IsLocal(filepath.FromSlash(i.FileName)) {
					return fmt.Errorf("image %d has the file name %.100q, which is not inside the folder", i.ID, i.FileName)
				}
				d.Images = append(d.Images, i)
				return nil
			})
		case "annotations":
			err = each(j, func(o CocoObject) error {
				d.objects[o.Image] = append(d.objects[o.Image], o)
				return nil
			})
		case "categories":
			err = each(j, func(c CocoCategory) error { d.Categories = append(d.Categories, c); return nil })
		default:
			err = skip(j)
		}
		if err != nil {
			return err
		}
	}
	if len(d.Images) == 0 {
		return fmt.Errorf("it lists no images")
	}
	slices.SortStableFunc(d.Images, func(a, b CocoImage) int { return a.ID - b.ID })
	known := map[int]bool{}
	for _, i := range d.Images {
		if known[i.ID] {
			return fmt.Errorf("two images have the id %d", i.ID)
		}
		known[i.ID] = true
	}
	for id, objects := range d.objects {
		if !known[id] {
			return fmt.Errorf("annotation %d is of image %d, which it does not list", objects[0].ID, id)
		}
	}
	return nil
}

func expect(j *json.Decoder, d json.Delim) error {
	t, err := j.Token()
	if err != nil {
		return err
	}
	if t != d {
		return fmt.Errorf("at byte %d is %.100v in place of %v", j.InputOffset(), t, d)
	}
	return nil
}

// each calls f with the elements of a list.
func each[T any](j *json.Decoder, f func(T) error) error {
	if err := expect(j, '['); err != nil {
		return err
	}
	for j.More() {
		var v T
		if err := j.Decode(&v); err != nil {
			return err
		}
		if err := f(v); err != nil {
			return err
		}
	}
	return expect(j, ']')
}

// skip passes over a value.
func skip(j *json.Decoder) error {
	var v json.RawMessage
	return j.Decode(&v)
}

// Len returns the number of pictures.
func (d *CocoDetection) Len() int { return len(d.Images) }

// Open reads picture i, see [transforms.Open], and returns it with its objects.
func (d *CocoDetection) Open(i int) (image.Image, []CocoObject, error) {
	img, err := transforms.Open(filepath.Join(d.Root, filepath.FromSlash(d.Images[i].FileName)))
	return img, d.Objects(i), err
}

// Objects returns the objects of picture i, in the order of the file.
func (d *CocoDetection) Objects(i int) []CocoObject { return d.objects[d.Images[i].ID] }
