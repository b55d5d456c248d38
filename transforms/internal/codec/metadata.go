package codec

import (
	"encoding/hex"
	"regexp"
	"strings"
)

// xmpKey is the key of the text of a PNG that holds XMP data.
const xmpKey = "XML:com.adobe.xmp"

// metadata holds the parts of a file that may have an orientation.
type metadata struct {
	exif    []byte // EXIF data; nil is none
	profile []byte // the text "Raw profile type exif" of a PNG
	xmpText []byte // XMP data in a text of a PNG, which have precedence
	xmp     []byte // XMP data elsewhere
}

// set keeps a text of a PNG.
func (m *metadata) set(key string, text []byte) {
	switch key {
	case "Raw profile type exif":
		m.profile = text
	case xmpKey:
		m.xmpText = text
	}
}

// orientation returns the orientation that ImageOps.exif_transpose applies: that of the EXIF
// data, or of the text that holds EXIF data in hexadecimal digits; if they have no such tag, that of the XMP
// data. It is 1, upright, if there is none. Broken data are an error, as in Pillow.
func (m *metadata) orientation() (int, error) {
	exif := m.exif
	if exif == nil && m.profile != nil {
		// The digits follow three lines: an empty one, the name, and the length.
		lines := strings.Split(string(m.profile), "\n")
		digits := strings.Map(func(r rune) rune {
			if strings.ContainsRune(" \t\r\v\f", r) {
				return -1
			}
			return r
		}, strings.Join(lines[min(3, len(lines)):], ""))
		var err error
		if exif, err = hex.DecodeString(digits); err != nil {
			return 1, errEXIF
		}
	}
	o, found, err := orientationTag(exif)
	if found || err != nil {
		return o, err
	}
	xmp := m.xmpText
	if len(xmp) == 0 {
		xmp = m.xmp
	}
	return xmpOrientation(xmp), nil
}

var xmpTag = regexp.MustCompile(`tiff:Orientation(?:="|>)([0-9])`)

// xmpOrientation finds the orientation in XMP data, as an attribute or an element.
func xmpOrientation(xmp []byte) int {
	if m := xmpTag.FindSubmatch(xmp); m != nil {
		return int(m[1][0] - '0')
	}
	return 1
}
