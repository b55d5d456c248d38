package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
)

// A plan is a kernels.Plan, which runs a program.
type plan interface {
	Pack() error // once, before the first run
	Run(ctx context.Context, inputs, outputs []*torch.Tensor) error
}

// A region is a part of a graph that one program computes.
type region struct {
	nodes   []*Node
	program *kernels.Program
	inputs  []*Value
	outputs []*Value
	forms   []output
	plan    plan
	about   Region
}

// A step is a region, or a node that is called as in [Graph.Run].
type step struct {
	region *region
	node   *Node
	dead   []*Value // that no later step uses
}

// A partition divides a graph into regions and other nodes.
type partition struct {
	g       *Graph
	compile func(*kernels.Program) (plan, error)
	least   int              // the work below which a region does not pay for copies
	halves  bool             // whether programs may round to bfloat16
	islands map[*Node]string // the nodes in no region, and why
	lean    bool             // memory counts more than time
}

// regions returns the steps of the graph. Nodes that cannot be in a region become islands. The error is that of the context.
func (p *partition) regions(ctx context.Context) ([]step, error) {
	for _, n := range p.g.Nodes {
		base, _, _ := strings.Cut(n.Op, ".")
		if lowerings[base] == nil && p.islands[n] == "" {
			p.islands[n] = "there is no kernel for it"
		}
	}
	for {
		parts, level := p.components()
		before := len(p.islands)
		var regions []*region
		for _, nodes := range parts {
			if r := p.lower(nodes); r != nil {
				regions = append(regions, r)
			}
		}
		for _, check := range []func(*region) string{p.small, p.build} {
			if len(p.islands) > before {
				break
			}
			for _, r := range regions {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				if reason := check(r); reason != "" {
					for _, n := range r.nodes {
						p.islands[n] = reason
					}
				}
			}
		}
		if len(p.islands) == before {
			return p.order(regions, level), nil
		}
	}
}

// components returns the largest connected sets of nodes that may be regions, so that none needs itself by way of an island,
// and the level of each node: regions of a level come before its islands, and these before the next level.
func (p *partition) components() (parts [][]*Node, level map[*Node]int) {
	level = map[*Node]int{}
	makers := p.g.makers()
	set := map[*Node]*Node{} // of a union-find
	var find func(n *Node) *Node
	find = func(n *Node) *Node {
		if set[n] != n {
			set[n] = find(set[n])
		}
		return set[n]
	}
	for _, n := range p.g.Nodes {
		inside := p.islands[n] == ""
		for _, v := range tensors(n.Args) {
			m := makers[v]
			if m == nil {
				continue
			}
			l := level[m]
			if inside && p.islands[m] != "" {
				l++
			}
			level[n] = max(level[n], l)
		}
		if !inside {
			continue
		}
		set[n] = n
		for _, v := range tensors(n.Args) {
			if m := makers[v]; m != nil && p.islands[m] == "" && level[m] == level[n] {
				set[find(m)] = find(n)
			}
		}
	}
	at := map[*Node]int{}
	for _, n := range p.g.Nodes {
		if p.islands[n] != "" {
			continue
		}
		root := find(n)
		i, ok := at[root]
		if !ok {
			i = len(parts)
			at[root] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], n)
	}
	return parts, level
}

// lower returns the region of nodes, or nil if some of them become islands.
func (p *partition) lower(nodes []*Node) *region {
	b := newBuilder()
	failed := map[*Value]bool{}
	before := len(p.islands)
	for _, n := range nodes {
		if slices.ContainsFunc(tensors(n.Args), func(v *Value) bool { return failed[v] }) {
			for _, v := range n.Results {
				failed[v] = true
			}
			continue
		}
		base, _, _ := strings.Cut(n.Op, ".")
		f, err := lowerings[base](b, n)
		if err != nil {
			p.islands[n] = err.Error()
			for _, v := range n.Results {
				failed[v] = true
			}
			continue
		}
		b.forms[n.Results[0]] = f
	}
	if len(p.islands) > before {
		return nil
	}
	inside := map[*Node]bool{}
	for _, n := range nodes {
		inside[n] = true
	}
	outside := map[*Value]bool{}
	for _, v := range p.g.Outputs {
		outside[v] = true
	}
	for _, n := range p.g.Nodes {
		if !inside[n] {
			for _, v := range tensors(n.Args) {
				outside[v] = true
			}
		}
	}
	r := &region{nodes: nodes, program: b.program}
	for _, n := range nodes {
		for i, v := range n.Results {
			if v == nil || !outside[v] {
				continue
			}
			if i > 0 {
				p.islands[n] = "another result than the first is used"
				return nil
			}
			o, err := b.output(b.forms[v])
			if err != nil {
				p.islands[n] = err.Error()
				return nil
			}
			r.outputs, r.forms = append(r.outputs, v), append(r.forms, o)
		}
	}
	r.inputs = b.inputs
	return r
}

// small returns why a region is not worth it, if so.
func (p *partition) small(r *region) string {
	fuse(r.program)
	if w := work(r.program); w < p.least {
		return fmt.Sprintf("it is one of %d nodes with %.1f million operations, too few to pay for copies", len(r.nodes), float64(w)/1e6)
	}
	return ""
}

// build compiles the program of a region, and returns why it cannot.
func (p *partition) build(r *region) string {
	r.program.Lean, r.program.BFloat16 = p.lean, p.halves
	compiled, err := p.compile(r.program)
	if err != nil {
		return err.Error()
	}
	r.plan = compiled
	r.about = Region{First: name(r.nodes[0]), Last: name(r.nodes[len(r.nodes)-1]), Nodes: len(r.nodes), Instructions: len(r.program.Instructions), Operations: work(r.program)}
	return ""
}

// order returns the steps in an order in which each comes after those that it needs.
func (p *partition) order(regions []*region, level map[*Node]int) (steps []step) {
	of := map[*Node]*region{}
	for _, r := range regions {
		for _, n := range r.nodes {
			of[n] = r
		}
	}
	last := 0
	for _, l := range level {
		last = max(last, l)
	}
	for l := range last + 1 {
		done := map[*region]bool{}
		var islands []step
		for _, n := range p.g.Nodes {
			switch r := of[n]; {
			case level[n] != l:
			case r == nil:
				islands = append(islands, step{node: n})
			case !done[r]:
				done[r] = true
				steps = append(steps, step{region: r})
			}
		}
		steps = append(steps, islands...)
	}
	used := map[*Value]bool{}
	for _, v := range slices.Concat(p.g.Outputs, p.g.Inputs, p.g.Constants) {
		used[v] = true
	}
	for i, s := range slices.Backward(steps) {
		for _, v := range slices.Concat(s.inputs(), s.outputs()) {
			if v != nil && !used[v] {
				used[v] = true
				steps[i].dead = append(steps[i].dead, v)
			}
		}
	}
	return steps
}

func (s step) inputs() []*Value {
	if s.region != nil {
		return s.region.inputs
	}
	return tensors(s.node.Args)
}

func (s step) outputs() []*Value {
	if s.region != nil {
		return s.region.outputs
	}
	return s.node.Results
}

// run computes the values of a step from those before.
func (s step) run(ctx context.Context, values map[*Value]*torch.Tensor) error {
	if s.region == nil {
		results := s.node.run(func(v *Value) any {
			if v.Tensor != nil {
				return v.Tensor
			}
			return values[v]
		})
		for i, v := range s.node.Results {
			if v != nil {
				values[v] = results[i].(*torch.Tensor)
			}
		}
		return nil
	}
	r := s.region
	inputs := make([]*torch.Tensor, len(r.inputs))
	for i, v := range r.inputs {
		inputs[i] = values[v]
		if x := inputs[i].Contiguous(); x != inputs[i] {
			defer x.Free()
			inputs[i] = x
		}
	}
	outputs := make([]*torch.Tensor, len(r.outputs))
	for i, f := range r.forms {
		outputs[i] = torch.Empty(f.shape...)
	}
	if err := r.plan.Run(ctx, inputs, outputs); err != nil {
		return err
	}
	for i, v := range r.outputs {
		if order := r.forms[i].order; order != nil {
			outputs[i] = outputs[i].Permute(order...)
		}
		values[v] = outputs[i]
	}
	return nil
}
