package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
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

// card is the information about a model's weights.
type card struct {
	Model        string         `json:"model"`
	Repository   string         `json:"repository"`
	Task         models.Task    `json:"task"`
	Weights      string         `json:"weights"`
	Default      bool           `json:"default"`
	Parameters   int            `json:"parameters"`
	GFLOPs       float64        `json:"gflops"`
	Metrics      models.Metrics `json:"metrics"`
	MiB          float64        `json:"mib"`
	License      string         `json:"license"`
	URL          string         `json:"url"`
	SHA256Prefix string         `json:"sha256_prefix"`
	Cached       bool           `json:"cached"`
	File         string         `json:"file"`
	Preprocess   hub.Preprocess `json:"preprocess"`
	Classes      string         `json:"classes"`
	Labels       int            `json:"labels"`
	Title        string         `json:"title"`
	Paper        string         `json:"paper"`
}

func cards(e *models.Entry) []card {
	out := make([]card, len(e.Weights))
	for i, w := range e.Weights {
		name := path.Base(w.URL)
		file := filepath.Join(hub.Dir(), "checkpoints", name)
		_, err := os.Stat(file)
		stem := strings.TrimSuffix(name, path.Ext(name))
		out[i] = card{
			Model: e.Name, Repository: e.Repo, Task: e.Task(), Weights: w.Name, Default: &e.Weights[i] == e.Default(),
			Parameters: w.Params, GFLOPs: w.GFLOPs, Metrics: w.Metrics, MiB: w.MiB,
			License: w.License, URL: w.URL, SHA256Prefix: stem[strings.LastIndexByte(stem, '-')+1:],
			Cached: err == nil, File: file,
			Preprocess: hub.Preprocess{Preset: w.Preset}, Classes: string(w.Classes), Labels: len(w.Classes.Labels()), Title: e.Title, Paper: e.Paper,
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
		var all []card
		for _, name := range slices.SortedFunc(slices.Values(models.Names()), suggest.Natural) {
			e, err := models.Lookup(name)
			if err != nil {
				return err
			}
			all = append(all, cards(e)...)
		}
		if *asJSON {
			enc := json.NewEncoder(c.OutOrStdout())
			for _, k := range all {
				if err := enc.Encode(k); err != nil {
					return err
				}
			}
			return nil
		}
		return table(c.OutOrStdout(), all)
	}
	return c
}

// table prints the default weights of each model, a table for each task.
func table(out io.Writer, all []card) error {
	tasks := map[models.Task][]card{}
	for _, k := range all {
		if k.Default {
			tasks[k.Task] = append(tasks[k.Task], k)
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, task := range slices.Sorted(maps.Keys(tasks)) {
		if i > 0 {
			fmt.Fprintln(w)
		}
		measures := "METRICS"
		if task == models.Classification {
			measures = "TOP-1\tTOP-5"
		}
		fmt.Fprintf(w, "MODEL\tPARAMETERS\tGFLOPS\t%s\tFILE\tLICENSE\n", measures)
		for _, k := range tasks[task] {
			measures = k.Metrics.String()
			if task == models.Classification {
				m := k.Metrics["ImageNet-1K"]
				measures = fmt.Sprintf("%.1f %%\t%.1f %%", m["acc@1"], m["acc@5"])
			}
			fmt.Fprintf(w, "%s\t%.1fM\t%.1f\t%s\t%.0f MiB\t%s\n", k.Model, float64(k.Parameters)/1e6, k.GFLOPs, measures, k.MiB, k.License)
		}
	}
	return w.Flush()
}

func showCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show MODEL|FILE|DIR|OWNER/REPO[:REF]|URL",
		Short: "Show what is known of a model, a repository or a file",
		Long: `Show what is known of a model: size, accuracy, file, preset, license. A model is
one of "torchhub list", one of a repository with --repo, or hf:OWNER/NAME of the
Hugging Face Hub. For a repository it lists the models, with a line about each,
and for a file of weights it shows the contents.`,
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
		if hub.IsModel(args[0]) {
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
			fmt.Fprintf(w, "parameters\t%d\nFLOPs\t%.1f G multiply-adds an input\n", k.Parameters, k.GFLOPs)
			fmt.Fprintf(w, "accuracy\t%v\n", k.Metrics)
			fmt.Fprintf(w, "file\t%s, %.1f MiB, SHA-256 %s…, %s\n", k.URL, k.MiB, k.SHA256Prefix, state)
			fmt.Fprintf(w, "preset\t%s: %v\n", k.Task, k.Preprocess.Preset)
			if k.Classes != "" {
				fmt.Fprintf(w, "labels\t%d of %s\n", k.Labels, k.Classes)
			}
			fmt.Fprintf(w, "license\t%s\n", k.License)
		}
		return w.Flush()
	}
	return c
}
