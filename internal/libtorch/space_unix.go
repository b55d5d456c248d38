//go:build linux || darwin

package libtorch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// enoughSpace fails where fewer than n bytes may be written under dir.
func enoughSpace(dir string, n uint64) error {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return nil // unknown; writing will tell
	}
	if free := uint64(s.Bavail) * uint64(s.Bsize); free < n {
		return fmt.Errorf("%s has %d MiB free and %d MiB are needed", dir, free>>20, n>>20)
	}
	return nil
}
