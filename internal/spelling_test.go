package internal

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAmericanEnglish looks for British spellings in what people read and write, names in code included.
func TestAmericanEnglish(t *testing.T) {
	const list = "testdata/american.txt"
	words, err := os.ReadFile(list)
	require.NoError(t, err)
	american := map[string]string{}
	for line := range strings.Lines(string(words)) {
		if british, word, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			american[british] = word
		}
	}
	require.NotEmpty(t, american)
	read := []string{".go", ".md", ".h", ".cpp", ".c", ".py", ".yml", ".sh"}
	require.NoError(t, filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "fuzz"):
			return filepath.SkipDir
		case d.IsDir() || !slices.Contains(read, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lower := strings.ToLower(string(text))
		for british, word := range american {
			if at := strings.Index(lower, british); at >= 0 {
				t.Errorf("%s:%d has %q: American English has %q (see %s)", path, 1+strings.Count(lower[:at], "\n"), british, word, list)
			}
		}
		return nil
	}))
}
