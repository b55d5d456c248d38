package made_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/made"
)

// linesOf returns the lines of a file.
func linesOf(t *testing.T, path ...string) []string {
	text, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestCorpus(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	require.NoError(t, made.Corpus(50, 20, 10)(dir))
	require.NoError(t, made.Corpus(50, 20, 10)(again))
	for name, n := range map[string]int{"train.txt": 50, "valid.txt": 20, "test.txt": 10} {
		lines := linesOf(t, dir, name)
		require.Len(t, lines, n)
		require.Equal(t, lines, linesOf(t, again, name))
		for _, line := range lines {
			require.Regexp(t, `^([a-z]+ ){6,10}\.$`, line)
		}
	}
	require.NotEqual(t, linesOf(t, dir, "train.txt")[:10], linesOf(t, dir, "test.txt"))
	require.Error(t, made.Corpus(1, 1, 1)(filepath.Join(dir, "no", "folder")))
}

// TestPairs checks that a word has one translation, apart from the order.
func TestPairs(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.Pairs(200, 20)(dir))
	words := map[string]string{}
	for _, part := range []string{"train", "val"} {
		english, german := linesOf(t, dir, part+".en"), linesOf(t, dir, part+".de")
		require.Len(t, german, len(english))
		for i := range english {
			en, de := strings.Fields(english[i]), strings.Fields(german[i])
			require.Len(t, de, len(en))
			first := en[0]
			if words[first] == "" {
				words[first] = de[0]
			}
			require.Equal(t, words[first], de[0])
			require.NotEqual(t, en[len(en)-2:], de[len(de)-2:])
		}
	}
	require.Error(t, made.Pairs(1, 1)(filepath.Join(dir, "no", "folder")))
}

func TestCharacters(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.Characters(30)(dir))
	require.Len(t, linesOf(t, dir, "input.txt"), 30)
}
