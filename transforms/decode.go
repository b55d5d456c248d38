package transforms

import "github.com/torchhub/torchhub/internal/turbojpeg"

// JPEGDecoder says what decodes and encodes JPEGs here, and where it lies.
func JPEGDecoder() string {
	if lib := turbojpeg.Library(); lib != "" {
		return "libjpeg-turbo, " + lib + ": Pillow's pixels"
	}
	return "Go's image/jpeg: pixels differ from Pillow's by a few steps; install libturbojpeg for the same ones"
}
