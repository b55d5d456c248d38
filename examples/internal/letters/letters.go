// Package letters publishes the built-in model in a folder, for the tests of the
// examples: they load it as they load any other.
package letters

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models/builtin"
)

// Load publishes the model and loads it. The test's end closes it.
func Load(t *testing.T) *hub.Model {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "letters.pt"), builtin.Model(), 0o600))
	require.NoError(t, hub.Pack(t.Context(), dir, "letters", hub.Entry{
		Doc:        "Reads a letter.",
		License:    "BSD-3-Clause",
		Artifacts:  []hub.Artifact{{URL: "letters.pt"}},
		Preprocess: &hub.Preprocess{Preset: builtin.Preset()},
		Labels:     &hub.Labels{Names: builtin.Labels()},
	}))
	model, err := hub.Load(t.Context(), dir, "letters", hub.WithSource("local"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, model.Close()) })
	return model
}
