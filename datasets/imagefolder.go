package datasets

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
	"github.com/torchhub/torchhub/transforms/functional"
)

// ImageFolder are pictures in files with a class each: torchvision.datasets.ImageFolder, and those of its data sets that differ
// from it only by how their files say the classes.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
type ImageFolder struct {
	Root    string
	Classes []string      // the names of the classes: of the folders, in alphabetical order, or what a data set calls them
	Samples []ClassSample // in the order of the classes, and then of the paths, or of the list that a data set has
	WNIDs   []string      // WordNet's ids of the classes of ImageNet and Imagenette

	opts []transforms.OpenOption
	gray bool // pictures are converted to Pillow's mode L
}

// A ClassSample is a picture and its class.
type ClassSample struct {
	Path  string // with the root
	Class int    // its number among the Classes; -1 is unknown
}

// imageExtensions are IMG_EXTENSIONS of torchvision.
var imageExtensions = []string{".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}

// WithAllowEmpty lets [NewImageFolder] have classes without pictures: allow_empty=True.
func WithAllowEmpty() Option { return func(o *options) { o.allowEmpty = true } }

// WithValidFile lets a function say which files [NewImageFolder] lists, by their paths, in place of the ends of their names:
// is_valid_file=valid. With a Path of Samples that is read by other code than Open, this is torchvision.datasets.DatasetFolder.
func WithValidFile(valid func(path string) bool) Option {
	return func(o *options) { o.valid = valid }
}

// NewImageFolder lists the pictures in the folders of root, and in the folders inside them: ImageFolder(root). A picture is a
// file whose name ends as that of a JPEG, PNG, PPM, PGM, BMP, TIFF or WebP does. ImageNet's folder of validation pictures has
// files such as n01440764/ILSVRC2012_val_00000293.JPEG. As in torchvision, a folder without pictures is an error. It honors
// [WithAllowEmpty] and [WithValidFile].
func NewImageFolder(root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	extensions := imageExtensions
	if o.valid != nil {
		extensions = nil
	}
	return o.folder(root, extensions)
}

// folder lists the files with these extensions, or the valid ones, in the folders of root.
func (o *options) folder(root string, extensions []string) (*ImageFolder, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	d := &ImageFolder{Root: root}
	for _, e := range entries { // in alphabetical order
		if isDir(filepath.Join(root, e.Name()), e) {
			d.Classes = append(d.Classes, e.Name())
		}
	}
	if len(d.Classes) == 0 {
		return nil, fmt.Errorf("datasets: %s has no folders; give a folder with one of pictures for each class", root)
	}
	valid := o.valid
	if valid == nil {
		valid = func(path string) bool {
			name := strings.ToLower(filepath.Base(path))
			return slices.ContainsFunc(extensions, func(e string) bool { return strings.HasSuffix(name, e) })
		}
	}
	var empty []string
	for i, class := range d.Classes {
		paths, err := walk(filepath.Join(root, class), valid)
		if err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			empty = append(empty, class)
		}
		for _, p := range paths {
			d.Samples = append(d.Samples, ClassSample{p, i})
		}
	}
	if len(empty) > 0 && !o.allowEmpty {
		more, want := "", ""
		if len(empty) > 3 {
			empty, more = empty[:3], fmt.Sprintf(" and %d more", len(empty)-3)
		}
		if len(extensions) > 0 {
			want = ", of " + strings.Join(extensions, ", ")
		}
		return nil, fmt.Errorf("datasets: the folders %s%s in %s have no pictures; each must have one%s", strings.Join(empty, ", "), more, root, want)
	}
	return d, nil
}

// isDir follows links, as os.walk does there.
func isDir(path string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// walk lists the valid files in a folder and in those inside it, in the order of sorted(os.walk(dir)): by the path of the
// folder, and then by their names.
func walk(dir string, valid func(path string) bool) (paths []string, err error) {
	type folder struct {
		path  string
		files []string
	}
	var folders []folder
	// above holds the folders that one lies in, so that a link to one of them ends the search.
	var visit func(dir string, above []os.FileInfo) error
	visit = func(dir string, above []os.FileInfo) error {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(above, func(o os.FileInfo) bool { return os.SameFile(o, info) }) {
			return nil
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		f := folder{path: dir}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if isDir(path, e) {
				if err := visit(path, append(slices.Clip(above), info)); err != nil {
					return err
				}
			} else if valid(path) {
				f.files = append(f.files, path)
			}
		}
		folders = append(folders, f)
		return nil
	}
	if err := visit(dir, nil); err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	slices.SortFunc(folders, func(a, b folder) int { return cmp.Compare(a.path, b.path) })
	for _, f := range folders {
		paths = append(paths, f.files...)
	}
	return paths, nil
}

// names lists a folder in alphabetical order.
func names(dir string, want func(e fs.DirEntry) bool) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	var out []string
	for _, e := range entries {
		if want(e) {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

func anyEntry(fs.DirEntry) bool { return true }

// Len returns the number of pictures.
func (d *ImageFolder) Len() int { return len(d.Samples) }

// Open reads picture i, see [transforms.Open], and returns it with its class.
func (d *ImageFolder) Open(i int) (image.Image, int, error) {
	img, err := transforms.Open(d.Samples[i].Path, d.opts...)
	if d.gray {
		img, err = gray(img, err)
	}
	return img, d.Samples[i].Class, err
}

// At reads picture i and its class, for package data. See [Transform] for the pictures' tensors.
func (d *ImageFolder) At(_ context.Context, i int) (s data.Sample[image.Image, int], err error) {
	s.Input, s.Target, err = d.Open(i)
	return s, err
}

// Target returns the class of picture i, which is not read.
func (d *ImageFolder) Target(i int) (int, error) { return d.Samples[i].Class, nil }

func (d *ImageFolder) file(i int) (string, []transforms.OpenOption, bool) {
	return d.Samples[i].Path, d.opts, !d.gray
}

// gray converts a picture: convert("L").
func gray(img image.Image, err error) (image.Image, error) {
	if err != nil {
		return nil, err
	}
	err = torch.Try(func() { img = functional.ToGrayscale(functional.Value{Image: img}, 1).Image })
	return img, err
}
