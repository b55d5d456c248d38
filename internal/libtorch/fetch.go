package libtorch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/torchhub/torchhub/internal/terminal"
)

// The official zip is requested first, so a network that does not reach it must fail early.
var zipClient = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	TLSHandshakeTimeout:   10 * time.Second,
	ResponseHeaderTimeout: 20 * time.Second,
}}

const (
	stallTimeout = 30 * time.Second // without a byte
	maxZip       = 16 << 30
)

var errStalled = fmt.Errorf("the server sent nothing for %v", stallTimeout)

// fetch downloads a URL to a file.
func fetch(ctx context.Context, r report, url, file string) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := zipClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	stall := time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	defer stall.Stop()
	name := path.Base(req.URL.Path)
	r.say("downloading %s, %s", name, megabytes(res.ContentLength))
	w := &watched{Reader: io.LimitReader(res.Body, maxZip), stall: stall, bar: r.bar(name), total: res.ContentLength}
	defer func() { w.bar.Close(err == nil) }()
	n, err := io.Copy(out, w)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if res.ContentLength >= 0 && n != res.ContentLength {
		return fmt.Errorf("%s: %d of %d bytes were received", url, n, res.ContentLength)
	}
	return nil
}

// watched resets a timer with every read that returns bytes, and shows the progress.
type watched struct {
	io.Reader
	stall    *time.Timer
	bar      *terminal.Bar
	n, total int64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.stall.Reset(stallTimeout)
		w.n += int64(n)
		w.bar.Set(w.n, w.total)
	}
	return n, err
}
