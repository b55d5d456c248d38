package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/torchhub/torchhub/internal/home"
	"github.com/torchhub/torchhub/internal/pyhub"
	"github.com/torchhub/torchhub/internal/suggest"
)

// localSource is a folder that holds a hubconf.json or a hubconf.py.
var localSource = sourceKind{
	name: "local",
	is:   func(string) bool { return false },
	open: func(_ context.Context, _ *loader, repo string) (source, error) {
		return openFolder(repo, home.Expand(repo))
	},
}

// A confRepository is one with a hubconf.json, or with a hubconf.py of which names can be read.
type confRepository struct {
	name string // of the repository, for messages
	conf *Hubconf
	at   place
	py   *pyhub.Module
}

// openFile reads a hubconf.json at its path.
func openFile(file string) (*confRepository, error) {
	conf, err := readHubconfFile(file)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("there is no file %s", file)
	}
	return &confRepository{name: file, conf: conf, at: place{dir: filepath.Dir(file)}}, err
}

func openFolder(name, dir string) (*confRepository, error) {
	s := &confRepository{name: name, at: place{dir: dir}}
	fi, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("there is no folder %s", dir)
	case err == nil && !fi.IsDir():
		return nil, fmt.Errorf("%s is not a folder", dir)
	}
	if s.conf, err = readHubconf(dir); err == nil || !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	if s.py, err = pyhub.Read(dir); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s has no %s and no hubconf.py", dir, HubconfName)
	}
	return s, err
}

// names lists the entry points.
func (s *confRepository) names() ([]string, error) { return s.all(), nil }

func (s *confRepository) all() []string {
	if s.conf != nil {
		return slices.Sorted(maps.Keys(s.conf.Entries))
	}
	return s.py.Callables()
}

// help returns the text of an entry, or the docstring of a function.
func (s *confRepository) help(_ context.Context, _ *loader, name string) (string, error) {
	if s.py != nil {
		f, err := s.function(name)
		if err != nil {
			return "", err
		}
		return f.Doc, nil
	}
	e, err := s.entry(name)
	if err != nil {
		return "", err
	}
	return e.help(), nil
}

// files returns the files of an entry.
func (s *confRepository) files(ctx context.Context, l *loader, name string) ([]string, error) {
	e, err := s.entry(name)
	if err != nil {
		return nil, err
	}
	return l.filesOf(ctx, name, e, s.at)
}

// load returns the model of an entry.
func (s *confRepository) load(ctx context.Context, l *loader, name string) (*Model, error) {
	e, err := s.entry(name)
	if err != nil {
		return nil, err
	}
	return l.loadEntry(ctx, name, e, s.at)
}

// entry returns the entry of a name.
func (s *confRepository) entry(name string) (*Entry, error) {
	if s.conf != nil {
		e, ok := s.conf.Entries[name]
		if ok {
			return &e, nil
		}
		if s.at.dir != "" {
			if py, err := pyhub.Read(s.at.dir); err == nil && py.Names[name] != nil && py.Names[name].Callable {
				return nil, s.onlyPython(name)
			}
		}
		return nil, s.noEntry(name, HubconfName)
	}
	if _, err := s.function(name); err != nil {
		return nil, err
	}
	return nil, s.onlyPython(name)
}

// onlyPython says what to do about a function that only Python can run.
func (s *confRepository) onlyPython(name string) error {
	return &PythonError{s.name, name, s.at.dir == s.name || home.Expand(s.name) == s.at.dir}
}

func (s *confRepository) noEntry(name, file string) error {
	return &NoEntryError{Repository: s.name, Model: name, File: file, Near: suggest.Near(name, s.all(), 3), All: s.all()}
}

// function returns what a hubconf.py says of a name.
func (s *confRepository) function(name string) (*pyhub.Name, error) {
	f := s.py.Names[name]
	if f == nil || !f.Callable {
		return nil, s.noEntry(name, "hubconf.py")
	}
	return f, nil
}
