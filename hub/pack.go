package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/home"
	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/models"
)

// schemaURL is where editors find the schema.
const schemaURL = "https://github.com/torchhub/torchhub/raw/main/hub/hubconf.schema.json"

// Pack writes an entry to the hubconf.json of a folder and creates the file if
// there is none. It replaces an entry of the same name and keeps the others.
// The format, SHA-256 and size of artifacts, and those of a file of labels, are
// read from the files. An artifact's URL is its path below the folder, or an
// https URL whose last element is the name of its file in the folder. The
// hubconf.json is replaced atomically.
//
// Each artifact that runs on this machine is loaded. A state dict must fit its architecture; its
// key, its prefix and a number of classes other than the architecture's are found as
// [WithWeights] does and written to the entry. If the entry defines how pictures are prepared
// for classification, the model is run on one. It is an error if that fails or if the output is
// not one logit for each label; without labels a line about them is written to the writer of
// [WithNotice]. Native code is run only if it is trusted, see [WithNativeCode].
func Pack(ctx context.Context, dir, name string, e Entry, opts ...Option) error {
	if err := newLoader(opts).pack(ctx, home.Expand(dir), name, e); err != nil {
		return newError("pack", name, err)
	}
	return nil
}

func (l *loader) pack(ctx context.Context, dir, name string, e Entry) error {
	conf, err := readHubconf(dir)
	if errors.Is(err, os.ErrNotExist) {
		conf, err = &Hubconf{Schema: schemaURL, Version: 1}, nil
	}
	if err != nil {
		return err
	}
	e.Artifacts = slices.Clone(e.Artifacts)
	files := make([]string, len(e.Artifacts))
	for i := range e.Artifacts {
		a := &e.Artifacts[i]
		f := File{URL: a.URL}
		if files[i], err = describe(ctx, dir, &f); err != nil {
			return err
		}
		a.SHA256, a.Size = f.SHA256, f.Size
		if a.Format == "" {
			if a.Format, err = formatOf(files[i]); err != nil {
				return fmt.Errorf("%s: %w", files[i], err)
			}
		}
	}
	if !packName.MatchString(name) {
		return errors.New("the name of an entry begins with a letter or digit and has no characters but these and . _ -")
	}
	labels := 0
	if e.Labels != nil {
		names := e.Labels.Names
		if e.Labels.Set != "" {
			names = e.Labels.Set.Labels()
		}
		if e.Labels.File != nil {
			f := *e.Labels.File
			file, err := describe(ctx, dir, &f)
			if err == nil {
				names, err = readLabels(file)
			}
			if err != nil {
				return err
			}
			e.Labels = &Labels{File: &f}
		}
		labels = len(names)
	}
	if err := e.check(false); err != nil { // before anything is run
		return fmt.Errorf("entries.%s.%w", name, err)
	}
	for i := range e.Artifacts {
		if err := l.try(ctx, name, &e, &e.Artifacts[i], files[i], labels); err != nil {
			return err
		}
	}
	conf.Entries = maps.Clone(conf.Entries)
	if conf.Entries == nil {
		conf.Entries = map[string]Entry{}
	}
	conf.Entries[name] = e
	data, err := json.MarshalIndent(conf, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if _, err := parseHubconf(data); err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, HubconfName), data)
}

// try loads an artifact from its file, completes what a state dict needs, and runs the model on a picture.
func (l *loader) try(ctx context.Context, name string, e *Entry, a *Artifact, file string, labels int) (err error) {
	switch {
	case a.Device != "" && a.Device != l.device.Type():
		l.say("torchhub: %s was not tried, for it runs on %s only", file, a.Device)
		return nil
	case a.Format.native() && !l.nativeTrusted(a.SHA256):
		l.say("torchhub: %s was not tried, for it is native code that is not trusted", file)
		return nil
	}
	if err := initialize(ctx, l.device); err != nil {
		return err
	}
	m := &Model{name: name, steps: e.Preprocess}
	if a.Preprocess != nil {
		m.steps = a.Preprocess
	}
	search := *l // values that the artifact does not give are found
	if a.Key != "" {
		search.key = &a.Key
	}
	if a.Prefix != "" {
		search.prefix = &a.Prefix
	}
	f, err := search.make(ctx, m, modelFile{e, a, file, true})
	if err != nil {
		return err
	}
	if f != nil {
		l.sayFilled(name, file, f)
		a.Key, a.Prefix = f.place.Key, f.place.Prefix
		if f.arguments != nil {
			a.Architecture = &Architecture{Name: a.Architecture.Name, Arguments: f.arguments}
		}
	}
	if m, err = l.start(m); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	defer m.Close()
	if m.pre == nil || m.Task() != models.Classification {
		return nil
	}
	n, err := m.classes(ctx)
	var output *OutputError
	switch {
	case errors.As(err, &output) && labels == 0:
		l.say("torchhub: %s: %v, so it cannot classify pictures", file, err)
		return nil
	case err != nil:
		return fmt.Errorf("%s: run it on a picture: %w", file, err)
	case labels > 0 && n != labels:
		return fmt.Errorf("%s: it gives %d logits, and there are %d labels; give one for each logit", file, n, labels)
	}
	return nil
}

// packName is the schema's pattern for names.
var packName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// describe fills in the SHA-256 and size of a file that an entry names, and returns its path.
func describe(ctx context.Context, dir string, f *File) (string, error) {
	if err := checkURL(f.URL); err != nil {
		return "", err
	}
	rel := f.URL
	if strings.Contains(rel, "://") {
		rel = rel[strings.LastIndexByte(rel, '/')+1:]
	}
	file := filepath.Join(dir, filepath.FromSlash(rel))
	fi, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("there is no file %s", file)
	case err != nil:
		return "", err
	case !fi.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a file", file)
	}
	f.Size = fi.Size()
	f.SHA256, err = fetch.HashFile(ctx, file)
	return file, err
}

// writeWhole replaces a file in one step.
func writeWhole(file string, data []byte) error {
	w, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("cannot write in %s: %w", filepath.Dir(file), oserror.Cause(err))
	}
	defer os.Remove(w.Name())
	_, err = w.Write(data)
	if err == nil {
		err = w.Chmod(0o644)
	}
	if err == nil {
		err = w.Sync()
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(w.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", file, oserror.Cause(err))
	}
	return nil
}

// Validate reads the hubconf.json at a path, in a folder or at an https URL, as [Load] would, and checks each file
// that it names: that it exists, has the given SHA-256, size and format, and, for a state dict, fits the
// architecture. It downloads files on the network to the cache and runs no code of them. The error names all
// entries that are wrong. Validate honors the options of [Repository]; a URL must be trusted as in [Load].
func Validate(ctx context.Context, target string, opts ...Option) (*Hubconf, error) {
	c, err := newLoader(opts).validateConf(ctx, target)
	if err != nil {
		return c, newError("validate", target, err)
	}
	return c, nil
}

func (l *loader) validateConf(ctx context.Context, target string) (*Hubconf, error) {
	var s *confRepository
	var err error
	if urlSource.is(target) {
		s, err = l.openURL(ctx, target)
	} else {
		file := home.Expand(target)
		if fi, serr := os.Stat(file); serr != nil {
			return nil, errors.New("there is no such file or folder")
		} else if fi.IsDir() {
			file = filepath.Join(file, HubconfName)
		}
		s, err = openFile(file)
	}
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(s.conf.Entries)) {
		e := s.conf.Entries[name]
		for i := range e.Artifacts {
			if err := l.validateArtifact(ctx, name, s.at, &e.Artifacts[i]); err != nil {
				wrong = append(wrong, fmt.Sprintf("entries.%s.artifacts[%d]: %v", name, i, err))
			}
		}
		if _, err := l.labels(ctx, e.Labels, s.at); err != nil {
			wrong = append(wrong, fmt.Sprintf("entries.%s.labels: %v", name, err))
		}
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
	}
	if len(wrong) > 0 {
		return s.conf, errors.New(strings.Join(wrong, "; "))
	}
	return s.conf, nil
}

func (l *loader) validateArtifact(ctx context.Context, name string, at place, a *Artifact) error {
	file, err := l.artifact(ctx, at, a)
	if err != nil {
		return err
	}
	got, err := FormatOf(file)
	if err != nil {
		return err
	}
	if got != a.Format {
		return fmt.Errorf("%s is of the format %s, not %s", file, got, a.Format)
	}
	if inspect := got.row().inspect; inspect != nil {
		if err := inspect(file); err != nil {
			return err
		}
	}
	if a.Architecture != nil {
		t, err := l.target(name, &Entry{}, a, false)
		if err != nil {
			return err
		}
		f, err := l.fill(ctx, t, file)
		if err != nil {
			return err
		}
		return (&Model{module: f.module}).Close()
	}
	return nil
}
