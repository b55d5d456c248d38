package datasets

import (
	"compress/bzip2"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/ctxio"
)

// NewSVHN opens the house numbers in root/train_32x32.mat, as torchvision leaves it there: SVHN(root, split, download).
// [WithSplit] names train, which is the default, test or extra. It honors [WithTest], [WithDownload], [WithProgress] and
// [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.SVHN.html
func NewSVHN(ctx context.Context, root string, opts ...Option) (*Images, error) {
	o := optionsOf(opts)
	split := o.split
	if split == "" {
		split = "train"
		if o.test {
			split = "test"
		}
	}
	if err := oneOf("SVHN", "split", split, "train", "test", "extra"); err != nil {
		return nil, err
	}
	file := split + "_32x32.mat"
	if err := o.ready(ctx, "SVHN "+split, root, root, []string{file}); err != nil {
		return nil, err
	}
	path := filepath.Join(root, file)
	b, err := readAll(path, 4<<30)
	if err != nil {
		return nil, err
	}
	d, err := parseSVHN(b)
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", path, err)
	}
	return d, nil
}

func parseSVHN(b []byte) (*Images, error) {
	m, err := readMAT(b)
	if err != nil {
		return nil, err
	}
	x, y := m["X"], m["y"]
	if x == nil || y == nil || x.kind != 2 || len(x.dims) != 4 && len(x.dims) != 3 || x.dims[2] != 3 {
		return nil, fmt.Errorf("it has no X of bytes with the dimensions [32 32 3 N], with a y")
	}
	h, w, n := x.dims[0], x.dims[1], 1
	if len(x.dims) == 4 { // MATLAB leaves out a last dimension of 1
		n = x.dims[3]
	}
	d := &Images{pix: x.data, width: w, height: h, channels: 3, strides: [4]int{h, 1, w * h, 3 * w * h}}
	if d.Targets, err = y.ints(); err != nil {
		return nil, err
	}
	if len(d.Targets) != n {
		return nil, fmt.Errorf("it has %d labels for %d pictures", len(d.Targets), n)
	}
	for i, t := range d.Targets {
		if t == 10 {
			d.Targets[i] = 0
		}
	}
	return d, nil
}

// NewUSPS opens the digits in root/usps.bz2, as torchvision leaves it there: USPS(root, train, download). It honors
// [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.USPS.html
func NewUSPS(ctx context.Context, root string, opts ...Option) (*Images, error) {
	o := optionsOf(opts)
	split := "train"
	if o.test {
		split = "test"
	}
	s := sources["USPS "+split]
	if err := o.ready(ctx, "USPS "+split, root, root, []string{s.Remote[0].File}); err != nil {
		return nil, err
	}
	path := filepath.Join(root, s.Remote[0].File)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer f.Close()
	d, err := parseUSPS(bzip2.NewReader(ctxio.NewReader(ctx, f)))
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", path, err)
	}
	return d, nil
}

// parseUSPS reads lines of a label, from 1 to 10, and 256 pixels, from -1 to 1.
func parseUSPS(r io.Reader) (*Images, error) {
	const limit = 256 << 20
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, damaged(err)
	}
	if len(text) > limit {
		return nil, fmt.Errorf("it is larger than %d MiB when unpacked", limit>>20)
	}
	d := &Images{}
	d.planes(16, 16, 1)
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		fields := strings.Fields(line)
		if len(fields) != 257 {
			return nil, fmt.Errorf("line %d has %d fields; want a label and 256 pixels", number, len(fields))
		}
		label, err := strconv.Atoi(fields[0])
		if err != nil {
			return nil, fmt.Errorf("line %d has the label %.20q, which is not an int", number, fields[0])
		}
		d.Targets = append(d.Targets, label-1)
		for _, f := range fields[1:] {
			v, err := strconv.ParseFloat(f[strings.LastIndexByte(f, ':')+1:], 64)
			if err != nil || !(v >= -1 && v <= 1) {
				return nil, fmt.Errorf("line %d has the pixel %.20q; want a number from -1 to 1", number, f)
			}
			d.pix = append(d.pix, uint8((float32(v)+1)/2*255))
		}
	}
	return d, nil
}
