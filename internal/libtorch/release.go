package libtorch

// #include "table.h"
import "C"

import (
	"encoding/binary"
	"io"
	"os"
	"sync"
)

// releases are the functions to call once libtorch does not use something of Go's any
// more: it then writes their number to a pipe. This happens inside calls, and short
// calls cannot call back into Go.
var releases = struct {
	once sync.Once
	err  error
	w    *os.File
	fd   C.int32_t
	mu   sync.Mutex
	next uint64
	f    map[uint64]func(id uint64)
}{f: map[uint64]func(id uint64){}}

func openReleases() {
	r, w, err := os.Pipe()
	if err != nil {
		releases.err = err
		return
	}
	releases.w, releases.fd = w, C.int32_t(w.Fd())
	go func() {
		buf := make([]byte, 8<<10)
		for {
			n, err := io.ReadAtLeast(r, buf, 8)
			if err != nil {
				return
			}
			if n%8 != 0 { // the rest of a number follows
				m, err := io.ReadFull(r, buf[n:n+8-n%8])
				if err != nil {
					return
				}
				n += m
			}
			for i := 0; i < n; i += 8 {
				release(binary.NativeEndian.Uint64(buf[i:]))
			}
		}
	}()
}

// onRelease returns a number for f, which is called with it once libtorch has written it
// to the pipe.
func onRelease(f func(id uint64)) (id uint64, err error) {
	releases.once.Do(openReleases)
	if releases.err != nil {
		return 0, releases.err
	}
	releases.mu.Lock()
	defer releases.mu.Unlock()
	releases.next++
	releases.f[releases.next] = f
	return releases.next, nil
}

// release calls the function of a number, once.
func release(id uint64) {
	releases.mu.Lock()
	f := releases.f[id]
	delete(releases.f, id)
	releases.mu.Unlock()
	if f != nil {
		f(id)
	}
}
