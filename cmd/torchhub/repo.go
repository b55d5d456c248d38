package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
)

// repoFlags are what commands say about a repository.
type repoFlags struct {
	source                             string
	trust, native, reload, unvalidated bool
}

// add adds the flags; native code is asked about only where models are run.
func (f *repoFlags) add(c *cobra.Command, runs bool) {
	c.Flags().StringVar(&f.source, "source", "", "github for OWNER/NAME[:REF], local for a folder (default: what this program knows by that name, else github)")
	c.Flags().BoolVar(&f.trust, "trust", false, "trust the repository, and remember that")
	c.Flags().BoolVar(&f.reload, "force-reload", false, "fetch the repository anew")
	c.Flags().BoolVar(&f.unvalidated, "skip-validation", false, "do not ask GitHub whether the ref belongs to the repository itself")
	if runs {
		c.Flags().BoolVar(&f.native, "native-code", false, "trust the native code of an AOTInductor package, and remember that")
	}
}

func (f *repoFlags) options(notice io.Writer) []hub.Option {
	opts := []hub.Option{hub.WithNotice(notice)}
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
	names, err := hub.List(c.Context(), repo, f.options(c.ErrOrStderr())...)
	if err != nil {
		return err
	}
	for _, n := range names {
		fmt.Fprintln(c.OutOrStdout(), n)
	}
	return nil
}

// showRepo prints what a repository says of a model.
func showRepo(c *cobra.Command, f *repoFlags, repo, model string) error {
	text, err := hub.Help(c.Context(), repo, model, f.options(c.ErrOrStderr())...)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), strings.TrimRight(text, "\n"))
	return nil
}
