// Package internal holds the import policy, as a test.
package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/torchhub/torchhub/"

// policy says which rooms of the module each room may import. A room that is
// missing may import none. An asterisk stands for all rooms in a folder that have no
// row of their own. Do not change it to mend a build: the direction of the imports is
// the architecture.
var policy = map[string][]string{
	"internal/terminal":             {},
	"internal/libtorch":             {"internal/terminal"},
	"internal/badfile":              {},
	"internal/snake":                {},
	"internal/suggest":              {},
	"internal/oserror":              {},
	"internal/atomicfile":           {"internal/oserror"},
	"internal/ctxio":                {},
	"internal/home":                 {},
	"internal/hfcache":              {"internal/ctxio", "internal/fetch", "internal/home", "internal/oserror"},
	"internal/pyhub":                {"internal/oserror", "internal/terminal"},
	"internal/fetch":                {"internal/ctxio", "internal/oserror", "internal/terminal", "internal/whole"},
	"internal/filekind":             {"internal/badfile"},
	"internal/safetensors":          {"internal/badfile"},
	"internal/strictzip":            {"internal/badfile"},
	"internal/pickle":               {"internal/badfile", "internal/filekind", "internal/safetensors", "internal/strictzip"},
	"internal/whole":                {"internal/badfile", "internal/ctxio", "internal/filekind", "internal/pickle", "internal/safetensors"},
	"internal/pt2":                  {"internal/badfile", "internal/pickle", "internal/strictzip"},
	"torch":                         {"internal/libtorch", "internal/atomicfile", "internal/badfile", "internal/filekind", "internal/pickle", "internal/pyrepr", "internal/safetensors", "internal/snake", "internal/strictzip", "torch/internal/engine"},
	"torch/aoti":                    {"torch", "torch/internal/engine", "torch/internal/pytree", "internal/badfile", "internal/libtorch", "internal/pickle", "internal/pt2", "internal/strictzip"},
	"internal/npy":                  {"internal/badfile"},
	"torch/numpy":                   {"torch", "internal/atomicfile", "internal/badfile", "internal/npy", "internal/strictzip"},
	"torch/gonum":                   {"torch"},
	"torch/safetensors":             {"torch", "internal/atomicfile", "internal/safetensors"},
	"internal/opgen":                {},
	"torch/aten":                    {"torch", "torch/aten/internal/call"},
	"torch/aten/internal/call":      {"torch"},
	"torch/aten/unchecked":          {"torch", "torch/aten/internal/call"},
	"torch/amp":                     {"torch", "torch/cuda", "torch/internal/engine", "internal/libtorch"},
	"torch/backends":                {"torch", "internal/libtorch"},
	"torch/autograd":                {"torch", "torch/internal/engine", "internal/libtorch"},
	"torch/cuda":                    {"torch", "torch/internal/engine", "internal/libtorch"},
	"torch/optim":                   {"torch", "torch/aten", "torch/internal/engine", "torch/nn", "internal/libm", "internal/pyrepr", "internal/snake"},
	"torch/tensorboard":             {"torch", "internal/oserror", "internal/pyrepr"},
	"train":                         {"torch", "torch/cuda", "torch/data", "torch/nn", "internal/atomicfile", "internal/oserror", "internal/terminal"},
	"train/curve":                   {"torch", "train", "internal/atomicfile"},
	"torch/graph":                   {"torch", "torch/amp", "torch/cuda", "torch/internal/engine", "torch/internal/kernels", "torch/internal/opschema", "internal/libtorch"},
	"torch/internal/kernels":        {"torch", "torch/internal/engine", "internal/libtorch"},
	"torch/internal/kernels/oracle": {"torch", "torch/internal/kernels", "torch/nn/functional"},
	"torch/mps":                     {"torch", "torch/internal/engine", "internal/libtorch"},
	"torch/accelerator":             {"torch", "torch/cuda", "torch/mps"},
	"torch/data":                    {"torch", "torch/aten", "transforms/pyrandom"},
	"torch/graph/graphviz":          {"torch/graph"},
	"torch/export":                  {"torch", "internal/atomicfile", "torch/graph", "torch/internal/engine", "torch/internal/opschema", "torch/internal/pytree", "internal/badfile", "internal/libtorch", "internal/pickle", "internal/pt2", "internal/strictzip"},
	"torch/internal/pytree":         {"torch"},
	"torch/internal/opschema":       {},
	"torch/internal/engine":         {"internal/libtorch", "internal/pickle"},
	"torch/jit":                     {"torch", "torch/internal/engine", "internal/badfile", "internal/filekind", "internal/libtorch", "internal/pickle", "internal/strictzip"},
	"torch/fft":                     {"torch"},
	"torch/torchtest":               {"torch", "torch/numpy", "internal/libm", "internal/pyrepr", "internal/python"},
	"torch/linalg":                  {"torch"},
	"torch/special":                 {"torch"},
	"torch/nn/functional":           {"torch"},
	"torch/nn":                      {"torch", "torch/amp", "torch/autograd", "torch/internal/engine", "torch/nn/functional", "internal/libm", "internal/pyrepr", "internal/snake"},
	"models":                        {"internal/suggest", "torch"},                                                                                           // outputs are tensors
	"models/*":                      {"torch", "torch/nn", "torch/nn/functional", "models", "models/ops"},                                                    // each architecture
	"models/detection":              {"torch", "torch/nn", "torch/nn/functional", "models", "models/ops", "models/resnet", "models/mobilenet", "models/vgg"}, // backbones
	"models/segmentation":           {"torch", "torch/nn", "torch/nn/functional", "models", "models/ops", "models/resnet", "models/mobilenet"},               // backbones
	"torch/nn/quantized":            {"torch", "torch/jit", "torch/nn"},
	"models/quantized":              {"torch", "torch/nn", "torch/nn/functional", "torch/nn/quantized", "models", "models/ops", "models/googlenet", "models/inception", "models/mobilenet", "models/resnet", "models/shufflenet"}, // what is quantized
	"models/ops":                    {"torch", "torch/nn", "torch/nn/functional"},
	"models/all":                    {"models/*", "models/detection", "models/quantized", "models/segmentation"},
	"models/builtin":                {"models"},
	"metrics":                       {},
	"datasets":                      {"torch", "torch/aten", "torch/data", "transforms", "transforms/functional", "internal/ctxio", "internal/fetch", "internal/npy", "internal/oserror", "internal/pickle"},
	"internal/flat":                 {},
	"internal/frugal":               {},
	"internal/python":               {},
	"internal/pyrepr":               {},
	"internal/reference":            {"internal/python"},
	"internal/modeltest":            {"internal/reference", "models", "torch", "torch/nn", "torch/torchtest"},
	"transforms/internal/args":      {"torch"},
	"transforms/pyrandom":           {},
	"internal/libm":                 {},
	"transforms/internal/pillow":    {},
	"transforms/functional":         {"torch", "torch/aten", "torch/nn/functional", "internal/libm", "transforms/internal/args", "transforms/internal/pillow", "transforms/pyrandom"},
	"transforms":                    {"torch", "torch/aten", "torch/data", "internal/libm", "transforms/internal/args", "transforms/internal/codec", "transforms/internal/jpeg", "transforms/internal/pillow", "transforms/internal/policies", "transforms/functional", "transforms/pyrandom"},
	"transforms/internal/policies":  {"torch", "torch/aten/unchecked", "transforms/internal/args"},
	"transforms/tvtensors":          {"torch"},
	"transforms/v2/functional":      {"torch", "torch/aten", "torch/linalg", "torch/nn/functional", "internal/libm", "transforms", "transforms/functional", "transforms/internal/args", "transforms/internal/pillow", "transforms/tvtensors"},
	"transforms/v2":                 {"torch", "torch/aten", "torch/aten/unchecked", "torch/nn/functional", "internal/libm", "internal/pyrepr", "transforms/functional", "transforms/internal/args", "transforms/internal/policies", "transforms/tvtensors", "transforms/v2/functional"},
	"transforms/draw":               {"torch", "internal/libm", "transforms", "transforms/functional", "transforms/internal/args"},
	"transforms/internal/jpeg":      {},
	"transforms/internal/tiff":      {"transforms/internal/jpeg", "transforms/internal/pillow"},
	"transforms/internal/inflate":   {},
	"transforms/internal/codec":     {"internal/filekind", "transforms/internal/inflate", "transforms/internal/jpeg", "transforms/internal/pillow", "transforms/internal/tiff"},
	"hub":                           {"internal/ctxio", "internal/fetch", "internal/filekind", "internal/hfcache", "internal/home", "internal/oserror", "internal/pyhub", "internal/suggest", "internal/terminal", "internal/whole", "torch", "torch/nn", "torch/graph", "torch/jit", "torch/aoti", "torch/export", "torch/cuda", "models", "models/all", "transforms"},
	"examples/internal/cora":        {"torch"},
	"examples/internal/letters":     {"hub", "models/builtin"},
	"examples/internal/made":        {},
	"examples/internal/program":     {"torch"},
	"examples/internal/exampletest": {"internal/reference", "torch"},
	"examples/*":                    {"datasets", "hub", "models", "models/resnet", "models/vgg", "torch", "torch/accelerator", "torch/amp", "torch/autograd", "torch/backends", "torch/cuda", "torch/data", "torch/nn", "torch/nn/functional", "torch/optim", "transforms", "transforms/draw", "transforms/functional", "transforms/pyrandom", "examples/internal/cora", "examples/internal/made", "examples/internal/program", "examples/super_resolution/model"}, // PyTorch's own examples
	"examples/reinforcement_learning/cartpole": {},
	"examples/reinforcement_learning/*":        {"torch", "torch/distributions", "torch/nn", "torch/nn/functional", "torch/optim", "examples/internal/program", "examples/reinforcement_learning/cartpole"},
	"examples/super_resolution/model":          {"torch", "torch/nn"},
	"examples/super_resolution/super_resolve":  {"torch", "torch/accelerator", "torch/nn", "transforms", "transforms/functional", "examples/internal/program", "examples/super_resolution/model"},
	"examples/classify":                        {"torch", "torch/cuda", "transforms", "hub"},
	"examples/port":                            {"torch", "torch/nn"},
	"examples/server":                          {"transforms", "hub"},
	"cmd/torchhub":                             {"datasets", "metrics", "torch", "torch/graph", "torch/jit", "torch/nn", "torch/cuda", "models", "models/builtin", "transforms", "transforms/draw", "hub", "internal/filekind", "internal/libtorch", "internal/suggest", "internal/terminal"},

	"torch/distributions":             {"torch", "torch/aten", "torch/aten/unchecked", "torch/autograd", "torch/distributions/constraints", "torch/internal/engine", "torch/linalg", "torch/nn/functional", "torch/special", "internal/libm", "internal/pyrepr"},
	"torch/distributions/constraints": {"torch", "torch/aten", "torch/linalg", "internal/pyrepr"},
}

// network lists the rooms that may import net/http.
var network = []string{"hub", "internal/fetch", "internal/hfcache", "internal/libtorch", "cmd/torchhub", "examples/server"}

// cgo lists the rooms that may import "C".
var cgo = []string{"internal/libtorch", "internal/libm"}

// mayImport reports whether the policy lets a room import another.
func mayImport(room, other string) bool {
	allowed, ok := policy[room]
	if !ok {
		allowed = policy[path.Dir(room)+"/*"]
	}
	_, hasRow := policy[other]
	return slices.Contains(allowed, other) || !hasRow && slices.Contains(allowed, path.Dir(other)+"/*")
}

// TestNoResNetInHub checks that package hub knows no architecture by name: what it
// knows of them it asks the registry in package models. The models that tests and
// examples load are not meant.
func TestNoResNetInHub(t *testing.T) {
	files, err := filepath.Glob("../hub/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	resNet := regexp.MustCompile(`(?i)res_?ne[xt]`)
	for _, file := range files {
		switch filepath.Base(file) {
		case "testdata":
			continue
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Empty(t, string(resNet.Find(text)), "%s names a ResNet", file)
	}
}

func TestImports(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (strings.HasPrefix(e.Name(), ".") && e.Name() != ".." || e.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		room := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(file), ".."+string(filepath.Separator)))
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			seen++
			p, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			switch {
			case strings.HasPrefix(p, module):
				require.True(t, mayImport(room, strings.TrimPrefix(p, module)), "%s imports %s", file, p)
			case p == "net/http":
				require.Contains(t, network, room, "%s imports %s", file, p)
			case p == "C":
				require.Contains(t, cgo, room, "%s imports %s", file, p)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.NotZero(t, seen)
}
