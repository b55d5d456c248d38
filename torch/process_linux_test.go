package torch_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// arenas counts the arenas that malloc has besides the main one: mappings of
// 64 MiB of which the first part can be used.
func arenas(t *testing.T) int {
	f, err := os.Open("/proc/self/maps")
	require.NoError(t, err)
	defer f.Close()
	const size = 64 << 20
	n := 0
	var usable [2]uint64 // the mapping before, if it can be used and begins as an arena does
	for s := bufio.NewScanner(f); s.Scan(); {
		var start, end uint64
		var mode string
		_, err := fmt.Sscanf(s.Text(), "%x-%x %s", &start, &end, &mode)
		require.NoError(t, err)
		if mode == "---p" && usable[1] == start && end-usable[0] == size {
			n++
		}
		usable = [2]uint64{}
		if mode == "rw-p" && start%size == 0 && start>>40 >= 0x7e { // Go's heap is lower
			usable = [2]uint64{start, end}
		}
	}
	return n
}

// onThreads calls f on n OS threads at the same time, and keeps them until all are done.
func onThreads(n int, f func()) {
	var wg, all sync.WaitGroup
	all.Add(n)
	for range n {
		wg.Go(func() {
			runtime.LockOSThread()
			f()
			all.Done()
			all.Wait()
		})
	}
	wg.Wait()
}

// initResult is what a process of TestMallocArenas saw.
type initResult struct {
	Linked, Used int // arenas made before the first use of libtorch, and after it
	Late         string
}

// TestMallocArenas counts the arenas of malloc in processes of their own: they
// are limited at the first use of libtorch, and neither before nor where the
// program or its environment says otherwise.
func TestMallocArenas(t *testing.T) {
	const late = "libtorch: the number of malloc's arenas is limited already, since libtorch was used before; ask to keep it before the first use"
	for _, c := range []struct {
		name, keep, env string
		limited         bool
		late            string
	}{
		{name: "kept", keep: "1"},
		{name: "default", limited: true, late: late},
		{name: "environment", env: "64", late: late},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestInitProcess$")
		cmd.Env = append(os.Environ(), "TORCHHUB_TEST_INIT=arenas", "TORCHHUB_TEST_KEEP="+c.keep)
		if c.env != "" {
			cmd.Env = append(cmd.Env, "MALLOC_ARENA_MAX="+c.env)
		}
		out, err := cmd.Output()
		require.NoError(t, err, string(out))
		var r initResult
		require.NoError(t, json.Unmarshal(out, &r), string(out))
		if c.keep != "" && r.Used == 0 {
			t.Skip("this malloc makes no arenas")
		}
		require.NotZero(t, r.Linked, c.name)
		if c.limited {
			require.Zero(t, r.Used, c.name)
		} else {
			require.NotZero(t, r.Used, c.name)
		}
		require.Equal(t, c.late, r.Late, c.name)
	}
}

// TestNoCollections drops tensors in processes of their own: their memory grows where the program collects by itself.
func TestNoCollections(t *testing.T) {
	live := map[string]float64{}
	for _, keep := range []string{"", "1"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestInitProcess$")
		cmd.Env = append(os.Environ(), "TORCHHUB_TEST_INIT=collections", "TORCHHUB_TEST_KEEP="+keep)
		out, err := cmd.Output()
		require.NoError(t, err, string(out))
		var mb float64
		require.NoError(t, json.Unmarshal(out, &mb), string(out))
		live[keep] = mb
	}
	require.Less(t, live[""], 60.0)
	require.InDelta(t, 200, live["1"], 30)
}

// BenchmarkMallocArenas convolves on eight threads in processes of their own, and
// gives their peak memory: with the limit of arenas, with the limit set after
// the threads began, and without it.
func BenchmarkMallocArenas(b *testing.B) {
	inProcesses(b, "convolutions", map[string][]string{"limited": nil, "late": {"TORCHHUB_TEST_LATE=1"}, "kept": {"TORCHHUB_TEST_KEEP=1"}})
}

// BenchmarkGoroutines convolves in 200 goroutines in processes of their own, and
// gives their threads and peak memory: through Run, and without it.
func BenchmarkGoroutines(b *testing.B) {
	inProcesses(b, "goroutines", map[string][]string{"Run": nil, "free": {"TORCHHUB_TEST_LATE=1"}})
}

// inProcesses has TestInitProcess do what, with each environment, and reports what it prints.
func inProcesses(b *testing.B, what string, environments map[string][]string) {
	for name, env := range environments {
		b.Run(name, func(b *testing.B) {
			var r map[string]float64
			for b.Loop() {
				cmd := exec.Command(os.Args[0], "-test.run=^TestInitProcess$")
				cmd.Env = append(append(os.Environ(), "TORCHHUB_TEST_INIT="+what), env...)
				out, err := cmd.Output()
				require.NoError(b, err, string(out))
				require.NoError(b, json.Unmarshal(out, &r), string(out))
			}
			for unit, v := range r {
				b.ReportMetric(v, unit)
			}
		})
	}
}

// BenchmarkLargeTensor makes and frees a tensor of 64 MiB.
func BenchmarkLargeTensor(b *testing.B) {
	for b.Loop() {
		torch.Ones(16 << 20).Free()
	}
}

// status returns a number from /proc/self/status; sizes are in kB.
func status(t *testing.T, name string) (n int) {
	text, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			_, err := fmt.Sscanf(value, "%d", &n)
			require.NoError(t, err)
		}
	}
	return n
}

// TestInitProcess is what the other processes run.
func TestInitProcess(t *testing.T) {
	keep, late := os.Getenv("TORCHHUB_TEST_KEEP") != "", os.Getenv("TORCHHUB_TEST_LATE") != ""
	var result any
	switch os.Getenv("TORCHHUB_TEST_INIT") {
	case "arenas":
		onThreads(4, func() {})
		var r initResult
		r.Linked = arenas(t)
		require.NoError(t, torch.Init(t.Context(), torch.InitOptions{KeepMallocArenas: keep}))
		onThreads(12, func() { torch.Ones(3) })
		r.Used = arenas(t) - r.Linked
		if err := torch.Init(t.Context(), torch.InitOptions{KeepMallocArenas: true}); err != nil {
			r.Late = err.Error()
		}
		result = r
	case "collections":
		require.NoError(t, torch.Init(t.Context(), torch.InitOptions{NoCollections: keep}))
		for range 200 {
			torch.Ones(250_000) // 1 MB
		}
		result = float64(torch.LiveBytes()) / 1e6
	case "convolutions": // on 8 threads, after as many have begun before the first use where late is
		threads := 8
		if late {
			onThreads(threads, func() {})
		}
		require.NoError(t, torch.Init(t.Context(), torch.InitOptions{KeepMallocArenas: keep}))
		onThreads(threads, func() {
			torch.SetNumThreads(1)
			for i := range 20 {
				for c := 16; c <= 256; c *= 2 {
					x, w := torch.Ones(1, c, 2048/c+i, 2048/c), torch.Ones(c, c, 3, 3)
					y := F.Conv2d(x, w, nil)
					x.Free()
					w.Free()
					y.Free()
				}
			}
		})
		result = map[string]int{"MB": status(t, "VmHWM") / 1000}
	case "goroutines":
		x, w := torch.Ones(1, 64, 56, 56), torch.Ones(64, 64, 3, 3)
		run := torch.Run
		if late {
			run = func(f func()) { f() }
		}
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				for range 20 {
					run(func() { F.Conv2d(x, w, nil).Free() })
				}
			})
		}
		wg.Wait()
		result = map[string]int{"MB": status(t, "VmHWM") / 1000, "threads": status(t, "Threads")}
	default:
		t.Skip("other tests and benchmarks run it")
	}
	text, err := json.Marshal(result)
	require.NoError(t, err)
	fmt.Println(string(text))
	os.Exit(0)
}

// TestCacheForgets frees the memory of one program, such as a model that was closed, and requires that the
// tensors of another one, of other sizes, then use each other's memory.
func TestCacheForgets(t *testing.T) {
	var old []*torch.Tensor
	for range 60 {
		old = append(old, torch.Zeros(5<<20/4))
	}
	for _, x := range old {
		x.Free()
	}
	next := func(n int) (faults int64) {
		var before, after unix.Rusage
		require.NoError(t, unix.Getrusage(unix.RUSAGE_THREAD, &before))
		for range n {
			torch.Zeros(1 << 20 / 4).Free() // 256 pages
		}
		require.NoError(t, unix.Getrusage(unix.RUSAGE_THREAD, &after))
		return after.Minflt - before.Minflt
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer torch.EmptyCache()
	next(3000)
	require.Less(t, next(200), int64(200*256/10))
}
