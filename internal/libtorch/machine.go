package libtorch

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// driver reports whether an NVIDIA driver is present.
func driver() bool {
	for _, p := range []string{"/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1"} {
		if _, err := os.Stat(p); err == nil {
			return true
		}
	}
	return false
}

// unresolved lists the CUDA libraries to which the libtorch_cpu of a folder is linked
// and that cannot be found from there. That of a CUDA build is linked to two, even to
// run on a CPU. Only ELF is read, so on macOS there are none.
func unresolved(libDir string) ([]string, error) {
	f, err := elf.Open(filepath.Join(libDir, "libtorch_cpu.so"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("libtorch_cpu.so: %w", err)
	}
	defer f.Close()
	needed, err := f.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("libtorch_cpu.so: %w", err)
	}
	var dirs []string
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		paths, err := f.DynString(tag)
		if err != nil {
			return nil, fmt.Errorf("libtorch_cpu.so: %w", err)
		}
		for _, p := range paths {
			dirs = append(dirs, strings.Split(strings.ReplaceAll(p, "$ORIGIN", libDir), ":")...)
		}
	}
	dirs = append(dirs, filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))...)
	dirs = append(dirs, "/usr/local/cuda/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64")
	var missing []string
	for _, n := range needed {
		if strings.HasPrefix(n, "libcu") && !anyHas(dirs, n) {
			missing = append(missing, n)
		}
	}
	return missing, nil
}

func anyHas(dirs []string, name string) bool {
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join(d, name)); err == nil {
			return true
		}
	}
	return false
}
