package datasets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// NewImageNet opens the pictures in root/train or root/val: ImageNet(root, split). [WithSplit] names train, which is the default,
// or val. As in torchvision what is not there yet is made of the archives that image-net.org publishes for people who have an
// account, and that must be in root: ILSVRC2012_devkit_t12.tar.gz, of which meta.bin is made, and ILSVRC2012_img_train.tar or
// ILSVRC2012_img_val.tar. A class has all its names, with commas between them. It honors [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageNet.html
func NewImageNet(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("ImageNet", "", "train", "val")
	if err != nil {
		return nil, err
	}
	meta := filepath.Join(root, "meta.bin")
	if !exists(meta) {
		if err := o.prepareDevkit(ctx, root, meta); err != nil {
			return nil, err
		}
	}
	names, val, err := readMeta(meta)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(root, split)
	if !exists(folder) {
		if err := o.prepareImageNet(ctx, root, split, val); err != nil {
			return nil, err
		}
	}
	d, err := o.folder(folder, imageExtensions)
	if err != nil {
		return nil, err
	}
	return d, d.synsets(names)
}

// prepareDevkit writes what the development kit says to a file: the names of each class, and the class of each picture for
// validation, by WordNet's ids.
func (o *options) prepareDevkit(ctx context.Context, root, meta string) error {
	const archive = "ILSVRC2012_devkit_t12.tar.gz"
	if err := o.ready(ctx, "ImageNet", root, root, []string{archive}); err != nil {
		return err
	}
	path := filepath.Join(root, archive)
	tmp, err := os.MkdirTemp("", "")
	if err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := extract(ctx, path, &unpacker{dir: tmp, left: maxExtracted, files: maxFiles}); err != nil {
		return fmt.Errorf("datasets: unpack %s: %w", path, err)
	}
	kit := filepath.Join(tmp, "ILSVRC2012_devkit_t12", "data")
	m, err := openMAT(filepath.Join(kit, "meta.mat"))
	if err != nil {
		return fmt.Errorf("%w, of %s", err, path)
	}
	rows := m["synsets"].rows("ILSVRC2012_ID", "WNID", "words", "num_children")
	if rows == nil {
		return fmt.Errorf("datasets: meta.mat of %s has no structs synsets with the fields ILSVRC2012_ID, WNID, words and num_children", path)
	}
	classes, byID := &torch.Dict{}, map[int]string{}
	for i, row := range rows {
		id, err := row[0].ints()
		if err != nil || len(id) != 1 {
			return fmt.Errorf("datasets: meta.mat of %s: class %d has no id", path, i+1)
		}
		if children, err := row[3].ints(); err != nil || len(children) != 1 {
			return fmt.Errorf("datasets: meta.mat of %s: class %d has no number of children", path, i+1)
		} else if children[0] != 0 {
			continue
		}
		names := torch.Tuple{}
		for _, name := range strings.Split(row[2].text(), ", ") {
			names = append(names, name)
		}
		byID[id[0]] = row[1].text()
		classes.Set(row[1].text(), names)
	}
	lines, err := readLines(filepath.Join(kit, "ILSVRC2012_validation_ground_truth.txt"))
	if err != nil {
		return fmt.Errorf("%w, of %s", err, path)
	}
	val := make([]string, len(lines))
	for i, line := range lines {
		id, err := strconv.Atoi(line)
		if err != nil || byID[id] == "" {
			return fmt.Errorf("datasets: the validation pictures of %s: line %d is %.20q, which is not the id of a class", path, i+1, line)
		}
		val[i] = byID[id]
	}
	return torch.Save(meta, torch.Tuple{classes, val})
}

// readMeta reads meta.bin: the names of each class, and the classes of the pictures for validation.
func readMeta(path string) (map[string]string, []string, error) {
	bad := fmt.Errorf("datasets: %s is not torchvision's meta.bin; remove it, so that it is made again from the development kit", path)
	v, err := torch.Load(path)
	if err != nil {
		return nil, nil, fmt.Errorf("datasets: %w", err)
	}
	both, ok := v.(torch.Tuple)
	if !ok || len(both) != 2 {
		return nil, nil, bad
	}
	classes, ok := both[0].(*torch.Dict)
	list, isList := both[1].([]torch.Value)
	if !ok || !isList {
		return nil, nil, bad
	}
	names := map[string]string{}
	for _, e := range classes.Entries {
		wnid, ok := e.Key.(string)
		all, isTuple := e.Value.(torch.Tuple)
		if !ok || !isTuple {
			return nil, nil, bad
		}
		words := make([]string, len(all))
		for i, w := range all {
			if words[i], ok = w.(string); !ok {
				return nil, nil, bad
			}
		}
		names[wnid] = strings.Join(words, ", ")
	}
	val := make([]string, len(list))
	for i, w := range list {
		if val[i], ok = w.(string); !ok || !filepath.IsLocal(val[i]) {
			return nil, nil, bad
		}
	}
	return names, val, nil
}

// prepareImageNet unpacks the archive of a split into a folder for each class.
func (o *options) prepareImageNet(ctx context.Context, root, split string, val []string) error {
	archive := "ILSVRC2012_img_" + split + ".tar"
	if err := o.ready(ctx, "ImageNet", root, root, []string{archive}); err != nil {
		return err
	}
	path := filepath.Join(root, archive)
	err := aside(ctx, filepath.Join(root, "."+split+".partial"), filepath.Join(root, split), func(tmp string) error {
		u := &unpacker{dir: tmp, left: maxExtracted, files: maxFiles, nested: split == "train"}
		if err := extract(ctx, path, u); err != nil || split == "train" {
			return err
		}
		pictures, err := names(tmp, anyEntry)
		if err != nil {
			return err
		}
		if len(pictures) != len(val) {
			return fmt.Errorf("it has %d pictures, and meta.bin the classes of %d", len(pictures), len(val))
		}
		for i, name := range pictures {
			if err := os.MkdirAll(filepath.Join(tmp, val[i]), 0o777); err != nil {
				return err
			}
			if err := os.Rename(filepath.Join(tmp, name), filepath.Join(tmp, val[i], name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("datasets: unpack %s: %w", path, err)
	}
	return nil
}
