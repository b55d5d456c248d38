package pickle

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/torchhub/torchhub/internal/badfile"
)

// legacySource notes the storages that the object names: their bytes come behind it.
type legacySource struct{ left int }

func (l *legacySource) arity() int { return 6 }

func (l *legacySource) find(m *machine, s *Storage) error {
	if s.size > l.left {
		return m.malformed("the storage %q has %d bytes, but %d are left: the file is cut short or damaged", badfile.Clip(s.Key), s.size, l.left)
	}
	l.left -= s.size
	return nil
}

// A legacyFile is a file in the layout before PyTorch 1.6: five pickles (magic number, protocol, the writer's platform, the object, the storages' keys),
// then for each key the number of elements and the elements, always little-endian.
type legacyFile struct {
	*reader
	data []byte
	base int64 // where data begins in the input
	pos  int   // what is read next
}

// legacy decodes the layout before PyTorch 1.6. data begins at base in the input.
func (r *reader) legacy(data []byte, base int64) (any, error) {
	if data[0] != opProto {
		return nil, &MalformedError{Msg: "this is neither a zip file nor a pickle, so not a file of torch.save: check where it came from"}
	}
	f := &legacyFile{reader: r, data: data, base: base}
	if err := f.header(); err != nil {
		return nil, err
	}
	storages := map[string]*Storage{}
	object, err := f.pickle(&legacySource{left: len(data) - f.pos}, storages)
	if err != nil {
		return nil, err
	}
	if err := f.fill(storages); err != nil {
		return nil, err
	}
	return object, nil // what follows is ignored, as by torch.load
}

// pickle decodes the next pickle.
func (f *legacyFile) pickle(src source, storages map[string]*Storage) (any, error) {
	m := &machine{reader: f.reader, data: f.data[f.pos:], base: int64(f.pos), file: src, storages: storages}
	v, err := m.run()
	f.pos += m.pos
	f.done += int64(m.pos)
	return v, err
}

func (f *legacyFile) malformed(format string, args ...any) error {
	return &MalformedError{Offset: int64(f.pos), Msg: fmt.Sprintf(format, args...)}
}

// header checks the pickles before the object.
func (f *legacyFile) header() error {
	v, err := f.pickle(nil, nil)
	if err != nil {
		return err
	}
	switch n := v.(type) {
	case *big.Int:
		if n.Cmp(magic) != 0 {
			return f.malformed("the magic number is %s, not %s: the file is damaged", badfile.Clip(n.Text(16)), magic.Text(16))
		}
	case int64:
		return f.malformed("the magic number is %x, not %s: the file is damaged", n, magic.Text(16))
	default:
		return &UnsupportedError{Feature: fmt.Sprintf("this is a plain pickle of %s, not a file of torch.save", describe(v))}
	}
	if v, err = f.pickle(nil, nil); err != nil {
		return err
	}
	if v != int64(1001) {
		return f.malformed("the protocol version is not 1001, the only one there is")
	}
	if v, err = f.pickle(nil, nil); err != nil {
		return err
	}
	if _, ok := v.(*Dict); !ok {
		return f.malformed("the platform is described by %s, not by a dict", describe(v))
	}
	return nil
}

// fill reads the storages' keys and gives each storage its bytes.
func (f *legacyFile) fill(storages map[string]*Storage) error {
	v, err := f.pickle(nil, nil)
	if err != nil {
		return err
	}
	keys, ok := v.(*List)
	if !ok {
		return f.malformed("the storages' keys are %s, not a list", describe(v))
	}
	filled := make(map[string]bool, len(storages))
	for _, k := range keys.Items {
		key, ok := text(k)
		if !ok {
			return f.malformed("a storage's key is %s, not a str", describe(k))
		}
		s := storages[key]
		if s == nil || filled[key] {
			return f.malformed("the storage %q is listed twice, or belongs to no tensor", badfile.Clip(key))
		}
		filled[key] = true
		if err := f.elements(key, s); err != nil {
			return err
		}
	}
	if len(filled) != len(storages) {
		return f.malformed("%d storages have no bytes: the file is damaged", len(storages)-len(filled))
	}
	return nil
}

// elements reads the number of elements of a storage and the elements.
func (f *legacyFile) elements(key string, s *Storage) error {
	rest := f.data[f.pos:]
	if len(rest) < 8 || s.size > len(rest)-8 {
		return f.malformed("the storage %q needs %d bytes, but %d are left: the file is cut short or damaged", badfile.Clip(key), 8+s.size, len(rest))
	}
	size := elements[s.DType].size
	if n := binary.LittleEndian.Uint64(rest); n != uint64(s.size/size) {
		return f.malformed("the storage %q has %d elements, but %d of %d bytes were announced", badfile.Clip(key), n, s.size/size, size)
	}
	f.pos += 8
	s.Data, s.Offset = f.data[f.pos:f.pos+s.size:f.pos+s.size], -1
	if f.base >= 0 {
		s.Offset = f.base + int64(f.pos)
	}
	f.pos += s.size
	return nil
}
