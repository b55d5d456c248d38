package main

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/nn"
)

//go:embed bench.py
var bencher []byte

type benchFlags struct {
	model, python      string
	dtype              string
	engines            []string
	batch, size, turns int
	threads            int
	seconds            float64
	json, about        bool
}

// pythonEngineNames are the engines that bench.py has.
var pythonEngineNames = []string{"pytorch", "onnxruntime", "openvino", "compile"}

func benchCommand() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench -m MODEL [flags]",
		Short: "Measure the speed of a model, beside PyTorch and ONNX Runtime",
		Long: `Measure the time of a forward pass of a model for classification or segmentation on the CPU: as it
is, optimized, and by other engines where there is a Python with torch, torchvision and these. --engines
names them: pytorch, onnxruntime, openvino, and compile, which is torch.compile with freezing and takes
a minute to compile. Models for other tasks are not measured. Weights are random, and nothing is
downloaded. The engines take turns, so that noise of the machine falls on all. A row has the median
of the passes, in milliseconds, their quartiles, and the median as a part of the first row's. With
--dtype bfloat16 a row more has the model optimized so, and what that changes in the outputs is printed.

With --json: {"model": …, "batch": …, "size": …, "threads": …, "engines": [{"name": …, "median": …,
"quartiles": […], "passes": …}], "report": …}, in seconds; the report is text.`,
		Args: cobra.NoArgs,
	}
	c.Flags().StringVarP(&f.model, "model", "m", "", "the model, one of \"torchhub list\"")
	c.Flags().IntVar(&f.batch, "batch", 1, "pictures in a forward pass")
	c.Flags().IntVar(&f.size, "size", 0, "the height and width of pictures (default: those that the model was trained with)")
	c.Flags().IntVar(&f.threads, "threads", 0, "threads of each engine (default: as many as processors)")
	c.Flags().IntVar(&f.turns, "turns", 5, "how often each engine has its turn")
	c.Flags().Float64Var(&f.seconds, "seconds", 0.5, "how long a turn takes, of one pass at least")
	c.Flags().StringVar(&f.python, "python", "", "the Python to compare with (default: the active virtual environment's, else python3)")
	c.Flags().StringSliceVar(&f.engines, "engines", pythonEngineNames[:2], "the engines of Python to compare with; empty for none")
	c.Flags().StringVar(&f.dtype, "dtype", "float32", "float32, or bfloat16 to measure that too, where the processor has AVX512_BF16")
	c.Flags().BoolVarP(&f.about, "verbose", "v", false, "say what became of the model when it was optimized")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case f.model == "":
			return usageError{errors.New("name a model with -m, one of \"torchhub list\"")}
		case f.batch < 1 || f.turns < 1 || f.size < 0 || f.threads < 0 || !(f.seconds >= 0 && f.seconds <= 3600):
			return usageError{errors.New("--batch and --turns must be at least 1, --size and --threads at least 0, and --seconds from 0 to 3600")}
		}
		for _, e := range f.engines {
			if !slices.Contains(pythonEngineNames, e) {
				return usageError{fmt.Errorf("there is no engine %q; there are %s", e, strings.Join(pythonEngineNames, ", "))}
			}
		}
		return bench(c, f)
	}
	return c
}

// A benchEngine runs a model for a time, and returns the seconds that passes took.
type benchEngine struct {
	name string
	run  func(seconds float64) ([]float64, error)
}

type benchRow struct {
	Name      string     `json:"name"`
	Median    float64    `json:"median"`
	Quartiles [2]float64 `json:"quartiles"`
	Passes    int        `json:"passes"`
}

type benchReport struct {
	Model   string     `json:"model"`
	Batch   int        `json:"batch"`
	Size    int        `json:"size"`
	Threads int        `json:"threads"`
	Engines []benchRow `json:"engines"`
	Report  string     `json:"report"`
	report  graph.Report
}

func bench(c *cobra.Command, f benchFlags) error {
	ctx := c.Context()
	dtype, err := dtypeOf(f.dtype)
	if err != nil {
		return err
	}
	e, err := models.Lookup(f.model)
	if err != nil {
		return err
	}
	if t := e.Task(); t != models.Classification && t != models.Segmentation {
		return usageError{fmt.Errorf("bench is for classification and segmentation, and %s is for %s", f.model, t)}
	}
	if f.size == 0 {
		f.size = 224
		switch p := e.Default().Preset.(type) {
		case models.ClassificationPreset:
			f.size = cmp.Or(p.Crop, f.size)
		case models.SegmentationPreset:
			f.size = cmp.Or(p.Resize, f.size)
		}
	}
	if err := torch.Init(ctx); err != nil {
		return err
	}
	if f.threads > 0 {
		torch.SetNumThreads(f.threads)
	}
	f.threads = torch.NumThreads()
	engines, report, err := goEngines(ctx, f, dtype)
	if err != nil {
		return err
	}
	if len(f.engines) > 0 {
		more, stop, err := pythonEngines(ctx, f, c.ErrOrStderr())
		if err != nil {
			fmt.Fprintf(c.ErrOrStderr(), "torchhub: not compared with Python: %s\n", words(err))
		} else {
			defer stop()
			engines = append(engines, more...)
		}
	}
	out := benchReport{Model: f.model, Batch: f.batch, Size: f.size, Threads: f.threads, Report: report.String(), report: report}
	times := make([][]float64, len(engines))
	for range f.turns {
		for i, e := range engines {
			if err := ctx.Err(); err != nil {
				return err
			}
			passes, err := e.run(f.seconds)
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			times[i] = append(times[i], passes...)
		}
	}
	for i, e := range engines {
		slices.Sort(times[i])
		out.Engines = append(out.Engines, benchRow{e.name, quantile(times[i], 0.5), [2]float64{quantile(times[i], 0.25), quantile(times[i], 0.75)}, len(times[i])})
	}
	return out.print(c.OutOrStdout(), f)
}

// quantile returns a quantile of sorted numbers.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

func (r *benchReport) print(w io.Writer, f benchFlags) error {
	if f.json {
		return json.NewEncoder(w).Encode(r)
	}
	fmt.Fprintf(w, "%s, %d × 3 × %d × %d, %d threads, random weights\n", r.Model, r.Batch, r.Size, r.Size, r.Threads)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tms\tquartiles\tof the first")
	for _, e := range r.Engines {
		fmt.Fprintf(t, "%s\t%.2f\t%.2f – %.2f\t%.2f\n", terminal.Escape(e.Name), 1e3*e.Median, 1e3*e.Quartiles[0], 1e3*e.Quartiles[1], e.Median/r.Engines[0].Median)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if f.about || r.report.Reason != "" || r.report.Rounding != nil {
		fmt.Fprintln(w, r.Report)
	}
	return nil
}

// goEngines returns the model as it is, optimized, and optimized in bfloat16 if that is asked for and there is. The report is of the
// last one that was asked for.
func goEngines(ctx context.Context, f benchFlags, dtype torch.DType) (engines []benchEngine, report graph.Report, err error) {
	module, err := models.New[any](f.model)
	if err != nil {
		return nil, report, err
	}
	nn.Eval(module)
	x := torch.Randn(f.batch, 3, f.size, f.size)
	forward := func(x ...*torch.Tensor) []*torch.Tensor {
		if s, ok := module.(models.Segmenter); ok { // without an auxiliary classifier
			return []*torch.Tensor{s.Forward(x[0]).Out}
		}
		return []*torch.Tensor{module.(nn.Module).Forward(x[0])}
	}
	timed := func(name string, pass func() error) benchEngine {
		return benchEngine{name, func(seconds float64) (times []float64, err error) {
			terr := torch.Try(func() {
				torch.Run(func() { torch.InferenceMode(func() { times, err = passes(seconds, pass) }) })
			})
			return times, errors.Join(terr, err)
		}}
	}
	engines = append(engines, timed("torchhub", func() error { forward(x); return nil }))
	options := []graph.OptimizeOptions{{}}
	if dtype != torch.Float32 {
		options = append(options, graph.OptimizeOptions{DType: dtype})
	}
	for _, o := range options {
		compiled := graph.Compile(forward, graph.CompileOptions{Batch: true, Names: nn.StateDict(module), OptimizeOptions: o})
		if report, err = compiled.Prepare(ctx, x); err != nil {
			return nil, report, err
		}
		name := "torchhub, optimized"
		if o.DType != 0 {
			if h := report.Rounding; h == nil || h.Reason != "" {
				break
			}
			name += ", bfloat16"
		}
		engines = append(engines, timed(name, func() error { _, err := compiled.Run(ctx, x); return err }))
	}
	return engines, report, nil
}

// passes calls a function for some seconds, after one call that does not count, and returns how long the calls took.
func passes(seconds float64, pass func() error) (times []float64, err error) {
	var end time.Time
	for i := 0; i < 2 || time.Now().Before(end); i++ {
		start := time.Now()
		torch.Scope(func() { err = pass() })
		if err != nil {
			return nil, err
		}
		if i > 0 {
			times = append(times, time.Since(start).Seconds())
		} else {
			end = time.Now().Add(time.Duration(seconds * float64(time.Second)))
		}
	}
	return times, nil
}

// pythonEngines starts a Python, and returns the engines that it has.
func pythonEngines(ctx context.Context, f benchFlags, stderr io.Writer) (engines []benchEngine, stop func(), err error) {
	python := f.python
	if python == "" {
		if python, err = libtorch.FindPython(ctx); err != nil {
			return nil, nil, err
		}
	}
	dir, err := os.MkdirTemp("", "torchhub-bench")
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	file := filepath.Join(dir, "bench.py")
	if err := os.WriteFile(file, bencher, 0o666); err != nil {
		cancel()
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	size := strconv.Itoa(f.size)
	p := exec.CommandContext(ctx, python, file, f.model, strconv.Itoa(f.batch), size+"x"+size, strconv.Itoa(f.threads), strings.Join(f.engines, ","))
	stdin, err1 := p.StdinPipe()
	stdout, err2 := p.StdoutPipe()
	if err = errors.Join(err1, err2); err == nil {
		err = p.Start()
	}
	stop = func() {
		cancel()
		p.Wait()
		os.RemoveAll(dir)
	}
	var hello struct {
		Engines  []string          `json:"engines"`
		Problems map[string]string `json:"problems"`
	}
	lines := bufio.NewReader(stdout)
	if err == nil {
		err = readLine(lines, &hello)
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	for _, name := range f.engines {
		if text := hello.Problems[name]; text != "" {
			fmt.Fprintf(stderr, "torchhub: not compared with %s: %s\n", name, terminal.Escape(strings.Join(strings.Fields(text), " ")))
		}
	}
	for _, name := range hello.Engines {
		engines = append(engines, benchEngine{name, func(seconds float64) (times []float64, err error) {
			if _, err := fmt.Fprintf(stdin, "%s %g\n", name, seconds); err != nil {
				return nil, err
			}
			err = readLine(lines, &times)
			if err == nil && len(times) == 0 {
				err = errors.New("it answered with no times")
			}
			return times, err
		}})
	}
	return engines, stop, nil
}

// readLine reads a line of JSON.
func readLine(r *bufio.Reader, v any) error {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the Python ended early: %w", err)
	}
	return json.Unmarshal(line, v)
}
