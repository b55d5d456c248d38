package hub

import (
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/terminal"
)

// A loader does what the functions of this package do, by their options.
type loader struct{ options }

// newLoader returns the loader of the options.
func newLoader(opts []Option) *loader { return &loader{*newOptions(opts)} }

// say writes a message to the writer of [WithNotice].
func (l *loader) say(format string, args ...any) {
	if l.notice != nil {
		text := fmt.Sprintf(format, args...) // it contains names of repositories and of files
		fmt.Fprintln(l.notice, terminal.Escape(strings.TrimSuffix(text, "\n")))
	}
}
