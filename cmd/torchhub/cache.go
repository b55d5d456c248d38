package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/suggest"
)

func cacheCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "cache",
		Short: "List, verify and remove what has been downloaded",
		Long: `List, verify and remove what has been downloaded: weights and repositories in
torch.hub's folder, and repositories of the Hugging Face Hub. Both are shared
with Python.`,
		Args: subcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(cacheListCommand(), cacheVerifyCommand(), cacheRemoveCommand())
	return c
}

func cacheListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "ls [NAME...]",
		Aliases: []string{"list"},
		Short:   "List what is in the cache, the largest first; a NAME may hold * and ?",
	}
	asJSON := c.Flags().Bool("json", false, "print JSON lines")
	c.RunE = func(c *cobra.Command, args []string) error {
		entries, err := chosen(args)
		if err != nil {
			return err
		}
		if *asJSON {
			enc := json.NewEncoder(c.OutOrStdout())
			for _, e := range entries {
				if err := enc.Encode(struct {
					Kind     hub.CacheKind `json:"kind"`
					Name     string        `json:"name"`
					Path     string        `json:"path"`
					Size     int64         `json:"size"`
					Modified time.Time     `json:"modified"`
				}{e.Kind, e.Name, e.Path, e.Size, e.Modified}); err != nil {
					return err
				}
			}
			return nil
		}
		if len(entries) == 0 {
			fmt.Fprintf(c.ErrOrStderr(), "the cache is empty; weights are kept in %s\n", filepath.Join(hub.Dir(), "checkpoints"))
			return nil
		}
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "SIZE\tMODIFIED\tKIND\tNAME")
		total := int64(0)
		for _, e := range entries {
			total += e.Size
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", inMiB(e.Size), e.Modified.Format(time.DateOnly), e.Kind, e.Name)
		}
		fmt.Fprintf(w, "%s\t\t\tin %d\n", inMiB(total), len(entries))
		return w.Flush()
	}
	return c
}

func inMiB(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// chosen returns the entries that a pattern matches, or all without a pattern. A pattern that matches nothing is
// an error.
func chosen(patterns []string) ([]hub.CacheEntry, error) {
	entries, err := hub.Cache()
	if err != nil || len(patterns) == 0 {
		return entries, err
	}
	var out []hub.CacheEntry
	used := make([]bool, len(patterns))
	for _, e := range entries {
		hit := false
		for i, p := range patterns {
			ok, err := path.Match(p, e.Name)
			if err != nil {
				return nil, usageError{fmt.Errorf("%q is not a pattern: %w", p, err)}
			}
			if ok || p == e.Path || e.Kind == hub.CacheHF && matchHF(p) {
				hit, used[i] = true, true
			}
		}
		if hit {
			out = append(out, e)
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		var names []string
		for _, e := range entries {
			names = append(names, e.Name)
		}
		text := fmt.Sprintf("nothing in the cache is called %q", patterns[i])
		if near := suggest.Near(patterns[i], names, 3); len(near) > 0 {
			return nil, fmt.Errorf("%s; %s", text, suggest.Mean(near))
		}
		return nil, fmt.Errorf("%s; \"torchhub cache ls\" shows what there is", text)
	}
	return out, nil
}

// matchHF lets a * match a whole OWNER/NAME, with its slash.
func matchHF(pattern string) bool { return pattern == "*" || pattern == "hf:*" }

func cacheVerifyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify [NAME...]",
		Short: "Read files again and compare them with their hashes or checksums",
		Long: `Read files again and compare them with the hash in their name, with what the
Hugging Face Hub said, or with the checksums in them. The exit status is 1 where
one is damaged; "unknown" are those for which there is nothing to compare with.`,
		RunE: func(c *cobra.Command, args []string) error {
			entries, err := chosen(args)
			if err != nil {
				return err
			}
			bad := false
			for _, e := range entries {
				err := e.Verify(c.Context())
				switch {
				case c.Context().Err() != nil:
					return c.Context().Err()
				case err == nil:
					fmt.Fprintf(c.OutOrStdout(), "ok\t%s\n", e.Name)
				case errors.Is(err, hub.ErrUnverifiable):
					fmt.Fprintf(c.OutOrStdout(), "unknown\t%s\n", e.Name)
				default:
					fmt.Fprintf(c.OutOrStdout(), "BAD\t%s\n", e.Name)
					report(c.ErrOrStderr(), err)
					bad = true
				}
			}
			if bad {
				return errReported
			}
			return nil
		},
	}
	return c
}

func cacheRemoveCommand() *cobra.Command {
	var all, partial, dryRun bool
	var older time.Duration
	c := &cobra.Command{
		Use:     "rm [NAME...]",
		Aliases: []string{"remove", "prune"},
		Short:   "Remove files and repositories; a NAME may hold * and ?",
		Long: `Remove files and repositories from the cache. What is being downloaded stays.
Name them as "torchhub cache ls" does, or choose with --partial, --older or
--all; with both, those named that are also chosen.`,
	}
	c.Flags().BoolVar(&all, "all", false, "remove everything")
	c.Flags().BoolVar(&partial, "partial", false, "remove downloads that were broken off")
	c.Flags().DurationVar(&older, "older", 0, "remove what was last written longer ago, such as 720h")
	c.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "say what would be removed, and remove nothing")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 && !all && !partial && older <= 0 {
			return usageError{errors.New("name what to remove, or choose with --partial, --older or --all; \"torchhub cache ls\" shows what is there")}
		}
		entries, err := chosen(args)
		if err != nil {
			return err
		}
		bad := false
		freed := int64(0)
		for _, e := range entries {
			if partial && e.Kind != hub.CachePartial || older > 0 && time.Since(e.Modified) < older {
				continue
			}
			if !dryRun {
				if err := e.Remove(); err != nil {
					report(c.ErrOrStderr(), err)
					bad = true
					continue
				}
			}
			freed += e.Size
			fmt.Fprintln(c.OutOrStdout(), e.Name)
		}
		word := "freed"
		if dryRun {
			word = "would free"
		}
		fmt.Fprintf(c.ErrOrStderr(), "%s %s\n", word, inMiB(freed))
		if bad {
			return errReported
		}
		return nil
	}
	return c
}
