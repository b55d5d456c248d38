package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/internal/terminal"
)

// Download fetches an http, https or file URL into dst, and compares the hash that
// c, dst or the URL gives. With reuse, an existing dst is used as it is.
func (c *Client) Download(ctx context.Context, rawURL, dst string, reuse bool) error {
	sources, err := Sources(rawURL)
	if err != nil {
		return err
	}
	u := sources[len(sources)-1] // the requested one, or the last mirror
	want := HashPrefix(filepath.Base(dst))
	if want == "" {
		want = HashPrefix(path.Base(u.Path))
	}
	if c.SHA256 != nil {
		want = strings.ToLower(*c.SHA256)
	}
	j := &Job{
		Sources: sources, Dst: dst, Part: dst + ".partial", Reuse: reuse,
		Page: IsPage(path.Ext(dst)) || IsPage(path.Ext(u.Path)),
	}
	if want != "" {
		j.Check = func(p *Partial) error {
			if got := p.Digest(); !strings.HasPrefix(got, want) {
				return &HashError{Got: got, Want: want}
			}
			return nil
		}
		j.Same = func() bool { return hasHash(ctx, dst, want) }
	} else if c.SHA256 == nil {
		j.Check = func(p *Partial) error { return Whole(ctx, p, dst) }
	}
	return c.Do(ctx, j)
}

// A Job is a file to be fetched.
type Job struct {
	Sources []*url.URL // tried one after the other
	Dst     string
	Part    string               // the partial file
	Reuse   bool                 // an existing Dst is used as it is
	Same    func() bool          // reports whether an existing Dst is the expected file; nil means never
	Check   func(*Partial) error // checks the downloaded bytes; nil checks nothing
	Page    bool                 // a web page is expected
	Known   *Entity              // the entity, if it is known before; then any bytes in Part are its beginning
	Header  http.Header          // sent to the host of the source, and to no other
	Name    string               // of the bar; "" is that of Dst
}

// Do downloads the file unless it exists, once among goroutines and processes.
func (c *Client) Do(ctx context.Context, j *Job) error {
	before, err := os.Stat(j.Dst)
	if err == nil && before.IsDir() {
		return fmt.Errorf("fetch %s: %s is a folder; name a file", j.Sources[0].Redacted(), j.Dst)
	}
	// ready reports whether dst needs no download (any more).
	ready := func() bool {
		now, err := os.Stat(j.Dst)
		switch {
		case err != nil:
			return false
		case j.Reuse || before == nil || !os.SameFile(before, now) || !before.ModTime().Equal(now.ModTime()):
			return true
		}
		return j.Same != nil && j.Same()
	}
	if before != nil && ready() {
		return nil
	}
	if c.Offline && !slices.ContainsFunc(j.Sources, isFile) {
		return fmt.Errorf("fetch %s: %w", j.Sources[0].Redacted(), ErrOffline)
	}
	lock, err := Lock(ctx, j.Part, ready)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", j.Sources[0].Redacted(), err)
	}
	if lock == nil {
		return nil
	}
	defer lock.Close()
	var failed []error
	for _, u := range j.Sources {
		if c.Offline && !isFile(u) {
			continue
		}
		err := c.fetch(ctx, u, j)
		if err == nil {
			return nil
		}
		failed = append(failed, fmt.Errorf("fetch %s: %w", u.Redacted(), err))
		if ctx.Err() != nil {
			break
		}
	}
	if n := len(failed) - 1; n > 0 {
		return fmt.Errorf("%w (and before it, %w)", failed[n], failed[n-1])
	}
	return failed[0]
}

func isFile(u *url.URL) bool { return u.Scheme == "file" }

// LockFile locks the file at path, made at need, among goroutines and processes.
// The file may be renamed or removed between being opened and being locked; then
// another one is made. The error is that of package os or of ctx.
func LockFile(ctx context.Context, path string) (*flock.Flock, error) {
	for {
		l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
		if _, err := l.TryLockContext(ctx, 20*time.Millisecond); err != nil {
			l.Close()
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, err
		}
		if locked, err := l.Stat(); err == nil {
			if now, err := os.Stat(path); err == nil && os.SameFile(locked, now) {
				return l, nil
			}
		}
		l.Close()
	}
}

// Lock locks the file at path as [LockFile] does, or returns nil when ready reports
// true. The partial file is its own lock, so that no lock files are left about.
func Lock(ctx context.Context, path string, ready func() bool) (*flock.Flock, error) {
	l, err := LockFile(ctx, path)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, err
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("there is no folder %s; make it first", filepath.Dir(path))
	default:
		return nil, fmt.Errorf("cannot write in %s: %w; choose another folder with TORCH_HOME", filepath.Dir(path), oserror.Cause(err))
	}
	if !ready() {
		return l, nil
	}
	if now, err := os.Stat(path); err == nil && now.Size() == 0 {
		os.Remove(path) // ours, made by waiting
	}
	l.Close()
	return nil, nil
}

// fetch fills the partial file of a job, whose lock the caller holds, and gives it its final name.
func (c *Client) fetch(ctx context.Context, u *url.URL, j *Job) error {
	key := Digest(u.String())
	p, err := openPartial(ctx, j.Part, key, j.Known)
	if err != nil {
		return oserror.Cause(err)
	}
	defer p.close()
	resumed := p.n > 0
	bar := terminal.NewBar(c.Progress, cmp.Or(j.Name, filepath.Base(j.Dst)))
	t := &transfer{c: c, job: j, u: u, key: key, p: p, bar: bar}
	err = t.run(ctx)
	if err == nil && j.Check != nil {
		if err = j.Check(p); err != nil && resumed && j.Known != nil {
			// Whoever left those first bytes, they were others.
			if err = p.restart(Entity{}); err == nil {
				if err = t.run(ctx); err == nil {
					err = j.Check(p)
				}
			}
		}
		if errors.As(err, new(*HashError)) || errors.As(err, new(damagedError)) {
			p.of = Entity{} // not kept
		}
	}
	bar.Close(err == nil)
	if err != nil {
		return err
	}
	return p.publish(j.Dst)
}

var hashRE = regexp.MustCompile(`-([a-f0-9]{8,64})\.`)

// HashPrefix returns the first digits of the SHA-256 in a file's name, or "".
func HashPrefix(name string) string {
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

// Sources parses a URL and returns its sources: itself, or the mirrors.
func Sources(raw string) ([]*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL; give one such as https://host/path/file.pth", raw)
	}
	sources := []*url.URL{u}
	if mirrors := os.Getenv("TORCHHUB_MIRROR"); mirrors != "" && mirrored[u.Hostname()] {
		sources = nil
		for mirror := range strings.SplitSeq(mirrors, ",") {
			mirror = strings.TrimSpace(mirror)
			if mirror == "direct" {
				sources = append(sources, u)
				continue
			}
			m, err := url.Parse(mirror)
			if err != nil || m.Scheme == "" {
				return nil, fmt.Errorf("TORCHHUB_MIRROR has %q, which is not a URL; set it to one such as https://host/path, or to several with commas between them", mirror)
			}
			m = m.JoinPath(u.EscapedPath())
			m.RawQuery = u.RawQuery
			sources = append(sources, m)
		}
	}
	for _, u := range sources {
		ok := false
		switch u.Scheme {
		case "http", "https":
			ok = u.Host != ""
		case "file":
			ok = u.Path != "" && (u.Host == "" || u.Host == "localhost")
		}
		if !ok {
			return nil, fmt.Errorf("cannot fetch %q; give an http, https or file URL", u.Redacted())
		}
	}
	return sources, nil
}
