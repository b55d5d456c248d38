// Package suggest finds the names that a mistyped name may have meant.
package suggest

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
)

// Near returns at most n of the names that are near to name, the nearest first;
// none where all are far. A name is near that begins with it, or holds all of its
// parts, as resnext101_32x8d does for resnext101 or next101, or that differs in half of its letters at most.
func Near(name string, names []string, n int) []string {
	const longest = 100
	name = strings.ToLower(name)
	if len(name) > longest {
		name = name[:longest]
	}
	type near struct {
		name string
		rank int // 0 begins with it, 1 differs by little, 2 holds its parts, 3 differs by more
		far  int // edits
	}
	var found []near
	for _, full := range names {
		other := strings.ToLower(full)
		d := levenshtein.ComputeDistance(name, other)
		switch {
		case name != "" && strings.HasPrefix(other, name):
			found = append(found, near{full, 0, d})
		case 3*d <= max(len(name), 3):
			found = append(found, near{full, 1, d})
		case holds(other, parts(name)):
			found = append(found, near{full, 2, d})
		case 2*d <= len(name):
			found = append(found, near{full, 3, d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.far, b.far))
	})
	out := make([]string, 0, n)
	for _, f := range found[:min(n, len(found))] {
		out = append(out, f.name)
	}
	return out
}

// parts cuts a name into words and numbers.
func parts(name string) []string {
	kind := func(r rune) int {
		switch {
		case unicode.IsDigit(r):
			return 1
		case unicode.IsLetter(r):
			return 2
		}
		return 0
	}
	var out []string
	before := 0
	for _, r := range name {
		k := kind(r)
		switch {
		case k != 0 && k == before:
			out[len(out)-1] += string(r)
		case k != 0:
			out = append(out, string(r))
		}
		before = k
	}
	return out
}

// holds reports whether a name contains all parts, in order, of which one is longer than two
// letters.
func holds(name string, parts []string) bool {
	long := false
	for _, p := range parts {
		_, rest, ok := strings.Cut(name, p)
		if !ok {
			return false
		}
		name, long = rest, long || len(p) > 2
	}
	return long
}

// Mean returns the question "did you mean a, b or c?", or "" without names.
func Mean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	last := len(names) - 1
	list := names[last]
	if last > 0 {
		list = strings.Join(names[:last], ", ") + " or " + list
	}
	return "did you mean " + list + "?"
}

// Natural compares names in natural order: numbers in them by their value, so that resnet18 comes before resnet101.
func Natural(a, b string) int {
	for i := 0; i < len(a) && i < len(b); {
		na, nb := digits(a[i:]), digits(b[i:])
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[i:i+na], "0"), strings.TrimLeft(b[i:i+nb], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(na, nb)); c != 0 {
				return c
			}
			i += na // which is nb
			continue
		}
		if a[i] != b[i] {
			return cmp.Compare(a[i], b[i])
		}
		i++
	}
	return cmp.Compare(len(a), len(b))
}

// digits counts the digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
