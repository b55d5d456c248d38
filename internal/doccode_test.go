package internal

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// given are the names that the code in doc comments uses without declaring them.
const given = `
var ctx context.Context
var img image.Image
var clip []image.Image
var model, net *net_
var m struct{ Conv1 *nn.Conv2d; BN1 *nn.BatchNorm2d }
var augment transforms.Transform
var state torch.StateDict
var checkpoint torch.Value
var shards []string
var add *torch.Op
var flag string
var base int64
var shards []string
var worker int
var opt *optim.Optimizer
var batches []struct{ Input, Target *torch.Tensor }
var x, y, z, b, w, loss, input, output, mask, weight, want *torch.Tensor
var samples data.Dataset[data.Sample[*torch.Tensor, int]]
var folder *datasets.ImageFolder
var t *testing.T

type net_ struct{}

func (*net_) Forward(x *torch.Tensor) *torch.Tensor { return x }
func NewNet() *net_ { return nil }
`

// givenInV2 stands for the picture in the packages below transforms/v2, and adds to what is given there.
const givenInV2 = `
var img v2.Image
var boxes v2.BoundingBoxes
var labels *torch.Tensor
var raw, sample any
`

// TestDocCode checks the types of the code blocks in the doc comments of exported
// names and public packages, as far as they are Go: statements or declarations that parse.
// A name that is not declared anywhere must be one of those given.
func TestDocCode(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the compiler")
	}
	files, compiled := compiler(t)
	checked := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == ".git" || e.Name() == "testdata" || e.Name() == "internal" && path != "..") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, text := range docs(f) {
			for _, code := range codeOf(text) {
				source, ok := wrapped(code, path)
				if !ok {
					continue
				}
				checked++
				for _, problem := range mistakes(files, compiled, source) {
					t.Errorf("%s: %s in the code of a doc comment:\n%s", path, problem, code)
				}
			}
		}
		return nil
	}))
	require.Greater(t, checked, 20)
}

// compiler returns what is needed to check the types of code that uses the packages of the module and theirs.
func compiler(t *testing.T) (*token.FileSet, types.Importer) {
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "./...")
	list.Dir = ".."
	list.Stderr = os.Stderr
	out, err := list.Output()
	require.NoError(t, err)
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	files := token.NewFileSet()
	return files, importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no package %s", path)
		}
		return os.Open(exports[path])
	})
}

// docs returns the doc comments of a file, of its package and of what it exports.
func docs(f *ast.File) []string {
	texts := []string{f.Doc.Text()}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() {
				texts = append(texts, d.Doc.Text())
			}
		case *ast.GenDecl:
			texts = append(texts, d.Doc.Text())
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					texts = append(texts, s.Doc.Text())
				case *ast.ValueSpec:
					texts = append(texts, s.Doc.Text())
				}
			}
		}
	}
	return texts
}

// codeOf returns the code blocks of a doc comment.
func codeOf(text string) []string {
	var parser comment.Parser
	var blocks []string
	for _, b := range parser.Parse(text).Content {
		if c, ok := b.(*comment.Code); ok {
			blocks = append(blocks, c.Text)
		}
	}
	return blocks
}

// ellipsis is a line that stands for what is left out.
var ellipsis = regexp.MustCompile(`(?m)^\s*…\s*$|^\s*\.\.\.\s*$`)

// wrapped returns a file of a block of code, or false where it is no Go.
func wrapped(code, path string) (string, bool) {
	given, packages := given, maps.Clone(imports)
	if strings.Contains(filepath.ToSlash(path), "transforms/v2/") {
		given = strings.Replace(given, "var img image.Image\n", givenInV2, 1)
		packages["functional"] = module + "transforms/v2/functional"
	}
	code = ellipsis.ReplaceAllString(code, "")
	if strings.Contains(code, "…") || strings.HasPrefix(code, "package ") {
		return "", false
	}
	for _, source := range []string{code, "func _() {\n" + code + "\n}\n"} {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, 0)
		if err != nil || len(f.Decls) == 0 {
			continue
		}
		source = given + source
		if f, err = parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, 0); err != nil {
			return "", false
		}
		return "package p\n" + importsOf(f, packages) + source, true
	}
	return "", false
}

// mistakes returns what the compiler would say of a file, but for what code that is
// quoted may do: leave variables unused, declare one that is given, and return from a
// function that is not shown.
func mistakes(files *token.FileSet, from types.Importer, source string) []string {
	f, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	var all []string
	config := types.Config{Importer: from, Error: func(err error) {
		msg := err.(types.Error).Msg
		if !strings.HasPrefix(msg, "declared and not used") && !strings.Contains(msg, "is not used") && !strings.Contains(msg, "redeclared in this block") && !strings.Contains(msg, "other declaration of") && !strings.HasPrefix(msg, "too many return values") {
			all = append(all, msg)
		}
	}}
	config.Check("p", files, []*ast.File{f}, nil)
	return all
}
