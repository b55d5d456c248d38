package hub

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/transforms"
)

func TestTop(t *testing.T) {
	inf := float32(math.Inf(1))
	got := Top([]float32{1, 3, 3, -inf, 2}, []string{"a", "b", "c"}, 3)
	require.Equal(t, []int{1, 2, 4}, []int{got[0].Index, got[1].Index, got[2].Index})
	require.Equal(t, []string{"b", "c", ""}, []string{got[0].Name, got[1].Name, got[2].Name})
	require.Equal(t, got[0].Score, got[1].Score)
	require.Len(t, Top([]float32{1, 2}, nil, 5), 2)
	require.Empty(t, Top([]float32{1, 2}, nil, -1))
	require.Empty(t, Top(nil, nil, 5))
	require.InDelta(t, 1, Top([]float32{1000, -1000}, nil, 1)[0].Score, 1e-12)
}

func no(context.Context, string) (string, error) { return "n", nil }

func TestRepositories(t *testing.T) {
	t.Setenv("TORCH_HOME", t.TempDir())
	for _, c := range []struct{ repo, name, want string }{
		{"", "resnet5", "no model \"resnet5\"; did you mean resnet50"},
		{"nobody/nothing:main", "resnet50", "Untrusted repository."},
		{"nothing", "resnet50", `"nothing" is not a repository`},
		{"pytorch/vision:v0.10.0", "fcn_resnet5", `pytorch/vision:v0.10.0 has no model "fcn_resnet5"; did you mean fcn_resnet50`},
		{"facebookresearch/WSL-Images", "resnet50", "facebookresearch/WSL-Images has no such model; it is one of pytorch/vision"},
		{"pytorch/vision:v0.10.0", "resnext101_32x8d_wsl", "pytorch/vision has no such model"},
	} {
		_, err := Load(t.Context(), c.repo, c.name, quick(WithRetries(0), WithPrompt(no))...)
		require.ErrorContains(t, err, c.want)
		_, err = Help(t.Context(), c.repo, c.name, quick(WithRetries(0), WithPrompt(no))...)
		require.ErrorContains(t, err, c.want)
	}
	_, err := List(t.Context(), "x/y:main", WithPrompt(no))
	require.ErrorContains(t, err, "Untrusted repository.")
	all, err := List(t.Context(), "")
	require.NoError(t, err)
	vision, err := List(t.Context(), "pytorch/vision:main")
	require.NoError(t, err)
	all = slices.DeleteFunc(all, func(name string) bool { return strings.HasPrefix(name, "toy_") }) // of other tests
	require.Len(t, all, len(vision)+4+12)                                                           // those on weak supervision
}

func TestLoadMistakes(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TORCH_HOME", dir)
	text := filepath.Join(dir, "text.pth")
	require.NoError(t, os.WriteFile(text, []byte("this is no checkpoint"), 0o644))
	empty := filepath.Join(dir, "empty.pth")
	require.NoError(t, os.WriteFile(empty, nil, 0o644))
	for weights, want := range map[string]string{
		filepath.Join(dir, "none.pth"): "there is no file ",
		dir:                            "it is a folder, not weights",
		text:                           "text.pth",
		empty:                          "it is an empty file, not weights",
	} {
		_, err := Load(t.Context(), "", "resnet18", WithWeights(weights))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, `hub: load "resnet18"`)
		require.NotContains(t, err.Error(), "\n")
	}
	if n, err := torch.CUDACount(t.Context()); err != nil || n == 0 {
		_, err := Load(t.Context(), "", "resnet18", WithDevice(torch.CUDA))
		require.ErrorContains(t, err, "choose the device cpu")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Load(ctx, "", "resnet18")
	require.ErrorIs(t, err, context.Canceled)
}

// python makes weights and says what the page's sample makes of pictures.
func python(t *testing.T) *reference.Process {
	code, err := os.ReadFile("../testdata/gen/weights.py")
	require.NoError(t, err)
	return reference.Start(t, string(code)+`
import io
from PIL import Image
from torchvision import transforms
preprocess = transforms.Compose([
    transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])])
loaded = {}

def save(name, file, kind, change=None):
    m = seeded(name)
    loaded.clear()
    loaded[name] = m
    if kind == "script":
        return torch.jit.script(m).save(file)
    s = m.state_dict()
    if change:
        s = eval(change)(s)
    torch.save(s, file, _use_new_zipfile_serialization=kind != "legacy")

def picture(file, w, h, mode, seed):
    g = torch.Generator().manual_seed(seed)
    noise = torch.randint(0, 256, (h, w, 4), generator=g, dtype=torch.uint8)
    ramp = (torch.arange(w)[None, :, None] * 3 + torch.arange(h)[:, None, None] * 2 + torch.tensor([0, 80, 160, 40])) % 256
    img = Image.fromarray(((noise // 4) + ramp.to(torch.uint8) * 3 // 4).numpy(), "RGBA")
    img = img.convert("L").convert("I;16").point(lambda v: v * 200) if mode == "I;16" else img.convert(mode)
    img.save(file)

def sample(name, file):
    x = preprocess(Image.open(file).convert("RGB"))
    with torch.no_grad():
        return [x, loaded[name](x.unsqueeze(0))[0]]
`)
}

// near requires |got - want| <= 1e-4 max|want|.
func near(t *testing.T, want, got []float32) {
	t.Helper()
	require.Len(t, got, len(want))
	var scale, diff float64
	for i := range want {
		scale = max(scale, math.Abs(float64(want[i])))
		diff = max(diff, math.Abs(float64(want[i])-float64(got[i])))
	}
	require.LessOrEqual(t, diff, 1e-4*scale)
}

// TestSample compares the whole main job with the sample of the models' pages:
// inputs bit for bit, logits to 1e-4, for each layout of the weights. A large model takes seconds a layout:
// by default one is loaded from the layout of its publication, and shown two pictures.
func TestSample(t *testing.T) {
	p := python(t)
	names := []string{"resnet18", "resnext101_32x8d_wsl"}
	large := os.Getenv("TORCHHUB_TEST_LARGE") != ""
	if large {
		names = append(names, "resnext101_32x16d_wsl", "resnext101_32x32d_wsl", "resnext101_32x48d_wsl")
	}
	for _, name := range names {
		kinds, modes := []string{"zip", "legacy", "script"}, []string{"RGB", "RGBA", "L", "LA", "P", "1", "I;16"}
		if name != "resnet18" && !large {
			kinds, modes = kinds[1:2], modes[:2]
		}
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("TORCH_HOME", home)
			entry, err := models.Lookup(name)
			require.NoError(t, err)
			official := filepath.Join(home, "hub", "checkpoints", filepath.Base(entry.Default().URL))
			require.NoError(t, os.MkdirAll(filepath.Dir(official), 0o755))
			for i, kind := range kinds {
				var model *Model
				if kind == "script" {
					file := filepath.Join(home, "script.pt")
					p.Call(nil, "save", name, file, kind)
					model, err = Load(t.Context(), "", name, WithWeights(file), WithNotice(nil))
				} else {
					p.Call(nil, "save", name, official+kind, kind)
					require.NoError(t, os.Rename(official+kind, official))
					var notice bytes.Buffer
					model, err = Load(t.Context(), entry.Repo, name, WithNotice(&notice))
					require.Equal(t, strings.HasSuffix(name, "_wsl"), strings.Contains(notice.String(), "CC-BY-NC 4.0"))
				}
				require.NoError(t, err)
				rng := rand.New(rand.NewPCG(uint64(i), 0))
				for j, mode := range modes {
					file := filepath.Join(home, "picture.png")
					w, h := 1+rng.IntN(700), 1+rng.IntN(500)
					p.Call(nil, "picture", file, w, h, mode, j)
					img, err := transforms.Open(file)
					require.NoError(t, err, mode)
					var want [2]reference.Array
					p.Call(&want, "sample", name, file)
					x := model.Preprocess().Apply(img)
					require.Equal(t, reference.Data[float32](want[0]), torch.Data[float32](x), "%s %d×%d", mode, w, h)
					logits, err := model.Logits(t.Context(), img)
					require.NoError(t, err)
					near(t, reference.Data[float32](want[1]), logits)
				}
				require.NoError(t, model.Close())
			}
		})
	}
}

func TestStateDictMistakes(t *testing.T) {
	p := python(t)
	dir := t.TempDir()
	t.Setenv("TORCH_HOME", dir)
	for name, c := range map[string]struct{ change, want string }{
		"missing":    {"lambda s: {k: v for k, v in s.items() if k != 'fc.bias'}", `missing "fc.bias"`},
		"unexpected": {"lambda s: {**s, 'extra.weight': torch.ones(1)}", `unexpected "extra.weight"`},
		"misshapen":  {"lambda s: {**s, 'fc.bias': torch.ones(10)}", `of the wrong shape "fc.bias" [10] for [1000]`},
		"all":        {"lambda s: {'a': torch.ones(1), 'conv1.weight': torch.ones(2)}", `and 96 more`},
		"none":       {"lambda s: {'epoch': 3}", "it holds no state dict"},
		"list":       {"lambda s: [1, 2]", "it holds a list, not a state dict"},
	} {
		file := filepath.Join(dir, name+".pth")
		p.Call(nil, "save", "resnet18", file, "zip", c.change)
		_, err := Load(t.Context(), "", "resnet18", WithWeights(file))
		require.ErrorContains(t, err, c.want, name)
		require.ErrorContains(t, err, file, name)
		require.NotContains(t, err.Error(), "\n")
	}

	for _, kind := range []string{"zip", "legacy"} {
		file := filepath.Join(dir, kind+".pth")
		p.Call(nil, "save", "resnet18", file, kind)
		whole, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, n := range []int{1, 100, len(whole) / 2, len(whole) - 1} {
			require.NoError(t, os.WriteFile(file, whole[:n], 0o644))
			_, err := Load(t.Context(), "", "resnet18", WithWeights(file))
			require.Error(t, err, "%s cut to %d bytes", kind, n)
			require.NotContains(t, err.Error(), "\n")
		}
		if kind == "zip" { // the other layout has no checksums
			for _, at := range []int{len(whole) / 3, len(whole) / 2} {
				flipped := bytes.Clone(whole)
				flipped[at] ^= 4
				require.NoError(t, os.WriteFile(file, flipped, 0o644))
				_, err = Load(t.Context(), "", "resnet18", WithWeights(file))
				require.ErrorContains(t, err, "the file is damaged")
			}
		}
	}
}

// A checkpoint of another dtype is converted, as load_state_dict does.
func TestHalfWeights(t *testing.T) {
	p := python(t)
	file := filepath.Join(t.TempDir(), "half.pth")
	p.Call(nil, "save", "resnet18", file, "zip", "lambda s: {k: v.half() if v.is_floating_point() else v for k, v in s.items()}")
	m, err := Load(t.Context(), "", "resnet18", WithWeights(file))
	require.NoError(t, err)
	defer m.Close()
	_, err = m.Classify(t.Context(), image.NewGray(image.Rect(0, 0, 50, 50)), 1)
	require.NoError(t, err)
}

// small returns a model of random weights and small pictures, which needs no Python.
func small(t *testing.T) *Model {
	entry, err := models.Lookup("resnet18")
	require.NoError(t, err)
	require.NoError(t, torch.Init(t.Context()))
	torch.ManualSeed(1)
	m := &Model{name: "resnet18", steps: &Preprocess{Preset: models.ClassificationPreset{Resize: 72, Crop: 64}}, labels: models.ImageNet.Labels(), module: entry.Build()}
	m, err = m.start(torch.CPU)
	require.NoError(t, err)
	return m
}

func noise(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 1))
	for i := range img.Pix {
		img.Pix[i] = uint8(r.UintN(256))
	}
	return img
}

func TestForwardIsClassify(t *testing.T) {
	m := small(t)
	img := noise(300, 200)
	logits, err := m.Logits(t.Context(), img)
	require.NoError(t, err)
	var y []float32
	torch.NoGrad(func() {
		y = torch.Data[float32](m.Forward(m.Preprocess().Apply(img).Unsqueeze(0)))
	})
	require.Equal(t, logits, y)
	top, err := m.Classify(t.Context(), img, 3)
	require.NoError(t, err)
	require.Equal(t, Top(logits, m.Labels(), 3), top)
	require.Equal(t, torch.CPU, m.Device())

	var e *torch.Error
	require.ErrorAs(t, torch.Try(func() { m.Forward(torch.Ones(1, 2, 9, 9)) }), &e)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Classify(ctx, img, 1)
	require.ErrorIs(t, err, context.Canceled)
	_, err = m.Classify(t.Context(), nil, 1)
	require.ErrorAs(t, err, &e)

	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	_, err = m.Classify(t.Context(), img, 1)
	require.ErrorIs(t, err, torch.ErrClosed)
	require.ErrorIs(t, m.To(torch.CPU), torch.ErrClosed)
	require.ErrorAs(t, torch.Try(func() { m.Forward(torch.Ones(1, 3, 9, 9)) }), &e)
}

// collected returns the live bytes of tensors once the collector has freed what earlier tests have left.
func collected() int64 {
	for last := int64(-1); ; {
		runtime.GC()
		time.Sleep(50 * time.Millisecond) // cleanups run on a goroutine of their own
		now := torch.LiveBytes()
		if now == last {
			return now
		}
		last = now
	}
}

func TestCloseFreesMemory(t *testing.T) {
	small(t).Close() // what is made once is made
	before := collected()
	m := small(t)
	require.Greater(t, torch.LiveBytes()-before, int64(40<<20))
	_, err := m.Logits(t.Context(), noise(50, 50))
	require.NoError(t, err)
	m.Close()
	require.InDelta(t, before, torch.LiveBytes(), 4<<20) // what was made on the way may wait for the collector
}

var number = regexp.MustCompile(`\d+`)

// status reads a number of /proc/self/status; -1 where there is none.
func status(field string) int {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return -1
	}
	for l := range strings.Lines(string(b)) {
		if strings.HasPrefix(l, field+":") {
			n, _ := strconv.Atoi(number.FindString(l))
			return n
		}
	}
	return -1
}

// TestManyGoroutines calls one model from 1,000 goroutines: equal results, and
// neither threads nor memory grow with their number.
func TestManyGoroutines(t *testing.T) {
	if status("Threads") < 0 {
		t.Skip("no /proc")
	}
	n := 1000
	if testing.Short() || raceEnabled {
		n = 200
	}
	m := small(t)
	defer m.Close()
	img := noise(60, 40)
	want, err := m.Logits(t.Context(), img)
	require.NoError(t, err)
	call := func(n int) {
		var wg sync.WaitGroup
		errs := make(chan error, n)
		for range n {
			wg.Go(func() {
				got, err := m.Logits(t.Context(), img)
				if err == nil && !equal(want, got) {
					err = fmt.Errorf("other logits: %v…", got[:3])
				}
				errs <- err
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
	}
	resident := func() int { // without what either allocator holds in stock
		debug.FreeOSMemory()
		torch.EmptyCache()
		return status("VmRSS")
	}
	call(n / 4)
	threads, rss := status("Threads"), resident()
	call(n)
	require.LessOrEqual(t, status("Threads"), threads+4)
	if !raceEnabled { // whose shadow memory grows with all that is touched
		require.LessOrEqual(t, resident(), rss+64<<10, "KiB")
	}
}

// equal allows for the order of summing, which changes with the number of threads.
func equal(want, got []float32) bool {
	for i := range want {
		if math.Abs(float64(want[i]-got[i])) > 1e-5*max(1, math.Abs(float64(want[i]))) {
			return false
		}
	}
	return len(want) == len(got)
}

func TestCloseWhileInUse(t *testing.T) {
	m := small(t)
	img := noise(30, 30)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if i == 10 {
				m.To(torch.CPU)
				m.Close()
				return
			}
			_, err := m.Classify(t.Context(), img, 1)
			if err != nil {
				require.ErrorIs(t, err, torch.ErrClosed)
			}
		})
	}
	wg.Wait()
}

func TestFromScriptOfOtherShape(t *testing.T) {
	script, err := jit.Load("../testdata/jit/containers.pt")
	require.NoError(t, err)
	preset := models.ClassificationPreset{Resize: 8, Crop: 8, Mean: []float64{0, 0, 0}, Std: []float64{1, 1, 1}}
	m, err := FromScript(t.Context(), "odd", script, preset, []string{"a", "b"})
	require.NoError(t, err)
	_, err = m.Classify(t.Context(), noise(9, 9), 1)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "\n")
	require.NoError(t, m.Close())
	_, err = script.Forward()
	require.ErrorIs(t, err, torch.ErrClosed)

	script, err = jit.Load("../testdata/jit/containers.pt")
	require.NoError(t, err)
	m, err = FromScript(t.Context(), "odd", script, nil, nil)
	require.NoError(t, err)
	require.Empty(t, m.Task())
	_, err = m.Classify(t.Context(), noise(9, 9), 1)
	require.ErrorIs(t, err, ErrNoPreprocess)
	require.NoError(t, m.Close())

	script, err = jit.Load("../testdata/jit/containers.pt")
	require.NoError(t, err)
	preset.Std = []float64{0, 1, 1}
	_, err = FromScript(t.Context(), "odd", script, preset, nil)
	require.ErrorContains(t, err, `model "odd"`)
	_, err = script.Forward()
	require.ErrorIs(t, err, torch.ErrClosed, "it was taken over")
}
