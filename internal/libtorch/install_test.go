package libtorch

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// installHere makes this test binary install, print where, and end.
const installHere = "TORCHHUB_TEST_INSTALL"

func installChild() {
	zipClient = &http.Client{Transport: unreachable{}}
	lib, err := Install(context.Background(), InstallOptions{Variant: CPU})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(lib.LibDir)
}

type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network")
}

func offline(t *testing.T) {
	before := zipClient
	zipClient = &http.Client{Transport: unreachable{}}
	t.Cleanup(func() { zipClient = before })
}

func archive(t *testing.T, path string, files map[string]string) {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(w, text)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	write(t, path, b.String())
}

// wheels makes a small torch wheel and what else pip is asked for. With CUDA its
// libtorch_cpu is linked to a CUDA library that another wheel brings.
func wheels(t *testing.T, cuda bool) string {
	dir := t.TempDir()
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	metadata := "Metadata-Version: 2.4\nName: torch\nVersion: 2.15.0\nRequires-Dist: filelock\n"
	if cuda {
		metadata += "Requires-Dist: cuda-toolkit[cublas,cudart,cupti]==13.2.2; platform_system == \"Linux\"\n"
		lib := filepath.Join(dir, "build")
		write(t, filepath.Join(lib, "a.c"), "int cudart(void) { return 1; }\n")
		write(t, filepath.Join(lib, "b.c"), "int cudart(void); int cpu(void) { return cudart(); }\n")
		for _, args := range [][]string{
			{"-shared", "-fPIC", "-o", "libcudart.so.13", "-Wl,-soname,libcudart.so.13", "a.c"},
			{"-shared", "-fPIC", "-o", "libtorch_cpu.so", "b.c", "./libcudart.so.13", "-Wl,-rpath,$ORIGIN/../../nvidia/cu13/lib:$ORIGIN"},
		} {
			c := exec.Command("g++", args...)
			c.Dir = lib
			out, err := c.CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
		self, err = os.ReadFile(filepath.Join(lib, "libtorch_cpu.so"))
		require.NoError(t, err)
		cudart, err := os.ReadFile(filepath.Join(lib, "libcudart.so.13"))
		require.NoError(t, err)
		archive(t, filepath.Join(dir, "cuda_toolkit-13.2.2-py3-none-any.whl"), map[string]string{
			"cuda_toolkit-13.2.2.dist-info/METADATA": "Name: cuda-toolkit\nRequires-Dist: nvidia-cublas==13.4.*; extra == 'cublas'\nRequires-Dist: nvidia-cuda-runtime==13.2.86.*; extra == 'cudart'\n",
		})
		archive(t, filepath.Join(dir, "nvidia_cuda_runtime-13.2.86-py3-none-any.whl"), map[string]string{
			"nvidia/cu13/lib/libcudart.so.13": string(cudart), "nvidia/cu13/include/cuda.h": "",
		})
	}
	archive(t, filepath.Join(dir, "torch-2.15.0-cp311-cp311-linux.whl"), map[string]string{
		"torch/version.py":                 "__version__ = '2.15.0+cu132'\n",
		"torch/include/ATen/ATen.h":        "",
		"torch/lib/libtorch_cpu.so":        string(self),
		"torch/lib/libc10.so":              "",
		"torch/lib/libtorch_cuda.so":       "",
		"torch/lib/libtorch_python.so":     "",
		"torch/nn/modules/linear.py":       "",
		"torch-2.15.0.dist-info/METADATA":  metadata,
		"torch-2.15.0.dist-info/LICENSE":   "",
		"torch/include/../../../escape.h":  "", // never to be written
		"torch/lib/sub/libtorch_nested.so": "",
	})
	return dir
}

// fakePip puts a python3 on PATH whose pip takes wheels from a folder, slowly, and counts.
func fakePip(t *testing.T, bin, from, count string) {
	write(t, filepath.Join(bin, "python3"), fmt.Sprintf(`#!/bin/sh
PATH=%s
[ "$1" = -c ] && exit 0
[ "$3" = --version ] && exit 0
for a; do
	[ "$last" = --dest ] && dest=$a
	last=$a
done
mkdir -p "$dest"
for a; do
	case $a in
	torch==*) echo "  Downloading torch-2.15.0-cp311-cp311-linux.whl.metadata (30 kB)"
		echo "Downloading https://index/a/torch-2.15.0-cp311-cp311-linux.whl (532.4 MB)"
		echo x >>%s; sleep 1; cp %s/torch-*.whl "$dest" ;;
	cuda-toolkit==13.2.2) echo "  Downloading cuda_toolkit-13.2.2-py3-none-any.whl (2.4 kB)"
		cp %s/cuda_toolkit-*.whl "$dest" ;;
	nvidia-cuda-runtime==13.2.86.\*) echo "Using cached nvidia_cuda_runtime-13.2.86-py3-none-any.whl (2.4 MB)"
		cp %s/nvidia_cuda_runtime-*.whl "$dest" ;;
	esac
done
`, os.Getenv("PATH"), count, from, from, from))
}

func TestInstallRefusesFilesOutside(t *testing.T) {
	from := wheels(t, false)
	offline(t)
	bin := t.TempDir()
	fakePip(t, bin, from, filepath.Join(from, "count"))
	_, cache := emptyMachine(t)
	t.Setenv("PATH", bin)
	_, err := Install(t.Context(), InstallOptions{Variant: CPU, Notices: io.Discard})
	require.ErrorContains(t, err, "would be outside of the folder")
	left, _ := filepath.Glob(filepath.Join(cache, "libtorch", "*-*"))
	require.Empty(t, left)
}

// sound takes the file that would lie outside from the wheel of torch.
func sound(t *testing.T, from string) {
	w := filepath.Join(from, "torch-2.15.0-cp311-cp311-linux.whl")
	z, err := zip.OpenReader(w)
	require.NoError(t, err)
	files := map[string]string{}
	for _, f := range z.File {
		if strings.Contains(f.Name, "..") {
			continue
		}
		r, err := f.Open()
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		files[f.Name] = string(b)
	}
	z.Close()
	archive(t, w, files)
}

func TestInstall(t *testing.T) {
	for _, cuda := range []bool{false, true} {
		t.Run(fmt.Sprint("cuda=", cuda), func(t *testing.T) {
			from := wheels(t, cuda)
			sound(t, from)
			offline(t)
			bin, count := t.TempDir(), filepath.Join(from, "count")
			fakePip(t, bin, from, count)
			_, cache := emptyMachine(t)
			t.Setenv("PATH", bin)
			var notices bytes.Buffer
			lib, err := Install(t.Context(), InstallOptions{Variant: CPU, Notices: &notices})
			require.NoError(t, err)
			root := filepath.Join(cache, "libtorch", "2.15.0-cpu")
			require.Equal(t, filepath.Join(root, "torch", "lib"), lib.LibDir)
			require.Equal(t, "2.15.0+cu132", lib.Version)
			require.False(t, lib.CUDA)
			zip := "torchhub: the official zip cannot be had (download.pytorch.org: no network):\n" +
				"          pip fetches it instead\n"
			if runtime.GOARCH == "arm64" {
				zip = "torchhub: the official zip cannot be had (there is none for linux/arm64): pip\n" +
					"          fetches it instead\n"
			}
			want := "torchhub: installing libtorch 2.15.0 for the CPU into\n" +
				"          ~/cache/libtorch/2.15.0-cpu, once; TORCHHUB_INSTALL=off forbids it\n" +
				zip +
				"torchhub: pip downloads torch 2.15.0, 532 MB\n" +
				"torchhub: unpacking, in some 10 seconds\n"
			if cuda {
				want += "torchhub: pip has nvidia_cuda_runtime 13.2.86, 2 MB\n"
			}
			require.Regexp(t, "^"+regexp.QuoteMeta(want)+`torchhub: libtorch is installed, after \d+ seconds\n$`, notices.String())
			for line := range strings.Lines(notices.String()) {
				require.LessOrEqual(t, len(line), 80, line)
			}
			for file, want := range map[string]bool{
				"torch/lib/libtorch_cpu.so": true, "torch/lib/libc10.so": true, "torch/include/ATen/ATen.h": true,
				"torch/lib/libtorch_cuda.so": false, "torch/lib/libtorch_python.so": false, "torch/nn": false,
				"nvidia/cu13/lib/libcudart.so.13": cuda, "nvidia/cu13/include": false,
			} {
				require.Equal(t, want, fileExists(filepath.Join(root, file)), file)
			}
			left, _ := filepath.Glob(filepath.Join(cache, "libtorch", workPrefix+"*"))
			require.Empty(t, left)

			found, err := Ensure(t.Context(), io.Discard)
			require.NoError(t, err)
			require.Equal(t, lib, found)
			_, err = Install(t.Context(), InstallOptions{Variant: CPU})
			require.NoError(t, err)
			b, err := os.ReadFile(count)
			require.NoError(t, err)
			require.Equal(t, "x\n", string(b), "it was installed twice")
		})
	}
}

func TestInstallOnceAmongProcesses(t *testing.T) {
	from := wheels(t, false)
	sound(t, from)
	bin, count := t.TempDir(), filepath.Join(from, "count")
	fakePip(t, bin, from, count)
	_, cache := emptyMachine(t)
	t.Setenv("PATH", bin)
	t.Setenv(installHere, "1")
	self, err := os.Executable()
	require.NoError(t, err)

	// One is killed in the middle, and leaves its work behind.
	killed := exec.Command(self)
	require.NoError(t, killed.Start())
	require.Eventually(t, func() bool { return fileExists(count) }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, killed.Process.Kill())
	require.Error(t, killed.Wait())
	left, _ := filepath.Glob(filepath.Join(cache, "libtorch", workPrefix+"*"))
	require.Len(t, left, 1)
	require.NoError(t, os.Remove(count))

	results := make(chan string, 20)
	for range cap(results) {
		go func() {
			out, err := exec.Command(self).Output()
			if err != nil {
				out = append(out, err.Error()...)
			}
			results <- strings.TrimSpace(string(out))
		}()
	}
	for range cap(results) {
		require.Equal(t, filepath.Join(cache, "libtorch", "2.15.0-cpu", "torch", "lib"), <-results)
	}
	b, err := os.ReadFile(count)
	require.NoError(t, err)
	require.Equal(t, "x\n", string(b), "it was fetched more than once")
	left, _ = filepath.Glob(filepath.Join(cache, "libtorch", workPrefix+"*"))
	require.Empty(t, left)
}

func TestInstallFromZip(t *testing.T) {
	if runtime.GOARCH == "arm64" {
		t.Skip("there is no official zip for this machine")
	}
	zips := t.TempDir()
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	file := filepath.Join(zips, "libtorch.zip")
	archive(t, file, map[string]string{
		"libtorch/build-version": "2.14.0+cpu\n", "libtorch/include/ATen/ATen.h": "", "libtorch/lib/libtorch_cpu.so": string(self),
		"libtorch/lib/libc10.so": "", "libtorch/lib/libXNNPACK.a": "", "libtorch/share/cmake/TorchConfig.cmake": "",
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/libtorch/cpu/libtorch-shared-with-deps-2.14.0+cpu.zip" {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, file)
	}))
	defer server.Close()
	before := zipClient
	defer func() { zipClient = before }()
	zipClient = &http.Client{Transport: redirect{server}}

	_, cache := emptyMachine(t)
	lib, err := Install(t.Context(), InstallOptions{Version: "2.14.0", Variant: CPU, Notices: io.Discard})
	require.NoError(t, err)
	root := filepath.Join(cache, "libtorch", "2.14.0-cpu")
	require.Equal(t, filepath.Join(root, "lib"), lib.LibDir)
	require.Equal(t, "2.14.0+cpu", lib.Version)
	require.False(t, fileExists(filepath.Join(root, "share")))
	require.False(t, fileExists(filepath.Join(root, "lib", "libXNNPACK.a")))

	_, err = Install(t.Context(), InstallOptions{Version: "2.13.0", Variant: CPU, Notices: io.Discard})
	require.ErrorContains(t, err, "the official zip")
	require.ErrorContains(t, err, "404 Not Found")
	require.ErrorContains(t, err, "there is no pip")
}

// redirect sends every request to a server of the test.
type redirect struct{ s *httptest.Server }

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	to := req.Clone(req.Context())
	to.URL.Scheme, to.URL.Host = "http", strings.TrimPrefix(r.s.URL, "http://")
	return http.DefaultTransport.RoundTrip(to)
}

func TestInstallMistakes(t *testing.T) {
	offline(t)
	bin, cache := emptyMachine(t)
	for _, c := range []struct {
		o    InstallOptions
		want string
	}{
		{InstallOptions{Version: "2.10.0"}, `version "2.10.0" cannot be installed`},
		{InstallOptions{Version: "2.15.0; rm -rf /"}, "cannot be installed"},
		{InstallOptions{Variant: "rocm"}, `no variant "rocm"`},
		{InstallOptions{Variant: CPU}, "there is no pip"},
	} {
		c.o.Notices = io.Discard
		_, err := Install(t.Context(), c.o)
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "\n")
	}

	write(t, filepath.Join(bin, "python3"), "#!/bin/sh\n[ \"$3\" = --version ] && exit 0\necho 'WARNING: retrying' >&2\necho 'ERROR: No matching distribution found for torch==2.15.0' >&2\nexit 1\n")
	_, err := Install(t.Context(), InstallOptions{Variant: CPU, Notices: io.Discard})
	require.ErrorContains(t, err, "No matching distribution found for torch==2.15.0")
	require.NotContains(t, err.Error(), "WARNING")
	left, _ := filepath.Glob(filepath.Join(cache, "libtorch", "*-*"))
	require.Empty(t, left)

	// A call that is canceled ends, and its pip with it.
	write(t, filepath.Join(bin, "python3"), "#!/bin/sh\n[ \"$3\" = --version ] && exit 0\nexec /bin/sleep 60\n")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = Install(ctx, InstallOptions{Variant: CPU, Notices: io.Discard})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), 20*time.Second)
	left, _ = filepath.Glob(filepath.Join(cache, "libtorch", "*-*"))
	require.Empty(t, left)

	// A cache that is no folder.
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	t.Setenv("TORCHHUB_CACHE", file)
	_, err = Install(t.Context(), InstallOptions{Variant: CPU, Notices: io.Discard})
	require.ErrorContains(t, err, "set TORCHHUB_CACHE to a folder that can be written")
	t.Setenv("TORCHHUB_CACHE", "")
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	_, err = Install(t.Context(), InstallOptions{Variant: CPU, Notices: io.Discard})
	require.ErrorContains(t, err, "set TORCHHUB_CACHE")
}

func TestEnoughSpace(t *testing.T) {
	require.NoError(t, enoughSpace(t.TempDir(), 1))
	require.ErrorContains(t, enoughSpace(t.TempDir(), 1<<60), "MiB are needed")
}

func TestBuildShimNeedsCompiler(t *testing.T) {
	bin, cache := emptyMachine(t)
	root := filepath.Join(cache, "libtorch", "2.15.0-cpu")
	fake(t, root, "2.15.0")
	lib, err := Find(t.Context())
	require.NoError(t, err)
	_, err = BuildShim(t.Context(), lib, io.Discard)
	require.ErrorContains(t, err, "no C++ compiler")
	require.ErrorContains(t, err, "install g++ or clang")

	write(t, filepath.Join(bin, "g++"), "#!/bin/sh\necho 'shim.cpp:1:2: fatal error: ATen/ATen.h: broken' >&2\nexit 1\n")
	_, err = BuildShim(t.Context(), lib, io.Discard)
	require.ErrorContains(t, err, "fatal error: ATen/ATen.h: broken")
	shims, _ := filepath.Glob(filepath.Join(cache, "shim", "*", "shim.so"))
	require.Empty(t, shims)
}
