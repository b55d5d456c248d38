// Package snake names what PyTorch calls a field of a Go struct.
package snake

import (
	"strings"
	"unicode"
)

// Case turns a Go name into PyTorch's: RunningMean is running_mean, FC1 is
// fc1, QProj is q_proj.
func Case(name string) string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		if i > 0 && unicode.IsUpper(r) &&
			(!unicode.IsUpper(rs[i-1]) && rs[i-1] != '_' || i+1 < len(rs) && unicode.IsLower(rs[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
