package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// errEXIF is the error of EXIF data with an invalid header.
var errEXIF = errors.New("its EXIF data are broken; open it without applying its orientation")

// exifHeader begins EXIF data in a JPEG.
var exifHeader = []byte("Exif\x00\x00")

// xmpHeader begins XMP data in a JPEG.
var xmpHeader = []byte("http://ns.adobe.com/xap/1.0/\x00")

func jpegOrientation(data []byte) (int, error) {
	var m metadata
	resolution := false // whether the JFIF header has it
	for at := 2; at+4 <= len(data); {
		if data[at] != 0xff || data[at+1] == 0 || data[at+1] == 0xff { // junk between segments
			at++
			continue
		}
		const app0, app1, sos = 0xe0, 0xe1, 0xda
		kind := data[at+1]
		if kind == sos {
			break
		}
		if kind == 1 || 0xd0 <= kind && kind <= 0xd9 { // these have no content
			at += 2
			continue
		}
		n := int(binary.BigEndian.Uint16(data[at+2:]))
		if n < 2 || n > len(data)-at-2 {
			break
		}
		body := data[at+4 : at+2+n]
		if kind == app0 && len(body) >= 12 && bytes.HasPrefix(body, []byte("JFIF")) {
			resolution = resolution || body[7] == 1 || body[7] == 2
		}
		if kind == app1 && bytes.HasPrefix(body, exifHeader) {
			if m.exif == nil {
				m.exif = body
			} else { // it may be in several segments
				m.exif = slices.Concat(m.exif, body[len(exifHeader):])
			}
		} else if xmp, ok := bytes.CutPrefix(body, xmpHeader); kind == app1 && ok {
			m.xmp = xmp
		}
		at += 2 + n
	}
	o, err := m.orientation()
	if err != nil && !resolution {
		// Pillow has then looked for the resolution in the EXIF data, ignoring errors, and does not load them again.
		return 1, nil
	}
	return o, err
}

func pngOrientation(data []byte) (int, error) {
	f, err := openPNG(data)
	if err == nil {
		_, parts, _ := f.parts()
		err = f.finish(parts[len(parts)-1].pngChunk)
	}
	if err != nil {
		return 1, err
	}
	return f.meta.orientation()
}

// exifTags holds the sizes of the types of values.
var exifTags = map[uint16]int{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}

// orientationTag finds the orientation in the first directory of EXIF data, which are a TIFF. The value
// of a tag that is not a number from 1 to 8 is 1.
func orientationTag(exif []byte) (orientation int, found bool, err error) {
	for range 2 { // writers prefix it twice
		exif = bytes.TrimPrefix(exif, exifHeader)
	}
	if len(exif) == 0 {
		return 1, false, nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if exif[0] == 'M' {
		order = binary.BigEndian
	}
	if len(exif) < 8 || !slices.Contains([]string{"MM\x00*", "II*\x00", "MM*\x00", "II\x00*"}, string(exif[:4])) {
		return 1, false, errEXIF
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1, false, nil
	}
	total, seen := 0, map[uint16]bool{} // only the first value of a tag counts
	d := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(d) < 12 {
			break
		}
		tag, kind, value := order.Uint16(d), order.Uint16(d[2:]), d[8:12]
		size := exifTags[kind] * int(order.Uint32(d[4:]))
		d = d[12:]
		if seen[tag] {
			continue
		}
		if size > len(value) {
			if total += size; total > len(exif) {
				continue // Pillow skips values that are in total larger than the data
			}
			from := int(order.Uint32(value))
			if from > len(exif)-size {
				break // and stops at a value out of range
			}
			value = exif[from : from+size]
		}
		if tag == 0x112 && size > 0 {
			return number(order, kind, value), true, nil
		}
		seen[tag] = size > 0
	}
	return 1, false, nil
}

// number returns the first number of a value of any numeric type if it is a whole number from 1 to 8, else 1.
func number(order binary.ByteOrder, kind uint16, value []byte) int {
	v := 1.0
	switch kind {
	case 3:
		v = float64(order.Uint16(value))
	case 4, 13:
		v = float64(order.Uint32(value))
	case 5:
		v = float64(order.Uint32(value)) / float64(order.Uint32(value[4:]))
	case 6:
		v = float64(int8(value[0]))
	case 8:
		v = float64(int16(order.Uint16(value)))
	case 9:
		v = float64(int32(order.Uint32(value)))
	case 10:
		v = float64(int32(order.Uint32(value))) / float64(int32(order.Uint32(value[4:])))
	case 11:
		v = float64(math.Float32frombits(order.Uint32(value)))
	case 12:
		v = math.Float64frombits(order.Uint64(value))
	case 16:
		v = float64(order.Uint64(value))
	}
	if v >= 1 && v <= 8 && v == math.Trunc(v) {
		return int(v)
	}
	return 1
}

// turns holds the transposition that makes a picture upright, for the orientations from 2 on.
var turns = map[int]pillow.Transpose{
	2: pillow.FlipLeftRight,
	3: pillow.Rotate180,
	4: pillow.FlipTopBottom,
	5: pillow.Transposed,
	6: pillow.Rotate270,
	7: pillow.Transverse,
	8: pillow.Rotate90,
}

// upright turns and mirrors a picture.
func upright(p *pillow.Image, orientation int) (*pillow.Image, error) {
	if how, ok := turns[orientation]; ok {
		return p.Transpose(how)
	}
	return p, nil
}
