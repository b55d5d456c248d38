package made_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/made"
)

func TestCora(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	require.NoError(t, made.Cora(60, 40)(dir))
	require.NoError(t, made.Cora(60, 40)(again))
	papers := linesOf(t, dir, "cora.content")
	require.Equal(t, papers, linesOf(t, again, "cora.content"))
	require.Len(t, papers, 60)
	ids := map[string]bool{}
	for _, p := range papers {
		fields := strings.Split(p, "\t")
		require.Len(t, fields, 42)
		ids[fields[0]] = true
	}
	require.Len(t, ids, 60)
	for _, c := range linesOf(t, dir, "cora.cites") {
		cited, citing, _ := strings.Cut(c, "\t")
		require.True(t, ids[cited] && ids[citing] && cited != citing, c)
	}
	require.Error(t, made.Cora(1, 1)(filepath.Join(dir, "no", "folder")))
}
