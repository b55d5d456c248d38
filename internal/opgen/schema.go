package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A Schema is the signature of an operator, as native_functions.yaml writes it:
//
//	add.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)
type Schema struct {
	Name, Overload string
	Args           []Arg
	Returns        []Arg
	tuple          bool // the returns stand in parentheses
	method         bool // of Tensor in Python
	function       bool // Python has it as a function too, not only as a method
}

// An Arg is an argument or a result.
type Arg struct {
	Type    Type
	Name    string // may be empty in results
	Default string // its text, empty without one
	Keyword bool   // behind the *
}

// A Type is such as Tensor(a!)[]?, int[2] or Scalar?.
type Type struct {
	Base     string // "Tensor", "int", …
	Alias    string // "a!", "a -> *", …
	Optional bool   // of the element, if there is a list
	List     bool
	Size     string // of the list, may be empty
	ListOpt  bool   // of the list
}

var (
	funcRE = regexp.MustCompile(`^(\w+)(?:\.(\w+))?\((.*)\) -> (.*)$`)
	typeRE = regexp.MustCompile(`^([A-Za-z]+)(?:\(([^)]*)\))?(\?)?(?:(\[)(\d*)\](\?)?)?$`)
)

// ParseSchema reads a signature.
func ParseSchema(text string) (*Schema, error) {
	m := funcRE.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("%q is no signature", text)
	}
	s := &Schema{Name: m[1], Overload: m[2]}
	keyword := false
	for _, part := range split(m[3]) {
		if part == "*" {
			keyword = true
			continue
		}
		a, err := parseArg(part)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		a.Keyword = keyword
		s.Args = append(s.Args, a)
	}
	rets := m[4]
	if strings.HasPrefix(rets, "(") && strings.HasSuffix(rets, ")") {
		s.tuple = true
		rets = rets[1 : len(rets)-1]
	}
	for _, part := range split(rets) {
		a, err := parseArg(part)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		s.Returns = append(s.Returns, a)
	}
	return s, nil
}

// split cuts at the commas that are in no brackets.
func split(text string) []string {
	if text == "" {
		return nil
	}
	var parts []string
	depth, start := 0, 0
	quoted := false
	for i, r := range text {
		switch {
		case r == '"' || r == '\'':
			quoted = !quoted
		case quoted:
		case r == '(' || r == '[':
			depth++
		case r == ')' || r == ']':
			depth--
		case r == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(text[start:]))
}

func parseArg(text string) (Arg, error) {
	var a Arg
	text, a.Default, _ = strings.Cut(text, "=")
	if i := strings.LastIndexByte(text, ' '); i > strings.LastIndexByte(text, ')') {
		text, a.Name = text[:i], text[i+1:]
	}
	m := typeRE.FindStringSubmatch(text)
	if m == nil {
		return a, fmt.Errorf("%q is no type", text)
	}
	a.Type = Type{Base: m[1], Alias: m[2], Optional: m[3] != "", List: m[4] != "", Size: m[5], ListOpt: m[6] != ""}
	return a, nil
}

// String returns the signature's text again.
func (s *Schema) String() string {
	var b strings.Builder
	b.WriteString(s.FullName())
	b.WriteByte('(')
	keyword := false
	for i, a := range s.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		if a.Keyword && !keyword {
			b.WriteString("*, ")
			keyword = true
		}
		b.WriteString(a.String())
	}
	b.WriteString(") -> ")
	var rets []string
	for _, r := range s.Returns {
		rets = append(rets, r.String())
	}
	text := strings.Join(rets, ", ")
	if s.tuple {
		text = "(" + text + ")"
	}
	b.WriteString(text)
	return b.String()
}

// FullName returns the name and, after a dot, the overload.
func (s *Schema) FullName() string {
	if s.Overload == "" {
		return s.Name
	}
	return s.Name + "." + s.Overload
}

func (a Arg) String() string {
	text := a.Type.String()
	if a.Name != "" {
		text += " " + a.Name
	}
	if a.Default != "" {
		text += "=" + a.Default
	}
	return text
}

func (t Type) String() string {
	text := t.Base
	if t.Alias != "" {
		text += "(" + t.Alias + ")"
	}
	if t.Optional {
		text += "?"
	}
	if t.List {
		text += "[" + t.Size + "]"
	}
	if t.ListOpt {
		text += "?"
	}
	return text
}

// written reports whether the argument is changed.
func (t Type) written() bool { return strings.HasSuffix(t.Alias, "!") }
