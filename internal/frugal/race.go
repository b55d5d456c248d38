//go:build race

package frugal

const slowdown = 20 // by the race detector
