package libtorch

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestShimLeaksNothing has LeakSanitizer watch a C program that uses the whole
// table, since Go's own programs cannot be built with it.
func TestShimLeaksNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("LeakSanitizer is for Linux")
	}
	if testing.Short() {
		t.Skip("compiles a program")
	}
	dir := t.TempDir()
	cc := func(source, exe string) ([]byte, error) {
		return exec.Command("cc", "-g", "-w", "-fsanitize=leak", source, "-o", exe, "-ldl").CombinedOutput()
	}
	probe := filepath.Join(dir, "probe")
	require.NoError(t, os.WriteFile(probe+".c", []byte("int main() { return 0; }"), 0o644))
	if out, err := cc(probe+".c", probe); err != nil {
		t.Skip("the compiler has no LeakSanitizer: ", string(out))
	}
	if out, err := exec.Command(probe).CombinedOutput(); err != nil {
		t.Skip("LeakSanitizer may not look at this machine's processes: ", string(out))
	}
	lib, err := Ensure(t.Context(), io.Discard)
	require.NoError(t, err)
	shim, err := BuildShim(t.Context(), lib, io.Discard)
	require.NoError(t, err)
	exe, file := filepath.Join(dir, "leaks"), filepath.Join(dir, "file")
	out, err := cc(filepath.Join("testdata", "leaks.c"), exe)
	require.NoError(t, err, string(out))
	require.NoError(t, os.WriteFile(file, make([]byte, 256), 0o644))
	cmd := exec.Command(exe, shim, filepath.Join("..", "..", "models", "builtin", "model.pt"), file)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}
