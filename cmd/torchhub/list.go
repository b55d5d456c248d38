package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
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
	Recipe       string         `json:"recipe,omitempty"`
	MinSize      [2]int         `json:"min_size"` // height and width; 0 if unknown
	MinFrames    int            `json:"min_frames,omitempty"`
	Keypoints    []string       `json:"keypoints,omitempty"`
	Backend      string         `json:"backend,omitempty"`
	Unquantized  string         `json:"unquantized,omitempty"`
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
			License: w.License, URL: w.URL, SHA256Prefix: stem[strings.LastIndexByte(stem, '-')+1:], Recipe: w.Recipe,
			MinSize: w.MinSize, MinFrames: w.MinFrames, Keypoints: w.Keypoints, Backend: w.Backend, Unquantized: w.Unquantized,
			Cached: err == nil, File: file,
			Preprocess: hub.Preprocess{Preset: w.Preset}, Classes: string(w.Classes), Labels: len(w.Classes.Labels()), Title: e.Title, Paper: e.Paper,
		}
		if w.License == "" {
			out[i].License = "BSD-3-Clause"
		}
		if w.NoHash {
			out[i].SHA256Prefix = ""
		}
	}
	return out
}

// listFlags select weights.
type listFlags struct {
	task             string
	maxParams        count
	minAcc1          float64
	include, exclude []string
}

// count is a flag for a number such as 30M.
type count float64

func (n *count) String() string { return strconv.FormatFloat(float64(*n), 'g', -1, 64) }

func (n *count) Type() string { return "count" }

func (n *count) Set(s string) error {
	scale := 1.0
	if last := len(s) - 1; last > 0 {
		if f, ok := map[byte]float64{'K': 1e3, 'M': 1e6, 'G': 1e9, 'B': 1e9}[s[last]&^0x20]; ok {
			scale, s = f, s[:last]
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v > 0) {
		return errors.New("not a positive number")
	}
	*n = count(v * scale)
	return nil
}

func (f *listFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.task, "task", "", "only models for this task, such as "+string(models.Segmentation))
	c.Flags().Var(&f.maxParams, "max-params", "only models with at most so many parameters, such as 30M")
	c.Flags().Float64Var(&f.minAcc1, "min-acc1", 0, "only weights with at least this top-1 accuracy in percent")
	c.Flags().StringSliceVar(&f.include, "include", nil, "only names that match one of these patterns, such as 'resnet*'")
	c.Flags().StringSliceVar(&f.exclude, "exclude", nil, "no names that match one of these patterns")
}

// cards returns the cards of the weights that the flags select.
func (f *listFlags) cards() (all []card, err error) {
	task := models.Task(f.task)
	if tasks := models.Tasks(); f.task != "" && !slices.Contains(tasks, task) {
		return nil, usageError{fmt.Errorf("--task is %.100q and must be one of %s", f.task, strings.Trim(fmt.Sprint(tasks), "[]"))}
	}
	names := models.Names(models.NamesOptions{Task: task, Include: f.include, Exclude: f.exclude})
	for _, name := range slices.SortedFunc(slices.Values(names), suggest.Natural) {
		e, err := models.Lookup(name)
		if err != nil {
			return nil, err
		}
		all = append(all, cards(e)...)
	}
	return slices.DeleteFunc(all, func(k card) bool {
		return f.maxParams > 0 && float64(k.Parameters) > float64(f.maxParams) || f.minAcc1 > 0 && k.acc1() < f.minAcc1
	}), nil
}

// acc1 returns the top-1 accuracy in percent, or 0 if there is none.
func (k *card) acc1() (best float64) {
	for _, m := range k.Metrics {
		best = max(best, m["acc@1"])
	}
	return best
}

func listCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list [OWNER/REPO[:REF]|DIR|URL]",
		Short: "List the models that can be asked for by name, or those of a repository",
		Long: `List the models that can be asked for by name without a repository, with their
default weights, or the models of a repository: of a hubconf.json, else of its hubconf.py,
which is read and not run.`,
		Args: cobra.MaximumNArgs(1),
	}
	var f repoFlags
	f.add(c, false)
	var l listFlags
	l.add(c)
	asJSON := c.Flags().Bool("json", false, "print a JSON line for each set of weights; without a repository")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			for _, name := range []string{"task", "max-params", "min-acc1", "include", "exclude"} {
				if c.Flags().Changed(name) {
					return usageError{fmt.Errorf("--%s selects among the models without a repository; leave it or %s out", name, args[0])}
				}
			}
			return listRepo(c, &f, args[0])
		}
		all, err := l.cards()
		if err != nil {
			return err
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
		if !*asJSON {
			return showCard(c.OutOrStdout(), e)
		}
		enc := json.NewEncoder(c.OutOrStdout())
		for _, k := range cards(e) {
			if err := enc.Encode(k); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

// showCard prints what is known of a model, and how to use it.
func showCard(out io.Writer, e *models.Entry) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	row("model", "%s", e.Name)
	row("repository", "%s", e.Repo)
	row("task", "%s", e.Task())
	row("paper", "%s, %s", e.Title, e.Paper)
	for _, k := range cards(e) {
		note, state, hash := "", "not in the cache", "SHA-256 "+k.SHA256Prefix+"…"
		if k.Default {
			note = " (default)"
		}
		if k.Cached {
			state = "in the cache: " + k.File
		}
		if k.SHA256Prefix == "" {
			hash = "without a hash"
		}
		fmt.Fprintln(w)
		row("weights", "%s%s", k.Weights, note)
		row("parameters", "%d", k.Parameters)
		row("FLOPs", "%.1f G multiply-adds an input", k.GFLOPs)
		if len(k.Metrics) > 0 {
			row("accuracy", "%v", k.Metrics)
		}
		row("file", "%s, %.1f MiB, %s, %s", k.URL, k.MiB, hash, state)
		row("preset", "%s: %v", k.Task, k.Preprocess.Preset)
		if k.MinSize != [2]int{} {
			frames := ""
			if k.MinFrames > 0 {
				frames = fmt.Sprintf(", %d frames", k.MinFrames)
			}
			row("smallest input", "%d×%d pixels%s", k.MinSize[0], k.MinSize[1], frames)
		}
		if k.Classes != "" {
			row("labels", "%d of %s", k.Labels, k.Classes)
		}
		if k.Keypoints != nil {
			row("key points", "%s", strings.Join(k.Keypoints, ", "))
		}
		if k.Backend != "" {
			row("quantized", "for %s, from %s", k.Backend, k.Unquantized)
		}
		if k.Recipe != "" {
			row("training", "%s", k.Recipe)
		}
		row("license", "%s", k.License)
	}
	fmt.Fprintln(w)
	row("command", "torchhub predict -m %s %s", e.Name, inputOf(e.Task()))
	row("Go", "model, err := hub.Load(ctx, %q, %q)", e.Repo, e.Name)
	row("Python", "model = torch.hub.load(%q, %q)", e.Repo, e.Name)
	return w.Flush()
}

// inputOf names what predict takes for a task.
func inputOf(t models.Task) string {
	switch t {
	case models.VideoClassification:
		return "VIDEO"
	case models.OpticalFlow:
		return "PICTURE PICTURE"
	}
	return "PICTURE"
}
