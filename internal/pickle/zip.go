package pickle

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// archive is a zip file of which every part is accounted for: its end record ends the file, its directory lies right before that, its
// records lie disjoint before the directory, and no two of them go by one name. archive/zip takes more, as PyTorch does, and so two readers of
// one file may see two checkpoints.
type archive struct {
	data    []byte
	entries []*record
	root    string             // of all records' names, with a slash at the end
	records map[string]*record // by what follows root
}

// record is a file in an archive.
type record struct {
	name         string
	deflated     bool
	crc          uint32
	header, at   int // of its local header and of its bytes, in the archive
	packed, size int // of its bytes, in the archive and in memory
}

const (
	maxEntries    = 1 << 18
	maxRecordName = 1024

	localSize    = 30
	centralSize  = 46
	endSize      = 22
	end64Size    = 56
	locator64    = 20
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
	return &MalformedError{Offset: int64(at), Msg: fmt.Sprintf("zip: "+format, args...)}
}

func zipFeature(at int, format string, args ...any) error {
	return &UnsupportedError{Offset: int64(at), Feature: fmt.Sprintf("zip: "+format, args...)}
}

// openZip reads the directory. Errors' offsets are in data.
func openZip(data []byte) (*archive, error) {
	dir, count, err := directory(data)
	if err != nil {
		return nil, err
	}
	z := &archive{data: data, entries: make([]*record, 0, count)}
	folded := make(map[string]string, count)
	byPlace := make([]*record, 0, count)
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
		if strings.HasSuffix(r.name, "/") {
			if r.size != 0 {
				return nil, zipError(pos-n, "the folder %q has bytes", r.name)
			}
			continue
		}
		fold := strings.ToLower(r.name)
		if other, ok := folded[fold]; ok {
			return nil, zipError(pos-n, "the records %q and %q go by one name", other, r.name)
		}
		folded[fold] = r.name
		z.entries = append(z.entries, r)
	}
	if pos != end {
		return nil, zipError(pos, "the directory has %d bytes more than its %d records", end-pos, count)
	}
	if len(z.entries) == 0 {
		return nil, zipError(0, "there are no records")
	}
	slices.SortFunc(byPlace, func(a, b *record) int { return cmp.Compare(a.header, b.header) })
	if at := byPlace[0].header; at != 0 {
		return nil, zipError(0, "%d bytes precede the first record", at)
	}
	for i, r := range byPlace[1:] {
		if before := byPlace[i]; before.at+before.packed > r.header {
			return nil, zipError(r.header, "the records %q and %q overlap", before.name, r.name)
		}
	}
	return z, nil
}

type span struct{ start, end int }

// directory finds the central directory and the number of its entries.
func directory(data []byte) (span, int, error) {
	at := len(data) - endSize
	if at < 0 || !bytes.HasPrefix(data[at:], []byte("PK\x05\x06")) || le16(data[at+20:]) != 0 {
		return span{}, 0, noEnd(data)
	}
	e := data[at:]
	disk, dirDisk, here, count, size, offset := le16(e[4:]), le16(e[6:]), le16(e[8:]), le16(e[10:]), le32(e[12:]), le32(e[16:])
	dirEnd := at
	if loc := at - locator64; loc >= 0 && bytes.HasPrefix(data[loc:], []byte("PK\x06\x07")) {
		at64 := loc - end64Size
		if at64 < 0 || !bytes.HasPrefix(data[at64:], []byte("PK\x06\x06")) || le64(data[at64+4:]) != end64Size-12 || le64(data[loc+8:]) != uint64(at64) {
			return span{}, 0, zipError(loc, "the zip64 end record is not where its locator says")
		}
		e := data[at64:]
		dirEnd = at64
		for _, f := range []struct {
			short *uint64
			long  uint64
			max   uint64
		}{
			{&disk, le32(e[16:]), math.MaxUint16}, {&dirDisk, le32(e[20:]), math.MaxUint16}, {&here, le64(e[24:]), math.MaxUint16},
			{&count, le64(e[32:]), math.MaxUint16}, {&size, le64(e[40:]), math.MaxUint32}, {&offset, le64(e[48:]), math.MaxUint32},
		} {
			if *f.short != f.max && *f.short != f.long {
				return span{}, 0, zipError(at64, "the two end records differ")
			}
			*f.short = f.long
		}
	}
	if disk != 0 || dirDisk != 0 || here != count {
		return span{}, 0, zipFeature(at, "an archive in several parts")
	}
	if offset > uint64(dirEnd) || size != uint64(dirEnd)-offset {
		return span{}, 0, zipError(at, "the directory of %d bytes at %d does not end where the end record begins, at %d: the file is cut short or damaged", size, offset, dirEnd)
	}
	if count > size/centralSize {
		return span{}, 0, zipError(at, "a directory of %d bytes has no room for %d records", size, count)
	}
	if count > maxEntries {
		return span{}, 0, zipFeature(at, "more than %d records", maxEntries)
	}
	return span{int(offset), dirEnd}, int(count), nil
}

// noEnd says why data has no end record where it must be.
func noEnd(data []byte) error {
	from := max(0, len(data)-endSize-math.MaxUint16)
	at := bytes.LastIndex(data[from:], []byte("PK\x05\x06"))
	switch {
	case at < 0:
		return zipError(len(data), "there is no end record: the file is cut short, download it again")
	case len(data)-from-at >= endSize && int(le16(data[from+at+20:])) == len(data)-from-at-endSize:
		return zipFeature(from+at, "an archive with a comment: pack it again without")
	}
	return zipError(from+at, "the end record does not end the file")
}

// entry reads a directory entry, whose size it returns, and the local header that it points to. Records end before limit.
func (z *archive) entry(b []byte, pos, limit int) (*record, int, error) {
	flags, method := le16(b[8:]), le16(b[10:])
	crc, packed, size := uint32(le32(b[16:])), le32(b[20:]), le32(b[24:])
	name, extra, comment := int(le16(b[28:])), int(le16(b[30:])), int(le16(b[32:]))
	disk, header := le16(b[34:]), le32(b[42:])
	n := centralSize + name + extra + comment
	if n > len(b) {
		return nil, 0, zipError(pos, "a directory entry of %d bytes exceeds the directory", n)
	}
	r := &record{name: string(b[centralSize : centralSize+name]), crc: crc, deflated: method == deflate}
	if err := checkName(r.name, pos); err != nil {
		return nil, 0, err
	}
	if !wide(b[centralSize+name:centralSize+name+extra], &size, &packed, &header) {
		return nil, 0, zipError(pos, "record %q lacks its zip64 sizes", clip(r.name))
	}
	switch {
	case disk != 0 && disk != math.MaxUint16:
		return nil, 0, zipFeature(pos, "an archive in several parts")
	case flags&(flagCrypt|flagStrong|flagMasked) != 0:
		return nil, 0, zipFeature(pos, "record %q is encrypted", r.name)
	case method != 0 && method != deflate:
		return nil, 0, zipFeature(pos, "record %q is compressed by method %d: only stored and deflated ones are read", r.name, method)
	case method == 0 && size != packed:
		return nil, 0, zipError(pos, "record %q is stored, yet has the sizes %d and %d", r.name, packed, size)
	case header > uint64(limit) || uint64(limit)-header < localSize:
		return nil, 0, zipError(pos, "record %q begins at %d, behind the directory's start", r.name, header)
	case size > math.MaxInt:
		return nil, 0, zipError(pos, "record %q has %d bytes", r.name, size)
	}
	r.header, r.size = int(header), int(size)

	l := z.data[r.header:limit]
	if !bytes.HasPrefix(l, []byte("PK\x03\x04")) {
		return nil, 0, zipError(r.header, "record %q has no local header", r.name)
	}
	localName, localExtra := int(le16(l[26:])), int(le16(l[28:]))
	skip := localSize + localName + localExtra
	if skip > len(l) || packed > uint64(len(l)-skip) {
		return nil, 0, zipError(r.header, "record %q of %d bytes exceeds the file: it is cut short or damaged", r.name, packed)
	}
	r.at, r.packed = r.header+skip, int(packed)
	if string(l[localSize:localSize+localName]) != r.name {
		return nil, 0, zipError(r.header, "record %q is %q in its local header", r.name, clip(string(l[localSize:localSize+localName])))
	}
	if le16(l[8:]) != method || (le16(l[6:])^flags)&(flagCrypt|flagStrong|flagMasked) != 0 {
		return nil, 0, zipError(r.header, "record %q is packed differently in its local header", r.name)
	}
	if le16(l[6:])&flagDescribe == 0 {
		lcrc, lpacked, lsize := uint32(le32(l[14:])), le32(l[18:]), le32(l[22:])
		if !wide(l[localSize+localName:skip], &lsize, &lpacked, nil) || lcrc != crc || lpacked != packed || lsize != size {
			return nil, 0, zipError(r.header, "record %q has other sizes or another checksum in its local header", r.name)
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
		return zipError(pos, "a record is named %q", clip(name))
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		if part == "" || part == "." || part == ".." {
			return zipError(pos, "a record is named %q", clip(name))
		}
	}
	return nil
}

// single returns the only record of an archive that wraps a checkpoint, as torch.hub allows, and nil for other archives.
func (z *archive) single() *record {
	if len(z.entries) != 1 || strings.HasSuffix(z.entries[0].name, "/data.pkl") {
		return nil
	}
	return z.entries[0]
}

// setRoot finds the folder that all records must be in.
func (z *archive) setRoot() error {
	z.records = make(map[string]*record, len(z.entries))
	for i, r := range z.entries {
		root, rest, ok := strings.Cut(r.name, "/")
		if !ok {
			if strings.HasSuffix(r.name, ".npy") {
				return zipFeature(r.header, "this is a NumPy .npz file: save its arrays as tensors")
			}
			return zipError(r.header, "record %q is in no folder, so this is not a file of torch.save", r.name)
		}
		if i == 0 {
			z.root = root + "/"
		}
		if root+"/" != z.root {
			return zipError(r.header, "record %q is not in the folder %q, as all should be", r.name, z.root)
		}
		z.records[rest] = r
	}
	return nil
}

// otherArchives names kinds of archive by a record that they hold.
var otherArchives = []struct{ record, name string }{
	{"constants.pkl", "a TorchScript archive: load it with torch/jit"},
	{"archive_format", "a torch.export or AOTInductor package (.pt2)"},
	{"models/model.json", "a torch.export package (.pt2)"},
	{"serialized_exported_program.json", "a torch.export package (.pt2)"},
	{".data/extern_modules", "a torch.package archive, which holds code"},
	{".data/python_version", "a torch.package archive, which holds code"},
}

// zip decodes torch.save's layout of 1.6 and later; z begins at base in the input.
func (r *reader) zip(z *archive, base int64) (any, error) {
	if err := z.setRoot(); err != nil {
		return nil, err
	}
	for _, o := range otherArchives {
		if rec := z.records[o.record]; rec != nil {
			return nil, &UnsupportedError{Record: rec.name, Feature: "this is " + o.name}
		}
	}
	pkl := z.records["data.pkl"]
	if pkl == nil {
		return nil, zipError(0, "there is no record %q, so this is not a file of torch.save", z.root+"data.pkl")
	}
	if int64(pkl.size) > r.MaxPickle {
		return nil, &UnsupportedError{Record: pkl.name, Feature: fmt.Sprintf("a pickle of %d bytes, more than %d: raise Options.MaxPickle", pkl.size, r.MaxPickle)}
	}
	if err := r.version(z); err != nil {
		return nil, err
	}
	big, err := r.bigEndian(z)
	if err != nil {
		return nil, err
	}
	data, _, err := r.checked(z, pkl, 0)
	if err != nil {
		return nil, err
	}
	src := &zipSource{archive: z, base: base, big: big}
	m := &machine{reader: r, data: data, record: pkl.name, file: src, storages: map[string]*Storage{}}
	v, err := m.run()
	if err != nil {
		return nil, err
	}
	if r.VerifyCRC {
		if err := z.verifyAll(src.found); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// version refuses files that are newer than PyTorch's own readers know.
func (r *reader) version(z *archive) error {
	rec := z.records[".data/version"]
	if rec == nil {
		rec = z.records["version"]
	}
	if rec == nil {
		return zipError(0, "there is no record %q, so this is not a file of torch.save", z.root+"version")
	}
	b, err := r.small(z, rec)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil || n < 1 {
		return &MalformedError{Record: rec.name, Msg: fmt.Sprintf("the version is %q, not a number from 1 to 10", clip(string(b)))}
	}
	if n > 10 {
		return &UnsupportedError{Record: rec.name, Feature: fmt.Sprintf("the version %d is newer than 10", n)}
	}
	return nil
}

func (r *reader) bigEndian(z *archive) (bool, error) {
	rec := z.records["byteorder"]
	if rec == nil {
		return false, nil
	}
	b, err := r.small(z, rec)
	if err != nil {
		return false, err
	}
	if s := string(b); s != "little" && s != "big" {
		return false, &MalformedError{Record: rec.name, Msg: fmt.Sprintf("the byte order is %q, neither little nor big", clip(s))}
	}
	return string(b) == "big", nil
}

// small returns a record of a few bytes.
func (r *reader) small(z *archive, rec *record) ([]byte, error) {
	if rec.size > 64 {
		return nil, &MalformedError{Record: rec.name, Msg: fmt.Sprintf("the record has %d bytes, not a short word", rec.size)}
	}
	b, _, err := r.checked(z, rec, 0)
	return b, err
}

// checked returns what record does when the bytes match their checksum.
func (r *reader) checked(z *archive, rec *record, base int64) ([]byte, int64, error) {
	b, off, err := r.record(z, rec, base)
	if err == nil && !r.SkipCRC && !rec.deflated {
		err = z.verify(rec, b)
	}
	return b, off, err
}

// record returns a record's bytes and their place in the input, in which z begins at base: -1 when they were inflated.
func (r *reader) record(z *archive, rec *record, base int64) ([]byte, int64, error) {
	packed := z.data[rec.at : rec.at+rec.packed : rec.at+rec.packed]
	if !rec.deflated {
		if base < 0 {
			return packed, -1, nil
		}
		return packed, base + int64(rec.at), nil
	}
	if int64(rec.size) > r.inflate {
		return nil, 0, &UnsupportedError{Record: rec.name, Feature: fmt.Sprintf("deflated records of more than %d bytes together: raise Options.MaxInflate", r.MaxInflate)}
	}
	// deflate cannot do better than this, so a lie about the size costs no memory
	if rec.size/1032 > rec.packed {
		return nil, 0, &MalformedError{Record: rec.name, Msg: fmt.Sprintf("%d deflated bytes cannot make %d", rec.packed, rec.size)}
	}
	r.inflate -= int64(rec.size)
	src := bytes.NewReader(packed)
	// one for all records, since each would take 40 kB
	if r.inflater == nil {
		r.inflater = flate.NewReader(src)
	} else if err := r.inflater.(flate.Resetter).Reset(src, nil); err != nil {
		return nil, 0, &MalformedError{Record: rec.name, Msg: fmt.Sprintf("the deflated bytes cannot be read: %v", err)}
	}
	b := make([]byte, rec.size)
	if _, err := io.ReadFull(r.inflater, b); err != nil {
		return nil, 0, &MalformedError{Record: rec.name, Msg: fmt.Sprintf("the deflated bytes are damaged: %v", err)}
	}
	if n, err := io.ReadFull(r.inflater, make([]byte, 1)); n != 0 || err != io.EOF || src.Len() != 0 {
		return nil, 0, &MalformedError{Record: rec.name, Msg: fmt.Sprintf("the deflated bytes do not make the %d that the directory says", rec.size)}
	}
	if !r.SkipCRC {
		if err := z.verify(rec, b); err != nil {
			return nil, 0, err
		}
	}
	return b, -1, nil
}

// verify compares the checksum of a record's bytes b.
func (z *archive) verify(rec *record, b []byte) error {
	if sum := crc32.ChecksumIEEE(b); sum != rec.crc {
		return &MalformedError{Record: rec.name, Msg: fmt.Sprintf("its checksum is %08x, not %08x: the file is damaged, or was saved without checksums", sum, rec.crc)}
	}
	return nil
}

// verifyAll compares the checksums of stored records on all CPUs, and reports the first that differs.
func (z *archive) verifyAll(recs []*record) error {
	errs := make([]error, len(recs))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(recs)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(recs); i = int(next.Add(1)) - 1 {
				r := recs[i]
				errs[i] = z.verify(r, z.data[r.at:r.at+r.packed])
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

// zipSource finds storages among an archive's records.
type zipSource struct {
	*archive
	base  int64
	big   bool
	found []*record // whose checksums are still to be compared
}

func (z *zipSource) arity() int { return 5 }

func (z *zipSource) find(m *machine, s *Storage) error {
	if len(s.Key) == 0 || len(s.Key) > 9 || strings.Trim(s.Key, "0123456789") != "" {
		return m.malformed("a storage's key is %q, not a number of up to 9 digits", clip(s.Key))
	}
	rec := z.records["data/"+s.Key]
	if rec == nil {
		return m.malformed("the storage %q has no record %q", s.Key, z.root+"data/"+s.Key)
	}
	if rec.size != s.size {
		return m.malformed("the storage %q has %d bytes, its record %d", s.Key, s.size, rec.size)
	}
	var err error
	if s.Data, s.Offset, err = m.reader.record(z.archive, rec, z.base); err != nil {
		return err
	}
	if !rec.deflated {
		z.found = append(z.found, rec)
	}
	s.big = z.big
	return nil
}
