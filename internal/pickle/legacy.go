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

// legacy decodes the layout before PyTorch 1.6: five pickles (magic number, protocol, the writer's platform, the object, the storages' keys),
// then for each key the number of elements and the elements, always little-endian. data begins at base in the input.
func (r *reader) legacy(data []byte, base int64) (any, error) {
	if data[0] != opProto {
		return nil, &MalformedError{Msg: "this is neither a zip file nor a pickle, so not a file of torch.save: check where it came from"}
	}
	pos := 0
	next := func(src source, storages map[string]*Storage) (any, error) {
		m := &machine{reader: r, data: data[pos:], base: int64(pos), file: src, storages: storages}
		v, err := m.run()
		pos += m.pos
		r.done += int64(m.pos)
		return v, err
	}
	fail := func(format string, args ...any) error {
		return &MalformedError{Offset: int64(pos), Msg: fmt.Sprintf(format, args...)}
	}

	v, err := next(nil, nil)
	if err != nil {
		return nil, err
	}
	switch n := v.(type) {
	case *big.Int:
		if n.Cmp(magic) != 0 {
			return nil, fail("the magic number is %s, not %s: the file is damaged", badfile.Clip(n.Text(16)), magic.Text(16))
		}
	case int64:
		return nil, fail("the magic number is %x, not %s: the file is damaged", n, magic.Text(16))
	default:
		return nil, &UnsupportedError{Feature: fmt.Sprintf("this is a plain pickle of %s, not a file of torch.save", describe(v))}
	}
	if v, err = next(nil, nil); err != nil {
		return nil, err
	}
	if v != int64(1001) {
		return nil, fail("the protocol version is not 1001, the only one there is")
	}
	if v, err = next(nil, nil); err != nil {
		return nil, err
	}
	if _, ok := v.(*Dict); !ok {
		return nil, fail("the platform is described by %s, not by a dict", describe(v))
	}
	storages := map[string]*Storage{}
	object, err := next(&legacySource{left: len(data) - pos}, storages)
	if err != nil {
		return nil, err
	}
	if v, err = next(nil, nil); err != nil {
		return nil, err
	}
	keys, ok := v.(*List)
	if !ok {
		return nil, fail("the storages' keys are %s, not a list", describe(v))
	}

	filled := make(map[string]bool, len(storages))
	for _, k := range keys.Items {
		key, ok := text(k)
		if !ok {
			return nil, fail("a storage's key is %s, not a str", describe(k))
		}
		s := storages[key]
		if s == nil || filled[key] {
			return nil, fail("the storage %q is listed twice, or belongs to no tensor", badfile.Clip(key))
		}
		filled[key] = true
		rest := data[pos:]
		if len(rest) < 8 || s.size > len(rest)-8 {
			return nil, fail("the storage %q needs %d bytes, but %d are left: the file is cut short or damaged", badfile.Clip(key), 8+s.size, len(rest))
		}
		if n := binary.LittleEndian.Uint64(rest); n != uint64(s.size/elements[s.DType].size) {
			return nil, fail("the storage %q has %d elements, but %d of %d bytes were announced", badfile.Clip(key), n, s.size/elements[s.DType].size, elements[s.DType].size)
		}
		pos += 8
		s.Data, s.Offset = data[pos:pos+s.size:pos+s.size], -1
		if base >= 0 {
			s.Offset = base + int64(pos)
		}
		pos += s.size
	}
	if len(filled) != len(storages) {
		return nil, fail("%d storages have no bytes: the file is damaged", len(storages)-len(filled))
	}
	return object, nil // what follows is ignored, as by torch.load
}
