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
	"strconv"

	"github.com/torchhub/torchhub/torch"
)

// Main calls run with the arguments of the process, and ends the process with an error's
// sentence. The ctx of run ends at the first Ctrl-C; the second ends the process.
func Main(run func(ctx context.Context, w io.Writer, args []string) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Stdout, os.Args[1:])
	if ctx.Err() != nil && (err == ctx.Err() || err == context.Cause(ctx)) {
		err = errors.New("stopped by Ctrl-C")
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Flags returns the flags of a program, for [Parse]. The description is the first line of -h.
func Flags(name, description string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "\n\n%s\n\n", description)
		flags.PrintDefaults()
	}
	return flags
}

// OptionalInt defines a flag for an int that has no default, as argparse's default=None.
func OptionalInt(flags *flag.FlagSet, p **int, name, usage string) {
	flags.Func(name, usage, func(s string) error {
		n, err := strconv.Atoi(s)
		*p = &n
		return err
	})
}

// AtLeast makes numbers below least an error, for flags that [flag.FlagSet.IntVar] has defined.
func AtLeast(flags *flag.FlagSet, least int, names ...string) {
	for _, name := range names {
		f := flags.Lookup(name)
		f.Value = atLeast{f.Value, least}
	}
}

// atLeast is the value of a flag, which is an int.
type atLeast struct {
	flag.Value
	least int
}

func (v atLeast) Set(s string) error {
	if n, err := strconv.ParseInt(s, 0, strconv.IntSize); err == nil && int(n) < v.least {
		return fmt.Errorf("want %d or more", v.least)
	}
	return v.Value.Set(s)
}

// An Argument is one that is not a flag, and may be left out.
type Argument struct {
	Name string // in the first line of -h
	To   *string
}

// Parse parses flags, and arguments before, between and after them. With -h it writes the
// flags to w and returns [flag.ErrHelp]; the error of a bad flag is one sentence.
func Parse(flags *flag.FlagSet, w io.Writer, args []string, arguments ...Argument) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	for rest := arguments; err == nil && flags.NArg() > 0; rest = rest[1:] {
		if len(rest) == 0 {
			err = fmt.Errorf("the argument %q is not a flag", flags.Arg(0))
			break
		}
		*rest[0].To = flags.Arg(0)
		err = flags.Parse(flags.Args()[1:])
	}
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(w, "usage: %s [flags]", flags.Name())
		for _, a := range arguments {
			fmt.Fprintf(w, " [%s]", a.Name)
		}
		flags.SetOutput(w)
		flags.VisitAll(func(f *flag.Flag) {
			if v, ok := f.Value.(atLeast); ok {
				f.Value = v.Value // which is listed as an int
			}
		})
		flags.Usage()
		return err
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
