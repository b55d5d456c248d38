package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/models"
)

type evalFlags struct {
	predictFlags
	batch, limit int
	results      string
}

func evalCommand() *cobra.Command {
	var f evalFlags
	c := &cobra.Command{
		Use:   "eval -m MODEL [flags] DIR",
		Short: "Measure the accuracy of a model on a data set",
		Long: `Measure the accuracy of a model on a data set, and compare it with the published
one. The folder is laid out as the model's task has it:

  classification  ImageNet's: a folder of pictures for each class, in DIR or in
                  DIR/val, named by the labels, or in their alphabetical order
  segmentation    Pascal VOC's: JPEGImages, SegmentationClass and
                  ImageSets/Segmentation/val.txt, in DIR or in
                  DIR/VOCdevkit/VOC2012
  detection       COCO's: annotations/instances_val….json, or for key points
                  annotations/person_keypoints_val….json, and the pictures in val…

The figures are top-1 and top-5 accuracy, mean intersection over union, or COCO's
average precision of boxes, and of masks and key points where the model gives them,
all in percent, as in torchvision's reference scripts.
With --results FILE the result of each picture is written to a file as a JSON line;
a later run with the same file goes on where it ended. With --json the figures are
{"model": …, "weights": …, "data": …, "pictures": …, "failed": …, "metrics": {…},
"published": {…}}. A picture that cannot be read is named on stderr and not
counted, and the exit status is 1.`,
		Args: cobra.ExactArgs(1),
	}
	f.addModel(c)
	c.Flags().IntVar(&f.batch, "batch", 0, "pictures in a forward pass, for classification (default 8 on a CPU, else 32)")
	c.Flags().IntVar(&f.limit, "limit", 0, "look at so many pictures only, taken evenly from all")
	c.Flags().StringVar(&f.results, "results", "", "a file for the results of the pictures, to go on from")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		if f.repo == "" {
			f.repo, f.model = splitModel(f.model)
		}
		switch {
		case !f.named():
			return usageError{errors.New("name a model with -m, one of \"torchhub list\"")}
		case f.batch < 0 || f.limit < 0:
			return usageError{errors.New("--batch and --limit cannot be negative")}
		}
		return eval(c, f, args[0])
	}
	return c
}

// An evaluation is a data set for a task, and what is measured on it.
type evaluation interface {
	// names returns the names of the pictures.
	names() []string
	// run passes pictures through the model, and gives done the result of each, which
	// json.Marshal can write. It ends with the error of ctx, or of done.
	run(ctx context.Context, m *hub.Model, pictures []int, done func(picture int, result any, err error) error) error
	// add counts the result of a picture, as run or an earlier one gave it.
	add(picture int, result json.RawMessage) error
	// figures returns the figures, in percent.
	figures() []figure
}

// A figure has the name that torchvision's metrics have.
type figure struct {
	name  string
	value float64
}

func eval(c *cobra.Command, f evalFlags, dir string) error {
	ctx := c.Context()
	if info, err := os.Stat(dir); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is not a folder; give the folder of a data set", dir)
	}
	if f.limit == 0 {
		f.optimizeFor(c, many)
	} else {
		f.optimizeFor(c, f.limit)
	}
	model, err := load(ctx, f.predictFlags, c.ErrOrStderr())
	if err != nil {
		return err
	}
	defer model.Close()
	e, err := newEvaluation(ctx, model, dir, f.batch)
	if err != nil {
		return err
	}
	pictures := evenly(len(e.names()), f.limit)
	weights := publishedOf(f.predictFlags)
	r := evalReport{Model: model.Name(), Data: dir, Metrics: map[string]float64{}, figures: e.figures}
	if weights != nil {
		r.Weights, r.Published = weights.Name, published(weights.Metrics)
	} else {
		r.Weights = f.weights
	}
	j, left, err := openJournal(f.results, &r, e, pictures)
	if err != nil {
		return err
	}
	defer j.close()
	r.Pictures = len(pictures) - len(left)
	bar := terminal.NewCounter(terminal.Of(c.ErrOrStderr()), "pictures")
	bar.Set(int64(r.Pictures), int64(len(pictures)))
	err = e.run(ctx, model, left, func(picture int, result any, err error) error {
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Failed++
			report(c.ErrOrStderr(), fmt.Errorf("%s: %w", e.names()[picture], err))
		} else {
			line, err := json.Marshal(result)
			if err == nil {
				err = e.add(picture, line)
			}
			if err == nil {
				err = j.write(e.names()[picture], line)
			}
			if err != nil {
				return err
			}
			r.Pictures++
		}
		bar.Set(int64(r.Pictures+r.Failed), int64(len(pictures)))
		return nil
	})
	bar.Close(err == nil)
	if err := errors.Join(err, j.close()); err != nil {
		return err
	}
	if err := r.print(c.OutOrStdout(), f.json); err != nil {
		return err
	}
	if r.Failed > 0 {
		return errReported
	}
	return nil
}

// newEvaluation reads the data set of a model's task.
func newEvaluation(ctx context.Context, m *hub.Model, dir string, batch int) (evaluation, error) {
	if m.Preprocess() == nil {
		return nil, &aboutError{m.Name(), hub.ErrNoPreprocess}
	}
	switch t := m.Task(); t {
	case models.Classification:
		return newClassification(m, dir, batch)
	case models.Segmentation:
		return newSegmentation(ctx, m, dir)
	case models.Detection:
		return newDetection(m, dir)
	default:
		return nil, &aboutError{m.Name(), fmt.Errorf("it is for %s, which eval does not measure; it measures %s, %s and %s",
			t, models.Classification, models.Segmentation, models.Detection)}
	}
}

// evenly returns limit numbers below n, or all if limit is 0.
func evenly(n, limit int) []int {
	if limit == 0 || limit > n {
		limit = n
	}
	out := make([]int, limit)
	for i := range out {
		out[i] = i * n / limit
	}
	return out
}

// publishedOf returns the weights that the flags name, or nil if they are not published.
func publishedOf(f predictFlags) *models.Weights {
	e, err := models.Lookup(f.model)
	if err != nil || f.repo != "" && f.repo != e.Repo {
		return nil
	}
	if f.weights == "" {
		return e.Default()
	}
	w, err := e.Find(f.weights)
	if err != nil {
		return nil
	}
	return w
}

// published returns the metrics of a model, on the one data set that torchvision has for each.
func published(m models.Metrics) map[string]float64 {
	out := map[string]float64{}
	for _, set := range m {
		for name, v := range set {
			out[name] = v
		}
	}
	return out
}

// An evalReport is the result of the command.
type evalReport struct {
	Model     string             `json:"model"`
	Weights   string             `json:"weights"`
	Data      string             `json:"data"`
	Pictures  int                `json:"pictures"` // that were measured
	Failed    int                `json:"failed"`
	Metrics   map[string]float64 `json:"metrics"`
	Published map[string]float64 `json:"published,omitempty"`
	figures   func() []figure
}

func (r *evalReport) print(w io.Writer, asJSON bool) error {
	all := r.figures()
	if r.Pictures == 0 {
		all = nil
	}
	if asJSON {
		for _, f := range all {
			if !math.IsNaN(f.value) { // JSON has none
				r.Metrics[f.name] = f.value
			}
		}
		return json.NewEncoder(w).Encode(r)
	}
	name := r.Model
	if r.Weights != "" {
		name += " " + r.Weights
	}
	fmt.Fprintf(w, "%s on %d pictures of %s\n", name, r.Pictures, r.Data)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tmeasured\tpublished\t")
	for _, f := range all {
		old := ""
		if v, ok := r.Published[f.name]; ok {
			old = fmt.Sprintf("%.3f", v)
		}
		fmt.Fprintf(t, "%s\t%.3f\t%s\t\n", f.name, f.value, old)
	}
	return t.Flush()
}

// A journal keeps the results of pictures, so that a run that was ended can go on.
type journal struct{ f *os.File }

// A journalHead is the first line of a journal.
type journalHead struct {
	Model    string `json:"model"`
	Weights  string `json:"weights"`
	Data     string `json:"data"`
	Pictures int    `json:"pictures"`
}

// A journalLine is each other line.
type journalLine struct {
	Picture string          `json:"picture"`
	Result  json.RawMessage `json:"result"`
}

// openJournal opens the file of results, counts those in it, and returns the pictures that are left.
func openJournal(path string, r *evalReport, e evaluation, pictures []int) (j *journal, left []int, err error) {
	if path == "" {
		return &journal{}, pictures, nil
	}
	data, err := filepath.Abs(r.Data)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, err
	}
	j = &journal{f}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	old, err := io.ReadAll(f)
	if err != nil {
		return nil, nil, err
	}
	head, err := json.Marshal(journalHead{r.Model, r.Weights, data, len(pictures)})
	if err != nil {
		return nil, nil, err
	}
	whole := old[:strings.LastIndexByte(string(old), '\n')+1] // the last line may be half written
	if len(whole) == 0 && len(old) > 0 {
		return nil, nil, fmt.Errorf("%s is not a file of results; give another name", path)
	}
	known := map[string]int{}
	for _, i := range pictures {
		known[e.names()[i]] = i
	}
	done := map[int]bool{}
	n := 0
	for line := range strings.Lines(string(whole)) {
		n++
		var l journalLine
		if n == 1 {
			if strings.TrimSpace(line) != string(head) {
				return nil, nil, fmt.Errorf("%s has the results of another evaluation, %s; give another name, or the same model and data", path, terminal.Escape(strings.TrimSpace(line[:min(len(line), 300)])))
			}
			continue
		}
		err := json.Unmarshal([]byte(line), &l)
		i, ok := known[l.Picture]
		if err == nil && !ok {
			err = fmt.Errorf("there is no picture %q", l.Picture)
		}
		if err == nil && !done[i] {
			done[i] = true
			err = e.add(i, l.Result)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("line %d of %s is not a result: %w", n, path, err)
		}
	}
	if err = f.Truncate(int64(len(whole))); err == nil {
		_, err = f.Seek(0, io.SeekEnd)
	}
	if err == nil && n == 0 {
		_, err = f.Write(append(head, '\n'))
	}
	for _, i := range pictures {
		if !done[i] {
			left = append(left, i)
		}
	}
	return j, left, err
}

func (j *journal) write(picture string, result json.RawMessage) error {
	if j.f == nil {
		return nil
	}
	line, err := json.Marshal(journalLine{picture, result})
	if err == nil {
		_, err = j.f.Write(append(line, '\n'))
	}
	return err
}

func (j *journal) close() error {
	if j.f == nil {
		return nil
	}
	err := j.f.Close()
	j.f = nil
	return err
}
