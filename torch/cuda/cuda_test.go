package cuda_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestIsAvailable(t *testing.T) {
	err := torch.Try(func() { torch.Ones(1).To(torch.CUDA).Free() })
	require.Equal(t, err == nil, cuda.IsAvailable(), "%v", err)
	require.Equal(t, cuda.IsAvailable(), cuda.DeviceCount() > 0)
}

// calls are all functions that need a GPU.
var calls = map[string]func(){
	"CurrentDevice": func() { cuda.CurrentDevice() }, "WithDevice": func() { cuda.WithDevice(0, func() {}) }, "Synchronize": func() { cuda.Synchronize() },
	"DeviceProperties": func() { cuda.DeviceProperties() }, "DeviceName": func() { cuda.DeviceName("cuda:0") }, "DeviceCapability": func() { cuda.DeviceCapability() },
	"CanDeviceAccessPeer": func() { cuda.CanDeviceAccessPeer("cuda:0", torch.CUDA) }, "ResetPeakMemoryStats": func() { cuda.ResetPeakMemoryStats() },
	"ResetAccumulatedMemoryStats": func() { cuda.ResetAccumulatedMemoryStats() }, "MemGetInfo": func() { cuda.MemGetInfo() }, "MemorySummary": func() { cuda.MemorySummary() },
	"MemoryStats": func() { cuda.MemoryStats("cuda:0") }, "NewStream": func() { cuda.NewStream() }, "DefaultStream": func() { cuda.DefaultStream() },
	"CurrentStream": func() { cuda.CurrentStream() }, "WithStream": func() { cuda.WithStream(cuda.Stream{}, func() {}) }, "Stream.Query": func() { cuda.Stream{}.Query() },
	"Stream.Synchronize": func() { cuda.Stream{}.Synchronize() }, "Stream.WaitStream": func() { cuda.Stream{}.WaitStream(cuda.Stream{}) },
	"Stream.RecordTensor": func() { cuda.Stream{}.RecordTensor(torch.Ones(1).To(torch.CUDA)) }, "NewEvent": func() { cuda.NewEvent() },
	"InitialSeed": func() { cuda.InitialSeed() }, "RNGState": func() { cuda.RNGState() }, "SetRNGState": func() { cuda.SetRNGState(cuda.RNGState()) },
	"NewGraph": func() { cuda.NewGraph() }, "To": func() { torch.Ones(1).To(torch.CUDA) }, "NewGenerator": func() { torch.NewGenerator(torch.CUDA) },
}

// TestWithoutGPU checks that each function says in one sentence why it cannot be used.
func TestWithoutGPU(t *testing.T) {
	if cuda.IsAvailable() {
		t.Skip("there is a GPU")
	}
	for name, f := range calls {
		err := torch.Try(f)
		var e *torch.Error
		require.ErrorAs(t, err, &e, name)
		require.NotContains(t, strings.TrimSpace(err.Error()), "\n", name)
		require.Contains(t, strings.ToUpper(err.Error()), "CUDA", name)
		require.Less(t, len(err.Error()), 250, name)
	}
	require.Zero(t, cuda.MemoryAllocated()+cuda.MaxMemoryAllocated()+cuda.MemoryReserved()+cuda.MaxMemoryReserved())
	require.Empty(t, cuda.MemoryStats())
	cuda.EmptyCache()
	cuda.ManualSeed(1)
	cuda.ManualSeedAll(1)
	cuda.Seed()
	cuda.SeedAll()
	require.Empty(t, cuda.RNGStateAll())
	cuda.SetRNGStateAll(nil)
}

func TestMistakes(t *testing.T) {
	for name, f := range map[string]func(){
		"event": func() { new(cuda.Event).Synchronize() }, "nil event": func() { (*cuda.Event)(nil).Query() }, "graph": func() { new(cuda.Graph).Replay() },
		"two devices": func() { cuda.Synchronize("cuda:0", "cuda:0") }, "CPU": func() { cuda.Synchronize(torch.CPU) }, "unknown": func() { cuda.CurrentStream("gpu") },
		"99": func() { cuda.WithDevice(99, func() {}) }, "-1": func() { cuda.WithDevice(-1, func() {}) }, "cuda:99": func() { cuda.MemoryStats("cuda:99") },
		"nil tensor": func() { cuda.Stream{}.RecordTensor(nil) },
	} {
		var e *torch.Error
		require.ErrorAs(t, torch.Try(f), &e, name)
	}
}

// TestPinnedMemory works where there is an accelerator, and else says that there is none.
func TestPinnedMemory(t *testing.T) {
	x := torch.Ones(3)
	require.False(t, x.IsPinned())
	err := torch.Try(func() { x.PinMemory() })
	require.Equal(t, cuda.IsAvailable(), err == nil, "%v", err)
}

func Example() {
	device := torch.CPU
	if cuda.IsAvailable() {
		device = torch.CUDA
	}
	torch.Zeros(2, 3).To(device)
	// Output:
}

// The tests below need a GPU.

func needGPU(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
}

func TestGPU(t *testing.T) {
	needGPU(t)
	for name, f := range calls {
		require.NoError(t, torch.Try(f), name)
	}
	p := cuda.DeviceProperties()
	t.Logf("%+v", p)
	require.NotEmpty(t, p.Name)
	require.Equal(t, 32, p.WarpSize)
	require.GreaterOrEqual(t, p.Major, 5)
	free, total := cuda.MemGetInfo()
	require.Less(t, free, total)
	require.InDelta(t, total, p.TotalMemory, float64(total)/20)
	require.Equal(t, 0, cuda.CurrentDevice())
	require.False(t, cuda.CanDeviceAccessPeer("cuda:0", "cuda:0"))
	last := cuda.DeviceCount() - 1
	cuda.WithDevice(last, func() {
		require.Equal(t, last, cuda.CurrentDevice())
		require.Equal(t, torch.CUDADevice(last), torch.Ones(1).To(torch.CUDA).Device())
		torch.Run(func() { require.Equal(t, last, cuda.CurrentDevice()) })
	})
}

func TestGPUMemory(t *testing.T) {
	needGPU(t)
	for range 3 { // tensors of other tests are freed
		runtime.GC()
		time.Sleep(50 * time.Millisecond)
	}
	cuda.EmptyCache()
	cuda.ResetPeakMemoryStats()
	before := cuda.MemoryAllocated()
	x := torch.Options{Device: torch.CUDA}.Zeros(1 << 20)
	require.Equal(t, before+4<<20, cuda.MemoryAllocated())
	x.Free()
	cuda.Synchronize()
	require.Equal(t, before, cuda.MemoryAllocated())
	require.Equal(t, before+4<<20, cuda.MaxMemoryAllocated())
	require.GreaterOrEqual(t, cuda.MemoryReserved(), before)
	require.Contains(t, cuda.MemorySummary(), "device ID 0")
	cuda.ResetPeakMemoryStats()
	require.Equal(t, before, cuda.MaxMemoryAllocated())

	// Out of memory is an error, after which the GPU works on.
	err := torch.Try(func() { torch.Options{Device: torch.CUDA}.Empty(1 << 50) })
	require.True(t, errors.Is(err, torch.ErrOutOfMemory), "%v", err)
	require.Equal(t, 3.0, torch.Options{Device: torch.CUDA}.Ones(3).Sum().Item())
	require.Positive(t, cuda.MemoryStats()["num_ooms"])

	// A loop that never frees: an allocation that fails frees what is unreachable.
	free, _ := cuda.MemGetInfo()
	n := free / 4 / 10
	for range 40 {
		torch.Options{Device: torch.CUDA}.Zeros(n)
	}
}

// TestGPUCollections makes tensors that are never freed: they are collected before the
// memory of the GPU is used up.
func TestGPUCollections(t *testing.T) {
	needGPU(t)
	most := 0
	for range 1000 { // 64 GB in all
		torch.Options{Device: torch.CUDA, DType: torch.Uint8}.Zeros(64 << 20)
		most = max(most, cuda.MemoryAllocated())
	}
	require.Less(t, most, 2<<30)
}

func TestGPUStreams(t *testing.T) {
	needGPU(t)
	main := cuda.CurrentStream()
	require.Equal(t, cuda.DefaultStream(), main)
	x := torch.Options{Device: torch.CUDA}.Rand(512, 512)
	want := torch.Data[float32](x.MatMul(x))
	s, other := cuda.NewStream(), cuda.NewStream(cuda.StreamOptions{Priority: -1})
	require.NotEqual(t, s, other)
	require.NotEqual(t, main, s)
	require.Equal(t, torch.CUDADevice(0), s.Device())
	s.WaitStream(main)
	var y *torch.Tensor
	cuda.WithStream(s, func() {
		require.Equal(t, s, cuda.CurrentStream())
		torch.Run(func() {
			require.Equal(t, s, cuda.CurrentStream())
			y = x.MatMul(x)
		})
		cuda.WithStream(other, func() { require.Equal(t, other, cuda.CurrentStream()) })
		require.Equal(t, s, cuda.CurrentStream())
		x.Add(x)
	})
	require.Equal(t, main, cuda.CurrentStream())
	main.WaitStream(s)
	main.RecordTensor(y)
	require.Equal(t, want, torch.Data[float32](y))
	s.Synchronize()
	require.True(t, s.Query())
	require.Error(t, torch.Try(func() { s.RecordTensor(torch.Ones(1)) }))
	err := torch.Try(func() { cuda.WithStream(s, func() { x.MatMul(torch.Ones(2, 2)) }) })
	require.Error(t, err)
	require.Equal(t, main, cuda.CurrentStream())
}

func TestGPUEvents(t *testing.T) {
	needGPU(t)
	start, end := cuda.NewEvent(cuda.EventOptions{EnableTiming: true}), cuda.NewEvent(cuda.EventOptions{EnableTiming: true})
	require.True(t, end.Query())
	x := torch.Options{Device: torch.CUDA}.Rand(1024, 1024)
	start.Record()
	for range 50 {
		x = x.MatMul(x).Softmax(1)
	}
	end.Record()
	end.Synchronize()
	require.True(t, end.Query())
	ms := start.ElapsedTime(end)
	require.Greater(t, ms, 0.0)
	require.Less(t, ms, 10000.0)
	require.Error(t, torch.Try(func() { cuda.NewEvent().ElapsedTime(end) }))
	end.Wait(cuda.NewStream())
	cuda.Synchronize()
}

func TestGPURandom(t *testing.T) {
	needGPU(t)
	draw := func() []float32 { return torch.Data[float32](torch.Options{Device: torch.CUDA}.Rand(5)) }
	cuda.ManualSeed(7)
	want := draw()
	require.EqualValues(t, 7, cuda.InitialSeed())
	state := cuda.RNGState()
	require.Equal(t, 16, state.Numel())
	next := draw()
	cuda.SetRNGState(state)
	require.Equal(t, next, draw())
	cuda.SetRNGState(state, "cuda:0")
	torch.ForkRNG(func() { require.Equal(t, next, draw()) })
	require.Equal(t, next, draw())
	torch.ManualSeed(7)
	require.Equal(t, want, draw())
	cuda.ManualSeedAll(7)
	require.Equal(t, want, draw())
	states := cuda.RNGStateAll()
	require.Len(t, states, cuda.DeviceCount())
	next = draw()
	cuda.Seed()
	seed := cuda.InitialSeed()
	cuda.SeedAll()
	require.NotEqual(t, seed, cuda.InitialSeed())
	cuda.SetRNGStateAll(states)
	require.Equal(t, next, draw())
	g := torch.NewGenerator(torch.CUDA).ManualSeed(7)
	require.Equal(t, torch.CUDADevice(0), g.Device())
	require.Equal(t, want, torch.Data[float32](torch.Options{Device: torch.CUDA}.Zeros(5).UniformInPlace(0, 1, torch.RandomOptions{Generator: g})))
}

func TestGPUGraph(t *testing.T) {
	needGPU(t)
	o := torch.Options{Device: torch.CUDA}
	x, w := o.Ones(4, 4), o.Rand(4, 4)
	step := func() *torch.Tensor { return x.MatMul(w).ReLU() }
	s := cuda.NewStream()
	s.WaitStream(cuda.CurrentStream())
	cuda.WithStream(s, func() {
		for range 3 {
			step()
		}
	})
	cuda.CurrentStream().WaitStream(s)
	g := cuda.NewGraph()
	var y *torch.Tensor
	g.Capture(func() { y = step() })
	for i := range 3 {
		x.CopyInPlace(torch.Full(float64(i), 4, 4))
		g.Replay()
		require.Equal(t, torch.Data[float32](step()), torch.Data[float32](y), i)
	}
	g.Reset()
	require.Error(t, torch.Try(func() { cuda.NewGraph().Replay() }))
	require.PanicsWithValue(t, "boom", func() { cuda.NewGraph().Capture(func() { panic("boom") }) })
	require.Error(t, torch.Try(func() { cuda.NewGraph().Capture(func() {}, cuda.CaptureOptions{CaptureErrorMode: "none"}) }))
	require.Equal(t, 16.0, o.Ones(4, 4).Sum().Item())
}

func TestGPUPinnedBatches(t *testing.T) {
	needGPU(t)
	for i := range 20 {
		batch := torch.Full(float64(i), 8, 3, 32, 32).PinMemory()
		require.True(t, batch.IsPinned())
		x := batch.To(torch.CUDA, torch.ToOptions{NonBlocking: true})
		require.Equal(t, float64(i), x.Mean().Item())
		batch.Free()
	}
}
