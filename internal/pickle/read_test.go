package pickle

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/frugal"
)

//go:generate $TORCHHUB_REFERENCE ../../testdata/gen/checkpoints.py

const testdata = "../../testdata/checkpoints"

// TestGoldens compares with what torch.load makes of the same files.
func TestGoldens(t *testing.T) {
	compare(t, testdata, 40)
}

func compare(t *testing.T, dir string, atLeast int) {
	files, err := filepath.Glob(filepath.Join(dir, "*.pt"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), atLeast)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".pt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			want, err := os.ReadFile(strings.TrimSuffix(file, ".pt") + ".json")
			require.NoError(t, err)
			v, err := Read(data, Options{VerifyCRC: true})
			require.NoError(t, err)
			require.JSONEq(t, string(want), tree(v))
			requireSound(t, data, v)
		})
	}
}

// TestLive compares with Python on random checkpoints.
func TestLive(t *testing.T) {
	python := os.Getenv("TORCHHUB_REFERENCE")
	if python == "" {
		t.Skip("TORCHHUB_REFERENCE is not set")
	}
	dir := t.TempDir()
	seed := "1"
	if s := os.Getenv("TORCHHUB_SEED"); s != "" {
		seed = s
	}
	out, err := exec.Command(python, "../../testdata/gen/checkpoints.py", "--random", dir, "200", seed).CombinedOutput()
	require.NoError(t, err, "%s", out)
	compare(t, dir, 200)
}

// requireSound checks what users of a result rely on: elements within storages, storages within the input at their offset.
func requireSound(t testing.TB, data []byte, v any) {
	stack, seen := []any{v}, map[any]bool{}
	for len(stack) > 0 {
		v, stack = stack[len(stack)-1], stack[:len(stack)-1]
		if id := container(v); id != nil {
			if seen[id] {
				continue
			}
			seen[id] = true
		}
		for i := 0; ; i++ {
			c, ok := child(v, i)
			if !ok {
				break
			}
			stack = append(stack, c)
		}
		var s *Storage
		switch v := v.(type) {
		case *Storage:
			s = v
		case *Tensor:
			s = v.Storage
			size := ElementSize(v.DType)
			require.Positive(t, size)
			require.Len(t, v.Stride, len(v.Size))
			require.GreaterOrEqual(t, v.Offset, 0)
			if v.Numel() == 0 {
				require.Zero(t, v.Offset)
				break
			}
			last := v.Offset
			for d, n := range v.Size {
				require.Positive(t, n)
				require.GreaterOrEqual(t, v.Stride[d], 0)
				last += (n - 1) * v.Stride[d]
			}
			require.LessOrEqual(t, last/Packed(v.DType)*size+size, len(s.Data))
			if q := v.Quantizer; q != nil && q.Scales != nil {
				stack = append(stack, q.Scales, q.ZeroPoints)
				require.Equal(t, []int{v.Size[q.Axis]}, q.Scales.Size)
				require.Equal(t, []int{v.Size[q.Axis]}, q.ZeroPoints.Size)
			}
		}
		if s != nil && s.Offset >= 0 && len(s.Data) > 0 {
			require.Same(t, &data[s.Offset], &s.Data[0])
			require.LessOrEqual(t, s.Offset+int64(len(s.Data)), int64(len(data)))
		}
	}
}

func container(v any) any {
	switch v.(type) {
	case Tuple, *List, *Dict, *Set:
		return identity(v)
	}
	return nil
}

// TestHostile reads files that no reader should take. Each must fail by its kind, with a word on why, quickly and in little memory.
func TestHostile(t *testing.T) {
	var index map[string]struct{ Kind, Says string }
	b, err := os.ReadFile(filepath.Join(testdata, "hostile.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &index))
	require.GreaterOrEqual(t, len(index), 150)
	for name, want := range index {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(testdata, "hostile", name+".pt"))
			require.NoError(t, err)
			err = frugally(t, data)
			requireKind(t, err, want.Kind)
			require.ErrorContains(t, err, want.Says)
		})
	}
}

func requireKind(t testing.TB, err error, kind string) {
	t.Helper()
	var malformed *MalformedError
	var unsupported *UnsupportedError
	switch kind {
	case "malformed":
		require.True(t, errors.As(err, &malformed), "%v", err)
	case "unsupported":
		require.True(t, errors.As(err, &unsupported), "%v", err)
	default:
		t.Fatalf("%q is no kind of error", kind)
	}
}

// frugally reads data within the limits that Options promise.
func frugally(t testing.TB, data []byte) (err error) {
	t.Helper()
	frugal.Do(t, func() { _, err = Read(data, Options{}) })
	return err
}
