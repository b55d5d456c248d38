package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
)

var command string // the built command

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "torchhub")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		command = filepath.Join(dir, "torchhub")
		if out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput(); err != nil {
			panic(string(out))
		}
		if err := torch.Init(context.Background()); err != nil { // so that no test waits for an installation
			panic(err)
		}
		return m.Run()
	}())
}

// torchhub runs the command with a weights cache of its own.
func torchhub(t *testing.T, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	c := exec.Command(command, args...)
	c.Env = append(append(os.Environ(), "TORCH_HOME="+t.TempDir()), env...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	p := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(p, data, 0o644))
	return p
}

func pngOf(t *testing.T, w, h int) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// scripted names the built-in model as the weights of a model, with its own
// shape of input; the command then needs no weights from elsewhere.
func scripted(t *testing.T) string { return write(t, t.TempDir(), "script.pt", builtin.Model()) }

func TestPredictBuiltIn(t *testing.T) {
	out, errs, status := torchhub(t, nil, "predict")
	require.Zero(t, status, errs)
	require.Empty(t, errs)
	require.Regexp(t, `^built-in picture: built-in model on (cpu|cuda:0)\n +\d\d\.\d\d %  letter G\n`, out)

	out, errs, status = torchhub(t, nil, "predict", "--json", "--logits", "-k", "2", "--device", "cpu")
	require.Zero(t, status, errs)
	var p prediction
	require.NoError(t, json.Unmarshal([]byte(out), &p))
	require.Equal(t, "built-in model", p.Model)
	require.Equal(t, "cpu", p.Device)
	require.Len(t, p.Top, 2)
	require.Len(t, p.Logits, 36)
	require.Equal(t, hub.Label{Index: 6, Name: "letter G", Score: p.Top[0].Score}, p.Top[0])
	require.Greater(t, p.Top[0].Score, 0.9)
	out, _, _ = torchhub(t, nil, "predict", "--json", "--device", "cpu")
	require.NotContains(t, out, "logits")
}

// TestMistakes checks for every mistake: a status, nothing on stdout, one line on
// stderr that says which and what to do, no stack, and nothing left in the cache.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	var photo bytes.Buffer
	require.NoError(t, jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 640, 480)), nil))
	header := append([]byte("IHDR"), 0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 2, 0, 0, 0)
	huge := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	huge = binary.BigEndian.AppendUint32(huge, crc32.ChecksumIEEE(header))
	good := write(t, dir, "good.png", pngOf(t, 20, 20))
	state, err := os.ReadFile("../../testdata/checkpoints/zip_state_dict.pt")
	require.NoError(t, err)
	flipped := bytes.Clone(state)
	at := bytes.Index(flipped, []byte("data.pkl")) + 200
	flipped[at] ^= 0xff
	var hostile bytes.Buffer
	z := zip.NewWriter(&hostile)
	for name, text := range map[string]string{"a/data.pkl": "cos\nsystem\n(S'touch " + filepath.Join(dir, "owned") + "'\ntR.", "a/version": "3\n", "a/byteorder": "little"} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	file := write(t, dir, "file", nil)
	scripted := scripted(t)

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Base(r.URL.Path)
		switch {
		case strings.HasPrefix(r.URL.Path, "/404/"):
			http.NotFound(w, r)
		case strings.HasPrefix(r.URL.Path, "/403/"):
			w.WriteHeader(http.StatusForbidden)
		case strings.HasPrefix(r.URL.Path, "/other/"):
			fmt.Fprint(w, "not the weights of ", name)
		case strings.HasPrefix(r.URL.Path, "/page/"):
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!DOCTYPE html><html>Please log in</html>")
		}
	}))
	t.Cleanup(server.Close) // the parallel tests below outlive this function
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + gone.Addr().String()
	gone.Close()

	model := func(args ...string) []string { return append([]string{"predict", "-m", "resnet18"}, args...) }
	weights := func(name string, data []byte) []string {
		return model("--weights", write(t, dir, name, data), good)
	}
	labels := write(t, dir, "labels.txt", []byte(strings.Join(builtin.Labels(), "\n")))
	picture := func(p string) []string { return model("--weights", scripted, "--labels", labels, p) }
	for name, c := range map[string]struct {
		env    []string
		args   []string
		want   []string
		status int
	}{
		"no file":        {args: picture(filepath.Join(dir, "none.jpg")), want: []string{"none.jpg", "no such file"}},
		"folder":         {args: picture(t.TempDir()), want: []string{"there are no pictures in the folder"}},
		"empty":          {args: picture(write(t, dir, "empty.jpg", nil)), want: []string{"empty.jpg", "empty"}},
		"text":           {args: picture(write(t, dir, "text.jpg", []byte("hello"))), want: []string{"text.jpg", "it is a text file, not a picture"}},
		"cut":            {args: picture(write(t, dir, "cut.jpg", photo.Bytes()[:photo.Len()*2/3])), want: []string{"cut.jpg", "truncated"}},
		"huge":           {args: picture(write(t, dir, "huge.png", huge)), want: []string{"huge.png", "60000×60000", "scale it down"}},
		"no such URL":    {args: picture(server.URL + "/404/dog.jpg"), want: []string{"/404/dog.jpg", "404 Not Found", "check the URL"}},
		"page for a dog": {args: picture(server.URL + "/page/dog.jpg"), want: []string{"/page/dog.jpg", "it is an HTML page"}},

		"unknown model": {args: []string{"predict", "-m", "resnet5", good}, want: []string{`"resnet5"`, "did you mean resnet50"}},
		"device":        {args: model("--device", "tpu", good), want: []string{"tpu", "cuda:N"}, status: 2},
		"k":             {args: model("-k", "0", good), want: []string{"-k is 0"}, status: 2},
		"no picture":    {args: model(), want: []string{"name a picture"}, status: 2},
		"no model":      {args: []string{"predict", good}, want: []string{"name a model with -m"}, status: 2},
		"logits":        {args: model("--logits", good), want: []string{"--logits needs --json"}, status: 2},
		"flag":          {args: model("--bogus"), want: []string{"--bogus"}, status: 2},
		"command":       {args: []string{"prdict"}, want: []string{`torchhub has no command "prdict"`, "did you mean predict?"}, status: 2},
		"arguments":     {args: []string{"show"}, want: []string{`the arguments do not fit "torchhub show`, "show --help"}, status: 2},
		"shown model":   {args: []string{"show", "resnext101"}, want: []string{"did you mean"}},

		"cut weights":     {args: weights("cut.pth", state[:len(state)/2]), want: []string{"cut.pth"}},
		"flipped weights": {args: weights("flipped.pth", flipped), want: []string{"flipped.pth"}},
		"hostile weights": {args: weights("hostile.pth", hostile.Bytes()), want: []string{"hostile.pth", "system"}},
		"other weights":   {args: weights("other.pth", state), want: []string{"other.pth", "missing", `"conv1.weight"`, "unexpected"}},
		"text weights":    {args: weights("text.pth", []byte("hello")), want: []string{"text.pth"}},
		"empty weights":   {args: weights("empty.pth", nil), want: []string{"empty.pth", "empty"}},
		"no weights":      {args: model("--weights", filepath.Join(dir, "none.pth"), good), want: []string{"none.pth"}},

		"404":        {env: []string{"TORCHHUB_MIRROR=" + server.URL + "/404"}, args: model(good), want: []string{"resnet18-f37072fd.pth", "404", "check the URL"}},
		"403":        {env: []string{"TORCHHUB_MIRROR=" + server.URL + "/403"}, args: model(good), want: []string{"resnet18-f37072fd.pth", "403"}},
		"other file": {env: []string{"TORCHHUB_MIRROR=" + server.URL + "/other"}, args: model(good), want: []string{"sha256 is ", "f37072fd"}},
		"page":       {env: []string{"TORCHHUB_MIRROR=" + server.URL + "/page"}, args: model(good), want: []string{"resnet18-f37072fd.pth"}},
		"no server":  {env: []string{"TORCHHUB_MIRROR=" + nobody}, args: model(good), want: []string{"resnet18-f37072fd.pth", "refused"}},
		"bad mirror": {env: []string{"TORCHHUB_MIRROR=here"}, args: model(good), want: []string{"TORCHHUB_MIRROR"}},
		"no folder":  {env: []string{"TORCH_HOME=" + file}, args: model(good), want: []string{file, "TORCH_HOME"}},

		"LIBTORCH":    {env: []string{"LIBTORCH=" + dir}, args: []string{"predict"}, want: []string{"$LIBTORCH is " + dir, "set it to"}},
		"no cache":    {env: []string{"TORCHHUB_CACHE=" + file}, args: []string{"predict"}, want: []string{"TORCHHUB_CACHE"}},
		"old version": {args: []string{"setup", "--version", "2.1.0"}, want: []string{`"2.1.0"`, "2.15.0"}},
		"variant":     {args: []string{"setup", "--variant", "rocm"}, want: []string{`"rocm"`, "cpu or cuda"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			start := time.Now()
			out, errs, status := torchhub(t, append([]string{"TORCH_HOME=" + home}, c.env...), c.args...)
			if c.status == 0 {
				c.status = 1
			}
			require.Equal(t, c.status, status, errs)
			require.Empty(t, out)
			require.Equal(t, 1, strings.Count(errs, "\n"), errs)
			require.True(t, strings.HasPrefix(errs, "torchhub: "), errs)
			require.NotContains(t, errs, "goroutine")
			require.NotContains(t, errs, "internal error")
			for _, w := range c.want {
				require.Contains(t, errs, w)
			}
			require.Less(t, time.Since(start), time.Minute)
			require.NoError(t, filepath.WalkDir(home, func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					t.Errorf("%s was left", path)
				}
				return err
			}))
		})
	}
	t.Run("cuda without a GPU", func(t *testing.T) {
		if n, err := torch.CUDACount(t.Context()); err == nil && n > 0 {
			t.Skip("there is one")
		}
		for _, d := range []string{"cuda", "cuda:7"} {
			_, errs, status := torchhub(t, nil, model("--device", d, good)...)
			require.Equal(t, 1, status)
			require.Contains(t, errs, "device "+d)
			require.Contains(t, errs, "choose the device cpu")
			require.Equal(t, 1, strings.Count(errs, "\n"), errs)
		}
	})
	t.Cleanup(func() { require.NoFileExists(t, filepath.Join(dir, "owned")) })
}

// The classes of the built-in model are not ImageNet's: as weights of another model they have no names, or those given.
func TestScriptOfOtherShape(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, "good.png", builtin.Picture())
	args := []string{"predict", "-m", "resnet18", "--weights", scripted(t), "--device", "cpu", good}
	out, errs, status := torchhub(t, nil, args...)
	require.Zero(t, status, errs)
	require.Regexp(t, `good.png: resnet18 on cpu\n +\d+\.\d\d %  class \d+\n`, out)
	require.Equal(t, "torchhub: resnet18 has 36 classes in these weights, without names\n", errs)

	labels := write(t, dir, "labels.txt", []byte("\ufeff"+strings.Join(builtin.Labels(), "\r\n")+"\r\n"))
	out, errs, status = torchhub(t, nil, append(args, "--labels", labels)...)
	require.Zero(t, status, errs)
	require.Empty(t, errs)
	require.Contains(t, out, "letter")

	_, errs, status = torchhub(t, nil, append(args, "--labels", "ImageNet-1K")...)
	require.Equal(t, 1, status)
	require.Equal(t, "torchhub: resnet18: the model has 36 classes, and 1000 labels were given; give one for each class\n", errs)
}

func TestOddSizes(t *testing.T) {
	dir := t.TempDir()
	for _, s := range []image.Point{{1, 1}, {1, 5000}, {5000, 1}} {
		p := write(t, dir, "odd.png", pngOf(t, s.X, s.Y))
		out, errs, status := runHere(t, p)
		require.Zero(t, status, errs)
		require.Contains(t, out, "letter")
	}
}

// runHere classifies a picture with the built-in model, inside this process.
func runHere(t *testing.T, path string) (string, string, int) {
	t.Helper()
	f := predictFlags{k: 36, device: "cpu"}
	model, err := load(t.Context(), f, io.Discard)
	require.NoError(t, err)
	defer model.Close()
	var out bytes.Buffer
	err = classifyAll(t.Context(), &out, model, f, open(t.Context(), nil, []string{path}), func(err error) { require.NoError(t, err) })
	require.NoError(t, err)
	return out.String(), "", 0
}

func TestPicturesFromEverywhere(t *testing.T) {
	data := pngOf(t, 50, 40)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(data) }))
	defer server.Close()
	pictures := open(t.Context(), bytes.NewReader(data), []string{"-", server.URL + "/a.png"})
	img, err := pictures[0].open()
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 50, 40), img.Bounds())
	img, err = pictures[1].open()
	require.NoError(t, err)
	require.Equal(t, color.RGBA{0, 7, 14, 255}, img.At(0, 0))
}

func TestInterrupt(t *testing.T) {
	arrived := make(chan bool, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-r.Context().Done()
	}))
	defer server.Close()
	good := write(t, t.TempDir(), "good.png", pngOf(t, 20, 20))
	home := t.TempDir()
	c := exec.Command(command, "predict", "-m", "resnet18", good)
	c.Env = append(os.Environ(), "TORCH_HOME="+home, "TORCHHUB_MIRROR="+server.URL)
	var errs bytes.Buffer
	c.Stderr = &errs
	require.NoError(t, c.Start())
	<-arrived
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	require.Error(t, c.Wait())
	require.Equal(t, 1, c.ProcessState.ExitCode())
	require.Equal(t, "torchhub: interrupted\n", errs.String())
	require.NoFileExists(t, filepath.Join(home, "hub", "checkpoints", "resnet18-f37072fd.pth"))
}

func TestListAndShow(t *testing.T) {
	out, _, status := torchhub(t, nil, "list")
	require.Zero(t, status)
	require.Contains(t, out, "resnext101_32x48d_wsl")
	out, _, status = torchhub(t, nil, "list", "--json")
	require.Zero(t, status)
	for l := range strings.Lines(out) {
		var c card
		require.NoError(t, json.Unmarshal([]byte(l), &c))
		require.Equal(t, strings.Contains(filepath.Base(c.URL), "-"), len(c.SHA256Prefix) >= 8, c.URL)
	}
	out, _, status = torchhub(t, nil, "show", "resnext101_32x8d_wsl")
	require.Zero(t, status)
	for _, want := range []string{"88791336", "16.0 G", "top-1 82.2 %", "ig_resnext101_32x8-c38310e5.pth", "resize 256 (bilinear), crop 224", "CC-BY-NC 4.0", "not in the cache"} {
		require.Contains(t, out, want)
	}
	out, _, status = torchhub(t, nil, "version")
	require.Zero(t, status)
	require.Contains(t, out, "torchhub ")
}

func TestDoctor(t *testing.T) {
	out, _, status := torchhub(t, nil, "doctor")
	require.Zero(t, status, out)
	for _, want := range []string{"this one is used", "shim", "threads", "NVIDIA driver"} {
		require.Contains(t, out, want)
	}
	out, _, status = torchhub(t, []string{"LIBTORCH=" + t.TempDir()}, "doctor")
	require.Equal(t, 1, status)
	require.Contains(t, out, "BAD")
	require.Contains(t, out, "is missing")
}
