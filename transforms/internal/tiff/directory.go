package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The tags that define how a picture's pixels are stored.
const (
	tagWidth            = 256
	tagHeight           = 257
	tagBits             = 258
	tagCompression      = 259
	tagPhotometric      = 262
	tagFillOrder        = 266
	tagStripOffsets     = 273
	tagOrientation      = 274
	tagSamples          = 277
	tagRowsPerStrip     = 278
	tagStripByteCounts  = 279
	tagMinSample        = 280
	tagMaxSample        = 281
	tagPlanar           = 284
	tagT4Options        = 292
	tagPredictor        = 317
	tagColorMap         = 320
	tagTileWidth        = 322
	tagTileLength       = 323
	tagTileOffsets      = 324
	tagTileByteCounts   = 325
	tagExtraSamples     = 338
	tagSampleFormat     = 339
	tagJPEGTables       = 347
	tagYCbCrCoefficient = 529
	tagYCbCrSubsampling = 530
	tagReferenceBW      = 532
	tagXMP              = 700
	tagWindowsMedia     = 0xbc01
	tagDataType         = 32996
)

// The types of a tag's values.
const (
	typeByte      = 1
	typeASCII     = 2
	typeShort     = 3
	typeLong      = 4
	typeRational  = 5
	typeSByte     = 6
	typeUndefined = 7
	typeSShort    = 8
	typeSLong     = 9
	typeSRational = 10
	typeFloat     = 11
	typeDouble    = 12
	typeIFD       = 13
	typeLong8     = 16
	typeSLong8    = 17
	typeIFD8      = 18
)

// typeSizes has the bytes of a value, by its type.
var typeSizes = map[uint16]uint64{
	typeByte: 1, typeASCII: 1, typeShort: 2, typeLong: 4, typeRational: 8, typeSByte: 1, typeUndefined: 1, typeSShort: 2, typeSLong: 4,
	typeSRational: 8, typeFloat: 4, typeDouble: 8, typeIFD: 4, typeLong8: 8, typeSLong8: 8, typeIFD8: 8,
}

// integer decodes a whole number of the type. ok is false for a type of other
// values, and for a number beyond int64.
func integer(order binary.ByteOrder, kind uint16, b []byte) (v int64, ok bool) {
	switch kind {
	case typeByte:
		return int64(b[0]), true
	case typeSByte:
		return int64(int8(b[0])), true
	case typeShort:
		return int64(order.Uint16(b)), true
	case typeSShort:
		return int64(int16(order.Uint16(b))), true
	case typeLong, typeIFD:
		return int64(order.Uint32(b)), true
	case typeSLong:
		return int64(int32(order.Uint32(b))), true
	case typeLong8:
		v := order.Uint64(b)
		return int64(v), v <= math.MaxInt64
	case typeSLong8:
		return int64(order.Uint64(b)), true
	}
	return 0, false
}

// A field is an entry of a directory as it is in the file.
type field struct {
	tag, kind uint16
	count     uint64
	value     []byte // of 4 or 8 bytes: the values, or where they are
}

// data returns the bytes of the field's first n values. ok is false where they
// are not in the file.
func (f *File) fieldData(e field, n uint64) (b []byte, ok bool) {
	size := typeSizes[e.kind]
	if size == 0 || e.count > math.MaxInt64/size {
		return nil, false
	}
	if size*e.count <= uint64(len(e.value)) {
		return e.value[:size*n], true
	}
	at, size := f.offset(e.value), size*n
	if at > uint64(len(f.data)) || size > uint64(len(f.data))-at {
		return nil, false
	}
	return f.data[at : at+size], true
}

// offset decodes an offset of 4 or 8 bytes.
func (f *File) offset(b []byte) uint64 {
	if f.big {
		return f.order.Uint64(b)
	}
	return uint64(f.order.Uint32(b))
}

// fields returns the entries of the directory at an offset, as many as the file has of them, and the
// offset of the next directory. whole is false where the file ends within.
func (f *File) fields(at uint64) (fields []field, next uint64, whole bool) {
	countSize, entrySize, valueSize := uint64(2), 12, 4
	if f.big {
		countSize, entrySize, valueSize = 8, 20, 8
	}
	if at > uint64(len(f.data)) || countSize > uint64(len(f.data))-at {
		return nil, 0, false
	}
	d := f.data[at:]
	n := uint64(f.order.Uint16(d))
	if f.big {
		n = f.order.Uint64(d)
	}
	d = d[countSize:]
	fields = make([]field, 0, min(n, uint64(len(d)/entrySize)))
	for range n {
		if len(d) < entrySize {
			return fields, 0, false
		}
		e := field{tag: f.order.Uint16(d), kind: f.order.Uint16(d[2:]), value: d[entrySize-valueSize : entrySize]}
		e.count = f.offset(d[4:])
		fields = append(fields, e)
		d = d[entrySize:]
	}
	if len(d) < valueSize {
		return fields, 0, false
	}
	return fields, f.offset(d), true
}

// A directory holds the tags of a picture as Pillow reads them.
type directory struct {
	file *File
	tags map[uint16]entry
}

// An entry is a tag's values.
type entry struct {
	kind  uint16
	value []byte
}

// readDirectory reads a directory by Pillow's rules: the first of equal tags that has a value
// counts, tags of unknown types are ignored, and so is all that follows values that the file
// does not have. All directories together may hold as many bytes as the file, of which budget is left.
func (f *File) readDirectory(at, budget uint64) (d *directory, next, used uint64, ok bool) {
	fields, next, whole := f.fields(at)
	d = &directory{f, map[uint16]entry{}}
	var total uint64
	for _, e := range fields {
		if _, ok := d.tags[e.tag]; ok || e.count == 0 {
			continue
		}
		size := typeSizes[e.kind]
		if size == 0 || e.kind == typeSLong8 || e.kind == typeIFD8 {
			continue
		}
		if outside := e.count > uint64(len(e.value))/size; outside {
			if e.count > math.MaxInt64/size || total+e.count*size > budget {
				total = min(total+e.count*size, math.MaxInt64)
				continue
			}
			total += e.count * size
			used += e.count * size
		}
		b, ok := f.fieldData(e, e.count)
		if !ok {
			return d, 0, used, false
		}
		d.tags[e.tag] = entry{e.kind, b}
	}
	return d, next, used, whole
}

// errTag means that a tag's values cannot be used.
func errTag(tag uint16, kind uint16) error {
	return fmt.Errorf("its tag %d has values of type %d", tag, kind)
}

// numbers returns the whole numbers of a tag, nil if it is missing.
func (d *directory) numbers(tag uint16) ([]int, error) {
	e, ok := d.tags[tag]
	if !ok {
		return nil, nil
	}
	if e.kind == typeByte && tag != tagStripOffsets && tag != tagTileOffsets {
		return nil, errTag(tag, e.kind) // in Python it is a string of bytes, which is not a number
	}
	n := int(typeSizes[e.kind])
	out := make([]int, len(e.value)/n)
	for i := range out {
		v, ok := integer(d.file.order, e.kind, e.value[n*i:])
		if !ok {
			return nil, errTag(tag, e.kind)
		}
		out[i] = int(v)
	}
	return out, nil
}

// number returns the first number of a tag, or a default if it is missing.
func (d *directory) number(tag uint16, otherwise int) (int, error) {
	v, err := d.numbers(tag)
	if len(v) == 0 || err != nil || tag == tagPhotometric && len(v) > 1 {
		return otherwise, err
	}
	return v[0], nil
}

var errDimensions = errors.New("it does not say its width and height")

// size returns the picture's width and height.
func (d *directory) size() (w, h int, err error) {
	for _, v := range []struct {
		to  *int
		tag uint16
	}{{&w, tagWidth}, {&h, tagHeight}} {
		if _, ok := d.tags[v.tag]; !ok {
			return 0, 0, errDimensions
		}
		if *v.to, err = d.number(v.tag, 0); err != nil {
			return 0, 0, err
		}
	}
	return w, h, nil
}
