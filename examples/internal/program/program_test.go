package program_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/torch"
)

// TestMain is a program that waits for Ctrl-C, where TestInterrupt has started it.
func TestMain(m *testing.M) {
	if os.Getenv("PROGRAM_TEST_WAITS") != "" {
		program.Main(func(ctx context.Context, w io.Writer, args []string) error {
			fmt.Fprintln(w, "waits")
			<-ctx.Done()
			switch args[0] {
			case "err":
				return ctx.Err()
			case "cause":
				return context.Cause(ctx)
			case "own":
				return fmt.Errorf("saved: %w", ctx.Err())
			}
			for {
				fmt.Fprintln(w, "goes on")
				time.Sleep(10 * time.Millisecond)
			}
		})
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestInterrupt checks that a program ends at Ctrl-C with a sentence, and at the second one if it does not.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no signals for processes")
	}
	for arg, want := range map[string]string{"err": "stopped by Ctrl-C\n", "cause": "stopped by Ctrl-C\n", "own": "saved: context canceled\n", "go on": ""} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], arg)
		cmd.Env = append(os.Environ(), "PROGRAM_TEST_WAITS=1")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		for lines := bufio.NewScanner(out); lines.Scan(); {
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		}
		require.Error(t, cmd.Wait())
		require.Equal(t, want, stderr.String())
	}
}

func TestParse(t *testing.T) {
	for arg, want := range map[string]string{
		"-n=3": "",
		"-m":   "count: flag provided but not defined: -m; -h lists the flags",
		"x":    `count: the argument "x" is not a flag; -h lists the flags`,
		"-n=x": `count: invalid value "x" for flag -n: parse error; -h lists the flags`,
		"-n=0": `count: invalid value "0" for flag -n: want 1 or more; -h lists the flags`,
	} {
		flags := program.Flags("count", "Counts.")
		n := flags.Int("n", 1, "how far")
		program.AtLeast(flags, 1, "n")
		var out strings.Builder
		err := program.Parse(flags, &out, []string{arg})
		if want == "" {
			require.NoError(t, err)
			require.Equal(t, 3, *n)
		} else {
			require.EqualError(t, err, want)
		}
		require.Empty(t, out.String())
		require.ErrorIs(t, program.Parse(flags, &out, []string{"--h"}), flag.ErrHelp)
		require.Equal(t, "usage: count [flags]\n\nCounts.\n\n  -n int\n    \thow far (default 1)\n", out.String())
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"a", "b", "-n=3", "-m", "4"}, {"-n", "3", "a", "-m=4", "b"}} {
		flags := program.Flags("count", "Counts.")
		n := flags.Int("n", 1, "how far")
		var m *int
		program.OptionalInt(flags, &m, "m", "how `often`")
		first, second, third := "", "", "x"
		arguments := []program.Argument{{"FIRST", &first}, {"SECOND", &second}, {"THIRD", &third}}
		require.NoError(t, program.Parse(flags, nil, args, arguments...))
		require.Equal(t, []any{3, 4, "a", "b", "x"}, []any{*n, *m, first, second, third})
		require.EqualError(t, program.Parse(flags, nil, []string{"a", "b"}, arguments[0]), `count: the argument "b" is not a flag; -h lists the flags`)
		require.ErrorContains(t, program.Parse(flags, nil, []string{"-m=x"}), `invalid value "x" for flag -m`)
		var out strings.Builder
		require.ErrorIs(t, program.Parse(flags, &out, []string{"-h"}, arguments[:2]...), flag.ErrHelp)
		require.Equal(t, "usage: count [flags] [FIRST] [SECOND]\n\nCounts.\n\n  -m often\n    \thow often\n  -n int\n    \thow far (default 1)\n", out.String())
	}
}

func TestRun(t *testing.T) {
	failed := errors.New("failed")
	require.ErrorIs(t, program.Run(t.Context(), func() error { return failed }), failed)
	err := program.Run(t.Context(), func() error { torch.Ones(2).Add(torch.Ones(3)); return nil })
	var bad *torch.Error
	require.ErrorAs(t, err, &bad)
	require.NotContains(t, err.Error(), "\n")
}
