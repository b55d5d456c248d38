package graph

import (
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
)

// On a GPU all nodes are operators of libtorch. Convolutions take over additions and activations, their weights are in the
// memory format that cuDNN prefers, and the work of the graph is captured once, so that a run is one call.

// gpu returns the CUDA device on which all tensors of the graph are, but for numbers, or "" if there is none.
func (g *Graph) gpu() (d torch.Device) {
	values := slices.Concat(g.Inputs, g.Constants)
	for _, n := range g.Nodes {
		values = append(values, n.Results...)
	}
	for _, v := range values {
		switch {
		case v == nil || v.Number != "" || v.Device == torch.CPU && len(v.Shape) == 0:
		case v.Device.Type() != "cuda" || d != "" && v.Device != d:
			return ""
		default:
			d = v.Device
		}
	}
	return d
}

// forGPU makes a graph without effects one for a GPU, which computes in a dtype unless that is 0.
func (e *editor) forGPU(d torch.DType) {
	e.fuseConvolutions()
	e.channelsLast()
	if d != 0 && d != torch.Float32 {
		e.compute(d)
	}
}

// fuseConvolutions has cuDNN compute relu(conv2d(x) + z) and relu(conv2d(x)) in one call.
func (e *editor) fuseConvolutions() {
	uses, makers := e.uses(), e.makers()
	once := func(v *Value) *Node {
		if v == nil || uses[v] != 1 {
			return nil
		}
		return makers[v]
	}
	e.rewrite(func(n *Node) []*Node {
		if n.Op != "aten::relu" {
			return []*Node{n}
		}
		before := once(n.tensor(0))
		if before == nil {
			return []*Node{n}
		}
		if conv := before.convolution2d(); conv != nil {
			return []*Node{{Op: "aten::cudnn_convolution_relu", Args: conv, Results: n.Results}}
		}
		if before.Op != "aten::add.Tensor" || before.Args[2] != 1 {
			return []*Node{n}
		}
		for i := range 2 {
			c, z := once(before.tensor(i)), before.tensor(1-i)
			if c == nil || z == nil || !slices.Equal(z.Shape, c.Results[0].Shape) || z.DType != c.Results[0].DType {
				continue
			}
			if conv := c.convolution2d(); conv != nil {
				return []*Node{{Op: "aten::cudnn_convolution_add_relu", Args: slices.Insert(conv, 2, any(z), nil), Results: n.Results}}
			}
		}
		return []*Node{n}
	})
}

// convolution2d returns the arguments of cuDNN's fused convolutions without z and alpha, if the node is a convolution that they
// compute, and nil otherwise.
func (n *Node) convolution2d() []any {
	weight, bias, dim, groups := n.layer()
	if weight == nil || dim != 0 || len(weight.Shape) != 4 || len(n.Results[0].Shape) != 4 {
		return nil
	}
	switch n.Results[0].DType {
	case torch.Float32, torch.Float16:
	default:
		return nil
	}
	pair := func(i, otherwise int) []any {
		v := n.integers(i)
		switch len(v) {
		case 0:
			v = []int{otherwise, otherwise}
		case 1:
			v = []int{v[0], v[0]}
		}
		return anys(v...)
	}
	if _, ok := n.Args[4].(string); ok { // padding "same" and "valid"
		return nil
	}
	var b any
	if bias != nil {
		b = bias
	}
	return []any{n.Args[0], weight, b, pair(3, 1), pair(4, 0), pair(5, 1), groups}
}

// channelsLast has the weights of convolutions in the memory format in which results then are, too.
func (e *editor) channelsLast() {
	made := map[*Value]*Value{}
	e.rewrite(func(n *Node) []*Node {
		if !strings.HasPrefix(n.Op, "aten::cudnn_convolution") {
			if w, _, dim, _ := n.layer(); w == nil || dim != 0 {
				return []*Node{n}
			}
		}
		w := n.tensor(1)
		if len(w.Shape) != 4 {
			return []*Node{n}
		}
		if made[w] == nil {
			made[w] = e.constant(lasting(func() *torch.Tensor { return w.Tensor.ToMemoryFormat(torch.ChannelsLast) }), w.Name)
		}
		n.Args[1] = made[w]
		return []*Node{n}
	})
}

// compute makes what is computed in float32 be computed in another dtype. Inputs and outputs stay.
func (e *editor) compute(d torch.DType) {
	scalarType := func(d torch.DType) int { return int(d) - 1 }
	cast := func(x *Value, name string, d torch.DType) *Node {
		y := e.value(x, name, x.Shape...)
		y.DType = d
		return &Node{Op: "aten::to.dtype", Args: []any{x, scalarType(d), false, false, nil}, Results: []*Value{y}}
	}
	for _, v := range e.Constants {
		if v.DType != torch.Float32 {
			continue
		}
		x := v.Tensor
		v.Tensor = lasting(func() *torch.Tensor { return x.ToDType(d) })
		v.DType = d
		if v.own && v.Tensor != x {
			x.Free()
		}
		v.own = true
	}
	casts := map[*Value]*Value{}
	var nodes []*Node
	for _, v := range e.Inputs {
		if v.DType == torch.Float32 {
			n := cast(v, v.Name, d)
			nodes = append(nodes, n)
			casts[v] = n.Results[0]
		}
	}
	for _, n := range e.Nodes {
		n.Args = mapped(n.Args, func(v *Value) *Value {
			if c := casts[v]; c != nil {
				return c
			}
			return v
		}).([]any)
		for _, i := range n.arguments("ScalarType") {
			if n.Args[i] == scalarType(torch.Float32) {
				n.Args[i] = scalarType(d)
			}
		}
		for _, v := range n.Results {
			if v != nil && v.DType == torch.Float32 {
				v.DType = d
			}
		}
		nodes = append(nodes, n)
	}
	for i, v := range e.Outputs {
		if v.DType == d && casts[v] == nil {
			n := cast(v, v.Name, torch.Float32)
			nodes = append(nodes, n)
			e.Outputs[i] = n.Results[0]
		}
	}
	e.Nodes = nodes
}

// A captured graph computes a graph on a GPU, for one caller at a time.
type captured struct {
	graph  *Graph // whose constants the work reads
	device torch.Device

	mu              sync.Mutex
	work            *cuda.Graph
	inputs, outputs []*torch.Tensor // which the work reads and writes
	done            *cuda.Event     // when the outputs of the last run have been copied
}

// capturing is held by who captures: only one capture can run in a process.
var capturing sync.Mutex

// capture captures the work of a graph. It panics with a *torch.Error if an operator fails, or waits for the GPU.
func capture(g *Graph, device torch.Device, inputs []*torch.Tensor) *captured {
	capturing.Lock()
	defer capturing.Unlock()
	c := &captured{graph: g, device: device, work: cuda.NewGraph()}
	for _, x := range inputs {
		c.inputs = append(c.inputs, lasting(x.Clone))
	}
	s := cuda.NewStream(cuda.StreamOptions{Device: device})
	s.WaitStream(cuda.CurrentStream(device))
	const warm = 3 // in which libraries allocate and choose algorithms
	cuda.WithStream(s, func() {
		for range warm {
			torch.Scope(func() { g.Run(c.inputs...) })
		}
	})
	s.Synchronize()
	c.work.Capture(func() {
		c.outputs = lasting(func() []*torch.Tensor { return g.Run(c.inputs...) })
	}, cuda.CaptureOptions{Stream: &s, CaptureErrorMode: "thread_local"})
	return c
}

// run computes the outputs, by work on the current stream.
func (c *captured) run(inputs []*torch.Tensor) []*torch.Tensor {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := cuda.CurrentStream(c.device)
	outputs := make([]*torch.Tensor, len(c.outputs))
	cuda.WithStream(s, func() {
		if c.done != nil {
			s.WaitEvent(c.done)
		}
		for i, x := range inputs {
			c.inputs[i].CopyInPlace(x)
		}
		c.work.Replay()
		for i, y := range c.outputs {
			outputs[i] = y.Clone()
		}
		c.done = s.RecordEvent()
	})
	return outputs
}

// onGPU captures the graph, and takes the result if it is right and faster.
func (o *Optimized) onGPU(device torch.Device, inputs []*torch.Tensor) (reason string) {
	if err := torch.Try(func() { o.captured = capture(o.lean, device, inputs) }); err != nil {
		return err.Error()
	}
	o.report.Captured = len(o.lean.Nodes)
	return ""
}
