// Package oserror words the errors of package os.
package oserror

import (
	"errors"
	"os"
)

// Cause removes the operation and the path from an error of package os, for a
// sentence that names them itself.
func Cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err
	}
	return err
}
