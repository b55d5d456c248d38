package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/safetensors"
)

var update = flag.Bool("update", false, "write testdata/errors.golden anew")

// commandErrors are common mistakes with the command. SERVER is a server's address, NOBODY one where none is.
var commandErrors = []string{
	// The arguments.
	"prdict",
	"predict dog.jpg",
	"predict resnet18 dog.jpg",
	"predict -model resnet18 dog.jpg",
	"predict --wieghts x.pth -m resnet18 dog.jpg",
	"predict -m resnet18",
	"predict -m resnet5 dog.jpg",
	"predict -m yolov5s dog.jpg",
	"predict -m resnet18 -k 0 dog.jpg",
	"predict -m resnet18 -k five dog.jpg",
	"predict -m resnet18 --logits dog.jpg",
	"predict -m resnet18 --device tpu dog.jpg",
	"predict --weights x.pth dog.jpg",
	"predict --repo . dog.jpg",
	// Pictures.
	"predict -m tiny --weights script.pt none.jpg",
	"predict -m tiny --weights script.pt folder",
	"predict -m tiny --weights script.pt empty.jpg",
	"predict -m tiny --weights script.pt text.jpg",
	"predict -m tiny --weights script.pt cut.jpg",
	"predict -m tiny --weights script.pt state.pth",
	"predict -m tiny --weights script.pt script.pt",
	"predict -m tiny --weights script.pt photo.heic",
	"predict -m tiny --weights script.pt SERVER/404/dog.jpg",
	"predict -m tiny --weights script.pt SERVER/page/dog.jpg",
	"predict -m tiny --weights script.pt NOBODY/dog.jpg",
	// Weights.
	"predict -m resnet18 --weights IMAGENET1K_V3 dog.jpg",
	"predict -m resnet18 --weights none.pth dog.jpg",
	"predict -m resnet18 --weights folder dog.jpg",
	"predict -m resnet18 --weights empty.pth dog.jpg",
	"predict -m resnet18 --weights zeros.pth dog.jpg",
	"predict -m resnet18 --weights text.pth dog.jpg",
	"predict -m resnet18 --weights page.pth dog.jpg",
	"predict -m resnet18 --weights lfs.pth dog.jpg",
	"predict -m resnet18 --weights dog.jpg dog.jpg",
	"predict -m resnet18 --weights cut.pth dog.jpg",
	"predict -m resnet18 --weights cut.safetensors dog.jpg",
	"predict -m resnet18 --weights hostile.pth dog.jpg",
	"predict -m resnet18 --weights model.onnx dog.jpg",
	"predict -m resnet18 --weights model.h5 dog.jpg",
	"predict -m resnet18 --weights model.gguf dog.jpg",
	"predict -m resnet18 --weights array.npy dog.jpg",
	"predict -m resnet18 --weights list.pth dog.jpg",
	"predict -m resnet18 --weights state.pth dog.jpg",
	"predict -m tiny --weights two.pth dog.jpg",
	"predict -m tiny --weights two.pth --key none dog.jpg",
	"predict -m tiny --weights teachers.safetensors dog.jpg",
	"predict -m tiny --weights teachers.safetensors --prefix none. dog.jpg",
	"predict -m tiny --weights wide.safetensors dog.jpg",
	"predict -m tiny --weights fits.safetensors --arguments {} dog.jpg",
	"predict -m resnet18 --weights state.pth --arguments num_classes=10 dog.jpg",
	`predict -m resnet18 --weights state.pth --arguments {"classes":10} dog.jpg`,
	"predict -m tiny --weights SERVER/404/x.pth dog.jpg",
	"predict -m tiny --weights SERVER/page/x.pth dog.jpg",
	"predict -m tiny --weights SERVER/message/x.pth dog.jpg",
	"predict -m tiny --weights SERVER/other/x-01234567.pth dog.jpg",
	"predict -m tiny --weights SERVER/script/x.pt dog.jpg",
	// Labels.
	"predict -m tiny --weights script.pt --labels none.txt dog.jpg",
	"predict -m tiny --weights script.pt --labels dog.jpg dog.jpg",
	"predict -m tiny --weights script.pt --labels gap.txt dog.jpg",
	"predict -m tiny --weights script.pt --labels ImageNet-1K dog.jpg",
	// Repositories.
	"predict --repo https://github.com/owner/name -m m dog.jpg",
	"predict --repo http://example.com/models -m m dog.jpg",
	"predict --repo nothing/here/at/all -m m dog.jpg",
	"predict --repo owner/name --source gitlab -m m dog.jpg",
	"predict --repo ./none -m m dog.jpg",
	"predict --repo ./folder -m m dog.jpg",
	"predict --repo ./python -m m dog.jpg",
	"predict --repo ./python -m n dog.jpg",
	"predict --repo ./letters -m lettrs dog.jpg",
	"predict --repo ./changed -m letters dog.jpg",
	"predict --repo ./damaged -m letters dog.jpg",
	"predict --repo ./bare -m letters dog.jpg",
	// Packing.
	"pack letters",
	"pack -o letters letters script.pt",
	"pack letters none.pt",
	"pack letters folder",
	"pack letters text.pth",
	"pack letters dog.jpg",
	"pack letters state.pth",
	"pack --architecture resnet5 letters state.pth",
	"pack --architecture resnet18 letters state.pth",
	"pack --architecture resnet18 --arguments {} letters script.pt",
	"pack --arguments {} letters state.pth",
	"pack --preset resnet18 --crop 224 letters script.pt",
	"pack --preset resnet5 letters script.pt",
	"pack --crop 224 letters script.pt",
	"pack --preprocess {} letters script.pt",
	"pack --url http://example.com letters script.pt",
	"pack --device tpu letters script.pt",
	"pack --resize 32 --crop 32 --labels ImageNet-1K letters script.pt",
	"pack --resize 32 --crop 32 --labels gap.txt letters script.pt",
	"pack _letters script.pt",
	"validate",
	"validate none",
	"validate folder",
	"validate changed",
	"validate damaged",
}

// TestErrors compares the messages of common mistakes, of the command and of
// the library, with testdata/errors.golden, which is there to be read.
func TestErrors(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/page/"):
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!DOCTYPE html><html>Please log in</html>")
		case strings.HasPrefix(r.URL.Path, "/message/"):
			fmt.Fprint(w, `{"error": "not here"}`)
		case strings.HasPrefix(r.URL.Path, "/other/"):
			fmt.Fprint(w, "something else")
		case strings.HasPrefix(r.URL.Path, "/script/"):
			w.Write(builtin.Model())
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := gone.Addr().String()
	gone.Close()
	registerTiny(t)
	sources, err := os.Getwd()
	require.NoError(t, err)
	dir, home := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	t.Setenv("TORCH_HOME", home)
	writeMistakes(t, sources, dir)

	names := strings.NewReplacer("SERVER", server.URL, "NOBODY", "http://"+nobody)
	places := strings.NewReplacer(dir, "DIR", home, "HOME", server.URL, "http://SERVER", nobody, "NOBODY", server.Listener.Addr().String(), "SERVER", torch.Version(), "VERSION")
	var b strings.Builder
	fmt.Fprintln(&b, "Common mistakes and their messages: go test ./cmd/torchhub -run TestErrors -update")
	row := func(input, message string) {
		fmt.Fprintf(&b, "\n%s\n    %s\n", input, strings.ReplaceAll(places.Replace(message), "\n", "\n    "))
	}
	for _, c := range commandErrors {
		args := strings.Fields(names.Replace(c))
		if args[0] == "predict" && !strings.Contains(c, "--device") {
			args = append([]string{"predict", "--device", "cpu"}, args[1:]...)
		}
		if slices.Contains(args, "tiny") {
			args = append(args, "--repo", "example/errors")
		}
		var out, errs bytes.Buffer
		status := run(t.Context(), args, strings.NewReader(""), &out, &errs)
		require.NotZero(t, status, "%s: %s", c, out.String())
		row("torchhub "+c, strings.TrimSuffix(errs.String(), "\n"))
	}
	ctx := t.Context()
	for _, c := range []struct {
		call string
		err  func(arg string) error
		args []string
	}{
		{`hub.Load(ctx, "", "%s")`, func(a string) error { return loads(hub.Load(ctx, "", a)) }, []string{"resnet5", "yolov5s", ""}},
		{`hub.Load(ctx, "example/errors", "%s")`, func(a string) error { return loads(hub.Load(ctx, "example/errors", a)) }, []string{"tiyn"}},
		{`hub.Load(ctx, "%s", "m")`, func(a string) error { return loads(hub.Load(ctx, a, "m", hub.WithPrompt(nil))) }, []string{"nothing/here/at/all", "folder", "https://github.com/owner/name", "http://example.com/models"}},
		{`hub.Load(ctx, "%s", "m", hub.WithSource("local"))`, func(a string) error { return loads(hub.Load(ctx, a, "m", hub.WithSource("local"))) }, []string{"none", "folder", "python", "letters"}},
		{`hub.Load(ctx, "letters", "%s", hub.WithSource("local"))`, func(a string) error { return loads(hub.Load(ctx, "letters", a, hub.WithSource("local"))) }, []string{""}},
		{`hub.Load(ctx, "", "resnet18", hub.WithArguments("%s"))`, func(a string) error {
			return loads(hub.Load(ctx, "", "resnet18", hub.WithWeights("state.pth"), hub.WithArguments(a)))
		}, []string{"num_classes=10"}},
		{`hub.Load(ctx, "example/errors", "tiny", hub.WithWeights("https://example.com/none.pt"), hub.WithOffline(true))%s`, func(string) error {
			return loads(hub.Load(ctx, "example/errors", "tiny", hub.WithWeights("https://example.com/none.pt"), hub.WithOffline(true)))
		}, []string{""}},
		{`hub.Load(ctx, "%s", "letters", hub.WithSource("local"))`, func(a string) error { return loads(hub.Load(ctx, a, "letters", hub.WithSource("local"))) }, []string{"changed", "damaged"}},
		{`hub.Load(ctx, "example/errors", "tiny", hub.WithOffline(true))%s`, func(string) error { return loads(hub.Load(ctx, "example/errors", "tiny", hub.WithOffline(true))) }, []string{""}},
		{`hub.Load(ctx, "example/errors", "tiny", hub.WithWeights("%s"))`, func(a string) error {
			return loads(hub.Load(ctx, "example/errors", "tiny", hub.WithWeights(a)))
		}, []string{"none.pth", "folder", "dog.jpg", "hostile.pth", "state.pth", "two.pth", "teachers.safetensors", "wide.safetensors"}},
		{`jit.Load("%s")`, func(a string) error { return loads(jit.Load(a)) }, []string{"none.pt", "folder", "empty.pth", "zeros.pth", "text.pth", "page.pth", "lfs.pth", "dog.jpg", "cut.pt", "state.pth", "fits.safetensors", "hostile.pth", "model.onnx"}},
		{`torch.Load("%s")`, func(a string) error { return loads(torch.Load(a)) }, []string{"none.pt", "folder", "empty.pth", "zeros.pth", "text.pth", "page.pth", "lfs.pth", "dog.jpg", "cut.pth", "cut.safetensors", "script.pt", "hostile.pth", "model.onnx", "model.h5", "array.npy"}},
		{`torch.LoadStateDict("%s")`, func(a string) error { return loads(torch.LoadStateDict(a)) }, []string{"none.pt", "dog.jpg", "script.pt", "list.pth", "two.pth"}},
	} {
		for _, a := range c.args {
			err := c.err(a)
			require.Error(t, err, c.call, a)
			row(fmt.Sprintf(c.call, a), err.Error())
		}
	}
	const golden = "errors.golden"
	if *update {
		write(t, filepath.Join(sources, "testdata"), golden, []byte(b.String()))
	}
	want, err := os.ReadFile(filepath.Join(sources, "testdata", golden))
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

func loads[T any](_ T, err error) error { return err }

// registerTiny publishes a model of two classes.
func registerTiny(t *testing.T) {
	p := builtin.Preset()
	err := torch.Try(func() {
		hub.Register("example/errors", "tiny", hub.Entry{
			Artifacts:  []hub.Artifact{{Name: "V1", Format: hub.StateDict, URL: "https://example.com/tiny-01234567.pth"}},
			Build:      func() any { return nn.NewLinear(4, 2) },
			Preprocess: &hub.Preprocess{Preset: p},
		})
	})
	require.NoError(t, err)
}

// writeMistakes writes the files that are named above.
func writeMistakes(t *testing.T, sources, dir string) {
	var photo bytes.Buffer
	require.NoError(t, jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 640, 480)), nil))
	state, err := os.ReadFile(filepath.Join(sources, "../../testdata/checkpoints/zip_state_dict.pt"))
	require.NoError(t, err)
	script := builtin.Model()
	const page, lfs = "<!DOCTYPE html><html>Please log in</html>", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n"
	for name, text := range map[string]string{
		"dog.jpg": photo.String(), "cut.jpg": photo.String()[:photo.Len()*2/3], "empty.jpg": "", "text.jpg": "hello",
		"photo.heic": "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
		"empty.pth":  "", "zeros.pth": strings.Repeat("\x00", 100), "text.pth": "hello", "page.pth": page, "lfs.pth": lfs,
		"state.pth": string(state), "cut.pth": string(state[:len(state)/2]), "script.pt": string(script), "cut.pt": string(script[:len(script)/2]),
		"hostile.pth": pickled(t, "cos\nsystem\n(S'true'\ntR."), "list.pth": pickled(t, "\x80\x02]K\x01a."),
		"two.pth":    pickled(t, "\x80\x02}"+text("model")+linear+"s"+text("model_ema")+linear+"s."),
		"model.onnx": "\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x01\x00", "model.h5": "\x89HDF\r\n\x1a\n\x00", "model.gguf": "GGUF\x03\x00\x00\x00",
		"array.npy": "\x93NUMPY\x01\x00", "gap.txt": "a\n\nb\n",
		"folder/a.txt": "", "python/hubconf.py": "def m():\n    '''A model.'''\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		write(t, dir, name, []byte(text))
	}
	weight, bias := torch.Zeros(2, 4), torch.Zeros(2)
	save := func(name string, s torch.StateDict) {
		require.NoError(t, safetensors.SaveFile(s, filepath.Join(dir, name), nil))
	}
	save("fits.safetensors", torch.StateDict{{Name: "weight", Tensor: weight}, {Name: "bias", Tensor: bias}})
	save("wide.safetensors", torch.StateDict{{Name: "weight", Tensor: torch.Zeros(2, 5)}, {Name: "bias", Tensor: bias}})
	save("teachers.safetensors", torch.StateDict{{Name: "student.weight", Tensor: weight}, {Name: "student.bias", Tensor: bias}, {Name: "teacher.weight", Tensor: weight}, {Name: "teacher.bias", Tensor: bias}})
	whole, err := os.ReadFile("fits.safetensors")
	require.NoError(t, err)
	write(t, dir, "cut.safetensors", whole[:len(whole)-3])

	p := builtin.Preset()
	preset, err := json.Marshal(hub.Preprocess{Preset: p})
	require.NoError(t, err)
	for repo, flags := range map[string][]string{"letters": {"--preprocess", string(preset)}, "changed": {"--preprocess", string(preset)}, "bare": nil} {
		require.NoError(t, os.Mkdir(repo, 0o755))
		write(t, repo, "letters.pt", script)
		var errs bytes.Buffer
		args := append(append([]string{"pack", "-o", repo}, flags...), "letters", filepath.Join(repo, "letters.pt"))
		require.Zero(t, run(t.Context(), args, strings.NewReader(""), &errs, &errs), errs.String())
	}
	write(t, "changed", "letters.pt", append(bytes.Clone(script[:len(script)-1]), 1))
	require.NoError(t, os.Mkdir("damaged", 0o755))
	write(t, "damaged", "hubconf.json", []byte(`{"hubconf": 1, "entries": {"letters": {"artifacts": [{"format": "torchscript", "url": "../x.pt"}]}}}`))
}

// linear is the pickle of the state dict of a linear layer.
var linear = "}" + text("weight") + tensor("(K\x02K\x04t(K\x04K\x01t") + "s" + text("bias") + tensor("(K\x02t(K\x01t") + "s"

// tensor is the pickle of a tensor of zeros with a shape and strides.
func tensor(shape string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K\x08tQK\x00" + shape + "\x89ccollections\nOrderedDict\n)RtR"
}

// text is the pickle of a text.
func text(s string) string { return "X" + string(rune(len(s))) + "\x00\x00\x00" + s }

// pickled is a checkpoint with a pickle and one storage of 8 zeros.
func pickled(t *testing.T, pickle string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range [][2]string{{"data.pkl", pickle}, {"byteorder", "little"}, {"data/0", strings.Repeat("\x00", 32)}, {"version", "3\n"}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "a/" + f[0], Method: zip.Store})
		require.NoError(t, err)
		_, err = w.Write([]byte(f[1]))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.String()
}
