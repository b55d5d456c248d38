package torch_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/torch"
)

func TestMain(m *testing.M) {
	if os.Getenv("TORCHHUB_TEST_INIT") == "" { // else TestInitProcess calls it
		if err := torch.Init(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func TestAdd(t *testing.T) {
	x := torch.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	y := torch.FromSlice([]float32{10, 20, 30})
	z := x.Add(y)
	require.Equal(t, []int{2, 3}, z.Shape())
	require.Equal(t, torch.Float32, z.DType())
	require.Equal(t, []float32{11, 22, 33, 14, 25, 36}, torch.Data[float32](z))
	require.Equal(t, []float32{1, 4, 2, 5, 3, 6}, torch.Data[float32](x.Transpose(0, 1)))
	v, i := x.TopK(2, 1)
	require.Equal(t, []float32{3, 2, 6, 5}, torch.Data[float32](v))
	require.Equal(t, []int64{2, 1, 2, 1}, torch.Data[int64](i))
	require.Equal(t, 21.0, x.Sum().Item())
}

func TestMistakesAreErrors(t *testing.T) {
	x, y := torch.Ones(2, 3), torch.Ones(4)
	var e *torch.Error
	err := torch.Try(func() { x.Add(y) })
	require.ErrorAs(t, err, &e)
	require.Equal(t, "aten::add", e.Op)
	require.Equal(t, "[2, 3] float32, [4] float32", e.Args)
	require.ErrorIs(t, torch.Try(func() { x.Select(0, 7) }), torch.ErrIndex)
	require.ErrorIs(t, torch.Try(func() { x.Add(nil) }), torch.ErrNil)
	require.Error(t, torch.Try(func() { torch.FromSlice([]int64{1, 2}, 3) }))
	require.Error(t, torch.Try(func() { torch.Data[float64](x) }))
	require.ErrorIs(t, torch.Try(func() { torch.Zeros(1<<50, 1<<10) }), torch.ErrOutOfMemory)
	require.Error(t, torch.Try(func() { new(torch.Call).One(torch.NewOp("aten::no_such_op", "")) }))
}

func TestUseAfterFree(t *testing.T) {
	x := torch.Ones(3)
	view := x.View(3, 1)
	x.Free()
	x.Free()
	require.ErrorIs(t, torch.Try(func() { x.ReLU() }), torch.ErrFreed)
	require.ErrorIs(t, torch.Try(func() { x.Shape() }), torch.ErrFreed)
	require.Equal(t, []float32{1, 1, 1}, torch.Data[float32](view))
}

func TestScope(t *testing.T) {
	runtime.GC() // what other tests left
	time.Sleep(20 * time.Millisecond)
	before := torch.LiveBytes()
	var inner, kept *torch.Tensor
	torch.Scope(func() {
		inner = torch.Ones(1 << 20)
		kept = torch.Keep(inner.AddScalar(1))
		torch.Run(func() { inner.AddScalar(2) })
	})
	require.ErrorIs(t, torch.Try(func() { inner.ReLU() }), torch.ErrFreed)
	require.Equal(t, float32(2), torch.Data[float32](kept)[0])
	held := torch.LiveBytes()
	require.InDelta(t, 4<<20, held-before, 1<<20)
	kept.Free()
	require.Equal(t, held-4<<20, torch.LiveBytes())
}

func TestGradModeFollowsRun(t *testing.T) {
	require.True(t, torch.IsGradEnabled())
	torch.NoGrad(func() {
		require.False(t, torch.IsGradEnabled())
		torch.Run(func() { require.False(t, torch.IsGradEnabled()) })
	})
	torch.Run(func() { require.True(t, torch.IsGradEnabled()) })
	torch.InferenceMode(func() { require.True(t, torch.Ones(1).IsInference()) })
}

func TestRunPassesPanicsAndGoexit(t *testing.T) {
	require.PanicsWithValue(t, "boom", func() { torch.Run(func() { panic("boom") }) })
	for range 2 * runtime.NumCPU() { // more than there are workers: each is replaced
		done := make(chan struct{})
		go func() {
			defer close(done)
			torch.Run(runtime.Goexit)
			t.Error("Goexit was swallowed")
		}()
		<-done
	}
	torch.Run(func() {})
}

func TestManyGoroutines(t *testing.T) {
	w := torch.Randn(64, 64)
	want := torch.Data[float32](w.MatMul(w))
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			var got []float32
			torch.Run(func() { got = torch.Data[float32](w.MatMul(w)) })
			if len(got) != len(want) || got[0] != want[0] || got[4095] != want[4095] {
				t.Error("results differ between goroutines")
			}
		})
	}
	wg.Wait()
}

// A loop that never frees stays flat: the collector is pressed by what it cannot see.
func TestLoopStaysFlat(t *testing.T) {
	x := torch.Ones(1 << 20)
	var most int64
	for range 2000 { // 8 GB in all
		x.AddScalar(1)
		most = max(most, torch.LiveBytes())
	}
	require.Less(t, most, int64(1<<30)) // some 400 MB, and more where the collector has to wait for a processor
}

func TestManualSeedIsPythons(t *testing.T) {
	torch.ManualSeed(0)
	require.Equal(t, []float32{0.49625659, 0.76822180, 0.08847743}, torch.Data[float32](torch.Rand(3)))
}

func TestDevices(t *testing.T) {
	for _, s := range []string{"cpu", "cuda", "cuda:3", "meta"} {
		d, err := torch.ParseDevice(s)
		require.NoError(t, err)
		require.Equal(t, s, d.String())
	}
	for _, s := range []string{"", "gpu", "cuda:", "cuda:-1", "cpu:1", "cuda:x"} {
		_, err := torch.ParseDevice(s)
		require.Error(t, err, s)
	}
	d, err := torch.ParseDevice("cpu:0")
	require.NoError(t, err)
	require.Equal(t, torch.CPU, d)
	require.Equal(t, torch.Device("cuda:3"), torch.CUDADevice(3))
	require.Equal(t, torch.Device("cuda:99"), torch.CUDADevice(99))
	require.Equal(t, []any{"cuda", 3, "cuda", -1, "", "default"}, []any{
		torch.CUDADevice(3).Type(), torch.CUDADevice(3).Index(), torch.CUDA.Type(), torch.CUDA.Index(), torch.Device("").Type(), torch.Device("").String(),
	})
	for _, i := range []int{-1, 128} {
		require.ErrorContains(t, torch.Try(func() { torch.CUDADevice(i) }), "must be between 0 and 127")
	}
}

// Every function that takes a device takes the zero value for the default device,
// save NewGenerator, as in Python.
func TestDefaultDevice(t *testing.T) {
	x := torch.Ones(2)
	require.Equal(t, torch.CPU, torch.DefaultDevice())
	require.Equal(t, torch.CPU, torch.Zeros(1).Device())
	require.Equal(t, torch.CPU, x.To("").Device())
	torch.WithDevice(torch.Meta, func() {
		require.Equal(t, torch.Meta, torch.DefaultDevice())
		require.Equal(t, torch.Meta, torch.Empty(1<<40).Device())
		require.Equal(t, torch.CPU, torch.Options{Device: "cpu:0"}.Empty(1).Device())
		require.Equal(t, torch.Meta, x.To("").Device())
		require.Equal(t, torch.CPU, torch.ZerosLike(x).Device())
		require.Equal(t, torch.Meta, torch.Options{Device: torch.Meta}.ZerosLike(x).Device())
		torch.WithDevice("", func() { require.Equal(t, torch.Meta, torch.DefaultDevice()) })
		x.Bernoulli(torch.RandomOptions{Generator: torch.NewGenerator("")}) // whose generator must be of the CPU
	})
	require.EqualError(t, torch.Try(func() { x.To("gpu:1") }), `torch: aten::to.dtype_layout([2] float32): unknown device "gpu:1"; use cpu, cuda or cuda:N`)
	require.ErrorContains(t, torch.Try(func() { torch.WithDevice("gpu", func() {}) }), `unknown device "gpu"`)
	require.ErrorContains(t, torch.Try(func() { torch.Options{Device: "gpu"}.Zeros(1) }), `unknown device "gpu"`)
}

// Every function says the same about a GPU that is not there.
func TestNoGPU(t *testing.T) {
	n, why := torch.CUDACount(t.Context())
	if n > 0 {
		t.Skip("there is one")
	}
	for d, want := range map[torch.Device]string{torch.CUDA: strings.TrimPrefix(why.Error(), "torch: "), "cuda:1": strings.TrimPrefix(why.Error(), "torch: "), torch.MPS: "there is no MPS device"} {
		if d == torch.MPS && runtime.GOOS == "darwin" {
			continue
		}
		o := torch.Options{Device: d}
		for name, f := range map[string]func(){
			"To": func() { torch.Ones(1).To(d) }, "Zeros": func() { o.Zeros(2) }, "Rand": func() { o.Rand(2) }, "NewTensor": func() { torch.NewTensor(1, o) },
			"ZerosLike": func() { o.ZerosLike(torch.Ones(1)) }, "WithDevice": func() { torch.WithDevice(d, func() { torch.Ones(2) }) },
			"NewGenerator": func() { torch.NewGenerator(d) }, "DefaultGenerator": func() { torch.DefaultGenerator(d) },
		} {
			var e *torch.Error
			require.ErrorAs(t, torch.Try(f), &e, "%s %s", name, d)
			require.Equal(t, want, e.Msg, "%s %s", name, d)
		}
	}
}

func ExampleTry() {
	err := torch.Try(func() { torch.Ones(2, 3).MatMul(torch.Ones(2, 3)) })
	var e *torch.Error
	fmt.Println(errors.As(err, &e), e.Op, e.Args)
	// Output: true aten::matmul [2, 3] float32, [2, 3] float32
}

func TestGenerator(t *testing.T) {
	uniform := torch.NewOp("aten::uniform_", "")
	draw := func(g *torch.Generator) []float32 {
		x := torch.Zeros(4)
		var c torch.Call
		c.Tensor(x)
		c.Float(0)
		c.Float(1)
		c.Generator(g)
		c.Do(uniform)
		return torch.Data[float32](x)
	}
	torch.ManualSeed(3)
	want := draw(nil)
	require.Equal(t, want, draw(torch.NewGenerator(torch.CPU).ManualSeed(3)))
	g := torch.NewGenerator(torch.CPU).ManualSeed(3)
	require.Equal(t, want, draw(g))
	require.NotEqual(t, want, draw(g))
	if n, err := torch.CUDACount(t.Context()); err != nil || n == 0 {
		require.Error(t, torch.Try(func() { torch.NewGenerator(torch.CUDA) }))
	}
}

// Small tensors share a block: what is done wrongly with one must not reach the others.
func TestUseAfterFreeLeavesOthersAlone(t *testing.T) {
	var xs []*torch.Tensor
	for i := range 100 {
		xs = append(xs, torch.Full(i, 3))
	}
	for i := 0; i < len(xs); i += 2 {
		xs[i].Free()
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := 0; i < len(xs); i += 2 {
				xs[i].Free()
				assert.ErrorIs(t, torch.Try(func() { xs[i].Add(xs[i+1]) }), torch.ErrFreed)
				assert.ErrorIs(t, torch.Try(func() { xs[i].Shape() }), torch.ErrFreed)
			}
		})
	}
	wg.Wait()
	for i := 1; i < len(xs); i += 2 {
		require.Equal(t, []int64{int64(i), int64(i), int64(i)}, torch.Data[int64](xs[i]))
	}
}

// TestFreeAcrossGoroutines checks that small tensors that are made, used, freed, kept
// and dropped across goroutines are each freed exactly once.
func TestFreeAcrossGoroutines(t *testing.T) {
	settled := func() int64 {
		for range 4 { // the pools of blocks live for two collections
			runtime.GC()
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(300 * time.Millisecond) // the timer drains the deferred-free queue
		return torch.LiveBytes()
	}
	x, y := torch.Ones(4), torch.Ones(4)
	rounds := 3000
	if raceEnabled {
		rounds = 300
	}
	work := func(c chan *torch.Tensor, dropping bool) {
		for i := range rounds {
			z := x.Add(y)
			switch i % 5 {
			case 0:
				z.Free()
			case 1:
				z.AddInPlace(y)
				z.Then((*torch.Tensor).ReLU).Free()
			case 2:
				var kept *torch.Tensor
				torch.Scope(func() {
					torch.Scope(func() { kept = torch.Keep(z.Add(y).ReLU()) })
					torch.Run(func() { kept.Add(z) })
					kept = torch.Keep(kept)
				})
				c <- kept
				z.Free()
			default:
				c <- z
			}
			for {
				select {
				case w := <-c:
					if !dropping || i%5 != 4 {
						var wg sync.WaitGroup
						wg.Go(func() {
							if err := torch.Try(func() { w.Add(y).Free() }); err != nil {
								assert.ErrorIs(t, err, torch.ErrFreed)
							}
						})
						w.Free()
						wg.Wait()
						assert.ErrorIs(t, torch.Try(func() { w.Add(y) }), torch.ErrFreed)
					}
					continue
				default:
				}
				break
			}
			if i%500 == 0 {
				runtime.GC()
			}
		}
	}
	before := settled()
	for _, dropping := range []bool{false, true} {
		c := make(chan *torch.Tensor, 1<<16)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { work(c, dropping) })
		}
		wg.Wait()
		for len(c) > 0 {
			(<-c).Free()
		}
		require.Equal(t, before, settled())
	}
	require.Equal(t, []float32{2, 2, 2, 2}, torch.Data[float32](x.Add(y)))
}

func TestFromSliceShapes(t *testing.T) {
	for _, size := range [][]int{{0}, {1, 0}, {0, 1}, {2, 3, 0}, {0, math.MaxInt, math.MaxInt}} {
		var x *torch.Tensor
		if err := torch.Try(func() { x = torch.FromSlice([]float32{}, size...) }); err == nil {
			require.Equal(t, size, x.Shape())
		} else {
			require.Contains(t, size, math.MaxInt, err)
		}
	}
	for _, size := range [][]int{{5}, {-2, -3}, {2, 0}, {math.MaxInt, 2, 3}, {1 << 32, 1 << 32, 6}, {2, 1<<63 - 1}} {
		require.Error(t, torch.Try(func() { torch.FromSlice(make([]float32, 6), size...) }), size)
		require.Error(t, torch.Try(func() { torch.FromSlice(make([]float32, 8), append(size, 4, 1<<62+2)...) }), size)
	}
}
