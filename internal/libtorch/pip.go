package libtorch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// pip is the command line that starts pip.
type pip []string

// findPip looks for a pip that starts.
func findPip() (pip, error) {
	for _, p := range []pip{{"python3", "-m", "pip"}, {"pip3"}, {"pip"}} {
		if _, err := exec.LookPath(p[0]); err != nil {
			continue
		}
		if exec.Command(p[0], append(p[1:], "--version")...).Run() == nil {
			return p, nil
		}
	}
	return nil, errors.New("there is no pip (install python3-pip)")
}

// download fetches wheels into a folder, with what they depend on or without.
// libtorch is the same for all Pythons, so where this one is too old or too new
// for the wheel the one of another is taken.
func (p pip) download(ctx context.Context, dir string, deps bool, packages ...string) error {
	args := append(p[1:len(p):len(p)], "download", "--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:", "--dest", dir)
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

func (p pip) run(ctx context.Context, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	var text bytes.Buffer
	c := exec.CommandContext(ctx, p[0], args...)
	c.Stdout, c.Stderr = &text, &text
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) } // it removes its own temporary files
	c.WaitDelay = 5 * time.Second
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s: %s", strings.Join(append(p, "download"), " "), lastError(text.String(), err))
	}
	return nil
}

// lastError returns the last line of pip's output that states an error.
func lastError(text string, err error) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], "ERROR: ") {
			return oneLine(strings.TrimPrefix(lines[i], "ERROR: "))
		}
	}
	if last := lines[len(lines)-1]; last != "" {
		return oneLine(last)
	}
	return err.Error()
}
