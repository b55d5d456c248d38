package libtorch

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T, name string) string {
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

// TestEntries checks that all functions of the shim are made from functions.def,
// and that every one of them is an Entry, out of which no C++ exception gets: an
// exception in a Go program ends the process.
func TestEntries(t *testing.T) {
	function := regexp.MustCompile(`(?m)^THUB_FUNCTION\((?:thub_error|thub_result|void|char \*|u?int(?:32|64)_t), (\w+), \(.*\), \(.*\)\)(?: //.*)?$`)
	list := read(t, "shim/functions.def")
	names := map[string]bool{}
	for _, m := range function.FindAllStringSubmatch(list, -1) {
		require.False(t, names[m[1]], m[1])
		names[m[1]] = true
	}
	require.Greater(t, len(names), 30)
	require.Empty(t, strings.TrimSpace(regexp.MustCompile(`(?m)^//.*$`).ReplaceAllString(function.ReplaceAllString(list, ""), "")))

	include := `#define THUB_FUNCTION\(result, name, parameters, arguments\) (.*)\n#include "functions.def"\n#undef THUB_FUNCTION\n`
	between := func(file, before, after string) []string {
		m := regexp.MustCompile(before + include + after).FindStringSubmatch(read(t, file))
		require.NotNil(t, m, "%s has something besides functions.def", file)
		return m
	}
	between("shim/shim.h", `typedef struct \{\n\tuint32_t abi;\n\tconst char \*version; // .*\n`, `\} thub_table;`)
	between("shim/shim.hpp", "", "")
	entry := between("shim/table.cpp", `const thub_table table = \{\n    \.abi = THUB_ABI,\n    \.version = TORCH_VERSION,\n`, `\};`)
	require.Equal(t, ".name = &Entry<decltype(thub_table::name), &name>::call,", entry[1])
}

// TestParts checks that each of the shim's files is compiled, once.
func TestParts(t *testing.T) {
	files, err := fs.Glob(sources, "shim/*.cpp")
	require.NoError(t, err)
	all := []string{"shim/kernels.cpp"} // compiled for each of variants
	for _, f := range slices.Concat(parts...) {
		all = append(all, path.Join("shim", f))
	}
	require.ElementsMatch(t, files, all)
}

// TestTags checks that Go knows each constant of the header.
func TestTags(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	known := ""
	for _, file := range files {
		known += read(t, file)
	}
	constants := regexp.MustCompile(`(?m)^(?:\t|#define )(THUB_(?:ERR_)?\w+)\b`).FindAllStringSubmatch(read(t, "shim/shim.h"), -1)
	require.Greater(t, len(constants), 40)
	for _, c := range constants {
		switch c[1] {
		case "THUB_ABI", "THUB_FUNCTION":
			continue
		}
		require.True(t, regexp.MustCompile(`\bC\.`+c[1]+`\b`).MatchString(known), "Go does not know %s", c[1])
	}
}
