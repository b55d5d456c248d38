package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// aliases are the public names of internal types that are left, and why.
var aliases = map[string]string{
	"../transforms/functional.Picture":       "the kernels of transforms/internal/pillow compute on it; its documentation says what it holds",
	"../transforms/functional.Mode":          "a part of Picture",
	"../transforms/functional.Interpolation": "an argument of the same kernels; a text",
	"../transforms.RGB":                      "a form of Picture",
}

// TestAliases requires that public types live in the package that documents them:
// no public type is an alias of a type of an internal package.
func TestAliases(t *testing.T) {
	left := len(aliases)
	require.NoError(t, filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		dir := filepath.ToSlash(filepath.Dir(path))
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(dir+"/", "/internal/") || strings.Contains(path, "testdata") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		internal := map[string]bool{}
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if strings.HasPrefix(p, module) && strings.Contains(p, "/internal/") {
				internal[p[strings.LastIndex(p, "/")+1:]] = true
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || !spec.Assign.IsValid() || !spec.Name.IsExported() {
				return true
			}
			if of, ok := spec.Type.(*ast.SelectorExpr); ok && internal[of.X.(*ast.Ident).Name] {
				name := dir + "." + spec.Name.Name
				require.Contains(t, aliases, name, "%s is an alias of a type of the package %v", name, of.X)
				left--
			}
			return true
		})
		return nil
	}))
	require.Zero(t, left, "aliases lists a type that is none")
}
