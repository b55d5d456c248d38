package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

func TestSchemaTexts(t *testing.T) {
	for _, text := range []string{
		"add.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)",
		"sym_size.int(Tensor self, int dim) -> SymInt",
		"_foreach_add_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()",
		"split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]",
		"max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0) -> (Tensor, Tensor)",
		"native_batch_norm.out(Tensor input, bool[3] output_mask, *, Tensor(a!) out, Tensor(b!) save_mean) -> (Tensor(a!), Tensor(b!))",
		"index.Tensor(Tensor self, Tensor?[] indices) -> Tensor",
		"upsample(Tensor input, SymInt[]? output_size, float[]? scale_factors, str mode=\"a, b\") -> Tensor",
		"lu_unpack(Tensor LU_data) -> (Tensor P, Tensor L, Tensor U)",
	} {
		s, err := ParseSchema(text)
		require.NoError(t, err, text)
		require.Equal(t, text, s.String())
	}
	for _, text := range []string{"", "add", "add(Tensor) Tensor", "add(Te nsor( x) -> Tensor", "add(Tensor self) -> 3"} {
		_, err := ParseSchema(text)
		require.Error(t, err, text)
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"add.Tensor(Tensor self) -> Tensor":     "AddTensor",
		"add_.Tensor(Tensor self) -> Tensor":    "AddInPlaceTensor",
		"_softmax.out(Tensor self) -> Tensor":   "SoftmaxOut",
		"__and__.Scalar(Tensor self) -> Tensor": "DunderAndScalar",
		"range.out_(Tensor self) -> Tensor":     "RangeOutUnderscore",
	} {
		s, err := ParseSchema(text)
		require.NoError(t, err)
		require.Equal(t, want, goName(s))
	}
	for name, want := range map[string]string{"self": "self", "grad_output": "gradOutput", "LU_data": "luData", "C": "c_", "HxW": "hxW", "range": "range_", "A": "a"} {
		require.Equal(t, want, paramName(name))
	}
}

// TestVendored compares the schemas with the file that the wheel ships.
func TestVendored(t *testing.T) {
	p := reference.Start(t, "import pathlib, torch, torchgen")
	var version, yaml string
	p.Call(&version, "lambda: torch.__version__.split('+')[0]")
	if version != "2.15.0" {
		t.Skip("the schemas are of torch 2.15.0")
	}
	p.Call(&yaml, `lambda: str(pathlib.Path(torchgen.__file__).parent / "packaged/ATen/native/native_functions.yaml")`)
	taken, err := vendor(yaml)
	require.NoError(t, err)
	require.True(t, bytes.Equal(vendored, taken), "%s is not what internal/opgen takes from native_functions.yaml", schemasFile)
}

// TestRegenerate writes every schema again, and requires that the generated files are what comes of them.
func TestRegenerate(t *testing.T) {
	schemas, err := read(vendored)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(vendored), "\n"), "\n")
	require.Len(t, schemas, len(lines))
	for i, s := range schemas {
		_, schema, _ := strings.Cut(lines[i], "\t")
		require.Equal(t, schema, s.String())
	}

	files, err := Generate()
	require.NoError(t, err)
	var old []string
	require.NoError(t, filepath.WalkDir("../../torch", func(path string, e fs.DirEntry, err error) error {
		if strings.HasPrefix(e.Name(), "z") && strings.HasSuffix(path, ".go") {
			old = append(old, path)
		}
		return err
	}))
	require.Len(t, old, len(files))
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", "..", name))
		require.NoError(t, err)
		require.True(t, string(want) == string(got), "%s is not what internal/opgen makes; run it", name)
	}
	left := omissions(schemas)
	t.Logf("%d operators, %d generated, %d left out:", len(schemas), len(schemas)-len(left), len(left))
	for _, o := range left {
		t.Logf("%s: %s", o.Name, o.Reason)
	}
	require.LessOrEqual(t, len(left), 20)
}
