package datasets

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// NewMNIST opens the handwritten digits in root/MNIST/raw, as torchvision leaves them there: MNIST(root, train, download).
// It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.MNIST.html
func NewMNIST(ctx context.Context, root string, opts ...Option) (*Images, error) {
	return mnist(ctx, "MNIST", root, opts)
}

// NewFashionMNIST opens the clothes in root/FashionMNIST/raw: FashionMNIST(root, train, download). See [NewMNIST].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.FashionMNIST.html
func NewFashionMNIST(ctx context.Context, root string, opts ...Option) (*Images, error) {
	return mnist(ctx, "FashionMNIST", root, opts)
}

// NewKMNIST opens the Japanese letters in root/KMNIST/raw: KMNIST(root, train, download). See [NewMNIST].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.KMNIST.html
func NewKMNIST(ctx context.Context, root string, opts ...Option) (*Images, error) {
	return mnist(ctx, "KMNIST", root, opts)
}

func mnist(ctx context.Context, name, root string, opts []Option) (*Images, error) {
	o := optionsOf(opts)
	raw := filepath.Join(root, name, "raw")
	prefix := "train"
	if o.test {
		prefix = "t10k"
	}
	var all []string // of both parts, as in Python
	for _, r := range sources[name].Remote {
		all = append(all, strings.TrimSuffix(r.File, ".gz"))
	}
	if err := o.ready(ctx, name, raw, raw, all); err != nil {
		return nil, err
	}
	return readIDX(filepath.Join(raw, prefix+"-images-idx3-ubyte"), filepath.Join(raw, prefix+"-labels-idx1-ubyte"), sources[name].Classes)
}

// NewEMNIST opens the letters and digits in root/EMNIST/raw: EMNIST(root, split, train, download). [WithSplit] names one of
// byclass, bymerge, balanced, letters, digits and mnist. As in torchvision the pictures are transposed, and the classes of
// letters begin with 1. It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.EMNIST.html
func NewEMNIST(ctx context.Context, root string, opts ...Option) (*Images, error) {
	o := optionsOf(opts)
	if err := oneOf("EMNIST", "split", o.split, "byclass", "bymerge", "balanced", "letters", "digits", "mnist"); err != nil {
		return nil, err
	}
	raw := filepath.Join(root, "EMNIST", "raw")
	prefix := "emnist-" + o.split + "-train"
	if o.test {
		prefix = "emnist-" + o.split + "-test"
	}
	images, labels := filepath.Join(raw, prefix+"-images-idx3-ubyte"), filepath.Join(raw, prefix+"-labels-idx1-ubyte")
	if o.download && (!exists(images) || !exists(labels)) {
		if err := o.downloadEMNIST(ctx, raw); err != nil {
			return nil, err
		}
	}
	if err := o.ready(ctx, "EMNIST", raw, raw, nil); err != nil {
		return nil, err
	}
	for _, path := range []string{images, labels} {
		if _, err := os.Stat(path); err != nil {
			return nil, o.missing("EMNIST", root, err)
		}
	}
	return readIDX(images, labels, emnistClasses(o.split))
}

// downloadEMNIST unpacks the archive, whose files are packed once more.
func (o *options) downloadEMNIST(ctx context.Context, raw string) error {
	r := sources["EMNIST"].Remote[0]
	if err := o.fetch(ctx, raw, r); err != nil {
		return err
	}
	err := unpack(ctx, filepath.Join(raw, r.File), raw)
	folder := filepath.Join(raw, "gzip")
	if err == nil {
		err = filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".gz") {
				return err
			}
			return unpack(ctx, path, raw)
		})
	}
	if err != nil {
		return fmt.Errorf("datasets: unpack %s: %w", filepath.Join(raw, r.File), err)
	}
	return os.RemoveAll(folder)
}

// emnistClasses returns the names of the classes.
func emnistClasses(split string) []string {
	digits, upper, lower := "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
	switch split {
	case "byclass":
		return strings.Split(digits+upper+lower, "")
	case "bymerge", "balanced":
		return strings.Split(digits+upper+"abdefghnqrt", "")
	case "letters":
		return append([]string{"N/A"}, strings.Split(lower, "")...)
	}
	return strings.Split(digits, "")
}

// NewQMNIST opens the digits in root/QMNIST/raw: QMNIST(root, what, train, download). [WithSplit] names what: train, test,
// test10k, test50k or nist; without it [WithTest] chooses. The files of nist cannot be downloaded, because they are
// packed by xz. It honors [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.QMNIST.html
func NewQMNIST(ctx context.Context, root string, opts ...Option) (*Images, error) {
	o := optionsOf(opts)
	what := o.split
	if what == "" {
		what = "train"
		if o.test {
			what = "test"
		}
	}
	if err := oneOf("QMNIST", "split", what, "train", "test", "test10k", "test50k", "nist"); err != nil {
		return nil, err
	}
	prefix, name := "qmnist-"+strings.TrimRight(what, "0123456789k"), "QMNIST "+strings.TrimRight(what, "0123456789k")
	if what == "nist" {
		prefix, name, o.download = "xnist", "QMNIST", false
	}
	raw := filepath.Join(root, "QMNIST", "raw")
	images, labels := prefix+"-images-idx3-ubyte", prefix+"-labels-idx2-int"
	if err := o.ready(ctx, name, raw, raw, []string{images, labels}); err != nil {
		return nil, err
	}
	d, err := readIDX(filepath.Join(raw, images), filepath.Join(raw, labels), sources["MNIST"].Classes)
	if err != nil {
		return nil, err
	}
	size := d.strides[3]
	if n := min(10000, d.Len()); what == "test10k" {
		d.Targets, d.pix = d.Targets[:n], d.pix[:n*size]
	} else if what == "test50k" {
		d.Targets, d.pix = d.Targets[n:], d.pix[n*size:]
	}
	return d, nil
}

// readIDX reads the pictures and labels of the MNIST family.
func readIDX(images, labels string, classes []string) (*Images, error) {
	const limit = 4 << 30
	b, err := readAll(images, limit)
	if err != nil {
		return nil, err
	}
	pix, shape, err := parseIDX(b, 8, 3)
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", images, err)
	}
	d := &Images{Classes: classes, pix: pix}
	d.planes(shape[2], shape[1], 1)
	if b, err = readAll(labels, limit); err != nil {
		return nil, err
	}
	if d.Targets, err = parseLabels(b); err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", labels, err)
	}
	if len(d.Targets) != shape[0] {
		return nil, fmt.Errorf("datasets: %s has %d pictures, but %s %d labels", images, shape[0], labels, len(d.Targets))
	}
	return d, nil
}

// parseLabels reads labels: bytes, or the first of several ints each.
func parseLabels(b []byte) ([]int, error) {
	if len(b) > 2 && b[2] == 12 {
		ints, shape, err := parseIDX(b, 12, 2)
		if err != nil {
			return nil, err
		}
		if shape[1] == 0 {
			return nil, fmt.Errorf("there are no columns of labels")
		}
		out := make([]int, shape[0])
		for i := range out {
			out[i] = int(int32(binary.BigEndian.Uint32(ints[4*i*shape[1]:])))
		}
		return out, nil
	}
	bytes, shape, err := parseIDX(b, 8, 1)
	if err != nil {
		return nil, err
	}
	out := make([]int, shape[0])
	for i, v := range bytes {
		out[i] = int(v)
	}
	return out, nil
}

// parseIDX returns the elements and the shape of an idx file of a type, 8 for bytes or 12 for ints, and so many dimensions.
func parseIDX(b []byte, kind byte, dims int) ([]byte, []int, error) {
	header := 4 + 4*dims
	switch {
	case len(b) < header:
		return nil, nil, fmt.Errorf("it has %d bytes and is not complete", len(b))
	case b[0] != 0 || b[1] != 0 || b[2] != kind || int(b[3]) != dims:
		return nil, nil, fmt.Errorf("it begins with %x; an idx file of type %d with %d dimensions begins with 0000%02x%02x", b[:4], kind, dims, kind, dims)
	}
	n := 1
	if kind == 12 {
		n = 4
	}
	shape := make([]int, dims)
	rest := b[header:]
	for i := range shape {
		s := int(binary.BigEndian.Uint32(b[4+4*i:]))
		if shape[i] = s; s > 0 && n > len(rest)/s {
			return nil, nil, fmt.Errorf("its header says %v…, but it has only %d bytes of data; it is not complete", shape[:i+1], len(rest))
		}
		n *= s
	}
	if n != len(rest) {
		return nil, nil, fmt.Errorf("its header says %v, but it has %d bytes of data", shape, len(rest))
	}
	return rest, shape, nil
}
