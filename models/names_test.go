package models

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

var patternNames = []string{"", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "regnet_y_16gf", "a]b", "[", "!", "a-b", "É"}

var patterns = []string{"", "*", "**", "?*", "resnet*", "*resnet*", "*50*2*", "res*[0-9]", "*[!0-9]", "[r]es*", "[!r]*", "r?snet??", "*[", "[", "[]", "a[]]b", "[!]", "[!]]", "a[-x]b", "a[x-]b", "*[d-a]", "[a-cr]*", "É", "?", "*_[0-9]*[a-z]"}

func TestMatchName(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*resnet*", "wide_resnet50_2", true}, {"resnet*", "wide_resnet50_2", false}, {"res*[0-9]", "resnet18", true},
		{"*[!0-9]", "resnet18", false}, {"r?snet??", "resnet50", true}, {"a[]]b", "a]b", true}, {"[", "[", true}, {"*", "", true}, {"", "", true}, {"?", "", false},
	} {
		require.Equal(t, c.want, matchName(c.pattern, c.name), "%q %q", c.pattern, c.name)
	}
}

// TestMatchNameLive compares all pairs with Python's fnmatch.
func TestMatchNameLive(t *testing.T) {
	p := reference.Start(t, "import fnmatch\ndef match(patterns, names):\n    return [[fnmatch.fnmatchcase(n, p) for n in names] for p in patterns]\n")
	var want [][]bool
	p.Call(&want, "match", patterns, patternNames)
	for i, pattern := range patterns {
		for j, name := range patternNames {
			require.Equal(t, want[i][j], matchName(pattern, name), "%q %q", pattern, name)
		}
	}
}

func FuzzMatchName(f *testing.F) {
	for _, p := range patterns {
		f.Add(p, "resnet50")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) { matchName(pattern, name) })
}
