package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/suggest"
	"github.com/torchhub/torchhub/models"
)

// card is what is known of a model's weights.
type card struct {
	Model         string    `json:"model"`
	Repository    string    `json:"repository"`
	Weights       string    `json:"weights"`
	Default       bool      `json:"default"`
	Parameters    int       `json:"parameters"`
	GFLOPs        float64   `json:"gflops"`
	Acc1          float64   `json:"acc1"`
	Acc5          float64   `json:"acc5"`
	MiB           float64   `json:"mib"`
	License       string    `json:"license"`
	URL           string    `json:"url"`
	SHA256Prefix  string    `json:"sha256_prefix"`
	Cached        bool      `json:"cached"`
	File          string    `json:"file"`
	Resize        int       `json:"resize"`
	Crop          int       `json:"crop"`
	Interpolation string    `json:"interpolation"`
	Mean          []float64 `json:"mean"`
	Std           []float64 `json:"std"`
	Classes       string    `json:"classes"`
	Labels        int       `json:"labels"`
	Title         string    `json:"title"`
	Paper         string    `json:"paper"`
}

func cards(e *models.Entry) []card {
	out := make([]card, len(e.Weights))
	for i, w := range e.Weights {
		name := path.Base(w.URL)
		file := filepath.Join(hub.Dir(), "checkpoints", name)
		_, err := os.Stat(file)
		stem := strings.TrimSuffix(name, path.Ext(name))
		out[i] = card{
			Model: e.Name, Repository: e.Repo, Weights: w.Name, Default: &e.Weights[i] == e.Default(),
			Parameters: w.Params, GFLOPs: w.GFLOPs, Acc1: w.Acc1, Acc5: w.Acc5, MiB: w.MiB,
			License: w.License, URL: w.URL, SHA256Prefix: stem[strings.LastIndexByte(stem, '-')+1:],
			Cached: err == nil, File: file,
			Resize: w.Preset.Resize, Crop: w.Preset.Crop, Interpolation: w.Preset.Interpolation, Mean: w.Preset.Mean, Std: w.Preset.Std,
			Classes: string(w.Classes), Labels: len(w.Classes.Labels()), Title: e.Title, Paper: e.Paper,
		}
		if w.License == "" {
			out[i].License = "BSD-3-Clause"
		}
	}
	return out
}

func listCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list [OWNER/REPO[:REF]|DIR|URL]",
		Short: "List the models that can be asked for by name, or those of a repository",
		Long: `List the models that can be asked for by name without a repository, or those of
a repository: of a hubconf.json, else of its hubconf.py, which is read and not run.`,
		Args: cobra.MaximumNArgs(1),
	}
	var f repoFlags
	f.add(c, false)
	asJSON := c.Flags().Bool("json", false, "print a JSON line for each set of weights; without a repository")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return listRepo(c, &f, args[0])
		}
		enc := json.NewEncoder(c.OutOrStdout())
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		if !*asJSON {
			fmt.Fprintln(w, "MODEL\tPARAMETERS\tGFLOPS\tTOP-1\tTOP-5\tFILE\tLICENSE")
		}
		for _, name := range slices.SortedFunc(slices.Values(models.Names()), suggest.Natural) {
			e, err := models.Lookup(name)
			if err != nil {
				return err
			}
			for _, k := range cards(e) {
				switch {
				case *asJSON:
					if err := enc.Encode(k); err != nil {
						return err
					}
				case k.Default:
					fmt.Fprintf(w, "%s\t%.1fM\t%.1f\t%.1f %%\t%.1f %%\t%.0f MiB\t%s\n", k.Model, float64(k.Parameters)/1e6, k.GFLOPs, k.Acc1, k.Acc5, k.MiB, k.License)
				}
			}
		}
		return w.Flush()
	}
	return c
}

func showCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show MODEL|FILE|DIR|OWNER/REPO[:REF]|URL",
		Short: "Show what is known of a model, a repository or a file",
		Long: `Show what is known of a model: size, accuracy, file, preset, license. A model is
one of "torchhub list", one of a repository with --repo, or hf:OWNER/NAME of the
Hugging Face Hub. Of a repository the models are listed with a line about each;
of a file of weights it is told what is in it.`,
		Args: cobra.ExactArgs(1),
	}
	var f repoFlags
	f.add(c, false)
	repo := c.Flags().String("repo", "", "the repository: OWNER/REPO[:REF], a folder with --source local, or a URL")
	asJSON := c.Flags().Bool("json", false, "print a JSON line for each set of weights; without a repository")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *repo != "" {
			return showRepo(c, &f, *repo, args[0])
		}
		if strings.HasPrefix(args[0], "hf:") {
			return showRepo(c, &f, args[0], "")
		}
		e, err := models.Lookup(args[0])
		fi, serr := os.Stat(args[0])
		switch {
		case err == nil:
		case serr == nil && !fi.IsDir():
			return showFile(c, args[0])
		case serr == nil, strings.Contains(args[0], "/"):
			return showModels(c, &f, args[0])
		default:
			return err
		}
		enc := json.NewEncoder(c.OutOrStdout())
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		if !*asJSON {
			fmt.Fprintf(w, "model\t%s\nrepository\t%s\npaper\t%s, %s\n", e.Name, e.Repo, e.Title, e.Paper)
		}
		for _, k := range cards(e) {
			if *asJSON {
				if err := enc.Encode(k); err != nil {
					return err
				}
				continue
			}
			note, state := "", "not in the cache"
			if k.Default {
				note = " (default)"
			}
			if k.Cached {
				state = "in the cache: " + k.File
			}
			fmt.Fprintf(w, "\nweights\t%s%s\n", k.Weights, note)
			fmt.Fprintf(w, "parameters\t%d\nFLOPs\t%.1f G multiply-adds a picture\n", k.Parameters, k.GFLOPs)
			fmt.Fprintf(w, "accuracy\ttop-1 %.3f %%, top-5 %.3f %% on ImageNet-1K\n", k.Acc1, k.Acc5)
			fmt.Fprintf(w, "file\t%s, %.1f MiB, SHA-256 %s…, %s\n", k.URL, k.MiB, k.SHA256Prefix, state)
			fmt.Fprintf(w, "preset\tresize %d (%s), crop %d, mean %v, std %v\n", k.Resize, k.Interpolation, k.Crop, k.Mean, k.Std)
			fmt.Fprintf(w, "labels\t%d of %s\nlicense\t%s\n", k.Labels, k.Classes, k.License)
		}
		return w.Flush()
	}
	return c
}
