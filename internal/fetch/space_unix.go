//go:build linux || darwin

package fetch

import "golang.org/x/sys/unix"

// freeSpace returns how many bytes may still be written under dir, or false if that is unknown.
func freeSpace(dir string) (uint64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true
}
