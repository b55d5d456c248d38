package datasets

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf16"
)

// A matrix is a variable of a MATLAB 5 file: numbers or characters, column by column, or cells, or structs.
type matrix struct {
	name string
	dims []int
	kind uint32 // of the numbers or characters in data: one of matSizes
	data []byte

	fields []string  // of structs
	cells  []*matrix // or the fields of each struct, one after the other; a cell may be nil

	rowsOf, columns []int // of a sparse matrix: the rows of the numbers, and where the numbers of each column begin
}

// matSizes are the sizes of the kinds of numbers.
var matSizes = map[uint32]int{1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2}

const (
	matMatrix     = 14
	matCompressed = 15
	maxMATDepth   = 8 // of cells and structs in each other
)

// openMAT reads a file.
func openMAT(path string) (map[string]*matrix, error) {
	b, err := readAll(path, 1<<30)
	if err != nil {
		return nil, err
	}
	m, err := readMAT(b)
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", path, err)
	}
	return m, nil
}

// items returns the cells, or nil where there are none.
func (m *matrix) items() []*matrix {
	if m == nil || m.fields != nil {
		return nil
	}
	return m.cells
}

// rows returns these fields of each struct, or nil if it does not have them.
func (m *matrix) rows(fields ...string) [][]*matrix {
	if m == nil {
		return nil
	}
	at := make([]int, len(fields))
	for i, f := range fields {
		if at[i] = slices.Index(m.fields, f); at[i] < 0 {
			return nil
		}
	}
	var rows [][]*matrix
	for r := 0; r < len(m.cells); r += len(m.fields) {
		row := make([]*matrix, len(at))
		for i, k := range at {
			if row[i] = m.cells[r+k]; row[i] == nil {
				row[i] = &matrix{name: fields[i], kind: 2} // empty
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// text returns the characters.
func (m *matrix) text() string {
	if m == nil || matSizes[m.kind] == 0 {
		return ""
	}
	if matSizes[m.kind] == 2 {
		units := make([]uint16, len(m.data)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(m.data[2*i:])
		}
		return string(utf16.Decode(units))
	}
	return string(m.data)
}

// dense returns the numbers of a sparse matrix, row by row, as bytes: toarray().
func (m *matrix) dense() ([]byte, error) {
	if m == nil || m.columns == nil || len(m.dims) != 2 {
		return nil, fmt.Errorf("it has no sparse matrix")
	}
	h, w := m.dims[0], m.dims[1]
	if h*w > 1<<28 {
		return nil, fmt.Errorf("a sparse matrix has %d×%d numbers", h, w)
	}
	out := make([]byte, h*w)
	v := m.floats()
	for x := range w {
		for k := m.columns[x]; k < m.columns[x+1]; k++ {
			out[m.rowsOf[k]*w+x] = byte(v[k])
		}
	}
	return out, nil
}

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
	if matSizes[m.kind] == 0 {
		return nil, fmt.Errorf("%q has no numbers", m.name)
	}
	out := make([]int, 0, len(m.data)/matSizes[m.kind])
	for i, f := range m.floats() {
		if f != math.Trunc(f) || math.Abs(f) > 1<<31 {
			return nil, fmt.Errorf("number %d of %q is %v; want a whole number", i, m.name, f)
		}
		out = append(out, int(f))
	}
	return out, nil
}

// readMAT reads the variables of a MATLAB 5 file, but for complex numbers and objects: scipy.io.loadmat.
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
		m, err := parseMatrix(body, 0)
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

// parseMatrix returns nil for an empty matrix, complex numbers and objects.
func parseMatrix(b []byte, depth int) (*matrix, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if depth > maxMATDepth {
		return nil, fmt.Errorf("it has more than %d cells or structs in each other", maxMATDepth)
	}
	next := func() (kind uint32, body []byte, err error) {
		kind, body, b, err = matElement(b)
		return kind, body, err
	}
	_, flags, err := next()
	if err != nil {
		return nil, err
	}
	if len(flags) < 4 {
		return nil, fmt.Errorf("a matrix has no flags")
	}
	class := flags[0]
	if class == 3 || class == 0 || class > 15 || flags[1]&8 != 0 {
		return nil, nil
	}
	_, dims, err := next()
	if err != nil {
		return nil, err
	}
	if len(dims)%4 != 0 || len(dims) > 4*32 {
		return nil, fmt.Errorf("a matrix has %d bytes of dimensions", len(dims))
	}
	m := &matrix{}
	n := 1
	for i := 0; i < len(dims); i += 4 {
		d := int(int32(binary.LittleEndian.Uint32(dims[i:])))
		if d < 0 || d > 0 && n > math.MaxInt32/d {
			return nil, fmt.Errorf("a matrix has the dimensions %v and %d", m.dims, d)
		}
		n *= d
		m.dims = append(m.dims, d)
	}
	_, name, err := next()
	if err != nil {
		return nil, err
	}
	m.name = string(name)
	switch class {
	case 1:
		return m, m.parseCells(b, n, depth)
	case 2:
		if err := m.parseFields(next); err != nil {
			return nil, err
		}
		return m, m.parseCells(b, n*len(m.fields), depth)
	case 5:
		return m, m.parseSparse(next)
	}
	if m.kind, m.data, err = next(); err != nil {
		return nil, err
	}
	size := matSizes[m.kind]
	if size == 0 {
		return nil, fmt.Errorf("%q has numbers of type %d", m.name, m.kind)
	}
	if m.kind == 16 { // UTF-8: a character may be several bytes
		return m, nil
	}
	if n*size != len(m.data) {
		return nil, fmt.Errorf("the dimensions %v of %q do not agree with its %d bytes", m.dims, m.name, len(m.data))
	}
	return m, nil
}

// parseFields reads the names of the fields of structs.
func (m *matrix) parseFields(next func() (uint32, []byte, error)) error {
	_, b, err := next()
	if err != nil {
		return err
	}
	if len(b) != 4 {
		return fmt.Errorf("the structs %q have no length of names", m.name)
	}
	length := int(int32(binary.LittleEndian.Uint32(b)))
	_, names, err := next()
	if err != nil {
		return err
	}
	if length <= 0 || len(names)%length != 0 {
		return fmt.Errorf("the structs %q have %d bytes of names", m.name, len(names))
	}
	m.fields = []string{}
	for len(names) > 0 {
		name, _, _ := bytes.Cut(names[:length], []byte{0})
		m.fields, names = append(m.fields, string(name)), names[length:]
	}
	return nil
}

// parseCells reads n matrices.
func (m *matrix) parseCells(b []byte, n, depth int) error {
	if n > len(b)/8 {
		return fmt.Errorf("%q has %d cells in %d bytes; it is not complete", m.name, n, len(b))
	}
	m.cells = make([]*matrix, n)
	for i := range m.cells {
		kind, body, rest, err := matElement(b)
		if err != nil {
			return err
		}
		if kind != matMatrix {
			return fmt.Errorf("cell %d of %q is not a matrix", i, m.name)
		}
		if m.cells[i], err = parseMatrix(body, depth+1); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// parseSparse reads a sparse matrix.
func (m *matrix) parseSparse(next func() (uint32, []byte, error)) error {
	bad := fmt.Errorf("the sparse matrix %q does not agree with its dimensions %v", m.name, m.dims)
	if len(m.dims) != 2 {
		return bad
	}
	for _, list := range []*[]int{&m.rowsOf, &m.columns} {
		_, b, err := next()
		if err != nil {
			return err
		}
		*list = make([]int, len(b)/4)
		for i := range *list {
			(*list)[i] = int(int32(binary.LittleEndian.Uint32(b[4*i:])))
		}
	}
	var err error
	if m.kind, m.data, err = next(); err != nil {
		return err
	}
	size := matSizes[m.kind]
	if size == 0 || len(m.columns) != m.dims[1]+1 || m.columns[0] != 0 {
		return bad
	}
	for x := range m.dims[1] {
		from, to := m.columns[x], m.columns[x+1]
		if to < from || to > len(m.rowsOf) || to > len(m.data)/size {
			return bad
		}
		for _, y := range m.rowsOf[from:to] {
			if y < 0 || y >= m.dims[0] {
				return bad
			}
		}
	}
	return nil
}
