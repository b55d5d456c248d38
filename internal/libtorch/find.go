// Package libtorch is the boundary to libtorch: it finds one on the machine,
// builds the shim against it, loads both, and calls through the shim's table.
// It is the only package of the module that uses libtorch's C++.
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
	"slices"
	"strconv"
	"strings"
)

// The libtorch versions that the shim is written for.
const (
	DefaultVersion = "2.15.0"
	minMinor       = 11 // 2.11
	maxMinor       = 15 // 2.15
)

// ErrNotFound means that this machine has no usable libtorch.
var ErrNotFound = errors.New("no libtorch was found")

// Library is a libtorch found on this machine.
type Library struct {
	LibDir  string   // holds libtorch_cpu and libc10
	Include []string // folders of its headers
	Version string   // "2.15.0", "2.11.0+cu130"
	Source  string   // where it was found, for people
	CUDA    bool     // whether it has libtorch_cuda

	shim string // of a bundle, which needs no build
}

// String names a library by its version and the devices that it serves.
func (l *Library) String() string {
	version, build, _ := strings.Cut(l.Version, "+")
	cuda := ""
	if v, ok := strings.CutPrefix(build, "cu"); ok && len(v) > 1 {
		cuda = " " + v[:len(v)-1] + "." + v[len(v)-1:]
	}
	switch {
	case l.CUDA:
		return version + " for CUDA" + cuda + " and the CPU"
	case cuda != "":
		return version + " for the CPU (the CPU half of the build for CUDA" + cuda + ")"
	}
	return version + " for the CPU"
}

// Find looks for a libtorch in $LIBTORCH, beside the program, in torchhub's
// cache, in an active virtual environment and in the torch of python3, in this
// order. It does not install one. If $LIBTORCH is set, it searches no other
// place.
func Find(ctx context.Context) (*Library, error) {
	var reasons []string
	for _, p := range places(ctx) {
		lib, err := p.look()
		if err == nil {
			return lib, nil
		}
		if p.binding {
			return nil, fmt.Errorf("libtorch: %w", err)
		}
		if !errors.Is(err, errNothing) {
			reasons = append(reasons, p.name+": "+err.Error())
		}
	}
	why := ""
	if len(reasons) > 0 {
		why = " (" + strings.Join(reasons, "; ") + ")"
	}
	return nil, fmt.Errorf("libtorch: %w%s; set LIBTORCH to the folder of a libtorch 2.%d to 2.%d, or run \"torchhub setup\" or \"python3 -m pip install torch==%s\"",
		ErrNotFound, why, minMinor, maxMinor, DefaultVersion)
}

// errNothing means that a place has no libtorch, which needs no explanation.
var errNothing = errors.New("nothing there")

// A place is a possible location of a libtorch.
type place struct {
	name    string
	binding bool // the user must fix errors of this place
	look    func() (*Library, error)
}

// places lists all places in the order in which they are searched.
func places(ctx context.Context) []place {
	if root := os.Getenv("LIBTORCH"); root != "" {
		return []place{{"$LIBTORCH", true, func() (*Library, error) {
			lib, err := open(root, "$LIBTORCH")
			if err != nil {
				err = fmt.Errorf("$LIBTORCH is %s: %w; set it to the folder of a libtorch that holds lib and include", root, err)
			}
			return lib, err
		}}}
	}
	ps := []place{
		{"beside the program", false, findBundle},
		{"torchhub's cache", false, findInstalled},
	}
	for _, p := range pythons() {
		ps = append(ps, pythonPlace(ctx, p.name+"'s torch", p.exe))
	}
	return ps
}

// findInstalled returns the best of torchhub's own installations: one for CUDA
// if there is a driver, then the default version, then the newest.
func findInstalled() (*Library, error) {
	store, err := installed()
	if err != nil {
		return nil, err
	}
	found, err := os.ReadDir(store)
	if err != nil {
		return nil, errNothing
	}
	cuda := driver()
	rank := func(name string) string {
		version, variant, _ := strings.Cut(name, "-")
		digit := func(ok bool) string {
			if ok {
				return "1"
			}
			return "0"
		}
		return digit(cuda && variant == CUDA) + digit(version == DefaultVersion) + version
	}
	var names []string
	for _, e := range found {
		if version, _, _ := strings.Cut(e.Name(), "-"); supported(version) {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(rank(b), rank(a)) })
	err = errNothing
	for _, n := range names {
		lib, e := openInstalled(filepath.Join(store, n))
		if e == nil {
			return lib, nil
		}
		err = e
	}
	return nil, err
}

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
	return "", errors.New("its version cannot be determined")
}

func supported(v string) bool {
	major, rest, _ := strings.Cut(v, ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return major == "2" && err == nil && n >= minMinor && n <= maxMinor
}

// pythonPlace finds the torch package of a Python, without importing it.
func pythonPlace(ctx context.Context, name, exe string) place {
	return place{name, false, func() (*Library, error) {
		exe, err := exec.LookPath(exe)
		if err != nil {
			return nil, errNothing
		}
		root, err := torchOf(ctx, exe)
		if err != nil {
			return nil, err
		}
		if root == "" {
			return nil, errNothing
		}
		lib, err := open(root, name)
		if err != nil {
			return nil, err
		}
		missing, err := unresolved(lib.LibDir)
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf("%s: it needs %s, which is not installed", root, strings.Join(missing, " and "))
		}
		return lib, err
	}}
}
