package torch_test

import (
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

// around are the functions that call a closure with other modes.
var around = map[string]func(func()){
	"Run":           torch.Run,
	"NoGrad":        torch.NoGrad,
	"InferenceMode": torch.InferenceMode,
	"Scope":         torch.Scope,
	"WithDevice":    func(f func()) { torch.WithDevice(torch.CPU, f) },
	"two":           func(f func()) { torch.Scope(func() { torch.NoGrad(f) }) },
}

// TestRunThreads has 200 goroutines in NoGrad and the like and in Run at once,
// whichever is inside: none of them may keep an OS thread of its own.
func TestRunThreads(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts threads as Linux shows them")
	}
	threads := func() int {
		tasks, err := os.ReadDir("/proc/self/task")
		require.NoError(t, err)
		return len(tasks)
	}
	x := torch.Ones(8, 8)
	inGoroutines := func(f func()) {
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				for range 3 {
					f()
				}
			})
		}
		wg.Wait()
	}
	inGoroutines(func() { torch.Run(func() { x.MatMul(x).Free() }) })
	for name, mode := range around {
		before := threads()
		inGoroutines(func() { mode(func() { torch.Run(func() { x.MatMul(x).Free(); runtime.Gosched() }) }) })
		inGoroutines(func() { torch.Run(func() { mode(func() { x.MatMul(x).Free(); runtime.Gosched() }) }) })
		require.LessOrEqual(t, threads(), before+25, name)
	}
}

// TestRunModes checks that modes hold in Run, and around it afterwards.
func TestRunModes(t *testing.T) {
	w := torch.Ones(2).RequireGrad(true)
	recorded := func() bool { return w.MulScalar(2).RequiresGrad() }
	for range 20 { // the goroutine may wake up on another thread
		torch.NoGrad(func() {
			torch.Run(func() { require.False(t, recorded()) })
			require.False(t, recorded())
			require.False(t, torch.IsGradEnabled())
			torch.EnableGrad(func() {
				torch.Run(func() {
					require.True(t, recorded())
					torch.NoGrad(func() { torch.Run(func() { require.False(t, recorded()) }) })
				})
				require.True(t, recorded())
			})
			require.False(t, recorded())
		})
		require.True(t, recorded())
		torch.InferenceMode(func() {
			var y *torch.Tensor
			torch.Run(func() { y = w.MulScalar(2) })
			require.True(t, y.IsInference())
			require.True(t, w.MulScalar(2).IsInference())
			torch.EnableGrad(func() { require.False(t, recorded()) })
		})
		require.False(t, w.MulScalar(2).IsInference())
		require.True(t, recorded())
		torch.WithDevice(torch.Meta, func() {
			torch.Run(func() { require.Equal(t, torch.Meta, torch.Zeros(2).Device()) })
			require.Equal(t, torch.Meta, torch.Zeros(2).Device())
		})
		require.Equal(t, torch.CPU, torch.Zeros(2).Device())
		var inside, outside *torch.Tensor
		torch.Scope(func() {
			torch.Run(func() { inside = torch.Ones(3) })
			outside = torch.Ones(3)
		})
		require.ErrorIs(t, torch.Try(func() { inside.Shape() }), torch.ErrFreed)
		require.ErrorIs(t, torch.Try(func() { outside.Shape() }), torch.ErrFreed)
		require.Panics(t, func() { torch.NoGrad(func() { torch.Run(func() { panic("passes") }) }) })
		require.True(t, torch.IsGradEnabled())
	}
}
