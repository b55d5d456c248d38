// Package opschema reads the signatures of operators as libtorch prints them.
package opschema

import (
	"errors"
	"strconv"
	"strings"
)

// A Schema is the signature of an operator.
type Schema struct {
	Args    []Arg
	Returns []Type
}

// An Arg is an argument of an operator.
type Arg struct {
	Name       string
	Type       Type
	KwargOnly  bool
	HasDefault bool
	Default    any // nil, bool, int, float64, string, or a []any of these
}

// A Type is the type of an argument or a result.
type Type struct {
	Base   string // "Tensor", "int" (also a SymInt), "float", "Scalar", "Device", …
	Alias  string // "a" or "a!" of a tensor that a result may share memory with; "" of others
	Suffix string // "?", "[]", "[]?", "?[]" or ""; the length of a list is left out
}

// Writes reports whether the operator changes the argument.
func (t Type) Writes() bool { return strings.HasSuffix(t.Alias, "!") }

// List reports whether it is a list.
func (t Type) List() bool { return strings.Contains(t.Suffix, "[]") }

// Optional reports whether it may be None.
func (t Type) Optional() bool { return strings.HasSuffix(t.Suffix, "?") }

// Index returns the place of an argument, or -1 if there is none.
func (s *Schema) Index(name string) int {
	for i, a := range s.Args {
		if a.Name == name {
			return i
		}
	}
	return -1
}

// Parse reads a signature such as "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor".
func Parse(text string) (*Schema, error) {
	_, rest, ok := strings.Cut(text, "(")
	end := strings.LastIndex(rest, " -> ")
	if !ok || end < 1 || rest[end-1] != ')' {
		return nil, errors.New("the signature cannot be read: " + text)
	}
	s := &Schema{}
	kwargOnly := false
	for _, part := range split(rest[:end-1]) {
		if part == "*" {
			kwargOnly = true
			continue
		}
		a := Arg{KwargOnly: kwargOnly}
		var value string
		part, value, a.HasDefault = cutDefault(part)
		at := strings.LastIndexByte(part, ' ')
		if at < 0 {
			return nil, errors.New("the signature cannot be read: " + text)
		}
		a.Name, a.Type = part[at+1:], typeOf(part[:at])
		if a.HasDefault {
			a.Default = literal(value)
		}
		s.Args = append(s.Args, a)
	}
	returns := rest[end+len(" -> "):]
	if inner, ok := strings.CutPrefix(returns, "("); ok {
		returns = strings.TrimSuffix(inner, ")")
	}
	for _, part := range split(returns) {
		name, _, _ := strings.Cut(part, " ")
		s.Returns = append(s.Returns, typeOf(name))
	}
	return s, nil
}

// cutDefault splits "int dim=0".
func cutDefault(part string) (before, value string, ok bool) {
	depth := 0
	for i, r := range part {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == '=' && depth == 0:
			return part[:i], part[i+1:], true
		}
	}
	return part, "", false
}

// split splits at the commas that are outside of brackets and strings.
func split(s string) []string {
	var parts []string
	depth, start, quoted := 0, 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(s[start:]); last != "" {
		parts = append(parts, last)
	}
	return parts
}

// typeOf reads a type such as Tensor(a!), SymInt[2]? or Tensor?[].
func typeOf(s string) Type {
	n := strings.IndexFunc(s, func(r rune) bool { return r == '(' || r == '[' || r == '?' })
	if n < 0 {
		n = len(s)
	}
	t := Type{Base: strings.TrimPrefix(s[:n], "Sym")}
	if t.Base == "Int" {
		t.Base = "int"
	}
	s = s[n:]
	if strings.HasPrefix(s, "(") {
		inner, rest, _ := strings.Cut(s[1:], ")")
		t.Alias, s = inner, rest
		if strings.Contains(inner, "!") {
			t.Alias = inner[:strings.Index(inner, "!")+1]
		}
	}
	for s != "" {
		if s[0] == '?' {
			t.Suffix += "?"
			s = s[1:]
			continue
		}
		_, rest, _ := strings.Cut(s, "]")
		t.Suffix += "[]"
		s = rest
	}
	return t
}

// literal reads a default.
func literal(s string) any {
	switch s {
	case "None":
		return nil
	case "True":
		return true
	case "False":
		return false
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		list := []any{}
		for _, e := range split(strings.TrimSuffix(inner, "]")) {
			list = append(list, literal(e))
		}
		return list
	}
	if v, err := strconv.Unquote(s); err == nil {
		return v
	}
	if v, err := strconv.Atoi(s); err == nil {
		return v
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return v
	}
	return s
}
