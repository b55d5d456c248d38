package codec

import (
	"encoding/hex"
	"regexp"
	"strings"
)

// xmpKey is the key of the text of a PNG that has XMP data.
const xmpKey = "XML:com.adobe.xmp"

// metadata is what a file says about its picture that bears on its orientation.
type metadata struct {
	exif    []byte // EXIF data; nil is none
	profile []byte // the text "Raw profile type exif" of a PNG
	xmpText []byte // XMP data, and those in a text of a PNG, which go first
	xmp     []byte
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

// orientation returns the orientation from 1 to 8 that ImageOps.exif_transpose goes by: that of
// the EXIF data, else that of the text that holds them in hexadecimal digits, and where these have no such
// tag that of the XMP data. It is 1, upright, where there is none. Data that are broken are an error, as in Pillow.
func (m *metadata) orientation() (int, error) {
	exif := m.exif
	if exif == nil && m.profile != nil {
		// The digits are behind three lines: an empty one, the name, and the length.
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
