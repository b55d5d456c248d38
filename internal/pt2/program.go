package pt2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/pickle"
	"github.com/torchhub/torchhub/internal/strictzip"
)

const (
	maxProgram = 128 << 20 // bytes of the graph
	maxGraphs  = 32        // how deep graphs are nested
	maxBraces  = 1000      // how deep its JSON is nested
	maxDims    = 64
)

// A Program is a program of torch.export.save.
type Program struct {
	Record    string // of the graph
	Exported  *ExportedProgram
	Weights   map[string]*Tensor // of the state dict
	Constants map[string]*Tensor // tensors that are not in the state dict
}

// A Tensor is a parameter, buffer or constant. Its storage aliases the archive.
type Tensor struct {
	*pickle.Tensor
	IsParam bool
	Device  Device
}

// ReadProgram reads a program of an archive, whose first byte is at offset 0 of the file.
func ReadProgram(z *strictzip.Archive, name string) (*Program, error) {
	if err := z.SetRoot(); err != nil {
		return nil, err
	}
	if z.Get("serialized_exported_program.json") != nil {
		return nil, &badfile.UnsupportedError{Feature: "a program that PyTorch before 2.8 saved; load it there, and save it again by torch.export.save of a newer one"}
	}
	r := strictzip.NewReader(strictzip.DefaultLimit(0))
	if err := format(z, r); err != nil {
		return nil, err
	}
	rec := z.Get(exportedDir + name + ".json")
	if rec == nil {
		var names []string
		for record := range z.Names() {
			if rest, ok := strings.CutPrefix(record, exportedDir); ok {
				names = append(names, strings.TrimSuffix(rest, ".json"))
			}
			if strings.HasPrefix(record, compiledDir) && len(names) == 0 {
				return nil, &badfile.UnsupportedError{Feature: "this is a package of AOTInductor, which holds native code; load it with the package torch/aoti"}
			}
		}
		if len(names) == 0 {
			return nil, &badfile.UnsupportedError{Feature: "the package holds no exported program"}
		}
		slices.Sort(names)
		return nil, fmt.Errorf("there is no program %q; there are %.200q", badfile.Clip(name), names)
	}
	p := &Program{Record: rec.Name}
	if err := p.graph(z, r, rec); err != nil {
		return nil, err
	}
	var err error
	if p.Weights, err = p.tensors(z, r, weightsDir, name, "_weights_config.json"); err != nil {
		return nil, err
	}
	p.Constants, err = p.tensors(z, r, constantsDir, name, "_constants_config.json")
	return p, err
}

func (p *Program) graph(z *strictzip.Archive, r *strictzip.Reader, rec *strictzip.Record) error {
	if rec.Size > maxProgram {
		return &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("a graph of %d bytes, more than %d", rec.Size, maxProgram)}
	}
	b, _, err := r.Checked(z, rec, 0)
	if err != nil {
		return err
	}
	if nested(b) > maxBraces {
		return &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("a graph that is nested deeper than %d", maxBraces)}
	}
	var version struct {
		SchemaVersion *SchemaVersion `json:"schema_version"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return malformed(rec.Name, "%v", err)
	}
	if v := version.SchemaVersion; v == nil {
		return malformed(rec.Name, "it does not say its schema_version")
	} else if v.Major != SchemaMajor {
		return &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("the version %d.%d of torch.export's schema, where %d is read", v.Major, v.Minor, SchemaMajor)}
	}
	p.Exported = &ExportedProgram{}
	if err := json.Unmarshal(b, p.Exported); err != nil {
		return malformed(rec.Name, "%v", err)
	}
	return nil
}

// nested returns how deep brackets of JSON are nested.
func nested(b []byte) int {
	depth, most, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			most = max(most, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return most
}

// tensors reads where tensors are. Those of the layout of PyTorch 2.8 are in a file of torch.save.
func (p *Program) tensors(z *strictzip.Archive, r *strictzip.Reader, dir, name, config string) (map[string]*Tensor, error) {
	if rec := z.Get(dir + name + ".pt"); rec != nil {
		return pickled(z, r, rec)
	}
	rec := z.Get(dir + name + config)
	if rec == nil {
		return nil, malformed(z.Root, "there is no record %q", badfile.Clip(dir+name+config))
	}
	var c PayloadConfig
	if err := read(z, r, rec, &c); err != nil {
		return nil, err
	}
	storages := map[string]*pickle.Storage{}
	all := map[string]*Tensor{}
	for key, payload := range c.Config {
		t, err := payload.tensor(z, r, dir, storages)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", badfile.Clip(key), err)
		}
		all[key] = t
	}
	return all, nil
}

func (y *Payload) tensor(z *strictzip.Archive, r *strictzip.Reader, dir string, storages map[string]*pickle.Storage) (*Tensor, error) {
	rec := z.Get(dir + y.PathName)
	switch {
	case dir == constantsDir && !strings.HasPrefix(y.PathName, "tensor_"):
		return nil, &badfile.UnsupportedError{Record: z.Root + dir + badfile.Clip(y.PathName), Feature: "a constant that is an object of a class, not a tensor"}
	case rec == nil:
		return nil, malformed(z.Root, "there is no record %q", badfile.Clip(dir+y.PathName))
	case y.UsePickle:
		v, err := readPickle(z, r, rec)
		if err != nil {
			return nil, err
		}
		t, ok := v.(*pickle.Tensor)
		if !ok {
			return nil, malformed(rec.Name, "it is not a tensor")
		}
		return &Tensor{Tensor: t, IsParam: y.IsParam}, nil
	case y.TensorMeta == nil:
		return nil, malformed(rec.Name, "the tensor has no description")
	}
	m := y.TensorMeta
	dtype, ok := DTypes[m.DType]
	if !ok {
		return nil, &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("a tensor of the dtype %d", m.DType)}
	}
	if m.Layout != Strided {
		return nil, &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("a tensor of the layout %d", m.Layout)}
	}
	size, err := ints(m.Sizes)
	if err != nil {
		return nil, malformed(rec.Name, "%v", err)
	}
	stride, err := ints(m.Strides)
	if err != nil {
		return nil, malformed(rec.Name, "%v", err)
	}
	offset, err := ints([]Union{m.StorageOffset})
	if err != nil {
		return nil, malformed(rec.Name, "%v", err)
	}
	s := storages[rec.Name+" "+dtype]
	if s == nil {
		b, at, err := r.Read(z, rec, 0)
		if err != nil {
			return nil, err
		}
		s = &pickle.Storage{DType: dtype, Data: b, Offset: at, Key: rec.Name}
		storages[rec.Name+" "+dtype] = s
	}
	if rec.Size == 0 && !slices.Contains(size, 0) {
		return nil, &badfile.UnsupportedError{Record: rec.Name, Feature: "a program that was saved without its weights"}
	}
	t, err := (&pickle.Tensor{Storage: s, DType: dtype, RequiresGrad: m.RequiresGrad}).View(offset[0], size, stride)
	if err != nil {
		return nil, malformed(rec.Name, "%v", err)
	}
	return &Tensor{t, y.IsParam, m.Device}, nil
}

// ints reads sizes that are numbers.
func ints(us []Union) ([]int, error) {
	if len(us) > maxDims {
		return nil, fmt.Errorf("a tensor of %d dimensions", len(us))
	}
	out := make([]int, len(us))
	for i, u := range us {
		if u.Kind != "as_int" {
			return nil, fmt.Errorf("a size of the kind %q", badfile.Clip(u.Kind))
		}
		var err error
		if out[i], err = As[int](u); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readPickle(z *strictzip.Archive, r *strictzip.Reader, rec *strictzip.Record) (any, error) {
	b, _, err := r.Checked(z, rec, 0)
	if err != nil {
		return nil, err
	}
	v, err := pickle.Read(b, pickle.Options{VerifyCRC: true})
	if err != nil {
		return nil, fmt.Errorf("record %q: %w", rec.Name, err)
	}
	copied(v)
	return v, nil
}

// copied has the loader copy the tensors of a value, since their places are those in a record, and may not be aligned.
func copied(v any) {
	switch v := v.(type) {
	case *pickle.Tensor:
		v.Storage.Offset = -1
	case *pickle.Dict:
		for _, e := range v.Values {
			copied(e)
		}
	}
}

// pickled reads a dict of tensors.
func pickled(z *strictzip.Archive, r *strictzip.Reader, rec *strictzip.Record) (map[string]*Tensor, error) {
	v, err := readPickle(z, r, rec)
	if err != nil {
		return nil, err
	}
	d, ok := v.(*pickle.Dict)
	if !ok {
		return nil, malformed(rec.Name, "it is not a dict")
	}
	all := map[string]*Tensor{}
	for k, e := range d.All() {
		name, ok := k.(string)
		t, isTensor := e.(*pickle.Tensor)
		if !ok || !isTensor {
			return nil, &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("an entry %.80v that is not a tensor", k)}
		}
		all[name] = &Tensor{Tensor: t, IsParam: t.RequiresGrad}
	}
	return all, nil
}

// Strided is the number of the layout of dense tensors.
const Strided = 7

// Layouts are c10's numbers of layouts, by those of the files.
var Layouts = map[int]int{Strided: 0, 1: 1, 2: 2, 6: 3, 3: 4, 4: 5, 5: 6}

// MemoryFormats are c10's numbers of memory formats, by those of the files.
var MemoryFormats = map[int]int{1: 0, 4: 1, 2: 2, 3: 3}

// DTypes are the names of dtypes, by the numbers of the files.
var DTypes = map[int]string{
	1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64", 9: "complex32", 10: "complex64",
	11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16", 29: "float8_e4m3fn", 30: "float8_e5m2", 31: "float8_e4m3fnuz",
	32: "float8_e5m2fnuz", 33: "float8_e8m0fnu", 34: "uint32", 35: "uint64",
}
