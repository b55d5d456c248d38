package hub

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/torchhub/torchhub/internal/ctxio"
	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/oserror"
)

// This file speaks with the Hugging Face Hub and keeps the cache that Python's
// huggingface_hub keeps:
//
//	models--OWNER--NAME/refs/REVISION             holds a commit
//	models--OWNER--NAME/snapshots/COMMIT/FILE     is a relative link to
//	models--OWNER--NAME/blobs/ETAG                which is the content
//	models--OWNER--NAME/.no_exist/COMMIT/FILE     says that the commit lacks the file
//	.locks/models--OWNER--NAME/ETAG.lock          is locked while a blob is made

const hfEndpoint = "https://huggingface.co"

// WithHFToken gives the access token for the Hugging Face Hub, instead of the
// one in HF_TOKEN or in the file that "hf auth login" writes; "" is none. It is
// sent to the Hub only, and not to where the Hub redirects.
func WithHFToken(token string) Option { return func(o *options) { o.hfToken = &token } }

// HFCacheDir returns the folder of files from the Hugging Face Hub, which is
// shared with Python: huggingface_hub.constants.HF_HUB_CACHE. It is, in this order,
// $HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
// $XDG_CACHE_HOME/huggingface/hub and ~/.cache/huggingface/hub. A leading ~
// and variables in it are replaced. Variables that are empty count as unset.
//
// https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables#hfhubcache
func HFCacheDir() string {
	if dir := cmp.Or(os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE")); dir != "" {
		return expandVars(dir)
	}
	return filepath.Join(hfHome(), "hub")
}

func hfHome() string {
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return expandVars(dir)
	}
	return expandVars(filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), "~/.cache"), "huggingface"))
}

var variableRE = regexp.MustCompile(`\$(\w+|\{[^}]*\})`)

// expandVars replaces ~ and then variables, as os.path.expandvars: what is not set stays.
func expandVars(p string) string {
	return variableRE.ReplaceAllStringFunc(expand(p), func(s string) string {
		if v, ok := os.LookupEnv(strings.Trim(s[1:], "{}")); ok {
			return v
		}
		return s
	})
}

// token returns the access token, "" where there is none.
func (o *options) token() string {
	if o.hfToken != nil {
		return *o.hfToken
	}
	if isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
		return ""
	}
	if t := strings.TrimSpace(cmp.Or(os.Getenv("HF_TOKEN"), os.Getenv("HUGGING_FACE_HUB_TOKEN"))); t != "" {
		return t
	}
	file := os.Getenv("HF_TOKEN_PATH")
	if file == "" {
		file = filepath.Join(hfHome(), "token")
	}
	f, err := os.Open(expandVars(file))
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, 4<<10))
	return strings.TrimSpace(string(b))
}

// hfRepo is a repository of models at a revision: a branch, a tag or a commit.
type hfRepo struct{ id, revision string }

var (
	hfName     = regexp.MustCompile(`^[\w][\w.-]{0,95}$`)
	hfRevision = regexp.MustCompile(`^[^\x00-\x20\x7f~^:?*\[\\]{1,200}$`)
	hfCommit   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	hfETag     = regexp.MustCompile(`^[\w][\w.+=-]{0,199}$`)
)

// parseHF reads "owner/name" or "owner/name@revision", with or without "hf:" before it.
func parseHF(s string) (hfRepo, error) {
	id, revision, at := strings.Cut(strings.TrimPrefix(s, "hf:"), "@")
	r := hfRepo{id, "main"}
	parts := strings.Split(id, "/")
	ok := len(parts) <= 2 && len(id) <= 96
	for _, p := range parts {
		ok = ok && hfName.MatchString(p) && !strings.Contains(p, "--") && !strings.Contains(p, "..") && !strings.HasSuffix(p, ".") && !strings.HasSuffix(p, "-")
	}
	if !ok {
		return r, fmt.Errorf("%.100q is not a repository of the Hugging Face Hub; give hf:owner/name or hf:owner/name@revision", s)
	}
	if at {
		r.revision = revision
		if !hfRevision.MatchString(revision) || !localPath(revision) {
			return r, fmt.Errorf("%.100q is not a revision; give a branch, a tag or a commit", revision)
		}
	}
	return r, nil
}

// localPath says whether a path with slashes stays within a folder, and has no odd elements.
func localPath(p string) bool {
	for e := range strings.SplitSeq(p, "/") {
		if e == "" || e == "." || e == ".." || strings.ContainsAny(e, "\\\x00") {
			return false
		}
	}
	return filepath.IsLocal(filepath.FromSlash(p))
}

// folder returns where the files of a repository lie in a cache.
func (r hfRepo) folder(cache string) string {
	return filepath.Join(cache, "models--"+strings.ReplaceAll(r.id, "/", "--"))
}

// url returns where a file can be had.
func (r hfRepo) url(file string) (*url.URL, error) {
	endpoint := cmp.Or(strings.TrimRight(os.Getenv("HF_ENDPOINT"), "/"), hfEndpoint)
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("HF_ENDPOINT is %q, which is not a URL; set it to one such as %s", endpoint, hfEndpoint)
	}
	at := "/" + r.id + "/resolve/" + url.PathEscape(r.revision) // the slashes of a revision are escaped, those of a file are not
	for e := range strings.SplitSeq(file, "/") {
		at += "/" + url.PathEscape(e)
	}
	return url.Parse(endpoint + at)
}

// HFDownload returns the path of a file of a repository on the Hugging Face
// Hub, which is downloaded to [HFCacheDir] unless it is there already:
// huggingface_hub.hf_hub_download(repo, file, revision=…). The repository is
// "owner/name", or "owner/name@revision" for another branch, tag or commit than
// main. The cache is Python's own, and so are its locks: what either has
// downloaded, the other finds.
//
// It heeds HF_ENDPOINT, HF_TOKEN and the file that "hf auth login" writes,
// HF_HUB_OFFLINE, [WithHFToken], [WithOffline], [WithCacheDir] in place of
// HFCacheDir, and what [DownloadURLToFile] heeds but [WithSHA256]. As in Python, the
// Hub is asked each time whether a branch has moved, and where it cannot be
// reached, the cache answers; a commit that is in the cache needs no network.
//
// Unlike Python, it compares the hash that the Hub gives for a file, SHA-256 for
// large ones and Git's for small ones, and goes on with a download that was broken off.
// A repository, revision or file that is not there is an fs.ErrNotExist, and
// one that is private or gated an fs.ErrPermission.
//
// https://huggingface.co/docs/huggingface_hub/package_reference/file_download
func HFDownload(ctx context.Context, repo, file string, opts ...Option) (string, error) {
	r, err := parseHF(repo)
	if err == nil {
		file, err = newOptions(opts).hfFile(ctx, r, file)
	}
	if err != nil {
		return "", newError("", "", err)
	}
	return file, nil
}

// hfFile returns the path of a file, downloaded if need be.
func (o *options) hfFile(ctx context.Context, r hfRepo, file string) (string, error) {
	if !localPath(file) || strings.ContainsFunc(file, func(r rune) bool { return r < ' ' }) {
		return "", fmt.Errorf("%.100q names no file of a repository", file)
	}
	cache := cmp.Or(expand(o.dir), HFCacheDir())
	folder := r.folder(cache)
	pointer := func(commit string) string {
		return filepath.Join(folder, "snapshots", commit, filepath.FromSlash(file))
	}
	if hfCommit.MatchString(r.revision) {
		if p := pointer(r.revision); exists(p) {
			return p, nil
		}
	}
	u, err := r.url(file)
	if err != nil {
		return "", err
	}
	fail := func(err error) (string, error) { return "", fmt.Errorf("fetch %s: %w", u.Redacted(), err) }
	// local answers from the cache, where the Hub is not asked or does not answer.
	local := func() (path string, known bool) {
		commit := r.revision
		if b, err := os.ReadFile(filepath.Join(folder, "refs", filepath.FromSlash(r.revision))); err == nil {
			commit = strings.TrimSpace(string(b))
		}
		if !hfETag.MatchString(commit) {
			return "", false
		}
		if p := pointer(commit); exists(p) {
			return p, true
		}
		return "", exists(filepath.Join(folder, ".no_exist", commit, filepath.FromSlash(file)))
	}
	have, known := local()
	if o.offlineHF() {
		switch {
		case have != "":
			return have, nil
		case known:
			return fail(fmt.Errorf("%w: %w", fetch.ErrOffline, fs.ErrNotExist))
		}
		return fail(fetch.ErrOffline)
	}
	ask := *o
	if have != "" {
		ask.fetch.Retries = 0 // the cache answers where the Hub does not at once
	}
	h, err := ask.hfHead(ctx, r, u, file)
	var refused *hfError
	switch {
	case ctx.Err() != nil:
		return fail(context.Cause(ctx))
	case errors.As(err, &refused) && errors.Is(err, fs.ErrNotExist):
		if refused.code == "EntryNotFound" && hfETag.MatchString(refused.commit) {
			// As Python does it, so that either knows without asking; it is only a hint.
			mark := filepath.Join(folder, ".no_exist", refused.commit, filepath.FromSlash(file))
			if os.MkdirAll(filepath.Dir(mark), 0o777) == nil {
				if f, err := os.OpenFile(mark, os.O_CREATE|os.O_WRONLY, 0o666); err == nil {
					f.Close()
				}
				writeRef(folder, r.revision, refused.commit)
			}
		}
		return fail(err)
	case err != nil && have != "":
		return have, nil
	case err != nil:
		return fail(err)
	}

	p := pointer(h.commit)
	if exists(p) {
		writeRef(folder, r.revision, h.commit) // the cache may be read-only
		return p, nil
	}
	blob := filepath.Join(folder, "blobs", h.etag)
	lockPath := filepath.Join(cache, ".locks", filepath.Base(folder), h.etag+".lock")
	for _, dir := range []string{filepath.Dir(blob), filepath.Dir(p), filepath.Dir(lockPath)} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return fail(fmt.Errorf("cannot make the cache folder %s: %w; choose another with HF_HOME", dir, oserror.Cause(err)))
		}
	}
	tagCache(cache)
	if err := writeRef(folder, r.revision, h.commit); err != nil {
		return fail(fmt.Errorf("cannot write in %s: %w; choose another folder with HF_HOME", folder, oserror.Cause(err)))
	}
	lock, err := lockFile(ctx, lockPath)
	if err != nil {
		return fail(err)
	}
	defer lock.Close()
	if !exists(blob) {
		if err := o.hfBlob(ctx, u, h, blob); err != nil {
			return "", err
		}
	}
	if !exists(p) {
		if err := link(blob, p); err != nil {
			return fail(fmt.Errorf("cannot link %s to %s: %w", p, blob, oserror.Cause(err)))
		}
	}
	return p, nil
}

func (o *options) offlineHF() bool {
	return o.fetch.Offline || !o.offlineSet && (isTrue("HF_HUB_OFFLINE") || os.Getenv("HF_HUB_OFFLINE") == "" && isTrue("TRANSFORMERS_OFFLINE"))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// hfBlob downloads the content of a file.
func (o *options) hfBlob(ctx context.Context, u *url.URL, h hfHead, blob string) error {
	j := &fetch.Job{
		Sources: []*url.URL{u}, Dst: blob, Part: blob + ".incomplete", Reuse: true, Name: h.name,
		Page: fetch.IsPage(filepath.Ext(h.name)), Header: o.hfHeader(),
	}
	if h.size >= 0 && (len(h.etag) == 40 || len(h.etag) == 64) && isHex(h.etag) {
		j.Known = &fetch.Entity{URL: "", ETag: strconv.Quote(h.etag), Size: h.size}
		j.Check = func(p *fetch.Partial) error {
			got := p.Digest()
			if len(h.etag) == 40 {
				var err error
				if got, err = gitHash(ctx, p.Path); err != nil {
					return err
				}
			}
			if got != h.etag {
				return &fetch.HashError{Got: got, Want: h.etag, Git: len(h.etag) == 40}
			}
			return nil
		}
	} else {
		j.Check = func(p *fetch.Partial) error { return fetch.Whole(ctx, p, h.name) }
	}
	return o.fetch.Do(ctx, j)
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && strings.ToLower(s) == s
}

// gitHash returns what Git calls a file: git hash-object.
func gitHash(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return "", err
	}
	sum := sha1.New()
	fmt.Fprintf(sum, "blob %d\x00", fi.Size())
	if _, err := io.Copy(sum, ctxio.NewReader(ctx, f)); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// link makes p a relative link to a blob, or a copy where there are no links.
func link(blob, p string) error {
	target, err := filepath.Rel(filepath.Dir(p), blob)
	if err != nil {
		return err
	}
	os.Remove(p) // a link to what is gone
	err = os.Symlink(target, p)
	if err == nil || errors.Is(err, fs.ErrExist) && exists(p) {
		return nil
	}
	return os.Link(blob, p)
}

// writeRef notes which commit a revision is.
func writeRef(folder, revision, commit string) error {
	if revision == commit {
		return nil
	}
	ref := filepath.Join(folder, "refs", filepath.FromSlash(revision))
	if b, err := os.ReadFile(ref); err == nil && string(b) == commit {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(ref), 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(ref), filepath.Base(ref)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.WriteString(commit)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), ref)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// tagCache marks the cache as one, so that backups may leave it out, as Python does.
func tagCache(cache string) {
	f, err := os.OpenFile(filepath.Join(cache, "CACHEDIR.TAG"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err == nil {
		f.WriteString("Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag, see https://bford.info/cachedir/\n")
		f.Close()
	}
}

// lockFile locks a lock file, made at need. Another may remove it between its being opened and locked.
func lockFile(ctx context.Context, path string) (*flock.Flock, error) {
	for {
		l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
		if _, err := l.TryLockContext(ctx, 20*time.Millisecond); err != nil {
			l.Close()
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("cannot lock %s: %w", path, oserror.Cause(err))
		}
		if locked, err := l.Stat(); err == nil {
			if now, err := os.Stat(path); err == nil && os.SameFile(locked, now) {
				return l, nil
			}
		}
		l.Close()
	}
}

func (o *options) hfHeader() http.Header {
	if t := o.token(); t != "" {
		return http.Header{"Authorization": {"Bearer " + t}}
	}
	return nil
}

// hfHead is what the Hub says of a file.
type hfHead struct {
	name   string
	commit string
	etag   string
	size   int64 // -1 is unknown
}

// hfError is a refusal of the Hub, in words.
type hfError struct {
	what         string
	code, commit string // of the headers X-Error-Code and X-Repo-Commit
	err          error  // a fetch.StatusError
}

func (e *hfError) Error() string { return e.what }
func (e *hfError) Unwrap() error { return e.err }

// hfHead asks the Hub about a file.
func (o *options) hfHead(ctx context.Context, r hfRepo, u *url.URL, file string) (hfHead, error) {
	var h hfHead
	err := o.fetch.Retry(ctx, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeoutCause(ctx, o.fetch.Stall, fmt.Errorf("%w for %v; try again later", fetch.ErrStalled, o.fetch.Stall))
		defer cancel()
		h, err = o.hfTry(ctx, r, u)
		if c := context.Cause(ctx); errors.Is(c, fetch.ErrStalled) {
			return c
		}
		return err
	}, func() bool { return false })
	h.name = filepath.Base(filepath.FromSlash(file))
	return h, err
}

func (o *options) hfTry(ctx context.Context, r hfRepo, u *url.URL) (hfHead, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err != nil {
		return hfHead{}, fetch.Final{Err: err}
	}
	req.Header.Set("User-Agent", "torchhub")
	req.Header.Set("Accept-Encoding", "identity") // or the length would be another
	header := o.hfHeader()
	for k, v := range header {
		req.Header[k] = v
	}
	c := o.fetch.HTTPClient(header)
	// The answers on the way count: where the Hub redirects to storage it says all itself.
	var first http.Header
	follow := c.CheckRedirect
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if err := follow(req, via); err != nil {
			return err
		}
		if first = req.Response.Header; first.Get("X-Repo-Commit") != "" && req.URL.Host != u.Host {
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := c.Do(req)
	if err != nil {
		return hfHead{}, fetch.Connection(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 || resp.StatusCode == http.StatusNoContent {
		return hfHead{}, hfRefusal(resp, r)
	}
	get := func(key string) string { return cmp.Or(resp.Header.Get(key), first.Get(key)) }
	h := hfHead{commit: get("X-Repo-Commit"), size: -1}
	h.etag = strings.Trim(strings.TrimPrefix(cmp.Or(get("X-Linked-Etag"), resp.Header.Get("ETag")), "W/"), `"`)
	length := get("X-Linked-Size")
	if length == "" && resp.StatusCode == http.StatusOK {
		length = resp.Header.Get("Content-Length")
	}
	if n, err := strconv.ParseInt(length, 10, 64); err == nil && n >= 0 {
		h.size = n
	}
	if !hfETag.MatchString(h.commit) || !hfETag.MatchString(h.etag) {
		return hfHead{}, fetch.Final{Err: errors.New("the answer names no commit or content; check HF_ENDPOINT, proxies, and whether this network asks to sign in first")}
	}
	return h, nil
}

// hfRefusal words what the Hub refuses.
func hfRefusal(resp *http.Response, r hfRepo) error {
	err := fetch.Refusal(resp)
	var s *fetch.StatusError
	if !errors.As(err, &s) {
		return err
	}
	e := &hfError{err: s, code: resp.Header.Get("X-Error-Code"), commit: resp.Header.Get("X-Repo-Commit")}
	page := resp.Request.URL.Scheme + "://" + resp.Request.URL.Host + "/" + r.id
	switch {
	case e.code == "GatedRepo" && s.Code == http.StatusUnauthorized:
		e.what = fmt.Sprintf("%s is gated; accept its terms on %s, then set HF_TOKEN to a token of that account", r.id, page)
	case e.code == "GatedRepo":
		e.what = fmt.Sprintf("%s is gated and this token has no access; accept its terms on %s", r.id, page)
	case resp.Header.Get("X-Error-Message") == "Access to this resource is disabled.":
		e.what = fmt.Sprintf("access to %s is disabled; see %s", r.id, page)
	case e.code == "RepoNotFound", s.Code == http.StatusUnauthorized && e.code == "":
		e.what = fmt.Sprintf("there is no repository %s, or it is private; check the name, or set HF_TOKEN to a token that may read it", r.id)
		s = &fetch.StatusError{Code: http.StatusNotFound}
		e.err = s
	case e.code == "RevisionNotFound":
		e.what = fmt.Sprintf("%s has no revision %s; see %s/tree/main", r.id, r.revision, page)
	case e.code == "EntryNotFound":
		e.what = fmt.Sprintf("%s has no such file; see %s/tree/main", r.id, page)
	default:
		return err
	}
	return fetch.Final{Err: e}
}
