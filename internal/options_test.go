package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOptions requires that public functions take a struct of options as a variadic
// parameter, and that such a parameter is read by torch.Only, which refuses two of
// them, or handed on as it is. Outside of torch/aten no public function has more
// than two parameters of type []int: what Python gives by keyword are options.
func TestOptions(t *testing.T) {
	functions := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			public := fn.Name.IsExported() && (fn.Recv == nil || ast.IsExported(receiverName(fn))) && !strings.Contains(path, "internal")
			lists := 0
			for _, p := range fn.Type.Params.List {
				if kindOf(p.Type) == "[]int" {
					lists += len(p.Names)
				}
				list, ok := p.Type.(*ast.Ellipsis)
				if public && receiverName(fn) != "Call" && strings.HasSuffix(typeName(p.Type), "Options") {
					t.Errorf("%s: %s takes %s otherwise than as a variadic parameter", files.Position(fn.Pos()), fn.Name.Name, typeName(p.Type))
				}
				if !ok || !strings.HasSuffix(typeName(list.Elt), "Options") {
					continue
				}
				functions++
				for _, name := range p.Names {
					bad := usesOfOptions(fn.Body, name.Name)
					require.Empty(t, bad, "%s: %s uses %s otherwise than by torch.Only", files.Position(fn.Pos()), fn.Name.Name, name.Name)
				}
			}
			if public && lists > 2 && !strings.Contains(path, "aten") {
				t.Errorf("%s: %s takes %d lists of ints", files.Position(fn.Pos()), fn.Name.Name, lists)
			}
		}
		return nil
	}))
	require.Greater(t, functions, 200)
}

// typeName returns the name of a type without its package.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// receiverName returns the name of a method's type.
func receiverName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	return typeName(t)
}

// usesOfOptions returns where a body uses a variadic parameter other than as
// torch.Only(name) or f(…, name...).
func usesOfOptions(body *ast.BlockStmt, name string) (bad []token.Pos) {
	good := map[*ast.Ident]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if len(n.Args) == 0 {
				break
			}
			last, ok := n.Args[len(n.Args)-1].(*ast.Ident)
			if ok && last.Name == name && (n.Ellipsis.IsValid() || typeName(n.Fun) == "Only") {
				good[last] = true
			}
		case *ast.Ident:
			if n.Name == name && !good[n] {
				bad = append(bad, n.Pos())
			}
		}
		return true
	})
	return bad
}
