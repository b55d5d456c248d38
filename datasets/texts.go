package datasets

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// NewSEMEION opens the digits in root/semeion.data: SEMEION(root, download=False). It honors [WithDownload], [WithProgress] and
// [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.SEMEION.html
func NewSEMEION(ctx context.Context, root string, opts ...Option) (*Images, error) {
	o := optionsOf(opts)
	if err := o.ready(ctx, "SEMEION", root, root, []string{"semeion.data"}); err != nil {
		return nil, err
	}
	path := filepath.Join(root, "semeion.data")
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	d := &Images{}
	d.planes(16, 16, 1)
	for i, line := range lines {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 266 {
			return nil, fmt.Errorf("datasets: %s: line %d has %d numbers; want 256 pixels and one for each digit", path, i+1, len(fields))
		}
		class := -1
		for k, f := range fields {
			v, err := strconv.ParseFloat(f, 64)
			if err != nil || !(v >= 0 && v <= 1) {
				return nil, fmt.Errorf("datasets: %s: line %d has %.20q; want a number from 0 to 1", path, i+1, f)
			}
			if k < 256 {
				d.pix = append(d.pix, uint8(v*255))
			} else if v != 0 && class < 0 {
				class = k - 256
			}
		}
		d.Targets = append(d.Targets, class)
	}
	return d, nil
}

// NewFER2013 opens the faces in root/fer2013: FER2013(root, split). Their expressions are the classes. [WithSplit] names train,
// which is the default, or test. As in torchvision fer2013.csv is read, or else icml_face_data.csv, or else train.csv or
// test.csv, of which the last has no classes: they are -1 then. It honors [WithTest] and [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.FER2013.html
func NewFER2013(ctx context.Context, root string, opts ...Option) (*Images, error) {
	o := optionsOf(opts)
	split, err := o.part("FER2013", "test", "train", "test")
	if err != nil {
		return nil, err
	}
	columns := []string{"pixels", "emotion", "Usage"}
	file := "fer2013.csv"
	if !exists(filepath.Join(root, "fer2013", file)) {
		file = "icml_face_data.csv"
	}
	if !exists(filepath.Join(root, "fer2013", file)) {
		file, columns = split+".csv", columns[:2]
		if split == "test" {
			columns = columns[:1]
		}
	}
	dir, err := o.in(ctx, "FER2013", root, file)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, file)
	rows, err := readCSV(path, ',', columns...)
	if err != nil {
		return nil, err
	}
	d := &Images{}
	d.planes(48, 48, 1)
	for i, row := range rows {
		if len(row) == 3 && !slices.Contains(map[string][]string{"train": {"Training"}, "test": {"PublicTest", "PrivateTest"}}[split], row[2]) {
			continue
		}
		class := -1
		if len(row) > 1 {
			if class, err = strconv.Atoi(row[1]); err != nil {
				return nil, fmt.Errorf("datasets: %s: row %d has the class %.20q, which is not an int", path, i+1, row[1])
			}
		}
		pixels := strings.Fields(row[0])
		if len(pixels) != 48*48 {
			return nil, fmt.Errorf("datasets: %s: row %d has %d pixels; want %d", path, i+1, len(pixels), 48*48)
		}
		for _, p := range pixels {
			v, err := strconv.ParseUint(p, 10, 8)
			if err != nil {
				return nil, fmt.Errorf("datasets: %s: row %d has the pixel %.20q; want an int from 0 to 255", path, i+1, p)
			}
			d.pix = append(d.pix, uint8(v))
		}
		d.Targets = append(d.Targets, class)
	}
	return d, nil
}
