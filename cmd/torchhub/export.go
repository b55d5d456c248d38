package main

import (
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

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
)

//go:embed export.py
var exporter []byte

// exportRequest is what export.py is asked for.
type exportRequest struct {
	Dir      string            `json:"dir"`
	Model    string            `json:"model"`
	Args     []string          `json:"args"`
	Kwargs   map[string]string `json:"kwargs"`
	Methods  []string          `json:"methods"` // tried in order
	Inputs   []exportInput     `json:"inputs"`
	Folder   string            `json:"folder"`   // of the artifact
	Name     string            `json:"name"`     // of the artifact, without its suffix
	Suffixes map[string]string `json:"suffixes"` // by method
	Checks   string            `json:"checks"`   // of the inputs and outputs to compare
	Result   string            `json:"result"`
	Verbose  bool              `json:"verbose"` // tracebacks go to stderr
}

type exportInput struct {
	hub.Input
	High int `json:"high"` // random integers are below it
}

type exportResult struct {
	Error    string   `json:"error"`
	Doc      string   `json:"doc"`
	Torch    string   `json:"torch"`
	Method   string   `json:"method"`
	Inputs   int      `json:"inputs"`
	Outputs  int      `json:"outputs"`
	Flat     bool     `json:"flat"`     // what it gives has become a tuple of its tensors
	Problems []string `json:"problems"` // of the methods that failed
}

type exportFlags struct {
	entryFlags
	repo                 repoFlags
	python, method, name string
	inputs               []string
	high                 int
	verbose              bool
	tolerance            float64
}

func exportCommand() *cobra.Command {
	var f exportFlags
	c := &cobra.Command{
		Use:   "export [flags] OWNER/REPO[:REF]|DIR MODEL [ARG|KEY=VALUE]...",
		Short: "Make a model for Go of a repository's hubconf.py, with your Python",
		Long: `Make a model for Go of a repository's hubconf.py: your own Python, with torch,
loads the model as torch.hub.load(REPO, MODEL, ARG…, KEY=VALUE…) does, exports it
with torch.export, and writes MODEL.pt2, a graph without code, for batches of any size
if the model allows that. A model that torch.export does not take is scripted with
TorchScript, or else traced, into MODEL.pt. Go runs the file on random inputs and must
give what Python gives; then an entry of the hubconf.json beside it says all that Go
needs, and
  hub.Load(ctx, "DIR", "MODEL", hub.WithSource("local"))
loads the model.

This runs the repository's code with all your rights: the repository must be
trusted, as for torch.hub. With --source local it is your own folder, and nothing is asked.`,
		Args: cobra.MinimumNArgs(2),
	}
	f.entryFlags.add(c)
	f.repo.add(c, true)
	c.Flags().StringVar(&f.python, "python", "", "the Python to run (default: the active virtual environment's, else python3)")
	c.Flags().StringVar(&f.method, "method", "auto", "export (torch.export), script, trace (TorchScript), aot (AOTInductor, native code), or auto: export, else script, else trace")
	c.Flags().StringVar(&f.name, "name", "", "the name of the entry and the file (default: MODEL)")
	c.Flags().StringArrayVar(&f.inputs, "input", []string{"1,3,224,224"}, "the shape of an input, and its dtype unless float32, as in 1,128:int64; again for each input")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show Python's tracebacks")
	c.Flags().IntVar(&f.high, "high", 10, "random integers of inputs are below this")
	c.Flags().Float64Var(&f.tolerance, "tolerance", 1e-4, "how far outputs may differ, as a part of the largest")
	c.RunE = func(c *cobra.Command, args []string) error { return export(c, &f, args[0], args[1], args[2:]) }
	return c
}

var methods = map[string][]string{"auto": {"export", "script", "trace"}, "export": {"export"}, "script": {"script"}, "trace": {"trace"}, "aot": {"aot"}}

// suffixes are those of the files, by method.
var suffixes = map[string]string{"export": ".pt2", "script": ".pt", "trace": ".pt", "aot": ".pt2"}

func export(c *cobra.Command, f *exportFlags, repo, model string, args []string) error {
	ctx := c.Context()
	if f.repo.source == "" && isFolder(repo) {
		f.repo.source = "local"
	}
	name := cmp.Or(f.name, model)
	req, err := f.request(name, model, args)
	if err != nil {
		return err
	}
	entry, err := f.entry()
	if err != nil {
		return err
	}
	python := f.python
	if python == "" {
		if python, err = libtorch.FindPython(ctx); err != nil {
			return err
		}
	}
	if err := torch.Init(ctx); err != nil {
		return err
	}
	if req.Dir, err = exportDir(ctx, c, f, repo); err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return err
	}
	work, err := os.MkdirTemp(f.dir, ".export*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if work, err = filepath.Abs(work); err != nil {
		return err
	}
	req.Folder, req.Name, req.Suffixes = work, name, suffixes
	req.Checks, req.Result = filepath.Join(work, "checks.pth"), filepath.Join(work, "result.json")
	var res *exportResult
	var worst float64
	var file string
	given := entry
	for {
		if res, err = runExporter(ctx, c, python, work, req); err != nil {
			return &aboutError{"export " + model, err}
		}
		res.warn(c.ErrOrStderr())
		entry, file = given, name+suffixes[res.Method]
		f.complete(&entry, repo, model, file, req, res)
		worst, err = tryEntry(ctx, work, name, entry, req.Checks, res, f.tolerance)
		if err == nil {
			break
		}
		i := slices.Index(req.Methods, res.Method)
		if res.Method != "export" || i+1 == len(req.Methods) || ctx.Err() != nil {
			return &aboutError{"export " + model, err}
		}
		fmt.Fprintf(c.ErrOrStderr(), "torchhub: what torch.export made of it does not run here: %v\n", err)
		req.Methods = req.Methods[i+1:]
	}
	if err := os.Rename(filepath.Join(work, file), filepath.Join(f.dir, file)); err != nil {
		return err
	}
	if err := hub.Pack(ctx, f.dir, name, entry, hub.WithNotice(c.ErrOrStderr()), hub.WithNativeCode(hub.TrustAlways)); err != nil {
		return err
	}
	warnOfEntry(c.ErrOrStderr(), entry)
	fmt.Fprintf(c.OutOrStdout(), "%s: %s by %s; Go's outputs differ from Python's by %.1e of the largest at most\n%s: %s\n",
		filepath.Join(f.dir, file), model, res.Method, worst, filepath.Join(f.dir, hub.HubconfName), name)
	return nil
}

// tryEntry packs an entry aside, so that what is compared is what will be loaded, and returns by how much the outputs
// differ from Python's.
func tryEntry(ctx context.Context, work, name string, trial hub.Entry, checks string, res *exportResult, tolerance float64) (float64, error) {
	trial.Labels = nil
	if err := hub.Pack(ctx, work, name, trial, hub.WithNotice(nil), hub.WithNativeCode(hub.TrustAlways)); err != nil {
		return 0, err
	}
	return compare(ctx, work, name, checks, res, tolerance)
}

// request checks the flags and arguments and returns what they ask of export.py. The paths are added later.
func (f *exportFlags) request(name, model string, args []string) (exportRequest, error) {
	req := exportRequest{Model: model, Kwargs: map[string]string{}, Args: []string{}, Methods: methods[f.method], Verbose: f.verbose}
	switch {
	case req.Methods == nil:
		return req, usageError{fmt.Errorf("--method is %q and must be auto, export, script, trace or aot", f.method)}
	case !filepath.IsLocal(name) || filepath.Base(name) != name:
		return req, usageError{fmt.Errorf("%q is not a file name; choose one with --name", name)}
	case f.high < 1:
		return req, usageError{fmt.Errorf("--high is %d and must be at least 1", f.high)}
	}
	for _, s := range f.inputs {
		in, err := parseInput(s)
		if err != nil {
			return req, usageError{err}
		}
		req.Inputs = append(req.Inputs, exportInput{in, f.high})
	}
	for _, a := range args {
		if k, v, ok := strings.Cut(a, "="); ok {
			req.Kwargs[k] = v
		} else if len(req.Kwargs) > 0 {
			return req, usageError{fmt.Errorf("the argument %q stands behind one with a name", a)}
		} else {
			req.Args = append(req.Args, a)
		}
	}
	return req, nil
}

// warn writes which methods failed, and the limits of the one that did not.
func (res *exportResult) warn(w io.Writer) {
	for _, p := range res.Problems {
		fmt.Fprintf(w, "torchhub: it was not exported by %s\n", p)
	}
	if res.Method == "trace" {
		fmt.Fprintln(w, "torchhub: a traced model takes the way that it took for the inputs given; other shapes may need another --input")
	}
}

// complete adds the artifact and the inputs to an entry, and what its flags leave open.
func (f *exportFlags) complete(e *hub.Entry, repo, model, file string, req exportRequest, res *exportResult) {
	local := strings.ToLower(f.repo.source) == "local"
	if e.Doc == "" {
		e.Doc = strings.ToValidUTF8(res.Doc[:min(len(res.Doc), 10000)], "")
	}
	if e.Homepage == "" && !local {
		base, _, _ := strings.Cut(repo, ":")
		e.Homepage = "https://github.com/" + base
	}
	a := hub.Artifact{URL: file, Doc: fmt.Sprintf("from %s by %s of torch %s", repo, res.Method, res.Torch)}
	if local { // the folder's path says nothing elsewhere
		a.Doc = fmt.Sprintf("from %s of a hubconf.py by %s of torch %s", model, res.Method, res.Torch)
	}
	if res.Flat {
		a.Doc += ", its outputs as one tuple"
	}
	if f.method == "aot" {
		a.Device = "cpu"
	}
	for _, in := range req.Inputs {
		e.Inputs = append(e.Inputs, in.Input)
	}
	e.Artifacts = []hub.Artifact{a}
}

// exportDir returns the folder of the repository, which is trusted from then on.
func exportDir(ctx context.Context, c *cobra.Command, f *exportFlags, repo string) (string, error) {
	switch strings.ToLower(f.repo.source) {
	case "", "github":
		return hub.Repository(ctx, repo, f.repo.options(c.ErrOrStderr(), repo)...)
	case "local":
		dir, err := filepath.Abs(repo)
		if err == nil {
			_, err = os.Stat(filepath.Join(dir, "hubconf.py"))
		}
		if err != nil {
			return "", fmt.Errorf("%s has no hubconf.py; give the folder of a repository for torch.hub", repo)
		}
		return dir, nil
	}
	return "", usageError{fmt.Errorf("--source is %q and must be github or local", f.repo.source)}
}

// parseInput reads 1,3,224,224:float32.
func parseInput(s string) (hub.Input, error) {
	shape, dtype, named := strings.Cut(s, ":")
	if !named {
		dtype = "float32"
	}
	in := hub.Input{DType: dtype, Shape: []int{}}
	for part := range strings.SplitSeq(shape, ",") {
		if part = strings.TrimSpace(part); part == "" && shape == "" {
			break // a scalar
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return in, fmt.Errorf("--input is %q and must be a shape, as in 1,3,224,224 or 1,128:int64", s)
		}
		in.Shape = append(in.Shape, n)
	}
	switch dtype {
	case "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool":
		return in, nil
	}
	return in, fmt.Errorf("--input is %q, and there is no dtype %q", s, dtype)
}

// runExporter runs export.py.
func runExporter(ctx context.Context, c *cobra.Command, python, work string, req exportRequest) (*exportResult, error) {
	script, asked := filepath.Join(work, "export.py"), filepath.Join(work, "request.json")
	data, err := json.Marshal(req)
	if err == nil {
		err = os.WriteFile(asked, data, 0o600)
	}
	if err == nil {
		err = os.WriteFile(script, exporter, 0o600)
	}
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python, script, asked)
	cmd.Stdout, cmd.Stderr = c.ErrOrStderr(), c.ErrOrStderr()
	ran := cmd.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var res exportResult
	data, err = os.ReadFile(req.Result)
	if err == nil {
		err = json.Unmarshal(data, &res)
	}
	switch {
	case err != nil && ran != nil:
		return nil, fmt.Errorf("%s: %w", python, ran)
	case err != nil:
		return nil, fmt.Errorf("%s ended without a result", python)
	case res.Error != "":
		return nil, errors.New(res.Error)
	}
	return &res, nil
}

// compare runs the packed model on Python's inputs and returns by how much the outputs differ at most.
func compare(ctx context.Context, dir, name, checks string, res *exportResult, tolerance float64) (float64, error) {
	// The user's own Python made it just now, from code that is trusted.
	m, err := hub.Load(ctx, dir, name, hub.WithSource("local"), hub.WithNotice(nil), hub.WithNativeCode(hub.TrustAlways))
	if err != nil {
		return 0, err
	}
	defer m.Close()
	state, err := torch.LoadStateDict(checks)
	if err != nil {
		return 0, err
	}
	defer state.Free()
	worst := 0.0
	for i := range 2 {
		var inputs []torch.Value
		for j := range res.Inputs {
			inputs = append(inputs, state.Get(fmt.Sprintf("%d.input.%d", i, j)))
		}
		var out torch.Value
		torch.NoGrad(func() { out, err = m.Call(ctx, inputs...) })
		if err != nil {
			return 0, fmt.Errorf("run it in Go: %w", err)
		}
		got := flatten(out)
		if len(got) != res.Outputs {
			return 0, fmt.Errorf("in Go it gives %d tensors, and in Python %d", len(got), res.Outputs)
		}
		for j, y := range got {
			d, err := difference(state.Get(fmt.Sprintf("%d.output.%d", i, j)), y)
			if err != nil {
				return 0, fmt.Errorf("output %d: %w", j, err)
			}
			if !(d <= tolerance) {
				return 0, fmt.Errorf("output %d differs from Python's by %.1e of the largest, more than the tolerance of %.1e; nothing was written", j, d, tolerance)
			}
			worst = max(worst, d)
		}
	}
	return worst, nil
}

// flatten returns the tensors in a value, in order.
func flatten(v torch.Value) []*torch.Tensor {
	var all []*torch.Tensor
	switch v := v.(type) {
	case *torch.Tensor:
		return []*torch.Tensor{v}
	case []*torch.Tensor:
		return v
	case []torch.Value:
		for _, e := range v {
			all = append(all, flatten(e)...)
		}
	case torch.Tuple:
		for _, e := range v {
			all = append(all, flatten(e)...)
		}
	case *torch.Dict:
		for _, e := range v.Entries {
			all = append(all, flatten(e.Value)...)
		}
	}
	return all
}

// difference returns the largest difference of two tensors as a part of the
// largest finite number of the first one. Other dtypes and shapes are an error.
func difference(want, got *torch.Tensor) (float64, error) {
	if fmt.Sprint(want.Shape()) != fmt.Sprint(got.Shape()) || want.DType() != got.DType() {
		return 0, fmt.Errorf("it is %v %v, and in Python %v %v", got.Shape(), got.DType(), want.Shape(), want.DType())
	}
	if want.DType().IsComplex() {
		wide := func(x *torch.Tensor) *torch.Tensor {
			return x.To(torch.CPU).ToDType(torch.Complex128).ResolveConj().ViewAsReal()
		}
		want, got = wide(want), wide(got)
	}
	w, g := torch.Data[float64](want.ToDType(torch.Float64)), torch.Data[float64](got.To(torch.CPU).ToDType(torch.Float64))
	largest, most := 0.0, 0.0
	for i := range w {
		if !math.IsInf(w[i], 0) && !math.IsNaN(w[i]) {
			largest = max(largest, math.Abs(w[i]))
		}
		switch {
		case w[i] == g[i] || math.IsNaN(w[i]) && math.IsNaN(g[i]):
		case math.IsNaN(w[i]) != math.IsNaN(g[i]):
			return math.Inf(1), nil
		default:
			most = max(most, math.Abs(w[i]-g[i]))
		}
	}
	if most == 0 {
		return 0, nil
	}
	return most / largest, nil
}
