package codec

import (
	"bytes"
	"encoding/binary"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// Orientations are those of EXIF, 1 to 8; 1, upright, where a file has none.

func jpegOrientation(data []byte) int { return orientationTag(jpegEXIF(data)) }

func pngOrientation(data []byte) int {
	var exif []byte
	for d := data[8:]; len(d) >= 12; {
		n := int(binary.BigEndian.Uint32(d))
		if n > len(d)-12 {
			break
		}
		if string(d[4:8]) == "eXIf" {
			exif = d[8 : 8+n]
		}
		d = d[12+n:]
	}
	return orientationTag(exif)
}

func webpOrientation(data []byte) int {
	var exif []byte
	for kind, body := range webpChunks(data[12:]) {
		if kind == "EXIF" {
			exif = bytes.TrimPrefix(body, []byte("Exif\x00\x00"))
		}
	}
	return orientationTag(exif)
}

// jpegEXIF returns the EXIF data of a JPEG's APP1 segment.
func jpegEXIF(data []byte) []byte {
	for d := data[2:]; len(d) >= 4 && d[0] == 0xff && d[1] != 0xda; {
		n := int(binary.BigEndian.Uint16(d[2:]))
		if n < 2 || n+2 > len(d) {
			return nil
		}
		if exif, ok := bytes.CutPrefix(d[4:2+n], []byte("Exif\x00\x00")); d[1] == 0xe1 && ok {
			return exif
		}
		d = d[2+n:]
	}
	return nil
}

// orientationTag finds the tag in the first directory of EXIF data, which are a TIFF.
func orientationTag(exif []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(exif, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(exif) < 8 {
		return 1
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1
	}
	n := int(order.Uint16(exif[at:]))
	for d := exif[at+2:]; n > 0 && len(d) >= 12; n, d = n-1, d[12:] {
		const tag, short = 0x112, 3
		if order.Uint16(d) == tag && order.Uint16(d[2:]) == short {
			if v := int(order.Uint16(d[8:])); 1 <= v && v <= 8 {
				return v
			}
		}
	}
	return 1
}

// turns says how pictures of the orientations from 2 on become upright.
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
