package datasets

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A matrix is a variable of a MATLAB 5 file: numbers, column by column.
type matrix struct {
	name string
	dims []int
	kind uint32 // of the numbers in data: one of matSizes
	data []byte
}

// matSizes are the sizes of the kinds of numbers.
var matSizes = map[uint32]int{1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}

const (
	matMatrix     = 14
	matCompressed = 15
)

// floats returns the numbers.
func (m *matrix) floats() []float64 {
	size := matSizes[m.kind]
	out := make([]float64, len(m.data)/size)
	for i := range out {
		b := m.data[i*size:]
		switch m.kind {
		case 1:
			out[i] = float64(int8(b[0]))
		case 2:
			out[i] = float64(b[0])
		case 3:
			out[i] = float64(int16(binary.LittleEndian.Uint16(b)))
		case 4:
			out[i] = float64(binary.LittleEndian.Uint16(b))
		case 5:
			out[i] = float64(int32(binary.LittleEndian.Uint32(b)))
		case 6:
			out[i] = float64(binary.LittleEndian.Uint32(b))
		case 7:
			out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		case 9:
			out[i] = math.Float64frombits(binary.LittleEndian.Uint64(b))
		case 12:
			out[i] = float64(int64(binary.LittleEndian.Uint64(b)))
		case 13:
			out[i] = float64(binary.LittleEndian.Uint64(b))
		}
	}
	return out
}

// ints returns the numbers, which must be whole.
func (m *matrix) ints() ([]int, error) {
	out := make([]int, 0, len(m.data)/matSizes[m.kind])
	for i, f := range m.floats() {
		if f != math.Trunc(f) || math.Abs(f) > 1<<31 {
			return nil, fmt.Errorf("number %d of %q is %v; want a whole number", i, m.name, f)
		}
		out = append(out, int(f))
	}
	return out, nil
}

// readMAT reads the real matrices of a MATLAB 5 file: scipy.io.loadmat.
func readMAT(b []byte) (map[string]*matrix, error) {
	if len(b) < 128 || b[126] != 'I' || b[127] != 'M' {
		return nil, fmt.Errorf("it is not a MATLAB 5 file of a little-endian machine")
	}
	left := int64(64<<20) + 64*int64(len(b)) // of bytes that may be inflated
	out := map[string]*matrix{}
	for rest := b[128:]; len(rest) > 0; {
		kind, body, next, err := matElement(rest)
		if err != nil {
			return nil, err
		}
		rest = next
		if kind == matCompressed {
			z, err := zlib.NewReader(bytes.NewReader(body))
			if err != nil {
				return nil, damaged(err)
			}
			inner, err := io.ReadAll(io.LimitReader(z, left+1))
			if err != nil {
				return nil, damaged(err)
			}
			if left -= int64(len(inner)); left < 0 {
				return nil, fmt.Errorf("it is more than 64 times as large when unpacked")
			}
			if kind, body, _, err = matElement(inner); err != nil {
				return nil, err
			}
		}
		if kind != matMatrix {
			continue
		}
		m, err := parseMatrix(body)
		if err != nil {
			return nil, err
		}
		if m != nil {
			out[m.name] = m
		}
	}
	return out, nil
}

// matElement splits the first element off.
func matElement(b []byte) (kind uint32, body, rest []byte, err error) {
	short := fmt.Errorf("an element ends after the file; it is not complete")
	if len(b) < 8 {
		return 0, nil, nil, short
	}
	kind = binary.LittleEndian.Uint32(b)
	if small := kind >> 16; small != 0 { // up to 4 bytes within the tag
		if small > 4 {
			return 0, nil, nil, fmt.Errorf("a small element has %d bytes", small)
		}
		return kind & 0xffff, b[4 : 4+small], b[8:], nil
	}
	size := uint64(binary.LittleEndian.Uint32(b[4:]))
	if size > uint64(len(b)-8) {
		return 0, nil, nil, short
	}
	end := 8 + int(size)
	next := end
	if kind != matCompressed {
		next = min((end+7)/8*8, len(b))
	}
	return kind, b[8:end], b[next:], nil
}

// parseMatrix returns nil for what is not a full matrix of real numbers.
func parseMatrix(b []byte) (*matrix, error) {
	var parts [4][]byte // flags, dimensions, name, numbers
	m := &matrix{}
	for i := range parts {
		kind, body, rest, err := matElement(b)
		if err != nil {
			if i == 0 && len(b) == 0 {
				return nil, nil // an empty matrix
			}
			return nil, err
		}
		if i == 0 {
			if len(body) < 4 {
				return nil, fmt.Errorf("a matrix has no flags")
			}
			if class := body[0]; class < 6 || class > 15 || body[1]&8 != 0 { // text, cells, objects, sparse and complex matrices
				return nil, nil
			}
		}
		parts[i], b, m.kind = body, rest, kind
	}
	size, ok := matSizes[m.kind]
	if !ok || len(parts[1])%4 != 0 || len(parts[1]) > 4*32 {
		return nil, fmt.Errorf("a matrix has numbers of type %d and %d bytes of dimensions", m.kind, len(parts[1]))
	}
	n := size
	m.name, m.data = string(parts[2]), parts[3]
	for i := 0; i < len(parts[1]); i += 4 {
		d := int(int32(binary.LittleEndian.Uint32(parts[1][i:])))
		if d < 0 || d > 0 && n > len(m.data)/d {
			return nil, fmt.Errorf("the dimensions of %q do not agree with its %d bytes", m.name, len(m.data))
		}
		n *= d
		m.dims = append(m.dims, d)
	}
	if n != len(m.data) {
		return nil, fmt.Errorf("the dimensions %v of %q do not agree with its %d bytes", m.dims, m.name, len(m.data))
	}
	return m, nil
}
