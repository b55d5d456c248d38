// Package pt2 reads the contents of a .pt2 package, without running any of it: programs of torch.export, and models
// that AOTInductor compiled to native code.
//
// libtorch's loader unpacks the whole folder of a model, runs a compiler with flags from the package if it finds no
// library, and loads the last library that it finds. So anything that could make it do more than load the one library
// is refused here.
package pt2

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/strictzip"
)

const (
	compiledDir  = "data/aotinductor/"
	constantsDir = "data/constants/"
	weightsDir   = "data/weights/"
	exportedDir  = "models/"

	maxJSON   = 16 << 20 // bytes of one record
	maxSource = 128 << 20
	maxModels = 1024
)

// A Package is the contents of a file.
type Package struct {
	Models   []*Model // compiled ones, by name
	Exported []string // programs of torch.export, by name
}

// A Model is one that AOTInductor compiled.
type Model struct {
	Name     string
	Metadata map[string]string // the properties for which it was compiled, by keys such as AOTI_DEVICE_KEY
	Library  bool              // whether there is the one native library that can be loaded
	Problem  string            // why it cannot be loaded; "" if it can
	Weights  map[string]Weight // the weights outside of the library, by name
	Inputs   []*Input          // the tensors that it takes

	records []*strictzip.Record
	wrapper bool // whether its source was there and said which
}

// A Weight is the place of a tensor of a model: in the record File of torch.save.
type Weight struct {
	File         string
	Size, Stride []int
	Offset       int
}

// Device returns the type of device that it was compiled for, such as "cpu".
func (m *Model) Device() string { return m.Metadata["AOTI_DEVICE_KEY"] }

func malformed(record, format string, args ...any) error {
	return &badfile.MalformedError{Record: record, Msg: fmt.Sprintf(format, args...)}
}

// Read reads the contents of an archive.
func Read(z *strictzip.Archive) (*Package, error) {
	if err := z.SetRoot(); err != nil {
		return nil, err
	}
	r := strictzip.NewReader(strictzip.DefaultLimit(0))
	if err := format(z, r); err != nil {
		return nil, err
	}
	p := &Package{}
	byName := map[string]*Model{}
	for name, rec := range z.Names() {
		if rest, ok := strings.CutPrefix(name, compiledDir); ok {
			model, file, ok := strings.Cut(rest, "/")
			if !ok {
				return nil, malformed(rec.Name, "the record is beside the folders of models")
			}
			m := byName[model]
			if m == nil {
				if m = (&Model{Name: model}); len(byName) == maxModels {
					return nil, &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("more than %d models", maxModels)}
				}
				byName[model] = m
				p.Models = append(p.Models, m)
			}
			if rec.Deflated {
				m.Problem = fmt.Sprintf("its record %q is deflated, as PyTorch never writes it", rec.Name)
			}
			m.records = append(m.records, rec)
			if err := m.read(z, r, rec, file); err != nil {
				return nil, err
			}
		}
		if rest, ok := strings.CutPrefix(name, exportedDir); ok && strings.HasSuffix(rest, ".json") {
			p.Exported = append(p.Exported, strings.TrimSuffix(rest, ".json"))
		}
	}
	for name, rec := range z.Names() {
		if !strings.HasPrefix(name, constantsDir) {
			continue
		}
		for _, m := range p.Models { // which all get them
			m.records = append(m.records, rec)
			if slices.Contains(loaded, path.Ext(name)) {
				m.Problem = fmt.Sprintf("the record %q is among the constants", rec.Name)
			}
		}
	}
	slices.SortFunc(p.Models, func(a, b *Model) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(p.Exported)
	for _, m := range p.Models {
		m.finish(p)
	}
	if len(p.Models)+len(p.Exported) == 0 {
		return nil, &badfile.UnsupportedError{Feature: "the package holds neither a compiled model nor an exported program"}
	}
	return p, nil
}

// format makes sure that it is a .pt2 package of a version that is known.
func format(z *strictzip.Archive, r *strictzip.Reader) error {
	for _, want := range []struct{ record, value string }{{"archive_format", "pt2"}, {"archive_version", "0"}} {
		rec := z.Get(want.record)
		if rec == nil && want.record == "archive_version" { // as older ones lack it
			continue
		}
		if rec == nil {
			return &badfile.UnsupportedError{Feature: fmt.Sprintf("this is not a .pt2 package, or one that an old PyTorch wrote: there is no record %q", z.Root+want.record)}
		}
		if rec.Size > 64 {
			return malformed(rec.Name, "the record has %d bytes, not a short word", rec.Size)
		}
		b, _, err := r.Checked(z, rec, 0)
		if err != nil {
			return err
		}
		if string(b) != want.value {
			return &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("it is %q, not %q", badfile.Clip(string(b)), want.value)}
		}
	}
	return nil
}

// loaded lists the suffixes by which libtorch's loader selects the files that it loads or
// compiles.
var loaded = []string{".so", ".cpp", ".o", ".blob"}

// read registers a record of a model's folder.
func (m *Model) read(z *strictzip.Archive, r *strictzip.Reader, rec *strictzip.Record, file string) error {
	switch {
	case strings.HasSuffix(file, "_metadata.json"):
		var meta map[string]string
		if err := read(z, r, rec, &meta); err != nil {
			return err
		}
		// that of the wrapper counts; the others are copies
		if m.Metadata == nil || strings.HasSuffix(file, ".wrapper_metadata.json") {
			m.Metadata = meta
		}
	case file == "weights_config.json":
		return m.weights(z, r, rec)
	case strings.HasSuffix(file, ".wrapper.cpp"):
		if rec.Size > maxSource {
			return &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("a source of %d bytes, more than %d", rec.Size, maxSource)}
		}
		b, _, err := r.Checked(z, rec, 0)
		if err != nil {
			return err
		}
		m.Inputs, m.wrapper = parseInputs(string(b))
	case path.Ext(file) == ".so":
		if m.Library {
			m.Problem = "it has several libraries, of which libtorch would load any"
		}
		m.Library = true
	}
	return nil
}

// weights reads the places of the weights of a model: {name: [file, size, stride,
// offset]}.
func (m *Model) weights(z *strictzip.Archive, r *strictzip.Reader, rec *strictzip.Record) error {
	var config map[string][]json.RawMessage
	if err := read(z, r, rec, &config); err != nil {
		return err
	}
	m.Weights = make(map[string]Weight, len(config))
	for name, parts := range config {
		var w Weight
		if len(parts) != 4 {
			return malformed(rec.Name, "the weight %q has %d parts, not 4", badfile.Clip(name), len(parts))
		}
		for i, v := range []any{&w.File, &w.Size, &w.Stride, &w.Offset} {
			if err := json.Unmarshal(parts[i], v); err != nil {
				return malformed(rec.Name, "the weight %q: %v", badfile.Clip(name), err)
			}
		}
		if z.Get(weightsDir+w.File) == nil {
			return malformed(rec.Name, "the weight %q has no record %q", badfile.Clip(name), badfile.Clip(z.Root+weightsDir+w.File))
		}
		m.Weights[name] = w
	}
	return nil
}

// read decodes the JSON in a record.
func read(z *strictzip.Archive, r *strictzip.Reader, rec *strictzip.Record, v any) error {
	if rec.Size > maxJSON {
		return &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("a record of %d bytes, more than %d", rec.Size, maxJSON)}
	}
	b, _, err := r.Checked(z, rec, 0)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return malformed(rec.Name, "%v", err)
	}
	return nil
}

// finish checks a model as a whole.
func (m *Model) finish(p *Package) {
	switch {
	case m.Problem != "":
	case !m.Library:
		m.Problem = "it has no built library, so libtorch would run a compiler with flags out of the package; package it without package_cpp_only"
	case m.Device() == "":
		m.Problem = "it does not say which device it is for"
	case !m.wrapper:
		m.Problem = "its source does not say which inputs it takes, as another PyTorch made it; package it again"
	}
	for _, other := range p.Models {
		// the loader compares no more than the beginning of names
		if m.Problem == "" && other != m && strings.HasPrefix(other.Name, m.Name) {
			m.Problem = fmt.Sprintf("its name begins that of the model %q, and libtorch does not tell the two apart; package them one by one", other.Name)
		}
	}
}

// Verify compares the checksums of the files that libtorch loads for a model.
func (m *Model) Verify(z *strictzip.Archive) error {
	var stored []*strictzip.Record
	for _, r := range m.records {
		if !r.Deflated {
			stored = append(stored, r)
		}
	}
	return z.VerifyAll(stored)
}

// Weight returns the bytes of a file of weights.
func (m *Model) Weight(z *strictzip.Archive, file string) ([]byte, error) {
	b, _, err := strictzip.NewReader(strictzip.DefaultLimit(0)).Read(z, z.Get(weightsDir+file), 0)
	return b, err
}
