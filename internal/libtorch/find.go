// Package libtorch is the boundary to libtorch: it finds one on the machine,
// builds the shim against it, loads both, and calls through the shim's table.
// It is the only package of the module that knows libtorch's C++.
package libtorch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// The libtorch versions that the shim is written for.
const (
	DefaultVersion = "2.15.0"
	minMinor       = 11 // 2.11
	maxMinor       = 15 // 2.15
)

// ErrNotFound says that this machine has no libtorch that can be used.
var ErrNotFound = errors.New("no libtorch was found")

// Library is a libtorch found on this machine.
type Library struct {
	LibDir  string   // holds libtorch_cpu and libc10
	Include []string // folders of its headers
	Version string   // "2.15.0", "2.11.0+cu130"
	Source  string   // where it was found, for people
	CUDA    bool     // libtorch_cuda is there
}

// Find looks for a libtorch in $LIBTORCH, in an active virtual environment and
// in the torch of python3, in this order. It starts no installation.
func Find(ctx context.Context) (*Library, error) {
	if root := os.Getenv("LIBTORCH"); root != "" {
		lib, err := open(root, "$LIBTORCH")
		if err != nil {
			return nil, fmt.Errorf("libtorch: $LIBTORCH is %s: %w; set it to the folder of a libtorch that holds lib and include", root, err)
		}
		return lib, nil
	}
	var reasons []string
	for _, p := range pythons() {
		root, err := p.torch(ctx)
		if err != nil {
			reasons = append(reasons, p.source+": "+err.Error())
			continue
		}
		lib, err := open(root, p.source)
		if err == nil {
			return lib, nil
		}
		reasons = append(reasons, p.source+": "+err.Error())
	}
	return nil, fmt.Errorf("libtorch: %w (%s); set LIBTORCH to the folder of a libtorch 2.%d to 2.%d, or run \"python3 -m pip install torch==%s\"",
		ErrNotFound, strings.Join(reasons, "; "), minMinor, maxMinor, DefaultVersion)
}

// Ensure is Find, for the loader.
func Ensure(ctx context.Context) (*Library, error) { return Find(ctx) }

// open reads the libtorch in a folder: an unpacked zip, or a Python package torch.
func open(root, source string) (*Library, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	lib := &Library{LibDir: filepath.Join(root, "lib"), Source: source}
	include := filepath.Join(root, "include")
	lib.Include = []string{include, filepath.Join(include, "torch", "csrc", "api", "include")}
	for _, f := range []string{filepath.Join(lib.LibDir, soname("torch_cpu")), filepath.Join(lib.LibDir, soname("c10")), filepath.Join(include, "ATen", "ATen.h")} {
		if _, err := os.Stat(f); err != nil {
			return nil, fmt.Errorf("%s is missing", f)
		}
	}
	if lib.Version, err = version(root); err != nil {
		return nil, err
	}
	if !supported(lib.Version) {
		return nil, fmt.Errorf("its version is %s, and 2.%d to 2.%d are supported", lib.Version, minMinor, maxMinor)
	}
	_, err = os.Stat(filepath.Join(lib.LibDir, soname("torch_cuda")))
	lib.CUDA = err == nil
	return lib, nil
}

func soname(name string) string {
	if runtime.GOOS == "darwin" {
		return "lib" + name + ".dylib"
	}
	return "lib" + name + ".so"
}

var (
	pyVersion = regexp.MustCompile(`(?m)^__version__ = ['"]([^'"]+)['"]`)
	cVersion  = regexp.MustCompile(`(?m)^#define TORCH_VERSION "([^"]+)"`)
)

// version reads a zip's build-version, a wheel's version.py, or the headers.
func version(root string) (string, error) {
	if b, err := os.ReadFile(filepath.Join(root, "build-version")); err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	for file, re := range map[string]*regexp.Regexp{
		"version.py": pyVersion,
		filepath.Join("include", "torch", "csrc", "api", "include", "torch", "version.h"): cVersion,
		filepath.Join("include", "torch", "headeronly", "version.h"):                      cVersion,
	} {
		if b, err := os.ReadFile(filepath.Join(root, file)); err == nil {
			if m := re.FindSubmatch(b); m != nil {
				return string(m[1]), nil
			}
		}
	}
	return "", errors.New("its version cannot be told")
}

func supported(v string) bool {
	major, rest, _ := strings.Cut(v, ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return major == "2" && err == nil && n >= minMinor && n <= maxMinor
}

type python struct{ exe, source string }

func pythons() []python {
	var ps []python
	if env := os.Getenv("VIRTUAL_ENV"); env != "" {
		ps = append(ps, python{filepath.Join(env, "bin", "python"), "the virtual environment's torch"})
	}
	return append(ps, python{"python3", "python3's torch"})
}

// torch asks a Python for its torch package, without importing it.
func (p python) torch(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	const find = `import importlib.util as u
s = u.find_spec("torch")
print(s.submodule_search_locations[0] if s and s.submodule_search_locations else "")`
	out, err := exec.CommandContext(ctx, p.exe, "-c", find).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", p.exe, err)
	}
	root := strings.TrimSpace(string(out))
	if root == "" {
		return "", errors.New("not installed")
	}
	return root, nil
}
