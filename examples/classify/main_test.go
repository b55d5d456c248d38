package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/letters"
	"github.com/torchhub/torchhub/models/builtin"
)

func TestClassify(t *testing.T) {
	model := letters.Load(t)
	picture := filepath.Join(t.TempDir(), "g.png")
	require.NoError(t, os.WriteFile(picture, builtin.Picture(), 0o600))

	var out strings.Builder
	require.NoError(t, classify(t.Context(), &out, model, 2, []string{picture, picture, picture}))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 3)
	for _, line := range lines {
		require.Contains(t, line, "g.png: letter G, ")
	}

	missing := filepath.Join(t.TempDir(), "missing.png")
	require.ErrorContains(t, classify(t.Context(), &out, model, 2, []string{missing}), "missing.png")
}
