// Package whole reports whether a file is complete and undamaged, by its own
// format.
package whole

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/pickle"
	"github.com/torchhub/torchhub/internal/safetensors"
)

// maxJSON is the size up to which JSON is parsed; weights are not in it.
const maxJSON = 64 << 20

// Check returns an error if a file of size bytes is truncated or damaged: the directory of a zip file and where its
// records are, the header and length of a safetensors file, the pickles and length of a checkpoint in the layout before
// PyTorch 1.6, the syntax of JSON. Files of other formats pass. The format is determined from the first bytes and the
// extension of name.
func Check(f *os.File, size int64, name string) error {
	head := make([]byte, min(size, filekind.HeadSize))
	if _, err := f.ReadAt(head, 0); err != nil {
		return err
	}
	ext := strings.ToLower(filepath.Ext(name))
	var err error
	switch k := filekind.OfHead(head); {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		err = zipped(f, size)
	case k.Class == filekind.Safetensors || ext == ".safetensors":
		_, err = safetensors.ReadAt(f, size)
	case k.Class == filekind.Checkpoint:
		err = legacy(f, size)
	case ext == ".json" && size <= maxJSON:
		err = values(f, size)
	}
	if errors.Is(err, badfile.ErrUnsupported) {
		return nil // the program that reads the file reports it
	}
	return err
}

// zipped checks the directory of a zip file and the bounds of its records.
func zipped(f *os.File, size int64) error {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return err
	}
	for _, e := range z.File {
		at, err := e.DataOffset()
		if err == nil && (at > size || e.CompressedSize64 > uint64(size-at)) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("record %.100q: %w", e.Name, err)
		}
	}
	return nil
}

// legacy reads a checkpoint without copying its storages.
func legacy(f *os.File, size int64) error {
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil // it cannot be mapped, which does not mean that it is damaged
	}
	defer syscall.Munmap(data)
	_, err = pickle.Read(data, pickle.Options{})
	return err
}

// pythonNumbers are Python's notations of numbers that JSON does not have.
var pythonNumbers = regexp.MustCompile(`-?\b(NaN|Infinity)\b`)

// values reads one value or, as in JSON lines, several.
func values(f *os.File, size int64) error {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, size))
	if err != nil {
		return err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) { // UTF-16
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(pythonNumbers.ReplaceAll(data, []byte("0"))))
	for n := 0; ; n++ {
		var v json.RawMessage
		switch err := d.Decode(&v); {
		case err == io.EOF && n > 0:
			return nil
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return errors.New("its JSON is cut short")
		case err != nil:
			return fmt.Errorf("it is not JSON: %w", err)
		}
	}
}
