package graph

import (
	"fmt"
	"strings"
)

// DOT returns the graph in the language of Graphviz, which draws it: dot -Tsvg, or SVG of package graphviz. Inputs and
// outputs are rounded, and the shapes stand at the edges; constants are named in the calls that take them.
//
// https://graphviz.org/doc/info/lang.html
func (g *Graph) DOT() string {
	var b strings.Builder
	b.WriteString("digraph {\n  node [shape=box, fontname=Helvetica]\n  edge [fontname=Helvetica, fontsize=10]\n")
	from := map[*Value]string{}
	for i, v := range g.Inputs {
		from[v] = fmt.Sprintf("i%d", i)
		fmt.Fprintf(&b, "  i%d [label=%q, style=rounded]\n", i, v.declaration())
	}
	edge := func(v *Value, to string) {
		if start, ok := from[v]; ok {
			fmt.Fprintf(&b, "  %s -> %s [label=%q]\n", start, to, v.kind())
		}
	}
	for i, n := range g.Nodes {
		label := []string{n.Op}
		for _, v := range tensors(n.Args) {
			if v.Tensor != nil {
				label = append(label, v.declaration())
			}
		}
		fmt.Fprintf(&b, "  n%d [label=%q]\n", i, strings.Join(label, "\n"))
		for _, v := range tensors(n.Args) {
			edge(v, fmt.Sprintf("n%d", i))
		}
		for _, v := range n.Results {
			if v != nil {
				from[v] = fmt.Sprintf("n%d", i)
			}
		}
	}
	for i, v := range g.Outputs {
		fmt.Fprintf(&b, "  o%d [label=%q, style=rounded]\n", i, v.Name)
		edge(v, fmt.Sprintf("o%d", i))
	}
	b.WriteString("}\n")
	return b.String()
}
