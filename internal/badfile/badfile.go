// Package badfile has the two errors of this module's file readers: a file is malformed, or it is valid but not
// supported.
package badfile

import (
	"errors"
	"fmt"
	"reflect"
)

// What all errors of one kind are, for errors.Is.
var (
	ErrMalformed   = errors.New("malformed file")
	ErrUnsupported = errors.New("unsupported file")
)

// A MalformedError reports that bytes violate their format.
type MalformedError struct {
	Offset int64  // in bytes, in Record, or in the file where Record is empty
	Record string // of a zip file, such as "archive/data.pkl"
	Msg    string
}

func (e *MalformedError) Error() string {
	return "malformed file: " + place(e.Record, e.Offset) + ": " + e.Msg
}

// Is reports whether target is [ErrMalformed].
func (e *MalformedError) Is(target error) bool { return target == ErrMalformed }

// As sets target where it points to a pointer to the same error of a public package.
func (e *MalformedError) As(target any) bool { return as(e, target) }

// An UnsupportedError reports that bytes are valid but not supported by the reader: a global off the allow list, a
// nested tensor, a TorchScript archive, more than its limits allow.
type UnsupportedError struct {
	Offset  int64  // in bytes, in Record, or in the file where Record is empty
	Record  string // of a zip file, such as "archive/data.pkl"
	Feature string
}

func (e *UnsupportedError) Error() string {
	return "unsupported file: " + place(e.Record, e.Offset) + ": " + e.Feature
}

// Is reports whether target is [ErrUnsupported].
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// As sets target where it points to a pointer to the same error of a public package.
func (e *UnsupportedError) As(target any) bool { return as(e, target) }

// as converts e to the type that target points to, if that has the same fields.
func as(e error, target any) bool {
	from, to := reflect.ValueOf(e), reflect.ValueOf(target).Elem()
	if to.Kind() != reflect.Pointer || !from.CanConvert(to.Type()) {
		return false
	}
	to.Set(from.Convert(to.Type()))
	return true
}

func place(record string, offset int64) string {
	if record == "" {
		return fmt.Sprintf("byte %d", offset)
	}
	return fmt.Sprintf("record %q, byte %d", record, offset)
}

// Clip shortens a name for an error.
func Clip(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}
