package hub

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/oserror"
)

// urlSource is the URL of a hubconf.json, or of the folder of one.
var urlSource = sourceKind{
	is: func(repo string) bool { return strings.Contains(repo, "://") },
	open: func(ctx context.Context, l *loader, repo string) (source, error) {
		return l.openURL(ctx, repo)
	},
}

// openURL downloads the hubconf.json at a URL each time; if the network cannot be reached, it uses the last one.
func (l *loader) openURL(ctx context.Context, raw string) (*confRepository, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "file" && !(u.Scheme == "http" && isLoopback(u)) {
		return nil, fmt.Errorf("%.200q is not an https URL; give one", raw)
	}
	if parts := strings.Split(strings.Trim(u.Path, "/"), "/"); u.Hostname() == "github.com" && len(parts) == 2 {
		return nil, fmt.Errorf("%.200q is a page of GitHub; give the repository as %s/%s", raw, parts[0], strings.TrimSuffix(parts[1], ".git"))
	}
	if !strings.HasSuffix(u.Path, ".json") {
		u = u.JoinPath(HubconfName)
	}
	if u.Scheme == "file" {
		return openFile(filepath.FromSlash(u.Path))
	}
	clean := withoutSecrets(u)
	if err := l.trustRepository(ctx, []string{clean}, false); err != nil {
		return nil, err
	}
	none, id := "", fetch.Digest(u.String())
	once := l.fetch
	once.SHA256, once.Progress, once.MaxSize = &none, nil, maxHubconf
	dir := filepath.Join(Dir(), "url_"+id[:16])
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("cannot make the folder %s: %w; choose another with TORCH_HOME", dir, oserror.Cause(err))
	}
	if err := once.Download(ctx, u.String(), filepath.Join(dir, HubconfName), false); err != nil {
		_, missing := os.Stat(filepath.Join(dir, HubconfName))
		if ctx.Err() != nil || missing != nil || errors.As(err, new(*fetch.StatusError)) {
			return nil, err
		}
		l.say("Using cache found in %s\n", dir)
	}
	conf, err := readHubconf(dir)
	return &confRepository{name: clean, conf: conf, at: place{url: u}}, err
}

// withoutSecrets returns a URL without the parts that may be secret.
func withoutSecrets(u *url.URL) string {
	clean := *u
	clean.User, clean.RawQuery, clean.Fragment = nil, "", ""
	return clean.String()
}
