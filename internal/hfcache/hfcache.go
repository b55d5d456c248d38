// Package hfcache speaks with the Hugging Face Hub and keeps the cache that Python's
// huggingface_hub keeps:
//
//	models--OWNER--NAME/refs/REVISION             holds a commit
//	models--OWNER--NAME/snapshots/COMMIT/FILE     is a relative link to
//	models--OWNER--NAME/blobs/ETAG                which is the content
//	models--OWNER--NAME/.no_exist/COMMIT/FILE     says that the commit lacks the file
//	.locks/models--OWNER--NAME/ETAG.lock          is locked while a blob is made
package hfcache

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

	"github.com/torchhub/torchhub/internal/ctxio"
	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/home"
	"github.com/torchhub/torchhub/internal/oserror"
)

const official = "https://huggingface.co"

// Dir returns the folder of the cache: huggingface_hub.constants.HF_HUB_CACHE.
func Dir() string {
	if dir := cmp.Or(os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE")); dir != "" {
		return expandVars(dir)
	}
	return filepath.Join(homeDir(), "hub")
}

func homeDir() string {
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return expandVars(dir)
	}
	return expandVars(filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), "~/.cache"), "huggingface"))
}

var variableRE = regexp.MustCompile(`\$(\w+|\{[^}]*\})`)

// expandVars replaces ~ and then variables, as os.path.expandvars: what is not set stays.
func expandVars(p string) string {
	return variableRE.ReplaceAllStringFunc(home.Expand(p), func(s string) string {
		if v, ok := os.LookupEnv(strings.Trim(s[1:], "{}")); ok {
			return v
		}
		return s
	})
}

// AccessToken returns the access token, "" where there is none.
func (c *Client) AccessToken() string {
	if c.Token != nil {
		return *c.Token
	}
	if IsTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
		return ""
	}
	if t := strings.TrimSpace(cmp.Or(os.Getenv("HF_TOKEN"), os.Getenv("HUGGING_FACE_HUB_TOKEN"))); t != "" {
		return t
	}
	file := os.Getenv("HF_TOKEN_PATH")
	if file == "" {
		file = filepath.Join(homeDir(), "token")
	}
	f, err := os.Open(expandVars(file))
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, 4<<10))
	return strings.TrimSpace(string(b))
}

// A Client keeps the cache and fetches what is not in it.
type Client struct {
	Fetch fetch.Client
	Dir   string  // of the cache; "" is what the function Dir returns
	Token *string // the access token; nil is that of the environment, "" is none
}

// A Repo is a repository of models at a revision: a branch, a tag or a commit.
type Repo struct{ ID, Revision string }

var (
	nameRE     = regexp.MustCompile(`^[\w][\w.-]{0,95}$`)
	revisionRE = regexp.MustCompile(`^[^\x00-\x20\x7f~^:?*\[\\]{1,200}$`)
	commitRE   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	etagRE     = regexp.MustCompile(`^[\w][\w.+=-]{0,199}$`)
)

// Parse reads "owner/name" or "owner/name@revision", with or without "hf:" before it.
func Parse(s string) (Repo, error) {
	id, revision, at := strings.Cut(strings.TrimPrefix(s, "hf:"), "@")
	r := Repo{id, "main"}
	parts := strings.Split(id, "/")
	ok := len(parts) <= 2 && len(id) <= 96
	for _, p := range parts {
		ok = ok && nameRE.MatchString(p) && !strings.Contains(p, "--") && !strings.Contains(p, "..") && !strings.HasSuffix(p, ".") && !strings.HasSuffix(p, "-")
	}
	if !ok {
		return r, fmt.Errorf("%.100q is not a repository of the Hugging Face Hub; give hf:owner/name or hf:owner/name@revision", s)
	}
	if at {
		r.Revision = revision
		if !revisionRE.MatchString(revision) || !localPath(revision) {
			return r, fmt.Errorf("%.100q is not a revision; give a branch, a tag or a commit", revision)
		}
	}
	return r, nil
}

// AtCommit returns the repository at the commit that a path which File returned is of, if that can be told.
func (r Repo) AtCommit(path string) Repo {
	if commit := filepath.Base(filepath.Dir(path)); commitRE.MatchString(commit) {
		r.Revision = commit
	}
	return r
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
func (r Repo) folder(cache string) string {
	return filepath.Join(cache, "models--"+strings.ReplaceAll(r.ID, "/", "--"))
}

// url returns where a file can be had.
func (r Repo) url(file string) (*url.URL, error) {
	endpoint := cmp.Or(strings.TrimRight(os.Getenv("HF_ENDPOINT"), "/"), official)
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("HF_ENDPOINT is %q, which is not a URL; set it to one such as %s", endpoint, official)
	}
	at := "/" + r.ID + "/resolve/" + url.PathEscape(r.Revision) // the slashes of a revision are escaped, those of a file are not
	for e := range strings.SplitSeq(file, "/") {
		at += "/" + url.PathEscape(e)
	}
	return url.Parse(endpoint + at)
}

// An entry is a file of a repository in a cache.
type entry struct {
	cache    string
	folder   string // of the repository
	revision string
	file     string // in the folder of a commit
}

func newEntry(cache string, r Repo, file string) *entry {
	return &entry{cache, r.folder(cache), r.Revision, filepath.FromSlash(file)}
}

// at returns the path of the file at a commit.
func (e *entry) at(commit string) string { return filepath.Join(e.folder, "snapshots", commit, e.file) }

// absence returns the path of the mark that a commit lacks the file.
func (e *entry) absence(commit string) string {
	return filepath.Join(e.folder, ".no_exist", commit, e.file)
}

// local answers from the cache alone: the path of the file, or "" and whether
// the revision is known to lack it.
func (e *entry) local() (path string, lacks bool) {
	commit := e.revision
	if b, err := os.ReadFile(filepath.Join(e.folder, "refs", filepath.FromSlash(e.revision))); err == nil {
		commit = strings.TrimSpace(string(b))
	}
	if !etagRE.MatchString(commit) {
		return "", false
	}
	if p := e.at(commit); exists(p) {
		return p, false
	}
	return "", exists(e.absence(commit))
}

// noteAbsence notes that a commit, which the revision is, lacks the file. Python does
// so too, and either reads the other's notes, which are only hints: errors are ignored.
func (e *entry) noteAbsence(commit string) {
	mark := e.absence(commit)
	if os.MkdirAll(filepath.Dir(mark), 0o777) == nil {
		if f, err := os.OpenFile(mark, os.O_CREATE|os.O_WRONLY, 0o666); err == nil {
			f.Close()
		}
		writeRef(e.folder, e.revision, commit)
	}
}

// File returns the path of a file of a repository, downloaded if need be. The name of the file has slashes.
func (c *Client) File(ctx context.Context, r Repo, file string) (string, error) {
	if !localPath(file) || strings.ContainsFunc(file, func(r rune) bool { return r < ' ' }) {
		return "", fmt.Errorf("%.100q names no file of a repository", file)
	}
	e := newEntry(cmp.Or(home.Expand(c.Dir), Dir()), r, file)
	if commitRE.MatchString(r.Revision) {
		if p := e.at(r.Revision); exists(p) {
			return p, nil
		}
	}
	u, err := r.url(file)
	if err != nil {
		return "", err
	}
	have, lacks := e.local()
	if c.Fetch.Offline {
		switch {
		case have != "":
			return have, nil
		case lacks:
			return "", fetchError(u, fmt.Errorf("%w: %w", fetch.ErrOffline, fs.ErrNotExist))
		}
		return "", fetchError(u, fetch.ErrOffline)
	}
	asking := *c
	if have != "" {
		asking.Fetch.Retries = 0 // the cache answers where the Hub does not at once
	}
	h, err := asking.ask(ctx, r, u, file)
	var refused *refusal
	switch {
	case err == nil && ctx.Err() == nil:
		return c.store(ctx, e, u, h)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.As(err, &refused) && errors.Is(err, fs.ErrNotExist):
		if refused.code == "EntryNotFound" && etagRE.MatchString(refused.commit) {
			e.noteAbsence(refused.commit)
		}
	case have != "":
		return have, nil
	}
	return "", fetchError(u, err)
}

func fetchError(u *url.URL, err error) error { return fmt.Errorf("fetch %s: %w", u.Redacted(), err) }

// store returns the path of the file at the commit that the Hub named, downloaded if the cache lacks it.
func (c *Client) store(ctx context.Context, e *entry, u *url.URL, h head) (string, error) {
	p := e.at(h.commit)
	if exists(p) {
		writeRef(e.folder, e.revision, h.commit) // the cache may be read-only
		return p, nil
	}
	blob := filepath.Join(e.folder, "blobs", h.etag)
	lockPath := filepath.Join(e.cache, ".locks", filepath.Base(e.folder), h.etag+".lock")
	for _, dir := range []string{filepath.Dir(blob), filepath.Dir(p), filepath.Dir(lockPath)} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return "", fetchError(u, fmt.Errorf("cannot make the cache folder %s: %w; choose another with HF_HOME", dir, oserror.Cause(err)))
		}
	}
	tagCache(e.cache)
	if err := writeRef(e.folder, e.revision, h.commit); err != nil {
		return "", fetchError(u, fmt.Errorf("cannot write in %s: %w; choose another folder with HF_HOME", e.folder, oserror.Cause(err)))
	}
	lock, err := fetch.LockFile(ctx, lockPath)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("cannot lock %s: %w", lockPath, oserror.Cause(err))
	}
	if err != nil {
		return "", fetchError(u, err)
	}
	defer lock.Close()
	if !exists(blob) {
		if err := c.blob(ctx, u, h, blob); err != nil {
			return "", err
		}
	}
	if !exists(p) {
		if err := link(blob, p); err != nil {
			return "", fetchError(u, fmt.Errorf("cannot link %s to %s: %w", p, blob, oserror.Cause(err)))
		}
	}
	return p, nil
}

// OfflineByEnvironment says whether variables of Python's forbid the network.
func OfflineByEnvironment() bool {
	return IsTrue("HF_HUB_OFFLINE") || os.Getenv("HF_HUB_OFFLINE") == "" && IsTrue("TRANSFORMERS_OFFLINE")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// blob downloads the content of a file.
func (c *Client) blob(ctx context.Context, u *url.URL, h head, blob string) error {
	j := &fetch.Job{
		Sources: []*url.URL{u}, Dst: blob, Part: blob + ".incomplete", Reuse: true, Name: h.name,
		Page: fetch.IsPage(filepath.Ext(h.name)), Header: c.header(),
	}
	if h.size >= 0 && isHash(h.etag) {
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
	return c.Fetch.Do(ctx, j)
}

// isHash says whether an ETag is a hash, of Git or SHA-256.
func isHash(etag string) bool {
	_, err := hex.DecodeString(etag)
	return err == nil && strings.ToLower(etag) == etag && (len(etag) == 40 || len(etag) == 64)
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

func (c *Client) header() http.Header {
	if t := c.AccessToken(); t != "" {
		return http.Header{"Authorization": {"Bearer " + t}}
	}
	return nil
}

// head is what the Hub says of a file.
type head struct {
	name   string
	commit string
	etag   string
	size   int64 // -1 is unknown
}

// refusal is a refusal of the Hub, in words.
type refusal struct {
	what         string
	code, commit string // of the headers X-Error-Code and X-Repo-Commit
	err          error  // a fetch.StatusError
}

func (e *refusal) Error() string { return e.what }
func (e *refusal) Unwrap() error { return e.err }

// head asks the Hub about a file.
func (c *Client) ask(ctx context.Context, r Repo, u *url.URL, file string) (head, error) {
	var h head
	err := c.Fetch.Retry(ctx, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeoutCause(ctx, c.Fetch.Stall, fmt.Errorf("%w for %v; try again later", fetch.ErrStalled, c.Fetch.Stall))
		defer cancel()
		h, err = c.try(ctx, r, u)
		if c := context.Cause(ctx); errors.Is(c, fetch.ErrStalled) {
			return c
		}
		return err
	}, func() bool { return false })
	h.name = filepath.Base(filepath.FromSlash(file))
	return h, err
}

func (c *Client) try(ctx context.Context, r Repo, u *url.URL) (head, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err != nil {
		return head{}, fetch.Final{Err: err}
	}
	req.Header.Set("User-Agent", "torchhub")
	req.Header.Set("Accept-Encoding", "identity") // or the length would be another
	header := c.header()
	for k, v := range header {
		req.Header[k] = v
	}
	client := c.Fetch.HTTPClient(header)
	// The answers on the way count: where the Hub redirects to storage it says all itself.
	var first http.Header
	follow := client.CheckRedirect
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if err := follow(req, via); err != nil {
			return err
		}
		if first = req.Response.Header; first.Get("X-Repo-Commit") != "" && req.URL.Host != u.Host {
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := client.Do(req)
	if err != nil {
		return head{}, fetch.Connection(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 || resp.StatusCode == http.StatusNoContent {
		return head{}, refused(resp, r)
	}
	get := func(key string) string { return cmp.Or(resp.Header.Get(key), first.Get(key)) }
	h := head{commit: get("X-Repo-Commit"), size: -1}
	h.etag = strings.Trim(strings.TrimPrefix(cmp.Or(get("X-Linked-Etag"), resp.Header.Get("ETag")), "W/"), `"`)
	length := get("X-Linked-Size")
	if length == "" && resp.StatusCode == http.StatusOK {
		length = resp.Header.Get("Content-Length")
	}
	if n, err := strconv.ParseInt(length, 10, 64); err == nil && n >= 0 {
		h.size = n
	}
	if !etagRE.MatchString(h.commit) || !etagRE.MatchString(h.etag) {
		return head{}, fetch.Final{Err: errors.New("the answer names no commit or content; check HF_ENDPOINT, proxies, and whether this network asks to sign in first")}
	}
	return h, nil
}

// refused words what the Hub refuses.
func refused(resp *http.Response, r Repo) error {
	err := fetch.Refusal(resp)
	var s *fetch.StatusError
	if !errors.As(err, &s) {
		return err
	}
	e := &refusal{err: s, code: resp.Header.Get("X-Error-Code"), commit: resp.Header.Get("X-Repo-Commit")}
	page := resp.Request.URL.Scheme + "://" + resp.Request.URL.Host + "/" + r.ID
	switch {
	case e.code == "GatedRepo" && s.Code == http.StatusUnauthorized:
		e.what = fmt.Sprintf("%s is gated; accept its terms on %s, then set HF_TOKEN to a token of that account", r.ID, page)
	case e.code == "GatedRepo":
		e.what = fmt.Sprintf("%s is gated and this token has no access; accept its terms on %s", r.ID, page)
	case resp.Header.Get("X-Error-Message") == "Access to this resource is disabled.":
		e.what = fmt.Sprintf("access to %s is disabled; see %s", r.ID, page)
	case e.code == "RepoNotFound", s.Code == http.StatusUnauthorized && e.code == "":
		e.what = fmt.Sprintf("there is no repository %s, or it is private; check the name, or set HF_TOKEN to a token that may read it", r.ID)
		s = &fetch.StatusError{Code: http.StatusNotFound}
		e.err = s
	case e.code == "RevisionNotFound":
		e.what = fmt.Sprintf("%s has no revision %s; see %s/tree/main", r.ID, r.Revision, page)
	case e.code == "EntryNotFound":
		e.what = fmt.Sprintf("%s has no such file; see %s/tree/main", r.ID, page)
	default:
		return err
	}
	return fetch.Final{Err: e}
}

// IsTrue reads a variable as huggingface_hub does.
func IsTrue(variable string) bool {
	switch strings.ToUpper(os.Getenv(variable)) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}
