package datasets

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"crypto/md5"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/internal/ctxio"
	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/oserror"
)

// An Option is an option of the functions that open a data set which can be downloaded.
type Option func(*options)

type options struct {
	test, download, unchecked, allowEmpty bool
	split, variant                        string
	progress                              io.Writer
	valid                                 func(path string) bool
}

func optionsOf(opts []Option) *options {
	o := &options{}
	for _, f := range opts {
		f(o)
	}
	return o
}

// WithTest chooses the pictures for testing in place of those for training: train=False.
func WithTest() Option { return func(o *options) { o.test = true } }

// WithSplit chooses a part by its name: split=name, which is what=name for [NewQMNIST].
func WithSplit(name string) Option { return func(o *options) { o.split = name } }

// WithVariant chooses among the forms in which a data set is published by the name that the constructor in Python gives it:
// the year of [NewVOCDetection] and [NewVOCSegmentation], the partition of [NewDTD], the annotation_level of [NewFGVCAircraft],
// the size of [NewImagenette], the image_set of [NewLFWPeople] and [NewLFWPairs], the version of [NewINaturalist], the mode of
// [NewCityscapes], the split_ratio of [NewMovingMNIST], and "small" for [NewPlaces365].
func WithVariant(name string) Option { return func(o *options) { o.variant = name } }

// WithDownload downloads the data set if its files are not there: download=True. Downloads are checked, go on where they
// stopped, and are made once among processes, as those of package hub.
func WithDownload() Option { return func(o *options) { o.download = true } }

// WithProgress draws a progress bar for downloads on w. The default is none.
func WithProgress(w io.Writer) Option { return func(o *options) { o.progress = w } }

// WithoutChecksums reads files that are not those of the publisher but have their format, such as a part of them. Without
// it, the MD5 checksums of the files are compared where torchvision compares them.
func WithoutChecksums() Option { return func(o *options) { o.unchecked = true } }

//go:embed sources.json
var sourcesJSON []byte

// A remote is a file that is published.
type remote struct {
	URLs []string `json:"urls"`
	File string   `json:"file"` // its name on the disk
	MD5  string   `json:"md5"`
	Page string   `json:"page"` // where a person downloads a file that has no URL
}

// A source is what is published of a data set.
type source struct {
	Page    string            `json:"page"`   // where a person downloads all of it
	Remote  []remote          `json:"remote"` // archives, or the files themselves
	Dir     string            `json:"dir"`    // the folder inside the root that they are in
	Files   map[string]string `json:"files"`  // the MD5 of each file inside the archives that is read
	Classes []string          `json:"classes"`
}

// sources are the data sets by their names.
var sources = func() (s map[string]source) {
	if err := json.Unmarshal(sourcesJSON, &s); err != nil {
		panic(err)
	}
	return s
}()

// Limits on what an archive may hold: those of the data sets are smaller.
const (
	maxExtracted = 1 << 40
	maxFiles     = 16 << 20
)

// fetch downloads a file into dir, unless it is there and has the checksum.
func (o *options) fetch(ctx context.Context, dir string, r remote) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	job := &fetch.Job{Dst: filepath.Join(dir, r.File), Part: filepath.Join(dir, r.File+".partial")}
	if len(r.URLs) == 0 {
		var err error
		if o.unchecked || r.MD5 == "" {
			_, err = os.Stat(job.Dst)
		} else {
			err = sameMD5(ctx, job.Dst, r.MD5)
		}
		if err != nil {
			return fmt.Errorf("datasets: %s: %w; programs cannot download it: open %s in a browser and save it under that name", job.Dst, oserror.Cause(err), r.Page)
		}
		return nil
	}
	for _, u := range r.URLs {
		s, err := fetch.Sources(u)
		if err != nil {
			return fmt.Errorf("datasets: %w", err)
		}
		job.Sources = append(job.Sources, s...)
	}
	if r.MD5 != "" {
		job.Same = func() bool { return sameMD5(ctx, job.Dst, r.MD5) == nil }
		job.Check = func(p *fetch.Partial) error { return sameMD5(ctx, p.Path, r.MD5) }
	}
	c := fetch.New()
	c.Progress = o.progress
	if err := c.Do(ctx, job); err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	return nil
}

// sameMD5 returns an error if the MD5 of a file is not want.
func sameMD5(ctx context.Context, path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, ctxio.NewReader(ctx, f)); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return oserror.Cause(err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return &fetch.HashError{Got: got, Want: want, MD5: true}
	}
	return nil
}

// ready makes sure that the files of a data set, in dir, are there and those of the publisher, and downloads and unpacks
// its archives into root if they are not and that is wanted.
func (o *options) ready(ctx context.Context, name, root, dir string, files []string) error {
	s := sources[name]
	check := func() error { return o.check(ctx, s, dir, files) }
	err := check()
	if err != nil && o.download && s.Page == "" && ctx.Err() == nil {
		for _, r := range s.Remote {
			if err := o.fetch(ctx, root, r); err != nil {
				return err
			}
			if err := unpack(ctx, filepath.Join(root, r.File), root); err != nil {
				return fmt.Errorf("datasets: unpack %s: %w", filepath.Join(root, r.File), err)
			}
		}
		err = check()
	}
	return o.missing(name, root, err)
}

// check returns an error unless the files or folders are in dir and have the checksums of the source.
func (o *options) check(ctx context.Context, s source, dir string, files []string) error {
	for _, f := range files {
		path := filepath.Join(dir, f)
		if _, err := os.Stat(path); err != nil {
			return err
		}
		if sum := s.Files[f]; sum != "" && !o.unchecked {
			if err := sameMD5(ctx, path, sum); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return nil
}

// in is ready for a data set whose files are in a folder of its own, which it returns.
func (o *options) in(ctx context.Context, name, root string, files ...string) (dir string, err error) {
	dir = filepath.Join(root, filepath.FromSlash(sources[name].Dir))
	return dir, o.ready(ctx, name, dir, dir, files)
}

// part returns the split: that of [WithSplit], or else test, which may be "", after [WithTest], or the first of all.
func (o *options) part(what, test string, all ...string) (string, error) {
	switch {
	case o.split != "":
		return o.split, oneOf(what, "split", o.split, all...)
	case o.test && test != "":
		return test, nil
	}
	return all[0], nil
}

// form returns the variant, or the first of all.
func (o *options) form(what, kind string, all ...string) (string, error) {
	if o.variant == "" {
		return all[0], nil
	}
	return o.variant, oneOf(what, kind, o.variant, all...)
}

// missing describes the error that a file of a data set is not there or another one.
func (o *options) missing(name, root string, err error) error {
	switch {
	case err == nil:
		return nil
	case sources[name].Page != "":
		return fmt.Errorf("datasets: %s: %w; programs cannot download it: get it from %s", name, err, sources[name].Page)
	case errors.Is(err, os.ErrNotExist) && !o.download:
		return fmt.Errorf("datasets: %s is not in %s: %w; WithDownload downloads it", name, root, err)
	}
	return fmt.Errorf("datasets: %s: %w", name, err)
}

// unpack unpacks an archive into dir, by its name: .tar, .tar.gz, .tgz, .zip or a single .gz. Other files are left as they are.
// What was not unpacked to its end is not found in dir.
func unpack(ctx context.Context, path, dir string) error {
	if !strings.HasSuffix(path, ".zip") && !strings.HasSuffix(path, ".tar") && !strings.HasSuffix(path, ".tgz") && !strings.HasSuffix(path, ".gz") {
		return nil
	}
	return aside(ctx, filepath.Join(dir, "."+filepath.Base(path)+".partial"), dir, func(tmp string) error {
		return extract(ctx, path, &unpacker{dir: tmp, left: maxExtracted, files: maxFiles})
	})
}

// aside lets fill write into a folder tmp, once among goroutines and processes, and then moves the files into dir.
func aside(ctx context.Context, tmp, dir string, fill func(tmp string) error) error {
	lock, err := fetch.LockFile(ctx, tmp+".lock")
	if err != nil {
		return oserror.Cause(err)
	}
	defer lock.Close()
	defer os.Remove(tmp + ".lock")
	defer os.RemoveAll(tmp)
	if err := os.RemoveAll(tmp); err != nil { // of a process that was killed
		return oserror.Cause(err)
	}
	if err := os.MkdirAll(tmp, 0o777); err != nil {
		return oserror.Cause(err)
	}
	if err := fill(tmp); err != nil {
		return err
	}
	return move(tmp, dir)
}

// move renames a file or folder; what a folder has is added to a folder that is there.
func move(from, to string) error {
	is, err := os.Lstat(to)
	if err != nil || !is.IsDir() {
		if err == nil && is.Mode()&os.ModeSymlink != 0 {
			return fmt.Errorf("its file %.100q would be written through a link, which may lead out of the folder", filepath.Base(to))
		}
		return oserror.Cause(os.Rename(from, to))
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return oserror.Cause(err)
	}
	for _, e := range entries {
		if err := move(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// extract writes the files of an archive.
func extract(ctx context.Context, path string, u *unpacker) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = ctxio.NewReader(ctx, f)
	gz := strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".tgz")
	if gz {
		z, err := gzip.NewReader(r)
		if err != nil {
			return damaged(err)
		}
		r = z
	}
	switch {
	case strings.HasSuffix(path, ".zip"):
		info, err := f.Stat()
		if err != nil {
			return err
		}
		z, err := zip.NewReader(f, info.Size())
		if err != nil {
			return damaged(err)
		}
		return u.zip(ctx, z)
	case strings.HasSuffix(path, ".tar") || strings.HasSuffix(path, ".tar.gz") || strings.HasSuffix(path, ".tgz"):
		return u.tar("", tar.NewReader(r))
	}
	return u.file(strings.TrimSuffix(filepath.Base(path), ".gz"), r)
}

func damaged(err error) error { return fmt.Errorf("it is damaged or not complete: %w", err) }

// An unpacker writes the files of an archive into a folder of its own.
type unpacker struct {
	dir    string
	left   int64 // bytes that may still be written
	files  int   // and files
	nested bool  // tar files inside are unpacked, into folders of their names
}

// tar writes the files of an archive into a folder.
func (u *unpacker) tar(folder string, t *tar.Reader) error {
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue // folders are made where files need them; links are not followed
		}
		if inner, ok := strings.CutSuffix(h.Name, ".tar"); ok && u.nested && folder == "" {
			err = u.tar(inner, tar.NewReader(t))
		} else {
			err = u.file(path.Join(folder, h.Name), t)
		}
		if err != nil {
			return err
		}
	}
}

func (u *unpacker) zip(ctx context.Context, z *zip.Reader) error {
	for _, e := range z.File {
		if !e.Mode().IsRegular() {
			continue
		}
		r, err := e.Open()
		if err != nil {
			return damaged(err)
		}
		err = u.file(e.Name, ctxio.NewReader(ctx, r))
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// file writes a file of the archive.
func (u *unpacker) file(name string, r io.Reader) error {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return fmt.Errorf("it has a file %.100q, which is not inside the folder", name)
	}
	if u.files--; u.files < 0 {
		return fmt.Errorf("it has more than %d files", maxFiles)
	}
	path := filepath.Join(u.dir, local)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(f, io.LimitReader(r, u.left+1))
	if u.left -= n; u.left < 0 {
		_ = f.Close()
		_ = os.Remove(path)
		return fmt.Errorf("it is larger than %d GiB when unpacked", maxExtracted>>30)
	}
	if write, ok := errors.AsType[*os.PathError](err); ok { // the disk is full
		return write
	}
	if err != nil {
		return damaged(err)
	}
	return f.Close()
}
