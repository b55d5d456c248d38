package pickle

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// RootOf returns the name of the folder in the zip file that torch.save writes to path: its base name without the
// extension, or "archive" if that is empty or not ASCII.
func RootOf(path string) string {
	name := filepath.Base(path)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[:i]
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r > 0x7e || r < ' ' || r == '\\' || r == '/' }) {
		return "archive"
	}
	return name
}

// A Writer writes the zip layout of torch.save, the records one after the other, to a stream. The bytes are those that
// PyTorch writes, apart from half of the record .data/serialization_id, which is a hash of the names of the records.
type Writer struct {
	w       *bufio.Writer
	at      int64 // bytes written
	root    string
	entries []zipEntry
	sum     uint64 // of the checksums of the records
	keys    map[*Storage]string
	err     error // of the first write that failed
}

// A zipEntry is a record for the directory of the zip file.
type zipEntry struct {
	name     string
	at, size int64
	crc      uint32
}

// NewWriter returns a writer of an archive whose records are in the folder root.
func NewWriter(w io.Writer, root string) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 1<<16), root: root, keys: map[*Storage]string{}}
}

// Write writes v, of the types that [Read] returns, as torch.save does.
func Write(w io.Writer, root string, v any) error { return NewWriter(w, root).Close(v) }

// Add writes the bytes of a storage ahead of the value that refers to it.
func (w *Writer) Add(s *Storage) error {
	w.keys[s] = strconv.Itoa(len(w.keys))
	return w.storage(s)
}

// Close writes v and those of its storages that were not added before, and ends the archive.
func (w *Writer) Close(v any) error {
	added := len(w.keys)
	p := &pickler{memo: map[any]uint32{}, open: map[any]bool{}, keys: w.keys}
	if err := p.dump(v); err != nil {
		return err
	}
	w.text("data.pkl", string(p.out))
	if added == 0 { // these say that the storages follow in order
		w.text(".format_version", "1")
		w.text(".storage_alignment", strconv.Itoa(alignment))
	}
	w.text("byteorder", "little")
	for _, s := range p.storages {
		if err := w.storage(s); err != nil {
			return err
		}
	}
	w.text("version", "3\n")
	return w.end()
}

// Record writes a record of an archive that has no pickle, as .pt2 packages are. End ends it.
func (w *Writer) Record(name, data string) error {
	w.text(name, data)
	return w.err
}

// RecordStorage is [Writer.Record] of the bytes of a storage.
func (w *Writer) RecordStorage(name string, s *Storage) error {
	return w.record(name, int64(s.size), s.bytes())
}

// End ends an archive of records.
func (w *Writer) End() error {
	w.text("byteorder", "little")
	return w.end()
}

// end writes what ends an archive.
func (w *Writer) end() error {
	names := fnv.New64a()
	for _, e := range w.entries {
		_, _ = io.WriteString(names, e.name+"\n")
	}
	w.text(".data/serialization_id", fmt.Sprintf("%020d%020d", names.Sum64(), w.sum))
	w.directory()
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

func (w *Writer) storage(s *Storage) error {
	return w.record("data/"+w.keys[s], int64(s.size), s.bytes())
}

// text writes a record of bytes at hand.
func (w *Writer) text(name, data string) {
	_ = w.record(name, int64(len(data)), func(yield func([]byte, error) bool) { yield([]byte(data), nil) })
}

const (
	alignment = 64 // of the bytes of a record
	localSize = 30 // bytes of a record's head, without name and extra field

	signatureLocal, signatureData, signatureCentral = 0x04034b50, 0x08074b50, 0x02014b50
	signatureEnd, signatureEnd64, signatureLocator  = 0x06054b50, 0x06064b50, 0x07064b50
)

var le = binary.LittleEndian

// put writes to the stream, and notes the first error.
func (w *Writer) put(parts ...[]byte) {
	for _, b := range parts {
		if w.err == nil {
			_, w.err = w.w.Write(b)
			w.at += int64(len(b))
		}
	}
}

// record writes a record of size bytes, which come in pieces.
func (w *Writer) record(name string, size int64, pieces iter.Seq2[[]byte, error]) error {
	e := zipEntry{name: w.root + "/" + name, at: w.at, size: size}
	large := size >= math.MaxUint32 || e.at >= math.MaxUint32
	extra := e.extra(0)
	pad := int(-(e.at + localSize + int64(len(e.name)+len(extra)) + 4) & (alignment - 1))
	extra = append(extra, 'F', 'B', byte(pad), byte(pad>>8))
	extra = append(extra, strings.Repeat("Z", pad)...)
	w.put(le.AppendUint32(nil, signatureLocal), words(0, e.flags(), 0, 0, 0), make([]byte, 12), words(uint16(len(e.name)), uint16(len(extra))), []byte(e.name), extra)

	start := w.at
	for piece, err := range pieces {
		if w.err == nil {
			w.err = err
		}
		for part := range slices.Chunk(piece, 1<<18) { // what is summed is still in the cache when it is written
			e.crc = crc32.Update(e.crc, crc32.IEEETable, part)
			w.put(part)
		}
		if w.err != nil {
			return w.err
		}
	}
	if w.err == nil && w.at-start != size {
		w.err = fmt.Errorf("the record %q has %d bytes, not %d", e.name, w.at-start, size)
	}
	if size > 0 {
		w.sum ^= uint64(e.crc) + 0x9e3779b9 + w.sum<<6 + w.sum>>2 // c10::hash_combine
		w.put(le.AppendUint32(nil, signatureData), le.AppendUint32(nil, e.crc))
		if large {
			w.put(le.AppendUint64(nil, uint64(size)), le.AppendUint64(nil, uint64(size)))
		} else {
			w.put(le.AppendUint32(nil, uint32(size)), le.AppendUint32(nil, uint32(size)))
		}
	}
	w.entries = append(w.entries, e)
	return w.err
}

// words returns numbers of 16 bits.
func words(vs ...uint16) (b []byte) {
	for _, v := range vs {
		b = le.AppendUint16(b, v)
	}
	return b
}

// flags returns the bits of a record: UTF-8 names and, unless it is empty, the checksum and the sizes behind its bytes.
func (e *zipEntry) flags() uint16 {
	if e.size == 0 {
		return 1 << 11
	}
	return 1<<11 | 1<<3
}

// extra returns the extra field with those sizes and that offset of a record that do not fit into 32 bits. Before its bytes, miniz
// says that none of them are stored.
func (e *zipEntry) extra(stored int64) (b []byte) {
	if e.size >= math.MaxUint32 {
		b = le.AppendUint64(le.AppendUint64(b, uint64(e.size)), uint64(stored))
	}
	if e.at >= math.MaxUint32 {
		b = le.AppendUint64(b, uint64(e.at))
	}
	if b == nil {
		return nil
	}
	return append(words(1, uint16(len(b))), b...)
}

// directory writes the directory of the zip file and what ends it.
func (w *Writer) directory() {
	at := w.at
	for _, e := range w.entries {
		extra := e.extra(e.size)
		size := le.AppendUint32(nil, uint32(min(e.size, math.MaxUint32)))
		w.put(le.AppendUint32(nil, signatureCentral), words(0, 0, e.flags(), 0, 0, 0), le.AppendUint32(nil, e.crc), size, size,
			words(uint16(len(e.name)), uint16(len(extra)), 0, 0, 0), make([]byte, 4), le.AppendUint32(nil, uint32(min(e.at, math.MaxUint32))), []byte(e.name), extra)
	}
	size, count, end := uint64(w.at-at), uint64(len(w.entries)), w.at
	w.put(le.AppendUint32(nil, signatureEnd64), le.AppendUint64(nil, 44), words(0x031e, 45), make([]byte, 8)) // always, as miniz does
	for _, n := range []uint64{count, count, size, uint64(at)} {
		w.put(le.AppendUint64(nil, n))
	}
	w.put(le.AppendUint32(nil, signatureLocator), make([]byte, 4), le.AppendUint64(nil, uint64(end)), le.AppendUint32(nil, 1))
	n := uint16(min(count, math.MaxUint16))
	w.put(le.AppendUint32(nil, signatureEnd), words(0, 0, n, n), le.AppendUint32(nil, uint32(min(size, math.MaxUint32))),
		le.AppendUint32(nil, uint32(min(at, math.MaxUint32))), words(0))
}
