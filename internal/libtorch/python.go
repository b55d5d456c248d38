package libtorch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

type python struct{ name, exe string }

// pythons lists the Pythons in which a torch is searched, in order.
func pythons() []python {
	var ps []python
	if env := os.Getenv("VIRTUAL_ENV"); env != "" {
		ps = append(ps, python{"the virtual environment", filepath.Join(env, "bin", "python")})
	}
	return append(ps, python{"python3", "python3"})
}

// FindPython returns the path of a Python that has a torch: the one of an active virtual environment, else python3.
func FindPython(ctx context.Context) (string, error) {
	for _, p := range pythons() {
		exe, err := exec.LookPath(p.exe)
		if err != nil {
			continue
		}
		if root, err := torchOf(ctx, exe); err == nil && root != "" {
			return exe, nil
		}
	}
	return "", errors.New("there is no Python with torch; activate a virtual environment that has it, name one with --python, or run \"python3 -m pip install torch\"")
}

// torchOf returns the folder of a Python's package torch, or "", without importing it.
func torchOf(ctx context.Context, exe string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	// The working folder is on the path of a program given by -c, and may hold a folder torch.
	const find = `import sys
sys.path[:] = [p for p in sys.path if p]
import importlib.util as u
s = u.find_spec("torch")
print(s.submodule_search_locations[0] if s and s.submodule_search_locations else "")`
	out, err := exec.CommandContext(ctx, exe, "-c", find).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", exe, err)
	}
	return strings.TrimSpace(string(out)), nil
}
