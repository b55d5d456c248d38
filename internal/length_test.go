package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// longFunctions may be longer than the limit, by file and name, with the reason.
var longFunctions = map[string]string{
	"internal/pickle/machine.go step": "a flat switch over the opcodes, which reads best with each opcode beside its meaning",
}

// TestLength looks for functions that are too long to be read at once, except in tests and generated files.
func TestLength(t *testing.T) {
	const limit = 80 // lines, from func to the closing brace
	files := token.NewFileSet()
	long := map[string]bool{}
	require.NoError(t, filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || ast.IsGenerated(file) {
			return err
		}
		name := ""
		ast.Inspect(file, func(n ast.Node) bool {
			switch f := n.(type) {
			case *ast.FuncDecl:
				name = f.Name.Name
			case *ast.ValueSpec:
				name = f.Names[0].Name
				return true
			case *ast.FuncLit: // is named by the variable or function around it
			default:
				return true
			}
			begin := files.Position(n.Pos())
			lines := files.Position(n.End()).Line - begin.Line + 1
			if lines <= limit {
				return true
			}
			key := strings.TrimPrefix(filepath.ToSlash(path), "../") + " " + name
			long[key] = true
			if longFunctions[key] == "" {
				t.Errorf("%s: the function %s, or a literal in it, has %d lines; split it into named stages or a table of %d lines at most", begin, name, lines, limit)
			}
			return true
		})
		return nil
	}))
	for key := range longFunctions {
		if !long[key] {
			t.Errorf("longFunctions names %s, which is not long or not there; remove it", key)
		}
	}
}
