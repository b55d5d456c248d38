package main

import (
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
)

// atOnce is the number of concurrent downloads.
const atOnce = 3

// splitModel splits a model's name on the command line into the arguments of
// hub.Load: a name, or a repository that is one model.
func splitModel(model string) (repo, name string) {
	if hub.IsModel(model) {
		return model, ""
	}
	return "", model
}

func downloadCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "download MODEL...",
		Short: "Fetch the files of models into the cache",
		Long: `Fetch the files of models into the cache, so that predict finds them, offline too.
A model is one of "torchhub list", or hf:OWNER/NAME[@REVISION] of the Hugging
Face Hub. Several are fetched side by side. What is in the cache already is not
fetched again; what was broken off is gone on with. The paths are printed, one
a line. libtorch is not needed.`,
		Args: cobra.MinimumNArgs(1),
	}
	repo := c.Flags().String("repo", "", "the models' repository: OWNER/REPO[:REF], a folder with --source local, or a URL")
	var f repoFlags
	f.add(c, false)
	weights := c.Flags().String("weights", "", "a set of weights other than the model's newest, such as IMAGENET1K_V1")
	c.RunE = func(c *cobra.Command, args []string) error {
		opts := f.options(c.ErrOrStderr(), *repo)
		if *weights != "" {
			if len(args) > 1 {
				return usageError{errors.New("--weights goes with one model")}
			}
			opts = append(opts, hub.WithWeights(*weights))
		}
		files, errs := make([][]string, len(args)), make([]error, len(args))
		turns := make(chan struct{}, atOnce)
		var wg sync.WaitGroup
		for i, model := range args {
			wg.Go(func() {
				turns <- struct{}{}
				defer func() { <-turns }()
				from, name := *repo, model
				if from == "" {
					from, name = splitModel(model)
				}
				files[i], errs[i] = hub.Download(c.Context(), from, name, opts...)
			})
		}
		wg.Wait()
		bad := false
		for i := range args {
			if errs[i] != nil {
				if c.Context().Err() != nil {
					return c.Context().Err()
				}
				report(c.ErrOrStderr(), errs[i])
				bad = true
			}
			for _, f := range files[i] {
				fmt.Fprintln(c.OutOrStdout(), f)
			}
		}
		if bad {
			return errReported
		}
		return nil
	}
	return c
}
