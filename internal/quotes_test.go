package internal

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// quote matches a fenced block with a language and the path of a file.
var quote = regexp.MustCompile("(?ms)^```\\w+ (\\S+)\n(.*?)^```$")

// TestQuotes requires that blocks of code in the documentation that name a file of the
// module are parts of it, so that they are tested where the file is.
func TestQuotes(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	quotes := 0
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range quote.FindAllStringSubmatch(string(text), -1) {
			quotes++
			file, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(m[1])))
			require.NoError(t, err, page)
			require.True(t, strings.Contains(string(file), m[2]), "%s: the quote of %s differs from the file:\n%s", page, m[1], m[2])
		}
	}
	require.Greater(t, quotes, 4)
}

// TestFixtureOfPort runs the Python program of examples/port and requires that it writes the committed file.
func TestFixtureOfPort(t *testing.T) {
	python := reference.Python(t)
	dir := t.TempDir()
	source, err := os.ReadFile("../examples/port/testdata/net.py")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "net.py"), source, 0o644))
	out, err := exec.Command(python, filepath.Join(dir, "net.py")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	got, err := torch.Load(filepath.Join(dir, "net.pt"))
	require.NoError(t, err)
	want, err := torch.Load("../examples/port/testdata/net.pt")
	require.NoError(t, err)
	require.NoError(t, torchtest.CheckClose(got, want))
}
