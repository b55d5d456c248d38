package train

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// ErrInterrupted is the cause of a context that a signal has ended, see [WithInterrupt].
var ErrInterrupted = errors.New("interrupted")

// WithInterrupt returns a context that Ctrl-C (SIGINT) or SIGTERM ends, with the cause [ErrInterrupted]. After the first
// of them, or after stop, signals have their usual effect again: a second Ctrl-C ends the program.
func WithInterrupt(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer signal.Stop(signals)
		select {
		case <-signals:
			cancel(ErrInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}
