package hub

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLinksStay follows links within the folder of a hubconf.json, and no further.
func TestLinksStay(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "in.pt"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "out.pt"), nil, 0o600))
	require.NoError(t, os.Symlink("in.pt", filepath.Join(dir, "near.pt")))
	require.NoError(t, os.Symlink(filepath.Join(elsewhere, "out.pt"), filepath.Join(dir, "far.pt")))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "sub")))
	at := place{dir: dir}
	for name, ok := range map[string]bool{"in.pt": true, "near.pt": true, "none.pt": true, "far.pt": false, "sub/out.pt": false} {
		file, _, err := at.resolve(name)
		if ok {
			require.NoError(t, err, name)
			require.Equal(t, filepath.Join(dir, name), file)
			continue
		}
		require.ErrorContains(t, err, "leads out of the folder", name)
	}
}

// TestWhatPlacesMayName lists which URLs a hubconf.json may name by where it comes from.
func TestWhatPlacesMayName(t *testing.T) {
	at := func(raw string) place {
		u, err := url.Parse(raw)
		require.NoError(t, err)
		return place{url: u}
	}
	for _, c := range []struct {
		at              place
		https, http, of bool // an https URL, an http URL of this machine, a file URL
	}{
		{place{}, true, true, true},
		{place{dir: t.TempDir()}, true, false, false},
		{at("https://example.com/m/hubconf.json"), true, false, false},
		{at("http://127.0.0.1:80/m/hubconf.json"), true, true, false},
		{at("http://[::1]/m/hubconf.json"), true, true, false},
		{at("http://localhost:1/m/hubconf.json"), true, true, false},
	} {
		for raw, ok := range map[string]bool{
			"https://example.com/a.pt": c.https, "http://127.0.0.1:8080/a.pt": c.http, "http://localhost/a.pt": c.http, "file:///a.pt": c.of,
			"http://example.com/a.pt": false, "file://example.com/a.pt": false, "FTP://example.com/a.pt": false, "../a.pt": false, "/a.pt": false,
		} {
			_, got, err := c.at.resolve(raw)
			if !ok {
				require.Error(t, err, "%v: %s", c.at, raw)
				continue
			}
			require.NoError(t, err, "%v: %s", c.at, raw)
			require.Equal(t, raw, got)
		}
	}
}
