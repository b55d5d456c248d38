// Package libm is the C library's mathematics, which Python's module math and
// the built-in pow call too. Go's differs from it in the last bit, and that would show in
// what a picture is rotated by.
package libm

// #cgo linux LDFLAGS: -lm
// #include <math.h>
import "C"

// Sin returns math.sin(x).
func Sin(x float64) float64 { return float64(C.sin(C.double(x))) }

// Cos returns math.cos(x).
func Cos(x float64) float64 { return float64(C.cos(C.double(x))) }

// Tan returns math.tan(x).
func Tan(x float64) float64 { return float64(C.tan(C.double(x))) }

// Atan returns math.atan(x).
func Atan(x float64) float64 { return float64(C.atan(C.double(x))) }

// Atan2 returns math.atan2(y, x).
func Atan2(y, x float64) float64 { return float64(C.atan2(C.double(y), C.double(x))) }

// Pow returns x**y, of an x that is not negative.
func Pow(x, y float64) float64 { return float64(C.pow(C.double(x), C.double(y))) }

// Log returns math.log(x), of an x above 0.
func Log(x float64) float64 { return float64(C.log(C.double(x))) }

// Hypot returns math.hypot(x, y), which is abs(complex(x, y)) too.
func Hypot(x, y float64) float64 { return float64(C.hypot(C.double(x), C.double(y))) }
