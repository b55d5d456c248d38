package hub

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// DownloadURLToFile fetches an http, https or file URL into the file dst, whose
// folder must exist: torch.hub.download_url_to_file. It heeds [WithHTTPClient],
// [WithSHA256], [WithProgress], [WithStallTimeout], [WithRetries] and [WithMaxSize].
//
// The body goes to dst.partial and is renamed when it is complete, checked and
// on disk, so dst never holds half a file. The check is the SHA-256, computed
// on the way, against the digits in the name of dst or else of the URL, as in
// resnet18-f37072fd.pth. That is Python's rule, stricter where it matters: the
// last group of 8 or more digits counts, where Python takes the first of any
// length and so "1" from model-1.0-abcd1234.pth; it is checked without being
// asked for; and 8 digits that are a date are none. Stricter too: a body shorter
// than its Content-Length is an error, a web page where a file was expected is
// one, and a redirect from https to http is refused.
//
// Lost and stalled connections and the statuses 408, 429 and 5xx are tried
// again with growing pauses, going on where the last try broke off if the
// server shows by ETag or Last-Modified that the file is still the same. When
// ctx ends or the tries are used up, dst.partial stays for the next call to go
// on with, also from another process.
//
// Calls for one dst, from any number of goroutines and processes, download
// once: one fetches, and the others wait, as long as their ctx allows, and use
// its file. A dst that is there already is replaced, as in Python, unless its
// SHA-256 is the one wanted.
//
// Where TORCHHUB_MIRROR is set, to a URL, it takes the place of https://host in
// URLs of download.pytorch.org and dl.fbaipublicfiles.com:
// https://download.pytorch.org/models/X becomes $TORCHHUB_MIRROR/models/X.
func DownloadURLToFile(ctx context.Context, rawURL, dst string, opts ...Option) error {
	if err := newOptions(opts).download(ctx, rawURL, expand(dst), false); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	return nil
}

// cached returns the file of a URL in the cache, downloaded if it is not there.
func (o *options) cached(ctx context.Context, rawURL string) (string, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return "", err
	}
	name, err := fileName(u)
	if err != nil {
		return "", err
	}
	dir := expand(o.dir)
	if dir == "" {
		dir = filepath.Join(Dir(), "checkpoints")
	}
	file := filepath.Join(dir, name)
	if fi, err := os.Stat(file); err == nil {
		if !fi.Mode().IsRegular() {
			return "", fmt.Errorf("%s is in the place of the weights and is no file; remove it", file)
		}
		return file, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("cannot make the cache folder %s: %w; choose another with TORCH_HOME", dir, bare(err))
	}
	return file, o.download(ctx, rawURL, file, true)
}

// download fetches rawURL into dst; with reuse, a dst that is there is taken as it is.
func (o *options) download(ctx context.Context, rawURL, dst string, reuse bool) error {
	u, err := parseURL(rawURL)
	if err != nil {
		return err
	}
	want := hashPrefix(filepath.Base(dst))
	if want == "" {
		want = hashPrefix(path.Base(u.Path))
	}
	if o.sha256 != nil {
		want = strings.ToLower(*o.sha256)
	}
	before, err := os.Stat(dst)
	if err == nil && before.IsDir() {
		return fmt.Errorf("fetch %s: %s is a folder; name a file", u.Redacted(), dst)
	}
	// ready says whether dst needs no download (any more).
	ready := func() bool {
		now, err := os.Stat(dst)
		switch {
		case err != nil:
			return false
		case reuse || before == nil || !os.SameFile(before, now) || !before.ModTime().Equal(now.ModTime()):
			return true
		}
		return want != "" && hasHash(ctx, dst, want)
	}
	if before != nil && ready() {
		return nil
	}
	lock, err := lockPartial(ctx, dst+".partial", ready)
	if err == nil && lock != nil {
		defer lock.Close()
		err = o.fetch(ctx, u, dst, want)
	}
	if err != nil {
		return fmt.Errorf("fetch %s: %w", u.Redacted(), err)
	}
	return nil
}

// lockPartial locks the file at path, made at need, among goroutines and
// processes, or returns nil when ready says that there is nothing left to do.
// The partial file is its own lock, so that no lock files are left about; it
// may be renamed or removed between being opened and being locked.
func lockPartial(ctx context.Context, path string, ready func() bool) (*flock.Flock, error) {
	for {
		l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
		_, err := l.TryLockContext(ctx, 20*time.Millisecond)
		if err != nil {
			l.Close()
			switch {
			case ctx.Err() != nil:
				return nil, context.Cause(ctx)
			case errors.Is(err, os.ErrNotExist):
				return nil, fmt.Errorf("there is no folder %s; make it first", filepath.Dir(path))
			}
			return nil, fmt.Errorf("cannot write in %s: %w; choose another folder with TORCH_HOME", filepath.Dir(path), bare(err))
		}
		locked, err := l.Stat()
		if err == nil {
			var now os.FileInfo
			if now, err = os.Stat(path); err == nil && os.SameFile(locked, now) {
				if !ready() {
					return l, nil
				}
				if now.Size() == 0 {
					os.Remove(path) // ours, made by waiting
				}
				l.Close()
				return nil, nil
			}
		}
		l.Close()
	}
}

// fetch fills the partial file of dst, whose lock the caller holds, and gives it its final name.
func (o *options) fetch(ctx context.Context, u *url.URL, dst, want string) error {
	key := digestOf(u.String())
	p, err := openPartial(ctx, dst+".partial", key)
	if err != nil {
		return bare(err)
	}
	defer p.close()
	bar := o.newBar(filepath.Base(dst))
	d := &transfer{o: o, u: u, key: key, p: p, bar: bar, page: isPage(path.Ext(dst)) || isPage(path.Ext(u.Path))}
	err = d.run(ctx)
	bar.close(err == nil)
	if err != nil {
		return err
	}
	if got := p.digest(); !strings.HasPrefix(got, want) {
		p.of = entity{} // not kept
		return &HashError{Got: got, Want: want}
	}
	return p.publish(dst)
}

var hashRE = regexp.MustCompile(`-([a-f0-9]{8,64})\.`)

// hashPrefix returns the first digits of the SHA-256 that a file's name tells, or "".
func hashPrefix(name string) string {
	prefix := ""
	// Matches may touch: the dot of one is not the dash of the next, so FindAll sees them all.
	for _, m := range hashRE.FindAllStringSubmatch(name, -1) {
		if t, err := time.Parse("20060102", m[1]); err == nil && t.Year() >= 1990 && t.Year() < 2100 {
			continue
		}
		prefix = m[1]
	}
	return prefix
}

// mirrored are the hosts that TORCHHUB_MIRROR stands in for.
var mirrored = map[string]bool{"download.pytorch.org": true, "dl.fbaipublicfiles.com": true}

// parseURL reads a URL and applies the mirror.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%q is no URL; give one such as https://host/path/file.pth", raw)
	}
	if mirror := os.Getenv("TORCHHUB_MIRROR"); mirror != "" && mirrored[u.Hostname()] {
		m, err := url.Parse(mirror)
		if err != nil || m.Scheme == "" {
			return nil, fmt.Errorf("TORCHHUB_MIRROR is %q, which is no URL; set it to one such as https://host/path", mirror)
		}
		m = m.JoinPath(u.EscapedPath())
		m.RawQuery = u.RawQuery
		u = m
	}
	switch {
	case u.Scheme == "http" || u.Scheme == "https":
		if u.Host != "" {
			return u, nil
		}
	case u.Scheme == "file":
		if u.Path != "" && (u.Host == "" || u.Host == "localhost") {
			return u, nil
		}
	}
	return nil, fmt.Errorf("cannot fetch %q; give an http, https or file URL", u.Redacted())
}
