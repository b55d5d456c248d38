package graphviz

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
)

func ExampleSVG() {
	f := func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{x[0].ReLU().Add(x[1])} }
	g, err := graph.Trace(f, []*torch.Tensor{torch.Ones(2), torch.Ones(2)})
	if err != nil {
		fmt.Println(err)
		return
	}
	svg, err := SVG(context.Background(), g)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Count(string(svg), `class="node"`), "nodes,", strings.Count(string(svg), `class="edge"`), "edges")
	// Output: 5 nodes, 4 edges
}

// TestSVG draws networks, all at a time, and compares the texts in the pictures with the graphs' nodes.
func TestSVG(t *testing.T) {
	var wait sync.WaitGroup
	for depth := 1; depth <= 16; depth++ {
		wait.Go(func() {
			g, err := graph.Trace(func(x ...*torch.Tensor) []*torch.Tensor {
				y := x[0]
				for range depth {
					y = y.MatMul(x[1]).ReLU().Add(x[0])
				}
				return []*torch.Tensor{y}
			}, []*torch.Tensor{torch.Ones(4, 4), torch.Ones(4, 4)})
			if err != nil {
				t.Error(err)
				return
			}
			svg, err := SVG(t.Context(), g)
			if err != nil {
				t.Error(err)
				return
			}
			count := map[string]int{}
			d := xml.NewDecoder(strings.NewReader(string(svg)))
			for {
				token, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Error(err)
					return
				}
				if text, ok := token.(xml.CharData); ok {
					for _, n := range g.Nodes {
						if string(text) == n.Op {
							count[n.Op]++
							break
						}
					}
				}
			}
			want := map[string]int{}
			for _, n := range g.Nodes {
				want[n.Op]++
			}
			if fmt.Sprint(want) != fmt.Sprint(count) {
				t.Errorf("the picture has the calls %v; want %v", count, want)
			}
		})
	}
	wait.Wait()
}

func TestSVGMistakes(t *testing.T) {
	_, err := SVG(t.Context(), nil)
	require.EqualError(t, err, "graphviz: the graph is nil")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = SVG(ctx, &graph.Graph{})
	require.ErrorIs(t, err, context.Canceled)
	svg, err := SVG(t.Context(), &graph.Graph{}) // empty
	require.NoError(t, err)
	require.Contains(t, string(svg), "<svg")
}
