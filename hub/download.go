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

// DownloadURLToFile downloads an http, https or file URL to the file dst, whose
// folder must exist: torch.hub.download_url_to_file. It honors [WithHTTPClient],
// [WithSHA256], [WithProgress], [WithStallTimeout], [WithRetries] and [WithMaxSize].
//
// The body is written to dst.partial, which is renamed when it is complete,
// checked and on disk, so dst never holds half a file. The SHA-256, computed
// during the download, is compared with the digits in the name of dst or else of
// the URL, as in vgg16-397923af.pth. Unlike Python, which takes the first group
// of digits of any length and so "1" from model-1.0-abcd1234.pth, it uses the
// last group of 8 or more digits, ignores 8 digits that are a date, and checks by
// default. Without digits, a zip file, a safetensors file, a checkpoint or JSON
// is checked by its own format, such as by its length and checksums. Also unlike
// Python, a body shorter than its Content-Length is an error, a web page in place
// of a file is an error, and a redirect from https to http is refused.
//
// Lost and stalled connections and the statuses 408, 429 and 5xx are retried
// with growing pauses. A retry resumes where the last one stopped if ETag or
// Last-Modified shows that the file is unchanged. If ctx ends or the retries
// are used up, dst.partial is kept, and the next call, in this or another
// process, resumes it.
//
// Concurrent calls for one dst, from any number of goroutines and processes,
// download once: one downloads, and the others wait until it is done or their
// ctx ends, and use its file. A dst that exists is replaced, as in Python,
// unless its SHA-256 is the expected one.
//
// If TORCHHUB_MIRROR is set to a URL, that URL replaces https://host in URLs of
// download.pytorch.org and dl.fbaipublicfiles.com:
// https://download.pytorch.org/models/X becomes $TORCHHUB_MIRROR/models/X. It
// may hold several URLs, separated by commas, each of which is tried if the one
// before it failed; "direct" stands for the official host.
//
// Proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in upper or lower
// case. [WithOffline] and TORCHHUB_OFFLINE forbid the network.
func DownloadURLToFile(ctx context.Context, rawURL, dst string, opts ...Option) error {
	if err := newLoader(opts).fetch.Download(ctx, rawURL, home.Expand(dst), false); err != nil {
		return newError("", "", err)
	}
	return nil
}

// cached returns the file of a URL in the cache, downloaded if it is not there.
func (l *loader) cached(ctx context.Context, rawURL string) (string, error) {
	sources, err := fetch.Sources(rawURL)
	if err != nil {
		return "", err
	}
	name := l.fileName
	if name == "" {
		name, err = fileName(sources[0])
	} else if !isFileName(name) {
		err = fmt.Errorf("%.200q is not the name of a file in the cache; leave out folders", name)
	}
	if err != nil {
		return "", err
	}
	dir := home.Expand(l.dir)
	if dir == "" {
		dir = filepath.Join(Dir(), "checkpoints")
	}
	file := filepath.Join(dir, name)
	if fi, err := os.Stat(file); err == nil {
		if !fi.Mode().IsRegular() {
			return "", fmt.Errorf("%s is in the place of the weights and is not a file; remove it", file)
		}
		if l.fetch.SHA256 == nil || *l.fetch.SHA256 == "" {
			return file, nil
		}
		return file, l.fetch.Download(ctx, rawURL, file, false) // which keeps it if it is the expected one
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("cannot make the cache folder %s: %w; choose another with TORCH_HOME", dir, oserror.Cause(err))
	}
	return file, l.fetch.Download(ctx, rawURL, file, true)
}
