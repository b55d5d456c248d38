package pickle

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/strictzip"
)

// single returns the only record of an archive that wraps a checkpoint, as torch.hub allows, and nil for other archives.
func single(z *strictzip.Archive) *strictzip.Record {
	if len(z.Records) != 1 || strings.HasSuffix(z.Records[0].Name, "/data.pkl") {
		return nil
	}
	return z.Records[0]
}

// otherArchives names kinds of archive by a record that they hold.
var otherArchives = []struct{ record, name string }{
	{"constants.pkl", "a TorchScript archive: load it with torch/jit"},
	{"archive_format", "a torch.export or AOTInductor package (.pt2)"},
	{"models/model.json", "a torch.export package (.pt2)"},
	{"serialized_exported_program.json", "a torch.export package (.pt2)"},
	{".data/extern_modules", "a torch.package archive, which holds code"},
	{".data/python_version", "a torch.package archive, which holds code"},
}

// zip decodes torch.save's layout of 1.6 and later; z begins at base in the input.
func (r *reader) zip(z *strictzip.Archive, base int64) (any, error) {
	if err := z.SetRoot(); err != nil {
		return nil, err
	}
	for _, o := range otherArchives {
		if rec := z.Get(o.record); rec != nil {
			return nil, &UnsupportedError{Record: rec.Name, Feature: "this is " + o.name}
		}
	}
	pkl := z.Get("data.pkl")
	if pkl == nil {
		return nil, &MalformedError{Msg: fmt.Sprintf("there is no record %q, so this is not a file of torch.save", z.Root+"data.pkl")}
	}
	if err := r.version(z); err != nil {
		return nil, err
	}
	big, err := r.bigEndian(z)
	if err != nil {
		return nil, err
	}
	data, _, err := r.zips.Checked(z, pkl, 0)
	if err != nil {
		return nil, err
	}
	src := &zipSource{Archive: z, base: base, folder: "data/", big: big}
	m := &machine{reader: r, data: data, record: pkl.Name, file: src, storages: map[string]*Storage{}}
	v, err := m.run()
	if err != nil {
		return nil, err
	}
	if r.VerifyCRC {
		if err := z.VerifyAll(src.found); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// version refuses files that are newer than PyTorch's own readers know.
func (r *reader) version(z *strictzip.Archive) error {
	rec := z.Get(".data/version")
	if rec == nil {
		rec = z.Get("version")
	}
	if rec == nil {
		return &MalformedError{Msg: fmt.Sprintf("there is no record %q, so this is not a file of torch.save", z.Root+"version")}
	}
	b, err := r.small(z, rec)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil || n < 1 {
		return &MalformedError{Record: rec.Name, Msg: fmt.Sprintf("the version is %q, not a number from 1 to 10", badfile.Clip(string(b)))}
	}
	if n > 10 {
		return &UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("the version %d is newer than 10", n)}
	}
	return nil
}

func (r *reader) bigEndian(z *strictzip.Archive) (bool, error) {
	rec := z.Get("byteorder")
	if rec == nil {
		return false, nil
	}
	b, err := r.small(z, rec)
	if err != nil {
		return false, err
	}
	if s := string(b); s != "little" && s != "big" {
		return false, &MalformedError{Record: rec.Name, Msg: fmt.Sprintf("the byte order is %q, neither little nor big", badfile.Clip(s))}
	}
	return string(b) == "big", nil
}

// small returns a record of a few bytes.
func (r *reader) small(z *strictzip.Archive, rec *strictzip.Record) ([]byte, error) {
	if rec.Size > 64 {
		return nil, &MalformedError{Record: rec.Name, Msg: fmt.Sprintf("the record has %d bytes, not a short word", rec.Size)}
	}
	b, _, err := r.zips.Checked(z, rec, 0)
	return b, err
}

// zipSource finds storages among an archive's records.
type zipSource struct {
	*strictzip.Archive
	base   int64
	folder string // of the records
	big    bool
	found  []*strictzip.Record // whose checksums are still to be compared
}

func (z *zipSource) arity() int { return 5 }

func (z *zipSource) find(m *machine, s *Storage) error {
	if len(s.Key) == 0 || len(s.Key) > 9 || strings.Trim(s.Key, "0123456789") != "" {
		return m.malformed("a storage's key is %q, not a number of up to 9 digits", badfile.Clip(s.Key))
	}
	rec := z.Get(z.folder + s.Key)
	if rec == nil {
		return m.malformed("the storage %q has no record %q", s.Key, z.Root+z.folder+s.Key)
	}
	if rec.Size != s.size {
		return m.malformed("the storage %q has %d bytes, its record %d", s.Key, s.size, rec.Size)
	}
	var err error
	if s.Data, s.Offset, err = m.zips.Read(z.Archive, rec, z.base); err != nil {
		return err
	}
	if !rec.Deflated {
		z.found = append(z.found, rec)
	}
	s.big = z.big
	return nil
}
