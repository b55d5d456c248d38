package torch_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/torch"
)

const checkpoints = "../testdata/checkpoints/"

// hexOf returns, as the goldens do, the little-endian bytes of a float32 or int64 tensor.
func hexOf(t *testing.T, x *torch.Tensor) string {
	var b bytes.Buffer
	switch x.DType() {
	case torch.Float32:
		require.NoError(t, binary.Write(&b, binary.LittleEndian, torch.Data[float32](x)))
	case torch.Int64:
		require.NoError(t, binary.Write(&b, binary.LittleEndian, torch.Data[int64](x)))
	default:
		require.Fail(t, "unexpected dtype", x.DType())
	}
	if b.Len() > 64 { // the goldens hold a hash of what is longer
		sum := sha256.Sum256(b.Bytes())
		return hex.EncodeToString(sum[:])
	}
	return hex.EncodeToString(b.Bytes())
}

func TestLoadStateDictEqualsPythons(t *testing.T) {
	for _, name := range []string{"zip_state_dict", "legacy_state_dict"} {
		var want struct{ Items [][2]json.RawMessage }
		b, err := os.ReadFile(checkpoints + name + ".json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &want))
		got, err := torch.LoadStateDict(checkpoints + name + ".pt")
		require.NoError(t, err)
		require.Len(t, got, len(want.Items))
		for i, item := range want.Items {
			var key string
			var v struct {
				Tensor struct {
					DType  string
					Size   []int
					Values string
				}
			}
			require.NoError(t, json.Unmarshal(item[0], &key))
			require.NoError(t, json.Unmarshal(item[1], &v))
			require.Equal(t, key, got[i].Name)
			require.Equal(t, v.Tensor.Size, got[i].Tensor.Shape(), key)
			require.Equal(t, v.Tensor.DType, got[i].Tensor.DType().String(), key)
			require.Equal(t, v.Tensor.Values, hexOf(t, got[i].Tensor), key)
		}
		got.Free()
	}
}

// Writing to a loaded tensor changes neither the file nor another load of it.
func TestLoadIsCopyOnWrite(t *testing.T) {
	path := checkpoints + "zip_state_dict.pt"
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	s, err := torch.LoadStateDict(path)
	require.NoError(t, err)
	s.Get("conv.weight").FillInPlace(7)
	require.Equal(t, float32(7), torch.Data[float32](s.Get("conv.weight"))[0])
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestLoadAllGoldens(t *testing.T) {
	paths, err := filepath.Glob(checkpoints + "*.pt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, p := range paths {
		_, err := torch.Load(p)
		if err != nil {
			require.ErrorIs(t, err, torch.ErrUnsupported, p)
		}
	}
}

func TestLoadBadFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	for _, p := range []string{filepath.Join(dir, "none.pth"), dir, write("empty.pth", ""), write("text.pth", "hello"), write("page.pth", "<!DOCTYPE html><html>")} {
		_, err := torch.LoadStateDict(p)
		require.ErrorContains(t, err, p)
	}
	hostile, err := filepath.Glob(checkpoints + "hostile/*")
	require.NoError(t, err)
	require.NotEmpty(t, hostile)
	for _, p := range hostile {
		_, err := torch.LoadStateDict(p)
		require.Error(t, err, p)
	}
}
