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
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/internal/atomicfile"
	"github.com/torchhub/torchhub/internal/ctxio"
	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/oserror"
)

// An Option is an option of the functions that open a data set which can be downloaded.
type Option func(*options)

type options struct {
	test, download, unchecked bool
	split                     string
	progress                  io.Writer
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
}

// A source is what is published of a data set.
type source struct {
	Remote  []remote          `json:"remote"` // archives, or the files themselves
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
	maxExtracted = 64 << 30
	maxFiles     = 2 << 20
)

// fetch downloads a file into dir, unless it is there and has the checksum.
func (o *options) fetch(ctx context.Context, dir string, r remote) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	job := &fetch.Job{Dst: filepath.Join(dir, r.File), Part: filepath.Join(dir, r.File+".partial")}
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
	check := func() error {
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
	err := check()
	if err != nil && o.download && ctx.Err() == nil {
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

// missing describes the error that a file of a data set is not there or another one.
func (o *options) missing(name, root string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist) && !o.download:
		return fmt.Errorf("datasets: %s is not in %s: %w; WithDownload downloads it", name, root, err)
	}
	return fmt.Errorf("datasets: %s: %w", name, err)
}

// unpack unpacks an archive into dir, by its name: .tar, .tar.gz, .tgz, .zip or a single .gz. Other files are left as they are.
func unpack(ctx context.Context, path, dir string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	u := &unpacker{dir: dir, left: maxExtracted, files: maxFiles}
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
		return u.tar(tar.NewReader(r))
	case gz:
		return u.file(strings.TrimSuffix(filepath.Base(path), ".gz"), r)
	}
	return nil
}

func damaged(err error) error { return fmt.Errorf("it is damaged or not complete: %w", err) }

// An unpacker writes the files of an archive.
type unpacker struct {
	dir   string
	left  int64 // bytes that may still be written
	files int   // and files
}

func (u *unpacker) tar(t *tar.Reader) error {
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
		if err := u.file(h.Name, t); err != nil {
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
	real, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return err
	}
	root, err := filepath.EvalSymlinks(u.dir)
	if err != nil {
		return err
	}
	if in, err := filepath.Rel(root, real); err != nil || !filepath.IsLocal(in) {
		return fmt.Errorf("its file %.100q would be written through a link that leads out of the folder", name)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		n, err := io.Copy(w, io.LimitReader(r, u.left+1))
		if u.left -= n; u.left < 0 {
			return fmt.Errorf("it is larger than %d GiB when unpacked", maxExtracted>>30)
		}
		if err != nil {
			return damaged(err)
		}
		return nil
	})
}
