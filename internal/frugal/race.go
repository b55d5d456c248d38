//go:build race

package frugal

const slowdown = 20 // by the race detector

// Race reports whether the race detector is on. Tests of a single goroutine that take long with it skip then.
const Race = true
