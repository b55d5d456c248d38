// Package home finds the home folder as Python does.
package home

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// Expand replaces a leading ~ as os.path.expanduser does; if no home folder is known, the ~ stays, as
// in Python.
func Expand(p string) string {
	if p != "~" && !strings.HasPrefix(p, "~/") {
		return p
	}
	home, err := os.UserHomeDir()
	if err != nil {
		u, err := user.Current()
		if err != nil {
			return p
		}
		home = u.HomeDir
	}
	return filepath.Join(home, p[1:])
}
