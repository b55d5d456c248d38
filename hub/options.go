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

// An Option is an option of the functions of this package. The documentation of each function
// lists the options that it honors.
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
	numClasses *int // see WithNumClasses

	weightsBackbone *string // see WithWeightsBackbone

	optimize bool
	dtype    torch.DType // of what is optimized

	names  []string
	notice io.Writer
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

// WithHTTPClient downloads with c: its transport, proxy, cookies and timeout.
// Its redirect policy is applied after the one of this package. Nil is the
// default, which honors HTTPS_PROXY and similar variables.
func WithHTTPClient(c *http.Client) Option {
	return func(o *options) {
		if c == nil {
			c = &http.Client{}
		}
		o.fetch.HTTP = c
	}
}

// WithCacheDir keeps weights in dir, instead of [Dir]'s folder checkpoints: the
// model_dir of torch.hub.load_state_dict_from_url. The folder is created if
// necessary.
func WithCacheDir(dir string) Option { return func(o *options) { o.dir = dir } }

// WithSHA256 sets the SHA-256 that a download must have, or its first digits in
// lower-case hexadecimal, in place of the digits in the file's name. An empty
// prefix turns this check off, and that of the file's own format too.
func WithSHA256(prefix string) Option { return func(o *options) { o.fetch.SHA256 = &prefix } }

// WithProgress draws a progress bar for downloads on w; a nil w draws none. The
// default is stderr if that is a terminal.
func WithProgress(w io.Writer) Option {
	return func(o *options) { o.fetch.Progress = w }
}

// WithStallTimeout sets how long a server may send nothing before the
// connection is closed and the download retried. The default is 30 s.
func WithStallTimeout(d time.Duration) Option { return func(o *options) { o.fetch.Stall = d } }

// WithRetries sets how many times in a row a download is retried without
// progress. The default is 4; 0 tries once.
func WithRetries(n int) Option { return func(o *options) { o.fetch.Retries = n } }

// WithMaxSize refuses downloads of more than n bytes. The default is 64 GiB.
func WithMaxSize(n int64) Option { return func(o *options) { o.fetch.MaxSize = n } }

// WithOffline forbids the network, or allows it even if TORCHHUB_OFFLINE or
// HF_HUB_OFFLINE is set to 1, on, yes or true. Files in the cache and file URLs
// remain available; anything else fails with [ErrOffline].
func WithOffline(offline bool) Option {
	return func(o *options) { o.fetch.Offline, o.offlineSet = offline, true }
}
