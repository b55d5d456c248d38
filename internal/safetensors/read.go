// Package safetensors reads and writes the headers of safetensors files.
//
// A file is a number of 8 bytes, a JSON object of that many bytes, and the tensors' bytes, which leave no gap and do not overlap. The object
// gives for each name a dtype, a shape and where the bytes begin and end. It is read by a scanner of its own, since a general one would take
// duplicate names, and much memory for a hostile header.
//
// https://huggingface.co/docs/safetensors/index#format
package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/torchhub/torchhub/internal/badfile"
)

// Limits of a header, so that a hostile one fails within a second and 100 MB.
const (
	maxHeader   = 100_000_000 // as in the reference implementation
	maxTensors  = 1 << 17
	maxDims     = 64 // as in PyTorch's TensorIterator
	maxMetadata = 16 << 20
	maxName     = 4096
	headerSize  = 8
)

// A Tensor is an entry of a header.
type Tensor struct {
	Name       string
	DType      string // PyTorch's name, such as "float32"
	Shape      []int
	Begin, End int // of its bytes, in the file
}

// A Header is what precedes the tensors' bytes.
type Header struct {
	Metadata map[string]string // nil without any
	Tensors  []Tensor          // in the order of their bytes
}

// dtypes lists the format's dtypes, in the order in which its writer puts them, backwards.
var dtypes = []struct {
	name, torch string
	size        int
}{
	{"BOOL", "bool", 1},
	{"U8", "uint8", 1},
	{"I8", "int8", 1},
	{"F8_E5M2", "float8_e5m2", 1},
	{"F8_E4M3", "float8_e4m3fn", 1},
	{"F8_E8M0", "float8_e8m0fnu", 1},
	{"F8_E4M3FNUZ", "float8_e4m3fnuz", 1},
	{"F8_E5M2FNUZ", "float8_e5m2fnuz", 1},
	{"I16", "int16", 2},
	{"U16", "uint16", 2},
	{"F16", "float16", 2},
	{"BF16", "bfloat16", 2},
	{"I32", "int32", 4},
	{"U32", "uint32", 4},
	{"F32", "float32", 4},
	{"C64", "complex64", 8},
	{"F64", "float64", 8},
	{"I64", "int64", 8},
	{"U64", "uint64", 8},
}

// Is reports whether data begins as a safetensors file does.
func Is(data []byte) bool {
	if len(data) < headerSize+2 {
		return false
	}
	n := binary.LittleEndian.Uint64(data)
	return data[headerSize] == '{' && n >= 2 && n <= uint64(len(data)-headerSize)
}

func malformed(at int, format string, args ...any) error {
	return &badfile.MalformedError{Offset: int64(at), Msg: "safetensors: " + fmt.Sprintf(format, args...)}
}

func unsupported(at int, format string, args ...any) error {
	return &badfile.UnsupportedError{Offset: int64(at), Feature: "safetensors: " + fmt.Sprintf(format, args...)}
}

// Read reads the header of the file in data, which must be complete, and checks that all of the file is accounted for.
// Nothing in the result aliases data. Errors are a *badfile.MalformedError or a *badfile.UnsupportedError.
func Read(data []byte) (*Header, error) {
	n, err := length(data, int64(len(data)))
	if err != nil {
		return nil, err
	}
	return parse(data[:headerSize+n], int64(len(data)))
}

// ReadAt is [Read] for a file of so many bytes, of which it reads the header only.
func ReadAt(r io.ReaderAt, size int64) (*Header, error) {
	first := make([]byte, min(headerSize, size))
	if _, err := r.ReadAt(first, 0); err != nil && err != io.EOF {
		return nil, err
	}
	n, err := length(first, size)
	if err != nil {
		return nil, err
	}
	data := make([]byte, headerSize+n)
	if _, err := r.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return parse(data, size)
}

// length returns the length of a header, which data begins with, of a file of so many bytes.
func length(data []byte, size int64) (int, error) {
	if len(data) < headerSize {
		return 0, malformed(len(data), "the file has %d bytes, fewer than the %d of the header's length: it is cut short", len(data), headerSize)
	}
	n := binary.LittleEndian.Uint64(data)
	if n > uint64(size)-headerSize {
		return 0, malformed(0, "the header has %d bytes, but %d are left: the file is cut short or damaged", n, size-headerSize)
	}
	if n > maxHeader {
		return 0, unsupported(0, "a header of %d bytes, more than %d", n, maxHeader)
	}
	return int(n), nil
}

func parse(header []byte, size int64) (*Header, error) {
	s := &scanner{data: header, pos: headerSize}
	h, err := s.header()
	if err != nil {
		return nil, err
	}
	if err := h.place(s, int(size)); err != nil {
		return nil, err
	}
	return h, nil
}

// place converts offsets after the header to offsets in the file, and checks that the tensors fill the
// file.
func (h *Header) place(s *scanner, size int) error {
	start := len(s.data)
	order := make([]int, len(h.Tensors))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := h.Tensors[i], h.Tensors[j]
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End))
	})
	sorted := make([]Tensor, len(order))
	end := 0
	for k, i := range order {
		t := h.Tensors[i]
		switch {
		case t.Begin > end:
			return malformed(s.at[i], "%d bytes before the tensor %q belong to none", t.Begin-end, badfile.Clip(t.Name))
		case t.Begin < end:
			return malformed(s.at[i], "the tensor %q overlaps the one before it", badfile.Clip(t.Name))
		case t.End > size-start:
			return malformed(s.at[i], "the tensor %q ends at byte %d of %d: the file is cut short or damaged", badfile.Clip(t.Name), t.End, size-start)
		}
		end = t.End
		t.Begin, t.End = t.Begin+start, t.End+start
		sorted[k] = t
	}
	if end != size-start {
		return malformed(start+end, "%d bytes follow the last tensor", size-start-end)
	}
	h.Tensors = sorted
	return nil
}

// fits reports whether a shape of a dtype takes so many bytes.
func fits(shape []int, element, size int) bool {
	n, ok := badfile.Bytes(shape, element)
	return ok && n == size
}
