package hub

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// A StatusError is a server's refusal: an HTTP status other than success.
type StatusError struct {
	Code  int       // such as 404
	Until time.Time // when the server's rate limit ends, if it says so
}

// Error returns the status and what to do about it.
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

// A HashError says that a download is not the file it was to be.
type HashError struct {
	Got  string // the SHA-256 of what came, in hexadecimal
	Want string // the first digits of the one wanted
}

// Error returns both hashes and what to do.
func (e *HashError) Error() string {
	return fmt.Sprintf("sha256 is %s, want %s…; what came was deleted, try again or check the URL", e.Got, e.Want)
}

// final marks an error that trying again would not mend.
type final struct{ error }

func (e final) Unwrap() error { return e.error }
