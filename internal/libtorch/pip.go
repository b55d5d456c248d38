package libtorch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/torchhub/torchhub/internal/terminal"
)

// A pip downloads wheels.
type pip struct {
	report  report
	command []string // the command line that starts it
	tmp     string   // the folder of unfinished downloads
}

// findPip finds a pip that starts. Its temporary files are in a folder in work.
func findPip(r report, work string) (*pip, error) {
	for _, p := range [][]string{{"python3", "-m", "pip"}, {"pip3"}, {"pip"}} {
		if _, err := exec.LookPath(p[0]); err != nil {
			continue
		}
		if exec.Command(p[0], append(p[1:], "--version")...).Run() == nil {
			return &pip{report: r, command: p, tmp: filepath.Join(work, "pip")}, nil
		}
	}
	return nil, errors.New("there is no pip (install python3-pip)")
}

// download downloads wheels to a folder, with or without their dependencies.
// libtorch is the same for all Pythons, so if this one is too old or too new
// for the wheel, that of another Python is downloaded.
func (p *pip) download(ctx context.Context, dir string, deps bool, packages ...string) error {
	args := []string{"download", "--progress-bar", "off", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:", "--dest", dir}
	if !deps {
		args = append(args, "--no-deps")
	}
	err := p.run(ctx, append(args, packages...))
	if err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "No matching distribution") {
		if p.run(ctx, append(append(args, "--python-version", "3.12"), packages...)) == nil {
			return nil
		}
	}
	return err
}

func (p *pip) run(ctx context.Context, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	if err := os.MkdirAll(p.tmp, 0o755); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, p.command[0], append(p.command[1:len(p.command):len(p.command)], args...)...)
	c.Env = append(os.Environ(), "TMPDIR="+p.tmp, "PYTHONUNBUFFERED=1")
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) } // it removes its own temporary files
	c.WaitDelay = 5 * time.Second
	r, w := io.Pipe()
	c.Stdout, c.Stderr = w, w
	type followed struct {
		last string
		err  error
	}
	done := make(chan followed, 1)
	go func() {
		last := p.follow(r)
		_, err := io.Copy(io.Discard, r) // after a line that is too long
		done <- followed{last, err}
	}()
	err := c.Run()
	w.Close()
	f := <-done
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f.last == "" {
			f.last = err.Error()
		}
		return fmt.Errorf("%s download: %s", strings.Join(p.command, " "), f.last)
	}
	return f.err
}

// A line of pip about a file, "Downloading NAME (532.1 MB)": NAME is a URL if the index is not the default
// one.
var downloading = regexp.MustCompile(`^(Downloading|Using cached) (\S+\.whl) \(([0-9.]+) (MB|kB)\)`)

// follow reads pip's output and shows the progress of its downloads. It returns
// the last line that states an error, or else the last line.
func (p *pip) follow(output io.Reader) (last string) {
	var b *watch
	failed, retried := false, false
	defer func() { b.close(!failed) }()
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		line := oneLine(lines.Text())
		message, isError := strings.CutPrefix(line, "ERROR: ")
		if line == "" || failed && !isError {
			continue
		}
		last, failed = message, isError
		if strings.HasPrefix(line, "WARNING: Retrying") && !retried {
			retried = true
			p.report.say("pip's server does not answer; pip tries it again")
		}
		if m := downloading.FindStringSubmatch(line); m != nil {
			size, _ := strconv.ParseFloat(m[3], 64)
			unit := map[string]float64{"MB": 1e6, "kB": 1e3}[m[4]]
			b.close(true)
			b = nil
			if n := int64(size * unit); n >= smallest {
				b = p.start(path.Base(m[2]), n, m[1] == "Using cached")
			}
		}
	}
	return last
}

// smallest is the size from which a file is reported.
const smallest = 1e6

// A watch draws the bar of a file that pip downloads.
type watch struct {
	bar        *terminal.Bar
	total      int64
	stop, done chan struct{}
}

// start shows a download of pip, which only reports the beginning.
func (p *pip) start(file string, total int64, cached bool) *watch {
	fields := append(strings.SplitN(file, "-", 3), "", "")
	name := strings.TrimSpace(fields[0] + " " + fields[1]) // the rest is the Python version and the system
	if cached {
		p.report.say("pip has %s, %s", name, megabytes(total))
		return nil
	}
	p.report.say("pip downloads %s, %s", name, megabytes(total))
	b := &watch{bar: p.report.bar(name), total: total, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(b.done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-b.stop:
				return
			case <-tick.C:
				b.bar.Set(min(p.arrived(file), total), total)
			}
		}
	}()
	return b
}

// arrived returns the size of a file that pip is writing.
func (p *pip) arrived(name string) (n int64) {
	_ = filepath.WalkDir(p.tmp, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == name {
			if st, err := e.Info(); err == nil {
				n = st.Size()
			}
		}
		return nil
	})
	return n
}

// close ends the bar; ok means that the file is complete.
func (b *watch) close(ok bool) {
	if b == nil {
		return
	}
	close(b.stop)
	<-b.done
	if ok {
		b.bar.Set(b.total, b.total)
	}
	b.bar.Close(ok)
}
