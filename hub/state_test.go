package hub

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// checkpoint is a state dict of one tensor.
func checkpoint(t *testing.T) []byte {
	data, err := os.ReadFile("../testdata/checkpoints/zip_state_dict.pt")
	require.NoError(t, err)
	return data
}

func TestFileNameOption(t *testing.T) {
	home := hubHome(t)
	body := checkpoint(t)
	f := &flaky{body: body}
	url := serve(t, f.ServeHTTP) + "/models/other.pth"
	name := "mine-" + digest(body)[:8] + ".pth"
	for range 2 {
		s, err := LoadStateDictFromURL(t.Context(), url, quick(WithFileName(name))...)
		require.NoError(t, err)
		s.Free()
	}
	require.Equal(t, []string{name}, files(t, filepath.Join(home, "checkpoints")))
	require.EqualValues(t, 1, f.requests.Load())
	_, err := LoadStateDictFromURL(t.Context(), url, quick(WithFileName("mine-0123456789.pth"))...)
	require.ErrorAs(t, err, new(*HashError), "the hash is that of the name given")
	for _, bad := range []string{"../x.pth", "a/b.pth", "/x.pth", ".", "..", `a\b.pth`, "a\nb"} {
		_, err := LoadStateDictFromURL(t.Context(), url, quick(WithFileName(bad))...)
		require.ErrorContains(t, err, "is not the name of a file in the cache", bad)
	}
	require.Equal(t, []string{name}, files(t, filepath.Join(home, "checkpoints")))
}

// A file that is in the cache is hashed where the caller says what it must be.
func TestSHA256OfCachedFile(t *testing.T) {
	home := hubHome(t)
	body := checkpoint(t)
	f := &flaky{body: body}
	url := serve(t, f.ServeHTTP) + "/w.pth"
	file := filepath.Join(home, "checkpoints", "w.pth")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte("an old one"), 0o644))
	_, err := LoadStateDictFromURL(t.Context(), url, quick()...)
	require.Error(t, err, "the old one is no checkpoint")
	require.Zero(t, f.requests.Load())
	for range 2 {
		s, err := LoadStateDictFromURL(t.Context(), url, quick(WithSHA256(digest(body)))...)
		require.NoError(t, err)
		s.Free()
	}
	require.EqualValues(t, 1, f.requests.Load())
}

func TestMapLocation(t *testing.T) {
	hubHome(t)
	url := serve(t, (&flaky{body: checkpoint(t)}).ServeHTTP) + "/w.pth"
	s, err := LoadStateDictFromURL(t.Context(), url, quick(WithDevice(torch.CPU))...)
	require.NoError(t, err)
	require.Equal(t, torch.CPU, s[0].Tensor.Device())
	s.Free()
	s, err = LoadStateDictFromURL(t.Context(), url, quick(WithDevice(torch.CUDA))...)
	if n, cerr := torch.CUDACount(t.Context()); cerr != nil || n == 0 {
		require.ErrorContains(t, err, "choose the device cpu")
		return
	}
	require.NoError(t, err)
	require.Equal(t, "cuda", s[0].Tensor.Device().Type())
	s.Free()
}

func TestDeprecatedVariables(t *testing.T) {
	f := newFakeGitHub(t)
	hubHome(t)
	f.repo(t, "o", "n", "main", map[string]string{"hubconf.py": ""})
	t.Setenv("TORCH_HUB", "/elsewhere")
	t.Setenv("TORCH_MODEL_ZOO", "/elsewhere")
	var notice bytes.Buffer
	_, err := Repository(t.Context(), "o/n:main", f.options(WithTrust(TrustAlways), WithNotice(&notice))...)
	require.NoError(t, err)
	require.Contains(t, notice.String(), "TORCH_HUB is deprecated, please use env TORCH_HOME instead\n")
	url := serve(t, (&flaky{body: checkpoint(t)}).ServeHTTP) + "/w.pth"
	s, err := LoadStateDictFromURL(t.Context(), url, quick(WithNotice(&notice))...)
	require.NoError(t, err)
	s.Free()
	require.Contains(t, notice.String(), "TORCH_MODEL_ZOO is deprecated")
	require.NotContains(t, Dir(), "elsewhere")
}

// zipped is a zip made by hand.
func zipped(t *testing.T, files ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		require.NoError(t, err)
		_, err = io.WriteString(w, files[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

// Before PyTorch 1.6 people zipped the files of torch.save.
func TestZipOfOneFile(t *testing.T) {
	legacy, err := os.ReadFile("../testdata/checkpoints/legacy_state_dict.pt")
	require.NoError(t, err)
	for name, inner := range map[string]string{"plain": "inner.pth", "folder": "a/inner.pth"} {
		home := hubHome(t)
		url := serve(t, (&flaky{body: zipped(t, inner, string(legacy))}).ServeHTTP) + "/w.zip"
		for range 2 {
			s, err := LoadStateDictFromURL(t.Context(), url, quick()...)
			require.NoError(t, err, name)
			require.NotEmpty(t, s)
			s.Free()
		}
		require.Equal(t, []string{"inner.pth", "w.zip"}, files(t, filepath.Join(home, "checkpoints")))
	}
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"traversal": {zipped(t, "../inner.pth", string(legacy)), "directory traversal"},
		"absolute":  {zipped(t, "/inner.pth", string(legacy)), "absolute path"},
		"itself":    {zipped(t, "w.zip", string(legacy)), "a file of its own name"},
		"bomb":      {zipped(t, "x.pth", strings.Repeat("\x00", 70<<20)), "unpacks to more than 200 times"},
		"two files": {zipped(t, "a.pth", "a", "b.pth", "b"), "w.zip"},
	} {
		home := hubHome(t)
		url := serve(t, (&flaky{body: c.body}).ServeHTTP) + "/w.zip"
		_, err := LoadStateDictFromURL(t.Context(), url, quick()...)
		require.ErrorContains(t, err, c.want, name)
		require.Equal(t, []string{"w.zip"}, files(t, filepath.Join(home, "checkpoints")), name)
	}
}

// TestZipOfOneFileIsPythons compares with torch.hub.
func TestZipOfOneFileIsPythons(t *testing.T) {
	p := reference.Start(t, `
import io, os, torch, warnings, zipfile
warnings.simplefilter("ignore")
def make(file):
    b = io.BytesIO()
    torch.save({"w": torch.arange(10.)}, b, _use_new_zipfile_serialization=False)
    with zipfile.ZipFile(file, "w") as z:
        z.writestr("weights.pth", b.getvalue())
def load(home, url):
    os.environ["TORCH_HOME"] = home
    return torch.hub.load_state_dict_from_url(url, progress=False, weights_only=True)["w"]
`)
	home := hubHome(t)
	file := filepath.Join(t.TempDir(), "w.zip")
	p.Call(nil, "make", file)
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	url := serve(t, (&flaky{body: body}).ServeHTTP) + "/w.zip"
	s, err := LoadStateDictFromURL(context.Background(), url, quick()...)
	require.NoError(t, err)
	defer s.Free()
	mine := files(t, filepath.Join(home, "checkpoints"))
	other := t.TempDir()
	var want reference.Array
	p.Call(&want, "load", other, url)
	require.Equal(t, reference.Data[float32](want), torch.Data[float32](s.Get("w")))
	require.Equal(t, files(t, filepath.Join(other, "hub", "checkpoints")), mine)
}
