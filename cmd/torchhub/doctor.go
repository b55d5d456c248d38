package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what was found on this machine, and what to do about each problem",
		Long: `Say what was found on this machine, and what to do about each problem. Nothing is
installed. The exit status is 1 where predict could not work.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			bad := false
			for _, k := range append(libtorch.Diagnose(c.Context()), checks(c.Context())...) {
				mark := "ok"
				if k.Bad {
					mark, bad = "BAD", true
				} else if k.Advice != "" {
					mark = "note"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", mark, k.Name, k.Found)
				if k.Advice != "" {
					fmt.Fprintf(w, "\t\t→ %s\n", k.Advice)
				}
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if bad {
				return errReported
			}
			return nil
		},
	}
}

// checks examines everything that depends on libtorch.
func checks(ctx context.Context) []libtorch.Check {
	var out []libtorch.Check
	if lib, err := libtorch.Find(ctx); err == nil {
		if err := torch.Init(ctx); err != nil {
			out = append(out, libtorch.Check{Name: "loading libtorch", Found: err.Error(), Bad: true, Advice: "run \"torchhub setup\", or set LIBTORCH to another libtorch"})
		} else {
			out = append(out, libtorch.Check{Name: "loading libtorch", Found: fmt.Sprintf("it loads, with %s kernels and %d threads", torch.CPUCapability(), torch.NumThreads())})
			c := libtorch.Check{Name: "CUDA"}
			n, err := torch.CUDACount(ctx)
			switch {
			case err == nil:
				c.Found = fmt.Sprintf("%d device(s)", n)
			case lib.CUDA:
				c.Found = err.Error()
			default:
				c.Found = "not used: libtorch is for the CPU"
			}
			out = append(out, c)
		}
	}
	checkpoints := filepath.Join(hub.Dir(), "checkpoints")
	c := libtorch.Check{Name: "weights", Found: checkpoints}
	if err := writable(checkpoints); err != nil {
		c.Found, c.Bad = err.Error(), true
		c.Advice = "set TORCH_HOME to a folder that can be written"
	}
	return append(out, c)
}

// writable checks the folder, or the one in which it would be created.
func writable(dir string) error {
	for {
		st, err := os.Stat(dir)
		if err == nil && !st.IsDir() {
			return fmt.Errorf("%s is not a folder", dir)
		}
		if err == nil {
			break
		}
		if !os.IsNotExist(err) || filepath.Dir(dir) == dir {
			return err
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.CreateTemp(dir, ".torchhub-*")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}
