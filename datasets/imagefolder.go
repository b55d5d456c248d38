package datasets

import (
	"context"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
)

// ImageFolder has a folder of pictures for each class: torchvision.datasets.ImageFolder.
// ImageNet's folder of validation pictures has files such as
// n01440764/ILSVRC2012_val_00000293.JPEG.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
type ImageFolder struct {
	Root    string
	Classes []string      // the names of the folders, in alphabetical order
	Samples []ClassSample // in the order of the classes, and then of the paths
}

// A ClassSample is a picture and its class.
type ClassSample struct {
	Path  string // with the root
	Class int    // its number among the Classes
}

// imageExtensions are IMG_EXTENSIONS of torchvision.
var imageExtensions = []string{".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}

// NewImageFolder lists the pictures in the folders of root, and in the folders inside
// them: ImageFolder(root). A picture is a file whose name ends as that of a JPEG, PNG,
// PPM, PGM, BMP, TIFF or WebP does. As in torchvision, a folder without pictures is an error.
func NewImageFolder(root string) (*ImageFolder, error) {
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
	var empty []string
	for i, class := range d.Classes {
		paths, err := pictures(filepath.Join(root, class), nil)
		if err != nil {
			return nil, fmt.Errorf("datasets: %w", err)
		}
		if len(paths) == 0 {
			empty = append(empty, class)
		}
		for _, p := range paths {
			d.Samples = append(d.Samples, ClassSample{p, i})
		}
	}
	if len(empty) > 0 {
		more := ""
		if len(empty) > 3 {
			empty, more = empty[:3], fmt.Sprintf(" and %d more", len(empty)-3)
		}
		return nil, fmt.Errorf("datasets: the folders %s%s in %s have no pictures; each must have one, of %s", strings.Join(empty, ", "), more, root, strings.Join(imageExtensions, ", "))
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

// pictures lists the pictures of a folder, and then those of its folders; above holds the
// folders that it lies in, so that a link to one of them ends the search.
func pictures(dir string, above []os.FileInfo) ([]string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(above, func(o os.FileInfo) bool { return os.SameFile(o, info) }) {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files, dirs []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case isDir(path, e):
			dirs = append(dirs, path)
		case slices.Contains(imageExtensions, strings.ToLower(filepath.Ext(e.Name()))):
			files = append(files, path)
		}
	}
	for _, d := range dirs {
		inside, err := pictures(d, append(slices.Clip(above), info))
		if err != nil {
			return nil, err
		}
		files = append(files, inside...)
	}
	return files, nil
}

// Len returns the number of pictures.
func (d *ImageFolder) Len() int { return len(d.Samples) }

// Open reads picture i, see [transforms.Open], and returns it with its class.
func (d *ImageFolder) Open(i int) (image.Image, int, error) {
	img, err := transforms.Open(d.Samples[i].Path)
	return img, d.Samples[i].Class, err
}

// At reads picture i and its class, for package data. See [Transform] for the pictures' tensors.
func (d *ImageFolder) At(_ context.Context, i int) (s data.Sample[image.Image, int], err error) {
	s.Input, s.Target, err = d.Open(i)
	return s, err
}
