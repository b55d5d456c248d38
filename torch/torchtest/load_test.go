package torchtest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/numpy"
	"github.com/torchhub/torchhub/torch/safetensors"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	x := torch.Arange(3)
	path := filepath.Join(dir, "net.pt")
	require.NoError(t, torch.Save(path, map[string]any{
		"input": x, "outputs": []any{torch.Tuple{x, map[string]any{"logits": x}}}, "heads": 8, "rate": 0.5, "name": "vit", "state": torch.StateDict{{Name: "w", Tensor: x}},
	}))
	f := torchtest.Load(t, path)
	torchtest.AssertClose(t, f.Tensor("input"), x)
	torchtest.AssertClose(t, f.Tensor("outputs", 0, 1, "logits"), x)
	torchtest.AssertClose(t, f.Value("outputs", 0), []any{x, map[string]*torch.Tensor{"logits": x}})
	torchtest.AssertClose(t, f.StateDict("state"), torch.StateDict{{Name: "w", Tensor: x}})
	require.Equal(t, 8, torchtest.Get[int](f, "heads"))
	require.Equal(t, "vit", torchtest.Get[string](f, "name"))
	require.Len(t, f.Value().(*torch.Dict).Entries, 6)

	state := torch.StateDict{{Name: "x", Tensor: x}}
	require.NoError(t, safetensors.SaveFile(state, filepath.Join(dir, "net.safetensors"), nil))
	require.NoError(t, numpy.SaveZip(filepath.Join(dir, "net.npz"), state))
	require.NoError(t, numpy.Save(filepath.Join(dir, "x.npy"), x))
	torchtest.AssertClose(t, torchtest.Load(t, filepath.Join(dir, "net.safetensors")).Tensor("x"), x)
	torchtest.AssertClose(t, torchtest.Load(t, filepath.Join(dir, "net.npz")).Tensor("x"), x)
	torchtest.AssertClose(t, torchtest.Load(t, filepath.Join(dir, "x.npy")).Tensor(), x)
}

func TestLoadMistakes(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.MkdirAll("testdata/gen", 0o755))
	for _, name := range []string{"testdata/a.py", "testdata/gen/b.py"} {
		require.NoError(t, os.WriteFile(name, nil, 0o644))
	}
	require.NoError(t, os.WriteFile("testdata/broken.pt", []byte("broken"), 0o644))
	require.NoError(t, torch.Save("testdata/net.pt", map[string]any{"input": torch.Ones(2)}))
	for want, test := range map[string]func(t testing.TB){
		"torchtest: testdata/a.pt does not exist; write it with: python testdata/a.py":                                                          func(t testing.TB) { torchtest.Load(t, "testdata/a.pt") },
		"torchtest: testdata/b.pt does not exist; write it with: python testdata/gen/b.py":                                                      func(t testing.TB) { torchtest.Load(t, "testdata/b.pt") },
		`torchtest: testdata/c.npz does not exist; write it in Python, for example with: numpy.savez("testdata/c.npz", input=x, output=y)`:      func(t testing.TB) { torchtest.Load(t, "testdata/c.npz") },
		`torchtest: testdata/c.pt does not exist; write it in Python, for example with: torch.save({"input": x, "output": y}, "testdata/c.pt")`: func(t testing.TB) { torchtest.Load(t, "testdata/c.pt") },
		`torchtest: testdata/net.pt: the value has no key "output"; its keys are "input"`:                                                       func(t testing.TB) { torchtest.Load(t, "testdata/net.pt").Tensor("output") },
		`torchtest: testdata/net.pt: the value at ["input"] is a tensor, not a string`:                                                          func(t testing.TB) { torchtest.Get[string](torchtest.Load(t, "testdata/net.pt"), "input") },
	} {
		r := record(t, test)
		require.Equal(t, []string{want}, r.errors)
	}
	r := record(t, func(t testing.TB) { torchtest.Load(t, "testdata/broken.pt") })
	require.Len(t, r.errors, 1)
	require.Contains(t, r.errors[0], "torchtest: load testdata/broken.pt: ")
}
