package datasets

import (
	"context"
	"encoding/xml"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/transforms"
)

// NewVOCSegmentation opens the pictures of Pascal VOC with the class of each pixel: VOCSegmentation(root, year, image_set,
// download). The folder root has VOCdevkit/VOC2012, as torchvision makes it, or is that folder itself. [WithVariant] names the
// year, from 2007 to 2012, which is the default, and [WithSplit] the image set: train, which is the default, val, trainval, or
// test of 2007. A target is an *image.Paletted or *image.Gray whose indices are the classes: 0 is the background, and 255
// undecided. It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.VOCSegmentation.html
func NewVOCSegmentation(ctx context.Context, root string, opts ...Option) (*Annotated[image.Image], error) {
	dir, names, paths, err := voc(ctx, root, "Segmentation", opts)
	if err != nil {
		return nil, err
	}
	return &Annotated[image.Image]{Paths: paths, targets: func(i int) (image.Image, error) {
		return openMask(filepath.Join(dir, "SegmentationClass", names[i]+".png"))
	}}, nil
}

// openMask reads a picture whose pixels are classes.
func openMask(path string) (image.Image, error) {
	mask, err := transforms.Open(path, transforms.WithMode())
	if err != nil {
		return nil, err
	}
	switch mask.(type) {
	case *image.Paletted, *image.Gray:
		return mask, nil
	}
	return nil, fmt.Errorf("datasets: %s is not a mask, which has a palette or is gray", path)
}

// voc reads the list of an image set, and returns the folder of the year, the names and the paths.
func voc(ctx context.Context, root, kind string, opts []Option) (dir string, names, paths []string, err error) {
	o := optionsOf(opts)
	year, err := o.form("VOC", "year", "2012", "2011", "2010", "2009", "2008", "2007")
	if err != nil {
		return "", nil, nil, err
	}
	sets, test := []string{"train", "val", "trainval"}, ""
	if year == "2007" {
		sets, test = append(sets, "test"), "test"
	}
	set, err := o.part("VOC "+year, test, sets...)
	if err != nil {
		return "", nil, nil, err
	}
	dir = filepath.Join(root, "VOCdevkit", "VOC"+year)
	if year == "2011" {
		dir = filepath.Join(root, "TrainVal", "VOCdevkit", "VOC"+year)
	}
	if exists(filepath.Join(root, "ImageSets")) {
		dir = root
	}
	name := "VOC " + year
	if set == "test" {
		name += "-test"
	}
	file := filepath.Join("ImageSets", kind, set+".txt")
	if err := o.ready(ctx, name, root, dir, []string{file}); err != nil {
		return "", nil, nil, err
	}
	names, paths, err = listed(filepath.Join(dir, file), filepath.Join(dir, "JPEGImages"))
	return dir, names, paths, err
}

// listed reads a list of pictures without extensions.
func listed(list, dir string) (names, paths []string, err error) {
	lines, err := readLines(list)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range lines {
		if name == "" {
			continue
		}
		path, err := under(list, dir, name+".jpg")
		if err != nil {
			return nil, nil, err
		}
		names, paths = append(names, name), append(paths, path)
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("datasets: %s names no pictures", list)
	}
	return names, paths, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A VOCAnnotation is what Pascal VOC says about a picture.
type VOCAnnotation struct {
	Folder    string      `xml:"folder"`
	Filename  string      `xml:"filename"`
	Database  string      `xml:"source>database"`
	Width     int         `xml:"size>width"`
	Height    int         `xml:"size>height"`
	Depth     int         `xml:"size>depth"`
	Segmented int         `xml:"segmented"`
	Objects   []VOCObject `xml:"object"`
}

// A VOCObject is an object in a picture.
type VOCObject struct {
	Name      string    `xml:"name"`
	Pose      string    `xml:"pose"`
	Truncated int       `xml:"truncated"`
	Occluded  int       `xml:"occluded"`
	Difficult int       `xml:"difficult"`
	Box       VOCBox    `xml:"bndbox"`
	Parts     []VOCPart `xml:"part"`
}

// A VOCPart is a part of an object: a head, a hand or a foot.
type VOCPart struct {
	Name string `xml:"name"`
	Box  VOCBox `xml:"bndbox"`
}

// A VOCBox is in pixels, of which the first has the number 1.
type VOCBox struct {
	XMin float64 `xml:"xmin"`
	YMin float64 `xml:"ymin"`
	XMax float64 `xml:"xmax"`
	YMax float64 `xml:"ymax"`
}

// NewVOCDetection opens the pictures of Pascal VOC with their objects: VOCDetection(root, year, image_set, download). It has the
// options of [NewVOCSegmentation].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.VOCDetection.html
func NewVOCDetection(ctx context.Context, root string, opts ...Option) (*Annotated[VOCAnnotation], error) {
	dir, names, paths, err := voc(ctx, root, "Main", opts)
	if err != nil {
		return nil, err
	}
	return &Annotated[VOCAnnotation]{Paths: paths, targets: func(i int) (a VOCAnnotation, err error) {
		path := filepath.Join(dir, "Annotations", names[i]+".xml")
		b, err := readAll(path, 64<<20)
		if err != nil {
			return a, err
		}
		if err := parseVOC(b, &a); err != nil {
			return a, fmt.Errorf("datasets: %s: %w", path, err)
		}
		return a, nil
	}}, nil
}

func parseVOC(b []byte, a *VOCAnnotation) error {
	var doc struct {
		XMLName xml.Name `xml:"annotation"`
		VOCAnnotation
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		return fmt.Errorf("it is not an annotation of VOC, or not complete: %w", err)
	}
	*a = doc.VOCAnnotation
	return nil
}

// SemanticBoundaries are the masks of a picture of [NewSBDataset].
type SemanticBoundaries struct {
	Segmentation *image.Gray   // the class of each pixel; 0 is the background
	Boundaries   []*image.Gray // of each of the 20 classes: 1 at its boundaries
}

// NewSBDataset opens the Semantic Boundaries Dataset in root: SBDataset(root, image_set, mode, download) in both modes.
// [WithSplit] names train, which is the default, val or train_noval. It honors [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.SBDataset.html
func NewSBDataset(ctx context.Context, root string, opts ...Option) (*Annotated[SemanticBoundaries], error) {
	o := optionsOf(opts)
	set, err := o.part("SBDataset", "", "train", "val", "train_noval")
	if err != nil {
		return nil, err
	}
	if o.download && (!exists(filepath.Join(root, "img")) || !exists(filepath.Join(root, "cls"))) {
		r := sources["SBDataset"].Remote[0]
		if err := o.fetch(ctx, root, r); err != nil {
			return nil, err
		}
		path := filepath.Join(root, r.File)
		err := aside(ctx, filepath.Join(root, "."+r.File+".partial"), root, func(tmp string) error {
			if err := extract(ctx, path, &unpacker{dir: tmp, left: maxExtracted, files: maxFiles}); err != nil {
				return err
			}
			for _, name := range []string{"inst", "train.txt", "val.txt", "cls", "img"} {
				if err := os.Rename(filepath.Join(tmp, "benchmark_RELEASE", "dataset", name), filepath.Join(tmp, name)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("datasets: unpack %s: %w", path, err)
		}
	}
	name := "SBDataset"
	if set == "train_noval" {
		name = "SBDataset train_noval"
	}
	if err := o.ready(ctx, name, root, root, []string{set + ".txt"}); err != nil {
		return nil, err
	}
	names, paths, err := listed(filepath.Join(root, set+".txt"), filepath.Join(root, "img"))
	if err != nil {
		return nil, err
	}
	return &Annotated[SemanticBoundaries]{Paths: paths, targets: func(i int) (SemanticBoundaries, error) {
		return openSBD(filepath.Join(root, "cls", names[i]+".mat"))
	}}, nil
}

func openSBD(path string) (s SemanticBoundaries, err error) {
	bad := func(what string) (SemanticBoundaries, error) {
		return s, fmt.Errorf("datasets: %s has no struct GTcls with %s", path, what)
	}
	m, err := openMAT(path)
	if err != nil {
		return s, err
	}
	rows := m["GTcls"].rows("Segmentation", "Boundaries")
	if len(rows) == 0 {
		return bad("the fields Segmentation and Boundaries")
	}
	mask := rows[0][0]
	if mask.kind != 2 || len(mask.dims) != 2 || mask.data == nil {
		return bad("a Segmentation of bytes")
	}
	h, w := mask.dims[0], mask.dims[1]
	s.Segmentation = image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			s.Segmentation.Pix[y*w+x] = mask.data[x*h+y]
		}
	}
	cells := rows[0][1].items()
	if len(cells) != 20 {
		return bad("the Boundaries of 20 classes")
	}
	for _, c := range cells {
		pix, err := c.dense()
		if err != nil {
			return s, fmt.Errorf("datasets: %s: %w", path, err)
		}
		s.Boundaries = append(s.Boundaries, &image.Gray{Pix: pix, Stride: c.dims[1], Rect: image.Rect(0, 0, c.dims[1], c.dims[0])})
	}
	return s, nil
}

// OxfordIIITPet are cats and dogs, whose classes are the breeds: torchvision.datasets.OxfordIIITPet.
type OxfordIIITPet struct {
	*ImageFolder
	Binary []int // of each picture: 0 for a cat and 1 for a dog

	trimaps []string
}

// NewOxfordIIITPet opens the pictures in root/oxford-iiit-pet: OxfordIIITPet(root, split, download=…) with all target types.
// [WithSplit] names trainval, which is the default, or test. It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.OxfordIIITPet.html
func NewOxfordIIITPet(ctx context.Context, root string, opts ...Option) (*OxfordIIITPet, error) {
	o := optionsOf(opts)
	split, err := o.part("OxfordIIITPet", "test", "trainval", "test")
	if err != nil {
		return nil, err
	}
	dir, err := o.in(ctx, "OxfordIIITPet", root, "images", "annotations")
	if err != nil {
		return nil, err
	}
	list := filepath.Join(dir, "annotations", split+".txt")
	lines, err := readLines(list)
	if err != nil {
		return nil, err
	}
	d := &OxfordIIITPet{ImageFolder: &ImageFolder{Root: dir}}
	breeds := map[int]string{}
	for i, line := range lines {
		f := strings.Fields(line)
		if len(f) != 4 {
			return nil, fmt.Errorf("datasets: %s: line %d has %d fields; want a name and three numbers", list, i+1, len(f))
		}
		v, err := ints(f[1:3])
		if err != nil {
			return nil, fmt.Errorf("datasets: %s: line %d %w", list, i+1, err)
		}
		path, err := under(list, filepath.Join(dir, "images"), f[0]+".jpg")
		if err != nil {
			return nil, err
		}
		breed := f[0][:max(strings.LastIndexByte(f[0], '_'), 0)]
		if known, ok := breeds[v[0]-1]; ok && known != breed {
			return nil, fmt.Errorf("datasets: %s: line %d has the class %d of %q, which is that of %q", list, i+1, v[0], breed, known)
		}
		breeds[v[0]-1] = breed
		d.Samples = append(d.Samples, ClassSample{path, v[0] - 1})
		d.Binary = append(d.Binary, v[1]-1)
		d.trimaps = append(d.trimaps, filepath.Join(dir, "annotations", "trimaps", filepath.FromSlash(f[0])+".png"))
	}
	for i := range len(breeds) {
		breed, ok := breeds[i]
		if !ok {
			return nil, fmt.Errorf("datasets: %s has %d classes, but none with the number %d", list, len(breeds), i+1)
		}
		d.Classes = append(d.Classes, title(breed))
	}
	return d, nil
}

// title writes a breed as torchvision does.
func title(breed string) string {
	words := strings.Split(breed, "_")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + strings.ToLower(w[1:])
		}
	}
	return strings.Join(words, " ")
}

// Trimap reads the segmentation of picture i: 1 is the animal, 2 the background, and 3 undecided.
func (d *OxfordIIITPet) Trimap(i int) (image.Image, error) { return openMask(d.trimaps[i]) }

// Caltech101 are objects of 101 kinds: torchvision.datasets.Caltech101.
type Caltech101 struct {
	*ImageFolder
	contours []string
}

// NewCaltech101 opens the pictures in root/caltech101: Caltech101(root, download=…) with both target types. Pictures have the
// mode of their files. It honors [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Caltech101.html
func NewCaltech101(ctx context.Context, root string, opts ...Option) (*Caltech101, error) {
	o := optionsOf(opts)
	dir := filepath.Join(root, filepath.FromSlash(sources["Caltech101"].Dir))
	if o.download && !exists(filepath.Join(dir, "101_ObjectCategories")) {
		if err := o.downloadCaltech101(ctx, dir); err != nil {
			return nil, err
		}
	}
	if err := o.missing("Caltech101", root, o.check(ctx, source{}, dir, []string{"101_ObjectCategories"})); err != nil {
		return nil, err
	}
	pictures := filepath.Join(dir, "101_ObjectCategories")
	d := &Caltech101{ImageFolder: &ImageFolder{Root: pictures, opts: []transforms.OpenOption{transforms.WithMode()}}}
	all, err := names(pictures, anyEntry)
	if err != nil {
		return nil, err
	}
	outlined := map[string]string{"Faces": "Faces_2", "Faces_easy": "Faces_3", "Motorbikes": "Motorbikes_16", "airplanes": "Airplanes_Side_2"}
	for _, class := range all {
		if class == "BACKGROUND_Google" {
			continue
		}
		inside, err := names(filepath.Join(pictures, class), anyEntry)
		if err != nil {
			return nil, err
		}
		folder := class
		if other, ok := outlined[class]; ok {
			folder = other
		}
		for k := range inside {
			d.Samples = append(d.Samples, ClassSample{filepath.Join(pictures, class, fmt.Sprintf("image_%04d.jpg", k+1)), len(d.Classes)})
			d.contours = append(d.contours, filepath.Join(dir, "Annotations", folder, fmt.Sprintf("annotation_%04d.mat", k+1)))
		}
		d.Classes = append(d.Classes, class)
	}
	return d, nil
}

// downloadCaltech101 unpacks the archive, in which are further ones.
func (o *options) downloadCaltech101(ctx context.Context, dir string) error {
	r := sources["Caltech101"].Remote[0]
	if err := o.fetch(ctx, dir, r); err != nil {
		return err
	}
	archive := filepath.Join(dir, r.File)
	err := aside(ctx, filepath.Join(dir, "."+r.File+".partial"), dir, func(tmp string) error {
		if err := extract(ctx, archive, &unpacker{dir: tmp, left: maxExtracted, files: maxFiles}); err != nil {
			return err
		}
		inner, err := filepath.Glob(filepath.Join(tmp, "caltech-101", "*.tar*")) // torchvision leaves out Annotations.tar
		if err != nil {
			return err
		}
		for _, path := range inner {
			if err := extract(ctx, path, &unpacker{dir: tmp, left: maxExtracted, files: maxFiles}); err != nil {
				return err
			}
		}
		return os.RemoveAll(filepath.Join(tmp, "caltech-101"))
	})
	if err != nil {
		return fmt.Errorf("datasets: unpack %s: %w", archive, err)
	}
	return os.Remove(archive)
}

// Contour reads the outline of the object in picture i, points of x and y that a person drew: the target type annotation,
// whose columns they are.
func (d *Caltech101) Contour(i int) ([][2]float64, error) {
	m, err := openMAT(d.contours[i])
	if err != nil {
		return nil, err
	}
	c := m["obj_contour"]
	if c == nil || len(c.dims) != 2 || c.dims[0] != 2 || matSizes[c.kind] == 0 {
		return nil, fmt.Errorf("datasets: %s has no obj_contour of points", d.contours[i])
	}
	v := c.floats()
	points := make([][2]float64, len(v)/2)
	for k := range points {
		points[k] = [2]float64{v[2*k], v[2*k+1]}
	}
	return points, nil
}
