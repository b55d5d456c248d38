package nn

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// SummaryOptions are the options of [Summary].
type SummaryOptions struct {
	Depth int // of the modules that have a line of their own; 0 means 3
}

// Summary returns a table of the modules of m in the order in which they are called with x,
// with the shapes of their outputs and the numbers of their parameters: what
// torchinfo.summary(m, input_data=x, depth=3) prints. The model runs once, in evaluation
// and without gradients, and stays as it is.
//
// A module has a line if it is called as [RegisterForwardHook] requires. The parameters of
// others count in the module around them, as do those of a module that takes several tensors.
//
//	fmt.Println(nn.Summary(model, torch.Rand(1, 1, 28, 28)))
//
// https://github.com/TylerYep/torchinfo
func Summary(m Module, x *torch.Tensor, options ...SummaryOptions) string {
	depth := torch.Only(options).Depth
	if depth == 0 {
		depth = 3
	}
	// The hooks belong to a copy of the modules, whose modes can be changed too.
	m = (&copier{done: map[any]reflect.Value{}}).copied(reflect.ValueOf(m)).Interface().(Module)
	Eval(m)
	s := &summary{seen: map[any]bool{}, last: map[any]*layer{}, hooks: map[any][]func(){}}
	defer s.unhook()
	s.visit(reflect.ValueOf(m), 0, nil)
	torch.NoGrad(func() {
		if y := Call(m, x); y != x {
			y.Free()
		}
	})
	s.addContainers()
	index := map[int]int{}
	for i, l := range s.layers {
		index[l.depth]++
		l.index = index[l.depth]
		l.inside = s.layers[i+1:]
		if end := slices.IndexFunc(l.inside, func(o *layer) bool { return o.depth <= l.depth }); end >= 0 {
			l.inside = l.inside[:end]
		}
	}
	return s.text(depth, x)
}

// A layer is a line of the table.
type layer struct {
	module any
	id     any
	class  string
	depth  int
	index  int // among those of its depth
	parent *layer
	inside []*layer // those that follow and are deeper
	leaf   bool
	again  bool // the module has a line above

	output           []int
	outputBytes      int
	params, trained  int // numbers of elements
	paramBytes, macs int
}

type summary struct {
	layers []*layer
	seen   map[any]bool     // the modules that have a line
	last   map[any]*layer   // the last line of each module
	hooks  map[any][]func() // which remove them
}

// visit hooks a module and those in it. A module that is in several places counts where it was last.
func (s *summary) visit(v reflect.Value, depth int, parent *layer) {
	v, m := moduleOf(v)
	kids := submodules(v)
	l := layer{module: m, class: className(v.Type()), depth: depth, parent: parent, leaf: len(kids) == 0}
	l.id = &l // an empty list has no identity
	if v.Kind() == reflect.Struct || v.Kind() == reflect.Slice && v.Len() > 0 {
		l.id = identity(m)
	}
	if _, ok := l.id.(*layer); !ok {
		if m, ok := m.(Module); ok {
			s.hook(m, l)
		}
	}
	for _, c := range kids {
		s.visit(c.value, depth+1, &l)
	}
}

func (s *summary) hook(m Module, l layer) {
	for _, remove := range s.hooks[l.id] {
		remove()
	}
	s.hooks[l.id] = []func(){
		RegisterForwardPreHook(m, func(Module, *torch.Tensor) *torch.Tensor {
			line := l
			s.add(&line, len(s.layers))
			s.last[l.id] = &line
			return nil
		}),
		RegisterForwardHook(m, func(_ Module, _, y *torch.Tensor) *torch.Tensor {
			s.last[l.id].called(y)
			return nil
		}),
	}
}

func (s *summary) unhook() {
	for _, removes := range s.hooks {
		for _, remove := range removes {
			remove()
		}
	}
}

// add inserts a line and counts the parameters of its module.
func (s *summary) add(l *layer, at int) {
	for _, p := range Parameters(l.module) {
		n := p.Numel()
		l.params += n
		l.paramBytes += n * p.DType().Size()
		if p.RequiresGrad() {
			l.trained += n
		}
	}
	l.again = s.seen[l.id]
	s.seen[l.id] = true
	s.layers = slices.Insert(s.layers, at, l)
}

// called notes the output, and counts the multiplications as torchinfo does: those of a
// convolution by the output's size without its channels, of others by its first size.
func (l *layer) called(y *torch.Tensor) {
	l.output = y.Shape()
	l.outputBytes = y.Numel() * y.DType().Size()
	positions := 1
	for d, n := range l.output {
		if d == 0 || d > 1 && strings.Contains(l.class, "Conv") {
			positions *= n
		}
	}
	sequence := 1
	for _, n := range l.output[:min(2, len(l.output))] {
		sequence *= n
	}
	for _, p := range NamedParameters(l.module) {
		switch {
		case p.Name == "weight" || p.Name == "bias":
			l.macs += p.Tensor.Numel() * positions
		case strings.Contains(p.Name, "weight") || strings.Contains(p.Name, "bias"):
			l.macs += p.Tensor.Numel() * sequence
		}
	}
}

// addContainers inserts lines of the lists around modules that were called, such as
// slices, which are not called themselves.
func (s *summary) addContainers() {
	around := map[int]*layer{} // by depth
	for i := 0; i < len(s.layers); i++ {
		l := s.layers[i]
		above := map[int]*layer{}
		for p := l.parent; p != nil && p.depth > 0; p = p.parent {
			above[p.depth] = p
		}
		at := i
		for d := 1; d < l.depth; d++ {
			if p := above[d]; (around[d] == nil || around[d].id != p.id) && p != s.layers[at-1] {
				p.params, p.trained, p.paramBytes = 0, 0, 0
				s.add(p, at)
				around[d] = p
				at++
			}
		}
		around[l.depth] = l
		for d := l.depth + 1; around[d] != nil; d++ {
			delete(around, d)
		}
	}
}

// own returns the numbers of parameters that no line inside counts.
func (l *layer) own() (params, trained int) {
	params, trained = l.params, l.trained
	for _, o := range l.inside {
		if o.again {
			continue
		}
		p, t := o.params, o.trained
		if !o.leaf {
			p, t = o.own()
		}
		params, trained = params-p, trained-t
	}
	return params, trained
}

func (l *layer) name() string {
	if l.depth == 0 {
		return l.class
	}
	return fmt.Sprintf("%s: %d-%d", l.class, l.depth, l.index)
}

// paramsText is the last column, of a line that stands for those inside if it is the deepest.
func (l *layer) paramsText(deepest bool) string {
	switch own, _ := l.own(); {
	case l.params == 0:
		return "--"
	case l.again:
		return "(recursive)"
	case (deepest || l.leaf) && l.trained == 0:
		return "(" + thousands(l.params) + ")"
	case deepest || l.leaf:
		return thousands(l.params)
	case own > 0:
		return thousands(own)
	}
	return "--"
}

func (s *summary) text(depth int, x *torch.Tensor) string {
	var params, trained, paramBytes, outputBytes, macs int
	width := 40
	for _, l := range s.layers {
		if n := len(l.name()) + 5*l.depth + 1; n >= width {
			width = (n + 4) / 5 * 5
		}
		if l.leaf {
			macs += l.macs
			if l.params > 0 {
				outputBytes += 2 * l.outputBytes // with those of the gradients
			}
		}
		switch p, t := l.own(); {
		case l.again:
		case l.leaf:
			params, trained, paramBytes = params+l.params, trained+l.trained, paramBytes+l.paramBytes
		default:
			params, trained = params+max(p, 0), trained+max(t, 0)
		}
	}
	var b strings.Builder
	row := func(name, shape, params string) {
		line := fmt.Sprintf("%-*s %-25s %-25s", width, name, shape, params)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	rule := strings.Repeat("=", width+50)
	b.WriteString(rule + "\n")
	row("Layer (type:depth-idx)", "Output Shape", "Param #")
	b.WriteString(rule + "\n")
	for _, l := range s.layers {
		if l.depth > depth {
			continue
		}
		indent := ""
		switch {
		case l.depth == 1:
			indent = "├─"
		case l.depth > 1:
			indent = strings.Repeat("│    ", l.depth-1) + "└─"
		}
		output := "--"
		if len(l.output) > 0 {
			output = shape(l.output)
		}
		row(indent+l.name(), output, l.paramsText(l.depth == depth))
	}
	mb := func(bytes int) string { return fmt.Sprintf("%.2f", float64(bytes)/1e6) }
	inputBytes := x.Numel() * x.DType().Size()
	fmt.Fprintf(&b, "%s\nTotal params: %s\nTrainable params: %s\nNon-trainable params: %s\nTotal mult-adds %s\n%s\n", rule, thousands(params), thousands(trained), thousands(params-trained), readable(macs), rule)
	fmt.Fprintf(&b, "Input size (MB): %s\nForward/backward pass size (MB): %s\nParams size (MB): %s\nEstimated Total Size (MB): %s\n%s",
		mb(inputBytes), mb(outputBytes), mb(paramBytes), mb(inputBytes+outputBytes+paramBytes), rule)
	return b.String()
}

// thousands writes an integer with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// readable writes a number in millions, billions or trillions, with the name that Python 3.11
// and later have for the unit.
func readable(n int) string {
	unit, by := "MEGABYTES", 1e6
	switch {
	case n >= 1e12:
		unit, by = "TERABYTES", 1e12
	case n >= 1e9:
		unit, by = "GIGABYTES", 1e9
	}
	whole, rest, _ := strings.Cut(fmt.Sprintf("%.2f", float64(n)/by), ".")
	if float64(n) == float64(int(float64(n)/by))*by {
		return fmt.Sprintf("(Units.%s): %s", unit, thousands(int(float64(n)/by)))
	}
	var v int
	fmt.Sscan(whole, &v)
	return fmt.Sprintf("(Units.%s): %s.%s", unit, thousands(v), rest)
}
