package hub

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/suggest"
	"github.com/torchhub/torchhub/models"
	_ "github.com/torchhub/torchhub/models/all" // the architectures
	"github.com/torchhub/torchhub/torch"
)

// registry holds what Go packages publish, by repository in lower case and by name.
var registry = struct {
	sync.RWMutex
	repos map[string]*registered
}{repos: map[string]*registered{}}

type registered struct {
	name    string // as it was registered
	entries map[string]*Entry
}

// Register publishes a model of a repository, "owner/name", to [Load], [List]
// and [Help], as packages do in their init functions. The models of package
// models are published in this way. A ref, as in "owner/name:ref", is not part
// of the name: an entry stands for all of them.
//
// It panics with an *torch.Error if a name or the entry is invalid, or if the model
// is registered already. An artifact needs a URL, and its SHA-256 in its field or in
// its file's name.
func Register(repo, name string, e Entry) {
	refuse := func(format string, args ...any) {
		panic(&torch.Error{Op: "hub.Register", Args: fmt.Sprintf("%q, %q", repo, name), Msg: fmt.Sprintf(format, args...)})
	}
	r, err := parseRepo(repo)
	switch {
	case err != nil:
		refuse("%v", err)
	case r.ref != "":
		refuse("the repository has a ref; leave it out")
	case name == "" || strings.ContainsAny(name, " \t\r\n"):
		refuse("the model's name is empty or holds spaces")
	case len(e.Artifacts) == 0:
		refuse("there are no artifacts")
	}
	if err := e.check(true); err != nil {
		refuse("%v", err)
	}
	for i, a := range e.Artifacts {
		if !strings.Contains(a.URL, "://") {
			refuse("artifacts[%d].url: %q is not a URL", i, a.URL)
		}
		if len(a.SHA256) != 64 && (a.SHA256 != "" || fetch.HashPrefix(path.Base(a.URL)) == "" && !a.noHash) {
			refuse("artifacts[%d].sha256: %q is not a SHA-256", i, a.SHA256)
		}
	}
	registry.Lock()
	defer registry.Unlock()
	key := strings.ToLower(repo)
	to := registry.repos[key]
	if to == nil {
		to = &registered{repo, map[string]*Entry{}}
		registry.repos[key] = to
	}
	if to.entries[name] != nil {
		refuse("it is registered already")
	}
	to.entries[name] = &e
}

// publish publishes the models of package models that are not published yet: a
// package that registers some may be initialized after this one.
func publish() {
	publishing.Lock()
	defer publishing.Unlock()
	for _, name := range models.Names() {
		if publishing.done[name] {
			continue
		}
		publishing.done[name] = true
		if e, err := models.Lookup(name); err == nil {
			Register(e.Repo, name, published(e))
		}
	}
}

var publishing = struct {
	sync.Mutex
	done map[string]bool
}{done: map[string]bool{}}

// published is an entry of package models as one of this package. The default weights
// come first, and the others from the newest to the oldest.
func published(e *models.Entry) Entry {
	out := Entry{
		Doc:      fmt.Sprintf("%s: %s, %s", e.Name, e.Title, e.Paper),
		Homepage: e.Paper,
		Build:    e.Build,
		configure: func(arguments []byte) (func() any, error) {
			return models.Configure(e.Name, arguments)
		},
		backbone: e.Backbone,
		rename: func(weights string) string {
			if w, err := e.Find(weights); err == nil {
				return w.Name
			}
			return weights
		},
	}
	if c := e.Default().Classes; c != "" {
		out.Labels = &Labels{Set: c}
	}
	add := func(w *models.Weights) {
		var build func() any
		if e.BuildFor != nil {
			build = func() any { return e.BuildFor(w) }
		}
		var configure func(arguments []byte) (func() any, error)
		if e.ConfigureFor != nil {
			configure = func(arguments []byte) (func() any, error) { return e.ConfigureFor(w, arguments) }
		}
		out.Artifacts = append(out.Artifacts, Artifact{
			Name: w.Name, Format: StateDict, URL: w.URL, License: w.License, noHash: w.NoHash, points: w.Keypoints, build: build, configure: configure,
			Doc:        fmt.Sprintf("%.1f MiB, %.1fM parameters, %v", w.MiB, float64(w.Params)/1e6, w.Metrics),
			Preprocess: &Preprocess{Preset: w.Preset},
		})
	}
	add(e.Default())
	for i := range slices.Backward(e.Weights) {
		if w := &e.Weights[i]; w != e.Default() {
			add(w)
		}
	}
	return out
}

// isRegistered reports whether a Go package publishes models of a repository.
func isRegistered(repo string) bool {
	publish()
	base, _, _ := strings.Cut(repo, ":")
	registry.RLock()
	defer registry.RUnlock()
	return registry.repos[strings.ToLower(base)] != nil
}

// registeredNames lists the models of a repository, of all for "", in alphabetical order.
func registeredNames(repo string) []string {
	publish()
	base, _, _ := strings.Cut(repo, ":")
	registry.RLock()
	defer registry.RUnlock()
	all := map[string]bool{}
	for key, r := range registry.repos {
		if base == "" || key == strings.ToLower(base) {
			for name := range r.entries {
				all[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// findRegistered returns the entry of a name in a repository, in any for "".
func findRegistered(repo, name string) (*Entry, error) {
	publish()
	base, _, _ := strings.Cut(repo, ":")
	registry.RLock()
	defer registry.RUnlock()
	var found *Entry
	var in []string
	for _, key := range slices.Sorted(maps.Keys(registry.repos)) {
		r := registry.repos[key]
		e := r.entries[name]
		switch {
		case e == nil:
		case key == strings.ToLower(base):
			return e, nil
		default:
			found, in = e, append(in, r.name)
		}
	}
	switch {
	case base == "" && len(in) == 1:
		return found, nil
	case base == "" && len(in) > 1:
		return nil, fmt.Errorf("%s have such a model; name the repository", strings.Join(in, " and "))
	case base != "" && len(in) == 0:
		near := suggest.Near(name, slices.Collect(maps.Keys(registry.repos[strings.ToLower(base)].entries)), 3)
		return nil, &NoEntryError{Repository: repo, Model: name, Near: near, Go: true}
	case len(in) > 0:
		return nil, fmt.Errorf("%s has no such model; it is one of %s", registry.repos[strings.ToLower(base)].name, strings.Join(in, " and "))
	}
	// The error suggests the nearest names.
	_, err := models.Lookup(name)
	return nil, err
}

// registeredSource is a repository whose models a Go package has registered, or "" for all of them.
var registeredSource = sourceKind{
	is: func(repo string) bool { return repo == "" || isRegistered(repo) },
	open: func(_ context.Context, _ *loader, repo string) (source, error) {
		return goRepository(repo), nil
	},
}

// A goRepository is the string of a repository whose models are registered.
type goRepository string

// names returns the names of the models.
func (r goRepository) names() ([]string, error) { return registeredNames(string(r)), nil }

// help returns the text of an entry.
func (r goRepository) help(_ context.Context, _ *loader, name string) (string, error) {
	e, err := findRegistered(string(r), name)
	if err != nil {
		return "", err
	}
	return e.help(), nil
}

// files returns the files of an entry.
func (r goRepository) files(ctx context.Context, l *loader, name string) ([]string, error) {
	e, err := findRegistered(string(r), name)
	if err != nil {
		return nil, err
	}
	return l.filesOf(ctx, name, e, place{})
}

// load returns the model of an entry.
func (r goRepository) load(ctx context.Context, l *loader, name string) (*Model, error) {
	e, err := findRegistered(string(r), name)
	if err != nil {
		return nil, err
	}
	return l.loadEntry(ctx, name, e, place{})
}
