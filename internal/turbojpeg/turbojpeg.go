// Package turbojpeg decodes JPEGs with libjpeg-turbo, where its TurboJPEG
// library is on the machine: the decoder of Pillow, to the last bit. The
// library is loaded at run time and nothing of it is needed to build.
//
// The environment variable TORCHHUB_TURBOJPEG is the path of the library, or
// "off". Without it the library is looked for where the system has it.
package turbojpeg

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "turbojpeg.h"
#cgo noescape turbo_header
#cgo nocallback turbo_header
#cgo noescape turbo_decode
#cgo nocallback turbo_decode
*/
import "C"

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"sync"
	"unsafe"
)

// names are tried in this order.
var names = []string{
	"libturbojpeg.so.0", "libturbojpeg.so", // Linux
	"libturbojpeg.0.dylib", "/opt/homebrew/lib/libturbojpeg.dylib", "/usr/local/lib/libturbojpeg.dylib", // macOS
}

// Library returns the path of the library, or "" where there is none.
var Library = sync.OnceValue(func() string {
	candidates := names
	switch v := os.Getenv("TORCHHUB_TURBOJPEG"); v {
	case "":
	case "off":
		return ""
	default:
		candidates = []string{v}
	}
	for _, n := range candidates {
		name := C.CString(n)
		defer C.free(unsafe.Pointer(name))
		var path [1024]C.char
		if C.turbo_open(name, &path[0], C.int(len(path))) != 0 {
			return C.GoString(&path[0])
		}
	}
	return ""
})

// ErrTruncated says that a JPEG ends too early.
var ErrTruncated = errors.New("the picture is truncated")

// A Header is what is known of a JPEG before it is decoded.
type Header struct {
	W, H int
	CMYK bool // it has four channels
}

const (
	formatRGB  = 0
	formatCMYK = 11

	colorsCMYK = 3
	colorsYCCK = 4
)

// ReadHeader reads the header of a JPEG. [Library] must have found one.
func ReadHeader(data []byte) (Header, error) {
	if len(data) == 0 {
		return Header{}, ErrTruncated
	}
	var w, h, colors C.int
	var text [256]C.char
	// Unusual subsampling is an error of the library's, but only for callers that want to know it.
	C.turbo_header((*C.uchar)(unsafe.SliceData(data)), C.size_t(len(data)), &w, &h, &colors, &text[0], C.int(len(text)))
	if w > 0 && h > 0 {
		return Header{int(w), int(h), colors == colorsCMYK || colors == colorsYCCK}, nil
	}
	if !bytes.Contains(data, startOfScan) {
		return Header{}, ErrTruncated
	}
	return Header{}, errors.New(C.GoString(&text[0]))
}

// Decode decodes a JPEG of this header, with the accurate integer DCT and
// fancy upsampling. The result has 3 bytes a pixel, or 4 where the header says
// CMYK, as they are in the file: Adobe's are inverted. Damaged data are decoded as
// far as they go, as Pillow does, and data that end too early are ErrTruncated.
func Decode(data []byte, h Header) ([]byte, error) {
	channels, format := 3, formatRGB
	if h.CMYK {
		channels, format = 4, formatCMYK
	}
	pix := make([]byte, channels*h.W*h.H)
	if len(pix) == 0 {
		return nil, errors.New("the picture has no pixels")
	}
	status, text := decode(data, pix, h, format)
	switch {
	case status == 0:
	case !warning(text):
		return nil, errors.New(text)
	case bytes.LastIndex(data, endOfImage) < bytes.LastIndex(data, startOfScan):
		// Only the end marker may be missing.
		if status, _ := decode(append(bytes.Clone(data), endOfImage...), pix, h, format); status != 0 {
			return nil, ErrTruncated
		}
	}
	return pix, nil
}

// warning reports whether a text is one of libjpeg's warnings, after which it
// has gone on. The library's own code says so also of an error that a warning preceded.
func warning(text string) bool {
	for _, w := range []string{"Corrupt JPEG data", "Premature end", "Inconsistent progression", "Unknown Adobe", "Invalid SOS parameters"} {
		if strings.HasPrefix(text, w) {
			return true
		}
	}
	return false
}

var (
	startOfScan = []byte{0xff, 0xda}
	endOfImage  = []byte{0xff, 0xd9}
)

func decode(data, pix []byte, h Header, format int) (int, string) {
	var text [256]C.char
	status := C.turbo_decode((*C.uchar)(unsafe.SliceData(data)), C.size_t(len(data)), (*C.uchar)(unsafe.SliceData(pix)), C.int(h.W), C.int(h.H), C.int(format), &text[0], C.int(len(text)))
	return int(status), C.GoString(&text[0])
}
