// Package program is what the examples have in common around their training: the end
// at Ctrl-C, flags as Python's argparse has them, and the threads of libtorch.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/torchhub/torchhub/torch"
)

// Main calls run with the arguments of the process, and ends the process with an error's
// sentence. The ctx of run ends at Ctrl-C.
func Main(run func(ctx context.Context, w io.Writer, args []string) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Flags returns the flags of a program, for [Parse]. The description is the first line of -h.
func Flags(name, description string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: %s [flags]\n\n%s\n\n", name, description)
		flags.PrintDefaults()
	}
	return flags
}

// Parse parses flags, and nothing else. With -h it writes the flags to w and returns
// [flag.ErrHelp]; the error of a bad flag is one sentence.
func Parse(flags *flag.FlagSet, w io.Writer, args []string) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(w)
		flags.Usage()
		return err
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("the argument %q is not a flag", flags.Arg(0))
	}
	if err != nil {
		return fmt.Errorf("%s: %w; -h lists the flags", flags.Name(), err)
	}
	return nil
}

// Run calls f on a thread of libtorch's, by [torch.Run], and returns its error, or the
// error of an operator that it called wrongly.
func Run(ctx context.Context, f func() error) error {
	if err := torch.Init(ctx); err != nil {
		return err
	}
	var err error
	bad := torch.Try(func() { torch.Run(func() { err = f() }) })
	if bad != nil {
		return bad
	}
	return err
}
