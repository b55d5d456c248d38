// Package pyhub reads a hubconf.py without running it: which functions it offers, and
// their docstrings. Files are hostile until read: time, memory and stack are bounded
// by their size.
package pyhub

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/internal/terminal"
)

// A Module is the information about a Python module that can be determined
// without running it.
type Module struct {
	Names        map[string]*Name
	dependencies []string        // the strings of the list of that name
	all          map[string]bool // the names of __all__; nil if there is none, or if it is computed
}

// A Name is a name of a module.
type Name struct {
	Callable bool
	Doc      string  // the docstring
	makes    bool    // a function or class whose result is callable
	module   *string // the dotted name of a module of another package
	checking bool    // it is typing.TYPE_CHECKING, which is false in a run
}

// Callables lists the names that torch.hub.list would: those of callables that do not begin with an underscore.
func (m *Module) Callables() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(m.Names)) {
		if m.Names[name].Callable && !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	return names
}

// addAll adds the literals of an expression to __all__.
func (m *Module) addAll(t pyTokens) {
	for _, name := range t.strings() {
		m.all[name] = true
	}
}

// What a repository's Python may be; the rest of it counts as another package.
const (
	maxPython      = 4 << 20 // bytes of a file
	maxPythonTotal = 8 << 20 // bytes of all files
	maxPythonFiles = 100
	maxImports     = 20      // deep
	maxLookups     = 100_000 // modules looked for in the folder, and names imported with a star
)

// Read reads the hubconf.py of a folder and the other modules of the folder from which it imports names.
func Read(dir string) (*Module, error) {
	r := &reader{dir: dir, modules: map[string]*Module{}}
	file := filepath.Join(dir, "hubconf.py")
	src, err := readSource(file)
	if err != nil {
		return nil, err
	}
	m, err := r.parse(src, "", 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

func readSource(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", file)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPython+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, oserror.Cause(err))
	}
	if len(data) > maxPython {
		return "", fmt.Errorf("%s is bigger than %s", file, terminal.Size(maxPython))
	}
	return pyDecode(data), nil
}

type reader struct {
	dir     string // "" for a file that stands alone
	modules map[string]*Module
	bytes   int // read so far, at most maxPythonTotal
	lookups int // made so far, at most maxLookups
}

// parse reads a module; pkg is the package that relative imports in it start from.
func (r *reader) parse(src, pkg string, depth int) (*Module, error) {
	if r.bytes += len(src); r.bytes > maxPythonTotal {
		return nil, errPython
	}
	lines, err := pyLines(src)
	if err != nil {
		return nil, err
	}
	s := &scope{r: r, pkg: pkg, depth: depth, m: &Module{Names: map[string]*Name{}}}
	s.block(lines)
	return s.m, nil
}

// module returns a module of the folder, or nil; is reports whether it exists, readable or not.
func (r *reader) module(name string, depth int) (m *Module, is bool) {
	if r.dir == "" || name == "" {
		return nil, false
	}
	if m, seen := r.modules[name]; seen {
		return m, true
	}
	if r.lookups++; r.lookups > maxLookups {
		return nil, false
	}
	for _, part := range strings.Split(name, ".") {
		if part == "" {
			return nil, false
		}
	}
	rel := filepath.FromSlash(strings.ReplaceAll(name, ".", "/"))
	if !filepath.IsLocal(rel) {
		return nil, false
	}
	base := filepath.Join(r.dir, rel)
	file, pkg := filepath.Join(base, "__init__.py"), name
	if fi, err := os.Stat(file); err != nil || !fi.Mode().IsRegular() {
		file, pkg = base+".py", name[:max(0, strings.LastIndexByte(name, '.'))]
		if fi, err := os.Stat(file); err != nil || !fi.Mode().IsRegular() {
			fi, err := os.Stat(base)
			return nil, err == nil && fi.IsDir() // a package without a file
		}
	}
	if depth >= maxImports || len(r.modules) >= maxPythonFiles || r.bytes >= maxPythonTotal {
		return nil, true
	}
	r.modules[name] = nil // a circular import finds nothing the second time
	if src, err := readSource(file); err == nil {
		if m, err := r.parse(src, pkg, depth+1); err == nil {
			r.modules[name] = m
		}
	}
	return r.modules[name], true
}

// A scope reads the statements of a module.
type scope struct {
	r     *reader
	pkg   string
	depth int
	m     *Module
}

// block reads lines, of which the first has the least indentation.
func (s *scope) block(lines []pyLine) {
	decided := false // a branch of the if statement before runs always, so that those after it never do
	for i := 0; i < len(lines); {
		l := lines[i]
		end := i + 1
		for end < len(lines) && lines[end].indent > l.indent {
			end++
		}
		body := lines[i+1 : end]
		i = end
		head, inline, compound := l.split()
		if !compound {
			for _, one := range head.statements() {
				s.statement(one)
			}
			continue
		}
		if len(inline) > 0 { // simple statements only
			body = []pyLine{{l.indent + 1, inline}}
		}
		t := head
		if t.is(0, "async") {
			t = t[1:]
		}
		switch t.word(0) {
		case "def":
			s.define(t, body, Name{Callable: true, makes: returnsCallable(body)})
			continue
		case "class":
			s.define(t, body, Name{Callable: true, makes: callableInstances(t, body)})
			continue
		case "if", "elif", "while":
			truth, known := s.truth(t[1:])
			if decided = decided && t.is(0, "elif"); decided || known && !truth {
				continue
			}
			decided = known && truth && !t.is(0, "while")
		case "else":
			if decided {
				continue
			}
		case "with", "for":
			s.targets(t)
			decided = false
		default:
			decided = false
		}
		if len(inline) == 0 {
			s.block(body)
			continue
		}
		for _, one := range inline.statements() {
			s.statement(one)
		}
	}
}

// truth returns the value of a condition that is the same in each run, such as
// False, not TYPE_CHECKING or __name__ == "__main__".
func (s *scope) truth(t pyTokens) (truth, known bool) {
	t = t.bare()
	for _, op := range []string{"or", "and"} {
		parts := t.split(op)
		if len(parts) == 1 {
			continue
		}
		all := true
		for _, p := range parts {
			truth, known := s.truth(p)
			if known && truth == (op == "or") {
				return truth, true
			}
			all = all && known
		}
		return op == "and", all
	}
	negated := false
	for t.is(0, "not") {
		negated, t = !negated, t[1:]
	}
	truth, known = s.constant(t)
	return truth != negated, known
}

// constant is truth of a condition without and, or and not, apart from those in parentheses.
func (s *scope) constant(t pyTokens) (truth, known bool) {
	if t.closes(0) == len(t)-1 && len(t) > 0 {
		switch {
		case len(t) == 2: // (), [] or {}
			return false, true
		case t.is(0, "("):
			return s.truth(t[1 : len(t)-1])
		}
	}
	if len(t) == 3 && t.has("__name__") && slices.Contains(t, pyToken{kind: pyString, text: "__main__"}) {
		return t.is(1, "!="), t.is(1, "!=") || t.is(1, "==")
	}
	if len(t) == 1 {
		switch {
		case t.is(0, "True"), t.is(0, "__debug__"):
			return true, true
		case t.is(0, "False"), t.is(0, "None"):
			return false, true
		case t[0].kind == pyString:
			return t[0].text != "", true
		case t[0].kind == pyNumber:
			return strings.Trim(t[0].text, "0_.") != "", true
		}
	}
	if dotted, rest := t.dotted(); dotted != "" && len(rest) == 0 {
		return false, dotted == "TYPE_CHECKING" || strings.HasSuffix(dotted, ".TYPE_CHECKING") || s.lookup(dotted).checking
	}
	return false, false
}

// define records a function or class with its docstring.
func (s *scope) define(t pyTokens, body []pyLine, n Name) {
	name := t.word(1)
	if name == "" {
		return
	}
	if len(body) > 0 {
		n.Doc = body[0].tokens.docstring()
	}
	s.m.Names[name] = &n
}

// targets records the names that with and for bind; their values are unknown.
func (s *scope) targets(t pyTokens) {
	for i := range t {
		if t.is(0, "for") && t.is(i, "in") {
			break
		}
		if t[i].kind == pyWord && i > 0 && (t.is(0, "for") || t.is(i-1, "as")) && !t.is(i, "for") {
			s.m.Names[t[i].text] = &Name{}
		}
	}
}

func (s *scope) statement(t pyTokens) {
	switch t.word(0) {
	case "import":
		for _, part := range t[1:].split(",") {
			dotted, rest := part.dotted()
			name, _, _ := strings.Cut(dotted, ".")
			to := name
			if rest.is(0, "as") {
				name, to = rest.word(1), dotted
			}
			if name != "" {
				s.m.Names[name] = &Name{module: &to}
			}
		}
	case "from":
		s.from(t[1:])
	case "del":
		for _, part := range t[1:].split(",") {
			if len(part) == 1 {
				delete(s.m.Names, part.word(0))
			}
		}
	case "return", "raise", "assert", "pass", "global", "nonlocal", "yield", "await", "break", "continue":
	default:
		s.assign(t)
	}
}

// from reads the rest of an import after "from".
func (s *scope) from(t pyTokens) {
	dots := 0
	for len(t) > 0 && strings.Trim(t[0].text, ".") == "" && t[0].kind == pyOp {
		dots += len(t[0].text)
		t = t[1:]
	}
	var mod string
	if !t.is(0, "import") {
		mod, t = t.dotted()
	}
	if !t.is(0, "import") {
		return
	}
	t = t[1:]
	if dots > 0 {
		pkg := s.pkg
		for range dots - 1 {
			pkg = pkg[:max(0, strings.LastIndexByte(pkg, '.'))]
		}
		mod = strings.Trim(pkg+"."+mod, ".")
	}
	m, own := s.r.module(mod, s.depth)
	if t.is(0, "*") {
		if m != nil {
			s.star(mod, m)
		}
		return
	}
	if t.is(0, "(") {
		t = t[1:]
		if len(t) > 0 && t.is(len(t)-1, ")") {
			t = t[:len(t)-1]
		}
	}
	for _, part := range t.split(",") {
		name := part.word(0)
		as := name
		if part.is(1, "as") {
			as = part.word(2)
		}
		if name == "" || as == "" {
			continue
		}
		s.m.Names[as] = s.imported(mod, name, m, own)
	}
}

// star imports all names of a module of the folder: those of its __all__, or
// those that do not begin with an underscore.
func (s *scope) star(mod string, m *Module) {
	s.r.lookups += len(m.Names) + len(m.all)
	if s.r.lookups > maxLookups {
		return
	}
	if m.all == nil {
		for name, n := range m.Names {
			if !strings.HasPrefix(name, "_") {
				s.m.Names[name] = n
			}
		}
		return
	}
	for name := range m.all {
		full := mod + "." + name
		if n := m.Names[name]; n != nil {
			s.m.Names[name] = n
		} else if _, is := s.r.module(full, s.depth); is {
			s.m.Names[name] = &Name{module: &full}
		}
	}
}

// imported returns the value of a name of a module.
func (s *scope) imported(mod, name string, m *Module, own bool) *Name {
	full := mod + "." + name
	if m != nil {
		if n := m.Names[name]; n != nil {
			return n
		}
	}
	if own || mod == "" {
		if _, is := s.r.module(strings.TrimPrefix(full, "."), s.depth); is {
			return &Name{module: &full}
		}
	}
	return foreign(full)
}

// foreign returns the assumed value of a dotted name of another package.
func foreign(full string) *Name {
	pkg, name := full[:strings.LastIndexByte(full, '.')], full[strings.LastIndexByte(full, '.')+1:]
	if pkg == "__future__" || isConstant(name) {
		return &Name{checking: name == "TYPE_CHECKING"}
	}
	if knownModules[full] {
		return &Name{module: &full}
	}
	return &Name{Callable: true, makes: strings.HasSuffix(full, ".partial") || strings.HasSuffix(full, ".namedtuple")}
}

// isConstant reports whether a name is written like a constant, which is not
// callable.
func isConstant(name string) bool {
	return len(name) > 1 && strings.ToUpper(name) == name && strings.ToLower(name) != name
}

// knownModules are modules that "from package import" often names.
var knownModules = func() map[string]bool {
	known := map[string]bool{}
	for pkg, names := range map[string]string{
		"os": "path", "collections": "abc", "concurrent": "futures", "importlib": "util machinery abc resources metadata",
		"urllib": "request parse error", "xml": "etree dom sax", "xml.etree": "ElementTree", "logging": "handlers config", "unittest": "mock",
		"torch": "nn optim hub utils cuda jit fft linalg special distributions distributed multiprocessing autograd functional onnx backends " +
			"quantization ao amp fx sparse random serialization testing profiler export mps xpu func compiler",
		"torch.nn":    "functional init utils modules parallel parameter quantized intrinsic qat attention",
		"torch.utils": "data model_zoo checkpoint tensorboard cpp_extension dlpack mobile_optimizer bundled_inputs",
		"torchvision": "models transforms datasets ops io utils",
		"torchvision.models": "detection segmentation video quantization optical_flow feature_extraction resnet vgg densenet squeezenet mobilenet mobilenetv2 " +
			"mobilenetv3 mnasnet shufflenetv2 efficientnet regnet convnext inception vision_transformer swin_transformer maxvit",
		"torchvision.transforms": "functional v2 transforms", "torchvision.transforms.v2": "functional",
		"torchaudio": "models transforms functional datasets pipelines", "numpy": "random linalg fft ma testing",
		"PIL": "Image ImageDraw ImageFont ImageFilter ImageOps ImageEnhance ImageColor", "scipy": "ndimage signal stats io optimize",
	} {
		for _, n := range strings.Fields(names) {
			known[pkg+"."+n] = true
		}
	}
	return known
}()

// assign reads "a = b = expression", "a: type = expression" and changes of __all__.
func (s *scope) assign(t pyTokens) {
	if t.is(0, "__all__") && s.m.all != nil {
		switch {
		case t.is(1, "+="), t.is(1, ".") && (t.is(2, "append") || t.is(2, "extend")):
			s.m.addAll(t)
		case t.is(1, ".") && t.is(2, "remove") && len(t) > 4:
			delete(s.m.all, t[4].text)
		}
	}
	var targets []pyTokens
	for len(targets) < maxTargets {
		i := t.index("=")
		if i < 0 || t[:i].index("lambda") >= 0 { // of a parameter's default
			break
		}
		targets, t = append(targets, t[:i]), t[i+1:]
	}
	var bound []binding
	for _, target := range targets {
		if i := target.index(":"); i >= 0 {
			target = target[:i]
		}
		bound = s.bind(bound, target, t)
	}
	for _, b := range bound { // after all values are known, as in a, b = b, a
		s.m.Names[b.name] = b.to
	}
}

const maxTargets = 20 // of an assignment, since the value is read for each

// A binding is a name and its value.
type binding struct {
	name string
	to   *Name
}

// bind appends the names of a target with the parts of a value; a nil value is not known.
func (s *scope) bind(bound []binding, target, value pyTokens) []binding {
	names, several := target.elements()
	if !several {
		target = target.bare()
		name := target.word(0)
		switch {
		case len(target) != 1 || name == "":
			return bound
		case value == nil:
			return append(bound, binding{name, &Name{}})
		case name == "dependencies":
			s.m.dependencies = value.strings()
		case name == "__all__":
			s.m.all = nil
			if (value.is(0, "[") || value.is(0, "(")) && !value.has("for") {
				s.m.all = map[string]bool{}
				s.m.addAll(value)
			}
		}
		return append(bound, binding{name, s.value(value)})
	}
	values, display := value.elements()
	star := slices.IndexFunc(names, func(n pyTokens) bool { return n.is(0, "*") })
	spread := slices.ContainsFunc(values, func(v pyTokens) bool { return v.is(0, "*") })
	fits := display && !spread && (len(values) == len(names) || star >= 0 && len(values) >= len(names)-1)
	for i, n := range names {
		switch {
		case i == star:
			bound = s.bind(bound, n[1:], nil) // a list
		case !fits:
			bound = s.bind(bound, n, nil)
		case star >= 0 && i > star:
			bound = s.bind(bound, n, values[len(values)-len(names)+i])
		default:
			bound = s.bind(bound, n, values[i])
		}
	}
	return bound
}

// value returns the value of an expression.
func (s *scope) value(t pyTokens) *Name {
	if _, several := t.elements(); several { // a tuple or list
		return &Name{}
	}
	for t = t.bare(); ; t = t.bare() {
		if t.is(0, "lambda") {
			return &Name{Callable: true}
		}
		i, j := t.index("if"), t.index("else")
		if i <= 0 || j < i {
			break
		}
		if truth, known := s.truth(t[i+1 : j]); known && !truth { // a if c else b
			t = t[j+1:]
		} else {
			t = t[:i]
		}
	}
	dotted, rest := t.dotted()
	if dotted == "" {
		return &Name{}
	}
	n := s.lookup(dotted)
	switch {
	case len(rest) == 0:
		return n
	case rest.is(0, "(") && rest.closes(0) == len(rest)-1:
		if n.makes {
			made := &Name{Callable: true}
			inside := rest[1 : len(rest)-1]
			if arg, more := inside.dotted(); arg != "" && (len(more) == 0 || more.is(0, ",")) {
				made.Doc = s.lookup(arg).Doc // of the function that partial wraps
			}
			return made
		}
	}
	return &Name{}
}

// lookup finds a dotted name.
func (s *scope) lookup(dotted string) *Name {
	name, rest, more := strings.Cut(dotted, ".")
	n := s.m.Names[name]
	switch {
	case n == nil:
		return &Name{Callable: builtins[name]}
	case !more:
		return n
	case n.module == nil:
		return &Name{}
	}
	full := *n.module + "." + rest
	at := strings.LastIndexByte(full, '.')
	m, own := s.r.module(full[:at], s.depth)
	return s.imported(full[:at], full[at+1:], m, own)
}

// builtins are the callables that a hubconf.py may give another name.
var builtins = map[string]bool{"dict": true, "list": true, "tuple": true, "set": true, "int": true, "float": true, "str": true, "print": true, "open": true, "object": true, "len": true, "range": true}

// returnsCallable reports whether a function makes a function: it contains one and returns a
// value.
func returnsCallable(body []pyLine) bool {
	inner, returns := false, false
	for _, l := range body {
		if l.tokens.is(0, "def") {
			inner = true
		}
		if l.tokens.is(0, "return") && len(l.tokens) > 1 {
			returns = true
			inner = inner || l.tokens.is(1, "lambda") || l.tokens.is(1, "partial") || l.tokens.is(3, "partial")
		}
	}
	return inner && returns
}

// callableInstances reports whether a class's instances are Callable: it has __call__, or is a
// torch.nn.Module.
func callableInstances(head pyTokens, body []pyLine) bool {
	if head.has("Module") || head.has("Sequential") {
		return true
	}
	for _, l := range body {
		if l.tokens.is(0, "def") && l.tokens.is(1, "__call__") {
			return true
		}
	}
	return false
}

var errPython = errors.New("it cannot be read as Python")
