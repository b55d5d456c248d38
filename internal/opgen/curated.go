package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed curated.txt
var curatedText string

// A function is a line of curated.txt.
type curatedFunction struct {
	schema   *Schema
	py       string // the name in Python, without module
	name     string // in Go
	method   bool   // of Tensor
	receiver int    // its argument
	params   []curatedParam
	options  []curatedParam
	doc      string
	inPlace  bool    // to be made as op_ too
	checked  bool    // by a function written by hand, before the call
	whole    *Schema // the operator that Python calls where no dims are given, if it is another
	worded   *Schema // the operator whose padding is a word, if there is one
}

// A curatedParam is an argument that a function names.
type curatedParam struct {
	arg      Arg
	field    string // in Go: a parameter's name, or a field of the options
	variadic bool
	dims     bool // variadic, but given as an Ints
	pointer  bool
	negated  bool // the field says the opposite
	ints     bool // an int or a []int
	worded   bool // or a word
	number   bool // a number for a tensor
}

// A curatedFile is what stands under a "==" in curated.txt.
type curatedFile struct {
	path, title string
	functions   []*curatedFunction
	also        []string // links to functions that are written by hand
}

var lineRE = regexp.MustCompile(`^([\w.]+)(?:/([\w.]+))?([!?]*)(?:=(\w+))?\s+(x\.)?(\w+)\((.*)\)\s\s+(.+)$`)

func readCurated(schemas []*Schema) ([]*curatedFile, error) {
	byName := map[string]*Schema{}
	for _, s := range schemas {
		byName[s.FullName()] = s
	}
	var files []*curatedFile
	for line := range strings.Lines(curatedText) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "== "); ok {
			p, title, _ := strings.Cut(rest, " ")
			dir, name := path.Split(p)
			files = append(files, &curatedFile{path: dir + "z" + name, title: title})
			continue
		}
		if line == "" || len(files) == 0 {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "also "); ok {
			files[len(files)-1].also = strings.Fields(rest)
			continue
		}
		f, err := readCuratedLine(line, byName)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		last := files[len(files)-1]
		last.functions = append(last.functions, f)
		if n := len(f.params); n > 0 && f.params[n-1].variadic && len(f.options) > 0 {
			// Go has one variadic parameter: the function with options takes its dims as one.
			g := *f
			g.name += "Dim"
			g.params = slices.Clone(f.params)
			g.params[n-1].dims = true
			f.options = nil
			last.functions = append(last.functions, &g)
		}
		if !f.inPlace {
			continue
		}
		base, overload, _ := strings.Cut(f.schema.FullName(), ".")
		s := byName[strings.TrimSuffix(base+"_."+overload, ".")]
		for _, other := range []string{base + "_", base + "_.Tensor"} {
			if s == nil {
				s = byName[other]
			}
		}
		if s == nil {
			return nil, fmt.Errorf("%q: there is no %s_", line, base)
		}
		g := *f
		g.schema, g.py, g.name, g.options = s, f.py+"_", f.name+"InPlace", nil
		g.receiver = 0 // in place it always comes first
		for _, o := range f.options {
			if slices.ContainsFunc(s.Args, func(a Arg) bool { return a.Name == o.arg.Name }) {
				g.options = append(g.options, o)
			}
		}
		last.functions = append(last.functions, &g)
	}
	return files, nil
}

func readCuratedLine(line string, byName map[string]*Schema) (*curatedFunction, error) {
	m := lineRE.FindStringSubmatch(line)
	if m == nil {
		return nil, fmt.Errorf("it is no line of the table")
	}
	f := &curatedFunction{schema: byName[m[1]], whole: byName[m[2]], inPlace: strings.Contains(m[3], "!"), checked: strings.Contains(m[3], "?"), py: m[4], method: m[5] != "", name: m[6], doc: m[8]}
	if f.schema == nil || f.whole == nil && m[2] != "" {
		return nil, fmt.Errorf("there is no operator %s or %s", m[1], m[2])
	}
	if f.py == "" {
		f.py, _, _ = strings.Cut(m[1], ".")
	}
	f.worded = byName[m[1]+".padding"]
	list, options, _ := strings.Cut(m[7], "[")
	read := func(text string, option bool) error {
		for part := range strings.SplitSeq(text, ",") {
			part = strings.Trim(part, " ]")
			if part == "" {
				continue
			}
			var p curatedParam
			part, p.ints = strings.CutSuffix(part, ":Ints")
			part, p.number = strings.CutSuffix(part, ":Number")
			part, p.variadic = strings.CutSuffix(part, "...")
			field, name, negated := strings.Cut(part, "!")
			if !negated {
				name = field
			}
			p.negated = negated
			i := slices.IndexFunc(f.schema.Args, func(a Arg) bool { return a.Name == name })
			if i < 0 {
				return fmt.Errorf("%s has no argument %q", f.schema, name)
			}
			p.arg = f.schema.Args[i]
			p.worded = f.worded != nil && name == "padding"
			if option {
				p.field = fieldName(field)
				p.pointer = p.arg.zeroSaysMore()
				f.options = append(f.options, p)
			} else {
				p.field = localName(name)
				switch {
				case p.field == "self" && f.method:
					p.field = "values"
				case p.field == "self":
					p.field = "x"
				}
				if p.variadic && !strings.HasSuffix(p.field, "s") && p.field == "dim" {
					p.field = "dims"
				}
				f.params = append(f.params, p)
			}
		}
		return nil
	}
	if err := read(list, false); err != nil {
		return nil, err
	}
	if err := read(options, true); err != nil {
		return nil, err
	}
	if f.method {
		named := slices.ContainsFunc(f.params, func(p curatedParam) bool { return p.arg.Name == "self" })
		if i := slices.IndexFunc(f.schema.Args, func(a Arg) bool { return a.Name == "self" }); i > 0 && !named {
			f.receiver = i
		}
	}
	return f, nil
}

// plain are numbers of which 0 is an error in Python, so that it can stand for the default.
var plain = []string{"groups", "bins", "ind"}

// zeroSaysMore reports whether the zero of the argument's Go type means something other than its default.
func (a Arg) zeroSaysMore() bool {
	switch a.Type.kind() {
	case "int?", "float?", "bool?":
		return true
	case "int", "float":
		zero := a.Default == "0" || a.Default == "0.0"
		return !zero && !slices.Contains(plain, a.Name)
	}
	return false
}

// localName is paramName, less the care for words that only the files of aten use.
func localName(name string) string {
	n := paramName(name)
	if slices.Contains([]string{"r_", "tensor_", "tensors_"}, n) {
		n = strings.TrimSuffix(n, "_")
	}
	return n
}

// fieldName is camel, with the words that have a spelling of their own.
func fieldName(name string) string {
	switch name {
	case "dtype":
		return "DType"
	case "keepdim":
		return "KeepDim"
	case "nan":
		return "NaN"
	case "posinf":
		return "PosInf"
	case "neginf":
		return "NegInf"
	}
	return camel(name)
}

func (f *curatedFunction) has(arg string) bool {
	return slices.ContainsFunc(f.schema.Args, func(a Arg) bool { return a.Name == arg })
}

// factory reports whether the operator makes a tensor of a dtype, layout and device.
func (f *curatedFunction) factory() bool { return f.has("pin_memory") && !f.has("values") }

// ofValues reports whether the operator makes a sparse tensor. Its dtype and
// device are those of its values, which libtorch asks for once more.
func (f *curatedFunction) ofValues() bool { return f.has("pin_memory") && f.has("values") }

// like reports whether the device is that of an argument where no other is asked for.
func (f *curatedFunction) like() bool {
	return slices.ContainsFunc(f.schema.Args, func(a Arg) bool { return a.Type.kind() == "Tensor" })
}

// module returns where the function lives in Python, and its page's address.
func (f *curatedFunction) module(file string) (expr, url string) {
	const pages = "https://docs.pytorch.org/docs/stable/generated/"
	name := f.py
	module := "torch"
	switch dir := path.Dir(file); dir {
	case "torch":
		if f.method && (strings.HasSuffix(name, "_") || !f.schema.function) {
			return name, pages + "torch.Tensor." + name + ".html"
		}
	case "torch/nn/functional":
		module = "torch.nn.functional"
	default:
		room := path.Base(dir)
		module += "." + room
		name = strings.TrimPrefix(name, room+"_")
		if room == "special" { // one page for all
			return module + "." + name, "https://docs.pytorch.org/docs/stable/special.html#" + module + "." + name
		}
	}
	url = pages + module + "." + name + ".html"
	if module == "torch.nn.functional" {
		return "F." + name, url
	}
	return module + "." + name, url
}

// python returns the expression that the function equals.
func (f *curatedFunction) python(file string) (expr, url string) {
	callee, url := f.module(file)
	var args []string
	add := func(name, goName string, keyword bool) {
		if keyword {
			goName = name + "=" + goName
		}
		args = append(args, goName)
	}
	switch {
	case f.method && !f.schema.method && f.schema.Args[0].Name == "self" && path.Dir(file) == "torch":
		args = append(args, "x")
	case f.method:
		callee = "x." + f.py
	}
	for _, p := range f.params {
		if p.dims {
			p.field = "dim"
		}
		add(p.arg.Name, p.field, p.arg.Keyword)
	}
	for _, p := range f.options {
		args = append(args, p.arg.Name+"=…")
	}
	return callee + "(" + strings.Join(args, ", ") + ")", url
}

// goParam returns the type of a parameter and the code that adds it to the call.
func (p curatedParam) goParam() (typ, put string, err error) {
	kind := p.arg.Type.kind()
	n := p.field
	switch {
	case p.dims:
		p.dims = false
		_, put, err = p.goParam()
		return "torch.Ints", put, err
	case p.variadic && (kind == "int" || kind == "int?"):
		return "...int", fmt.Sprintf("c.OneInt(%s)", n), nil
	case p.ints && strings.HasSuffix(kind, "?"):
		return "torch.Ints", fmt.Sprintf("c.OptDims(%s)", n), nil
	case p.number:
		return "torch.Number", fmt.Sprintf("c.Number(%s)", n), nil
	case p.ints:
		return "torch.Ints", fmt.Sprintf("c.IntsOf(%s, %s)", n, sizeOf(p.arg)), nil
	case p.variadic && strings.HasSuffix(kind, "?"):
		return "...int", fmt.Sprintf("c.OptInts(%s)", n), nil
	case p.variadic:
		return "...int", putSize(p.arg, fmt.Sprintf("c.Ints(%s...)", n)), nil
	case p.arg.Name == "reduction":
		return "string", fmt.Sprintf("c.Reduction(%s)", n), nil
	case kind == "int?" || kind == "float?" || kind == "bool?" || kind == "str?":
		kind = strings.TrimSuffix(kind, "?")
	}
	t, ok := scalars[kind]
	if !ok {
		return "", "", fmt.Errorf("no Go type for %s", kind)
	}
	if p.arg.Name == "ord" && kind == "Scalar" && p.arg.Default != "" { // whose nil is said in the documentation
		return t.name, fmt.Sprintf("if %s == nil {\n\t\tc.Default()\n\t} else {\n\t\tc.Number(%s)\n\t}", n, n), nil
	}
	return t.name, putSize(p.arg, fmt.Sprintf(t.put, n)), nil
}

func sizeOf(a Arg) string {
	if a.Type.Size == "" {
		return "1"
	}
	return a.Type.Size
}

// goField returns the type of a field, the condition that it is set, the code that adds it, and a comment.
func (p curatedParam) goField() (typ, set, put, comment string, err error) {
	kind, d := p.arg.Type.kind(), p.arg.Default
	n := "o." + p.field
	says := "default " + strings.Trim(d, `"'`)
	switch d {
	case "None", "", "[]":
		says = ""
	case "Mean":
		says = `"mean", the default, "sum" or "none"`
	case "True":
		says = p.arg.Name + "=False"
	case "False", "0", "0.0":
		says = ""
	}
	base := strings.TrimSuffix(kind, "?")
	switch {
	case p.worded:
		return "torch.Ints", n + " != nil", fmt.Sprintf("c.IntsOrWord(%s, %s)", n, sizeOf(p.arg)), `or "same" or "valid"`, nil
	case p.ints:
		return "torch.Ints", n + " != nil", fmt.Sprintf("c.IntsOf(%s, %s)", n, sizeOf(p.arg)), says, nil
	case p.arg.Name == "reduction":
		return "string", n + ` != ""`, fmt.Sprintf("c.Reduction(%s)", n), says, nil
	case p.negated:
		return "bool", n, "c.Bool(false)", says, nil
	case p.pointer:
		t := scalars[base]
		return "*" + t.name, n + " != nil", fmt.Sprintf(t.put, "*"+n), says, nil
	case kind == "MemoryFormat" && d == "contiguous_format":
		return "torch.MemoryFormat", n + " != 0", fmt.Sprintf("c.MemoryFormat(%s)", n), "default torch.ContiguousFormat", nil
	case kind == "ScalarType?":
		return "torch.DType", n + " != 0", fmt.Sprintf("c.DType(%s)", n), "0 means the result's natural dtype", nil
	case kind == "bool" && d == "True":
		return "", "", "", "", fmt.Errorf("%s is true by default and needs a field that says the opposite", p.arg.Name)
	case kind == "bool":
		return "bool", n, "c.Bool(true)", says, nil
	case base == "str":
		return "string", n + ` != ""`, fmt.Sprintf("c.String(%s)", n), says, nil
	case kind == "int" || kind == "float":
		if says != "" {
			says = "0 means " + d
		}
		return scalars[kind].name, n + " != 0", fmt.Sprintf(scalars[kind].put, n), says, nil
	}
	t, ok := scalars[kind]
	if !ok {
		return "", "", "", "", fmt.Errorf("no Go type for %s", kind)
	}
	return t.name, n + " != nil", fmt.Sprintf(t.put, n), says, nil
}

// callingDoc ends the documentation of package torch: what only few programs need stands last.
const callingDoc = `//
// # Calling any operator
//
// Package torch/aten has a function for every operator of PyTorch's own, with all
// arguments by position. An operator that a library registers, or one of another
// libtorch, is named with [NewOp] and called with a [Call], to which the arguments
// are added in the order of the schema:
//
//	var relu = torch.NewOp("aten::relu", "")
//
//	func ReLU(x *torch.Tensor) *torch.Tensor {
//		var c torch.Call
//		c.Tensor(x)
//		return c.One(relu)
//	}
//
// [Only], [SizesOf] and [DimsOf] read the options, sizes and dimensions of functions
// that follow this package's conventions. [Value] lists the types of arguments and
// results.
`

// emitCurated writes the files of curated.txt, and the table of their functions for the tests.
func emitCurated(schemas []*Schema) (map[string][]byte, error) {
	curated, err := readCurated(schemas)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	var table bytes.Buffer
	index := "// # Functions by subject\n"
	for _, file := range curated {
		if path.Dir(file.path) == "torch" {
			index += "//\n" + file.index()
		}
		var b bytes.Buffer
		for _, f := range file.functions {
			if err := f.emit(&b, file.path); err != nil {
				return nil, fmt.Errorf("%s: %w", f.name, err)
			}
			f.row(&table, file.path)
		}
		dir := path.Dir(file.path)
		text := b.String()
		imports := "import \"github.com/torchhub/torchhub/torch\"\n\n"
		if dir == "torch" {
			text, imports = unqualify(text), ""
		}
		text = header(path.Base(dir)) + imports + "// " + file.title + ".\n\n" + text
		formatted, err := format.Source([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", file.path, err, text)
		}
		out[file.path] = formatted
	}
	index += callingDoc
	// A second comment of the package: godoc shows it after doc.go's.
	out["torch/zindex.go"] = []byte(strings.TrimSpace(strings.Replace(header("torch"), "package torch", index+"package torch", 1)) + "\n")
	imports := "import (\n\t\"github.com/torchhub/torchhub/torch\"\n"
	for _, p := range []string{"fft", "linalg", "nn/functional", "special"} {
		imports += fmt.Sprintf("\t\"github.com/torchhub/torchhub/torch/%s\"\n", p)
	}
	text, err := format.Source([]byte(header("aten") + imports + ")\n\n// curated holds the functions of the other rooms, by name.\nvar curated = []curatedFunction{\n" + table.String() + "}\n"))
	if err != nil {
		return nil, err
	}
	out["torch/aten/zcurated_test.go"] = text
	return out, nil
}

// index is a paragraph with links to the file's functions. Those in place stand beside the others.
func (file *curatedFile) index() string {
	var links []string
	for _, f := range file.functions {
		if !strings.HasSuffix(f.name, "InPlace") || !slices.ContainsFunc(file.functions, func(g *curatedFunction) bool { return g.name+"InPlace" == f.name }) {
			links = append(links, "["+f.link()+"]")
		}
	}
	for _, name := range file.also {
		links = append(links, "["+name+"]")
	}
	return wrapComment(file.title + ": " + strings.Join(links, ", ") + ".")
}

var qualified = regexp.MustCompile(`(?m)^(\s*//.*)$|\btorch\.(NewOp|Tensor|Call|DType|Number|Ints|Options|Layout|Device|MemoryFormat|Generator|Result|Only|DimsOf)\b`)

// unqualify takes the package's name from identifiers, but not from comments.
func unqualify(text string) string {
	return qualified.ReplaceAllStringFunc(text, func(s string) string {
		if strings.HasPrefix(strings.TrimSpace(s), "//") {
			return s
		}
		return strings.TrimPrefix(s, "torch.")
	})
}

// An emission writes one function.
type emission struct {
	*curatedFunction
	w         *bytes.Buffer
	file      string
	op        string            // the variable of its operator
	puts      map[string]string // the code that adds an argument to the call
	goParams  []string          // names and types, with the options
	goOptions string            // the type of the options, "" for none
	maker     string            // the variable of the receiver, if it is a method of Options
	returns   curatedResults
}

// emit writes a function, the type of its options, and its operator.
func (f *curatedFunction) emit(w *bytes.Buffer, file string) (err error) {
	e := &emission{curatedFunction: f, w: w, file: file, op: "op" + f.name, puts: map[string]string{}}
	e.operators()
	if err := e.parameters(); err != nil {
		return err
	}
	if err := e.optionsType(); err != nil {
		return err
	}
	if e.returns, err = f.results(); err != nil {
		return err
	}
	e.head()
	return e.body()
}

// printf writes to the file.
func (e *emission) printf(format string, args ...any) { fmt.Fprintf(e.w, format, args...) }

// operators writes the variables of the operators.
func (e *emission) operators() {
	newOp := func(suffix string, s *Schema) {
		e.printf("var %s%s = torch.NewOp(%q, %q)\n\n", e.op, suffix, "aten::"+s.Name, s.Overload)
	}
	newOp("", e.schema)
	if e.whole != nil && !strings.HasSuffix(e.name, "Dim") {
		newOp("Whole", e.whole)
	}
	if e.worded != nil {
		newOp("Worded", e.worded)
	}
}

// parameters notes the parameters and the code that adds them to the call.
func (e *emission) parameters() error {
	if e.method {
		e.puts[e.schema.Args[e.receiver].Name] = "c.Tensor(x)"
	}
	for _, p := range e.params {
		typ, put, err := p.goParam()
		if err != nil {
			return err
		}
		if p.dims {
			e.goParams = append(e.goParams, "dim "+typ)
		} else {
			e.goParams = append(e.goParams, p.field+" "+typ)
		}
		e.puts[p.arg.Name] = put
	}
	return nil
}

// optionsType writes the type of the options, if the function is the first that
// has it, and notes the code that adds them to the call.
func (e *emission) optionsType() error {
	if len(e.options) == 0 {
		return nil
	}
	e.goOptions = e.optionsName()
	own := !bytes.Contains(e.w.Bytes(), []byte("\ntype "+e.goOptions+" struct {"))
	if len(e.options) == 1 && e.options[0].arg.Name == "generator" {
		e.goOptions, own = "RandomOptions", false // written by hand, for all of them
	}
	e.goParams = append(e.goParams, "options ..."+e.goOptions)
	if own {
		e.printf("// %s are the options of [%s].\ntype %s struct {\n", e.goOptions, e.link(), e.goOptions)
	}
	for _, p := range e.options {
		typ, set, put, comment, err := p.goField()
		if err != nil {
			return err
		}
		if own {
			if comment != "" {
				comment = " // " + comment
			}
			e.printf("\t%s %s%s\n", p.field, typ, comment)
		}
		e.puts[p.arg.Name] = fmt.Sprintf("if %s {\n\t\t%s\n\t} else {\n\t\tc.Default()\n\t}", set, put)
	}
	if own {
		e.w.WriteString("}\n\n")
	}
	return nil
}

// optionsName returns the type of the function's options. The forms of one function share it.
func (f *curatedFunction) optionsName() string {
	name := strings.TrimSuffix(f.name, "InPlace")
	if !strings.HasSuffix(f.py, "_dim") {
		name = strings.TrimSuffix(name, "Dim")
	}
	return strings.TrimSuffix(strings.TrimSuffix(name, "Tensor"), "Scalar") + "Options"
}

func (f *curatedFunction) link() string {
	if f.method {
		return "Tensor." + f.name
	}
	return f.name
}

// curatedResults are the results of a function in Go.
type curatedResults struct {
	list    []string // types, with names where there are several
	tensors int      // those of them that are new tensors
	written bool     // the only one is an argument that the operator writes to
}

func (f *curatedFunction) results() (r curatedResults, err error) {
	for i, res := range f.schema.Returns {
		t, ok := results[res.Type.kind()]
		if !ok {
			return r, fmt.Errorf("no Go type for the result %s", res.Type.kind())
		}
		if res.Type.written() {
			r.written = true
			continue
		}
		if t.name == "*torch.Tensor" {
			r.tensors++
		}
		name := localName(res.Name)
		if res.Name == "" && len(f.schema.Returns) > 1 {
			name = defaultResults(f.name, len(f.schema.Returns))[i]
		}
		r.list = append(r.list, strings.TrimSpace(name+" "+t.name))
	}
	if r.written {
		r.list = []string{"*torch.Tensor"}
	}
	return r, nil
}

// String returns the results as a signature has them.
func (r curatedResults) String() string {
	switch len(r.list) {
	case 0:
		return ""
	case 1:
		return r.list[0][strings.Index(r.list[0], " ")+1:]
	}
	return "(" + group(r.list) + ")"
}

// sentence returns the documentation with its verb.
func (f *curatedFunction) sentence() string {
	isBool := func(r Arg) bool { return r.Type.kind() == "bool" }
	switch {
	case strings.HasSuffix(f.name, "InPlace") && f.inPlace:
		return "changes x to " + strings.TrimSuffix(f.doc, ": []")
	case strings.HasSuffix(f.name, "InPlace"):
		return "fills " + f.doc
	case strings.HasPrefix(f.doc, "whether ") && slices.ContainsFunc(f.schema.Returns, isBool):
		return "reports " + f.doc
	}
	return "returns " + f.doc
}

// head writes the comment and the signature. What makes a tensor in package torch
// is a method of Options, and before it a function of the same name.
func (e *emission) head() {
	expr, url := e.python(e.file)
	e.w.WriteString(wrapComment(fmt.Sprintf("%s %s: %s.", e.name, e.sentence(), expr)) + "//\n// " + url + "\n")
	receiver := ""
	if e.method {
		receiver = "(x *torch.Tensor) "
	}
	if e.factory() && path.Dir(e.file) == "torch" {
		e.maker = "o"
		if e.goOptions != "" { // whose variable is o
			e.maker = "to"
		}
		e.printf("func %s(%s) %s { return torch.Options{}.%s(%s) }\n\n", e.name, group(e.goParams), e.returns, e.name, e.arguments())
		expr = strings.Replace(strings.TrimSuffix(expr, ")")+", dtype=…, device=…, requires_grad=…)", "(, ", "(", 1)
		e.w.WriteString(wrapComment(fmt.Sprintf("%s is [%s] with %s's dtype, device and requires_grad: %s.", e.name, e.name, e.maker, expr)))
		receiver = "(" + e.maker + " torch.Options) "
	}
	e.printf("func %s%s(%s) %s {\n", receiver, e.name, group(e.goParams), e.returns)
}

// arguments lists the function's own parameters, as another function of the same parameters passes them on.
func (e *emission) arguments() string {
	var names []string
	for _, p := range e.params {
		name := p.field
		if p.variadic {
			name += "..."
		}
		names = append(names, name)
	}
	if e.goOptions != "" {
		names = append(names, "options...")
	}
	return strings.Join(names, ", ")
}

// body writes what the function does: it checks the arguments, adds them to a call, and makes the call.
func (e *emission) body() error {
	if e.goOptions != "" {
		e.w.WriteString("\to := torch.Only(options)\n")
	}
	for _, p := range e.params {
		if p.dims {
			e.printf("\tdims := torch.DimsOf(%q, dim)\n", e.name)
		}
	}
	if e.checked {
		e.printf("\tcheck%s(%s)\n", e.name, e.checkedArgs())
	}
	e.callWhole()
	op := e.op
	if e.worded != nil {
		e.printf("\top := %s\n\tif _, ok := o.Padding.(string); ok {\n\t\top = %sWorded\n\t}\n", op, op)
		op = "op"
	}
	e.w.WriteString("\tvar c torch.Call\n")
	last := 0 // trailing defaults need not be said
	for i, a := range e.schema.Args {
		if _, given := e.put(a); given {
			last = i + 1
		}
	}
	for _, a := range e.schema.Args[:last] {
		put, given := e.put(a)
		if !given && a.Default == "" {
			return fmt.Errorf("the argument %s has no default", a.Name)
		}
		if put != "" {
			e.printf("\t%s\n", put)
		}
	}
	return e.call(op)
}

// put returns the code that adds an argument, and whether that is more than its
// default. A dtype is added together with the layout and the device.
func (e *emission) put(a Arg) (put string, given bool) {
	switch {
	case e.puts[a.Name] != "":
		return e.puts[a.Name], true
	case !e.factory() && !e.ofValues():
	case a.Name == "layout" || a.Name == "device":
		return "", true
	case a.Name == "dtype" && e.ofValues():
		return "c.OptionsOf(values)", true
	case a.Name == "dtype":
		add, options := "Options", "torch.Options{}"
		if e.like() {
			add = "OptionsLike"
		}
		if e.maker != "" {
			options = e.maker
		}
		return fmt.Sprintf("c.%s(%s)", add, options), true
	}
	return "c.Default()", false
}

// call writes the call and the end of the function.
func (e *emission) call(op string) error {
	r := e.returns
	switch one := len(r.list) == 1; {
	case r.written && e.method:
		e.printf("\tc.Do(%s)\n\treturn x\n", op)
	case e.maker != "":
		e.printf("\treturn %s.made(c.One(%s))\n", e.maker, op)
	case one && r.tensors == 1:
		e.printf("\treturn c.One(%s)\n", op)
	case one && strings.HasSuffix(r.list[0], "[]*torch.Tensor"):
		e.printf("\treturn c.Several(%s)\n", op)
	case one:
		e.printf("\treturn torch.Result[%s](&c, %s)\n", r, op)
	case len(r.list) == r.tensors:
		e.printf("\treturn c.%s(%s)\n", []string{"", "", "Two", "Three", "Four"}[r.tensors], op)
	default:
		return fmt.Errorf("no way to return %s", r)
	}
	e.w.WriteString("}\n\n")
	return nil
}

// checkedArgs lists what the function that checks the arguments takes: all of them, and the options.
func (f *curatedFunction) checkedArgs() string {
	var names []string
	if f.method {
		names = append(names, "x")
	}
	for _, p := range f.params {
		names = append(names, p.field)
	}
	if len(f.options) > 0 {
		names = append(names, "o")
	}
	return strings.Join(names, ", ")
}

// callWhole writes the call of the operator for all dimensions.
func (e *emission) callWhole() {
	if e.whole == nil {
		return
	}
	set := func(name string) bool {
		return slices.ContainsFunc(e.whole.Args, func(a Arg) bool { return a.Name == name })
	}
	var conditions []string
	for _, p := range e.params {
		if !set(p.arg.Name) {
			conditions = append(conditions, "len("+p.field+") == 0")
		}
	}
	for _, p := range e.options {
		if !set(p.arg.Name) {
			conditions = append(conditions, "!o."+p.field)
		}
	}
	e.printf("\tif %s {\n\t\tvar c torch.Call\n", strings.Join(conditions, " && "))
	for _, a := range e.whole.Args {
		if put := e.puts[a.Name]; put != "" {
			e.printf("\t\t%s\n", put)
		}
	}
	e.printf("\t\treturn c.One(%sWhole)\n\t}\n", strings.TrimSuffix(e.op, "Dim"))
}

// defaultResults names results that the schema leaves without a name.
func defaultResults(name string, n int) []string {
	switch strings.TrimSuffix(name, "Dim") {
	case "Unique", "UniqueConsecutive":
		return []string{"values", "inverse", "counts"}
	case "StdMean":
		return []string{"std", "mean"}
	case "VarMean":
		return []string{"variance", "mean"}
	}
	return []string{"values", "indices"}[:n]
}

// wrapComment writes a text as a comment of lines that are not too long.
func wrapComment(text string) string {
	var b strings.Builder
	line := "//"
	for word := range strings.FieldsSeq(text) {
		if len([]rune(line))+1+len([]rune(word)) > 100 {
			b.WriteString(line + "\n")
			line = "//"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	return b.String()
}

// row writes the function's row in the table for the tests.
func (f *curatedFunction) row(w *bytes.Buffer, file string) {
	value := path.Base(path.Dir(file)) + "." + f.name
	if f.method {
		value = "(*torch.Tensor)." + f.name
	}
	var args []string
	if f.method {
		args = append(args, fmt.Sprintf("%q", f.schema.Args[f.receiver].Name))
	}
	for _, p := range f.params {
		args = append(args, fmt.Sprintf("%q", p.arg.Name))
	}
	var options []string
	for _, p := range f.options {
		options = append(options, fmt.Sprintf("{%q, %q}", p.arg.Name, p.field))
	}
	op := f.schema.FullName()
	if slices.ContainsFunc(f.params, func(p curatedParam) bool { return p.number }) {
		op = f.schema.Name + ".Scalar" // which makes a tensor of the number itself
	}
	python, _ := f.module(file)
	if f.method && f.schema.method {
		python = "torch.Tensor." + f.py
	}
	python = strings.Replace(python, "F.", "torch.nn.functional.", 1)
	fmt.Fprintf(w, "\t{%q, %s, %q, %q, []string{%s}, []option{%s}, %t},\n", strings.TrimPrefix(strings.ReplaceAll(strings.ReplaceAll(value, "(*", ""), ")", ""), "torch."), value, "aten::"+op, python, strings.Join(args, ", "), strings.Join(options, ", "), f.checked)
}
