package datasets

import (
	"bufio"
	"cmp"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// VOCSegmentation has pictures with the class of each pixel, as Pascal VOC publishes
// them: torchvision.datasets.VOCSegmentation.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.VOCSegmentation.html
type VOCSegmentation struct {
	Root  string   // the folder of a year, such as VOCdevkit/VOC2012
	Names []string // of the pictures, without extensions, in the order of the image set
}

// VOCSegmentationOptions are the options of [NewVOCSegmentation].
type VOCSegmentationOptions struct {
	Year     string // "2007" to "2012"; "" means "2012"
	ImageSet string // "train", "val", "trainval", or "test" of 2007; "" means "train"
}

// NewVOCSegmentation reads the list of an image set: VOCSegmentation(root, year, image_set).
// The folder root has VOCdevkit/VOC2012, as torchvision makes it, or is that folder itself.
func NewVOCSegmentation(root string, options ...VOCSegmentationOptions) (*VOCSegmentation, error) {
	o := torch.Only(options)
	o.Year, o.ImageSet = cmp.Or(o.Year, "2012"), cmp.Or(o.ImageSet, "train")
	d := &VOCSegmentation{Root: root}
	if inside := filepath.Join(root, "VOCdevkit", "VOC"+o.Year); !exists(filepath.Join(root, "ImageSets")) && exists(inside) {
		d.Root = inside
	}
	list := filepath.Join(d.Root, "ImageSets", "Segmentation", o.ImageSet+".txt")
	f, err := os.Open(list)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name := strings.TrimSpace(lines.Text())
		if name == "" {
			continue
		}
		if !filepath.IsLocal(name) {
			return nil, fmt.Errorf("datasets: %s names %.100q, which is not inside the folder", list, name)
		}
		d.Names = append(d.Names, name)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("datasets: read %s: %w", list, err)
	}
	if len(d.Names) == 0 {
		return nil, fmt.Errorf("datasets: %s names no pictures", list)
	}
	return d, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Len returns the number of pictures.
func (d *VOCSegmentation) Len() int { return len(d.Names) }

// Open reads picture i, see [transforms.Open], and its mask, an *image.Paletted
// whose indices are the classes: 0 is the background, and 255 undecided. A mask may be
// an *image.Gray too.
func (d *VOCSegmentation) Open(i int) (img, mask image.Image, err error) {
	if img, err = transforms.Open(d.PicturePath(i)); err != nil {
		return nil, nil, err
	}
	path := filepath.Join(d.Root, "SegmentationClass", d.Names[i]+".png")
	if mask, err = transforms.Open(path, transforms.WithMode()); err != nil {
		return nil, nil, err
	}
	switch mask.(type) {
	case *image.Paletted, *image.Gray:
		return img, mask, nil
	}
	return nil, nil, fmt.Errorf("datasets: %s is not a mask, which has a palette or is gray", path)
}

// PicturePath returns the path of picture i.
func (d *VOCSegmentation) PicturePath(i int) string {
	return filepath.Join(d.Root, "JPEGImages", d.Names[i]+".jpg")
}
