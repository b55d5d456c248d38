package jit

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/pickle"
	"github.com/torchhub/torchhub/internal/strictzip"
)

// codeDepth is how deep the expressions of a script may be nested. Code that
// PyTorch writes has a few levels; libtorch's compiler, which calls itself for
// each, has a stack for some 10,000.
const codeDepth = 4096

// blockDepth is how deep the blocks of a script may be nested. Python allows 100.
const blockDepth = 100

// check reads the extra files, and refuses what would end the process in libtorch.
func (o *loading) check(z *strictzip.Archive) error {
	if err := z.SetRoot(); err != nil {
		return err
	}
	if z.Get("constants.pkl") == nil {
		return &badfile.UnsupportedError{Feature: "it is not a TorchScript archive: load a state dict with torch.LoadStateDict"}
	}
	limit := o.limits.Inflate
	if limit == 0 {
		limit = strictzip.DefaultLimit(z.Size())
	}
	r := strictzip.NewReader(limit)
	depth := codeDepth
	if o.limits.Depth > 0 {
		depth = min(o.limits.Depth, codeDepth*2)
	}
	for name, rec := range z.Names() {
		if !strings.HasPrefix(name, "code/") || !strings.HasSuffix(name, ".py") {
			continue
		}
		code, _, err := r.Checked(z, rec, 0)
		if err != nil {
			return err
		}
		if at, what := tooDeep(code, depth); what != "" {
			return &badfile.UnsupportedError{Record: rec.Name, Offset: int64(at), Feature: what}
		}
	}
	if err := pickle.CheckScript(z, r, pickle.Options{MaxMemory: o.limits.Memory, MaxNodes: o.limits.Values, MaxDepth: min(o.limits.Depth, codeDepth)}); err != nil {
		return err
	}
	for name := range o.extra {
		rec := z.Get("extra/" + name)
		if rec == nil {
			continue
		}
		b, _, err := r.Checked(z, rec, 0)
		if err != nil {
			return err
		}
		o.extra[name] = append([]byte{}, b...)
	}
	return nil
}

// A nest is an open bracket of an expression, or the expression itself.
type nest struct {
	item int // how deep the tree may be of what was read since the last comma: a level for each name and operator
	best int // of what stands before that comma
}

// tooDeep returns the place in a script at which its expressions or blocks are
// nested deeper than depth, and how, or an empty text.
func tooDeep(code []byte, depth int) (at int, what string) {
	open := []nest{{}}
	total := 0 // of the items
	deeper := func(n int) {
		open[len(open)-1].item += n
		total += n
	}
	var indents []int
	line, word := true, false // at the begin of a line; in a name
	for i := 0; i < len(code); i++ {
		if line && len(open) == 1 {
			start := i
			for i < len(code) && (code[i] == ' ' || code[i] == '\t') {
				i++
			}
			if i == len(code) {
				break
			}
			if c := code[i]; c != '\n' && c != '\r' && c != '#' {
				for len(indents) > 0 && indents[len(indents)-1] >= i-start {
					indents = indents[:len(indents)-1]
				}
				if indents = append(indents, i-start); len(indents) > blockDepth {
					return i, fmt.Sprintf("blocks nested deeper than %d", blockDepth)
				}
			}
			line = false
		}
		c := code[i]
		if c == '_' || c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'z' || c >= 0x80 {
			if !word {
				deeper(1)
			}
			word = true
			continue
		}
		word = false
		last := &open[len(open)-1]
		switch c {
		case '\n':
			if len(open) == 1 {
				line, total, *last = true, 0, nest{}
			}
		case ' ', '\t', '\r':
		case '#':
			for i+1 < len(code) && code[i+1] != '\n' {
				i++
			}
		case '"', '\'':
			i = endOfString(code, i)
		case '(', '[', '{':
			deeper(1)
			open = append(open, nest{})
		case ')', ']', '}':
			if len(open) > 1 {
				total -= last.item
				open = open[:len(open)-1]
				deeper(max(last.item, last.best))
			}
		case ',':
			total -= last.item
			*last = nest{best: max(last.item, last.best)}
		default:
			deeper(1)
		}
		if total > depth {
			return i, fmt.Sprintf("an expression nested deeper than %d: raise Limits.Depth", depth)
		}
	}
	return 0, ""
}

// endOfString returns the place of the last byte of the string that begins at i.
func endOfString(code []byte, i int) int {
	quote := string(code[i])
	if bytes.HasPrefix(code[i:], []byte(strings.Repeat(quote, 3))) {
		quote = strings.Repeat(quote, 3)
	}
	for j := i + len(quote); j < len(code); j++ {
		switch {
		case code[j] == '\\':
			j++
		case bytes.HasPrefix(code[j:], []byte(quote)):
			return j + len(quote) - 1
		}
	}
	return len(code) - 1
}
