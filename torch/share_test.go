package torch_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

func ExampleFromBuffer() {
	data := []float32{1, 2, 3, 4}
	x := torch.FromBuffer(data, 2, 2)
	data[3] = 40
	x.MulScalarInPlace(2)
	fmt.Println(x, data)
	x.Free()
	// Output:
	// tensor([[ 2.,  4.],
	//         [ 6., 80.]]) [2 4 6 80]
}

func ExampleWithData() {
	x := torch.Zeros(2, 2)
	torch.WithData(x, func(data []float32) {
		for i := range data {
			data[i] = float32(i)
		}
	})
	fmt.Println(x)
	// Output:
	// tensor([[0., 1.],
	//         [2., 3.]])
}

func TestSharedMemory(t *testing.T) {
	// The release comes once, after the last view.
	memory := make([]int16, 6)
	var pin runtime.Pinner
	pin.Pin(&memory[0])
	released := make(chan bool, 2)
	x := torch.FromBlob(unsafe.Pointer(&memory[0]), torch.Int16, []int{2, 3}, func() { pin.Unpin(); released <- true })
	view := x.Select(0, 1)
	memory[4] = 7
	x.Free()
	require.Equal(t, []int16{0, 7, 0}, torch.Data[int16](view))
	select {
	case <-released:
		t.Fatal("released under a view")
	case <-time.After(50 * time.Millisecond):
	}
	view.Free()
	select {
	case <-released:
	case <-time.After(10 * time.Second):
		t.Fatal("not released")
	}

	// So does the collector's.
	big := make([]byte, 1<<20)
	collected := make(chan bool)
	runtime.AddCleanup(&big[0], func(int) { close(collected) }, 0)
	y := torch.FromBuffer(big)
	require.EqualValues(t, 1<<20, y.Numel())
	big, y = nil, nil
	for deadline := time.Now().Add(20 * time.Second); ; {
		runtime.GC()
		select {
		case <-collected:
			return
		case <-time.After(20 * time.Millisecond):
		}
		require.True(t, time.Now().Before(deadline), "never collected")
	}
}

func TestSharedMemoryMistakes(t *testing.T) {
	for name, f := range map[string]func(){
		"shape":      func() { torch.FromBuffer([]float32{1, 2}, 3) },
		"nil":        func() { torch.FromBlob(nil, torch.Float32, []int{1}, nil) },
		"dtype":      func() { torch.WithData(torch.Zeros(2), func([]float64) {}) },
		"contiguous": func() { torch.WithData(torch.Zeros(2, 3).T(), func([]float32) {}) },
		"freed":      func() { x := torch.Zeros(2); x.Free(); torch.WithData(x, func([]float32) {}) },
		"nil tensor": func() { torch.WithData(nil, func([]float32) {}) },
	} {
		require.Error(t, torch.Try(f), name)
	}
	require.Zero(t, torch.FromBuffer([]int64{}).Numel())
}
