package export

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
)

const (
	maxExpr      = 64 << 10 // bytes of an expression
	maxExprDepth = 200
)

// An expr is an expression of sizes, in the form of sympy.srepr.
type expr struct {
	op   string // "Integer", "Symbol", or the name of a function
	n    int
	name string
	args []*expr
}

// parseExpr reads text such as "Mul(Integer(2), Symbol('s77', positive=True, integer=True))".
func parseExpr(text string) (*expr, error) {
	if len(text) > maxExpr {
		return nil, fmt.Errorf("an expression of %d bytes", len(text))
	}
	p := &exprParser{rest: text}
	e := p.expr(0)
	if p.err == nil && p.rest != "" {
		p.err = errors.New("something stands behind it")
	}
	if p.err != nil {
		return nil, fmt.Errorf("the expression %q: %w", badfile.Clip(text), p.err)
	}
	return e, nil
}

type exprParser struct {
	rest string
	err  error
}

func (p *exprParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.rest = ""
}

// take consumes a text, and reports whether it was there.
func (p *exprParser) take(text string) (ok bool) {
	p.rest, ok = strings.CutPrefix(strings.TrimLeft(p.rest, " "), text)
	return ok
}

// until consumes and returns what precedes one of the characters.
func (p *exprParser) until(chars string) string {
	i := strings.IndexAny(p.rest, chars)
	if i < 0 {
		p.fail("it is cut short")
		return ""
	}
	s := p.rest[:i]
	p.rest = p.rest[i:]
	return s
}

func (p *exprParser) expr(depth int) *expr {
	if depth > maxExprDepth {
		p.fail("it is nested deeper than %d", maxExprDepth)
		return &expr{}
	}
	p.rest = strings.TrimLeft(p.rest, " ")
	if n := strings.IndexAny(p.rest, "(),"); n < 0 || p.rest[n] != '(' { // a number of a function, such as true
		end := n
		if n < 0 {
			end = len(p.rest)
		}
		word := p.rest[:end]
		p.rest = p.rest[end:]
		return &expr{op: "word", name: word}
	}
	e := &expr{op: p.until("(")}
	p.take("(")
	switch e.op {
	case "Integer":
		n, err := strconv.Atoi(p.until(")"))
		if err != nil {
			p.fail("a number that does not fit into 64 bits")
		}
		e.n = n
		p.take(")")
		return e
	case "Symbol":
		if !p.take("'") {
			p.fail("a symbol has no name")
		}
		e.name = p.until("'")
		p.until(")") // positive=True, integer=True
		p.take(")")
		return e
	}
	for !p.take(")") && p.err == nil {
		e.args = append(e.args, p.expr(depth+1))
		if !p.take(",") && !strings.HasPrefix(strings.TrimLeft(p.rest, " "), ")") {
			p.fail("an argument does not end")
		}
	}
	return e
}

// symbols adds the symbols in e.
func (e *expr) symbols(to map[string]bool) {
	if e.op == "Symbol" {
		to[e.name] = true
	}
	for _, a := range e.args {
		a.symbols(to)
	}
}

// eval computes an expression; ok is false if a symbol has no value, if a function is not known, and on overflow.
func (e *expr) eval(values map[string]int) (v int, ok bool) {
	switch e.op {
	case "Integer":
		return e.n, true
	case "Symbol":
		v, ok = values[e.name]
		return v, ok
	}
	f, ok := sizeFunctions[e.op]
	if !ok || len(e.args) == 0 {
		return 0, false
	}
	for i, a := range e.args {
		x, ok := a.eval(values)
		switch {
		case !ok:
			return 0, false
		case i == 0:
			v = x
		default:
			if v, ok = f(v, x); !ok {
				return 0, false
			}
		}
	}
	return v, true
}

// sizeFunctions are the functions of sizes, of two arguments or more.
var sizeFunctions = map[string]func(a, b int) (int, bool){
	"Add": func(a, b int) (int, bool) { return exact(float64(a)+float64(b), a+b) },
	"Mul": func(a, b int) (int, bool) { return exact(float64(a)*float64(b), a*b) },
	"Max": func(a, b int) (int, bool) { return max(a, b), true },
	"Min": func(a, b int) (int, bool) { return min(a, b), true },
	"FloorDiv": func(a, b int) (int, bool) {
		if b <= 0 {
			return 0, false
		}
		return floorDiv(a, b), true
	},
	"CeilDiv": func(a, b int) (int, bool) {
		if b <= 0 {
			return 0, false
		}
		return -floorDiv(-a, b), true
	},
	"Mod": mod, "PythonMod": mod,
}

// exact returns v if it is what f is nearly.
func exact(f float64, v int) (int, bool) { return v, math.Abs(f) < 1<<62 }

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func mod(a, b int) (int, bool) {
	if b <= 0 {
		return 0, false
	}
	return a - b*floorDiv(a, b), true
}

// solve returns the value of the one symbol of a linear expression that makes it v.
func (e *expr) solve(symbol string, v int) (int, bool) {
	var at [3]int
	for i := range at {
		var ok bool
		if at[i], ok = e.eval(map[string]int{symbol: i}); !ok {
			return 0, false
		}
	}
	step := at[1] - at[0]
	if step == 0 || at[2]-at[1] != step || (v-at[0])%step != 0 {
		return 0, false
	}
	return (v - at[0]) / step, true
}

// String writes an expression as Python does, for ranges are by that text.
func (e *expr) String() string {
	args := make([]string, len(e.args))
	for i, a := range e.args {
		args[i] = a.String()
	}
	switch e.op {
	case "Integer":
		return strconv.Itoa(e.n)
	case "Symbol", "word":
		return e.name
	case "Add":
		return strings.ReplaceAll(strings.Join(args, " + "), "+ -", "- ")
	case "Mul":
		for i, a := range e.args {
			if a.op == "Add" {
				args[i] = "(" + args[i] + ")"
			}
		}
		return strings.Join(args, "*")
	case "FloorDiv":
		if len(args) == 2 {
			for i, a := range e.args {
				if len(a.args) > 0 {
					args[i] = "(" + args[i] + ")"
				}
			}
			return args[0] + "//" + args[1]
		}
	}
	return e.op + "(" + strings.Join(args, ", ") + ")"
}
