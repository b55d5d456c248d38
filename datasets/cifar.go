package datasets

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/pickle"
)

// NewCIFAR10 opens the pictures in root/cifar-10-batches-py, as torchvision leaves them there: CIFAR10(root, train,
// download). It honors [WithTest], [WithDownload], [WithProgress] and [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.CIFAR10.html
func NewCIFAR10(ctx context.Context, root string, opts ...Option) (*Images, error) {
	return cifar(ctx, "CIFAR10", root, "cifar-10-batches-py", "labels", "batches.meta", "label_names",
		[]string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"}, []string{"test_batch"}, opts)
}

// NewCIFAR100 opens the pictures in root/cifar-100-python: CIFAR100(root, train, download). See [NewCIFAR10].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.CIFAR100.html
func NewCIFAR100(ctx context.Context, root string, opts ...Option) (*Images, error) {
	return cifar(ctx, "CIFAR100", root, "cifar-100-python", "fine_labels", "meta", "fine_label_names", []string{"train"}, []string{"test"}, opts)
}

func cifar(ctx context.Context, name, root, folder, labels, meta, names string, train, test []string, opts []Option) (*Images, error) {
	o := optionsOf(opts)
	dir := filepath.Join(root, folder)
	files := append(append([]string{meta}, train...), test...)
	if o.unchecked {
		files = append([]string{meta}, train...)
	}
	read := train
	if o.test {
		read = test
		if o.unchecked {
			files = append([]string{meta}, test...)
		}
	}
	if err := o.ready(ctx, name, root, dir, files); err != nil {
		return nil, err
	}
	d := &Images{}
	d.planes(32, 32, 3)
	for _, f := range read {
		path := filepath.Join(dir, f)
		b, err := readAll(path, 1<<30)
		if err != nil {
			return nil, err
		}
		pix, targets, err := parseCIFAR(b, labels)
		if err != nil {
			return nil, fmt.Errorf("datasets: %s: %w", path, err)
		}
		d.pix, d.Targets = append(d.pix, pix...), append(d.Targets, targets...)
	}
	path := filepath.Join(dir, meta)
	b, err := readAll(path, 1<<24)
	if err != nil {
		return nil, err
	}
	if d.Classes, err = parseCIFARNames(b, names); err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", path, err)
	}
	return d, nil
}

// parseCIFAR reads a pickle of {"data": array of [N, 3072] bytes, labels: list of N ints}.
func parseCIFAR(b []byte, labels string) ([]byte, []int, error) {
	d, err := pickledDict(b)
	if err != nil {
		return nil, nil, err
	}
	v, _ := d.Get("data")
	a, ok := v.(*pickle.Array)
	if !ok || len(a.Shape) != 2 || a.Shape[1] != 3072 || a.DType != "|u1" || a.Fortran {
		return nil, nil, fmt.Errorf("it has no array \"data\" of bytes with the shape [N, 3072]")
	}
	v, _ = d.Get(labels)
	list, ok := v.(*pickle.List)
	if !ok || len(list.Items) != a.Shape[0] {
		return nil, nil, fmt.Errorf("it has no list %q of %d labels", labels, a.Shape[0])
	}
	targets := make([]int, len(list.Items))
	for i, item := range list.Items {
		n, ok := item.(int64)
		if !ok {
			return nil, nil, fmt.Errorf("label %d is not an int", i)
		}
		targets[i] = int(n)
	}
	return a.Data, targets, nil
}

// parseCIFARNames reads a pickle of {key: list of names}.
func parseCIFARNames(b []byte, key string) ([]string, error) {
	d, err := pickledDict(b)
	if err != nil {
		return nil, err
	}
	v, _ := d.Get(key)
	list, ok := v.(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("it has no list %q", key)
	}
	names := make([]string, len(list.Items))
	for i, item := range list.Items {
		if names[i], ok = item.(string); !ok {
			return nil, fmt.Errorf("name %d is not a str", i)
		}
	}
	return names, nil
}

func pickledDict(b []byte) (*pickle.Dict, error) {
	v, err := pickle.ReadArrays(b, pickle.Options{})
	if err != nil {
		return nil, err
	}
	d, ok := v.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("it is a pickle, but not of a dict")
	}
	return d, nil
}

// NewSTL10 opens the pictures in root/stl10_binary, as torchvision leaves them there: STL10(root, split, folds, download).
// [WithSplit] names train, which is the default, test, unlabeled or train+unlabeled, and train:0 to train:9 for one of the
// folds. Unlabeled pictures have the class -1, and those of the file whose label is 0 the class 255, as in torchvision. It
// honors [WithDownload], [WithProgress] and [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.STL10.html
func NewSTL10(ctx context.Context, root string, opts ...Option) (*Images, error) {
	o := optionsOf(opts)
	split, fold, folded := strings.Cut(o.split, ":")
	if split == "" {
		split = "train"
		if o.test {
			split = "test"
		}
	}
	if err := oneOf("STL10", "split", split, "train", "test", "unlabeled", "train+unlabeled"); err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "stl10_binary")
	files := []string{"train_X.bin", "train_y.bin", "unlabeled_X.bin", "test_X.bin", "test_y.bin"}
	if o.unchecked {
		files = nil
		for _, part := range strings.Split(split, "+") {
			files = append(files, part+"_X.bin")
		}
	}
	if err := o.ready(ctx, "STL10", root, dir, files); err != nil {
		return nil, err
	}
	d := &Images{width: 96, height: 96, channels: 3, strides: [4]int{96, 1, 96 * 96, 3 * 96 * 96}} // column by column
	for _, part := range strings.Split(split, "+") {
		if err := d.addSTL10(dir, part); err != nil {
			return nil, err
		}
		if part == "train" && folded {
			if err := d.fold(filepath.Join(dir, "fold_indices.txt"), fold); err != nil {
				return nil, err
			}
		}
	}
	if path := filepath.Join(dir, "class_names.txt"); exists(path) {
		b, err := readAll(path, 1<<20)
		if err != nil {
			return nil, err
		}
		d.Classes = strings.Fields(string(b))
	}
	return d, nil
}

// addSTL10 reads a part.
func (d *Images) addSTL10(dir, part string) error {
	path := filepath.Join(dir, part+"_X.bin")
	pix, err := readAll(path, 4<<30)
	if err != nil {
		return err
	}
	n := len(pix) / d.strides[3]
	if len(pix)%d.strides[3] != 0 {
		return fmt.Errorf("datasets: %s has %d bytes, and not %d for each picture; it is not complete", path, len(pix), d.strides[3])
	}
	labels := bytes.Repeat([]byte{0}, n)
	if part != "unlabeled" {
		path = filepath.Join(dir, part+"_y.bin")
		if labels, err = readAll(path, 1<<30); err != nil {
			return err
		}
	}
	if len(labels) != n {
		return fmt.Errorf("datasets: %s has %d labels for %d pictures", path, len(labels), n)
	}
	d.pix = append(d.pix, pix...)
	for _, l := range labels {
		if part == "unlabeled" {
			d.Targets = append(d.Targets, -1)
		} else {
			d.Targets = append(d.Targets, int(l-1))
		}
	}
	return nil
}

// fold keeps the pictures of a line of the file.
func (d *Images) fold(path, number string) error {
	b, err := readAll(path, 1<<24)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	k, err := strconv.Atoi(number)
	if err != nil || k < 0 || k > 9 || k >= len(lines) {
		return fmt.Errorf("datasets: there is no fold %q; choose one of 0 to 9, which %s must have", number, path)
	}
	var indices []int
	for _, text := range strings.Fields(lines[k]) {
		i, err := strconv.Atoi(text)
		if err != nil || i < 0 || i >= d.Len() {
			return fmt.Errorf("datasets: %s: line %d has %.20q, which is no index of %d pictures", path, k+1, text, d.Len())
		}
		indices = append(indices, i)
	}
	d.take(indices)
	return nil
}
