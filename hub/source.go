package hub

import (
	"cmp"
	"context"
	"fmt"
	"strings"
)

// A source is a repository that has been found.
type source interface {
	// names returns the names of its models.
	names() ([]string, error)
	// help returns the description of a model.
	help(ctx context.Context, l *loader, name string) (string, error)
	// files returns the files of a model, which it downloads if necessary.
	files(ctx context.Context, l *loader, name string) ([]string, error)
	// load returns a model.
	load(ctx context.Context, l *loader, name string) (*Model, error)
}

// A sourceKind is a kind of repositories.
type sourceKind struct {
	name   string                 // for WithSource; "" is a kind that only a repository's string selects
	is     func(repo string) bool // whether a string is of this kind, without WithSource
	single bool                   // a repository is one model, which has no name in it
	open   func(ctx context.Context, l *loader, repo string) (source, error)
}

// sources lists the kinds, in the order in which a string is matched. A new
// kind is a file and a row.
var sources = []sourceKind{
	hfSource,
	registeredSource,
	localSource,
	urlSource,
	gitHubSource,
}

// kind returns the kind of a repository's string.
func (l *loader) kind(repo string) (sourceKind, error) {
	want := strings.ToLower(l.source)
	var names []string
	for _, kind := range sources {
		if want == "" && kind.is(repo) || want != "" && kind.name == want {
			return kind, nil
		}
		if kind.name != "" {
			names = append([]string{fmt.Sprintf("%q", kind.name)}, names...)
		}
	}
	//lint:ignore ST1005 Python's message
	return sourceKind{}, fmt.Errorf("Unknown source: %q. Allowed values: %s.", want, strings.Join(names, " | "))
}

// sourceOf finds the repository of a model.
func (l *loader) sourceOf(ctx context.Context, repo, name string) (source, error) {
	kind, err := l.kind(repo)
	switch {
	case err != nil:
		return nil, err
	case name == "" && !kind.single:
		return nil, errNoName
	}
	return kind.open(ctx, l, repo)
}

// IsModel reports whether repo is a single model, so that [Load] and similar
// functions take it with an empty name: a repository of the Hugging Face Hub.
func IsModel(repo string) bool {
	for _, kind := range sources {
		if kind.is(repo) {
			return kind.single
		}
	}
	return false
}

// List returns the names of the models of a repository in alphabetical order: torch.hub.list.
// Repositories are those of [Load]; "" lists all models that Go packages have registered.
//
// For a repository that has only a hubconf.py, it returns the names of its
// functions and classes, its own and imported ones, that do not begin with an
// underscore, as Python does. The file is read and not run: names that it imports
// from other packages count as callable unless they are known as, or named like,
// modules or constants, and names that only a running program would define are
// missing.
//
// List honors [WithSource] and the options of [Repository].
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.list
func List(ctx context.Context, repo string, opts ...Option) ([]string, error) {
	l := newLoader(opts)
	names, err := l.list(ctx, repo)
	if err != nil {
		return nil, newError("list", repo, err)
	}
	return names, nil
}

func (l *loader) list(ctx context.Context, repo string) ([]string, error) {
	kind, err := l.kind(repo)
	if err != nil {
		return nil, err
	}
	s, err := kind.open(ctx, l, repo)
	if err != nil {
		return nil, err
	}
	return s.names()
}

// Help describes a model: torch.hub.help. It returns the text of the entry and a line for
// each artifact with its name, file, size, description and license. For a repository that
// has only a hubconf.py, it returns the function's docstring, as in Python, without running
// the file. For a repository "hf:owner/name", where name is empty, it returns a summary of
// its config.json. Help honors the options of [List].
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.help
func Help(ctx context.Context, repo, name string, opts ...Option) (string, error) {
	l := newLoader(opts)
	s, err := l.sourceOf(ctx, repo, name)
	var text string
	if err == nil {
		text, err = s.help(ctx, l, name)
	}
	if err != nil {
		return "", newError("help", cmp.Or(name, repo), err)
	}
	return text, nil
}
