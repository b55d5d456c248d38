package datasets

import (
	"context"
	"fmt"
	"image"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/transforms"
)

// PhotoTour are patches of 64×64 pixels around points that several photos show: torchvision.datasets.PhotoTour.
type PhotoTour struct {
	Mean, Std float64  // of the pixels
	Points    []int    // of each patch: the number of the point
	Matches   [][3]int // pairs of patches, and 1 if they show one point, or else 0: what train=False returns

	pix []byte
}

// photoTours are the numbers of patches, their mean and their deviation.
var photoTours = map[string]struct {
	n         int
	mean, std float64
}{
	"notredame": {468159, 0.4854, 0.1864}, "yosemite": {633587, 0.4844, 0.1818}, "liberty": {450092, 0.4437, 0.2019},
	"notredame_harris": {325295, 0.4854, 0.1864}, "yosemite_harris": {450912, 0.4844, 0.1818}, "liberty_harris": {379587, 0.4437, 0.2019},
}

// NewPhotoTour opens the patches in root/NAME: PhotoTour(root, name, download=…), where name is notredame, yosemite or liberty, or
// one of these with _harris. It honors [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.PhotoTour.html
func NewPhotoTour(ctx context.Context, root, name string, opts ...Option) (*PhotoTour, error) {
	o := optionsOf(opts)
	of, ok := photoTours[name]
	if !ok {
		return nil, oneOf("PhotoTour", "name", name, "notredame", "yosemite", "liberty", "notredame_harris", "yosemite_harris", "liberty_harris")
	}
	dir := filepath.Join(root, name)
	if err := o.ready(ctx, "PhotoTour "+name, dir, dir, []string{"info.txt"}); err != nil {
		return nil, err
	}
	d := &PhotoTour{Mean: of.mean, Std: of.std}
	sheets, err := names(dir, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), "bmp") })
	if err != nil {
		return nil, err
	}
	for _, sheet := range sheets {
		if err := d.cut(filepath.Join(dir, sheet)); err != nil {
			return nil, err
		}
	}
	d.pix = d.pix[:min(len(d.pix), of.n*64*64)]
	points, err := numbers(filepath.Join(dir, "info.txt"), 1)
	if err != nil {
		return nil, err
	}
	for _, v := range points {
		d.Points = append(d.Points, v[0])
	}
	path := filepath.Join(dir, "m50_100000_100000_0.txt")
	matches, err := numbers(path, 5) // a patch, its point, another number, and those of the other patch
	if err != nil {
		return nil, err
	}
	for i, v := range matches {
		if min(v[0], v[3]) < 0 || max(v[0], v[3]) >= d.Len() {
			return nil, fmt.Errorf("datasets: %s: line %d has the patches %d and %d; there are %d", path, i+1, v[0], v[3], d.Len())
		}
		match := 0
		if v[1] == v[4] {
			match = 1
		}
		d.Matches = append(d.Matches, [3]int{v[0], v[3], match})
	}
	return d, nil
}

// numbers reads lines of at least n whole numbers.
func numbers(path string, n int) ([][]int, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	out := make([][]int, len(lines))
	for i, line := range lines {
		if out[i], err = ints(strings.Fields(line)); err == nil && len(out[i]) < n {
			err = fmt.Errorf("has %d numbers; want %d", len(out[i]), n)
		}
		if err != nil {
			return nil, fmt.Errorf("datasets: %s: line %d %w", path, i+1, err)
		}
	}
	return out, nil
}

// cut adds the patches of a sheet, row by row.
func (d *PhotoTour) cut(path string) error {
	img, err := transforms.Open(path, transforms.WithMode())
	if err != nil {
		return err
	}
	g, ok := img.(*image.Gray)
	if !ok || g.Rect.Dx()%64 != 0 || g.Rect.Dy()%64 != 0 {
		return fmt.Errorf("datasets: %s is no gray sheet of patches of 64×64 pixels", path)
	}
	for y := 0; y < g.Rect.Dy(); y += 64 {
		for x := 0; x < g.Rect.Dx(); x += 64 {
			for row := range 64 {
				at := (y+row)*g.Stride + x
				d.pix = append(d.pix, g.Pix[at:at+64]...)
			}
		}
	}
	return nil
}

// Len returns the number of patches.
func (d *PhotoTour) Len() int { return len(d.pix) / (64 * 64) }

// Open returns patch i and the number of its point, of which -1 is unknown.
func (d *PhotoTour) Open(i int) (image.Image, int, error) {
	point := -1
	if i < len(d.Points) {
		point = d.Points[i]
	}
	return &image.Gray{Pix: d.pix[i*64*64 : (i+1)*64*64 : (i+1)*64*64], Stride: 64, Rect: image.Rect(0, 0, 64, 64)}, point, nil
}
