package pillow

// A Mode is the kind of pixels of a picture, by Pillow's name.
//
// https://pillow.readthedocs.io/en/stable/handbook/concepts.html#concept-modes
type Mode string

// The modes, and how [Image.Pix] holds a pixel of theirs.
const (
	Mode1     Mode = "1"     // black or white: a byte 0 or 255
	ModeL     Mode = "L"     // gray: a byte
	ModeLA    Mode = "LA"    // gray and alpha
	ModeLa    Mode = "La"    // gray and alpha, premultiplied
	ModeP     Mode = "P"     // a palette's index: a byte
	ModePA    Mode = "PA"    // a palette's index and alpha
	ModeRGB   Mode = "RGB"   // three bytes
	ModeRGBA  Mode = "RGBA"  // four bytes
	ModeRGBa  Mode = "RGBa"  // four bytes, premultiplied
	ModeRGBX  Mode = "RGBX"  // four bytes, the last of which means nothing
	ModeCMYK  Mode = "CMYK"  // four bytes, 0 is no ink
	ModeYCbCr Mode = "YCbCr" // three bytes, as in JPEG
	ModeHSV   Mode = "HSV"   // three bytes
	ModeI     Mode = "I"     // an int32, little-endian
	ModeF     Mode = "F"     // a float32, little-endian
	ModeI16   Mode = "I;16"  // a uint16, little-endian
)

// A kind is the type of an element of a pixel.
type kind uint8

const (
	bytes8 kind = iota
	ints16
	ints32
	floats32
)

// A layout is the representation of a mode's pixels.
type layout struct {
	bands int
	kind  kind
}

var layouts = map[Mode]layout{
	Mode1: {1, bytes8}, ModeL: {1, bytes8}, ModeP: {1, bytes8},
	ModeLA: {2, bytes8}, ModeLa: {2, bytes8}, ModePA: {2, bytes8},
	ModeRGB: {3, bytes8}, ModeYCbCr: {3, bytes8}, ModeHSV: {3, bytes8},
	ModeRGBA: {4, bytes8}, ModeRGBa: {4, bytes8}, ModeRGBX: {4, bytes8}, ModeCMYK: {4, bytes8},
	ModeI: {1, ints32}, ModeF: {1, floats32}, ModeI16: {1, ints16},
}

// Bands returns the number of a pixel's channels, len(img.getbands()), and 0
// for a mode that is none of the above.
func (m Mode) Bands() int { return layouts[m].bands }

// BytesPerPixel returns how many bytes of [Image.Pix] are a pixel.
func (m Mode) BytesPerPixel() int {
	l := layouts[m]
	switch l.kind {
	case ints16:
		return 2
	case ints32, floats32:
		return 4
	}
	return l.bands
}

// kind returns the kind of the elements of the mode's pixels.
func (m Mode) kind() kind { return layouts[m].kind }
