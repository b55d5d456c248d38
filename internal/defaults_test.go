package internal

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

// A field is one of an options struct.
type field struct {
	Type, Name string // of the struct, without Options, and of the field
	kind       string // its type in Go
	comment    string
	at         token.Position
}

// TestDefaults requires of the options of each function and layer that has Python's
// name what CONTRIBUTING.md says of fields: where Python's default is a number other
// than 0, or True, the field is a pointer whose comment has the default, or a type
// whose zero is nil, or its comment says what 0 means.
func TestDefaults(t *testing.T) {
	python := reference.Start(t, `
import importlib, inspect

def defaults(module, fields):
    """The default of each field (struct, name), by its repr; "" where Python has no such parameter."""
    modules = [importlib.import_module(m) for m in module.split()]
    plain = lambda s: s.lower().replace("_", "")
    names = {plain(n): getattr(m, n) for m in modules for n in dir(m) if not n.startswith("_")}
    out = []
    for struct, name in fields:
        f = names.get(plain(struct))
        text = ""
        try:
            for p in inspect.signature(f).parameters.values() if callable(f) else ():
                if plain(p.name) == plain(name) and isinstance(p.default, (bool, int, float)):
                    text = repr(float(p.default))
        except ValueError: # of C
            pass
        out.append(text)
    return out
`)
	checked := 0
	for dir, module := range map[string]string{
		"torch/nn": "torch.nn", "torch/nn/functional": "torch.nn.functional", "torch/optim": "torch.optim torch.optim.lr_scheduler torch.optim.swa_utils", "torch/distributions": "torch.distributions",
		"transforms": "torchvision.transforms", "transforms/functional": "torchvision.transforms.functional",
		"transforms/v2": "torchvision.transforms.v2", "transforms/v2/functional": "torchvision.transforms.v2.functional",
		"transforms/draw": "torchvision.utils",
	} {
		fields := optionFields(t, filepath.Join("..", filepath.FromSlash(dir)))
		asked := [][]string{}
		for _, f := range fields {
			asked = append(asked, []string{f.Type, f.Name})
		}
		var defaults []string
		python.Call(&defaults, "defaults", module, asked)
		for i, f := range fields {
			if defaults[i] == "" {
				continue
			}
			standard, err := strconv.ParseFloat(defaults[i], 64)
			require.NoError(t, err)
			checked++
			if problem := f.problem(standard); problem != "" {
				t.Errorf("%s: %sOptions.%s %s: %s", f.at, f.Type, f.Name, f.kind, problem)
			}
		}
	}
	require.Greater(t, checked, 100)
}

var (
	zeroSaid = regexp.MustCompile(`\b(?:0|zero)\b[^;]* (?:is|means) `)
	numbers  = regexp.MustCompile(`-?\d+(?:\.\d+)?(?:e-?\d+)?|true`)
)

// problem returns how a field with this default in Python breaks the rule.
func (f *field) problem(standard float64) string {
	if standard == 0 {
		return ""
	}
	plain := f.kind == "int" || f.kind == "float64" || f.kind == "bool"
	if plain && !zeroSaid.MatchString(f.comment) {
		return fmt.Sprintf("Python's default is %v, so that it must be a pointer or, where 0 is of no use, say what 0 means", standard)
	}
	if !plain && !strings.HasPrefix(f.kind, "*") {
		return "" // nil is the default
	}
	for _, text := range numbers.FindAllString(f.comment, -1) {
		if n, err := strconv.ParseFloat(text, 64); err == nil && n == standard || text == "true" && standard == 1 {
			return ""
		}
	}
	if standard == -1 {
		return "" // by which Python means something that the comment says in words
	}
	return fmt.Sprintf("the comment does not say the default, %v", standard)
}

// optionFields returns the fields of the structs of a package whose name ends in Options.
func optionFields(t *testing.T, dir string) (fields []field) {
	files := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || !strings.HasSuffix(spec.Name.Name, "Options") {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, l := range s.Fields.List {
				for _, name := range l.Names {
					fields = append(fields, field{
						strings.TrimSuffix(spec.Name.Name, "Options"), name.Name, kindOf(l.Type),
						l.Doc.Text() + l.Comment.Text(), files.Position(name.Pos()),
					})
				}
			}
			return true
		})
	}
	return fields
}

// kindOf returns the text of a type.
func kindOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return "*" + kindOf(e.X)
	case *ast.ArrayType:
		return "[]" + kindOf(e.Elt)
	}
	return typeName(e)
}
