package hub

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

// tableRows returns the rows of the table in the docs: the cells of each.
func tableRows(t *testing.T) [][]string {
	data, err := os.ReadFile("../docs/torch-hub.md")
	require.NoError(t, err)
	var rows [][]string
	for l := range strings.Lines(string(data)) {
		if strings.HasPrefix(l, "## ") {
			break
		}
		if strings.HasPrefix(l, "|") && !strings.HasPrefix(l, "|---") && !strings.HasPrefix(l, "| Python") {
			cells := strings.Split(strings.Trim(strings.TrimSpace(l), "|"), " | ")
			require.Len(t, cells, 3, l)
			rows = append(rows, cells)
		}
	}
	return rows
}

// Each row of the table names tests that exist.
func TestTableNamesTests(t *testing.T) {
	tests := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "../cmd/torchhub/*_test.go", "../internal/pyhub/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			src, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing.T\)`).FindAllSubmatch(src, -1) {
				tests[string(m[1])] = true
			}
		}
	}
	rows := tableRows(t)
	require.Greater(t, len(rows), 40)
	for _, r := range rows {
		for name := range strings.SplitSeq(strings.TrimSpace(r[2]), ", ") {
			require.True(t, tests[name], "the row %s names %q", r[0], name)
		}
	}
}

// The table has a row for each function and argument that Python has.
func TestTableIsPythons(t *testing.T) {
	p := reference.Start(t, `
import inspect, re, torch.hub
def rows():
    out = []
    for f in torch.hub.__all__:
        names = [("*" * (p.kind == p.VAR_POSITIONAL) + "**" * (p.kind == p.VAR_KEYWORD)) + n for n, p in inspect.signature(getattr(torch.hub, f)).parameters.items()]
        out += [f"{f}({n})" for n in names] or [f + "()"]
    return out
def variables():
    source = inspect.getsource(torch.hub)
    return sorted(set(re.findall(r'ENV_\w+ = "(\w+)"', source)) | set(re.findall(r'os.getenv\("(\w+)"\)', source)))
`)
	var rows, variables []string
	p.Call(&rows, "rows")
	p.Call(&variables, "variables")
	require.Contains(t, variables, "TORCH_HUB")
	have := ""
	for _, r := range tableRows(t) {
		have += r[0] + "\n"
	}
	for _, r := range rows {
		require.Contains(t, have, "`"+r+"`")
	}
	for _, v := range variables {
		require.Contains(t, have, "`$"+v+"`")
	}
}

// The example in the docs is a hubconf.json.
func TestDocsExample(t *testing.T) {
	data, err := os.ReadFile("../docs/torch-hub.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(data), "```json\n")
	require.True(t, ok)
	text, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	conf, err := ParseHubconf([]byte(text))
	require.NoError(t, err)
	require.Equal(t, schemaURL, conf.Schema)
	require.Len(t, conf.Entries["tiny"].Labels.Names, 10)
	var schema struct {
		ID string `json:"$id"`
	}
	require.NoError(t, json.Unmarshal(HubconfSchema, &schema))
	require.Equal(t, schemaURL, schema.ID)
}
