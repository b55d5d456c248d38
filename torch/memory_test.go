package torch_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// loops are programs that run for long, by name: each makes n tensors and calls
// look now and then. With freeing, what they make is freed at once.
var loops = map[string]func(n int, freeing bool, look func()){
	"small": func(n int, freeing bool, look func()) {
		x, y := torch.Ones(4), torch.Ones(4)
		for i := range n {
			z := x.Add(y)
			if freeing {
				z.Free()
			}
			if i%(n/100) == 0 {
				look()
			}
		}
	},
	"small, 64 goroutines": func(n int, freeing bool, look func()) {
		x, y := torch.Ones(4), torch.Ones(4)
		var wg sync.WaitGroup
		for g := range 64 {
			wg.Go(func() {
				for i := range n / 64 {
					z := x.Add(y)
					if freeing {
						z.Free()
					}
					if g == 0 && i%(n/6400) == 0 {
						look()
					}
				}
			})
		}
		wg.Wait()
	},
	"64 MB each": func(n int, freeing bool, look func()) {
		for range n {
			z := torch.Ones(16 << 20)
			if freeing {
				z.Free()
			}
			look()
		}
	},
	"200 goroutines convolving": func(n int, freeing bool, look func()) {
		x, w := torch.Ones(1, 16, 32, 32), torch.Ones(32, 16, 3, 3)
		var wg sync.WaitGroup
		for g := range 200 {
			wg.Go(func() {
				for i := range n / 200 {
					torch.Run(func() {
						z := F.Conv2d(x, w, nil, F.Conv2dOptions{})
						y := z.ReLU()
						if freeing {
							z.Free()
							y.Free()
						}
					})
					if g == 0 && i%max(1, n/20000) == 0 {
						look()
					}
				}
			})
		}
		wg.Wait()
	},
	"the graphs of losses": func(n int, freeing bool, look func()) {
		w := torch.Ones(64, 64).RequireGrad(true)
		x := torch.Ones(64, 64)
		losses := make([]*torch.Tensor, 100) // the last ones are kept, as for a mean that is printed now and then
		for i := range n {
			loss := x.MatMul(w).Sum()
			losses[i%len(losses)] = loss.Detach()
			if freeing {
				loss.Free()
			}
			if i%(n/100) == 0 {
				look()
			}
		}
		runtime.KeepAlive(losses)
	},
}

// TestMemoryFlat runs each loop in a process of its own, with and without
// freeing. Its memory must not grow from the middle to the end, and without
// freeing it must be no more than 1.3 times that with it; in one of three tries, for
// the collector gets less of the machine's time where others want it too.
func TestMemoryFlat(t *testing.T) {
	if name := os.Getenv("TORCHHUB_TEST_LOOP"); name != "" {
		runLoop(name)
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	if testing.Short() {
		t.Skip("takes a minute")
	}
	if raceEnabled {
		t.Skip("the race detector's own memory grows")
	}
	require.NoError(t, torch.Init(t.Context()))
	scale := 1
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		scale = 10
	}
	for _, c := range []struct {
		name string
		n    int
	}{
		{"small", 1_000_000 * scale},
		{"small, 64 goroutines", 1_000_000 * scale},
		{"64 MB each", 100 * scale},
		{"200 goroutines convolving", 20_000 * scale},
		{"the graphs of losses", 20_000 * scale},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := func(freeing bool) (middle, end float64) {
				cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryFlat$")
				cmd.Env = append(os.Environ(), "TORCHHUB_TEST_LOOP="+c.name, "TORCHHUB_TEST_N="+strconv.Itoa(c.n), fmt.Sprint("TORCHHUB_TEST_FREEING=", freeing))
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, string(out))
				line, _, _ := strings.Cut(string(out), "\n")
				var rss []float64 // MB
				require.NoError(t, json.Unmarshal([]byte(line), &rss), string(out))
				require.Greater(t, len(rss), 20)
				high := func(v []float64) float64 { return slices.Max(v) } // between collections it swings
				n := len(rss)
				return high(rss[n/4 : n*5/8]), high(rss[n*5/8:])
			}
			for try := 1; ; try++ {
				freedMiddle, freedEnd := run(true)
				middle, end := run(false)
				t.Logf("freed: %.0f, then %.0f MB; collected: %.0f, then %.0f MB", freedMiddle, freedEnd, middle, end)
				if end < 1.1*middle+8 && freedEnd < 1.1*freedMiddle+8 && end < 1.3*freedEnd {
					return
				}
				require.Less(t, try, 3, "not flat, or more than 1.3 times the freed loop's")
			}
		})
	}
}

func runLoop(name string) {
	n, _ := strconv.Atoi(os.Getenv("TORCHHUB_TEST_N"))
	var rss []float64
	start := time.Now()
	loops[name](n, os.Getenv("TORCHHUB_TEST_FREEING") == "true", func() {
		b, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			panic(err)
		}
		pages, _ := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
		rss = append(rss, pages*float64(os.Getpagesize())/1e6)
	})
	text, _ := json.Marshal(rss)
	fmt.Println(string(text))
	fmt.Println(time.Since(start))
}

// TestOpsAllocateNothing checks that calls of operators need no memory of Go's but for the
// tensors that they make, which share theirs.
func TestOpsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	x, y := torch.Ones(4), torch.Ones(4)
	weight, bias, input := torch.Ones(4, 4), torch.Ones(4), torch.Ones(1, 4)
	for name, f := range map[string]func(){
		"unary":  func() { x.ReLU().Free() },
		"binary": func() { x.Add(y).Free() },
		"boxed":  func() { input.Softmax(1).Free() },
		"linear": func() { F.Linear(input, weight, bias).Free() },
		"place":  func() { x.AddInPlace(y) },
	} {
		require.Less(t, testing.AllocsPerRun(1000, f), 0.5, name)
	}
}

// TestKeptTensorsAreCollected keeps large tensors from scopes, and drops them.
func TestKeptTensorsAreCollected(t *testing.T) {
	settled := func(most int64) func() bool {
		return func() bool { runtime.GC(); return torch.LiveBytes() <= most }
	}
	require.Eventually(t, settled(1<<20), time.Minute, 10*time.Millisecond, "tensors of earlier tests")
	before := torch.LiveBytes()
	for range 8 {
		torch.Scope(func() {
			torch.Scope(func() { torch.Keep(torch.Ones(1 << 18)) }) // then of the outer scope
			var x *torch.Tensor
			torch.Scope(func() { x = torch.Keep(torch.Ones(1 << 18)) })
			torch.Keep(x)
		})
	}
	require.Eventually(t, settled(before+1<<16), time.Minute, 10*time.Millisecond)
}
