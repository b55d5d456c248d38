// Package graphviz draws graphs. It has Graphviz with it, as WebAssembly, and needs no program to be installed.
//
//	g, err := graph.Trace(func(x ...*torch.Tensor) []*torch.Tensor {
//		return []*torch.Tensor{model.Forward(x[0])}
//	}, []*torch.Tensor{x})
//	if err != nil {
//		log.Fatal(err)
//	}
//	svg, err := graphviz.SVG(ctx, g)
//	if err != nil {
//		log.Fatal(err)
//	}
//	err = os.WriteFile("model.svg", svg, 0o666)
package graphviz

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/goccy/go-graphviz"

	"github.com/torchhub/torchhub/torch/graph"
)

// one is held while a graph is drawn: there is one memory of the WebAssembly, whatever the number of drawings.
var one sync.Mutex

// SVG returns a graph as a picture: dot -Tsvg of what [graph.Graph.DOT] returns. A network of 400 calls takes half a second, one
// of 3,000 ten seconds. It waits while another graph is drawn, and returns the error of ctx if that has ended meanwhile; what has begun is not stopped.
//
// https://graphviz.org/docs/outputs/svg/
func SVG(ctx context.Context, g *graph.Graph) (svg []byte, err error) {
	if g == nil {
		return nil, fmt.Errorf("graphviz: the graph is nil")
	}
	one.Lock()
	defer one.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			svg, err = nil, fmt.Errorf("graphviz: the graph cannot be drawn: %w", err)
		}
	}()
	dot, err := graphviz.ParseBytes([]byte(g.DOT()))
	if err != nil {
		return nil, err
	}
	defer dot.Close()
	v, err := graphviz.New(ctx)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	var b bytes.Buffer
	if err := v.Render(ctx, dot, graphviz.SVG, &b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
