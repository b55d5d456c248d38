package hub

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/ctxio"
	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/internal/terminal"
)

const (
	gitHub    = "https://github.com"
	gitHubAPI = "https://api.github.com"
)

// repoOptions are the arguments of torch.hub's functions that concern repositories.
type repoOptions struct {
	source         string
	trust, native  Trust
	ask            func(ctx context.Context, question string) (string, error)
	forceReload    bool
	skipValidation bool
	fileName       string
}

// WithSource sets what a repository's string means: "github" for owner/name[:ref],
// "local" for a folder that holds a hubconf.json or hubconf.py. Without it, a
// repository that a Go package has registered, see [Register], is that package's;
// "github" ignores such packages.
func WithSource(source string) Option { return func(o *options) { o.source = source } }

// WithForceReload downloads a repository even if it is in the cache: force_reload=True.
func WithForceReload() Option { return func(o *options) { o.forceReload = true } }

// WithSkipValidation skips the check at GitHub that a ref belongs to the
// repository itself, and not to a fork of it: skip_validation=True.
func WithSkipValidation() Option { return func(o *options) { o.skipValidation = true } }

// WithFileName sets the name of a download in the cache, in place of the last
// element of the URL's path: the file_name of torch.hub.load_state_dict_from_url.
// Unlike in Python, a name that leads to another folder is an error.
func WithFileName(name string) Option { return func(o *options) { o.fileName = name } }

// deprecated warns about a variable that was used before TORCH_HOME.
func (l *loader) deprecated(variable string) {
	if os.Getenv(variable) != "" {
		l.say("%s is deprecated, please use env TORCH_HOME instead\n", variable)
	}
}

// gitHubSource is a repository of GitHub, with a hubconf.json or hubconf.py at its root.
var gitHubSource = sourceKind{
	name: "github",
	is:   func(string) bool { return true },
	open: func(ctx context.Context, l *loader, repo string) (source, error) {
		dir, err := l.repository(ctx, repo)
		if err != nil {
			return nil, err
		}
		return openFolder(repo, dir)
	},
}

// A gitRepo is a repository of GitHub at a ref.
type gitRepo struct{ owner, name, ref string }

func (r gitRepo) String() string {
	if r.ref == "" {
		return r.owner + "/" + r.name
	}
	return r.owner + "/" + r.name + ":" + r.ref
}

// folder is the name of the repository's folder in the cache, as in Python.
func (r gitRepo) folder() string {
	return r.owner + "_" + r.name + "_" + strings.ReplaceAll(r.ref, "/", "_")
}

// aside is the prefix of the names of temporary files in the cache while the
// repository is downloaded. No owner begins with a dot, and no ref holds a
// tilde.
func (r gitRepo) aside(hub string) string { return filepath.Join(hub, "."+r.folder()+"~") }

// trustKeys are the lines of the trusted list that make the repository trusted.
func (r gitRepo) trustKeys() []string {
	if strings.Contains(r.owner, "_") { // owner_name could be another repository
		return []string{r.owner + "/" + r.name}
	}
	return []string{r.owner + "_" + r.name, r.owner + "/" + r.name}
}

var (
	ownerRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	nameRE  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	// What git check-ref-format forbids, and what would not be one folder's name.
	badRefRE = regexp.MustCompile("[\x00-\x20\x7f~^:?*\\[\\\\]|\\.\\.|@\\{|//|^/|/$|^\\.|/\\.|\\.$|^-")
)

// parseRepo reads owner/name[:ref].
func parseRepo(s string) (gitRepo, error) {
	base, ref, pinned := strings.Cut(s, ":")
	owner, name, ok := strings.Cut(base, "/")
	switch {
	case !ok || !ownerRE.MatchString(owner) || !nameRE.MatchString(name) || name == "." || name == "..":
		return gitRepo{}, &RepositoryError{s}
	case pinned && (ref == "" || len(ref) > 200 || badRefRE.MatchString(ref)):
		return gitRepo{}, fmt.Errorf("%.100q: %.100q is not a tag, branch or commit; give owner/name:ref", s, ref)
	}
	return gitRepo{owner, name, ref}, nil
}

// Repository downloads a repository owner/name[:ref] of GitHub, unless it is in
// the cache, and returns its folder, owner_name_ref in [Dir]: the first half of
// torch.hub.load. The repository must be trusted first, see [WithTrust]. No
// code of it is run. Repository honors [WithTrust], [WithPrompt],
// [WithForceReload], [WithSkipValidation], [WithNotice] and the options of
// [DownloadURLToFile].
//
// The default ref is the branch main if there is one, else master, or the one in the
// cache if the network cannot be reached. The ref must be one of the repository's
// own branches and tags, which GitHub's API lists, with $GITHUB_TOKEN if that is
// set. If a branch and a tag have the same name, the branch is used.
//
// Unlike Python, which gives the archives of all repositories at the ref main one name,
// Repository names the archive like the folder, and any number of goroutines and processes
// download it once. If the folder holds another repository whose folder has the same name,
// as a/b_c:d and a/b:c_d do, the requested one is downloaded. Archives are unpacked to a
// temporary folder, which is then renamed. An archive that would write outside its folder,
// or that holds more than 100,000 files, 4 GiB, or 200 times its own size, is refused.
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load
func Repository(ctx context.Context, repo string, opts ...Option) (dir string, err error) {
	dir, err = newLoader(opts).repository(ctx, repo)
	if err != nil {
		return "", newError("repository", repo, err)
	}
	return dir, nil
}

func (l *loader) repository(ctx context.Context, repo string) (string, error) {
	r, err := parseRepo(repo)
	if err != nil {
		return "", err
	}
	l.deprecated("TORCH_HUB")
	hub, err := filepath.Abs(Dir())
	if err == nil {
		err = os.MkdirAll(hub, 0o777)
	}
	if err != nil {
		return "", fmt.Errorf("cannot make the folder %s: %w; choose another with TORCH_HOME", hub, oserror.Cause(err))
	}
	if r.ref == "" {
		if r.ref, err = l.defaultBranch(ctx, hub, r); err != nil {
			return "", err
		}
	}
	dir := filepath.Join(hub, r.folder())
	trusted := slices.Contains(trustedOwners, r.owner) || !strings.Contains(r.owner, "_") && r.isIn(dir)
	if err := l.trustRepository(ctx, r.trustKeys(), trusted); err != nil {
		return "", err
	}
	if !l.forceReload && r.isIn(dir) {
		l.say("Using cache found in %s\n", dir)
		return dir, nil
	}
	if !l.skipValidation {
		if err := l.validate(ctx, r); err != nil {
			return "", err
		}
	}
	before, _ := os.Stat(dir)
	ready := func() bool {
		now, err := os.Stat(dir)
		return err == nil && (before == nil || !os.SameFile(before, now)) && r.isIn(dir)
	}
	file := r.aside(hub) + ".lock"
	lock, err := fetch.Lock(ctx, file, ready)
	if err != nil || lock == nil {
		return dir, err
	}
	defer lock.Close()
	defer os.Remove(file) // before it is unlocked: a waiting process checks whether the file still exists
	return dir, l.fetchRepo(ctx, r, dir)
}

// A marker tells what a folder of the cache was made from; Python's have none.
type marker struct {
	Repository string `json:"repository"`
	Ref        string `json:"ref"`
	Commit     string `json:"commit,omitempty"`
}

const markerName = ".torchhub.json"

// isIn reports whether a folder holds the repository, as far as can be
// determined.
func (r gitRepo) isIn(dir string) bool {
	fi, err := os.Stat(dir)
	if err != nil || !fi.IsDir() {
		return false
	}
	data, err := os.ReadFile(filepath.Join(dir, markerName))
	if err != nil {
		return true
	}
	var m marker
	return json.Unmarshal(data, &m) == nil && m.Repository == r.owner+"/"+r.name && m.Ref == r.ref
}

// defaultBranch returns main if the repository has it, else master.
func (l *loader) defaultBranch(ctx context.Context, hub string, r gitRepo) (string, error) {
	cached, tries := "", l.fetch.Retries+1
	for _, ref := range []string{"main", "master"} {
		c := gitRepo{r.owner, r.name, ref}
		if c.isIn(filepath.Join(hub, c.folder())) {
			cached, tries = ref, 1 // no retries, since the network is not needed
			break
		}
	}
	_, err := l.fetch.Get(ctx, gitHub+"/"+r.owner+"/"+r.name+"/tree/main/", nil, 0, tries)
	var s *fetch.StatusError
	switch {
	case err == nil:
		return "main", nil
	case errors.As(err, &s) && s.Code == http.StatusNotFound:
		return "master", nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.As(err, &s):
		return "", fmt.Errorf("find the default branch of %s: %w; or name a branch or tag, as in %s:main", r, err, r)
	case cached != "":
		return cached, nil
	}
	//lint:ignore ST1005 Python's message
	return "", fmt.Errorf("It looks like there is no internet connection and the repo could not be found in the cache (%s): %w", hub, err)
}

// validate looks for the ref among the branches and tags of the repository, for
// GitHub also gives commits of its forks under the repository's name.
func (l *loader) validate(ctx context.Context, r gitRepo) error {
	header := map[string]string{"Accept": "application/vnd.github.v3+json"}
	if token := os.Getenv("GITHUB_TOKEN"); token != "" {
		header["Authorization"] = "token " + token
	}
	unknown := func(err error) error { return &RefError{r.owner + "/" + r.name, r.ref, err} }
	want := r.ref
	kinds := []string{"branches", "tags"}
	if b, ok := strings.CutPrefix(want, "refs/heads/"); ok {
		want, kinds = b, kinds[:1]
	} else if t, ok := strings.CutPrefix(want, "refs/tags/"); ok {
		want, kinds = t, kinds[1:]
	}
	for _, kind := range kinds {
		for page := 1; ; page++ {
			if page > 10000 {
				return unknown(fmt.Errorf("%s has more than a million %s", r, kind))
			}
			u := fmt.Sprintf("%s/repos/%s/%s/%s?per_page=100&page=%d", gitHubAPI, r.owner, r.name, kind, page)
			data, err := l.fetch.Get(ctx, u, header, 8<<20, l.fetch.Retries+1)
			if s := (*fetch.StatusError)(nil); errors.As(err, &s) && header["Authorization"] != "" {
				delete(header, "Authorization") // the token may lack a permission that is public
				data, err = l.fetch.Get(ctx, u, header, 8<<20, l.fetch.Retries+1)
			}
			if err != nil {
				if s := (*fetch.StatusError)(nil); errors.As(err, &s) && s.Code == http.StatusForbidden {
					err = fmt.Errorf("%w; a token in GITHUB_TOKEN raises GitHub's rate limit", err)
				}
				return unknown(fmt.Errorf("ask GitHub for the %s of %s/%s: %w", kind, r.owner, r.name, err))
			}
			var refs []struct {
				Name   string `json:"name"`
				Commit struct {
					SHA string `json:"sha"`
				} `json:"commit"`
			}
			if err := json.Unmarshal(data, &refs); err != nil {
				return unknown(fmt.Errorf("ask GitHub for the %s of %s/%s: the answer is not a list of them; check the network", kind, r.owner, r.name))
			}
			if len(refs) == 0 {
				break
			}
			for _, f := range refs {
				if f.Name == want || strings.HasPrefix(f.Commit.SHA, want) {
					return nil
				}
			}
		}
	}
	return unknown(nil)
}

func (r gitRepo) archive(ref string) string {
	parts := strings.Split(ref, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return gitHub + "/" + r.owner + "/" + r.name + "/zipball/" + strings.Join(parts, "/")
}

// fetchRepo downloads and unpacks the repository, whose lock the caller holds.
func (l *loader) fetchRepo(ctx context.Context, r gitRepo, dir string) error {
	beside := r.aside(filepath.Dir(dir))
	file, none := beside+".zip", ""
	zipped := l.fetch
	zipped.SHA256 = &none // a ref such as v1-12345678 is no hash
	zipped.Progress = nil // the size is not known beforehand
	zipped.MaxSize = min(l.fetch.MaxSize, maxUnpacked)
	defer os.Remove(file)
	archive := func(ref string) error {
		u := r.archive(ref)
		l.say("Downloading: \"%s\" to %s\n", u, file)
		return zipped.Download(ctx, u, file, false)
	}
	err := archive(r.ref)
	if s := (*fetch.StatusError)(nil); errors.As(err, &s) && s.Code == http.StatusMultipleChoices {
		l.say("The ref %s is ambiguous. Perhaps it is both a tag and a branch in the repo? "+
			"Torchhub will now assume that it's a branch. You can disambiguate tags and branches by explicitly passing "+
			"refs/heads/branch_name or refs/tags/tag_name as the ref.\n", r.ref)
		err = archive("refs/heads/" + r.ref)
	}
	if err != nil {
		return err
	}
	stale, _ := filepath.Glob(escapeGlob(beside) + "unpack*")
	for _, s := range stale { // of killed processes
		os.RemoveAll(s)
	}
	aside, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(beside)+"unpack*")
	if err != nil {
		return fmt.Errorf("cannot write in %s: %w; choose another folder with TORCH_HOME", filepath.Dir(dir), oserror.Cause(err))
	}
	defer os.RemoveAll(aside)
	top, commit, err := unpack(ctx, file, aside)
	if err != nil {
		return fmt.Errorf("the archive of %s: %w", r, err)
	}
	made := filepath.Join(aside, top)
	mark, err := json.Marshal(marker{r.owner + "/" + r.name, r.ref, commit})
	if err == nil {
		err = os.WriteFile(filepath.Join(made, markerName), append(mark, '\n'), 0o666)
	}
	if err != nil {
		return err
	}
	if err := os.Rename(dir, filepath.Join(aside, "..old")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot replace %s: %w", dir, oserror.Cause(err))
	}
	if err := os.Rename(made, dir); err != nil {
		return fmt.Errorf("cannot make %s: %w", dir, oserror.Cause(err))
	}
	return nil
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}

// What an archive may hold.
const (
	maxFiles    = 100_000
	maxUnpacked = 4 << 30
	maxRatio    = 200
	freeRatio   = 64 << 20 // any archive may unpack to this many bytes
)

var commitRE = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// unpack writes the files of an archive to a folder. All of them are in one
// folder of the archive, whose name it returns, together with their commit. A
// symbolic link becomes a file that holds its target, as with Python's zipfile.
func unpack(ctx context.Context, file, dir string) (top, commit string, err error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return "", "", fmt.Errorf("it is not a zip: %w; try again later", err)
	}
	defer z.Close()
	fi, err := os.Stat(file)
	if err != nil {
		return "", "", err
	}
	switch {
	case len(z.File) == 0:
		return "", "", errors.New("it is empty")
	case len(z.File) > maxFiles:
		return "", "", fmt.Errorf("it holds %d files; the limit is %d", len(z.File), maxFiles)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", "", err
	}
	defer root.Close()
	room := min(maxUnpacked, max(freeRatio, maxRatio*fi.Size()))
	for _, e := range z.File {
		name, err := entryName(e.Name)
		if err != nil {
			return "", "", err
		}
		first, _, nested := strings.Cut(name, "/")
		if top == "" {
			top = first
		}
		if first != top || !nested && !strings.HasSuffix(e.Name, "/") {
			return "", "", fmt.Errorf("the entry %.100q is outside of the folder %.100q", e.Name, top)
		}
		if strings.HasSuffix(e.Name, "/") {
			if err := root.MkdirAll(filepath.FromSlash(name), 0o777); err != nil {
				return "", "", fmt.Errorf("the entry %.100q: %w", e.Name, oserror.Cause(err))
			}
			continue
		}
		if err := root.MkdirAll(filepath.FromSlash(path.Dir(name)), 0o777); err != nil {
			return "", "", fmt.Errorf("the entry %.100q: %w", e.Name, oserror.Cause(err))
		}
		n, err := unpackFile(ctx, root, e, filepath.FromSlash(name), room)
		if err != nil {
			return "", "", fmt.Errorf("the entry %.100q: %w", e.Name, err)
		}
		room -= n
	}
	if commitRE.MatchString(z.Comment) { // git archive writes it there
		commit = z.Comment
	}
	return top, commit, nil
}

func unpackFile(ctx context.Context, root *os.Root, e *zip.File, name string, room int64) (int64, error) {
	r, err := e.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return 0, oserror.Cause(err)
	}
	n, err := io.Copy(w, io.LimitReader(ctxio.NewReader(ctx, r), room+1))
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err == nil && n > room {
		err = fmt.Errorf("the archive unpacks to more than %s, or %d times its own size", terminal.Size(maxUnpacked), maxRatio)
	}
	return n, err
}

var driveRE = regexp.MustCompile(`^[A-Za-z]:`)

// entryName returns the cleaned name of an archive's entry, or the reason why it
// is refused.
func entryName(name string) (string, error) {
	clean := path.Clean(name)
	switch {
	case strings.HasPrefix(clean, "/") || strings.HasPrefix(clean, `\`) || driveRE.MatchString(clean):
		//lint:ignore ST1005 Python's message
		return "", fmt.Errorf("Archive entry has absolute path: %.200q", name)
	case slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' }), ".."):
		//lint:ignore ST1005 Python's message
		return "", fmt.Errorf("Archive entry contains directory traversal: %.200q", name)
	case !filepath.IsLocal(filepath.FromSlash(clean)) || clean == "." || strings.ContainsAny(name, "\x00\\"):
		//lint:ignore ST1005 Python's message
		return "", fmt.Errorf("Archive entry escapes target directory: %.200q", name)
	}
	return clean, nil
}
