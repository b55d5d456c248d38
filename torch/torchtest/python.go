package torchtest

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/torchhub/torchhub/internal/python"
	"github.com/torchhub/torchhub/torch"
)

//go:embed exchange.py
var exchange string

// variable names the environment variable that holds the path of Python.
const variable = "TORCHHUB_REFERENCE"

// An Interpreter is a running Python, whose functions a test calls.
type Interpreter struct {
	t     testing.TB
	p     *python.Process
	dir   string // of the files by which values travel
	limit time.Duration
}

// Keywords are keyword arguments, given as the last argument of [Interpreter.Call].
//
//	torchtest.Python(t).Call("torch.sum", x, torchtest.Keywords{"dim": 0, "keepdim": true})
type Keywords map[string]any

// A PythonError is an exception that Python raised.
type PythonError struct {
	Type      string // such as "ValueError"
	Message   string
	Traceback string // Python's whole report
}

// Error returns the type and the message.
func (e *PythonError) Error() string { return e.Type + ": " + e.Message }

// Python starts a Python that has torch, and runs the source texts in it, one after the
// other. The module torch is imported.
//
//	p := torchtest.Python(t, `
//	def attention(q, k, v):
//		return torch.nn.functional.scaled_dot_product_attention(q, k, v)
//	`)
//	torchtest.AssertClose(t, y, p.Call("attention", x, x, x))
//
// The environment variable TORCHHUB_REFERENCE names the Python. If it is not set,
// that of an active virtual environment is used, or else python3 or python. If none of
// them has torch and the other modules that the source imports, the test is skipped,
// with the reason. If the variable is set, the test fails instead, so that a machine
// that sets it skips nothing.
//
// Importing torch takes seconds. So all tests of a test binary that give the same
// source share a process, with its global variables. It ends with the test binary,
// or earlier if other sources are used after the last test that uses it. Parallel tests may call it; it runs one call at a time.
func Python(t testing.TB, source ...string) *Interpreter {
	t.Helper()
	var programs []python.Program
	for _, s := range source {
		programs = append(programs, python.Program{Source: s})
	}
	return start(t, programs)
}

// PythonFile is [Python] with a file of source. Modules beside the file can be
// imported. What is below "if __name__ == '__main__':" does not run.
//
//	p := torchtest.PythonFile(t, "testdata/net.py")
func PythonFile(t testing.TB, path string) *Interpreter {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("torchtest: %v", err)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatalf("torchtest: %v", err)
	}
	return start(t, []python.Program{{Path: full}})
}

func start(t testing.TB, programs []python.Program) *Interpreter {
	t.Helper()
	p := &Interpreter{t: t, limit: 5 * time.Minute}
	programs = append([]python.Program{{Source: exchange}}, programs...)
	named := os.Getenv(variable)
	reason := "" // why the first one cannot be used
	for _, executable := range pythons(named) {
		var err error
		p.p, err = python.Start(executable, p.left(), programs...)
		t.Cleanup(p.p.Release)
		if err == nil {
			p.dir = t.TempDir()
			return p
		}
		why := fmt.Sprintf("torchtest: start %s: %v", executable, err)
		if e := (*python.Exception)(nil); errors.As(err, &e) {
			if e.Type != "ModuleNotFoundError" {
				t.Fatal(why)
			}
			why = fmt.Sprintf("torchtest: %s lacks a module: %s; install it, or set %s to the path of a Python that has it", executable, e.Message, variable)
		}
		reason = cmp.Or(reason, why)
	}
	if named != "" {
		t.Fatal(reason)
	}
	t.Skip(cmp.Or(reason, "torchtest: no Python was found; set "+variable+" to the path of one that has torch"))
	return nil
}

// pythons returns the paths of Pythons to try: only the one that the user named, if any.
func pythons(named string) (paths []string) {
	names := []string{named}
	if named == "" {
		names = []string{"python3", "python"}
		if env := os.Getenv("VIRTUAL_ENV"); env != "" {
			names = append([]string{filepath.Join(env, "bin", "python")}, names...)
		}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			paths = append(paths, path)
		} else if name == named {
			paths = append(paths, name) // whose start gives the reason
		}
	}
	return paths
}

// Within returns p with another limit for the time that a call may take, instead of
// five minutes. A call that exceeds it fails the test, ends the process, and reports
// where Python was. No call takes longer than the test's own deadline.
func (p *Interpreter) Within(limit time.Duration) *Interpreter {
	q := *p
	q.limit = limit
	return &q
}

// left returns the limit, or the time that is left to the test if it is less.
func (p *Interpreter) left() time.Duration {
	t, ok := p.t.(interface{ Deadline() (time.Time, bool) })
	if !ok {
		return p.limit
	}
	if end, ok := t.Deadline(); ok {
		return min(p.limit, max(time.Until(end)-5*time.Second, time.Second))
	}
	return p.limit
}

// Call calls a Python function and returns its result, as [torch.Load] describes
// values. The function is an expression, such as the name of a function in the
// source, "torch.nn.functional.gelu", or a lambda.
//
// Arguments are what [torch.Save] writes: tensors of all dtypes and layouts, numbers,
// strings, bools, nil, and slices, maps, *torch.Dict and torch.StateDict of
// them. Tensors keep their strides, and require a gradient if they do in Go.
// Results may be the same, and NumPy's arrays and numbers become tensors and numbers,
// and named tuples and dataclasses tuples and dicts. Their tensors are detached.
//
// What the function prints is logged. An exception fails the test at once, with its
// traceback, so Call must be called on the goroutine of the test; see [Interpreter.Try].
func (p *Interpreter) Call(function string, args ...any) torch.Value {
	p.t.Helper()
	v, err := p.Try(function, args...)
	p.must("call "+function, err)
	return v
}

// must fails the test if there is an error.
func (p *Interpreter) must(what string, err error) {
	p.t.Helper()
	var e *PythonError
	switch {
	case errors.As(err, &e):
		p.t.Fatalf("torchtest: %s: %v\n%s", what, err, strings.TrimRight(e.Traceback, "\n"))
	case err != nil:
		p.t.Fatalf("torchtest: %s: %v", what, err)
	}
}

// Try is [Interpreter.Call], except that it returns an error instead of failing the
// test: a *[PythonError] if the function raised an exception.
func (p *Interpreter) Try(function string, args ...any) (torch.Value, error) {
	p.t.Helper()
	keywords := Keywords{}
	if n := len(args); n > 0 {
		if k, ok := args[n-1].(Keywords); ok {
			args, keywords = args[:n-1], k
		}
	}
	dir, err := os.MkdirTemp(p.dir, "") // other goroutines may call too
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // tensors keep the mapping
	in, out := filepath.Join(dir, "arguments.pt"), filepath.Join(dir, "answer.pt")
	if err := torch.Save(in, torch.Tuple{torch.Tuple(args), map[string]any(keywords)}); err != nil {
		return nil, err
	}
	if err := p.do("_torchtest_call", function, in, out); err != nil {
		return nil, err
	}
	return torch.Load(out)
}

// Run runs Python statements among the global variables of the source.
//
//	torchtest.Python(t).Run("torch.manual_seed(0)")
func (p *Interpreter) Run(statements string) {
	p.t.Helper()
	p.must("run Python", p.do("_torchtest_run", statements))
}

// do calls a function of exchange.py and logs what is printed.
func (p *Interpreter) do(function string, args ...any) error {
	p.t.Helper()
	printed, err := p.p.Call(p.left(), nil, function, args...)
	if printed != "" {
		p.t.Log("python: " + strings.TrimRight(printed, "\n"))
	}
	if e := (*python.Exception)(nil); errors.As(err, &e) {
		return (*PythonError)(e)
	}
	return err
}
