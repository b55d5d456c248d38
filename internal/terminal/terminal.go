// Package terminal is where text meets a terminal: it makes text from files,
// repositories and servers harmless, and draws progress bars.
package terminal

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// Escape returns s as it may be shown within a line of a terminal: control
// characters, line breaks and characters that change the direction of text
// become escapes such as \u001b, and bytes that are not UTF-8 such as \xff.
// Within a JSON string the first form means the same character.
func Escape(s string) string { return string(appendEscaped(nil, []byte(s), "")) }

// NewWriter returns a writer that passes text on to w, escaped as [Escape] does
// except for line breaks and tabs. Everything that a command prints goes through one,
// so that no text from elsewhere controls the user's terminal. A sequence of UTF-8
// may be split between two calls of Write.
func NewWriter(w io.Writer) io.Writer { return &writer{w: w} }

type writer struct {
	w    io.Writer
	mu   sync.Mutex
	rest []byte // the beginning of a sequence of UTF-8
}

// Of returns the terminal that w writes to, itself or through [NewWriter], or nil
// if that is something else.
func Of(w io.Writer) io.Writer {
	if e, ok := w.(*writer); ok {
		w = e.w
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := append(w.rest, p...)
	n := len(text) - incomplete(text)
	_, err := w.w.Write(appendEscaped(nil, text[:n], "\n\t"))
	w.rest = bytes.Clone(text[n:])
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// incomplete returns the length of a sequence that p breaks off.
func incomplete(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// appendEscaped appends p to dst; controls in keep stay as they are.
func appendEscaped(dst, p []byte, keep string) []byte {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = fmt.Appendf(dst, `\x%02x`, p[0])
		case steers(r) && !strings.ContainsRune(keep, r):
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, p[:n]...)
		}
		p = p[n:]
	}
	return dst
}

// steers reports whether a character does something to a terminal other than to
// show a glyph. All of them are below U+10000.
func steers(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}
