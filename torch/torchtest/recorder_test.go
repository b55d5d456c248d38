package torchtest_test

import (
	"fmt"
	"runtime"
	"testing"
)

// A recorder is a test that notes what is reported to it.
type recorder struct {
	testing.TB // the test that it runs in
	errors     []string
	logs       []string
	skipped    bool
	helper     bool
}

func (r *recorder) Helper()           { r.helper = true }
func (r *recorder) Log(args ...any)   { r.logs = append(r.logs, fmt.Sprint(args...)) }
func (r *recorder) Error(args ...any) { r.errors = append(r.errors, fmt.Sprint(args...)) }

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func (r *recorder) Skip(args ...any) {
	r.Log(args...)
	r.skipped = true
	runtime.Goexit()
}

// record runs a test that may end itself.
func record(t *testing.T, test func(t testing.TB)) *recorder {
	r := &recorder{TB: t}
	done := make(chan bool)
	go func() {
		defer close(done)
		test(r)
	}()
	<-done
	return r
}
