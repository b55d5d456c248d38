package hub

import (
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/backends"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/nn"
)

// TestGPUClassify loads models with made weights onto a GPU and compares with the CPU.
func TestGPUClassify(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
	backends.CuDNNAllowTF32.Set(false)
	defer backends.CuDNNAllowTF32.Set(true)
	names := []string{"resnet18", "resnext101_32x8d_wsl"}
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		names = append(names, "resnext101_32x16d_wsl", "resnext101_32x32d_wsl", "resnext101_32x48d_wsl")
	}
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TORCH_HOME", t.TempDir())
			entry, err := models.Lookup(name)
			require.NoError(t, err)
			official := filepath.Join(os.Getenv("TORCH_HOME"), "hub", "checkpoints", filepath.Base(entry.Default().URL))
			require.NoError(t, os.MkdirAll(filepath.Dir(official), 0o755))
			torch.ManualSeed(0)
			torch.Scope(func() { require.NoError(t, nn.SaveStateDict(official, entry.Build())) })

			onCPU, err := Load(t.Context(), entry.Repo, name, WithNotice(nil))
			require.NoError(t, err)
			want, err := onCPU.Logits(t.Context(), img)
			require.NoError(t, err)
			require.NoError(t, onCPU.Close())

			before := cuda.MemoryAllocated()
			m, err := Load(t.Context(), entry.Repo, name, WithNotice(nil), WithDevice(torch.CUDA))
			require.NoError(t, err)
			require.Equal(t, "cuda", m.Device().Type())
			require.Greater(t, cuda.MemoryAllocated(), before+10<<20)
			near := func(got []float32) {
				var scale, diff float64
				for i := range want {
					scale = max(scale, math.Abs(float64(want[i])))
					diff = max(diff, math.Abs(float64(want[i])-float64(got[i])))
				}
				assert.LessOrEqual(t, diff, 1e-3*scale)
			}
			got, err := m.Logits(t.Context(), img)
			require.NoError(t, err)
			near(got)
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					top, err := m.Classify(t.Context(), img, 5)
					assert.NoError(t, err)
					assert.Len(t, top, 5)
					logits, err := m.Logits(t.Context(), img)
					assert.NoError(t, err)
					near(logits)
				})
			}
			wg.Wait()
			require.NoError(t, m.To(torch.CPU))
			got, err = m.Logits(t.Context(), img)
			require.NoError(t, err)
			near(got)
			require.NoError(t, m.To(torch.CUDA))
			got, err = m.Logits(t.Context(), img)
			require.NoError(t, err)
			near(got)
			require.NoError(t, m.Close())
			require.Less(t, cuda.MemoryAllocated(), before+100<<20) // workspaces of libraries
		})
	}
}
