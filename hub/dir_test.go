package hub

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/fetch"
)

func TestDir(t *testing.T) {
	for _, c := range []struct{ set, torchHome, xdg, want string }{
		{"", "", "", "/home/me/.cache/torch/hub"},
		{"", "", "/xdg", "/xdg/torch/hub"},
		{"", "", "~/x", "/home/me/x/torch/hub"},
		{"", "/th", "/xdg", "/th/hub"},
		{"", "~/th", "/xdg", "/home/me/th/hub"},
		{"", "rel", "", "rel/hub"},
		{"/set", "/th", "/xdg", "/set"},
		{"~/set", "/th", "/xdg", "/home/me/set"},
		{"~", "", "", "/home/me"},
		{"~other", "", "", "~other"},
	} {
		t.Setenv("HOME", "/home/me")
		t.Setenv("TORCH_HOME", c.torchHome)
		t.Setenv("XDG_CACHE_HOME", c.xdg)
		SetDir(c.set)
		require.Equal(t, filepath.FromSlash(c.want), Dir(), "%+v", c)
	}
	SetDir("")
}

func TestFileName(t *testing.T) {
	for raw, want := range map[string]string{
		"https://h/models/resnet18-f37072fd.pth":   "resnet18-f37072fd.pth",
		"https://h/a/b.pt?download=1#x":            "b.pt",
		"https://h/a/b%20c.pt":                     "b c.pt",
		"https://h/..%2f..%2fetc%2fpasswd":         "passwd",
		"https://h/":                               "",
		"https://h":                                "",
		"https://h/a/..":                           "",
		"https://h/a/%2e%2e":                       "",
		"https://h/a/b%5c..%5cc.pth":               "",
		"https://h/a/b%00.pth":                     "",
		"https://h/a/%1b%5B31mred.pth":             "",
		"https://h/models/%C3%A9t%C3%A9-1234567.h": "été-1234567.h",
	} {
		u, err := url.Parse(raw)
		require.NoError(t, err)
		got, err := fileName(u)
		require.Equal(t, want == "", err != nil, "%s: %v", raw, err)
		require.Equal(t, want, got, raw)
	}
}

func TestHashPrefix(t *testing.T) {
	for name, want := range map[string]string{
		"resnet18-f37072fd.pth":                 "f37072fd",
		"ig_resnext101_32x8-c38310e5.pth":       "c38310e5",
		"model-1.0-abcd1234.pth":                "abcd1234",
		"mnasnet1.0_top1_73.512-f206786ef8.pth": "f206786ef8",
		"x-12345678.tar.gz":                     "12345678",
		"a-deadbeef.b-cafebabe.pth":             "cafebabe",
		"a-deadbeef-cafebabe.pth":               "cafebabe",
		"x-ABCD1234.pth":                        "",
		"x-.pth":                                "",
		"x-deadbeefg.pth":                       "",
		"x-deadbeef":                            "",
		"x-1234567.pth":                         "",
		"resnet18_fbgemm_16fa66dd.pth":          "",
		"model-20240131.pth":                    "",
		"model-20241331.pth":                    "20241331", // no such month
		"model-20240131.x-abcd1234.pth":         "abcd1234",
	} {
		require.Equal(t, want, fetch.HashPrefix(name), name)
	}
}

func TestMirror(t *testing.T) {
	for _, c := range []struct{ mirror, url, want string }{
		{"", "https://download.pytorch.org/models/x.pth", "https://download.pytorch.org/models/x.pth"},
		{"http://10.0.0.1:8080", "https://download.pytorch.org/models/x.pth", "http://10.0.0.1:8080/models/x.pth"},
		{"https://m/torch/", "https://download.pytorch.org/models/x%20y.pth?a=b", "https://m/torch/models/x%20y.pth?a=b"},
		{"file:///srv/torch", "https://dl.fbaipublicfiles.com/a/x.pth", "file:///srv/torch/a/x.pth"},
		{"https://m", "https://example.com/x.pth", "https://example.com/x.pth"},
		{"not a mirror", "https://download.pytorch.org/models/x.pth", ""},
		{"", "ftp://h/x", ""},
		{"", "x.pth", ""},
		{"", "http:///x.pth", ""},
		{"", "file://host/x.pth", ""},
		{"", "https://h/%zz", ""},
		{"", "", ""},
	} {
		t.Setenv("TORCHHUB_MIRROR", c.mirror)
		u, err := fetch.Sources(c.url)
		if c.want == "" {
			require.Error(t, err, "%+v", c)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, u[0].String())
	}
}
