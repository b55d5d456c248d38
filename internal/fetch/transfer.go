package fetch

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/internal/terminal"
)

// ErrStalled means that a server sent nothing for too long.
var ErrStalled = errors.New("the server stopped sending")

var errChanged = errors.New("the file on the server changed on the way")

// transfer moves the body of a URL into a partial file.
type transfer struct {
	c   *Client
	job *Job
	u   *url.URL
	key string // the name of u in the partial file
	p   *Partial
	bar *terminal.Bar
}

// run tries until the file is complete.
func (t *transfer) run(ctx context.Context) error {
	mark := t.p.n
	return t.c.Retry(ctx, t.try, func() bool {
		// A try that got further starts the count anew; by enough, so that a server cannot hold us a byte at a time.
		if t.p.n-mark < max(1, min(1<<20, t.p.of.Size/64)) {
			return false
		}
		mark = t.p.n
		return true
	})
}

// Retry retries transfers that failed temporarily, as long as they make progress.
func (c *Client) Retry(ctx context.Context, try func(context.Context) error, further func() bool) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = c.FirstWait
	pause.MaxInterval = 20 * c.FirstWait
	for failures := 0; ; {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var f Final
		if errors.As(err, &f) {
			return f.Err
		}
		if further() {
			failures = 0
			pause.Reset()
		}
		if failures++; failures > c.Retries {
			if failures > 1 {
				return fmt.Errorf("%w (tried %d times)", err, failures)
			}
			return err
		}
		wait := pause.NextBackOff()
		var s *StatusError
		if errors.As(err, &s) && !s.Until.IsZero() {
			if wait = max(wait, time.Until(s.Until)); wait > time.Minute {
				return err
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// try downloads the missing bytes once.
func (t *transfer) try(ctx context.Context) error {
	p := t.p
	if p.of.resumable() && p.n == p.of.Size {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(t.c.Stall, func() {
		cancel(fmt.Errorf("%w for %v; try again later", ErrStalled, t.c.Stall))
	})
	defer stall.Stop()
	body, of, resumed, err := t.open(ctx)
	if err != nil {
		if c := context.Cause(ctx); errors.Is(c, ErrStalled) {
			return c
		}
		return err
	}
	defer body.Close()
	r := bufio.NewReader(&watched{body, stall, t.c.Stall})
	if err := t.fits(of.Size); err != nil {
		return err
	}
	if !resumed {
		head, _ := r.Peek(512)
		if !t.job.Page && strings.HasPrefix(http.DetectContentType(head), "text/html") {
			return Final{errors.New("the server sent a web page, not the file; check the URL, and whether this network asks to sign in first")}
		}
		if what := message(cmp.Or(t.job.Name, t.job.Dst), head); what != "" {
			return Final{fmt.Errorf("the server sent %s, not the file; check the URL", what)}
		}
		if err := p.restart(of); err != nil {
			return err
		}
	}
	buf := make([]byte, 128<<10)
	for {
		n, err := r.Read(buf)
		if p.n+int64(n) > t.c.MaxSize {
			p.of = Entity{}
			return t.tooBig()
		}
		if n > 0 {
			if _, err := p.Write(buf[:n]); err != nil {
				return err
			}
			t.bar.Set(p.n, of.Size)
		}
		switch {
		case err == io.EOF && (of.Size < 0 || p.n == of.Size):
			return nil
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
			fallthrough
		case err != nil:
			if c := context.Cause(ctx); errors.Is(c, ErrStalled) {
				return c
			}
			return t.broken(err)
		}
	}
}

func (t *transfer) tooBig() error {
	return Final{&LimitError{t.c.MaxSize}}
}

// fits refuses a body of a known size for which there is no room.
func (t *transfer) fits(total int64) error {
	if total > t.c.MaxSize {
		return t.tooBig()
	}
	var have int64 // on disk already, of this Entity or of one about to go
	if fi, err := t.p.f.Stat(); err == nil {
		have = fi.Size()
	}
	dir := filepath.Dir(t.p.Path)
	if free, ok := freeSpace(dir); ok && total-have > 0 && uint64(total-have) > free {
		return Final{fmt.Errorf("it needs %s in %s, where %s are free; free some, or choose another folder with TORCH_HOME", terminal.Size(total-have), dir, terminal.Size(int64(free)))}
	}
	return nil
}

// broken returns the error for an interrupted body, with the number of bytes
// received.
func (t *transfer) broken(err error) error {
	what := err.Error()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		what = "the connection broke off"
	}
	if t.p.of.Size > 0 {
		return fmt.Errorf("%s after %d of %d bytes; try again", what, t.p.n, t.p.of.Size)
	}
	return fmt.Errorf("%s after %d bytes; try again", what, t.p.n)
}

// open requests the body, from the end of the partial file if the server shows
// that the body is unchanged; then resumed is true.
func (t *transfer) open(ctx context.Context) (body io.ReadCloser, of Entity, resumed bool, err error) {
	if t.u.Scheme == "file" {
		body, of, err = t.openFile()
		return body, of, false, err
	}
	p := t.p
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.u.String(), nil)
	if err != nil {
		return nil, Entity{}, false, Final{err}
	}
	req.Header.Set("User-Agent", "torchhub")
	req.Header.Set("Accept-Encoding", "identity") // or offsets and lengths would be another file's
	maps.Copy(req.Header, t.job.Header)
	resume := p.n > 0 && p.of.resumable()
	if resume {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.n))
		if p.known == nil {
			req.Header.Set("If-Range", p.of.validator())
		}
	}
	resp, err := t.c.HTTPClient(t.job.Header).Do(req)
	if err != nil {
		return nil, Entity{}, false, Connection(err)
	}
	of = t.describe(resp)
	switch {
	case resp.StatusCode == http.StatusOK:
		of.Size = resp.ContentLength
	case resp.StatusCode == http.StatusPartialContent && resume:
		from, total := contentRange(resp.Header.Get("Content-Range"))
		of.Size = total
		if from == p.n && total == p.of.Size && (p.known != nil || of.validator() == p.of.validator()) {
			return resp.Body, p.of, true, nil
		}
		fallthrough
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && resume:
		resp.Body.Close()
		if err := p.restart(Entity{}); err != nil {
			return nil, Entity{}, false, err
		}
		return nil, Entity{}, false, errChanged
	default:
		resp.Body.Close()
		err := Refusal(resp)
		if c := resp.StatusCode; c == http.StatusNotFound || c == http.StatusGone {
			p.of = Entity{} // there is no rest to resume
		}
		return nil, Entity{}, false, err
	}
	switch enc := resp.Header.Get("Content-Encoding"); strings.ToLower(enc) {
	case "", "identity":
		if p.known != nil {
			if of.Size >= 0 && of.Size != p.known.Size {
				resp.Body.Close()
				return nil, Entity{}, false, Final{fmt.Errorf("the server sends %d bytes, where it said %d before; try again later", of.Size, p.known.Size)}
			}
			of = *p.known
		}
		return resp.Body, of, false, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			resp.Body.Close()
			return nil, Entity{}, false, fmt.Errorf("the server sent broken gzip: %w", err)
		}
		// The length and the ETag are those of the compressed form.
		return inflated{z, resp.Body}, Entity{Size: -1}, false, nil
	default:
		resp.Body.Close()
		return nil, Entity{}, false, Final{fmt.Errorf("the server sent the Content-Encoding %q, which was not asked for; use another server", enc)}
	}
}

func (t *transfer) openFile() (io.ReadCloser, Entity, error) {
	f, err := os.Open(filepath.FromSlash(t.u.Path))
	if err != nil {
		return nil, Entity{}, Final{fmt.Errorf("%w; check the path", oserror.Cause(err))}
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = errors.New("it is not a regular file; give one")
	}
	if err != nil {
		f.Close()
		return nil, Entity{}, Final{err}
	}
	return f, Entity{Size: fi.Size()}, nil
}

// describe returns the headers' description of an entity, without the size.
func (t *transfer) describe(resp *http.Response) Entity {
	e := Entity{URL: t.key, ETag: resp.Header.Get("ETag"), Size: -1}
	if !strings.HasPrefix(e.ETag, `"`) {
		e.ETag = ""
		// A date distinguishes two versions only if it was old enough when it was sent (RFC 9110,
		// 8.8.2.2).
		modified, err := http.ParseTime(resp.Header.Get("Last-Modified"))
		date, derr := http.ParseTime(resp.Header.Get("Date"))
		if err == nil && derr == nil && date.Sub(modified) >= time.Minute {
			e.LastModified = resp.Header.Get("Last-Modified")
		}
	}
	return e
}

// HTTPClient is the caller's client with this package's policy for redirects. Those in header go to no other host than the first.
func (c *Client) HTTPClient(header http.Header) *http.Client {
	client := *c.HTTP
	own := client.CheckRedirect
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		last := via[len(via)-1].URL
		switch {
		case len(via) >= 10:
			return Final{errors.New("stopped after 10 redirects; check the URL")}
		case last.Scheme == "https" && req.URL.Scheme != "https":
			return Final{fmt.Errorf("the server redirects from https to %s, which is refused; check the URL", req.URL.Scheme)}
		case req.URL.Scheme != "http" && req.URL.Scheme != "https":
			return Final{fmt.Errorf("the server redirects to %s, which is refused; check the URL", req.URL.Scheme)}
		}
		if first := via[0].URL; req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
			for k := range header {
				req.Header.Del(k)
			}
		}
		if own != nil {
			if err := own(req, via); err != nil {
				return Final{err}
			}
		}
		return nil
	}
	return &client
}

// message says what a body is that cannot be the weights or archive that a
// file's name promises, by its first bytes: what servers answer instead of an error.
func message(file string, head []byte) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".pth", ".pt", ".pt2", ".bin", ".safetensors", ".zip", ".tar", ".gz", ".bz2", ".npz", ".npy":
	default:
		return ""
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("<?xml")), bytes.HasPrefix(head, []byte("<Error")):
		return "an XML message"
	case bytes.HasPrefix(head, []byte("version https://git-lfs.github.com/spec/")):
		return "a pointer of Git LFS"
	case len(head) > 1 && (head[0] == '{' || head[0] == '[') && json.Valid(head):
		return "a JSON message"
	}
	return ""
}

// Connection words an error of a request that got no answer.
func Connection(err error) error {
	var ue *url.Error // it repeats the URL, or shows the one of a redirect with its secrets
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var f Final
	if errors.As(err, &f) {
		return f
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return Final{fmt.Errorf("no such host %s; check the URL and the network", dns.Name)}
	}
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return Final{fmt.Errorf("%w; check the machine's certificates and clock, and proxies in between", err)}
	}
	return fmt.Errorf("%w; check the network, or set TORCHHUB_MIRROR", err)
}

// Refusal turns a status into an error, final unless another try may succeed.
func Refusal(resp *http.Response) error {
	e := &StatusError{Code: resp.StatusCode}
	if s := resp.Header.Get("Retry-After"); s != "" {
		if sec, err := strconv.Atoi(s); err == nil && sec >= 0 && sec < 1<<30 {
			e.Until = time.Now().Add(time.Duration(sec) * time.Second)
		} else if at, err := http.ParseTime(s); err == nil {
			e.Until = at
		}
	} else if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		if sec, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 40); err == nil {
			e.Until = time.Unix(sec, 0)
		}
	}
	switch {
	case e.Code == http.StatusNotImplemented, e.Code == http.StatusHTTPVersionNotSupported:
	case e.Code == http.StatusRequestTimeout, e.Code == http.StatusTooManyRequests, e.Code >= 500:
		return e
	}
	return Final{e}
}

// contentRange reads "bytes 100-199/1000" as 100 and 1000, or returns -1, -1.
func contentRange(s string) (from, total int64) {
	s, ok := strings.CutPrefix(s, "bytes ")
	span, size, ok2 := strings.Cut(s, "/")
	first, last, ok3 := strings.Cut(span, "-")
	from, err := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	total, err3 := strconv.ParseInt(size, 10, 64)
	if !ok || !ok2 || !ok3 || err != nil || err2 != nil || err3 != nil || from < 0 || to < from || total <= to {
		return -1, -1
	}
	return from, total
}

// watched resets the stall timer with each byte that arrives.
type watched struct {
	r     io.Reader
	timer *time.Timer
	d     time.Duration
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if n > 0 {
		w.timer.Reset(w.d)
	}
	return n, err
}

type inflated struct {
	*gzip.Reader
	under io.Closer
}

func (i inflated) Close() error { return i.under.Close() }

// IsPage reports whether an extension is that of a web page.
func IsPage(ext string) bool {
	switch strings.ToLower(ext) {
	case ".html", ".htm", ".xhtml":
		return true
	}
	return false
}
