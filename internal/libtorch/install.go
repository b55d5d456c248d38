package libtorch

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// Variants of libtorch.
const (
	CPU  = "cpu"
	CUDA = "cuda"
)

// InstallOptions are the options of [Install].
type InstallOptions struct {
	Version string    // such as "2.11.0"; empty is DefaultVersion
	Variant string    // CPU or CUDA; empty is CUDA where an NVIDIA driver is present
	Notices io.Writer // where each stage is reported; nil is stderr
}

// Ensure is [Find], and [Install] if that finds none, unless TORCHHUB_INSTALL=off.
// Stages are reported on notices, or on stderr if that is nil.
func Ensure(ctx context.Context, notices io.Writer) (*Library, error) {
	lib, err := Find(ctx)
	if !errors.Is(err, ErrNotFound) {
		return lib, err
	}
	if strings.EqualFold(os.Getenv("TORCHHUB_INSTALL"), "off") {
		return nil, fmt.Errorf("%w; TORCHHUB_INSTALL=off forbids installing one", err)
	}
	if _, err := compiler(); err != nil { // checked before half a gigabyte is downloaded
		return nil, err
	}
	return Install(ctx, InstallOptions{Notices: notices})
}

// Install installs a libtorch into torchhub's cache, from the official zip or,
// if that cannot be downloaded, with pip. An existing one is kept. Any number
// of processes may call it at once: one installs and the others wait. Files of
// a killed process are removed by the next one.
func Install(ctx context.Context, o InstallOptions) (*Library, error) {
	if o.Version == "" {
		o.Version = DefaultVersion
	}
	if !regexp.MustCompile(`^2\.[0-9]+\.[0-9]+$`).MatchString(o.Version) || !supported(o.Version) {
		return nil, fmt.Errorf("libtorch: version %q cannot be installed; 2.%d.0 to %s are supported", o.Version, minMinor, DefaultVersion)
	}
	switch o.Variant {
	case "":
		o.Variant = CPU
		if driver() {
			o.Variant = CUDA
		}
	case CPU, CUDA:
	default:
		return nil, fmt.Errorf("libtorch: there is no variant %q; choose %s or %s", o.Variant, CPU, CUDA)
	}
	r := newReport(o.Notices)
	store, err := installed()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(store, o.Version+"-"+o.Variant)
	if lib, err := openInstalled(dir); err == nil {
		return lib, nil
	}
	if err := os.MkdirAll(store, 0o755); err != nil {
		return nil, fmt.Errorf("libtorch: install: %w; set TORCHHUB_CACHE to a folder that can be written", err)
	}
	lock, err := r.lock(ctx, filepath.Join(store, "lock"), "is installing libtorch")
	if err != nil {
		return nil, fmt.Errorf("libtorch: install: %w; set TORCHHUB_CACHE to a folder that can be written", err)
	}
	defer lock.Unlock()
	if lib, err := openInstalled(dir); err == nil { // another process was quicker
		return lib, nil
	}
	clean(store)

	if err := enoughSpace(store, space(o.Variant)); err != nil {
		return nil, fmt.Errorf("libtorch: install: %w; free some, or set TORCHHUB_CACHE to another disk", err)
	}
	start := time.Now()
	r.say("installing libtorch %s for %s into %s, once; TORCHHUB_INSTALL=off forbids it", o.Version, forDevice(o.Variant), short(dir))
	work, err := os.MkdirTemp(store, workPrefix)
	if err != nil {
		return nil, fmt.Errorf("libtorch: install: %w; set TORCHHUB_CACHE to a folder that can be written", err)
	}
	defer os.RemoveAll(work)
	root := filepath.Join(work, "root")
	zipErr := fromZip(ctx, r, o, work, root)
	if zipErr != nil && ctx.Err() == nil {
		r.say("the official zip cannot be had (%s): pip fetches it instead", reason(zipErr))
		if err := os.RemoveAll(root); err != nil {
			return nil, fmt.Errorf("libtorch: install: %w", err)
		}
		if pipErr := fromPip(ctx, r, o, work, root); pipErr != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("libtorch: install %s (%s): the official zip: %w; pip: %w; set LIBTORCH to the folder of a libtorch, or run \"python3 -m pip install torch==%s\" in a virtual environment",
				o.Version, o.Variant, zipErr, pipErr, o.Version)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("libtorch: install: %w", err)
	}
	if _, err := openInstalled(root); err != nil {
		return nil, fmt.Errorf("libtorch: install: the downloaded files cannot be used: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil { // it is broken, or openInstalled would have returned it
		return nil, fmt.Errorf("libtorch: install: %w", err)
	}
	if err := os.Rename(root, dir); err != nil {
		return nil, fmt.Errorf("libtorch: install: %w", err)
	}
	r.say("libtorch is installed, after %d seconds", int(time.Since(start).Round(time.Second).Seconds()))
	return openInstalled(dir)
}

// forDevice describes a variant.
func forDevice(variant string) string {
	if variant == CUDA {
		return "CUDA and the CPU"
	}
	return "the CPU"
}

// space is the number of bytes that an installation needs at its peak, including
// the archive.
func space(variant string) uint64 {
	if variant == CUDA {
		return 12 << 30
	}
	return 2 << 30
}

// workPrefix is the prefix of the names of unfinished installations.
const workPrefix = "installing-"

// clean removes the files of killed installations. The lock is held, so no installation is
// running.
func clean(store string) {
	left, _ := filepath.Glob(filepath.Join(store, workPrefix+"*"))
	for _, p := range left {
		_ = os.RemoveAll(p) // an error does no harm
	}
}

// installed returns the folder that holds the installations.
func installed() (string, error) {
	cache, err := CacheDir()
	return filepath.Join(cache, "libtorch"), err
}

// openInstalled opens an installation: an unpacked zip, or files from wheels.
func openInstalled(dir string) (*Library, error) {
	const source = "torchhub's cache"
	if _, err := os.Stat(filepath.Join(dir, "torch", "lib")); err == nil {
		return open(filepath.Join(dir, "torch"), source)
	}
	return open(dir, source)
}

// unpack writes the files of an archive that keep names, to the path it gives, relative to dir.
func unpack(ctx context.Context, archive, dir string, keep func(name string) (to string, ok bool)) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	defer z.Close()
	for _, f := range z.File {
		to, ok := keep(f.Name)
		if !ok || strings.HasSuffix(f.Name, "/") || f.Mode().Type() != 0 {
			continue
		}
		if !filepath.IsLocal(to) {
			return fmt.Errorf("%s: its file %q would be outside of the folder", filepath.Base(archive), f.Name)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := extract(f, filepath.Join(dir, filepath.FromSlash(to))); err != nil {
			return fmt.Errorf("%s: unpack %s: %w", filepath.Base(archive), f.Name, err)
		}
	}
	return nil
}

func extract(f *zip.File, to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644|f.Mode()&0o111)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, io.LimitReader(in, int64(f.UncompressedSize64)))
	return err
}

// libraries reports whether a shared library of torch/lib is needed on a CPU.
// Those for CUDA, Python and other processes are the larger half.
func cpuLibrary(name string) bool {
	for _, other := range []string{"cuda", "python", "nvrtc", "nvshmem", "libshm", "libtorch.so", "global_deps"} {
		if strings.Contains(name, other) {
			return false
		}
	}
	return strings.Contains(name, ".so") || strings.HasSuffix(name, ".dylib")
}

// fromTorchWheel selects the files that are needed from the wheel of torch.
func fromTorchWheel(variant string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		switch {
		case strings.HasPrefix(name, "torch/include/"), name == "torch/version.py":
			return name, true
		case path.Dir(name) == "torch/lib":
			return name, variant == CUDA || cpuLibrary(path.Base(name))
		}
		return "", false
	}
}

// fromNvidiaWheel selects the shared libraries, which torch's own expect in the same
// folder.
func fromNvidiaWheel(name string) (string, bool) {
	return name, strings.HasPrefix(name, "nvidia/") && strings.Contains(path.Base(name), ".so")
}

// fromZip installs the official zip.
func fromZip(ctx context.Context, r report, o InstallOptions, work, root string) error {
	urls := zipURLs(o)
	if len(urls) == 0 {
		return fmt.Errorf("there is none for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	file := filepath.Join(work, "libtorch.zip")
	var err error
	for _, url := range urls {
		if err = fetch(ctx, r, url, file); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	defer os.Remove(file)
	r.say("unpacking, in some %s", unpackTime(o.Variant))
	return unpack(ctx, file, root, func(name string) (string, bool) {
		name = strings.TrimPrefix(name, "libtorch/")
		top, _, _ := strings.Cut(name, "/")
		return name, top == "lib" && !strings.HasSuffix(name, ".a") || top == "include" || name == "build-version"
	})
}

// zipURLs lists the official zips that fit, the best one first. The available
// CUDA versions depend on the version of libtorch. There are none for some machines.
func zipURLs(o InstallOptions) []string {
	const origin = "https://download.pytorch.org/libtorch/"
	switch runtime.GOOS + "/" + runtime.GOARCH {
	case "linux/amd64":
		if o.Variant == CPU {
			return []string{origin + "cpu/libtorch-shared-with-deps-" + o.Version + "%2Bcpu.zip"}
		}
		var urls []string
		for _, cu := range []string{"cu132", "cu130", "cu128"} {
			urls = append(urls, origin+cu+"/libtorch-shared-with-deps-"+o.Version+"%2B"+cu+".zip")
		}
		return urls
	case "darwin/arm64":
		return []string{origin + "cpu/libtorch-macos-arm64-" + o.Version + ".zip"}
	}
	return nil
}

var pinned = regexp.MustCompile(`(?m)^Requires-Dist: ((?:cuda-toolkit|nvidia-cuda-(?:runtime|cupti))[\w-]*)(?:\[[^\]]*\])? *\(?(==[\w.*]+)`)

// fromPip installs from the wheels of torch.
func fromPip(ctx context.Context, r report, o InstallOptions, work, root string) error {
	p, err := findPip(r, work)
	if err != nil {
		return err
	}
	wheels := filepath.Join(work, "wheels")
	want := "torch==" + o.Version
	if o.Variant == CUDA {
		if err := p.download(ctx, wheels, true, want); err != nil {
			return err
		}
	} else if err := p.download(ctx, wheels, false, want); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(wheels, "torch-*.whl"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("it fetched %d wheels of torch", len(files))
	}
	torch := files[0]
	r.say("unpacking, in some %s", unpackTime(o.Variant))
	if err := unpack(ctx, torch, root, fromTorchWheel(o.Variant)); err != nil {
		return err
	}
	if o.Variant == CPU {
		// The wheel may be one for CUDA, whose CPU half is linked to two of its libraries.
		missing, err := unresolved(filepath.Join(root, "torch", "lib"))
		if err != nil {
			return err
		}
		if len(missing) > 0 {
			pins, err := pins(ctx, p, torch, wheels)
			if err != nil {
				return err
			}
			if err := p.download(ctx, wheels, false, pins...); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(torch); err != nil { // half a gigabyte that is no longer needed
		return err
	}
	others, err := filepath.Glob(filepath.Join(wheels, "nvidia_*.whl"))
	if err != nil {
		return err
	}
	for _, w := range others {
		if err := unpack(ctx, w, root, fromNvidiaWheel); err != nil {
			return err
		}
	}
	missing, err := unresolved(filepath.Join(root, "torch", "lib"))
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("libtorch_cpu needs %s, which no wheel brought", strings.Join(missing, " and "))
	}
	return err
}

// pins returns the requirements on the two CUDA libraries that a wheel of torch
// states, itself or through the package cuda-toolkit.
func pins(ctx context.Context, p *pip, wheel, wheels string) ([]string, error) {
	found, err := requirements(wheel)
	if err != nil {
		return nil, err
	}
	if kit, ok := found["cuda-toolkit"]; ok {
		if err := p.download(ctx, wheels, false, "cuda-toolkit"+kit); err != nil {
			return nil, err
		}
		files, err := filepath.Glob(filepath.Join(wheels, "cuda_toolkit-*.whl"))
		if err != nil || len(files) != 1 {
			return nil, fmt.Errorf("it fetched %d wheels of cuda-toolkit", len(files))
		}
		if found, err = requirements(files[0]); err != nil {
			return nil, err
		}
	}
	var out []string
	for name, version := range found {
		out = append(out, name+version)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s does not say which CUDA libraries it needs", filepath.Base(wheel))
	}
	return out, nil
}

// requirements reads a wheel's pinned requirements on CUDA packages, by name.
func requirements(wheel string) (map[string]string, error) {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(wheel), err)
	}
	defer z.Close()
	names, err := fs.Glob(z, "*.dist-info/METADATA")
	if err != nil || len(names) != 1 {
		return nil, fmt.Errorf("%s has no metadata", filepath.Base(wheel))
	}
	text, err := fs.ReadFile(z, names[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(wheel), err)
	}
	found := map[string]string{}
	for _, m := range pinned.FindAllStringSubmatch(string(text), -1) {
		found[m[1]] = m[2]
	}
	return found, nil
}

// unpackTime is the approximate time to unpack a variant, for messages.
func unpackTime(variant string) string {
	if variant == CUDA {
		return "60 seconds"
	}
	return "10 seconds"
}

// installTimeout limits one step of pip, which has no total limit of its own.
const installTimeout = 30 * time.Minute
