package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"github.com/torchhub/torchhub/internal/terminal"
)

// ErrOffline means that a file is not in the cache and that the network is forbidden.
var ErrOffline = errors.New("the network is forbidden and the file is not in the cache")

// A StatusError is a server's refusal: an HTTP status other than success.
type StatusError struct {
	Code  int       // such as 404
	Until time.Time // when the server's rate limit ends, if known
}

// Is makes errors.Is work with fs.ErrNotExist for 404 and 410 and with fs.ErrPermission for 401, 403 and 407.
func (e *StatusError) Is(target error) bool {
	switch e.Code {
	case http.StatusNotFound, http.StatusGone:
		return target == fs.ErrNotExist
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return target == fs.ErrPermission
	}
	return false
}

// Error returns the status and advice.
func (e *StatusError) Error() string {
	s := strconv.Itoa(e.Code) + " " + http.StatusText(e.Code)
	switch {
	case !e.Until.IsZero():
		return fmt.Sprintf("%s; the server's rate limit is used up, try again after %s", s, e.Until.Local().Format(time.DateTime))
	case e.Code == http.StatusNotFound || e.Code == http.StatusGone:
		return s + "; check the URL, or the mirror in TORCHHUB_MIRROR"
	case e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden || e.Code == http.StatusProxyAuthRequired:
		return s + "; the server or a proxy refuses it, check the URL and the permissions"
	case e.Code == http.StatusTooManyRequests || e.Code >= 500:
		return s + "; try again later"
	default:
		return s + "; check the URL"
	}
}

// A HashError reports that a file does not have the expected hash.
type HashError struct {
	Got  string // the actual SHA-256, in hexadecimal
	Want string // the first digits of the one wanted
	Git  bool   // they are Git's hashes of a blob, by SHA-1, instead
	MD5  bool   // they are MD5s instead

	Kept bool // it is of a file that is still there
}

// Error returns both hashes and advice.
func (e *HashError) Error() string {
	kind := "sha256"
	if e.Git {
		kind = "Git hash"
	}
	if e.MD5 {
		kind = "MD5"
	}
	advice := "the download was deleted, try again or check the URL"
	if e.Kept {
		advice = "it is damaged, remove it"
	}
	return fmt.Sprintf("%s is %s, want %s…; %s", kind, e.Got, e.Want, advice)
}

// A LimitError reports that a download exceeds the limit of [WithMaxSize].
type LimitError struct{ Limit int64 }

// Error returns the limit.
func (e *LimitError) Error() string {
	return fmt.Sprintf("it is bigger than the limit of %s", terminal.Size(e.Limit))
}

// Final marks an error that trying again would not mend.
type Final struct{ Err error }

// Error returns the error.
func (e Final) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e Final) Unwrap() error { return e.Err }
