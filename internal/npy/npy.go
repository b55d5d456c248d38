// Package npy reads and writes the headers of NumPy's .npy files.
//
// A file is a magic string, a version, the header's length, a Python dict literal with the keys descr, fortran_order and shape, and the
// elements. Files of pickled objects are refused, as by numpy.load with allow_pickle=False.
//
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
)

const (
	magic     = "\x93NUMPY"
	maxHeader = 10000 // as numpy.load has it
	maxDims   = 64    // as NumPy and PyTorch have it
	align     = 64

	// MaxData is the most bytes that may precede the elements.
	MaxData = len(magic) + 6 + maxHeader
)

// A Header is what precedes the elements.
type Header struct {
	DType   string // PyTorch's name, such as "float32"
	Shape   []int
	Fortran bool // whether the first dimension runs fastest
	Swap    int  // how many bytes are to be turned around at a time, as those of a number in the other byte order; 1 for none
	Data    int  // the offset of the elements in the file
	Size    int  // of all elements, in bytes
}

// dtypes lists NumPy's kinds and sizes in bytes, and how many bytes of an element are one number.
var dtypes = []struct {
	descr, torch string
	size, part   int
}{
	{"b1", "bool", 1, 1}, {"i1", "int8", 1, 1}, {"u1", "uint8", 1, 1}, {"i2", "int16", 2, 2}, {"u2", "uint16", 2, 2}, {"i4", "int32", 4, 4}, {"u4", "uint32", 4, 4},
	{"i8", "int64", 8, 8}, {"u8", "uint64", 8, 8}, {"f2", "float16", 2, 2}, {"f4", "float32", 4, 4}, {"f8", "float64", 8, 8}, {"c8", "complex64", 8, 4}, {"c16", "complex128", 16, 8},
}

// letters are NumPy's one-letter names of the dtypes, on 64-bit Linux and macOS. Like a kind with its size they may have a byte order.
var letters = map[string]string{
	"?": "b1", "b": "i1", "B": "u1", "h": "i2", "H": "u2", "i": "i4", "I": "u4", "l": "i8", "L": "u8", "q": "i8", "Q": "u8", "p": "i8", "P": "u8", "n": "i8", "N": "u8",
	"e": "f2", "f": "f4", "d": "f8", "F": "c8", "D": "c16",
}

// names are the names without a byte order, including PyTorch's own.
var names = map[string]string{
	"bool_": "b1", "byte": "i1", "ubyte": "u1", "short": "i2", "ushort": "u2", "intc": "i4", "uintc": "u4", "int": "i8", "int_": "i8", "long": "i8", "longlong": "i8",
	"intp": "i8", "uint": "u8", "ulong": "u8", "ulonglong": "u8", "uintp": "u8", "half": "f2", "single": "f4", "double": "f8", "float": "f8", "csingle": "c8",
	"cdouble": "c16", "complex": "c16",
}

func malformed(at int, format string, args ...any) error {
	return &badfile.MalformedError{Offset: int64(at), Msg: "npy: " + fmt.Sprintf(format, args...)}
}

func unsupported(at int, format string, args ...any) error {
	return &badfile.UnsupportedError{Offset: int64(at), Feature: "npy: " + fmt.Sprintf(format, args...)}
}

// Read reads the header of a file of size bytes, of which data are the first ones: [MaxData], or all if there are
// fewer. It checks that the elements are within the file; bytes after them are ignored, as in numpy.load. Errors are a
// *badfile.MalformedError or a *badfile.UnsupportedError.
func Read(data []byte, size int64) (*Header, error) {
	if !strings.HasPrefix(string(data[:min(len(data), len(magic))]), magic) {
		return nil, malformed(0, "this is not a .npy file")
	}
	at := len(magic) + 4
	if len(data) < at {
		return nil, malformed(len(data), "the file is cut short")
	}
	var n int
	switch major, minor := data[6], data[7]; {
	case minor != 0 || major < 1 || major > 3:
		return nil, unsupported(len(magic), "the version %d.%d", major, minor)
	case major == 1:
		n = int(binary.LittleEndian.Uint16(data[8:]))
	case len(data) < at+2:
		return nil, malformed(len(data), "the file is cut short")
	default:
		v := binary.LittleEndian.Uint32(data[8:])
		at += 2
		n = int(min(v, maxHeader+1))
	}
	if n > maxHeader {
		return nil, unsupported(8, "a header of more than %d bytes", maxHeader)
	}
	if n > len(data)-at {
		return nil, malformed(8, "the header has %d bytes, but %d are left: the file is cut short", n, len(data)-at)
	}
	s := &scanner{text: string(data[:at+n]), pos: at}
	h, err := s.header()
	if err != nil {
		return nil, err
	}
	h.Data = at + n
	if rest := size - int64(h.Data); int64(h.Size) > rest {
		return nil, malformed(h.Data, "%d elements take %d bytes, but %d are left: the file is cut short", count(h.Shape), h.Size, rest)
	}
	return h, nil
}

// ReadHead reads what precedes the elements from a stream, or as much as there is.
func ReadHead(r io.Reader) ([]byte, error) {
	head := make([]byte, 0, MaxData)
	more := func(n int) error {
		from := len(head)
		got, err := io.ReadFull(r, head[from:min(from+n, cap(head))])
		head = head[:from+got]
		return err
	}
	n := len(magic) + 4
	err := more(n)
	if err == nil {
		length := uint64(binary.LittleEndian.Uint16(head[n-2:]))
		if head[len(magic)] != 1 {
			if err = more(2); err == nil {
				length = uint64(binary.LittleEndian.Uint32(head[n-2:]))
			}
		}
		if err == nil {
			err = more(int(min(length, uint64(MaxData))))
		}
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil // Read reports what is missing
	}
	return head, err
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// A scanner reads the literal of a header, which ends text.
type scanner struct {
	text string
	pos  int
}

// peek returns the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.text); s.pos++ {
		if c := s.text[s.pos]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// take consumes word if it is next, and reports whether it was.
func (s *scanner) take(word string) bool {
	s.peek()
	if !strings.HasPrefix(s.text[s.pos:], word) {
		return false
	}
	s.pos += len(word)
	return true
}

func (s *scanner) wrong(want string) error {
	return malformed(s.pos, "the header has no %s here", want)
}

// str reads a string without escapes, which Python 2 may have marked as Unicode.
func (s *scanner) str() (string, error) {
	q := s.peek()
	if q == 'u' {
		s.pos++
		q = s.peek()
	}
	if q != '\'' && q != '"' {
		return "", s.wrong("string")
	}
	s.pos++
	n := strings.IndexByte(s.text[s.pos:], q)
	if n < 0 || strings.ContainsAny(s.text[s.pos:s.pos+n], "\\\n") {
		return "", s.wrong("end of a string")
	}
	v := s.text[s.pos : s.pos+n]
	s.pos += n + 1
	return v, nil
}

func (s *scanner) header() (*Header, error) {
	h := &Header{}
	seen := map[string]bool{}
	var element int
	if !s.take("{") {
		return nil, s.wrong("{")
	}
	for s.peek() != '}' {
		at := s.pos
		key, err := s.str()
		if err != nil {
			return nil, err
		}
		if !s.take(":") {
			return nil, s.wrong(":")
		}
		if seen[key] {
			return nil, malformed(at, "the header has two %q", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			element, err = s.descr(h)
		case "fortran_order":
			if h.Fortran = s.take("True"); !h.Fortran && !s.take("False") {
				err = s.wrong("True or False")
			}
		case "shape":
			h.Shape, err = s.shape()
		default:
			err = malformed(at, "the header has the key %q", badfile.Clip(key))
		}
		if err != nil {
			return nil, err
		}
		if !s.take(",") && s.peek() != '}' {
			return nil, s.wrong(", or }")
		}
	}
	s.pos++
	if s.peek() != 0 || s.pos != len(s.text) {
		return nil, malformed(s.pos, "the header has something behind its dict")
	}
	if len(seen) != 3 {
		return nil, malformed(s.pos, "the header lacks descr, fortran_order or shape")
	}
	var ok bool
	if h.Size, ok = badfile.Bytes(h.Shape, element); !ok {
		return nil, malformed(s.pos, "an array of the shape %v takes more bytes than can be counted", h.Shape)
	}
	return h, nil
}

// descr reads a dtype and returns the size of an element.
func (s *scanner) descr(h *Header) (int, error) {
	if s.peek() == '[' {
		return 0, unsupported(s.pos, "a structured array: save its fields one by one")
	}
	at := s.pos
	d, err := s.str()
	if err != nil {
		return 0, err
	}
	order := byte('=')
	descr := d
	if d != "" && strings.IndexByte("<>=|", d[0]) >= 0 {
		order, descr = d[0], d[1:]
	}
	if strings.HasPrefix(descr, "O") || descr == "object" {
		return 0, unsupported(at, "an array of Python objects, which are pickled: save an array of numbers")
	}
	if kind := letters[descr]; kind != "" {
		descr = kind
	} else if kind := names[d]; kind != "" {
		descr = kind
	}
	for _, known := range dtypes {
		if known.descr != descr && known.torch != d {
			continue
		}
		h.DType, h.Swap = known.torch, 1
		if order == '>' { // the others are little-endian: this package is for machines that are, as libtorch's releases are
			h.Swap = known.part
		}
		return known.size, nil
	}
	return 0, unsupported(at, "an array of the dtype %q", badfile.Clip(d))
}

func (s *scanner) shape() ([]int, error) {
	if !s.take("(") {
		return nil, s.wrong("tuple")
	}
	shape := []int{}
	for s.peek() != ')' {
		from := s.pos
		for s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9' {
			s.pos++
		}
		digits := s.text[from:s.pos]
		s.take("L") // of Python 2
		n, err := strconv.ParseInt(digits, 10, strconv.IntSize)
		if err != nil || len(digits) > 1 && digits[0] == '0' {
			return nil, malformed(from, "the header has no size here")
		}
		if len(shape) == maxDims {
			return nil, unsupported(from, "an array of more than %d dimensions", maxDims)
		}
		shape = append(shape, int(n))
		if !s.take(",") && (s.peek() != ')' || len(shape) == 1) {
			return nil, s.wrong(",")
		}
	}
	s.pos++
	return shape, nil
}

// Write makes what precedes the elements of an array in the order of their indices, as numpy.save does. Shape and dtype count.
func Write(dtype string, shape []int) ([]byte, error) {
	descr := ""
	for _, d := range dtypes {
		if d.torch == dtype {
			descr = map[bool]string{true: "|", false: "<"}[d.size == 1] + d.descr
		}
	}
	if descr == "" {
		return nil, fmt.Errorf("npy: NumPy has no dtype %s; convert the tensor first, to float32 for instance", dtype)
	}
	sizes := strings.Join(strings.Fields(strings.Trim(fmt.Sprint(shape), "[]")), ", ")
	if len(shape) == 1 {
		sizes += ","
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, sizes)
	if len(shape) > 0 {
		const digits = 21 // room for the first size to grow, as NumPy leaves it
		head += strings.Repeat(" ", digits-len(strconv.Itoa(shape[0])))
	}
	head += strings.Repeat(" ", align-(len(magic)+4+len(head)+1)%align) + "\n"
	b := append([]byte(magic), 1, 0)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(head))), head...), nil
}
