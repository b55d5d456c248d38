package graph

import (
	"context"
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// TraceOptions are the options of [Trace].
type TraceOptions struct {
	Names torch.StateDict // of parameters and buffers, such as nn.StateDict(model); they are known by their memory
}

// Trace calls f with the inputs, and returns the graph of the operators that it calls: torch.export.export of a module in
// eval mode, or torch.jit.trace. They are recorded where libtorch dispatches them, so that functions of Go and TorchScript
// are traced alike. f is called once, without recording for autograd, on one thread of the operating system, on which
// [torch.Run] in it calls directly; what it calls on other goroutines is not traced.
//
// A graph has the shapes of the inputs, and the same calls for all values of the inputs. So f may not do what depends on
// values: read elements of a tensor that depends on the inputs, draw random numbers, or write to inputs or parameters.
// Its error then names the operator.
//
// https://docs.pytorch.org/docs/stable/export.html
func Trace(f func(x ...*torch.Tensor) []*torch.Tensor, inputs []*torch.Tensor, options ...TraceOptions) (*Graph, error) {
	o := torch.Only(options)
	if err := torch.Init(context.Background()); err != nil {
		return nil, err
	}
	var recorded any
	err := torch.Try(func() {
		engine.Pinned(func() {
			torch.NoGrad(func() {
				recorded = record(f, inputs)
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return newGraph(recorded, o.Names), nil
}

// record returns what libtorch's part of tracing writes.
func record(f func(x ...*torch.Tensor) []*torch.Tensor, inputs []*torch.Tensor) any {
	call := func(xs []*torch.Tensor, to func(words, rets []uint64) error) any {
		var c torch.Call
		for _, x := range xs {
			c.Tensor(x)
		}
		v, err := engine.Invoke(&c, "graph.Trace", to)
		if err != nil {
			panic(err)
		}
		return v
	}
	call(inputs, libtorch.BeginTrace)
	ended := false
	defer func() {
		if !ended {
			libtorch.CancelTrace()
		}
	}()
	recorded := call(f(inputs...), libtorch.EndTrace)
	ended = true
	return recorded
}

// newGraph returns the graph of what functions.def describes.
func newGraph(recorded any, names torch.StateDict) *Graph {
	parts := recorded.(torch.Tuple)
	calls, constants, metas := parts[0].([]torch.Value), parts[3].([]torch.Value), parts[4].([]torch.Value)
	g := &Graph{}
	values := make([]*Value, len(metas))
	for i, m := range metas {
		m := m.(torch.Tuple)
		values[i] = &Value{DType: torch.DType(m[0].(int) + 1), Device: m[1].(torch.Device), Shape: ints(m[2])}
	}
	n := &namer{taken: map[string]bool{}, known: known(names)}
	for i, v := range ints(parts[1]) {
		values[v].Name = n.name(fmt.Sprintf("x%d", i))
		g.Inputs = append(g.Inputs, values[v])
	}
	for _, c := range constants {
		c := c.(torch.Tuple)
		v := values[c[0].(int)]
		v.Tensor = c[1].(*torch.Tensor)
		v.Name = n.constant(v.Tensor)
		g.Constants = append(g.Constants, v)
	}
	for _, c := range calls {
		c := c.(torch.Tuple)
		node := &Node{Op: c[0].(string)}
		short := node.Op[strings.LastIndex(node.Op, ":")+1:]
		if overload := c[1].(string); overload != "" {
			node.Op += "." + overload
		}
		for _, a := range c[2].([]torch.Value) {
			node.Args = append(node.Args, argumentOf(a, values))
		}
		for _, r := range c[3].([]torch.Value) {
			node.Results = append(node.Results, resultsOf(r, values)...)
		}
		for _, v := range node.Results {
			if v != nil {
				v.Name = n.name(short)
			}
		}
		g.Nodes = append(g.Nodes, node)
	}
	for _, v := range ints(parts[2]) {
		g.Outputs = append(g.Outputs, values[v])
	}
	if err := g.link(); err != nil {
		panic(err) // what libtorch recorded is in order
	}
	return g
}

func ints(v torch.Value) []int {
	vs := v.([]torch.Value)
	out := make([]int, len(vs))
	for i, v := range vs {
		out[i] = v.(int)
	}
	return out
}

// argumentOf returns an argument: a tensor is recorded as a tuple of its number.
func argumentOf(v torch.Value, values []*Value) any {
	switch v := v.(type) {
	case torch.Tuple:
		return values[v[0].(int)]
	case []torch.Value:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = argumentOf(e, values)
		}
		return out
	}
	return v
}

// resultsOf returns the tensors of a result, and nil for what is none.
func resultsOf(v torch.Value, values []*Value) (out []*Value) {
	switch v := v.(type) {
	case torch.Tuple:
		return []*Value{values[v[0].(int)]}
	case []torch.Value:
		for _, e := range v {
			out = append(out, resultsOf(e, values)...)
		}
		return out
	}
	return []*Value{nil}
}

// A namer makes names that are unique in a graph.
type namer struct {
	taken map[string]bool
	known map[place]string
}

// name returns a name, with a number behind it if it is taken: relu, relu_1.
func (n *namer) name(base string) string {
	name := base
	for i := 1; n.taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	n.taken[name] = true
	return name
}

// constant returns the name of a parameter or buffer, or c and a number.
func (n *namer) constant(x *torch.Tensor) string {
	if name, ok := n.known[placeOf(x)]; ok && !n.taken[name] {
		return n.name(name)
	}
	return n.name("c")
}

// A place is the memory of a tensor and its form.
type place struct {
	storage uint64
	form    string
}

func placeOf(x *torch.Tensor) place {
	return place{storageOf(x), fmt.Sprint(x.StorageOffset(), x.Shape(), x.Strides())}
}

// storageOf returns a number that tensors share that share memory.
func storageOf(x *torch.Tensor) (id uint64) {
	var c torch.Call
	c.Tensor(x)
	_, err := engine.Invoke(&c, "graph.Trace", func(words, _ []uint64) error {
		memory, n, _, err := libtorch.TensorStorage(words[1])
		if err == nil {
			id = n
			libtorch.FreeTensors([]uint64{memory})
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	return id
}

func known(names torch.StateDict) map[place]string {
	m := map[place]string{}
	for _, e := range names {
		if e.Tensor != nil {
			m[placeOf(e.Tensor)] = e.Name
		}
	}
	return m
}
