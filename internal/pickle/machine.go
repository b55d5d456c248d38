package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// The opcodes that carry data or build it, by their names in Python's pickletools. All others are refused.
const (
	opMark            = '('
	opStop            = '.'
	opPop             = '0'
	opPopMark         = '1'
	opDup             = '2'
	opNone            = 'N'
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opLong1           = 0x8a
	opLong4           = 0x8b
	opBinFloat        = 'G'
	opBinString       = 'T'
	opShortBinString  = 'U'
	opBinUnicode      = 'X'
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opBinBytes8       = 0x8e
	opByteArray8      = 0x96
	opEmptyTuple      = ')'
	opTuple           = 't'
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opEmptyList       = ']'
	opList            = 'l'
	opAppend          = 'a'
	opAppends         = 'e'
	opEmptyDict       = '}'
	opDict            = 'd'
	opSetItem         = 's'
	opSetItems        = 'u'
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opMemoize         = 0x94
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opGlobal          = 'c'
	opStackGlobal     = 0x93
	opReduce          = 'R'
	opNewObj          = 0x81
	opBuild           = 'b'
	opBinPersID       = 'Q'
	opProto           = 0x80
	opFrame           = 0x95
)

// refused names the opcodes that torch.load refuses too.
var refused = map[byte]string{
	'I': "INT", 'L': "LONG", 'F': "FLOAT", 'S': "STRING", 'V': "UNICODE", 'g': "GET", 'p': "PUT", 'i': "INST", 'o': "OBJ", 'P': "PERSID",
	0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x92: "NEWOBJ_EX", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}

// source finds the bytes of the storages that a pickle names.
type source interface {
	arity() int                        // parts of a persistent id
	find(m *machine, s *Storage) error // fills in Data, Offset and big, or makes sure that s.size bytes can be had later
}

// machine runs one pickle.
type machine struct {
	*reader
	data     []byte
	base     int64  // of data in its record or in the file
	record   string // its name, "" for a file that is no zip
	pos, op  int    // of the next byte and of the opcode at work
	stack    []any
	marks    []int // heights of the stack
	memo     []any
	sparse   map[uint32]any // the memo's entries beyond the first gap
	file     source         // nil in a pickle that may not name storages
	storages map[string]*Storage
	arrays   bool // see ReadArrays
}

func (m *machine) malformed(format string, args ...any) error {
	return &MalformedError{Offset: m.base + int64(m.op), Record: m.record, Msg: fmt.Sprintf(format, args...)}
}

func (m *machine) unsupported(format string, args ...any) error {
	return &UnsupportedError{Offset: m.base + int64(m.op), Record: m.record, Feature: fmt.Sprintf(format, args...)}
}

// spend subtracts n bytes from the budget for objects.
func (m *machine) spend(n int) error {
	if m.spent += int64(n); m.spent > m.budget() {
		return m.unsupported("values that take more than %d bytes: raise Limits.Memory", m.budget())
	}
	return nil
}

// The objects of a pickle take up to 64 times its bytes: a bool in a list is one byte, and takes 16 in each array that the list outgrew.
const (
	memoryFloor   = 64 << 20
	memoryFactor  = 64
	memoryCeiling = 4 << 30
)

// budget returns the number of bytes that may be spent so far. It grows with the bytes read from the pickles, so that
// weights beside a small pickle do not count; an inflated pickle counts as at most the whole file.
func (m *machine) budget() int64 {
	if m.MaxMemory > 0 {
		return m.MaxMemory
	}
	return min(memoryCeiling, memoryFloor+memoryFactor*min(m.done+int64(m.pos), m.size))
}

// What objects cost, all allocations counted: those of a map's growth, too.
const (
	costNumber    = 16
	costContainer = 96
	costTuple     = 24
	costItem      = 16
	costEntry     = 176
	costTensor    = 192
	costSparse    = 112
	costWalk      = 144
)

// grow makes room for n more items. Lists grow to the double, so that items cost twice their size in all, and what the collector has not freed is paid for.
func (m *machine) grow(items []any, n int) ([]any, error) {
	need := len(items) + n
	if need <= cap(items) {
		return items, nil
	}
	room := max(need, 2*cap(items))
	if err := m.spend(costItem * room); err != nil {
		return nil, err
	}
	return append(make([]any, 0, room), items...), nil
}

func (m *machine) push(v any) error {
	stack, err := m.grow(m.stack, 1)
	if err != nil {
		return err
	}
	m.stack = append(stack, v)
	return nil
}

// floor is the height below which the opcode at work may not pop.
func (m *machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

// pop returns the n topmost values, which are valid until the next push.
func (m *machine) pop(n int) ([]any, error) {
	at := len(m.stack) - n
	if at < m.floor() {
		return nil, m.malformed("opcode %#02x needs %d values on the stack, which has %d", m.data[m.op], n, len(m.stack)-m.floor())
	}
	v := m.stack[at:]
	m.stack = m.stack[:at]
	return v, nil
}

// popMark returns the values above the topmost mark, which are valid until the next push.
func (m *machine) popMark() ([]any, error) {
	n := len(m.marks)
	if n == 0 {
		return nil, m.malformed("opcode %#02x needs a mark on the stack, which has none", m.data[m.op])
	}
	at := m.marks[n-1]
	m.marks = m.marks[:n-1]
	v := m.stack[at:]
	m.stack = m.stack[:at]
	return v, nil
}

// top returns the topmost value, which stays.
func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, m.malformed("opcode %#02x needs a value on the stack, which has none", m.data[m.op])
	}
	return m.stack[len(m.stack)-1], nil
}

// bytes returns the next n bytes, which alias the input.
func (m *machine) bytes(n uint64) ([]byte, error) {
	if rest := len(m.data) - m.pos; n > uint64(rest) {
		return nil, m.malformed("opcode %#02x needs %d bytes, but %d are left: the file is cut short or damaged", m.data[m.op], n, rest)
	}
	b := m.data[m.pos : m.pos+int(n)]
	m.pos += int(n)
	return b, nil
}

// number returns the next n bytes as a little-endian number; n is 1, 2, 4 or 8.
func (m *machine) number(n int) (uint64, error) {
	b, err := m.bytes(uint64(n))
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

// counted returns the bytes that follow their number, itself of n bytes.
func (m *machine) counted(n int) ([]byte, error) {
	size, err := m.number(n)
	if err != nil {
		return nil, err
	}
	b, err := m.bytes(size)
	if err != nil {
		return nil, err
	}
	return b, m.spend(len(b) + costNumber)
}

// run runs the pickle and returns its value. Afterwards m.pos is after the
// pickle.
func (m *machine) run() (any, error) {
	for {
		if m.op = m.pos; m.pos == len(m.data) {
			return nil, m.malformed("the pickle ends without STOP: the file is cut short")
		}
		if m.nodes--; m.nodes < 0 {
			return nil, m.unsupported("more than %d opcodes: raise Limits.Values", m.MaxNodes)
		}
		m.pos++
		if m.data[m.op] == opStop {
			v, err := m.pop(1)
			if err != nil {
				return nil, err
			}
			return v[0], m.check(v[0])
		}
		if err := m.step(m.data[m.op]); err != nil {
			return nil, err
		}
	}
}

// step runs one opcode. It is long because it is one flat switch, with each opcode beside its meaning.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		v, err := m.number(1)
		if err == nil && v > 5 {
			return m.unsupported("pickle protocol %d", v)
		}
		return err
	case opFrame:
		n, err := m.number(8)
		if err == nil && n > uint64(len(m.data)-m.pos) {
			return m.malformed("a frame of %d bytes, but %d are left: the file is cut short or damaged", n, len(m.data)-m.pos)
		}
		return err

	case opNone:
		return m.push(nil)
	case opNewTrue:
		return m.push(true)
	case opNewFalse:
		return m.push(false)
	case opBinInt:
		n, err := m.number(4)
		return m.give(int64(int32(n)), costNumber, err)
	case opBinInt1:
		n, err := m.number(1)
		return m.give(int64(n), costNumber, err)
	case opBinInt2:
		n, err := m.number(2)
		return m.give(int64(n), costNumber, err)
	case opLong1:
		return m.long(m.counted(1))
	case opLong4:
		return m.long(m.counted(4))
	case opBinFloat:
		b, err := m.bytes(8)
		if err != nil {
			return err
		}
		return m.give(math.Float64frombits(binary.BigEndian.Uint64(b)), costNumber, nil)
	case opBinString, opBinUnicode:
		return m.str(m.counted(4))
	case opShortBinString, opShortBinUnicode:
		return m.str(m.counted(1))
	case opBinUnicode8:
		return m.str(m.counted(8))
	case opBinBytes:
		return m.blob(m.counted(4))
	case opShortBinBytes:
		return m.blob(m.counted(1))
	case opBinBytes8, opByteArray8:
		return m.blob(m.counted(8))

	case opMark:
		m.marks = append(m.marks, len(m.stack))
		return m.spend(4 * costItem)
	case opPop:
		// of a mark with nothing above it
		if n := len(m.marks); n > 0 && len(m.stack) == m.marks[n-1] {
			m.marks = m.marks[:n-1]
			return nil
		}
		_, err := m.pop(1)
		return err
	case opPopMark:
		_, err := m.popMark()
		return err
	case opDup:
		v, err := m.top()
		return m.give(v, 0, err)

	case opEmptyTuple:
		return m.push(emptyTuple)
	case opTuple:
		return m.tuple(m.popMark())
	case opTuple1:
		return m.tuple(m.pop(1))
	case opTuple2:
		return m.tuple(m.pop(2))
	case opTuple3:
		return m.tuple(m.pop(3))
	case opEmptyList:
		return m.give(&List{}, costContainer, nil)
	case opList:
		return m.list(m.popMark())
	case opAppend:
		return m.extend(m.pop(1))
	case opAppends:
		return m.extend(m.popMark())
	case opEmptyDict:
		return m.give(&Dict{Class: "dict"}, costContainer, nil)
	case opDict:
		items, err := m.popMark()
		if err != nil {
			return err
		}
		d := &Dict{Class: "dict"}
		if err := m.setItems(d, items); err != nil {
			return err
		}
		return m.give(d, costContainer, nil)
	case opSetItem:
		return m.update(m.pop(2))
	case opSetItems:
		return m.update(m.popMark())
	case opEmptySet:
		return m.give(&Set{}, costContainer, nil)
	case opAddItems:
		items, err := m.popMark()
		if err != nil {
			return err
		}
		v, err := m.top()
		if err != nil {
			return err
		}
		s, ok := v.(*Set)
		if !ok {
			return m.malformed("items are added to %s, not to a set", describe(v))
		}
		return m.addItems(s, items)
	case opFrozenSet:
		items, err := m.popMark()
		if err != nil {
			return err
		}
		s := &Set{}
		if err := m.addItems(s, items); err != nil {
			return err
		}
		return m.give(s, costContainer, nil)

	case opBinPut:
		n, err := m.number(1)
		return m.put(uint32(n), err)
	case opLongBinPut:
		n, err := m.number(4)
		return m.put(uint32(n), err)
	case opMemoize:
		return m.put(uint32(len(m.memo)+len(m.sparse)), nil)
	case opBinGet:
		n, err := m.number(1)
		return m.get(uint32(n), err)
	case opLongBinGet:
		n, err := m.number(4)
		return m.get(uint32(n), err)

	case opGlobal:
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		return m.global(module, name)
	case opStackGlobal:
		v, err := m.pop(2)
		if err != nil {
			return err
		}
		module, ok1 := v[0].(string)
		name, ok2 := v[1].(string)
		if !ok1 || !ok2 {
			return m.malformed("a global is named by %s and %s, not by two strs", describe(v[0]), describe(v[1]))
		}
		return m.global(module, name)
	case opReduce, opNewObj:
		v, err := m.pop(2)
		if err != nil {
			return err
		}
		return m.call(v[0], v[1], op == opNewObj)
	case opBuild:
		v, err := m.pop(1)
		if err != nil {
			return err
		}
		obj, err := m.top()
		if err != nil {
			return err
		}
		return m.build(obj, v[0])
	case opBinPersID:
		if m.file == nil {
			return m.malformed("a persistent id where no storage may be named")
		}
		v, err := m.pop(1)
		if err != nil {
			return err
		}
		s, err := m.storage(v[0])
		return m.give(s, 0, err)
	}
	if name := refused[op]; name != "" {
		return m.unsupported("opcode %s (%#02x), which torch.save does not write: save the tensors with torch.save", name, op)
	}
	return m.malformed("%#02x is no opcode", op)
}

// give pushes v, for which cost bytes were allocated, unless there is an error.
func (m *machine) give(v any, cost int, err error) error {
	if err != nil {
		return err
	}
	if err := m.spend(cost); err != nil {
		return err
	}
	return m.push(v)
}

// maxLong bounds an int, in bytes.
const maxLong = 1 << 16

// long pushes a little-endian two's complement number.
func (m *machine) long(b []byte, err error) error {
	if err != nil {
		return err
	}
	if len(b) > maxLong {
		return m.unsupported("an int of %d bytes, more than %d", len(b), maxLong)
	}
	minus := len(b) > 0 && b[len(b)-1]&0x80 != 0
	if len(b) <= 8 {
		var full [8]byte
		if minus {
			full = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
		}
		copy(full[:], b)
		return m.push(int64(binary.LittleEndian.Uint64(full[:])))
	}
	b = slices.Clone(b)
	slices.Reverse(b)
	if minus {
		for i := range b {
			b[i] = ^b[i]
		}
	}
	n := new(big.Int).SetBytes(b)
	if minus {
		n.Not(n)
	}
	if err := m.spend(64 + 3*len(b)); err != nil {
		return err
	}
	if n.IsInt64() {
		return m.push(n.Int64())
	}
	return m.push(n)
}

// str pushes a str. A lone surrogate stays the three bytes that Python writes for it.
func (m *machine) str(b []byte, err error) error {
	if err != nil {
		return err
	}
	old := m.data[m.op] == opBinString || m.data[m.op] == opShortBinString // of Python 2, with any bytes
	if !validText(b) && !(m.arrays && old) {
		return m.malformed("a str is not UTF-8")
	}
	return m.push(string(b))
}

// validText reports whether b is UTF-8 with surrogates let pass.
func validText(b []byte) bool {
	if utf8.Valid(b) {
		return true
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			if len(b) < 3 || b[0] != 0xed || b[1]&0xc0 != 0x80 || b[2]&0xc0 != 0x80 {
				return false
			}
			n = 3
		}
		b = b[n:]
	}
	return true
}

func (m *machine) blob(b []byte, err error) error {
	if err != nil {
		return err
	}
	return m.push(append([]byte{}, b...))
}

// emptyTuple is made once, since an opcode of one byte creates it.
var emptyTuple any = Tuple{}

func (m *machine) tuple(items []any, err error) error {
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return m.push(emptyTuple)
	}
	if err := m.spend(costTuple + costItem*len(items)); err != nil {
		return err
	}
	return m.push(append(make(Tuple, 0, len(items)), items...))
}

func (m *machine) list(items []any, err error) error {
	if err != nil {
		return err
	}
	if err := m.spend(costContainer + costItem*len(items)); err != nil {
		return err
	}
	return m.push(&List{append([]any{}, items...)})
}

func (m *machine) extend(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	l, ok := v.(*List)
	if !ok {
		return m.malformed("items are appended to %s, not to a list", describe(v))
	}
	if l.Items, err = m.grow(l.Items, len(items)); err != nil {
		return err
	}
	l.Items = append(l.Items, items...)
	return nil
}

func (m *machine) update(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	if !ok {
		return m.malformed("items are set in %s, not in a dict", describe(v))
	}
	return m.setItems(d, items)
}

func (m *machine) setItems(d *Dict, items []any) error {
	if len(items)%2 != 0 {
		return m.malformed("a dict's keys and values are %d, an odd number", len(items))
	}
	for i := 0; i < len(items); i += 2 {
		k, err := m.key(items[i])
		if err != nil {
			return err
		}
		d.set(k, items[i], items[i+1])
	}
	return nil
}

func (m *machine) addItems(s *Set, items []any) error {
	for _, v := range items {
		k, err := m.key(v)
		if err != nil {
			return err
		}
		s.add(k, v)
	}
	return nil
}

// key returns the stand-in of a dict's key or a set's member. Its length is charged to the budget, since with a memo a
// file can use a long one again and again.
func (m *machine) key(v any) (any, error) {
	k, ok := hashKey(v)
	if !ok {
		return nil, m.unsupported("%s as a dict's key or a set's member", describe(v))
	}
	cost := costEntry
	switch k := k.(type) {
	case string:
		cost += len(k)
	case bytesKey:
		cost += len(k)
	case bigKey:
		cost += 2 * len(k)
	case tupleKey:
		cost += 4 * len(k)
	}
	return k, m.spend(cost)
}

func (m *machine) put(n uint32, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	switch dense := uint32(len(m.memo)); {
	case n < dense:
		m.memo[n] = v
	case n == dense:
		if m.memo, err = m.grow(m.memo, 1); err != nil {
			return err
		}
		m.memo = append(m.memo, v)
		delete(m.sparse, n)
	default:
		if m.sparse == nil {
			m.sparse = map[uint32]any{}
		}
		if _, ok := m.sparse[n]; !ok {
			if err := m.spend(costSparse); err != nil {
				return err
			}
		}
		m.sparse[n] = v
	}
	return nil
}

func (m *machine) get(n uint32, err error) error {
	if err != nil {
		return err
	}
	if n < uint32(len(m.memo)) {
		return m.push(m.memo[n])
	}
	v, ok := m.sparse[n]
	if !ok {
		return m.malformed("memo %d is read before it is written", n)
	}
	return m.push(v)
}

// maxName bounds a global's module and name.
const maxName = 1024

func (m *machine) line() (string, error) {
	rest := m.data[m.pos:]
	n := bytes.IndexByte(rest[:min(len(rest), maxName)], '\n')
	if n < 0 {
		return "", m.malformed("a global's name has no end")
	}
	m.pos += n + 1
	return string(rest[:n]), nil
}
