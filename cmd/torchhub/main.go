// Torchhub classifies and segments pictures with models of PyTorch, and looks after what
// that needs.
//
//	torchhub predict                                 a built-in picture with a small built-in model
//	torchhub predict -m resnext101_32x8d_wsl dog.jpg
//	torchhub eval -m MODEL DIR                       its accuracy on a data set
//	torchhub bench -m MODEL                          its speed, beside PyTorch and ONNX Runtime
//	torchhub list                                    the models that can be asked for
//	torchhub show MODEL                              what is known of one
//	torchhub download MODEL...                       fetches the files of models now
//	torchhub cache ls|verify|rm                      what has been downloaded
//	torchhub export OWNER/REPO MODEL                 makes a model for Go of a hubconf.py, with your Python
//	torchhub pack NAME FILE...                       writes a hubconf.json, by which a repository publishes to Go
//	torchhub validate DIR                            checks one
//	torchhub doctor                                  what was found on this machine, and what to do about it
//	torchhub setup                                   installs libtorch now
//	torchhub bundle DIR                              copies what a container needs
//
// Results go to stdout, everything else to stderr. The exit status is 0, 1 for
// an error, which is one line, and 2 for a mistake in the arguments.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/internal/terminal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	done := make(chan int, 1)
	go func() { done <- run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr) }()
	select {
	case status := <-done:
		os.Exit(status)
	case <-ctx.Done():
	}
	select {
	case status := <-done:
		os.Exit(status)
	case <-time.After(grace): // it is blocked in a call that cannot be interrupted, such as a read from stdin
		report(os.Stderr, errInterrupted)
		os.Exit(1)
	}
}

// grace is the time that a command has to clean up after an interrupt.
const grace = 2 * time.Second

var errInterrupted = errors.New("interrupted")

// errReported means that the error has been written already.
var errReported = errors.New("reported")

// usageError is a mistake in the arguments.
type usageError struct{ error }

// run is the command, with its inputs and outputs as parameters for tests.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	stdout, stderr = terminal.NewWriter(stdout), terminal.NewWriter(stderr)
	defer func() {
		if p := recover(); p != nil { // a bug of torchhub; users get a line and not a stack
			report(stderr, fmt.Errorf("internal error: %v; please report it with the arguments given", p))
			status = 1
		}
	}()
	root := &cobra.Command{
		Use:           "torchhub",
		Short:         "Classify and segment pictures with models of PyTorch",
		Args:          subcommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(predictCommand(), evalCommand(), benchCommand(), listCommand(), showCommand(), downloadCommand(), cacheCommand(), packCommand(), validateCommand(), exportCommand(), doctorCommand(), setupCommand(), bundleCommand(), versionCommand())
	all := append(root.Commands(), root)
	for _, c := range root.Commands() {
		all = append(all, c.Commands()...)
	}
	for _, c := range all {
		if check := c.Args; check != nil {
			c.Args = func(c *cobra.Command, args []string) error {
				err := check(c, args)
				if err == nil || errors.As(err, new(usageError)) {
					return err
				}
				if !c.HasSubCommands() { // Cobra counts them
					err = fmt.Errorf("the arguments do not fit %q", c.UseLine())
				}
				return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
			}
		}
	}

	err := oneDash(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return 1
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		report(stderr, errInterrupted)
		return 1
	}
	report(stderr, err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

// report writes an error as one line.
func report(w io.Writer, err error) {
	var parts []string
	for l := range strings.Lines(words(err)) {
		if l = strings.TrimSpace(l); l != "" {
			parts = append(parts, l)
		}
	}
	fmt.Fprintf(w, "torchhub: %s\n", strings.Join(parts, " "))
}
