package safetensors_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch/safetensors"
)

const script = `
import torch
try:
	from safetensors.torch import load_file, save_file
	from safetensors import safe_open
	have = lambda: True
except ImportError:
	have = lambda: False

def copy(src, dst, metadata):
	"""Saves again what Go saved."""
	d = load_file(src)
	with safe_open(src, "pt") as f:
		assert f.metadata() == metadata, f.metadata()
	save_file(d, dst, metadata)

def make(path, n):
	torch.manual_seed(n)
	save_file({f"layer.{i}": torch.randn([n % 3, 2, i % 4][:i % 4]).to([torch.float32, torch.bfloat16, torch.float8_e4m3fn, torch.int64][i % 4]) for i in range(n)}, path)
`

// Python reads what Go writes, and writes it again byte by byte.
func TestSaveFileEqualsPython(t *testing.T) {
	p := reference.Start(t, script)
	var have bool
	if p.Call(&have, "have"); !have {
		t.Skip("the reference has no safetensors")
	}
	dir := t.TempDir()
	ours, theirs := filepath.Join(dir, "ours.safetensors"), filepath.Join(dir, "theirs.safetensors")
	for _, meta := range []map[string]string{nil, {"format": "pt"}} {
		require.NoError(t, safetensors.SaveFile(samples(), ours, meta))
		p.Call(nil, "copy", ours, theirs, meta)
		want, err := os.ReadFile(theirs)
		require.NoError(t, err)
		got, err := os.ReadFile(ours)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for n := range 20 {
		p.Call(nil, "make", theirs, n)
		s, err := safetensors.LoadFile(theirs)
		require.NoError(t, err)
		require.Len(t, s, n)
		require.NoError(t, safetensors.SaveFile(s, ours, nil))
		want, err := os.ReadFile(theirs)
		require.NoError(t, err)
		got, err := os.ReadFile(ours)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
