package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// example matches an indented line of a page that runs the command.
var example = regexp.MustCompile(`(?m)^    (?:go run \./cmd/)?torchhub ([^#\n]+)`)

// TestExamplesOfPages checks that the commands and flags in README.md and docs exist.
func TestExamplesOfPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	seen := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range example.FindAllStringSubmatch(string(text), -1) {
			seen++
			args := strings.Fields(m[1])
			var stdout, stderr bytes.Buffer
			// With --help flags are parsed, and nothing is run.
			require.Zero(t, run(t.Context(), append(args, "--help"), nil, &stdout, &stderr), "%s: %s%s", page, m[0], &stderr)
			require.Contains(t, stdout.String(), "Usage:\n  torchhub "+args[0], "%s: %s", page, m[0])
		}
	}
	require.Greater(t, seen, 10)
}
