package libtorch

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// The shim's C++ is embedded in the binary; go build never compiles it.
//
//go:embed shim
var sources embed.FS

// parts are the shim's files. Each part is compiled as one unit, since most of
// the time is spent on libtorch's headers, and the parts are compiled in
// parallel.
var parts = [][]string{
	{"table.cpp", "state.cpp", "random.cpp", "settings.cpp", "device.cpp", "graph.cpp", "values.cpp", "ops.cpp", "tensors.cpp", "storage.cpp", "alloc.cpp", "plan.cpp"},
	{"script.cpp", "aoti.cpp", "guard.cpp", "autocast.cpp", "autograd.cpp", "sweep.cpp", "lstm.cpp", "trace.cpp", "vision.cpp", "vision_device.cpp"}, // files that need the headers of autograd and TorchScript
}

// variants are the instruction sets for which kernels.cpp is compiled, with the compiler's flags.
var variants = func() map[string][]string {
	v := map[string][]string{"base": nil}
	if runtime.GOARCH == "amd64" {
		v["avx2"] = []string{"-mavx2", "-mfma"}
		v["avx512"] = []string{"-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma"}
		v["avx512bf16"] = append([]string{"-mavx512bf16"}, v["avx512"]...)
	}
	return v
}()

// CacheDir returns torchhub's own cache: $TORCHHUB_CACHE, else torchhub in the user's cache folder.
func CacheDir() (string, error) {
	if d := os.Getenv("TORCHHUB_CACHE"); d != "" {
		return d, nil
	}
	d, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("libtorch: no cache folder: %w; set TORCHHUB_CACHE", err)
	}
	return filepath.Join(d, "torchhub"), nil
}

// compiler returns the C++ compiler: $CXX, or the first of the usual ones.
func compiler() (string, error) {
	names := []string{"c++", "g++", "clang++"}
	if cxx := os.Getenv("CXX"); cxx != "" {
		names = []string{cxx}
	}
	for _, n := range names {
		if p, err := exec.LookPath(n); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("libtorch: no C++ compiler (%s) was found to build the shim; install g++ or clang (\"apt install g++\", \"xcode-select --install\"), or set CXX", strings.Join(names, ", "))
}

// BuildShim compiles the shim against lib and returns its path. It is compiled
// once for each libtorch, compiler and version of the sources, even if many
// processes call BuildShim at the same time. The stages are reported on notices,
// or on stderr if that is nil.
func BuildShim(ctx context.Context, lib *Library, notices io.Writer) (string, error) {
	if lib.shim != "" {
		return lib.shim, nil
	}
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	cxx, err := compiler()
	if err != nil {
		return "", err
	}
	key, err := shimKey(lib, cxx)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "shim", key)
	shim := filepath.Join(dir, "shim.so")
	if _, err := os.Stat(shim); err == nil {
		return shim, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("libtorch: %w; set TORCHHUB_CACHE to a folder that can be written", err)
	}
	r := newReport(notices)
	lock, err := r.lock(ctx, filepath.Join(dir, "lock"), "is compiling the shim")
	if err != nil {
		return "", fmt.Errorf("libtorch: %w", err)
	}
	defer lock.Unlock()
	if _, err := os.Stat(shim); err == nil { // another process was quicker
		return shim, nil
	}
	left, _ := filepath.Glob(filepath.Join(dir, "build-*")) // of killed processes
	for _, p := range left {
		_ = os.RemoveAll(p)
	}
	return shim, compile(ctx, r, lib, shim, lib.LibDir)
}

// shimKey returns a key of everything that a shim depends on. The compiler is identified by its file, since
// running it costs a process.
func shimKey(lib *Library, cxx string) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(sources, "shim", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := sources.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(b), b)
		return err
	})
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(lib.LibDir)
	if err != nil {
		return "", err
	}
	st, err := os.Stat(cxx)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(h, lib.Version, resolved, cxx, os.Getenv("CXXFLAGS"), st.Size(), st.ModTime().UnixNano())
	return hex.EncodeToString(h.Sum(nil))[:24], nil
}

// compile builds the shim; rpath is where it looks for libtorch.
func compile(ctx context.Context, r report, lib *Library, shim, rpath string) error {
	cxx, err := compiler()
	if err != nil {
		return err
	}
	dir := filepath.Dir(shim)
	tmp, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return fmt.Errorf("libtorch: %w; set TORCHHUB_CACHE to a folder that can be written", err)
	}
	defer os.RemoveAll(tmp)
	if err := os.CopyFS(tmp, sources); err != nil {
		return fmt.Errorf("libtorch: unpack the shim's sources: %w", err)
	}
	r.say("compiling the shim with %s, in some 30 seconds", short(cxx))
	// Some processors multiply and add in one instruction, whose last bits are not those of libtorch's two operators.
	flags := []string{"-std=c++20", "-O2", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-DAT_PER_OPERATOR_HEADERS", "-c"}
	flags = append(flags, strings.Fields(os.Getenv("CXXFLAGS"))...)
	for _, i := range lib.Include {
		flags = append(flags, "-isystem", i) // whose warnings do not count
	}
	flags = append(flags, "-idirafter", filepath.Join(tmp, "shim", "absent"))
	out := filepath.Join(tmp, "shim.so")
	link := []string{"-shared", "-o", out}
	var units [][]string // the arguments of the compiler, of which the last are a source and its object
	for i, files := range parts {
		part := filepath.Join(tmp, "shim", fmt.Sprintf("part%d.cpp", i))
		text := ""
		for _, f := range files {
			text += fmt.Sprintf("#include %q\n", f)
		}
		if err := os.WriteFile(part, []byte(text), 0o644); err != nil {
			return fmt.Errorf("libtorch: %w", err)
		}
		units = append(units, append(slices.Clone(flags), part, "-o", part+".o"))
	}
	for name, set := range variants {
		engine := []string{"-ffp-contract=fast", "-DENGINE=" + name}
		if runCompiler(ctx, cxx, append(slices.Clone(set), "-fsyntax-only", "-x", "c++", os.DevNull)...) == nil {
			engine = append(engine, set...)
		} else {
			engine = append(engine, "-DENGINE_ABSENT") // a compiler that does not know the instructions
		}
		units = append(units, slices.Concat(flags, engine, []string{filepath.Join(tmp, "shim", "kernels.cpp"), "-o", filepath.Join(tmp, "kernels_"+name+".o")}))
	}
	errs := make([]error, len(units))
	var wg sync.WaitGroup
	for i, args := range units {
		link = append(link, args[len(args)-1])
		wg.Go(func() { errs[i] = runCompiler(ctx, cxx, args...) })
	}
	wg.Wait()
	link = append(link, "-L", lib.LibDir, "-ltorch_cpu", "-lc10", "-Wl,-rpath,"+rpath)
	if runtime.GOOS == "linux" {
		link = append(link, "-ldl", "-Wl,--unresolved-symbols=ignore-in-shared-libs") // a CUDA build's libraries may be absent
		// Compiled models depend on libtorch.so, which is empty but depends on all libraries of a CUDA build. The shim
		// has its name, and so replaces it.
		link = append(link, "-Wl,-soname,libtorch.so")
	}
	err = errors.Join(errs...)
	if err == nil {
		err = runCompiler(ctx, cxx, link...)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("libtorch: build the shim: %w", ctx.Err())
	}
	if err != nil {
		log := filepath.Join(dir, "build.log")
		_ = os.WriteFile(log, []byte(err.Error()), 0o644)
		return fmt.Errorf("libtorch: %s cannot build the shim for libtorch %s: %s (all of it in %s)", cxx, lib.Version, firstError(err.Error()), log)
	}
	return os.Rename(out, shim)
}

// runCompiler returns an error that holds everything that the compiler printed.
func runCompiler(ctx context.Context, cxx string, args ...string) error {
	text, err := exec.CommandContext(ctx, cxx, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s%w", text, err)
	}
	return nil
}

// firstError returns the first line of a compiler's output that states an error.
func firstError(text string) string {
	for _, l := range strings.Split(text, "\n") {
		if strings.Contains(l, "error") {
			return oneLine(l)
		}
	}
	return oneLine(text)
}
