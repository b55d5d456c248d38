package hub

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	text "golang.org/x/text/message"

	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
)

// HubconfName is the name of the file in which a repository publishes models
// for Go, as it does for Python in hubconf.py.
const HubconfName = "hubconf.json"

// HubconfSchema is the JSON Schema of hubconf.json.
//
//go:embed hubconf.schema.json
var HubconfSchema []byte

// A Hubconf is a hubconf.json: the models that a repository publishes for Go.
type Hubconf struct {
	Schema  string           `json:"$schema,omitempty"` // the URL of the schema, for editors
	Version int              `json:"hubconf"`           // of the format: 1
	Entries map[string]Entry `json:"entries"`           // by name
}

// An Entry is an entry point of a repository, like a function of hubconf.py in
// Python. It comes from a hubconf.json or from [Register].
type Entry struct {
	Doc        string      `json:"doc,omitempty"`        // the description in [Help]
	Homepage   string      `json:"homepage,omitempty"`   // the page of the model or its paper
	License    string      `json:"license,omitempty"`    // of the artifacts, such as "BSD-3-Clause"
	Artifacts  []Artifact  `json:"artifacts"`            // files that each hold the model, the preferred one first
	Preprocess *Preprocess `json:"preprocess,omitempty"` // how a picture becomes the input
	Labels     *Labels     `json:"labels,omitempty"`     // the names of the classes
	Inputs     []Input     `json:"inputs,omitempty"`     // the inputs with which the artifacts were checked
	Requires   *Requires   `json:"requires,omitempty"`

	// Build makes the module that a state dict fills, for artifacts without an
	// Architecture. Only Go packages have it.
	Build func() any `json:"-"`

	rename    func(weights string) string                // returns the name of the artifact that another name of weights, such as DEFAULT, stands for; nil changes none
	configure func(arguments []byte) (func() any, error) // with arguments, see models.Configure; nil if it takes none
	backbone  *models.Backbone                           // nil without
}

// An Artifact is a file that holds a model.
type Artifact struct {
	Name         string        `json:"name,omitempty"`    // its name in [WithWeights]
	Doc          string        `json:"doc,omitempty"`     // one line for [Help]
	License      string        `json:"license,omitempty"` // if it is not the entry's
	Format       Format        `json:"format"`
	URL          string        `json:"url"`              // a path below the hubconf.json's folder, or an https URL; in a Go package also a file URL
	SHA256       string        `json:"sha256"`           // checked at each load; a Go package may omit it if the file's name has it
	Size         int64         `json:"size"`             // in bytes, checked at each load; a Go package may omit it
	Device       string        `json:"device,omitempty"` // "cpu" or "cuda" if it runs on only one of them
	Architecture *Architecture `json:"architecture,omitempty"`
	Key          string        `json:"key,omitempty"`        // the key of the state dict in a checkpoint, such as "model_state"
	Prefix       string        `json:"prefix,omitempty"`     // a prefix to remove from the names of a state dict, such as "module." of DataParallel; names without it are left out
	Preprocess   *Preprocess   `json:"preprocess,omitempty"` // if it is not the entry's
	Requires     *Requires     `json:"requires,omitempty"`

	noHash bool       // neither SHA256 nor the file's name has a hash
	points []string   // the names of key points
	build  func() any // makes the module that the state dict fills; nil means that the entry's Build does

	configure func(arguments []byte) (func() any, error) // makes it with arguments; nil means that the entry's does
}

// An Architecture is a model of package models and its arguments, see [models.Configure].
type Architecture struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// An Input is the shape and dtype of one of a model's inputs.
type Input struct {
	Shape []int  `json:"shape"`
	DType string `json:"dtype"`
}

// Requires holds the oldest versions that the model works with, such as "2.11".
type Requires struct {
	Torchhub string `json:"torchhub,omitempty"`
	Libtorch string `json:"libtorch,omitempty"`
}

// Labels holds the names of a model's classes. Exactly one of its fields is
// set.
type Labels struct {
	Names []string
	Set   models.Classes
	File  *File // one name a line
}

// A File is a file beside a hubconf.json or on the network.
type File struct {
	URL    string `json:"url"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// MarshalJSON writes the field that is set.
func (l Labels) MarshalJSON() ([]byte, error) {
	switch {
	case l.File != nil:
		return json.Marshal(l.File)
	case l.Set != "":
		return json.Marshal(l.Set)
	}
	return json.Marshal(l.Names)
}

// UnmarshalJSON reads a list, the name of a set, or a file.
func (l *Labels) UnmarshalJSON(data []byte) error {
	*l = Labels{}
	switch {
	case bytes.HasPrefix(data, []byte("[")):
		return json.Unmarshal(data, &l.Names)
	case bytes.HasPrefix(data, []byte(`"`)):
		return json.Unmarshal(data, &l.Set)
	}
	return json.Unmarshal(data, &l.File)
}

// What a hubconf.json may be.
const (
	maxHubconf = 16 << 20
	maxDepth   = 32
)

// ParseHubconf reads a hubconf.json. Unknown fields, duplicate fields and values
// beyond the limits of [HubconfSchema] are errors, which give the place, such as
// entries.letters.artifacts[0].sha256.
func ParseHubconf(data []byte) (*Hubconf, error) {
	c, err := parseHubconf(data)
	if err != nil {
		return nil, newError("", "", fmt.Errorf("%s: %w", HubconfName, err))
	}
	return c, nil
}

func parseHubconf(data []byte) (*Hubconf, error) {
	switch {
	case len(data) > maxHubconf:
		return nil, fmt.Errorf("it is bigger than %s", terminal.Size(maxHubconf))
	case !utf8.Valid(data):
		return nil, errors.New("it is not UTF-8")
	}
	if err := scanJSON(data); err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	schema, err := compiledSchema()
	if err != nil {
		return nil, err
	}
	if err := schema.Validate(doc); err != nil {
		return nil, schemaError(err)
	}
	var c Hubconf
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, err
	}
	for name, e := range c.Entries {
		if err := e.check(false); err != nil {
			return nil, fmt.Errorf("entries.%s.%w", name, err)
		}
	}
	return &c, nil
}

var compiledSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(HubconfSchema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("hubconf.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("hubconf.schema.json")
})

// scanJSON finds errors that the decoder ignores: duplicate fields, too deep nesting, and text after
// the value.
func scanJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	type level struct {
		keys map[string]bool // nil for an array
		key  string          // of the next value; "" if a key is next
		n    int
	}
	var levels []level
	where := func() string {
		var at []string
		for _, l := range levels {
			if l.keys == nil {
				at = append(at, strconv.Itoa(l.n))
			} else if l.key != "" {
				at = append(at, l.key)
			}
		}
		return location(at)
	}
	for {
		tok, err := d.Token()
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("%sit is not JSON: %w at byte %d", where(), err, d.InputOffset())
		}
		if n := len(levels); n > 0 && levels[n-1].keys != nil && levels[n-1].key == "" {
			if key, ok := tok.(string); ok {
				l := &levels[n-1]
				if l.keys[key] {
					return fmt.Errorf("%sthe field %.100q comes twice", where(), key)
				}
				l.keys[key], l.key = true, key
				if key == "" {
					return fmt.Errorf("%sa field has no name", where())
				}
				continue
			}
		}
		switch tok {
		case json.Delim('{'):
			levels = append(levels, level{keys: map[string]bool{}})
		case json.Delim('['):
			levels = append(levels, level{})
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
		}
		if len(levels) > maxDepth {
			return fmt.Errorf("it is nested more than %d deep", maxDepth)
		}
		if tok == json.Delim('{') || tok == json.Delim('[') {
			continue
		}
		if len(levels) == 0 {
			break
		}
		l := &levels[len(levels)-1]
		l.key = ""
		l.n++
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows the value at byte %d", d.InputOffset())
	}
	return nil
}

// location returns the text of a path in a document, with the separator before a
// message.
func location(at []string) string {
	var b strings.Builder
	for _, p := range at {
		if q := strconv.Quote(p); q[1:len(q)-1] != p { // not as it is: an error is one line
			p = q
		}
		switch _, err := strconv.Atoi(p); {
		case err == nil:
			b.WriteString("[" + p + "]")
		case b.Len() > 0:
			b.WriteString("." + p)
		default:
			b.WriteString(p)
		}
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	return fmt.Sprintf("%.300s", b.String())
}

// schemaError returns the text of the schema's errors: the deepest causes,
// three at most.
func schemaError(err error) error {
	var ve *jsonschema.ValidationError
	if !errors.As(err, &ve) {
		return err
	}
	p := text.NewPrinter(language.English)
	var all []string
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			all = append(all, location(e.InstanceLocation)+fmt.Sprintf("%.300s", e.ErrorKind.LocalizedString(p)))
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	walk(ve)
	slices.Sort(all)
	all = slices.Compact(all)
	more := ""
	if len(all) > 3 {
		more = fmt.Sprintf("; and %d more", len(all)-3)
		all = all[:3]
	}
	return errors.New(strings.Join(all, "; ") + more)
}

// check finds errors that the schema cannot find. An entry of a Go package may name local
// files.
func (e *Entry) check(ofPackage bool) error {
	names := map[string]bool{}
	for i, a := range e.Artifacts {
		if err := a.check(ofPackage, e.Build != nil); err != nil {
			return fmt.Errorf("artifacts[%d]%w", i, err)
		}
		if a.Name != "" && names[a.Name] {
			return fmt.Errorf("artifacts[%d].name: %q comes twice", i, a.Name)
		}
		names[a.Name] = true
	}
	if _, err := e.Preprocess.pipeline(); err != nil {
		return fmt.Errorf("preprocess%w", err)
	}
	if e.Labels != nil {
		if e.Labels.Set != "" && e.Labels.Set.Labels() == nil {
			return fmt.Errorf("labels: there are no labels called %q", e.Labels.Set)
		}
		if f := e.Labels.File; f != nil {
			if err := checkURL(f.URL); err != nil && !(ofPackage && isFileURL(f.URL)) {
				return fmt.Errorf("labels.url: %w", err)
			}
		}
	}
	return nil
}

func (a *Artifact) check(ofPackage, built bool) error {
	if err := checkURL(a.URL); err != nil && !(ofPackage && isFileURL(a.URL)) {
		return fmt.Errorf(".url: %w", err)
	}
	if a.Architecture != nil {
		if _, err := a.Architecture.configure(); err != nil {
			return fmt.Errorf(".architecture: %w", err)
		}
	}
	stateful := a.Format.stateDict()
	switch {
	case stateful && a.Architecture == nil && !built:
		return errors.New(".architecture: it is missing, and the format needs it")
	case a.Format.row() == nil:
		return fmt.Errorf(".format: there is no format %q", a.Format)
	}
	if _, err := a.Preprocess.pipeline(); err != nil {
		return fmt.Errorf(".preprocess%w", err)
	}
	return nil
}

// ofArguments returns an error of [models.Configure] without the name of the model, which the caller adds.
func ofArguments(err error) error { return cmp.Or(errors.Unwrap(err), err) }

func (a *Architecture) configure() (func() any, error) {
	build, err := models.Configure(a.Name, a.Arguments)
	if err != nil {
		return nil, ofArguments(err)
	}
	return build, nil
}

// checkURL refuses anything but a path below the folder and a URL whose host is
// authenticated. URLs of this machine's servers pass here, since the
// hubconf.json may come from one of them, see [place.resolve].
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return fmt.Errorf("%.200q is not a URL", raw)
	case u.Scheme == "" && u.Host == "":
		if strings.ContainsAny(raw, "\\\x00?#:") || !filepath.IsLocal(filepath.FromSlash(raw)) || path.Clean(raw) != raw || raw == "." {
			return fmt.Errorf("%.200q is not a path below the folder of the %s", raw, HubconfName)
		}
		return nil
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && isLoopback(u):
	default:
		return fmt.Errorf("%.200q is neither a path nor an https URL; give one of them", raw)
	}
	_, err = fileName(u)
	return err
}

// isFileURL reports whether raw is the URL of a file of this machine, which only Go packages may name.
func isFileURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "file" && u.Host == "" && u.Path != ""
}

func isLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// A place is the location of a hubconf.json: a folder or a URL.
type place struct {
	dir string   // a folder, or ""
	url *url.URL // of the hubconf.json, or nil; both are empty for a Go package
}

// ofPackage reports whether files of the place come from a Go package.
func (p place) ofPackage() bool { return p.url == nil && p.dir == "" }

// local reports whether files of the place may name servers of this machine.
func (p place) local() bool {
	return p.ofPackage() || p.url != nil && isLoopback(p.url)
}

// resolve returns the local path or the URL of a file that a hubconf.json names; one of them.
func (p place) resolve(raw string) (file, rawURL string, err error) {
	if p.ofPackage() && isFileURL(raw) {
		return "", raw, nil
	}
	if err := checkURL(raw); err != nil {
		return "", "", err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", "", err
	}
	switch {
	case u.Scheme == "" && p.dir != "":
		file := filepath.Join(p.dir, filepath.FromSlash(raw))
		return file, "", staysIn(p.dir, file)
	case u.Scheme == "" && p.url != nil:
		to := *p.url
		to.Path, to.RawPath = path.Join(path.Dir(to.Path), raw), ""
		return "", to.String(), nil
	case u.Scheme == "":
		return "", "", fmt.Errorf("%q is not a URL", raw)
	case u.Scheme != "https" && !p.local():
		return "", "", fmt.Errorf("%.200q is a server of this machine, which only a %s that comes from one may name; give an https URL, or a path below its folder", raw, HubconfName)
	}
	return "", raw, nil
}

// staysIn refuses a file if links lead out of its folder. A missing file is reported
// elsewhere.
func staysIn(dir, file string) error {
	resolved, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(root, resolved); err != nil || !filepath.IsLocal(rel) {
		return fmt.Errorf("%s is a link that leads out of the folder of the %s; copy the file there", file, HubconfName)
	}
	return nil
}

// readHubconf reads the hubconf.json of a folder; without one the error is os.ErrNotExist.
func readHubconf(dir string) (*Hubconf, error) {
	return readHubconfFile(filepath.Join(dir, HubconfName))
}

func readHubconfFile(file string) (*Hubconf, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxHubconf+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, oserror.Cause(err))
	}
	c, err := parseHubconf(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// trial runs a function that may panic with a [*torch.Error] on arguments from
// outside.
func trial(f func()) error {
	var e *torch.Error
	if err := torch.Try(f); errors.As(err, &e) {
		return errors.New(e.Msg)
	} else if err != nil {
		return err
	}
	return nil
}
