package jit

import (
	"archive/zip"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTooDeep(t *testing.T) {
	for code, deep := range map[string]bool{
		"(((((x)))))":                      true,
		"((x))":                            false,
		"a + b + c + d":                    true,
		"[1, 2, 3, 4, 5, 6, 7, 8]":         false,
		"(x, (y, (z)))":                    false,
		"(((x).T.T))":                      true,
		"((((x))) + y)":                    true,
		"'((((((((((' # ))))) ((((((((":    false,
		"\"\"\"((((((\n((((((\"\"\"":       false,
		"x\n\n  y\n  z\n":                  false,
		"[(1, 2), (3, 4), (5, 6), (7, 8)]": false,
		"f(x)\nf(x)\nf(x)":                 false,
	} {
		_, what := tooDeep([]byte(code), 5)
		require.Equal(t, deep, what != "", "%s: %s", code, what)
	}
	var blocks strings.Builder
	for i := range blockDepth + 1 {
		blocks.WriteString(strings.Repeat(" ", i) + "if x:\n")
	}
	_, what := tooDeep([]byte(blocks.String()), codeDepth)
	require.Contains(t, what, "blocks")
}

func FuzzTooDeep(f *testing.F) {
	for _, path := range []string{"../../testdata/jit/parts.pt", "../../testdata/jit/containers.pt"} {
		z, err := zip.OpenReader(path)
		require.NoError(f, err)
		defer z.Close()
		for _, e := range z.File {
			if strings.HasSuffix(e.Name, ".py") {
				r, err := e.Open()
				require.NoError(f, err)
				code, err := io.ReadAll(r)
				require.NoError(f, err)
				f.Add(code)
			}
		}
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		at, _ := tooDeep(code, 64)
		require.LessOrEqual(t, at, len(code))
	})
}
