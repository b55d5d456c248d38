package datasets

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
)

// Annotated are pictures in files whose targets are more than a class, such as the boxes of objects.
type Annotated[T any] struct {
	Paths []string // of the pictures, with the root

	targets func(i int) (T, error)
	opts    []transforms.OpenOption
}

// Len returns the number of pictures.
func (d *Annotated[T]) Len() int { return len(d.Paths) }

// Open reads picture i, see [transforms.Open], and its target.
func (d *Annotated[T]) Open(i int) (img image.Image, target T, err error) {
	if img, err = transforms.Open(d.Paths[i], d.opts...); err != nil {
		return nil, target, err
	}
	target, err = d.targets(i)
	return img, target, err
}

// Target returns the target of picture i, which is not read. If the target is in a file, that is read.
func (d *Annotated[T]) Target(i int) (T, error) { return d.targets(i) }

// At reads picture i and its target, for package data. See [Transform] for the pictures' tensors.
func (d *Annotated[T]) At(_ context.Context, i int) (s data.Sample[image.Image, T], err error) {
	s.Input, s.Target, err = d.Open(i)
	return s, err
}

func (d *Annotated[T]) file(i int) (string, []transforms.OpenOption, bool) {
	return d.Paths[i], d.opts, true
}

// annotated has pictures whose targets are in memory.
func annotated[T any](paths []string, targets []T, opts ...transforms.OpenOption) *Annotated[T] {
	return &Annotated[T]{Paths: paths, opts: opts, targets: func(i int) (T, error) { return targets[i], nil }}
}

// readLines reads the lines of a text, without the white space at their ends.
func readLines(path string) ([]string, error) {
	b, err := readAll(path, 4<<30)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(b)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines, nil
}

// under returns the path of a file that a list names, inside a folder.
func under(list, dir, name string) (string, error) {
	local := filepath.FromSlash(name)
	if name == "" || !filepath.IsLocal(local) {
		return "", fmt.Errorf("datasets: %s names %.100q, which is not inside the folder", list, name)
	}
	return filepath.Join(dir, local), nil
}
