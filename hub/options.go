package hub

import (
	"io"
	"net/http"
	"os"
	"time"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/hfcache"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/torch"
)

// An Option changes what the functions of this package do. Each function says which it heeds.
type Option func(*options)

type options struct {
	fetch      fetch.Client
	dir        string
	offlineSet bool // by WithOffline
	hfToken    *string
	device     torch.Device
	weights    string
	key        *string // of the weights; see WithKey
	prefix     *string
	arguments  *string
	names      []string
	notice     io.Writer
	repoOptions
}

func newOptions(opts []Option) *options {
	o := &options{fetch: *fetch.New(), notice: os.Stderr, device: torch.CPU}
	o.fetch.Offline = hfcache.IsTrue("TORCHHUB_OFFLINE")
	o.fetch.Progress = terminal.Of(os.Stderr)
	for _, f := range opts {
		f(o)
	}
	return o
}

// WithHTTPClient fetches with c: its transport, proxy, cookies and timeout. Its
// redirect policy is asked after the one of this package. Nil is the default,
// which heeds HTTPS_PROXY and the like.
func WithHTTPClient(c *http.Client) Option {
	return func(o *options) {
		if c == nil {
			c = &http.Client{}
		}
		o.fetch.HTTP = c
	}
}

// WithCacheDir keeps weights in dir, instead of [Dir]'s folder checkpoints: the
// model_dir of torch.hub.load_state_dict_from_url. The folder is made at need.
func WithCacheDir(dir string) Option { return func(o *options) { o.dir = dir } }

// WithSHA256 gives the SHA-256 that a download must have, or its first digits
// in lower-case hexadecimal, instead of what the file's name says. An empty
// prefix turns the check off, and that of the file's own format, too.
func WithSHA256(prefix string) Option { return func(o *options) { o.fetch.SHA256 = &prefix } }

// WithProgress draws a progress bar for downloads on w; a nil w draws none.
// Without this option the bar appears on stderr where that is a terminal.
func WithProgress(w io.Writer) Option {
	return func(o *options) { o.fetch.Progress = w }
}

// WithStallTimeout sets how long a server may send nothing before the
// connection is given up and tried again. The default is 30 s.
func WithStallTimeout(d time.Duration) Option { return func(o *options) { o.fetch.Stall = d } }

// WithRetries sets how often a download is tried again without having got any
// further. The default is 4; 0 tries once.
func WithRetries(n int) Option { return func(o *options) { o.fetch.Retries = n } }

// WithMaxSize refuses downloads of more than n bytes. The default is 64 GiB.
func WithMaxSize(n int64) Option { return func(o *options) { o.fetch.MaxSize = n } }

// WithOffline forbids the network, or allows it where TORCHHUB_OFFLINE or
// HF_HUB_OFFLINE is set to 1, on, yes or true. What is in the cache, or has a
// file URL, can be had; the rest is [ErrOffline].
func WithOffline(offline bool) Option {
	return func(o *options) { o.fetch.Offline, o.offlineSet = offline, true }
}
