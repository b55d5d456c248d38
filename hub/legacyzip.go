package hub

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/internal/ctxio"
	"github.com/torchhub/torchhub/internal/oserror"
)

// unpackLegacy returns the file to read for a downloaded one: the only file of
// a zip that was made by hand, or else the file itself. The unpacked file is
// beside the zip and is kept for later calls.
func unpackLegacy(ctx context.Context, file string) (string, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return file, nil
	}
	defer z.Close()
	if len(z.File) != 1 || strings.HasSuffix(z.File[0].Name, "/") {
		return file, nil
	}
	e := z.File[0]
	name, err := entryName(e.Name)
	if err == nil && !isFileName(path.Base(name)) {
		err = fmt.Errorf("%.200q is not a file name", name)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	to := filepath.Join(filepath.Dir(file), path.Base(name))
	if to == file {
		return "", fmt.Errorf("%s: it holds a file of its own name", file)
	}
	if fi, err := os.Stat(to); err == nil && fi.Mode().IsRegular() && uint64(fi.Size()) == e.UncompressedSize64 {
		return to, nil
	}
	fi, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	limit := max(freeRatio, maxRatio*fi.Size())
	r, err := e.Open()
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	defer r.Close()
	w, err := os.CreateTemp(filepath.Dir(file), "."+path.Base(name)+".*")
	if err != nil {
		return "", fmt.Errorf("cannot write in %s: %w", filepath.Dir(file), oserror.Cause(err))
	}
	defer os.Remove(w.Name())
	n, err := io.Copy(w, io.LimitReader(ctxio.NewReader(ctx, r), limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("it unpacks to more than %d times its own size", maxRatio)
	}
	if err == nil {
		err = w.Chmod(0o644)
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(w.Name(), to)
	}
	if err != nil {
		return "", fmt.Errorf("%s: unpack %q: %w", file, name, oserror.Cause(err))
	}
	return to, nil
}
