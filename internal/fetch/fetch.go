// Package fetch turns URLs into files: it transfers them, goes on with what broke
// off, compares hashes, draws progress bars, and does each once among goroutines
// and processes. It knows no model and no cache.
package fetch

import (
	"io"
	"net/http"
	"time"
)

// A Client fetches. Its fields must be set; New sets the defaults.
type Client struct {
	HTTP      *http.Client  // its redirect policy is applied after the one of this package
	SHA256    *string       // the first digits that a download must have; nil stands for those in the file's name, "" for none
	Progress  io.Writer     // gets the progress bar; nil is none
	Stall     time.Duration // how long a server may send nothing
	Retries   int           // how often a transfer is tried again without having got any further
	FirstWait time.Duration // before the first of them
	MaxSize   int64         // in bytes, of a download
	Offline   bool          // the network is forbidden
}

// New returns a client with the default settings.
func New() *Client {
	return &Client{
		HTTP:      &http.Client{},
		Stall:     30 * time.Second,
		Retries:   4,
		FirstWait: 500 * time.Millisecond,
		MaxSize:   64 << 30,
	}
}
