package torch_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

func needGPU(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
}

func TestGPUTensors(t *testing.T) {
	needGPU(t)
	for _, d := range []torch.DType{torch.Float32, torch.Float64, torch.Float16, torch.BFloat16, torch.Int64, torch.Int32, torch.Int16, torch.Int8, torch.Uint8, torch.Bool, torch.Complex64, torch.Complex128} {
		x := torch.Arange(12).ToDType(d).View(3, 4)
		y := x.To(torch.CUDA)
		require.Equal(t, torch.CUDADevice(0), y.Device(), d)
		require.True(t, x.Equal(y.To(torch.CPU)), d)
		require.True(t, x.Transpose(0, 1).Equal(y.Transpose(0, 1).To(torch.CPU)), d)
		require.NotEmpty(t, y.String())
	}
	x := torch.NewTensor([][]float32{{1, 2}, {3, 4}}, torch.Options{Device: torch.CUDA})
	require.Equal(t, []float32{1, 2, 3, 4}, torch.Data[float32](x))
	require.Equal(t, 10.0, x.Sum().Item())
	require.Equal(t, []float32{2, 4}, torch.Data[float32](x.Index(torch.All, 1)))
	torch.WithDevice(torch.CUDA, func() {
		require.Equal(t, torch.CUDADevice(0), torch.Ones(2).Device())
		torch.Run(func() { require.Equal(t, torch.CUDADevice(0), torch.Ones(2).Device()) })
	})
	err := torch.Try(func() { x.Add(torch.Ones(2, 2)) })
	require.ErrorContains(t, err, "cuda")
	require.ErrorContains(t, torch.Try(func() { torch.Ones(1).To("cuda:99") }), "cuda:99")
	y := x.ToMemoryFormat(torch.ContiguousFormat)
	x.Free()
	y.Free()
}

// TestGPUTraining takes the same steps on a GPU and on the CPU.
func TestGPUTraining(t *testing.T) {
	needGPU(t)
	train := func(d torch.Device) []float32 {
		torch.ManualSeed(0)
		w := torch.Randn(6, 3).To(d).RequireGrad(true)
		x, y := torch.Randn(16, 6).To(d), torch.Randn(16, 3).To(d)
		for range 20 {
			w.ZeroGrad()
			diff := x.MatMul(w).Tanh().Sub(y)
			diff.Mul(diff).Mean().Backward()
			torch.NoGrad(func() { w.AddInPlace(w.Grad(), torch.AddOptions{Alpha: -0.5}) })
		}
		return torch.Data[float32](w)
	}
	require.InDeltaSlice(t, train(torch.CPU), train(torch.CUDA), 1e-4)
}

// TestGPUGoroutines computes on many goroutines, whose tensors nobody frees.
func TestGPUGoroutines(t *testing.T) {
	needGPU(t)
	x := torch.Options{Device: torch.CUDA}.Rand(256, 256)
	want := x.MatMul(x).Sum().Item()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 50 {
				torch.Run(func() { assert.InEpsilon(t, want, x.MatMul(x).Sum().Item(), 1e-4) })
			}
		})
	}
	wg.Wait()
}

// TestGPULoop makes tensors that are never freed, of several times the memory of the GPU.
func TestGPULoop(t *testing.T) {
	needGPU(t)
	o := torch.Options{Device: torch.CUDA, DType: torch.Uint8}
	for range 1000 { // 500 GB in all
		o.Zeros(500 << 20)
	}
}
