// Package frugal lets tests limit the cost of reading a hostile file.
package frugal

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Do fails the test if f uses more than 1 s of CPU time or allocates more than 100 MB in total, garbage included.
func Do(t testing.TB, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := spent(t)
	f()
	took := spent(t) - start
	runtime.ReadMemStats(&after)
	require.Less(t, took, time.Second*slowdown)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20))
}

// spent returns the CPU time that the process has used.
func spent(t testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
