package libtorch

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEntries checks that every function of the shim's table is an Entry, out of
// which no C++ exception gets: an exception in a Go program ends the process.
func TestEntries(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("shim", name))
		require.NoError(t, err)
		return string(b)
	}
	header := regexp.MustCompile(`(?s)typedef struct \{\s+uint32_t abi;.*?\} thub_table;`).FindString(read("shim.h"))
	var fields []string
	for _, m := range regexp.MustCompile(`\(\*(\w+)\)\(`).FindAllStringSubmatch(header, -1) {
		fields = append(fields, m[1])
	}
	require.Greater(t, len(fields), 30)

	table := regexp.MustCompile(`(?s)const thub_table table = \{\n(.*?)\n\};`).FindStringSubmatch(read("shim.cpp"))
	require.NotNil(t, table)
	entry := regexp.MustCompile(`(?m)^\s+(?:ENTRY\((\w+), [\w:]+\)|\.abi = THUB_ABI|\.version = TORCH_VERSION),$`)
	var entries []string
	for _, m := range entry.FindAllStringSubmatch(table[1], -1) {
		if m[1] != "" {
			entries = append(entries, m[1])
		}
	}
	require.Equal(t, fields, entries)
	require.Empty(t, regexp.MustCompile(`\s`).ReplaceAllString(entry.ReplaceAllString(table[1], ""), ""), "the table has something that is no ENTRY")
}
