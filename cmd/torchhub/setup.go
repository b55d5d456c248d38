package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/internal/libtorch"
)

func setupCommand() *cobra.Command {
	var o libtorch.InstallOptions
	c := &cobra.Command{
		Use:   "setup",
		Short: "Install libtorch into torchhub's cache and build the shim for it",
		Long: `Install libtorch into torchhub's cache and build the shim for it, as the first use
would. It comes from the official zip, or from pip where that cannot be had.`,
		Args: cobra.NoArgs,
	}
	c.Flags().StringVar(&o.Version, "version", libtorch.DefaultVersion, "the version to install")
	c.Flags().StringVar(&o.Variant, "variant", "", "cpu or cuda (default: cuda where an NVIDIA driver is present)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.Notices = c.ErrOrStderr()
		lib, err := libtorch.Install(c.Context(), o)
		if err != nil {
			return err
		}
		shim, err := libtorch.BuildShim(c.Context(), lib, o.Notices)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "libtorch %s is in %s\nits shim is %s\n", lib, lib.LibDir, shim)
		return nil
	}
	return c
}

func bundleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bundle DIR",
		Short: "Copy what a container needs: this program, the shim and libtorch",
		Long: `Copy this program, the shim and the libraries of libtorch to a folder. They find
each other by relative paths: the folder may be moved, and needs glibc and
nothing else. To bundle a program of your own, replace torchhub in it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			if err := libtorch.Bundle(c.Context(), args[0], program, c.ErrOrStderr()); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "the bundle is in %s\n", args[0])
			return nil
		},
	}
}
