package strictzip

import (
	"errors"
	"os"
	"syscall"

	"github.com/torchhub/torchhub/internal/badfile"
)

// OpenFile maps a file and opens the archive in it. The archive, and data that alias it, are valid until done is
// called, as long as the file is not truncated.
func OpenFile(path string) (z *Archive, done func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, nil, errors.New("not a regular file")
	}
	if st.Size() == 0 {
		return nil, nil, &badfile.MalformedError{Msg: "the file is empty: download it again"}
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = syscall.Munmap(data) }
	if !Is(data) {
		err = &badfile.MalformedError{Msg: "this is not a zip file"}
	} else {
		z, err = Open(data)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return z, done, nil
}
