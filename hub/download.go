package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/home"
	"github.com/torchhub/torchhub/internal/oserror"
)

// DownloadURLToFile fetches an http, https or file URL into the file dst, whose
// folder must exist: torch.hub.download_url_to_file. It heeds [WithHTTPClient],
// [WithSHA256], [WithProgress], [WithStallTimeout], [WithRetries] and [WithMaxSize].
//
// The body goes to dst.partial and is renamed when it is complete, checked and
// on disk, so dst never holds half a file. The check is the SHA-256, computed
// on the way, against the digits in the name of dst or else of the URL, as in
// vgg16-397923af.pth. That is Python's rule, stricter where it matters: the
// last group of 8 or more digits counts, where Python takes the first of any
// length and so "1" from model-1.0-abcd1234.pth; it is checked without being
// asked for; and 8 digits that are a date are none. Without digits a zip file, a
// safetensors file, a checkpoint or JSON is checked by what its own format tells,
// such as its length and checksums. Stricter too: a body shorter
// than its Content-Length is an error, a web page where a file was expected is
// one, and a redirect from https to http is refused.
//
// Lost and stalled connections and the statuses 408, 429 and 5xx are tried
// again with growing pauses, going on where the last try broke off if the
// server shows by ETag or Last-Modified that the file is still the same. When
// ctx ends or the tries are used up, dst.partial stays for the next call to go
// on with, also from another process.
//
// Calls for one dst, from any number of goroutines and processes, download
// once: one fetches, and the others wait, as long as their ctx allows, and use
// its file. A dst that is there already is replaced, as in Python, unless its
// SHA-256 is the one wanted.
//
// Where TORCHHUB_MIRROR is set, to a URL, it takes the place of https://host in
// URLs of download.pytorch.org and dl.fbaipublicfiles.com:
// https://download.pytorch.org/models/X becomes $TORCHHUB_MIRROR/models/X. Of
// several URLs, with commas between them, each is tried where the one before it
// failed; "direct" among them is the official host.
//
// Proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in upper or lower
// case. [WithOffline] and TORCHHUB_OFFLINE forbid the network.
func DownloadURLToFile(ctx context.Context, rawURL, dst string, opts ...Option) error {
	if err := newOptions(opts).fetch.Download(ctx, rawURL, home.Expand(dst), false); err != nil {
		return newError("", "", err)
	}
	return nil
}

// cached returns the file of a URL in the cache, downloaded if it is not there.
func (o *options) cached(ctx context.Context, rawURL string) (string, error) {
	sources, err := fetch.Sources(rawURL)
	if err != nil {
		return "", err
	}
	name := o.fileName
	if name == "" {
		name, err = fileName(sources[0])
	} else if !isFileName(name) {
		err = fmt.Errorf("%.200q is not the name of a file in the cache; leave out folders", name)
	}
	if err != nil {
		return "", err
	}
	dir := home.Expand(o.dir)
	if dir == "" {
		dir = filepath.Join(Dir(), "checkpoints")
	}
	file := filepath.Join(dir, name)
	if fi, err := os.Stat(file); err == nil {
		if !fi.Mode().IsRegular() {
			return "", fmt.Errorf("%s is in the place of the weights and is not a file; remove it", file)
		}
		if o.fetch.SHA256 == nil || *o.fetch.SHA256 == "" {
			return file, nil
		}
		return file, o.fetch.Download(ctx, rawURL, file, false) // which leaves it where it is the one wanted
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("cannot make the cache folder %s: %w; choose another with TORCH_HOME", dir, oserror.Cause(err))
	}
	return file, o.fetch.Download(ctx, rawURL, file, true)
}
