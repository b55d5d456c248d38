package pillow

import (
	"runtime"
	"sync"
)

// Parallel calls f for parts of 0 to n, on as many processors as the work, n
// times cost multiplications or so, is worth starting.
func Parallel(n, cost int, f func(lo, hi int)) {
	const grain = 1 << 17 // about a tenth of a millisecond
	parts := min(n, runtime.GOMAXPROCS(0), 1+n*cost/grain)
	var wg sync.WaitGroup
	for i := 1; i < parts; i++ {
		wg.Go(func() { f(n*i/parts, n*(i+1)/parts) })
	}
	if parts > 0 {
		f(0, n/parts)
	}
	wg.Wait()
}
