package hub

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

	"github.com/torchhub/torchhub/internal/terminal"
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
// asked for; and 8 digits that are a date are none. Without digits a zip file, a
// safetensors file, a checkpoint or JSON is checked by what its own format tells,
// such as its length and checksums. Stricter too: a body shorter
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
// https://download.pytorch.org/models/X becomes $TORCHHUB_MIRROR/models/X. Of
// several URLs, with commas between them, each is tried where the one before it
// failed; "direct" among them is the official host.
//
// Proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in upper or lower
// case. [WithOffline] and TORCHHUB_OFFLINE forbid the network.
func DownloadURLToFile(ctx context.Context, rawURL, dst string, opts ...Option) error {
	if err := newOptions(opts).download(ctx, rawURL, expand(dst), false); err != nil {
		return &Error{Err: err}
	}
	return nil
}

// cached returns the file of a URL in the cache, downloaded if it is not there.
func (o *options) cached(ctx context.Context, rawURL string) (string, error) {
	sources, err := parseURL(rawURL)
	if err != nil {
		return "", err
	}
	name := o.fileName
	if name == "" {
		name, err = fileName(sources[0])
	} else if !isFileName(name) {
		err = fmt.Errorf("%.200q is no name of a file in the cache; leave out folders", name)
	}
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
		if o.sha256 == nil || *o.sha256 == "" {
			return file, nil
		}
		return file, o.download(ctx, rawURL, file, false) // which leaves it where it is the one wanted
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("cannot make the cache folder %s: %w; choose another with TORCH_HOME", dir, bare(err))
	}
	return file, o.download(ctx, rawURL, file, true)
}

// download fetches rawURL into dst; with reuse, a dst that is there is taken as it is.
func (o *options) download(ctx context.Context, rawURL, dst string, reuse bool) error {
	sources, err := parseURL(rawURL)
	if err != nil {
		return err
	}
	u := sources[len(sources)-1] // the one that was asked for, or the last mirror
	want := hashPrefix(filepath.Base(dst))
	if want == "" {
		want = hashPrefix(path.Base(u.Path))
	}
	if o.sha256 != nil {
		want = strings.ToLower(*o.sha256)
	}
	j := &job{
		sources: sources, dst: dst, part: dst + ".partial", reuse: reuse,
		page: isPage(path.Ext(dst)) || isPage(path.Ext(u.Path)),
	}
	if want != "" {
		j.check = func(p *partial) error {
			if got := p.digest(); !strings.HasPrefix(got, want) {
				return &HashError{Got: got, Want: want}
			}
			return nil
		}
		j.same = func() bool { return hasHash(ctx, dst, want) }
	} else if o.sha256 == nil {
		j.check = func(p *partial) error { return checkWhole(ctx, p, dst) }
	}
	return o.do(ctx, j)
}

// A job is a file to be had.
type job struct {
	sources []*url.URL // tried one after the other
	dst     string
	part    string               // where it grows
	reuse   bool                 // a dst that is there is taken as it is
	same    func() bool          // says whether a dst that is there is the one wanted; nil is never
	check   func(*partial) error // says what is wrong with what came; nil is nothing
	page    bool                 // a web page is what is wanted
	known   *entity              // what the server says is known before, and any bytes in part are the first ones of it
	header  http.Header          // sent to the host of the source, and to no other
	name    string               // of the bar; "" is that of dst
}

// do fetches what is not there yet, once among goroutines and processes.
func (o *options) do(ctx context.Context, j *job) error {
	before, err := os.Stat(j.dst)
	if err == nil && before.IsDir() {
		return fmt.Errorf("fetch %s: %s is a folder; name a file", j.sources[0].Redacted(), j.dst)
	}
	// ready says whether dst needs no download (any more).
	ready := func() bool {
		now, err := os.Stat(j.dst)
		switch {
		case err != nil:
			return false
		case j.reuse || before == nil || !os.SameFile(before, now) || !before.ModTime().Equal(now.ModTime()):
			return true
		}
		return j.same != nil && j.same()
	}
	if before != nil && ready() {
		return nil
	}
	if o.offline && !slices.ContainsFunc(j.sources, isFile) {
		return fmt.Errorf("fetch %s: %w", j.sources[0].Redacted(), ErrOffline)
	}
	lock, err := lockPartial(ctx, j.part, ready)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", j.sources[0].Redacted(), err)
	}
	if lock == nil {
		return nil
	}
	defer lock.Close()
	var failed []error
	for _, u := range j.sources {
		if o.offline && !isFile(u) {
			continue
		}
		err := o.fetch(ctx, u, j)
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

// fetch fills the partial file of a job, whose lock the caller holds, and gives it its final name.
func (o *options) fetch(ctx context.Context, u *url.URL, j *job) error {
	key := digestOf(u.String())
	p, err := openPartial(ctx, j.part, key, j.known)
	if err != nil {
		return bare(err)
	}
	defer p.close()
	resumed := p.n > 0
	bar := terminal.NewBar(o.barWriter(), cmp.Or(j.name, filepath.Base(j.dst)))
	t := &transfer{o: o, job: j, u: u, key: key, p: p, bar: bar}
	err = t.run(ctx)
	if err == nil && j.check != nil {
		if err = j.check(p); err != nil && resumed && j.known != nil {
			// Whoever left those first bytes, they were others.
			if err = p.restart(entity{}); err == nil {
				if err = t.run(ctx); err == nil {
					err = j.check(p)
				}
			}
		}
		if errors.As(err, new(*HashError)) || errors.As(err, new(damagedError)) {
			p.of = entity{} // not kept
		}
	}
	bar.Close(err == nil)
	if err != nil {
		return err
	}
	return p.publish(j.dst)
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

// parseURL reads a URL and returns where it can be had: there, or from each of the mirrors.
func parseURL(raw string) ([]*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%q is no URL; give one such as https://host/path/file.pth", raw)
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
				return nil, fmt.Errorf("TORCHHUB_MIRROR has %q, which is no URL; set it to one such as https://host/path, or to several with commas between them", mirror)
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
