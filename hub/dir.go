package hub

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/torchhub/torchhub/internal/home"
)

var setDir atomic.Pointer[string]

// Dir returns the folder of the hub: torch.hub.get_dir. It is the first that is
// set of [SetDir]'s argument, $TORCH_HOME/hub, $XDG_CACHE_HOME/torch/hub and
// ~/.cache/torch/hub. A leading ~ is the home folder. Weights are kept in its
// folder checkpoints. Dir does not create folders.
//
// A variable that is set but empty counts as unset, whereas Python interprets
// an empty TORCH_HOME as the working directory.
func Dir() string {
	if d := setDir.Load(); d != nil {
		return home.Expand(*d)
	}
	dir := os.Getenv("TORCH_HOME")
	if dir == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		if cache == "" {
			cache = "~/.cache"
		}
		dir = filepath.Join(cache, "torch")
	}
	return filepath.Join(home.Expand(dir), "hub")
}

// SetDir sets the folder that [Dir] returns, overriding every variable:
// torch.hub.set_dir. An empty dir undoes it. SetDir does not create folders. It
// affects all goroutines.
func SetDir(dir string) {
	if dir == "" {
		setDir.Store(nil)
		return
	}
	setDir.Store(&dir)
}

// fileName returns the last element of a URL's path, or an error if that cannot be the name of a file in a
// folder.
func fileName(u *url.URL) (string, error) {
	name := path.Base(u.Path)
	if !isFileName(name) {
		return "", fmt.Errorf("the URL %s names no file; its path must end in a file name", u.Redacted())
	}
	return name, nil
}

// isFileName reports whether a name can be that of a file in a folder, and does not lead
// out of the folder.
func isFileName(name string) bool {
	odd := func(r rune) bool { return r == '/' || r == '\\' || !unicode.IsPrint(r) }
	return filepath.IsLocal(name) && name != "." && !strings.ContainsFunc(name, odd)
}
