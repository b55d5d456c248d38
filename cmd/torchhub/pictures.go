package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/transforms"
)

// A picture from a URL or from stdin is held in memory before it is decoded.
const (
	maxPicture   = 256 << 20
	fetchTimeout = 2 * time.Minute
)

// A picture is one that was asked for. The error of open is a [*pictureError].
type picture struct {
	name string
	base string // of the files that are written about it
	open hub.Picture
}

// A pictureError tells why a picture cannot be had.
type pictureError struct{ error }

func (e *pictureError) Unwrap() error { return e.error }

// open returns the pictures that arguments name; without any, the built-in picture.
func open(ctx context.Context, stdin io.Reader, args []string) []picture {
	if len(args) == 0 {
		return []picture{{"built-in picture", "built-in", func() (image.Image, error) { return transforms.Decode(bytes.NewReader(builtin.Picture())) }}}
	}
	var out []picture
	used := baseNames{}
	add := func(name, base string, read func() (image.Image, error)) {
		out = append(out, picture{name, used.of(base), func() (image.Image, error) {
			img, err := read()
			if err != nil {
				err = &pictureError{err}
			}
			return img, err
		}})
	}
	addFile := func(name, base string) { add(name, base, func() (image.Image, error) { return openPicture(name) }) }
	for _, arg := range args {
		u, err := url.Parse(arg)
		switch {
		case arg == "-":
			add(arg, "stdin", func() (image.Image, error) {
				return decoded("stdin", func() ([]byte, error) { return readPicture("stdin", stdin) })
			})
		case err == nil && (u.Scheme == "http" || u.Scheme == "https"):
			add(arg, strings.Trim(path.Base(u.Path), "./"), func() (image.Image, error) { return decoded(arg, func() ([]byte, error) { return fetch(ctx, arg) }) })
		default:
			names, err := expand(arg)
			if err != nil {
				add(arg, arg, func() (image.Image, error) { return nil, err })
			}
			for _, name := range names {
				addFile(name, nameIn(arg, name))
			}
		}
	}
	return out
}

// baseNames are the names of files that are written, without their extensions.
type baseNames map[string]bool

// of returns the name for what is written about a file, which no other one has.
func (used baseNames) of(file string) string {
	base := strings.TrimSuffix(file, path.Ext(file))
	unique := base
	for n := 2; used[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", base, n)
	}
	used[unique] = true
	return unique
}

// nameIn returns the name of a file below a folder, or its last element if it is not below it.
func nameIn(folder, name string) string {
	if rel, err := filepath.Rel(folder, name); err == nil && filepath.IsLocal(rel) && rel != "." {
		return rel
	}
	return filepath.Base(name)
}

// isPicture has the extensions of the files in a folder that are taken for pictures.
var isPicture = map[string]bool{".jpg": true, ".jpeg": true, ".png": true, ".ppm": true, ".bmp": true, ".pgm": true, ".tif": true, ".tiff": true, ".webp": true, ".gif": true}

// expand returns the files that an argument names: itself, the pictures below a folder, or what matches a pattern, sorted.
func expand(arg string) ([]string, error) {
	fi, err := os.Stat(arg)
	if err == nil && fi.IsDir() {
		var names []string
		err := filepath.WalkDir(arg, func(name string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case name != arg && strings.HasPrefix(e.Name(), "."): // hidden
				if e.IsDir() {
					return filepath.SkipDir
				}
			case !e.IsDir() && isPicture[strings.ToLower(filepath.Ext(name))]:
				names = append(names, name)
			}
			return nil
		})
		if err == nil && len(names) == 0 {
			err = fmt.Errorf("%s: there are no pictures in the folder", arg)
		}
		return names, err
	}
	if err != nil && strings.ContainsAny(arg, "*?[") {
		names, err := filepath.Glob(arg)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: the pattern is not valid; check its brackets", arg)
		case len(names) == 0:
			return nil, fmt.Errorf("%s: no file matches the pattern", arg)
		}
		return names, nil
	}
	return []string{arg}, nil
}

// readPicture reads all of r, at most maxPicture bytes, so that a decoder never blocks.
func readPicture(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPicture+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxPicture {
		return nil, fmt.Errorf("%s: the picture is larger than %d MiB", name, maxPicture>>20)
	}
	return data, nil
}

// decoded decodes the picture that read returns.
func decoded(name string, read func() ([]byte, error)) (image.Image, error) {
	data, err := read()
	if err != nil {
		return nil, err
	}
	img, err := transforms.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, notDecoded(name, data, err)
	}
	return img, nil
}

// notDecoded returns the error for data that could not be read as a picture.
func notDecoded(name string, data []byte, err error) error {
	err = errors.Unwrap(err) // without what a Go program can do about it
	return &aboutError{name, otherKind(bytes.NewReader(data), int64(len(data)), err)}
}

// openPicture opens the picture in a file. Its error names the kind of a file
// that is not a picture.
func openPicture(name string) (image.Image, error) {
	img, err := transforms.Open(name)
	if err != nil {
		return nil, notOpened(name, err)
	}
	return img, nil
}

// notOpened returns the error for a file that could not be read as a picture.
func notOpened(name string, err error) error {
	err = errors.Unwrap(err) // without what a Go program can do about it
	if f, ferr := os.Open(name); ferr == nil {
		defer f.Close()
		if fi, ferr := f.Stat(); ferr == nil && fi.Mode().IsRegular() {
			err = otherKind(f, fi.Size(), err)
		}
	}
	return &aboutError{name, err}
}

// otherKind describes a file that could not be read as a picture.
func otherKind(r io.ReaderAt, size int64, err error) error {
	k := filekind.Of(r, size)
	switch {
	case !errors.Is(err, transforms.ErrFormat) || k.Class == filekind.Unknown:
		return err
	case k.Class == filekind.Picture:
		return fmt.Errorf("it is %s, which is not read; convert it to PNG or JPEG", k.Name)
	}
	return fmt.Errorf("it is %s, not a picture", k.Name)
}

func fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch the picture: %w", err)
	}
	req.Header.Set("User-Agent", "torchhub") // some sites refuse that of Go
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		var e *url.Error // its text is for Go programs
		if errors.As(err, &e) {
			err = e.Err
		}
		return nil, fmt.Errorf("fetch the picture %s: %w; check the URL and the network", address, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch the picture %s: %s; check the URL", address, res.Status)
	}
	return readPicture(address, res.Body)
}
