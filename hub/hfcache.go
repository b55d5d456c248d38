package hub

import (
	"context"

	"github.com/torchhub/torchhub/internal/hfcache"
)

// WithHFToken gives the access token for the Hugging Face Hub, instead of the
// one in HF_TOKEN or in the file that "hf auth login" writes; "" is none. It is
// sent to the Hub only, and not to hosts to which the Hub redirects.
func WithHFToken(token string) Option { return func(o *options) { o.hfToken = &token } }

// HFCacheDir returns the folder of files from the Hugging Face Hub, which is shared
// with Python: huggingface_hub.constants.HF_HUB_CACHE. It is the first that is set
// of $HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
// $XDG_CACHE_HOME/huggingface/hub and ~/.cache/huggingface/hub. A leading ~ and
// variables in it are replaced. Variables that are empty count as unset.
//
// https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables#hfhubcache
func HFCacheDir() string { return hfcache.Dir() }

// HFDownload returns the path of a file of a repository on the Hugging Face
// Hub, which is downloaded to [HFCacheDir] unless it exists there:
// huggingface_hub.hf_hub_download(repo, file, revision=…). The repository is
// "owner/name", or "owner/name@revision" for another branch, tag or commit than
// main. The cache and its locks are Python's own: files that either has
// downloaded, the other finds.
//
// It honors HF_ENDPOINT, HF_TOKEN and the file that "hf auth login" writes,
// HF_HUB_OFFLINE, [WithHFToken], [WithOffline], [WithCacheDir] in place of
// HFCacheDir, and the options of [DownloadURLToFile] except [WithSHA256]. As in
// Python, each call checks at the Hub whether a branch has moved, and uses the cache
// if the Hub cannot be reached; a commit that is in the cache needs no network.
//
// Unlike Python, it checks the hash that the Hub gives for a file, SHA-256 for large
// ones and Git's for small ones, and resumes an interrupted download. The error for a
// missing repository, revision or file matches fs.ErrNotExist, and that for a private
// or gated one fs.ErrPermission.
//
// https://huggingface.co/docs/huggingface_hub/package_reference/file_download
func HFDownload(ctx context.Context, repo, file string, opts ...Option) (string, error) {
	r, err := hfcache.Parse(repo)
	if err == nil {
		file, err = newLoader(opts).hfCache().File(ctx, r, file)
	}
	if err != nil {
		return "", newError("", "", err)
	}
	return file, nil
}

// hfCache returns the cache of the Hugging Face Hub for the options.
func (l *loader) hfCache() *hfcache.Client {
	c := &hfcache.Client{Fetch: l.fetch, Dir: l.dir, Token: l.hfToken}
	if !l.offlineSet && hfcache.OfflineByEnvironment() {
		c.Fetch.Offline = true
	}
	return c
}
