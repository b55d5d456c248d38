package amp_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
	"github.com/torchhub/torchhub/torch/cuda"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// now is the state of autocast here.
type now struct {
	on    bool
	dtype torch.DType
	cache bool
}

func here() now {
	return now{amp.IsAutocastEnabled(torch.CPU), amp.AutocastDType(torch.CPU), amp.IsAutocastCacheEnabled()}
}

var off = now{false, torch.BFloat16, true}

func TestAutocastNests(t *testing.T) {
	require.Equal(t, off, here())
	x := torch.Ones(2, 2)
	amp.Autocast(torch.CPU, func() {
		require.Equal(t, now{true, torch.BFloat16, true}, here())
		require.Equal(t, torch.BFloat16, x.MatMul(x).DType())
		amp.Autocast(torch.CPU, func() {
			require.Equal(t, now{true, torch.Float16, false}, here())
			require.Equal(t, torch.Float16, x.MatMul(x).DType())
			amp.Autocast(torch.CPU, func() {
				require.Equal(t, now{false, torch.Float16, false}, here())
				require.Equal(t, torch.Float32, x.MatMul(x).DType())
				amp.Autocast(torch.CPU, func() { require.Equal(t, now{true, torch.Float16, true}, here()) }, amp.AutocastOptions{CacheEnabled: new(true)})
			}, amp.AutocastOptions{Disabled: true})
		}, amp.AutocastOptions{DType: torch.Float16, CacheEnabled: new(false)})
		require.Equal(t, now{true, torch.BFloat16, true}, here())
		torch.InferenceMode(func() {
			require.Equal(t, torch.BFloat16, x.MatMul(x).DType())
			amp.Autocast("cpu:0", func() { require.Equal(t, torch.Float16, x.MatMul(x).DType()) }, amp.AutocastOptions{DType: torch.Float16})
			torch.NoGrad(func() { require.Equal(t, torch.BFloat16, x.MatMul(x).DType()) })
		})
		require.Equal(t, torch.BFloat16, x.MatMul(x).DType())
	})
	require.Equal(t, off, here())
	torch.WithDevice(torch.Meta, func() {
		require.Error(t, torch.Try(func() { amp.Autocast("", func() {}) }))
	})
}

// As in Python, an unsupported dtype on the CPU, and CUDA without a GPU, only call the function.
func TestAutocastThatIsNotSupported(t *testing.T) {
	x := torch.Ones(2, 2)
	amp.Autocast(torch.CPU, func() {
		require.Equal(t, now{false, torch.Float32, true}, here())
		require.Equal(t, torch.Float32, x.MatMul(x).DType())
	}, amp.AutocastOptions{DType: torch.Float32})
	amp.Autocast(torch.CUDA, func() {
		require.Equal(t, cuda.IsAvailable(), amp.IsAutocastEnabled(torch.CUDA))
		require.Equal(t, torch.Float32, x.MatMul(x).DType())
	})
	for _, d := range []torch.Device{torch.Meta, "gpu"} {
		require.Error(t, torch.Try(func() { amp.Autocast(d, func() {}) }), d)
		require.Error(t, torch.Try(func() { amp.AutocastDType(d) }), d)
		require.False(t, amp.IsAutocastAvailable(d))
	}
	require.EqualError(t, torch.Try(func() { amp.IsAutocastEnabled(torch.Meta) }), `torch: amp.IsAutocastEnabled: there is no autocast for the device "meta"`)
	require.Error(t, torch.Try(func() { amp.Autocast(torch.CPU, func() {}, amp.AutocastOptions{DType: 99}) }))
	require.True(t, amp.IsAutocastAvailable(torch.CPU) && amp.IsAutocastAvailable(torch.CUDA) && amp.IsAutocastAvailable(torch.MPS))
	require.Equal(t, torch.Float16, amp.AutocastDType(torch.CUDA))
	require.Equal(t, torch.Float16, amp.AutocastDType(torch.MPS))
	require.Equal(t, off, here())
}

func TestAutocastEndsWithPanicAndGoexit(t *testing.T) {
	for _, end := range []func(){func() { panic("boom") }, runtime.Goexit, func() { torch.Run(func() { panic("boom") }) }, func() { torch.Run(runtime.Goexit) }} {
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() {
				_ = recover()
				assert.Equal(t, off, here())
			}()
			amp.Autocast(torch.CPU, func() {
				amp.Autocast(torch.CPU, end, amp.AutocastOptions{DType: torch.Float16})
			})
		}()
		<-done
		require.Equal(t, off, here())
	}
}

// TestAutocastTravels checks that autocast applies inside torch.Run, on another
// thread, and to no other goroutine.
func TestAutocastTravels(t *testing.T) {
	x := torch.Ones(2, 2)
	amp.Autocast(torch.CPU, func() {
		torch.Run(func() {
			require.Equal(t, now{true, torch.Float16, true}, here())
			require.Equal(t, torch.Float16, x.MatMul(x).DType())
			amp.Autocast(torch.CPU, func() { require.False(t, here().on) }, amp.AutocastOptions{Disabled: true})
			require.True(t, here().on)
		})
		require.Equal(t, now{true, torch.Float16, true}, here())
		var wg sync.WaitGroup
		wg.Go(func() {
			assert.Equal(t, off, here())
			torch.Run(func() { assert.Equal(t, off, here()) })
		})
		wg.Wait()
	}, amp.AutocastOptions{DType: torch.Float16})
	torch.Run(func() { require.Equal(t, off, here()) })
	var wg sync.WaitGroup
	for i := range 64 {
		d := []torch.DType{torch.BFloat16, torch.Float16}[i%2]
		wg.Go(func() {
			for range 20 {
				amp.Autocast(torch.CPU, func() {
					torch.Run(func() { assert.Equal(t, d, x.MatMul(x).DType()) })
				}, amp.AutocastOptions{DType: d})
				assert.Equal(t, torch.Float32, x.MatMul(x).DType())
			}
		})
	}
	wg.Wait()
}

// TestAutocastCache checks that a weight is cast once until the outermost region ends,
// also if that is on another thread than the cast.
func TestAutocastCache(t *testing.T) {
	w := torch.Options{RequiresGrad: true}.Full(1.0, 2, 2)
	x := torch.Ones(2, 2)
	product := func() float32 { return torch.Data[float32](x.MatMul(w).ToDType(torch.Float32))[0] }
	double := func() {
		torch.NoGrad(func() { w.MulScalarInPlace(2) })
	}
	amp.Autocast(torch.CPU, func() {
		require.Equal(t, float32(2), product())
		torch.Run(func() { require.Equal(t, float32(2), product()) })
		double()
		require.Equal(t, float32(2), product(), "the cast is kept")
		amp.Autocast(torch.CPU, func() {})
		require.Equal(t, float32(2), product(), "the cast is kept")
	})
	amp.Autocast(torch.CPU, func() {
		require.Equal(t, float32(4), product())
	})
	amp.Autocast(torch.CPU, func() {
		require.Equal(t, float32(4), product())
		double()
		require.Equal(t, float32(8), product(), "no cast is kept")
	}, amp.AutocastOptions{CacheEnabled: new(false)})
}

// TestAutocastCacheWithoutGrad checks that a cast that was kept in another mode does not
// hide a weight from autograd, as in Python.
func TestAutocastCacheWithoutGrad(t *testing.T) {
	x := torch.Ones(2, 2)
	for name, mode := range map[string]func(func()){"NoGrad": torch.NoGrad, "InferenceMode": torch.InferenceMode} {
		w := torch.Options{RequiresGrad: true}.Ones(2, 2)
		amp.Autocast(torch.CPU, func() {
			mode(func() { require.False(t, x.MatMul(w).RequiresGrad(), name) })
			x.MatMul(w).Sum().Backward()
		})
		require.Equal(t, []float32{2, 2, 2, 2}, torch.Data[float32](w.Grad()), name)

		w.ZeroGrad()
		kept, end := make(chan bool), make(chan bool)
		go mode(func() {
			amp.Autocast(torch.CPU, func() {
				x.MatMul(w)
				kept <- true
				<-end
			})
			end <- true
		})
		<-kept
		amp.Autocast(torch.CPU, func() { x.MatMul(w).Sum().Backward() })
		end <- true
		<-end
		require.Equal(t, []float32{2, 2, 2, 2}, torch.Data[float32](w.Grad()), "%s in another goroutine", name)
	}
}

// TestDocs is the example of nested regions in PyTorch's documentation, on the CPU.
func TestDocs(t *testing.T) {
	a, b, c, d := torch.Rand(8, 8), torch.Rand(8, 8), torch.Rand(8, 8), torch.Rand(8, 8)
	var e, f, g *torch.Tensor
	amp.Autocast(torch.CPU, func() {
		e = a.MatMul(b)
		amp.Autocast(torch.CPU, func() { f = c.MatMul(e.ToDType(torch.Float32)) }, amp.AutocastOptions{Disabled: true})
		g = d.MatMul(f)
	})
	require.Equal(t, []torch.DType{torch.BFloat16, torch.Float32, torch.BFloat16}, []torch.DType{e.DType(), f.DType(), g.DType()})
	amp.Autocast(torch.CPU, func() {
		err := torch.Try(func() { amp.Autocast(torch.CPU, func() { c.MatMul(e) }, amp.AutocastOptions{Disabled: true}) })
		require.ErrorContains(t, err, "dtype")
	})
}

func Example() {
	model := torch.Ones(4, 4)
	x := torch.Ones(2, 4)
	amp.Autocast(torch.CPU, func() {
		y := x.MatMul(model)
		fmt.Println(y.DType(), y.Softmax(1).DType())
	})
	fmt.Println(x.MatMul(model).DType())
	// Output:
	// bfloat16 bfloat16
	// float32
}
