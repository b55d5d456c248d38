// Package flat checks that the memory of the process does not grow with the steps of a loop.
package flat

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Warm takes the first steps of a loop that is checked for so many steps. In them memory
// grows: threads that Go started before the first use of libtorch have arenas of malloc's,
// each of which grows until it holds what is made between two collections. So the steps are
// taken on threads that use all of them. Warm skips the test where there is no /proc.
func Warm(t *testing.T, steps int, step func()) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	for range 8 {
		done := make(chan bool)
		go func() {
			defer close(done)
			runtime.LockOSThread() // and never unlocked, so that the next one gets another thread
			for range min(steps/5, 4_000) {
				step()
			}
		}()
		<-done
	}
}

// Check takes so many steps, and requires that the memory grows by less than 32 MB.
func Check(t *testing.T, steps int, step func()) {
	t.Helper()
	before, most := resident(t), 0
	for i := range steps {
		step()
		if i%500 == 0 {
			most = max(most, resident(t))
		}
	}
	t.Logf("%d MB, at most %d MB in %d steps", before, most, steps)
	require.Less(t, most, before+32)
}

// resident returns the megabytes of memory that the process uses.
func resident(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	require.NoError(t, err)
	return pages * os.Getpagesize() >> 20
}
