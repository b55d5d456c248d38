package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/torchhub/torchhub/internal/badfile"
)

// rankOf returns the place of a dtype among those of the format, -1 if it is none.
func rankOf(torch string) int {
	for i, d := range dtypes {
		if d.torch == torch {
			return i
		}
	}
	return -1
}

// Sort orders the tensors as the reference implementation does, by dtype and name.
func (h *Header) Sort() {
	slices.SortStableFunc(h.Tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(rankOf(b.DType), rankOf(a.DType)), cmp.Compare(a.Name, b.Name))
	})
}

// Write makes the beginning of a file that holds the tensors, of which Name, DType and Shape count: the header with its length. The bytes of the
// tensors must follow in their order. It sets Begin and End.
func (h *Header) Write() ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, headerSize))
	sep := byte('{')
	if h.Metadata != nil {
		b.WriteString(`{"__metadata__":`)
		for i, k := range slices.Sorted(maps.Keys(h.Metadata)) {
			b.WriteByte("{,"[min(i, 1)])
			fmt.Fprintf(&b, "%s:%s", quote(k), quote(h.Metadata[k]))
		}
		if len(h.Metadata) == 0 {
			b.WriteByte('{')
		}
		b.WriteByte('}')
		sep = ','
	}
	at := 0
	seen := map[string]bool{"__metadata__": true}
	for i := range h.Tensors {
		t := &h.Tensors[i]
		if seen[t.Name] || len(t.Name) > maxName || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("safetensors: the name %q is there twice, is the metadata's, is longer than %d bytes, or is not UTF-8", badfile.Clip(t.Name), maxName)
		}
		seen[t.Name] = true
		r := rankOf(t.DType)
		if r < 0 {
			return nil, fmt.Errorf("safetensors: the tensor %q is of the dtype %s, which the format has not", badfile.Clip(t.Name), t.DType)
		}
		n, ok := badfile.Bytes(t.Shape, dtypes[r].size)
		if !ok || slices.ContainsFunc(t.Shape, func(d int) bool { return d < 0 }) {
			return nil, fmt.Errorf("safetensors: the tensor %q has the shape %v", badfile.Clip(t.Name), t.Shape)
		}
		t.Begin, t.End = at, at+n
		shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(t.Shape), "[]"), " ", ",")
		b.WriteByte(sep)
		fmt.Fprintf(&b, `%s:{"dtype":%q,"shape":[%s],"data_offsets":[%d,%d]}`, quote(t.Name), dtypes[r].name, shape, at, at+n)
		sep = ','
		at += n
	}
	if sep == '{' {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 { // tensors are aligned if the header is
		b.WriteByte(' ')
	}
	out := b.Bytes()
	if len(out)-headerSize > maxHeader || len(h.Tensors) > maxTensors {
		return nil, fmt.Errorf("safetensors: %d tensors make a header of %d bytes; at most %d and %d are read", len(h.Tensors), len(out)-headerSize, maxTensors, maxHeader)
	}
	binary.LittleEndian.PutUint64(out, uint64(len(out)-headerSize))
	for i := range h.Tensors {
		h.Tensors[i].Begin += len(out)
		h.Tensors[i].End += len(out)
	}
	return out, nil
}

// quote writes a JSON string with no more escapes than must be.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can be
	return strings.TrimSuffix(b.String(), "\n")
}
