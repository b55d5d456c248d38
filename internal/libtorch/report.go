package libtorch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/torchhub/torchhub/internal/terminal"
)

// A report informs the user when each stage of an installation begins. Lines
// are wrapped for a terminal of 80 columns.
type report struct{ w io.Writer }

// newReport writes to w; nil is stderr.
func newReport(w io.Writer) report {
	if w == nil {
		w = os.Stderr
	}
	return report{w}
}

const (
	reportPrefix = "torchhub: "
	reportWidth  = 79
)

// say writes one message.
func (r report) say(format string, args ...any) {
	line := reportPrefix
	empty := true
	for _, word := range strings.Fields(terminal.Escape(fmt.Sprintf(format, args...))) {
		switch {
		case empty:
			line += word
		case len([]rune(line))+1+len([]rune(word)) > reportWidth:
			fmt.Fprintln(r.w, line)
			line = strings.Repeat(" ", len(reportPrefix)) + word
		default:
			line += " " + word
		}
		empty = false
	}
	fmt.Fprintln(r.w, line)
}

// bar returns a progress bar, which is drawn on terminals only.
func (r report) bar(name string) *terminal.Bar {
	return terminal.NewBar(terminal.Of(r.w), name)
}

// lock acquires a file lock, and informs the user if another process holds it for longer than
// lockNotice.
func (r report) lock(ctx context.Context, path, doing string) (*flock.Flock, error) {
	lock := flock.New(path)
	moment, cancel := context.WithTimeout(ctx, lockNotice)
	_, err := lock.TryLockContext(moment, lockRetry)
	cancel()
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		r.say("another process %s; waiting for it", doing)
		_, err = lock.TryLockContext(ctx, lockRetry)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return lock, nil
}

const (
	lockRetry  = 50 * time.Millisecond // the interval at which a waiting process retries
	lockNotice = time.Second           // the wait before the user is informed
)

// short writes a path below the home folder with a tilde.
func short(path string) string {
	home, err := os.UserHomeDir()
	if err != nil || home == "/" {
		return path
	}
	if rest, ok := strings.CutPrefix(path, filepath.Clean(home)+string(filepath.Separator)); ok {
		return filepath.Join("~", rest)
	}
	return path
}

// reason returns why a request failed, without the URL and Go's names of the steps to it.
func reason(err error) string {
	var u *url.Error
	if !errors.As(err, &u) {
		return oneLine(err.Error())
	}
	host := u.URL
	if p, err := url.Parse(u.URL); err == nil {
		host = p.Host
	}
	var dns *net.DNSError
	var dial *net.OpError
	switch {
	case errors.As(u, &dns) && dns.IsNotFound:
		return host + ": no such host"
	case u.Timeout():
		return host + " does not answer"
	case errors.As(u, &dial):
		return host + ": " + oneLine(dial.Err.Error())
	}
	return host + ": " + oneLine(u.Err.Error())
}

// megabytes writes a size as pip does; a negative one is unknown.
func megabytes(n int64) string {
	if n < 0 {
		return "of unknown size"
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}
