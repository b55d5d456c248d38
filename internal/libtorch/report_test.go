package libtorch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

func TestReportFitsTheTerminal(t *testing.T) {
	var b bytes.Buffer
	newReport(&b).say("%s of %s\x1b[2J", strings.Repeat("word ", 30), strings.Repeat("x", 100))
	require.Equal(t, "torchhub: word word word word word word word word word word word word word word\n"+
		"          word word word word word word word word word word word word word word\n"+
		"          word word of\n          "+strings.Repeat("x", 100)+"\\u001b[2J\n", b.String())
}

func TestReason(t *testing.T) {
	const u = "https://host.example/a/b.zip"
	for want, err := range map[string]error{
		"host.example: no such host":                        &url.Error{Op: "Get", URL: u, Err: &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}},
		"host.example does not answer":                      &url.Error{Op: "Get", URL: u, Err: context.DeadlineExceeded},
		"host.example: connection refused":                  &url.Error{Op: "Get", URL: u, Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}},
		"host.example: tls: bad certificate":                &url.Error{Op: "Get", URL: u, Err: errors.New("tls: bad\ncertificate")},
		"https://host.example/a/b.zip: 404 Not Found: gone": fmt.Errorf("%s: 404 Not Found: %w", u, errors.New("gone")),
	} {
		require.Equal(t, want, reason(err))
	}
}

func TestShort(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	require.Equal(t, "~/.cache/x", short("/home/me/.cache/x"))
	require.Equal(t, "/home/metoo/x", short("/home/metoo/x"))
	t.Setenv("HOME", "/")
	require.Equal(t, "/x", short("/x"))
	t.Setenv("HOME", "")
	require.Equal(t, "/x", short("/x"))
}

func TestLockSaysThatItWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	other := flock.New(path)
	require.NoError(t, other.Lock())
	var b bytes.Buffer
	time.AfterFunc(lockNotice+200*time.Millisecond, func() { other.Unlock() })
	lock, err := newReport(&b).lock(t.Context(), path, "is installing libtorch")
	require.NoError(t, err)
	require.NoError(t, lock.Unlock())
	require.Equal(t, "torchhub: another process is installing libtorch; waiting for it\n", b.String())

	lock, err = newReport(nil).lock(t.Context(), path, "")
	require.NoError(t, err)
	require.NoError(t, lock.Unlock())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, other.Lock())
	defer other.Unlock()
	_, err = newReport(io.Discard).lock(ctx, path, "")
	require.ErrorIs(t, err, context.Canceled)
}

// TestPipProgress reads how much pip has written of the file that it names.
func TestPipProgress(t *testing.T) {
	p := &pip{report: newReport(io.Discard), tmp: t.TempDir()}
	require.Zero(t, p.arrived("a.whl"))
	write(t, filepath.Join(p.tmp, "pip-unpack-x", "a.whl"), "1234567")
	require.EqualValues(t, 7, p.arrived("a.whl"))

	for output, want := range map[string]string{
		"":                          "",
		"Collecting torch\n\nSaved": "Saved",
		"ERROR: Could not\nERROR: No matching\nhint: see below\n":  "No matching",
		"Downloading a.whl (2.0 MB)\n  Downloading b.whl (1.0 MB)": "Downloading b.whl (1.0 MB)",
		"WARNING: Retrying (1)\nWARNING: Retrying (2)":             "WARNING: Retrying (2)",
		strings.Repeat("x", 1<<20):                                 "",
	} {
		require.Equal(t, want, p.follow(strings.NewReader(output)))
	}
}

func TestLibraryInWords(t *testing.T) {
	for want, lib := range map[string]Library{
		"2.15.0 for the CPU": {Version: "2.15.0+cpu"},
		"2.11.0 for the CPU": {Version: "2.11.0"},
		"2.15.0 for the CPU (the CPU half of the build for CUDA 13.2)": {Version: "2.15.0+cu132"},
		"2.11.0 for CUDA 13.0 and the CPU":                             {Version: "2.11.0+cu130", CUDA: true},
		"2.15.0 for CUDA and the CPU":                                  {Version: "2.15.0+git1", CUDA: true},
	} {
		require.Equal(t, want, lib.String())
	}
}
