package libtorch

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A bundle is a program, and beside it a folder libtorch with the shim and the
// shared libraries. They find each other by relative paths, so a bundle may be
// at any path, and needs no compiler, no headers and no Python.
const (
	bundleDir  = "libtorch"
	bundleShim = "shim.so"
)

// findBundle opens the bundle of this program.
func findBundle() (*Library, error) {
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	if err != nil {
		return nil, errNothing
	}
	return openBundle(filepath.Join(filepath.Dir(exe), bundleDir))
}

func openBundle(dir string) (*Library, error) {
	shim := filepath.Join(dir, bundleShim)
	if _, err := os.Stat(shim); err != nil {
		return nil, errNothing
	}
	root := dir
	if _, err := os.Stat(filepath.Join(dir, "torch", "lib")); err == nil {
		root = filepath.Join(dir, "torch")
	}
	v, err := version(root)
	if err != nil {
		return nil, err
	}
	lib := &Library{LibDir: filepath.Join(root, "lib"), Version: v, Source: "beside the program", shim: shim}
	_, err = os.Stat(filepath.Join(lib.LibDir, soname("torch_cuda")))
	lib.CUDA = err == nil
	return lib, nil
}

// Bundle creates a folder with copies of a program, the shim and the libraries
// of the libtorch in use: all that a container with glibc needs to run the
// program. Stages are reported on notices, or on stderr if that is nil.
func Bundle(ctx context.Context, dir, program string, notices io.Writer) error {
	r := newReport(notices)
	lib, err := Ensure(ctx, notices)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("libtorch: bundle: %w", err)
	}
	to := filepath.Join(dir, bundleDir)
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("libtorch: bundle: %s exists already; remove it or choose another folder", to)
	}
	work, err := os.MkdirTemp(dir, bundleDir+"-")
	if err != nil {
		return fmt.Errorf("libtorch: bundle: %w", err)
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil {
		return fmt.Errorf("libtorch: bundle: %w", err)
	}
	r.say("copying libtorch from %s", short(lib.LibDir))
	root := filepath.Dir(lib.LibDir)
	top := ""
	if filepath.Base(root) == "torch" { // wheels: the CUDA libraries are beside it
		top = "torch"
		nvidia := filepath.Join(filepath.Dir(root), "nvidia")
		if err := copyLibraries(ctx, nvidia, filepath.Join(work, "nvidia"), func(name string) bool {
			return lib.CUDA || strings.HasPrefix(name, "libcudart") || strings.HasPrefix(name, "libcupti")
		}); err != nil {
			return fmt.Errorf("libtorch: bundle: %w", err)
		}
	}
	libs := filepath.Join(work, top, "lib")
	if err := copyLibraries(ctx, lib.LibDir, libs, func(name string) bool {
		return (lib.CUDA || cpuLibrary(name)) && !strings.Contains(name, "python")
	}); err != nil {
		return fmt.Errorf("libtorch: bundle: %w", err)
	}
	// The shim finds the libraries by paths relative to itself.
	if err := compile(ctx, r, lib, filepath.Join(work, bundleShim), "$ORIGIN/"+filepath.ToSlash(filepath.Join(top, "lib"))); err != nil {
		return err
	}
	if err := copyRuntime(ctx, libs); err != nil {
		return fmt.Errorf("libtorch: bundle: %w", err)
	}
	if err := os.WriteFile(filepath.Join(work, top, "build-version"), []byte(lib.Version+"\n"), 0o644); err != nil {
		return fmt.Errorf("libtorch: bundle: %w", err)
	}
	if err := copyFile(program, filepath.Join(dir, filepath.Base(program))); err != nil {
		return fmt.Errorf("libtorch: bundle: %w", err)
	}
	if err := os.Rename(work, to); err != nil {
		return fmt.Errorf("libtorch: bundle: %w", err)
	}
	return nil
}

// copyLibraries copies the shared libraries below a folder that keep names; the folder may be missing.
func copyLibraries(ctx context.Context, from, to string, keep func(name string) bool) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		name := e.Name()
		if e.IsDir() || !strings.Contains(name, ".so") && !strings.HasSuffix(name, ".dylib") || !keep(name) {
			return nil
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return copyFile(path, filepath.Join(to, rel))
	})
}

// copyRuntime adds the C++ runtime, which small images lack.
func copyRuntime(ctx context.Context, libs string) error {
	cxx, err := compiler()
	if err != nil {
		return err
	}
	for _, name := range []string{"libstdc++.so.6", "libgcc_s.so.1"} {
		out, err := exec.CommandContext(ctx, cxx, "-print-file-name="+name).Output()
		if path := strings.TrimSpace(string(out)); err == nil && filepath.IsAbs(path) {
			if err := copyFile(path, filepath.Join(libs, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	b, err := os.Open(from)
	if err != nil {
		return err
	}
	defer b.Close()
	st, err := b.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, st.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := out.ReadFrom(b); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
