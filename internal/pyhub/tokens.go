package pyhub

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

type pyKind uint8

const (
	pyWord   pyKind = iota // a name or keyword
	pyOp                   // an operator, a bracket, or any other character
	pyString               // a literal; text is its value
	pyNumber
	pyBytes // a literal of bytes, or one with expressions in it
)

type pyToken struct {
	kind   pyKind
	closes int32 // of an opening bracket, how many tokens further its closing one is
	text   string
}

type pyTokens []pyToken

// A pyLine is a logical line: a statement's head, or statements.
type pyLine struct {
	indent int
	tokens pyTokens
}

// How deep brackets and blocks may be nested, as in Python.
const (
	maxBrackets = 200
	maxIndents  = 100
)

// maxDotted bounds the bytes of a dotted name, since each use of it costs its length.
const maxDotted = 1000

// pyCoding finds the line of a source that names its encoding, the first or the one after a comment.
var pyCoding = regexp.MustCompile(`\A(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))?[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)`)

// pyDecode returns the text of a source in the encoding that it names, as far as
// that has one byte a character; others are left, since names and keywords are mostly ASCII.
func pyDecode(src []byte) string {
	m := pyCoding.FindSubmatch(src)
	if m == nil {
		return string(src)
	}
	name := pyEncoding(string(m[1]))
	for _, e := range charmap.All {
		if pyEncoding(fmt.Sprint(e)) == name {
			if text, err := e.NewDecoder().Bytes(src); err == nil {
				return string(text)
			}
		}
	}
	return string(src)
}

// latin are the parts of ISO 8859 that Python calls latin1, latin2, ….
var latin = []string{"", "1", "2", "3", "4", "9", "10", "13", "14", "15", "16"}

// pyEncoding writes the names that an encoding has in one way.
func pyEncoding(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	for _, begin := range []string{"windows", "ibmcodepage", "ibm"} {
		if rest, ok := strings.CutPrefix(name, begin); ok {
			return "cp" + rest
		}
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "latin")); err == nil && strings.HasPrefix(name, "latin") && n > 0 && n < len(latin) {
		return "iso8859" + latin[n]
	}
	return name
}

// pyLines splits a source into logical lines.
func pyLines(src string) ([]pyLine, error) {
	src = strings.TrimPrefix(src, "\ufeff")
	src = strings.ReplaceAll(strings.ReplaceAll(src, "\r\n", "\n"), "\r", "\n")
	if !utf8.ValidString(src) {
		src = strings.ToValidUTF8(src, "\ufffd") // another encoding; names and keywords are ASCII
	}
	l := pyLexer{src: src, row: 1}
	l.indent()
	for l.at < len(src) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	if len(l.open) > 0 {
		return nil, l.fail("a bracket is not closed")
	}
	if err := l.end(); err != nil {
		return nil, err
	}
	return l.lines, nil
}

// A pyLexer splits a source into logical lines.
type pyLexer struct {
	src     string
	at      int // what is read next
	row     int // of the source, from 1
	lines   []pyLine
	line    pyLine // is being read
	open    []int  // the brackets of the line that are not closed yet
	indents []int  // of the blocks that the line is in
}

func (l *pyLexer) fail(msg string) error {
	return fmt.Errorf("line %d: %w: %s", l.row, errPython, msg)
}

// next reads a token, or what stands between tokens.
func (l *pyLexer) next() error {
	rest := l.src[l.at:]
	switch c := rest[0]; {
	case c == '\n' && len(l.open) == 0:
		if err := l.end(); err != nil {
			return err
		}
		l.row++
		l.at++
		l.indent()
	case c == '\n':
		l.row++
		l.at++
	case c == ' ' || c == '\t' || c == '\f':
		l.at++
	case c == '#':
		comment, _, _ := strings.Cut(rest, "\n")
		l.at += len(comment)
	case strings.HasPrefix(rest, "\\\n"):
		l.row++
		l.at += 2
	default:
		tok, n, err := pyToken1(rest)
		if err != nil {
			return fmt.Errorf("line %d: %w", l.row, err)
		}
		if err := l.match(tok); err != nil {
			return err
		}
		l.line.tokens = append(l.line.tokens, tok)
		l.row += strings.Count(rest[:n], "\n")
		l.at += n
	}
	return nil
}

// indent begins a logical line with its indentation.
func (l *pyLexer) indent() {
	n := 0
	for ; l.at < len(l.src) && strings.IndexByte(" \t\f", l.src[l.at]) >= 0; l.at++ {
		switch l.src[l.at] {
		case ' ':
			n++
		case '\t':
			n += 8 - n%8
		case '\f':
			n = 0
		}
	}
	l.line = pyLine{indent: n}
}

// match notes an opening bracket, and in it where it closes.
func (l *pyLexer) match(tok pyToken) error {
	if tok.kind != pyOp {
		return nil
	}
	switch at := len(l.line.tokens); tok.text {
	case "(", "[", "{":
		if l.open = append(l.open, at); len(l.open) > maxBrackets {
			return l.fail("too many brackets")
		}
	case ")", "]", "}":
		if len(l.open) == 0 {
			return l.fail("a bracket is not opened")
		}
		from := l.open[len(l.open)-1]
		l.open = l.open[:len(l.open)-1]
		l.line.tokens[from].closes = int32(at - from)
	}
	return nil
}

// end adds the logical line to the others, unless it is empty.
func (l *pyLexer) end() error {
	if len(l.line.tokens) == 0 {
		return nil
	}
	for len(l.indents) > 0 && l.indents[len(l.indents)-1] >= l.line.indent {
		l.indents = l.indents[:len(l.indents)-1]
	}
	if l.indents = append(l.indents, l.line.indent); len(l.indents) > maxIndents {
		return l.fail("too many levels of indentation")
	}
	l.lines = append(l.lines, l.line)
	return nil
}

// pyToken1 reads one token, and returns the bytes it takes.
func pyToken1(s string) (pyToken, int, error) {
	r, w := utf8.DecodeRuneInString(s)
	switch {
	case r == '_' || unicode.IsLetter(r):
		n := w
		for n < len(s) {
			r, w := utf8.DecodeRuneInString(s[n:])
			if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) {
				break
			}
			n += w
		}
		if n < len(s) && n <= 2 && (s[n] == '"' || s[n] == '\'') && strings.Trim(strings.ToLower(s[:n]), "rbuft") == "" {
			return pyLiteral(strings.ToLower(s[:n]), s[n:], n)
		}
		return pyToken{kind: pyWord, text: s[:n]}, n, nil
	case r == '"' || r == '\'':
		return pyLiteral("", s, 0)
	case r >= '0' && r <= '9' || r == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		n := 1
		for n < len(s) && (s[n] == '.' || s[n] == '_' || s[n] >= '0' && s[n] <= '9' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z') {
			n++
		}
		return pyToken{kind: pyNumber, text: s[:n]}, n, nil
	}
	for _, op := range []string{"**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", "->", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", ":="} {
		if strings.HasPrefix(s, op) {
			return pyToken{kind: pyOp, text: op}, len(op), nil
		}
	}
	return pyToken{kind: pyOp, text: s[:w]}, w, nil
}

// pyLiteral reads a string literal, at its quotes; before is the length of its prefix.
func pyLiteral(prefix, s string, before int) (pyToken, int, error) {
	q := s[:1]
	if strings.HasPrefix(s, strings.Repeat(q, 3)) {
		q = s[:3]
	}
	raw, kind := strings.Contains(prefix, "r"), pyString
	if strings.ContainsAny(prefix, "bft") {
		kind = pyBytes
	}
	var b strings.Builder
	for i := len(q); i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], q):
			return pyToken{kind: kind, text: b.String()}, before + i + len(q), nil
		case s[i] == '\n' && len(q) == 1:
			return pyToken{}, 0, fmt.Errorf("%w: a string is not closed", errPython)
		case s[i] == '\\' && i+1 < len(s) && raw:
			b.WriteString(s[i : i+2])
			i += 2
		case s[i] == '\\' && i+1 < len(s):
			n := pyEscape(&b, s[i:])
			i += n
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return pyToken{}, 0, fmt.Errorf("%w: a string is not closed", errPython)
}

// pyEscape writes what an escape stands for, and returns the bytes it takes.
func pyEscape(b *strings.Builder, s string) int {
	if at := strings.IndexByte("abfnrtv\\'\"\n", s[1]); at >= 0 {
		b.WriteString([]string{"\a", "\b", "\f", "\n", "\r", "\t", "\v", "\\", "'", `"`, ""}[at])
		return 2
	}
	digits, base, from := 0, 16, 2
	switch s[1] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case '0', '1', '2', '3', '4', '5', '6', '7':
		base, from = 8, 1
		for digits < 3 && 1+digits < len(s) && s[1+digits] >= '0' && s[1+digits] <= '7' {
			digits++
		}
	}
	if digits > 0 && from+digits <= len(s) {
		if v, err := strconv.ParseUint(s[from:from+digits], base, 32); err == nil {
			b.WriteRune(rune(v))
			return from + digits
		}
	}
	b.WriteByte('\\') // Python keeps what it does not know
	return 1
}

// word returns the name or keyword at i, or "".
func (t pyTokens) word(i int) string {
	if i < 0 || i >= len(t) || t[i].kind != pyWord {
		return ""
	}
	return t[i].text
}

// is says whether the token at i is this word or operator.
func (t pyTokens) is(i int, text string) bool {
	return i >= 0 && i < len(t) && t[i].kind <= pyOp && t[i].text == text
}

func (t pyTokens) has(word string) bool {
	return slices.Contains(t, pyToken{kind: pyWord, text: word})
}

// closes returns where the bracket at i closes, or -1.
func (t pyTokens) closes(i int) int {
	if i < len(t) && t[i].closes > 0 && i+int(t[i].closes) < len(t) {
		return i + int(t[i].closes)
	}
	return -1
}

// after returns where the token behind i begins, or behind the brackets that open at i.
func (t pyTokens) after(i int) int { return i + int(t[i].closes) + 1 }

// index returns where a word or operator is outside of brackets, or -1.
func (t pyTokens) index(text string) int {
	for i := 0; i < len(t); i = t.after(i) {
		if t.is(i, text) {
			return i
		}
	}
	return -1
}

// split cuts at a word or operator outside of brackets.
func (t pyTokens) split(text string) []pyTokens {
	var parts []pyTokens
	for {
		i := t.index(text)
		if i < 0 {
			return append(parts, t)
		}
		parts = append(parts, t[:i])
		t = t[i+1:]
	}
}

// bare takes the parentheses around an expression off.
func (t pyTokens) bare() pyTokens {
	for len(t) > 2 && t.is(0, "(") && t.closes(0) == len(t)-1 {
		t = t[1 : len(t)-1]
	}
	return t
}

// elements cuts a tuple or list at its commas, those of a lambda's parameters
// aside; several is false for any other expression.
func (t pyTokens) elements() (parts []pyTokens, several bool) {
	t = t.bare()
	if len(t) > 1 && t.is(0, "[") && t.closes(0) == len(t)-1 {
		if t = t[1 : len(t)-1]; t.index("for") >= 0 { // a comprehension
			return nil, false
		}
		several = true
	}
	lambdas, from := 0, 0
	for i := 0; i < len(t); i = t.after(i) {
		switch {
		case t.is(i, "lambda"):
			lambdas++
		case t.is(i, ":") && lambdas > 0:
			lambdas--
		case t.is(i, ",") && lambdas == 0:
			parts, from, several = append(parts, t[from:i]), i+1, true
		}
	}
	if from < len(t) {
		parts = append(parts, t[from:])
	}
	return parts, several
}

// statements cuts a line of simple statements.
func (t pyTokens) statements() []pyTokens { return t.split(";") }

// dotted reads a.b.c, and returns what follows.
func (t pyTokens) dotted() (string, pyTokens) {
	if t.word(0) == "" {
		return "", t
	}
	parts, length := []string{t[0].text}, len(t[0].text)
	for t = t[1:]; t.is(0, ".") && t.word(1) != ""; t = t[2:] {
		parts = append(parts, t[1].text)
		length += 1 + len(t[1].text)
	}
	if length > maxDotted {
		return "", t
	}
	return strings.Join(parts, "."), t
}

// docstring is the value of a line that begins with a string that is a statement.
func (t pyTokens) docstring() string {
	var doc strings.Builder
	for _, tok := range t.statements()[0] {
		if tok.kind != pyString {
			return ""
		}
		doc.WriteString(tok.text)
	}
	return doc.String()
}

// strings are the literals of a list.
func (t pyTokens) strings() []string {
	var all []string
	for _, tok := range t {
		if tok.kind == pyString {
			all = append(all, tok.text)
		}
	}
	return all
}

// split cuts the head of a compound statement, up to its colon, from what
// stands behind it on the line. Other lines it returns whole.
func (l pyLine) split() (head, inline pyTokens, compound bool) {
	t := l.tokens
	first := t.word(0)
	if first == "async" {
		first = t.word(1)
	}
	if !slices.Contains([]string{"def", "class", "if", "elif", "else", "try", "finally", "except", "while", "with", "for", "match", "case"}, first) {
		return t, nil, false
	}
	i := t.index(":")
	for from := 0; i >= 0; { // a lambda's colon comes before the head's
		l := t[from:i].index("lambda")
		if l < 0 {
			break
		}
		from = i + 1
		next := t[from:].index(":")
		if i = -1; next >= 0 {
			i = from + next
		}
	}
	if i < 0 {
		return t, nil, false
	}
	return t[:i], t[i+1:], true
}
