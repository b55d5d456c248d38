// Package strictzip reads zip files of which every part is accounted for, for readers of files that may be hostile.
package strictzip

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/torchhub/torchhub/internal/badfile"
)

// An Archive is a zip file of which every part is accounted for: its records lie disjoint before its directory, the directory lies right before the
// end record, and no two records go by one name. archive/zip takes more, as PyTorch does, and so two readers of one file may see two checkpoints.
//
// Bytes may follow the end record, as in a file that two archives were written to: PyTorch ignores them, too. But each reader finds the last end
// record in the file first, so that one must describe the same directory.
type Archive struct {
	Records []*Record
	Root    string // the folder that all records are in, with a slash at the end, once SetRoot has found one

	data   []byte
	byName map[string]*Record // by what follows Root
}

// A Record is a file in an archive.
type Record struct {
	Name     string
	Deflated bool
	Size     int // in memory, in bytes
	Header   int // where its local header begins, in the archive

	crc        uint32
	at, packed int // of its bytes, in the archive
}

const (
	maxRecordName = 1024

	localSize    = 30
	centralSize  = 46
	endSize      = 22
	end64Size    = 56
	locator64    = 20
	endMagic     = "PK\x05\x06"
	end64Magic   = "PK\x06\x06"
	flagCrypt    = 1 << 0
	flagStrong   = 1 << 6
	flagMasked   = 1 << 13
	flagDescribe = 1 << 3 // sizes follow the bytes, and are in the directory
	deflate      = 8
)

func le16(b []byte) uint64 { return uint64(binary.LittleEndian.Uint16(b)) }
func le32(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func zipError(at int, format string, args ...any) error {
	return &badfile.MalformedError{Offset: int64(at), Msg: fmt.Sprintf("zip: "+format, args...)}
}

func zipFeature(at int, format string, args ...any) error {
	return &badfile.UnsupportedError{Offset: int64(at), Feature: fmt.Sprintf("zip: "+format, args...)}
}

// Open reads the directory of the archive that data begins with. Errors are a *badfile.MalformedError or a *badfile.UnsupportedError; their
// offsets are in data.
func Open(data []byte) (*Archive, error) {
	e, err := directory(data)
	if err != nil {
		return nil, err
	}
	data = data[:e.end:e.end]
	dir, count := e.dir, e.count
	z := &Archive{data: data, Records: make([]*Record, 0, count)}
	folded := make(map[string]string, count)
	byPlace := make([]*Record, 0, count)
	z.prefetch(dir, count)
	pos, end := dir.start, dir.end
	for range count {
		if end-pos < centralSize || !bytes.HasPrefix(data[pos:], []byte("PK\x01\x02")) {
			return nil, zipError(pos, "the directory is damaged")
		}
		r, n, err := z.entry(data[pos:end], pos, dir.start)
		if err != nil {
			return nil, err
		}
		pos += n
		byPlace = append(byPlace, r)
		if strings.HasSuffix(r.Name, "/") {
			if r.Size != 0 {
				return nil, zipError(pos-n, "the folder %q has bytes", r.Name)
			}
			continue
		}
		fold := strings.ToLower(r.Name)
		if other, ok := folded[fold]; ok {
			return nil, zipError(pos-n, "the records %q and %q go by one name", other, r.Name)
		}
		folded[fold] = r.Name
		z.Records = append(z.Records, r)
	}
	if pos != end {
		return nil, zipError(pos, "the directory has %d bytes more than its %d records", end-pos, count)
	}
	if len(z.Records) == 0 {
		return nil, zipError(0, "there are no records")
	}
	slices.SortFunc(byPlace, func(a, b *Record) int { return cmp.Compare(a.Header, b.Header) })
	if at := byPlace[0].Header; at != 0 {
		return nil, zipError(0, "%d bytes precede the first record", at)
	}
	for i, r := range byPlace[1:] {
		if before := byPlace[i]; before.at+before.packed > r.Header {
			return nil, zipError(r.Header, "the records %q and %q overlap", before.Name, r.Name)
		}
	}
	return z, nil
}

// prefetch asks for the pages of the local headers, all at once, where the archive is a mapped file that is not in memory. To fault them in one by
// one takes a wait each, in which the kernel reads megabytes around the page.
func (z *Archive) prefetch(dir span, count int) {
	if len(z.data) < 64<<20 {
		return
	}
	pos := dir.start
	for range count {
		if dir.end-pos < centralSize {
			return
		}
		b := z.data[pos:dir.end]
		name, extra, comment := int(le16(b[28:])), int(le16(b[30:])), int(le16(b[32:]))
		size, packed, header := le32(b[24:]), le32(b[20:]), le32(b[42:])
		n := centralSize + name + extra + comment
		if n > len(b) || !wide(b[centralSize+name:centralSize+name+extra], &size, &packed, &header) || header >= uint64(dir.start) {
			return
		}
		willNeed(z.data[header:min(header+localSize+maxRecordName, uint64(dir.start))])
		pos += n
	}
}

type span struct{ start, end int }

// An ending is what an end record says, together with the zip64 record before it.
type ending struct {
	dir   span
	count int
	at    int // of the first of the end records
	end   int // of the last one
}

// directory finds the archive's end record, and with it the central directory.
func directory(data []byte) (ending, error) {
	from := max(0, len(data)-endSize-math.MaxUint16) // as PyTorch searches
	last := bytes.LastIndex(data[from:max(from, len(data)-endSize+len(endMagic))], []byte(endMagic))
	if last < 0 {
		return ending{}, zipError(len(data), "there is no end record: the file is cut short, download it again")
	}
	e, err := readEnding(data, from+last)
	if err != nil || e.dir.end == e.at {
		return e, err
	}
	// Bytes follow the archive, and the record at hand may be that of another archive, of the same layout.
	at := e.dir.end
	if bytes.HasPrefix(data[at:], []byte(end64Magic)) {
		at += end64Size + locator64
	}
	if at > e.at || !bytes.HasPrefix(data[at:], []byte(endMagic)) {
		return ending{}, zipError(e.end-endSize, "the directory of %d bytes at %d does not end where an end record begins: the file is cut short, damaged, or holds two different archives", e.dir.end-e.dir.start, e.dir.start)
	}
	first, err := readEnding(data, at)
	if err == nil && (first.dir != e.dir || first.count != e.count || first.at != e.dir.end) {
		err = zipError(at, "the two end records differ")
	}
	return first, err
}

// readEnding reads the end record at a place.
func readEnding(data []byte, at int) (ending, error) {
	fail := func(err error) (ending, error) { return ending{}, err }
	e := data[at:]
	if len(e) < endSize || int(le16(e[20:])) > len(e)-endSize {
		return fail(zipError(at, "the end record is cut short"))
	}
	disk, dirDisk, here, count, size, offset := le16(e[4:]), le16(e[6:]), le16(e[8:]), le16(e[10:]), le32(e[12:]), le32(e[16:])
	start := at
	if loc := at - locator64; loc >= 0 && bytes.HasPrefix(data[loc:], []byte("PK\x06\x07")) {
		at64, where := loc-end64Size, le64(data[loc+8:])
		// in an archive behind another one it is counted from that archive's start
		if at64 < 0 || !bytes.HasPrefix(data[at64:], []byte(end64Magic)) || le64(data[at64+4:]) != end64Size-12 || where > uint64(at64) {
			return fail(zipError(loc, "the zip64 end record is not where its locator says"))
		}
		if le32(data[loc+4:]) != 0 || le32(data[loc+16:]) != 1 {
			return fail(zipFeature(loc, "an archive in several parts"))
		}
		e := data[at64:]
		start = at64
		for _, f := range []struct {
			short *uint64
			long  uint64
			max   uint64
		}{
			{&disk, le32(e[16:]), math.MaxUint16}, {&dirDisk, le32(e[20:]), math.MaxUint16}, {&here, le64(e[24:]), math.MaxUint16},
			{&count, le64(e[32:]), math.MaxUint16}, {&size, le64(e[40:]), math.MaxUint32}, {&offset, le64(e[48:]), math.MaxUint32},
		} {
			if *f.short != f.max && *f.short != f.long {
				return fail(zipError(at64, "the two end records differ"))
			}
			*f.short = f.long
		}
		if size <= where && where-size != offset {
			return fail(zipError(loc, "the zip64 end record is not where its locator says"))
		}
	}
	if disk != 0 || dirDisk != 0 || here != count {
		return fail(zipFeature(at, "an archive in several parts"))
	}
	if offset > uint64(start) || size > uint64(start)-offset {
		return fail(zipError(at, "the directory of %d bytes at %d exceeds the file: it is cut short or damaged", size, offset))
	}
	if count > size/centralSize {
		return fail(zipError(at, "a directory of %d bytes has no room for %d records", size, count))
	}
	return ending{span{int(offset), int(offset + size)}, int(count), start, at + endSize}, nil
}

// entry reads a directory entry, whose size it returns, and the local header that it points to. Records end before limit.
func (z *Archive) entry(b []byte, pos, limit int) (*Record, int, error) {
	flags, method := le16(b[8:]), le16(b[10:])
	crc, packed, size := uint32(le32(b[16:])), le32(b[20:]), le32(b[24:])
	name, extra, comment := int(le16(b[28:])), int(le16(b[30:])), int(le16(b[32:]))
	disk, header := le16(b[34:]), le32(b[42:])
	n := centralSize + name + extra + comment
	if n > len(b) {
		return nil, 0, zipError(pos, "a directory entry of %d bytes exceeds the directory", n)
	}
	r := &Record{Name: string(b[centralSize : centralSize+name]), crc: crc, Deflated: method == deflate}
	if err := checkName(r.Name, pos); err != nil {
		return nil, 0, err
	}
	if !wide(b[centralSize+name:centralSize+name+extra], &size, &packed, &header) {
		return nil, 0, zipError(pos, "record %q lacks its zip64 sizes", badfile.Clip(r.Name))
	}
	switch {
	case disk != 0 && disk != math.MaxUint16:
		return nil, 0, zipFeature(pos, "an archive in several parts")
	case flags&(flagCrypt|flagStrong|flagMasked) != 0:
		return nil, 0, zipFeature(pos, "record %q is encrypted", r.Name)
	case method != 0 && method != deflate:
		return nil, 0, zipFeature(pos, "record %q is compressed by method %d: only stored and deflated ones are read", r.Name, method)
	case method == 0 && size != packed:
		return nil, 0, zipError(pos, "record %q is stored, yet has the sizes %d and %d", r.Name, packed, size)
	case header > uint64(limit) || uint64(limit)-header < localSize:
		return nil, 0, zipError(pos, "record %q begins at %d, behind the directory's start", r.Name, header)
	case size > math.MaxInt:
		return nil, 0, zipError(pos, "record %q has %d bytes", r.Name, size)
	}
	r.Header, r.Size = int(header), int(size)

	l := z.data[r.Header:limit]
	if !bytes.HasPrefix(l, []byte("PK\x03\x04")) {
		return nil, 0, zipError(r.Header, "record %q has no local header", r.Name)
	}
	localName, localExtra := int(le16(l[26:])), int(le16(l[28:]))
	skip := localSize + localName + localExtra
	if skip > len(l) || packed > uint64(len(l)-skip) {
		return nil, 0, zipError(r.Header, "record %q of %d bytes exceeds the file: it is cut short or damaged", r.Name, packed)
	}
	r.at, r.packed = r.Header+skip, int(packed)
	if string(l[localSize:localSize+localName]) != r.Name {
		return nil, 0, zipError(r.Header, "record %q is %q in its local header", r.Name, badfile.Clip(string(l[localSize:localSize+localName])))
	}
	if le16(l[8:]) != method || (le16(l[6:])^flags)&(flagCrypt|flagStrong|flagMasked) != 0 {
		return nil, 0, zipError(r.Header, "record %q is packed differently in its local header", r.Name)
	}
	if le16(l[6:])&flagDescribe == 0 {
		lcrc, lpacked, lsize := uint32(le32(l[14:])), le32(l[18:]), le32(l[22:])
		if !wide(l[localSize+localName:skip], &lsize, &lpacked, nil) || lcrc != crc || lpacked != packed || lsize != size {
			return nil, 0, zipError(r.Header, "record %q has other sizes or another checksum in its local header", r.Name)
		}
	}
	return r, n, nil
}

// wide replaces the sizes and the header's offset by what the zip64 extra field holds, where they are all ones, and reports whether it holds them.
func wide(extra []byte, size, packed, header *uint64) bool {
	var need []*uint64
	for _, v := range []*uint64{size, packed, header} {
		if v != nil && *v == math.MaxUint32 {
			need = append(need, v)
		}
	}
	if len(need) == 0 {
		return true
	}
	for len(extra) >= 4 {
		id, n := le16(extra), int(le16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return false
		}
		if id == 1 {
			if n < 8*len(need) {
				return false
			}
			for i, v := range need {
				*v = le64(extra[8*i:])
			}
			return true
		}
		extra = extra[n:]
	}
	return false
}

func checkName(name string, pos int) error {
	if name == "" || len(name) > maxRecordName || !utf8.ValidString(name) || strings.HasPrefix(name, "/") ||
		strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return zipError(pos, "a record is named %q", badfile.Clip(name))
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		if part == "" || part == "." || part == ".." {
			return zipError(pos, "a record is named %q", badfile.Clip(name))
		}
	}
	return nil
}

// Size returns the size of the archive in bytes.
func (z *Archive) Size() int { return len(z.data) }

// Get returns the record of a name without the root, nil where there is none. It is for archives whose root [Archive.SetRoot] has found.
func (z *Archive) Get(name string) *Record { return z.byName[name] }

// Names ranges over the records and their names without the root, in no order.
func (z *Archive) Names() iter.Seq2[string, *Record] { return maps.All(z.byName) }

// SetRoot finds the folder that all records must be in, as it is in files of PyTorch.
func (z *Archive) SetRoot() error {
	z.byName = make(map[string]*Record, len(z.Records))
	for i, r := range z.Records {
		root, rest, ok := strings.Cut(r.Name, "/")
		if !ok {
			if strings.HasSuffix(r.Name, ".npy") {
				return zipFeature(r.Header, "this is a NumPy .npz file: load it with torch/numpy")
			}
			return zipError(r.Header, "record %q is in no folder, so this is not a file of torch.save", r.Name)
		}
		if i == 0 {
			z.Root = root + "/"
		}
		if root+"/" != z.Root {
			return zipError(r.Header, "record %q is not in the folder %q, as all should be", r.Name, z.Root)
		}
		z.byName[rest] = r
	}
	return nil
}

// A Reader reads records, within a limit for deflated ones.
type Reader struct {
	SkipCRC bool // whether no checksum is compared

	max, left int64
	inflater  io.Reader
}

// NewReader returns a Reader of deflated records that take up to so many bytes together.
func NewReader(limit int64) *Reader { return &Reader{max: limit, left: limit} }

// DefaultLimit is enough for the deflated records of an archive of so many bytes that PyTorch wrote, or that was packed again: weights deflate little.
func DefaultLimit(size int) int64 { return 32<<20 + 16*int64(size) }

// Checked is [Reader.Read] with the checksum compared of stored records, too.
func (r *Reader) Checked(z *Archive, rec *Record, base int64) ([]byte, int64, error) {
	b, off, err := r.Read(z, rec, base)
	if err == nil && !r.SkipCRC && !rec.Deflated {
		err = z.verify(rec, b)
	}
	return b, off, err
}

// Read returns a record's bytes and their place in the input, in which z begins at base: -1 when base is, or when they were inflated. Others alias
// the archive, and their checksum is not compared.
func (r *Reader) Read(z *Archive, rec *Record, base int64) ([]byte, int64, error) {
	packed := z.raw(rec)
	if !rec.Deflated {
		if base < 0 {
			return packed, -1, nil
		}
		return packed, base + int64(rec.at), nil
	}
	if int64(rec.Size) > r.left {
		return nil, 0, &badfile.UnsupportedError{Record: rec.Name, Feature: fmt.Sprintf("deflated records of more than %d bytes together: raise Limits.Inflate", r.max)}
	}
	// deflate cannot do better than this, so a lie about the size costs no memory
	if rec.Size/1032 > rec.packed {
		return nil, 0, &badfile.MalformedError{Record: rec.Name, Msg: fmt.Sprintf("%d deflated bytes cannot make %d", rec.packed, rec.Size)}
	}
	r.left -= int64(rec.Size)
	src := bytes.NewReader(packed)
	// one for all records, since each would take 40 kB
	if r.inflater == nil {
		r.inflater = flate.NewReader(src)
	} else if err := r.inflater.(flate.Resetter).Reset(src, nil); err != nil {
		return nil, 0, &badfile.MalformedError{Record: rec.Name, Msg: fmt.Sprintf("the deflated bytes cannot be read: %v", err)}
	}
	b := make([]byte, rec.Size)
	if _, err := io.ReadFull(r.inflater, b); err != nil {
		return nil, 0, &badfile.MalformedError{Record: rec.Name, Msg: fmt.Sprintf("the deflated bytes are damaged: %v", err)}
	}
	if n, err := io.ReadFull(r.inflater, make([]byte, 1)); n != 0 || err != io.EOF || src.Len() != 0 {
		return nil, 0, &badfile.MalformedError{Record: rec.Name, Msg: fmt.Sprintf("the deflated bytes do not make the %d that the directory says", rec.Size)}
	}
	if !r.SkipCRC {
		if err := z.verify(rec, b); err != nil {
			return nil, 0, err
		}
	}
	return b, -1, nil
}

// raw returns a record's bytes as they lie in the archive.
func (z *Archive) raw(rec *Record) []byte {
	return z.data[rec.at : rec.at+rec.packed : rec.at+rec.packed]
}

// verify compares the checksum of a record's bytes b.
func (z *Archive) verify(rec *Record, b []byte) error {
	if sum := crc32.ChecksumIEEE(b); sum != rec.crc {
		return &badfile.MalformedError{Record: rec.Name, Msg: fmt.Sprintf("its checksum is %08x, not %08x: the file is damaged, or was saved without checksums", sum, rec.crc)}
	}
	return nil
}

// VerifyAll compares the checksums of stored records on all CPUs, and reports the first that differs.
func (z *Archive) VerifyAll(recs []*Record) error {
	errs := make([]error, len(recs))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(recs)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(recs); i = int(next.Add(1)) - 1 {
				errs[i] = z.verify(recs[i], z.raw(recs[i]))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Is reports whether data begins as a zip file that has records does.
func Is(data []byte) bool { return bytes.HasPrefix(data, []byte("PK\x03\x04")) }
