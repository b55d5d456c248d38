// Package python runs Python programs whose functions Go can call, for tests.
package python

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

//go:embed driver.py
var driver string

// A Program is source text, or the path of a file of it, which a process runs
// before the first call. Modules beside a file can be imported.
type Program struct {
	Source string `json:"source"`
	Path   string `json:"path"`
}

// A Process is a running Python. It ends with this process.
type Process struct {
	once sync.Once
	mu   sync.Mutex // one call at a time
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	logs bytes.Buffer // its stderr; must not be read before Wait returns
	err  error        // why there is none
	over atomic.Bool  // it has ended

	users    int // those between Start and Release
	released int // the number of releases before its last one
}

var (
	mu        sync.Mutex // guards these, and the users of processes
	processes = map[string]*Process{}
	releases  int
)

const idle = 3 // processes without users that stay for the next one: each takes hundreds of megabytes

// An Exception is one that Python raised.
type Exception struct {
	Type      string `json:"exception"` // such as "ValueError"
	Message   string `json:"message"`
	Traceback string `json:"traceback"`
}

// Error returns the exception and its traceback.
func (e *Exception) Error() string {
	return e.Type + ": " + e.Message + "\n" + strings.TrimSpace(e.Traceback)
}

// Start returns the process of the Python executable that has run the programs one
// after the other, which is shared by all that start the same, so that imports are
// paid for once. Its error is an *Exception if a program raised one. The caller must
// call Release.
func Start(executable string, limit time.Duration, programs ...Program) (*Process, error) {
	key := fmt.Sprintf("%q %q", executable, programs)
	mu.Lock()
	p := processes[key]
	if p == nil || p.over.Load() {
		p = new(Process)
		processes[key] = p
	}
	p.users++
	old := surplus()
	mu.Unlock()
	for _, p := range old {
		p.end()
	}
	p.once.Do(func() { p.err = p.start(executable, limit, programs) })
	return p, p.err
}

// surplus removes the processes without users from the map, except for the last ones, and returns them.
func surplus() (old []*Process) {
	for _, p := range processes {
		if p.users == 0 {
			old = append(old, p)
		}
	}
	slices.SortFunc(old, func(p, q *Process) int { return p.released - q.released })
	old = old[:max(0, len(old)-idle)]
	maps.DeleteFunc(processes, func(_ string, p *Process) bool { return slices.Contains(old, p) })
	return old
}

// Release says that the caller of Start does not call p any more.
func (p *Process) Release() {
	mu.Lock()
	defer mu.Unlock()
	p.users--
	p.released = releases
	releases++
}

func (p *Process) start(executable string, limit time.Duration, programs []Program) (err error) {
	p.cmd = exec.Command(executable, "-c", driver)
	p.cmd.Stderr = &p.logs
	p.cmd.WaitDelay = time.Second // children of Python may keep its stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.out = bufio.NewReader(out)
	_, err = p.send(limit, programs, nil)
	return err
}

// end ends a process without users.
func (p *Process) end() {
	if p.out != nil && !p.over.Load() {
		p.in.Close()
		p.wait()
	}
}

// Call calls a Python function and reads its result into answer, a pointer or
// nil. It returns what the function printed. The function is an expression, evaluated
// among the programs' globals: a name that a program defines or imports, or a lambda.
//
// Arguments and results travel as JSON, and these besides: a struct of dtype, shape
// and data arrives as a numpy.ndarray; a numpy.ndarray or torch.Tensor comes back as such a struct, and
// bytes as []byte. If Python does not answer within the limit, the process ends. A
// limit of 0 is none.
func (p *Process) Call(limit time.Duration, answer any, function string, args ...any) (printed string, err error) {
	if args == nil {
		args = []any{}
	}
	return p.send(limit, map[string]any{"function": function, "args": args}, answer)
}

func (p *Process) send(limit time.Duration, request, answer any) (printed string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	w := p.watch(limit)
	_, err = p.in.Write(append(line, '\n'))
	if err == nil {
		line, err = p.out.ReadBytes('\n')
	}
	late := w.stop()
	var reply struct {
		Answer  json.RawMessage
		Printed string
		Stack   string
		Exception
	}
	if err == nil {
		err = json.Unmarshal(line, &reply)
	} else if !late {
		return "", fmt.Errorf("python has ended: %w: %v\n%s", err, p.wait(), &p.logs)
	}
	switch {
	case late:
		p.cmd.Process.Kill()
		p.wait()
		err := fmt.Errorf("python did not answer within %v and was ended", limit)
		if reply.Stack != "" {
			err = fmt.Errorf("%w; it was at:\n%s", err, strings.TrimRight(reply.Stack, "\n"))
		}
		return "", err
	case err != nil:
		return "", err
	case reply.Type != "":
		return reply.Printed, &reply.Exception
	case answer == nil:
		return reply.Printed, nil
	}
	return reply.Printed, json.Unmarshal(reply.Answer, answer)
}

// wait waits for the end of the process, and returns how it ended.
func (p *Process) wait() error {
	p.over.Store(true)
	return p.cmd.Wait()
}

// A watch asks a process where it is when the time is up, and ends it if it does not say so.
type watch struct {
	late      atomic.Bool
	ask, kill *time.Timer
}

const grace = 3 * time.Second // to answer where it is

func (p *Process) watch(limit time.Duration) *watch {
	w := new(watch)
	if limit > 0 {
		w.ask = time.AfterFunc(limit, func() {
			w.late.Store(true)
			p.in.Write([]byte("where\n"))
		})
		w.kill = time.AfterFunc(limit+grace, func() { p.cmd.Process.Kill() })
	}
	return w
}

// stop ends the watch, and reports whether the time was up.
func (w *watch) stop() bool {
	if w.ask != nil {
		w.ask.Stop()
		w.kill.Stop()
	}
	return w.late.Load()
}
