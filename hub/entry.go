package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/home"
	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
)

// some lists names, only the first ones if there are many.
func some(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	if len(names) > 10 {
		return strings.Join(names[:10], ", ") + fmt.Sprintf(" and %d more", len(names)-10)
	}
	return strings.Join(names, ", ")
}

func (e *Entry) help() string {
	var b strings.Builder
	if doc := strings.TrimRight(e.Doc, "\n"); doc != "" {
		fmt.Fprintln(&b, doc)
	}
	if e.Homepage != "" && !strings.Contains(e.Doc, e.Homepage) {
		fmt.Fprintln(&b, e.Homepage)
	}
	for _, a := range e.Artifacts {
		facts := []string{a.URL[strings.LastIndexByte(a.URL, '/')+1:]}
		if a.Format != StateDict || a.Architecture != nil {
			facts = append(facts, string(a.Format))
		}
		if a.Architecture != nil {
			facts = append(facts, "architecture "+a.Architecture.Name)
		}
		if a.Size > 0 {
			facts = append(facts, terminal.Size(a.Size))
		}
		if a.Device != "" {
			facts = append(facts, "for "+a.Device)
		}
		if a.Doc != "" {
			facts = append(facts, a.Doc)
		}
		if l := e.license(&a); l != "" {
			facts = append(facts, "license "+l)
		}
		if a.Name != "" {
			fmt.Fprintf(&b, "%s: ", a.Name)
		}
		fmt.Fprintln(&b, strings.Join(facts, ", "))
	}
	return b.String()
}

func (e *Entry) license(a *Artifact) string {
	if a.License != "" {
		return a.License
	}
	return e.License
}

// loadEntry makes the model of an entry.
func (l *loader) loadEntry(ctx context.Context, name string, e *Entry, at place) (*Model, error) {
	if l.weightsBackbone != nil {
		return l.loadOnBackbone(ctx, name, e)
	}
	a, file, err := l.choose(ctx, e, at)
	if err != nil {
		return nil, err
	}
	// Loading libtorch takes a quarter of a second, in which the weights are
	// found. For another device it comes first: it says whether there is one.
	ready := make(chan error, 1)
	go func() { ready <- initialize(ctx, l.device) }()
	if l.device != torch.CPU {
		if err := <-ready; err != nil {
			return nil, err
		}
		ready <- nil
	}
	m := &Model{name: name, steps: e.Preprocess, keypoints: a.points}
	if a.Preprocess != nil {
		m.steps = a.Preprocess
	}
	given := file != ""
	if !given {
		l.sayLicense(name, e.license(a))
		file, err = l.artifact(ctx, at, a)
	}
	if err == nil {
		m.labels, err = l.labels(ctx, e.Labels, at)
	}
	if rerr := <-ready; err == nil {
		err = rerr
	}
	if err != nil {
		return nil, err
	}
	f, err := l.make(ctx, m, modelFile{e, a, file, given})
	if err != nil {
		return nil, err
	}
	switch {
	case f == nil && l.numClasses != nil:
		m.Close()
		return nil, errors.New("the model is a program, whose head cannot be replaced for another number of classes; give a state dict")
	case f != nil && l.numClasses != nil:
		m.labels = nil
	case f != nil && given:
		l.sayFilled(name, file, f)
		if f.classes > 0 || f.labels != nil {
			m.labels = f.labels
		}
	}
	if m, err = l.start(m); err != nil {
		return nil, err
	}
	return l.nameClasses(ctx, m, given && m.program != nil)
}

// target describes the module that a state dict fills.
func (l *loader) target(name string, e *Entry, a *Artifact, given bool) (target, error) {
	t := target{model: name, build: e.Build, key: &a.Key, prefix: &a.Prefix}
	if a.build != nil && !given {
		t.build = a.build
	}
	configure, arguments := e.configure, json.RawMessage(nil)
	if a.configure != nil && !given {
		configure = a.configure
	}
	if a.Architecture != nil {
		arguments = a.Architecture.Arguments
		configure = func(arguments []byte) (func() any, error) {
			return models.Configure(a.Architecture.Name, arguments)
		}
	}
	if given {
		t.key, t.prefix = nil, nil // the file is not the artifact
	}
	if l.key != nil {
		t.key = l.key
	}
	if l.prefix != nil {
		t.prefix = l.prefix
	}
	if l.arguments != nil {
		arguments = json.RawMessage(*l.arguments)
	}
	var err error
	switch {
	case configure != nil && (a.Architecture != nil || l.arguments != nil):
		if t.build, err = configure(arguments); err != nil {
			err = ofArguments(err)
		}
	case l.arguments != nil:
		err = errors.New("the model takes no arguments; leave them out")
	case t.build == nil:
		err = errors.New("the entry has no architecture that a state dict fills; give a TorchScript archive")
	}
	if configure != nil {
		t.newHead = withClasses(configure, arguments)
	}
	if given && l.arguments == nil {
		t.withClasses = t.newHead
	}
	if given && a.build != nil && err == nil {
		p, perr := l.target(name, e, a, false)
		if perr != nil {
			return t, nil // it takes other arguments
		}
		p.key, p.prefix, p.withClasses = t.key, t.prefix, nil
		if l.arguments == nil {
			p.withClasses = p.newHead
		}
		t.published = &p
	}
	return t, err
}

// withClasses returns a function that builds a model with other arguments and n
// classes.
func withClasses(configure func([]byte) (func() any, error), arguments []byte) func(n int) (func() any, json.RawMessage, error) {
	return func(n int) (func() any, json.RawMessage, error) {
		all := map[string]any{}
		if len(arguments) > 0 {
			if err := json.Unmarshal(arguments, &all); err != nil {
				return nil, nil, err
			}
		}
		all["num_classes"] = n
		merged, err := json.Marshal(all)
		if err != nil {
			return nil, nil, err
		}
		build, err := configure(merged)
		return build, merged, err
	}
}

// nameClasses gives the classes of a model the requested names. A program that replaces the entry's
// keeps the entry's names only if it has the same number of classes.
func (l *loader) nameClasses(ctx context.Context, m *Model, other bool) (*Model, error) {
	if l.names != nil {
		m.labels = l.names
	} else if !other || m.labels == nil {
		return m, nil
	}
	if m.pre == nil || m.Task() != models.Classification {
		return m, nil
	}
	n, err := m.classes(ctx)
	switch {
	case err == nil && n == len(m.labels):
	case err == nil && l.names != nil:
		err = fmt.Errorf("the model has %d classes, and %d labels were given; give one for each class", n, len(l.names))
	case err == nil:
		l.say("torchhub: %s has %d classes in these weights, without names", m.name, n)
		m.labels = nil
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// choose picks the artifact to load, or the one that the caller's file replaces.
func (l *loader) choose(ctx context.Context, e *Entry, at place) (a *Artifact, file string, err error) {
	if l.weights != "" {
		name := l.weights
		if e.rename != nil {
			name = e.rename(name)
		}
		for i := range e.Artifacts {
			if e.Artifacts[i].Name == name {
				return &e.Artifacts[i], "", l.fits(ctx, e, &e.Artifacts[i])
			}
		}
		if file, err = l.file(ctx, l.weights); err != nil {
			if none := (*NoWeightsError)(nil); errors.As(err, &none) {
				for _, a := range e.Artifacts {
					if a.Name != "" {
						none.Known = append(none.Known, a.Name)
					}
				}
			}
			return nil, "", err
		}
		a = &e.Artifacts[0]
		for i := range e.Artifacts {
			if e.Artifacts[i].Format.stateDict() {
				a = &e.Artifacts[i]
				break
			}
		}
		return a, file, nil
	}
	var native *Artifact // not trusted yet
	for i := range e.Artifacts {
		a := &e.Artifacts[i]
		ferr := l.fits(ctx, e, a)
		switch {
		case ferr != nil:
			if err == nil {
				err = ferr
			}
		case !a.Format.native() || l.nativeTrusted(a.SHA256):
			return a, "", nil
		case native == nil:
			native = a
		}
	}
	if native != nil {
		return native, "", nil
	}
	return nil, "", err
}

// fits returns the reason why an artifact cannot be loaded here.
func (l *loader) fits(ctx context.Context, e *Entry, a *Artifact) error {
	if a.Device != "" && a.Device != l.device.Type() {
		return fmt.Errorf("%s runs on %s only; choose that device", a.URL, a.Device)
	}
	for _, r := range []*Requires{e.Requires, a.Requires} {
		if r == nil {
			continue
		}
		if have, ok := moduleVersion(); ok && older(have, r.Torchhub) {
			return fmt.Errorf("it needs torchhub %s, and this is %s; update it", r.Torchhub, have)
		}
		if r.Libtorch != "" {
			if err := torch.Init(ctx); err != nil {
				return err
			}
			if older(torch.Version(), r.Libtorch) {
				return fmt.Errorf("it needs libtorch %s, and %s is in use; \"torchhub setup\" installs a newer one", r.Libtorch, torch.Version())
			}
		}
	}
	return nil
}

// moduleVersion returns the version of this module in the program, if it is a released one.
func moduleVersion() (string, bool) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", false
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == "github.com/torchhub/torchhub" {
			v := strings.TrimPrefix(m.Version, "v")
			return v, v != "" && v != "(devel)" && !strings.HasPrefix(v, "0.0.0-") && m.Replace == nil
		}
	}
	return "", false
}

// older compares versions by their numbers; missing ones are 0.
func older(have, want string) bool {
	number := func(v string, i int) int {
		v, _, _ = strings.Cut(v, "+")
		v, _, _ = strings.Cut(v, "-")
		parts := strings.Split(v, ".")
		if i >= len(parts) {
			return 0
		}
		digits := strings.IndexFunc(parts[i], func(r rune) bool { return r < '0' || r > '9' })
		if digits < 0 {
			digits = len(parts[i])
		}
		n, _ := strconv.Atoi(parts[i][:digits])
		return n
	}
	for i := range 3 {
		if h, w := number(have, i), number(want, i); h != w {
			return h < w
		}
	}
	return false
}

// artifact returns the checked local file of an artifact, which it downloads if
// necessary.
func (l *loader) artifact(ctx context.Context, at place, a *Artifact) (string, error) {
	if a.SHA256 == "" { // of a Go package; its name has the hash
		return l.cached(ctx, a.URL)
	}
	return l.content(ctx, at, File{a.URL, a.SHA256, a.Size})
}

// content returns the checked local file of a file that a hubconf.json names.
func (l *loader) content(ctx context.Context, at place, f File) (string, error) {
	file, raw, err := at.resolve(f.URL)
	if err != nil {
		return "", err
	}
	if file == "" {
		u, err := url.Parse(raw)
		if err != nil {
			return "", err
		}
		name, err := fileName(u)
		if err != nil {
			return "", err
		}
		dir := home.Expand(l.dir)
		if dir == "" {
			dir = filepath.Join(Dir(), "checkpoints")
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return "", fmt.Errorf("cannot make the cache folder %s: %w; choose another with TORCH_HOME", dir, oserror.Cause(err))
		}
		file = filepath.Join(dir, withHash(name, f.SHA256))
		exact := l.fetch
		exact.SHA256 = &f.SHA256
		if f.Size > 0 {
			exact.MaxSize = min(l.fetch.MaxSize, f.Size)
		}
		// An existing file is hashed, and used only if it is the expected one.
		if err := exact.Download(ctx, raw, file, false); err != nil {
			return "", err
		}
		return file, checkSize(file, f.Size)
	}
	if err := checkSize(file, f.Size); err != nil {
		return "", err
	}
	got, err := fetch.HashFile(ctx, file)
	if err != nil {
		return "", err
	}
	if got != f.SHA256 {
		return "", fmt.Errorf("%s: sha256 is %s, want %s; it is not the file that the %s names, get that one", file, got, f.SHA256, HubconfName)
	}
	return file, nil
}

func checkSize(file string, want int64) error {
	fi, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no file %s; the %s names it", file, HubconfName)
	case err != nil:
		return fmt.Errorf("%s: %w", file, oserror.Cause(err))
	case !fi.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", file)
	case want > 0 && fi.Size() != want:
		hint := ""
		if head, err := head(file, 64); err == nil && strings.HasPrefix(head, "version https://git-lfs.github.com/") {
			hint = "; it is a pointer of Git LFS, which GitHub's archives hold in place of the file"
		}
		return fmt.Errorf("%s has %d bytes, want %d%s", file, fi.Size(), want, hint)
	}
	return nil
}

func head(file string, n int) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b := make([]byte, n)
	n, err = f.Read(b)
	return string(b[:n]), err
}

// withHash adds digits of a SHA-256 to a file's name, where Python looks for them, unless it has them.
func withHash(name, sha256 string) string {
	if p := fetch.HashPrefix(name); p != "" && strings.HasPrefix(sha256, p) {
		return name
	}
	ext := filepath.Ext(name)
	if ext == "" {
		ext = ".bin"
	}
	return strings.TrimSuffix(name, filepath.Ext(name)) + "-" + sha256[:8] + ext
}

// labels returns the names of the classes.
func (l *loader) labels(ctx context.Context, labels *Labels, at place) ([]string, error) {
	switch {
	case labels == nil:
		return nil, nil
	case labels.Set != "":
		return labels.Set.Labels(), nil
	case labels.File == nil:
		return slices.Clone(labels.Names), nil
	}
	file, err := l.content(ctx, at, *labels.File)
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	return readLabels(file)
}

// ReadLabels reads the names of classes from a file in UTF-8 of one name a line. A byte-order mark
// and empty lines at the end are ignored; an empty line between names is an error.
func ReadLabels(file string) ([]string, error) {
	names, err := readLabels(home.Expand(file))
	if err != nil {
		return nil, newError("", "", err)
	}
	return names, nil
}

func readLabels(file string) ([]string, error) {
	if k, err := filekind.OfFile(file); err == nil && k.Class != filekind.Text && k.Class != filekind.Unknown {
		return nil, fmt.Errorf("labels: %s: %w", file, &filekind.MismatchError{Kind: filekind.Kind{Class: k.Class, Name: k.Name}, Want: "a text of one name a line"})
	}
	if fi, err := os.Stat(file); err == nil && fi.Size() > maxHubconf {
		return nil, fmt.Errorf("labels: %s is bigger than %s", file, terminal.Size(maxHubconf))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("labels: %s: %w", file, oserror.Cause(err))
	}
	names, err := parseLabels(data)
	if err != nil {
		return nil, fmt.Errorf("labels: %s: %w", file, err)
	}
	return names, nil
}

// parseLabels cuts a text into lines, which end as they do on any system.
func parseLabels(data []byte) ([]string, error) {
	text := strings.TrimLeft(string(data), "\ufeff") // byte-order marks of UTF-8: an editor may add one to another
	switch {
	case len(text) == len(data) && (strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff")):
		return nil, errors.New("it is UTF-16; save it as UTF-8")
	case !utf8.ValidString(text):
		return nil, errors.New("it is not UTF-8; save it as such")
	}
	text = strings.TrimRight(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
	names := strings.Split(text, "\n")
	for i, name := range names {
		if strings.TrimSpace(name) == "" {
			return nil, fmt.Errorf("line %d is empty, and each line is a class", i+1)
		}
	}
	return names, nil
}
