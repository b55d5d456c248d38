package models

import (
	"maps"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// NamesOptions are the options of [Names]. The patterns are those of Python's fnmatch: "*" matches any text, "?" one
// character, "[abc]" and "[a-c]" one of these, and "[!abc]" any other one.
type NamesOptions struct {
	Task    Task     // only models for this task; "" means for all
	Include []string // only names that match one of these patterns; none means all
	Exclude []string // no names that match one of these patterns
}

// Names returns the names of all models in alphabetical order, or of those that the options select:
// torchvision.models.list_models(include=…, exclude=…).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.models.list_models.html
func Names(options ...NamesOptions) []string {
	o := torch.Only(options)
	entries.RLock()
	defer entries.RUnlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(entries.of)) {
		matches := func(pattern string) bool { return matchName(pattern, name) }
		switch {
		case o.Task != "" && entries.of[name].Task() != o.Task,
			len(o.Include) > 0 && !slices.ContainsFunc(o.Include, matches),
			slices.ContainsFunc(o.Exclude, matches):
		default:
			names = append(names, name)
		}
	}
	return names
}

// matchName reports whether a name matches a pattern: fnmatch.fnmatchcase(name, pattern).
func matchName(pattern, name string) bool {
	p, n := []rune(pattern), []rune(name)
	star, resume := -1, 0 // after the last star, and where it has matched up to
	i, j := 0, 0
	for j < len(n) {
		next, ok := i, false
		if i < len(p) && p[i] == '*' {
			i++
			star, resume = i, j
			continue
		}
		if i < len(p) {
			next, ok = matchRune(p, i, n[j])
		}
		switch {
		case ok:
			i, j = next, j+1
		case star >= 0: // the star takes one more
			resume++
			i, j = star, resume
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// matchRune matches a character with the part of a pattern that begins at i, and returns where that part ends.
func matchRune(p []rune, i int, c rune) (end int, ok bool) {
	switch p[i] {
	case '?':
		return i + 1, true
	case '[':
		set := i + 1
		not := set < len(p) && p[set] == '!'
		if not {
			set++
		}
		end := set + 1 // a bracket in the first place is part of the set
		for end < len(p) && p[end] != ']' {
			end++
		}
		if end >= len(p) { // without an end it is a bracket
			return i + 1, c == '['
		}
		return end + 1, inSet(p[set:end], c) != not
	}
	return i + 1, p[i] == c
}

// inSet reports whether a set of characters and ranges holds c.
func inSet(set []rune, c rune) bool {
	for k := 0; k < len(set); k++ {
		last := set[k]
		if k+2 < len(set) && set[k+1] == '-' {
			last = set[k+2]
		}
		if set[k] <= c && c <= last {
			return true
		}
		if k+2 < len(set) && set[k+1] == '-' {
			k += 2
		}
	}
	return false
}
