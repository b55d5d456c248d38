package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/suggest"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/torch"
)

// repoFlags are the flags about a repository.
type repoFlags struct {
	source                             string
	trust, native, reload, unvalidated bool
}

// add adds the flags; the one about native code only for commands that run
// models.
func (f *repoFlags) add(c *cobra.Command, runs bool) {
	c.Flags().StringVar(&f.source, "source", "", "github for OWNER/NAME[:REF], local for a folder (default: what this program knows by that name, or else what it looks like)")
	trusted := "the repository"
	if runs {
		trusted = "the repository, or the TorchScript archive at the URL given with --weights"
	}
	c.Flags().BoolVar(&f.trust, "trust", false, "trust "+trusted+", and remember that")
	c.Flags().BoolVar(&f.reload, "force-reload", false, "fetch the repository anew")
	c.Flags().BoolVar(&f.unvalidated, "skip-validation", false, "do not ask GitHub whether the ref belongs to the repository itself")
	if runs {
		c.Flags().BoolVar(&f.native, "native-code", false, "trust the native code of an AOTInductor package, and remember that")
	}
}

// options returns the options for a repository.
func (f *repoFlags) options(notice io.Writer, repo string) []hub.Option {
	opts := []hub.Option{hub.WithNotice(notice)}
	if f.source == "" && isFolder(repo) {
		opts = append(opts, hub.WithSource("local"))
	}
	if f.source != "" {
		opts = append(opts, hub.WithSource(f.source))
	}
	if f.trust {
		opts = append(opts, hub.WithTrust(hub.TrustAlways))
	}
	if f.native {
		opts = append(opts, hub.WithNativeCode(hub.TrustAlways))
	}
	if f.reload {
		opts = append(opts, hub.WithForceReload())
	}
	if f.unvalidated {
		opts = append(opts, hub.WithSkipValidation())
	}
	return opts
}

// listRepo prints the models of a repository.
func listRepo(c *cobra.Command, f *repoFlags, repo string) error {
	names, err := hub.List(c.Context(), repo, f.options(c.ErrOrStderr(), repo)...)
	if err != nil {
		return err
	}
	slices.SortFunc(names, suggest.Natural)
	for _, n := range names {
		fmt.Fprintln(c.OutOrStdout(), n)
	}
	return nil
}

// showRepo prints a repository's description of a model.
func showRepo(c *cobra.Command, f *repoFlags, repo, model string) error {
	text, err := hub.Help(c.Context(), repo, model, f.options(c.ErrOrStderr(), repo)...)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), strings.TrimRight(text, "\n"))
	return nil
}

// showModels prints the models of a repository, with the first line of each description.
func showModels(c *cobra.Command, f *repoFlags, repo string) error {
	opts := f.options(c.ErrOrStderr(), repo)
	names, err := hub.List(c.Context(), repo, opts...)
	if err != nil {
		return err
	}
	slices.SortFunc(names, suggest.Natural)
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, n := range names {
		text, err := hub.Help(c.Context(), repo, n, append(opts, hub.WithNotice(nil))...)
		if err != nil {
			return err
		}
		line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
		fmt.Fprintf(w, "%s\t%s\n", terminal.Escape(n), terminal.Escape(line))
	}
	return w.Flush()
}

// showFile prints the contents of a file of weights.
func showFile(c *cobra.Command, file string) error {
	k, err := filekind.OfFile(file)
	if err != nil {
		return err
	}
	if k.Class == filekind.Unknown {
		return &aboutError{file, errors.New("nothing is known about what it is")}
	}
	fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", terminal.Escape(file), strings.TrimPrefix(strings.TrimPrefix(k.Name, "an "), "a "))
	if k.Class != filekind.Checkpoint && k.Class != filekind.Safetensors {
		return nil
	}
	if err := torch.Init(c.Context()); err != nil {
		return err
	}
	v, err := torch.Load(file)
	if err != nil {
		return err
	}
	all := torch.StateDicts(v)
	if len(all) == 0 {
		_, _, err := torch.FindStateDict(v)
		return &aboutError{file, err}
	}
	for _, s := range all {
		n := 0
		for _, e := range s.StateDict {
			n += e.Tensor.Numel()
		}
		where := "state dict"
		if s.Key != "" {
			where = fmt.Sprintf("state dict under the key %q", s.Key)
		}
		first := s.StateDict[0]
		fmt.Fprintf(c.OutOrStdout(), "%s: %d tensors of %d numbers, the first one %q %v\n", where, len(s.StateDict), n, first.Name, first.Tensor.Shape())
	}
	return nil
}
