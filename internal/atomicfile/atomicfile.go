// Package atomicfile writes files that are complete or not there.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/internal/oserror"
)

// Write calls write with a writer of a new file, which then gets the name path, in place of a file of that name. Until it is complete
// and on the disk, it is beside path under a name that ends with .partial; if write returns an error or panics, it is removed. If path
// is a symbolic link, the file that it points to is replaced. A pipe or a device is written directly.
func Write(path string, write func(w io.Writer) error) error {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	st, err := os.Stat(path)
	mode := fs.FileMode(0o666) // less the bits of the umask, as for files of Python
	switch {
	case err == nil && st.IsDir():
		return errors.New("it is a directory")
	case err == nil && !st.Mode().IsRegular():
		return direct(path, write)
	case err == nil:
		mode = st.Mode().Perm()
	}
	f, err := create(path, mode)
	if err != nil {
		return err
	}
	complete := false
	defer func() {
		if !complete {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	err = errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return oserror.Cause(err)
	}
	complete = true
	if dir, err := os.Open(filepath.Dir(path)); err == nil { // so that the new name is on the disk too, where folders can be synced
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

func direct(path string, write func(w io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return oserror.Cause(err)
	}
	return errors.Join(write(f), f.Close())
}

// create makes a file beside path, under a name that no other has.
func create(path string, mode fs.FileMode) (*os.File, error) {
	for i := 0; ; i++ {
		f, err := os.OpenFile(fmt.Sprintf("%s.%d-%d.partial", path, os.Getpid(), i), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			return f, oserror.Cause(err)
		}
	}
}
