package torchtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/numpy"
)

// A Fixture is a file that Python wrote, with the inputs and outputs of a test.
type Fixture struct {
	t    testing.TB
	path string
	v    torch.Value
}

// Load reads a file of torch.save, safetensors or NumPy's .npy or .npz: [torch.Load].
// It fails the test at once if that is not possible.
//
//	f := torchtest.Load(t, "testdata/net.pt") // torch.save({"input": x, "output": y}, "testdata/net.pt")
//	torchtest.AssertClose(t, model.Forward(f.Tensor("input")), f.Tensor("output"))
//
// If the file does not exist and a Python file of the same name is beside it, or in
// the folder "gen" there, the message says to run that.
func Load(t testing.TB, path string) *Fixture {
	t.Helper()
	v, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.Fatalf("torchtest: %s does not exist; %s", path, advice(path))
	case err != nil:
		t.Fatalf("torchtest: %s", strings.TrimPrefix(err.Error(), "torch: "))
	}
	return &Fixture{t, path, v}
}

func read(path string) (torch.Value, error) {
	switch filepath.Ext(path) {
	case ".npy":
		return numpy.Load(path)
	case ".npz":
		return numpy.LoadZip(path)
	}
	return torch.Load(path)
}

// advice returns how to make a file that does not exist.
func advice(path string) string {
	dir, file := filepath.Split(path)
	script := strings.TrimSuffix(file, filepath.Ext(file)) + ".py"
	for _, s := range []string{filepath.Join(dir, script), filepath.Join(dir, "gen", script)} {
		if _, err := os.Stat(s); err == nil {
			return "write it with: python " + s
		}
	}
	example, ok := examples[filepath.Ext(path)]
	if !ok {
		example = `torch.save({"input": x, "output": y}, %q)`
	}
	return "write it in Python, for example with: " + fmt.Sprintf(example, path)
}

// examples write files in Python, by their extension.
var examples = map[string]string{
	".npy":         `numpy.save(%q, x)`,
	".npz":         `numpy.savez(%q, input=x, output=y)`,
	".safetensors": `safetensors.torch.save_file({"input": x, "output": y}, %q)`,
}

// Value returns the value at a path: a key of each dict, and an index of each list or
// tuple. Without a path it is the whole. Value fails the test at once if there is none.
//
//	torchtest.AssertClose(t, y, torchtest.Load(t, "testdata/net.pt").Value("outputs", 0, "logits"))
func (f *Fixture) Value(path ...any) torch.Value {
	f.t.Helper()
	return Get[torch.Value](f, path...)
}

// Tensor is [Fixture.Value] of a tensor.
func (f *Fixture) Tensor(path ...any) *torch.Tensor {
	f.t.Helper()
	return Get[*torch.Tensor](f, path...)
}

// StateDict is [Fixture.Value] of a state dict, such as a module's, for nn.LoadStateDict.
func (f *Fixture) StateDict(path ...any) torch.StateDict {
	f.t.Helper()
	return Get[torch.StateDict](f, path...)
}

// Get is [Fixture.Value] as a T, as [torch.Get] converts values. It fails the test at
// once if the value is of another type.
//
//	heads := torchtest.Get[int](torchtest.Load(t, "testdata/net.pt"), "config", "heads")
func Get[T any](f *Fixture, path ...any) T {
	f.t.Helper()
	v, err := torch.Get[T](f.v, path...)
	if err != nil {
		f.t.Fatalf("torchtest: %s: %s", f.path, strings.TrimPrefix(err.Error(), "torch: "))
	}
	return v
}
