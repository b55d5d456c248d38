package internal

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// imports are the packages that a snippet may use without an import declaration, by the name used there.
var imports = map[string]string{
	"F":             module + "torch/nn/functional",
	"accelerator":   module + "torch/accelerator",
	"amp":           module + "torch/amp",
	"aoti":          module + "torch/aoti",
	"aten":          module + "torch/aten",
	"constraints":   module + "torch/distributions/constraints",
	"context":       "context",
	"autograd":      module + "torch/autograd",
	"cuda":          module + "torch/cuda",
	"data":          module + "torch/data",
	"datasets":      module + "datasets",
	"distributions": module + "torch/distributions",
	"draw":          module + "transforms/draw",
	"errors":        "errors",
	"fmt":           "fmt",
	"gonum":         module + "torch/gonum",
	"export":        module + "torch/export",
	"graph":         module + "torch/graph",
	"graphviz":      module + "torch/graph/graphviz",
	"hub":           module + "hub",
	"image":         "image",
	"jit":           module + "torch/jit",
	"log":           "log",
	"mat":           "gonum.org/v1/gonum/mat",
	"models":        module + "models",
	"nn":            module + "torch/nn",
	"numpy":         module + "torch/numpy",
	"tensorboard":   module + "torch/tensorboard",
	"train":         module + "train",
	"curve":         module + "train/curve",
	"optim":         module + "torch/optim",
	"os":            "os",
	"resnet":        module + "models/resnet",
	"safetensors":   module + "torch/safetensors",
	"require":       "github.com/stretchr/testify/require",
	"testing":       "testing",
	"torch":         module + "torch",
	"torchtest":     module + "torch/torchtest",
	"transforms":    module + "transforms",
	"tvtensors":     module + "transforms/tvtensors",
	"v2":            module + "transforms/v2",
}

// snippet matches a fenced block of Go.
var snippet = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// TestSnippets compiles the Go snippets of README.md and docs.
//
// A snippet that begins with a package clause is a whole file. Any other is the body of a
// function, compiled with the imports above that it uses. Snippets share nothing: one that needs a
// variable of another must declare it, so that each can be copied alone.
func TestSnippets(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the compiler")
	}
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	// go list compiles what it exports and links nothing; go vet reads no folder of an overlay.
	args := []string{"list", "-export", "-overlay", filepath.Join(t.TempDir(), "overlay.json")}
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range snippet.FindAllSubmatchIndex(text, -1) {
			line := 1 + strings.Count(string(text[:m[2]]), "\n")
			source, err := file(page, line, string(text[m[2]:m[3]]))
			require.NoError(t, err, "%s:%d", page, line)
			written := filepath.Join(t.TempDir(), "snippet.go")
			require.NoError(t, os.WriteFile(written, []byte(source), 0o644))
			dir := fmt.Sprintf("internal/snippet%d", len(args)) // it exists in the overlay alone
			overlay.Replace[filepath.Join(root, dir, "snippet.go")] = written
			args = append(args, "./"+dir)
		}
	}
	require.NotEmpty(t, overlay.Replace)
	data, err := json.Marshal(overlay)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(args[3], data, 0o644))
	compile := exec.Command("go", args...)
	compile.Dir = root
	out, err := compile.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// file returns a Go file of the snippet at a line of a page, to which errors refer.
func file(page string, line int, text string) (string, error) {
	from := fmt.Sprintf("//line %s:%d\n%s", page, line, text)
	if strings.HasPrefix(text, "package ") {
		return from, nil
	}
	body := "func _() {\n" + from + "}\n"
	f, err := parser.ParseFile(token.NewFileSet(), "", "package snippet\n"+body, 0)
	if err != nil {
		return "", err
	}
	return "package snippet\n" + importsOf(f, imports) + body, nil
}

// importsOf returns the import declarations of those packages, by their names, that a file uses.
func importsOf(f *ast.File, packages map[string]string) string {
	used := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			// A name with an object is a variable of the file.
			if x, ok := s.X.(*ast.Ident); ok && x.Obj == nil && packages[x.Name] != "" {
				used[x.Name] = true
			}
		}
		return true
	})
	var head strings.Builder
	for _, name := range slices.Sorted(maps.Keys(used)) {
		fmt.Fprintf(&head, "import %s %q\n", name, packages[name])
	}
	return head.String()
}
