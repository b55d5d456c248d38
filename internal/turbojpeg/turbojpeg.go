// Package turbojpeg decodes and encodes JPEGs with libjpeg-turbo, where its
// TurboJPEG library is on the machine: Pillow's pixels and bytes, to the last bit. The
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
#cgo nocallback turbo_encode
#cgo noescape turbo_free
#cgo nocallback turbo_free
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
	W, H     int
	Channels int // 1 is grey, 3 RGB, 4 CMYK
}

// Scaled returns the size of the picture decoded at 1/n of its size.
func (h Header) Scaled(n int) (w, height int) { return (h.W + n - 1) / n, (h.H + n - 1) / n }

// formats are the library's pixel formats, by the number of channels.
var formats = map[int]C.int{1: 6, 3: 0, 4: 11}

// channels holds the channels of the library's colour spaces: RGB, YCbCr, grey, CMYK and YCCK.
var channels = []int{3, 3, 1, 4, 4}

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
		if colors < 0 || int(colors) >= len(channels) {
			return Header{}, errors.New("its colour space is not one of RGB, YCbCr, grey, CMYK and YCCK")
		}
		return Header{int(w), int(h), channels[colors]}, nil
	}
	if !bytes.Contains(data, startOfScan) {
		return Header{}, ErrTruncated
	}
	return Header{}, errors.New(C.GoString(&text[0]))
}

// Decode decodes a JPEG of this header at 1/scale of its size, where scale is 1, 2, 4 or 8,
// with the accurate integer DCT and fancy upsampling. The result has the header's
// channels, as they are in the file: Adobe's CMYK is inverted. Damaged data are decoded as
// far as they go, as Pillow does, and data that end too early are ErrTruncated. The
// result lies in buf where that is large enough.
func Decode(data []byte, h Header, scale int, buf []byte) ([]byte, error) {
	w, height := h.Scaled(scale)
	n := h.Channels * w * height
	if n == 0 {
		return nil, errors.New("the picture has no pixels")
	}
	used := cap(buf) >= n
	if !used {
		buf = make([]byte, n)
	}
	pix := buf[:n]
	format := formats[h.Channels]
	status, text := decode(data, pix, w, height, format)
	if status != 0 && used { // what damaged data leave out is black, and not the last picture's
		clear(pix)
		status, text = decode(data, pix, w, height, format)
	}
	switch {
	case status == 0:
	case !warning(text):
		return nil, errors.New(text)
	case bytes.LastIndex(data, endOfImage) < bytes.LastIndex(data, startOfScan):
		// Only the end marker may be missing.
		if status, _ := decode(append(bytes.Clone(data), endOfImage...), pix, w, height, format); status != 0 {
			return nil, ErrTruncated
		}
	}
	return pix, nil
}

// A Subsampling says how much coarser than the brightness the colour is stored.
type Subsampling int

// The subsamplings of Pillow's save, with the library's numbers.
const (
	S444 Subsampling = iota
	S422
	S420
	grey // of pictures of one channel
)

// Encode encodes w×h pixels of 1 or 3 channels with the accurate integer DCT. The
// quality is 1 to 100. [Library] must have found a library.
func Encode(pix []byte, w, h, channels, quality int, s Subsampling, progressive bool) ([]byte, error) {
	if len(pix) < channels*w*h || len(pix) == 0 {
		return nil, errors.New("the picture has too few pixels for its size")
	}
	if channels == 1 {
		s = grey
	}
	var out *C.uchar
	var n C.size_t
	var p C.int
	if progressive {
		p = 1
	}
	var text [256]C.char
	status := C.turbo_encode((*C.uchar)(unsafe.SliceData(pix)), C.int(w), C.int(h), formats[channels], C.int(s), C.int(quality), p, &out, &n, &text[0], C.int(len(text)))
	defer C.turbo_free(out)
	if status != 0 {
		return nil, errors.New(C.GoString(&text[0]))
	}
	return C.GoBytes(unsafe.Pointer(out), C.int(n)), nil
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

func decode(data, pix []byte, w, h int, format C.int) (int, string) {
	var text [256]C.char
	status := C.turbo_decode((*C.uchar)(unsafe.SliceData(data)), C.size_t(len(data)), (*C.uchar)(unsafe.SliceData(pix)), C.int(w), C.int(h), format, &text[0], C.int(len(text)))
	return int(status), C.GoString(&text[0])
}
