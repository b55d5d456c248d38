package export

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/torch"
)

// A guard is a condition on the arguments, on which the export relied: an expression of Python such as
// L['x'].size()[0] % 2 == 0.
type guard struct {
	text string
	eval func(leaves []torch.Value) float64
}

const maxGuardDepth = 100

// parseGuard reads a guard. One that is not about sizes is not supported.
func parseGuard(text string, inputs []*input) (*guard, error) {
	if len(text) > maxExpr {
		return nil, unsupported("a condition on the arguments of %d bytes", len(text))
	}
	p := &guardParser{rest: text, inputs: inputs}
	f := p.or(0)
	if p.err == nil && strings.TrimSpace(p.rest) != "" {
		p.err = errors.New("what follows is not known: " + badfile.Clip(p.rest))
	}
	if p.err != nil {
		return nil, unsupported("the condition %q on the arguments: %v", badfile.Clip(text), p.err)
	}
	return &guard{text, f}, nil
}

func (p *built) checkGuards(leaves []torch.Value) error {
	for _, g := range p.guards {
		if g.eval(leaves) == 0 {
			return fmt.Errorf("the arguments do not satisfy %s, which the program was exported for", g.text)
		}
	}
	return nil
}

// A term computes a number; a condition is 0 or 1. Numbers that are exact in a float64 are as in Python.
type term = func(leaves []torch.Value) float64

type guardParser struct {
	rest   string
	inputs []*input
	err    error
}

func (p *guardParser) fail(format string, args ...any) term {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.rest = ""
	return func([]torch.Value) float64 { return 0 }
}

// take consumes one of the texts, and returns it, or "". A word ends where no letter follows.
func (p *guardParser) take(texts ...string) string {
	p.rest = strings.TrimLeft(p.rest, " \n\t")
	for _, t := range texts {
		rest, ok := strings.CutPrefix(p.rest, t)
		if ok && !(isLetter(t[0]) && rest != "" && isLetter(rest[0])) {
			p.rest = rest
			return t
		}
	}
	return ""
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' }

func truth(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

func (p *guardParser) or(depth int) term {
	if depth > maxGuardDepth {
		return p.fail("it is nested deeper than %d", maxGuardDepth)
	}
	left := p.and(depth)
	for p.take("or") != "" {
		a, b := left, p.and(depth)
		left = func(l []torch.Value) float64 { return truth(a(l) != 0 || b(l) != 0) }
	}
	return left
}

func (p *guardParser) and(depth int) term {
	left := p.not(depth)
	for p.take("and") != "" {
		a, b := left, p.not(depth)
		left = func(l []torch.Value) float64 { return truth(a(l) != 0 && b(l) != 0) }
	}
	return left
}

func (p *guardParser) not(depth int) term {
	if p.take("not") != "" {
		if depth > maxGuardDepth {
			return p.fail("it is nested deeper than %d", maxGuardDepth)
		}
		a := p.not(depth + 1)
		return func(l []torch.Value) float64 { return truth(a(l) == 0) }
	}
	return p.comparison(depth)
}

// comparison may be a chain: 2 <= x <= 4.
func (p *guardParser) comparison(depth int) term {
	left := p.sum(depth)
	var links []term
	for {
		op := p.take("==", "!=", "<=", ">=", "<", ">")
		if op == "" {
			break
		}
		a, b := left, p.sum(depth)
		left = b
		links = append(links, func(l []torch.Value) float64 {
			x, y := a(l), b(l)
			return truth(map[string]bool{"==": x == y, "!=": x != y, "<=": x <= y, ">=": x >= y, "<": x < y, ">": x > y}[op])
		})
	}
	if links == nil {
		return left
	}
	return func(l []torch.Value) float64 {
		for _, f := range links {
			if f(l) == 0 {
				return 0
			}
		}
		return 1
	}
}

func (p *guardParser) sum(depth int) term {
	left := p.product(depth)
	for {
		op := p.take("+", "-")
		if op == "" {
			return left
		}
		a, b := left, p.product(depth)
		sign := map[string]float64{"+": 1, "-": -1}[op]
		left = func(l []torch.Value) float64 { return a(l) + sign*b(l) }
	}
}

func (p *guardParser) product(depth int) term {
	left := p.unary(depth)
	for {
		op := p.take("**", "*", "//", "/", "%")
		a := left
		switch op {
		case "":
			return left
		case "**":
			b := p.unary(depth)
			left = func(l []torch.Value) float64 { return math.Pow(a(l), b(l)) }
		case "*":
			b := p.unary(depth)
			left = func(l []torch.Value) float64 { return a(l) * b(l) }
		case "//":
			b := p.unary(depth)
			left = func(l []torch.Value) float64 { return math.Floor(a(l) / b(l)) }
		case "/":
			b := p.unary(depth)
			left = func(l []torch.Value) float64 { return a(l) / b(l) }
		case "%":
			b := p.unary(depth)
			left = func(l []torch.Value) float64 {
				x, y := a(l), b(l)
				return x - y*math.Floor(x/y)
			}
		}
	}
}

func (p *guardParser) unary(depth int) term {
	if p.take("-") != "" {
		if depth > maxGuardDepth {
			return p.fail("it is nested deeper than %d", maxGuardDepth)
		}
		a := p.unary(depth + 1)
		return func(l []torch.Value) float64 { return -a(l) }
	}
	return p.atom(depth)
}

func (p *guardParser) atom(depth int) term {
	if p.take("(") != "" {
		f := p.or(depth + 1)
		if p.take(")") == "" {
			return p.fail("a bracket is not closed")
		}
		return f
	}
	switch f := p.take("torch.sym_max", "torch.sym_min", "max", "min", "True", "False", "L["); f {
	case "torch.sym_max", "max":
		return p.call(depth, math.Max)
	case "torch.sym_min", "min":
		return p.call(depth, math.Min)
	case "True", "False":
		v := truth(f == "True")
		return func([]torch.Value) float64 { return v }
	case "L[":
		return p.argument()
	}
	n := 0
	for n < len(p.rest) && (p.rest[n] >= '0' && p.rest[n] <= '9' || p.rest[n] == '.') {
		n++
	}
	v, err := strconv.ParseFloat(p.rest[:n], 64)
	if err != nil {
		return p.fail("this is not known: %s", badfile.Clip(p.rest))
	}
	p.rest = p.rest[n:]
	return func([]torch.Value) float64 { return v }
}

func (p *guardParser) call(depth int, f func(a, b float64) float64) term {
	if p.take("(") == "" {
		return p.fail("a function has no arguments")
	}
	left := p.or(depth + 1)
	for p.take(",") != "" {
		a, b := left, p.or(depth+1)
		left = func(l []torch.Value) float64 { return f(a(l), b(l)) }
	}
	if p.take(")") == "" {
		return p.fail("a bracket is not closed")
	}
	return left
}

// argument reads the rest of L['x'].size()[0], or of L['n'].
func (p *guardParser) argument() term {
	path := ""
	for first := true; first || p.take("[") != ""; first = false {
		end := strings.IndexByte(p.rest, ']')
		if end < 0 {
			return p.fail("a bracket is not closed")
		}
		key := p.rest[:end]
		p.rest = p.rest[end+1:]
		if first {
			path = strings.Trim(key, `'"`)
		} else {
			path += "[" + key + "]"
		}
	}
	at := -1
	for i, in := range p.inputs {
		if in.path == path && in.value != nil {
			at = i
		}
	}
	if at < 0 {
		return p.fail("there is no argument %s", badfile.Clip(path))
	}
	number := func(l []torch.Value) float64 {
		switch v := l[at].(type) {
		case int:
			return float64(v)
		case float64:
			return v
		}
		return math.NaN()
	}
	if p.inputs[at].value.Number != "" {
		return number
	}
	tensor := func(l []torch.Value) *torch.Tensor { return l[at].(*torch.Tensor) }
	rank := len(p.inputs[at].value.Shape)
	switch p.take(".size()[", ".shape[", ".stride()[", ".storage_offset()", ".dim()", ".ndim", ".numel()") {
	case ".size()[", ".shape[":
		d, ok := p.dim(rank)
		if ok {
			return func(l []torch.Value) float64 { return float64(tensor(l).Size(d)) }
		}
	case ".stride()[":
		d, ok := p.dim(rank)
		if ok {
			return func(l []torch.Value) float64 { return float64(tensor(l).Strides()[d]) }
		}
	case ".storage_offset()":
		return func(l []torch.Value) float64 { return float64(tensor(l).StorageOffset()) }
	case ".dim()", ".ndim":
		return func([]torch.Value) float64 { return float64(rank) }
	case ".numel()":
		return func(l []torch.Value) float64 { return float64(tensor(l).Numel()) }
	}
	return p.fail("this of an argument is not known: %s", badfile.Clip(p.rest))
}

// dim reads the number of a dimension and a closing bracket.
func (p *guardParser) dim(rank int) (int, bool) {
	end := strings.IndexByte(p.rest, ']')
	if end < 0 {
		return 0, false
	}
	d, err := strconv.Atoi(p.rest[:end])
	p.rest = p.rest[end+1:]
	return d, err == nil && d >= 0 && d < rank
}
