package cuda

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
)

// A Graph is work of a GPU that was captured once, and is replayed with the same
// memory: torch.cuda.CUDAGraph. To compute with other numbers, change the tensors that
// the captured work reads in place, and read those that it wrote. They must not be
// freed while the graph is used. It is not safe for concurrent use.
//
//	g := cuda.NewGraph()
//	g.Capture(func() { y = model.Forward(x) })
//	x.CopyInPlace(input)
//	g.Replay()
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.CUDAGraph.html
type Graph struct{ g libtorch.Graph }

// NewGraph makes a graph without work: torch.cuda.CUDAGraph().
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.CUDAGraph.html
func NewGraph() *Graph {
	const op = "cuda.NewGraph"
	available(op)
	g, err := libtorch.NewGraph()
	must(op, err)
	out := &Graph{g}
	runtime.AddCleanup(out, libtorch.Graph.Free, g)
	return out
}

// captureModes are those of cudaStreamCaptureMode.
var captureModes = []string{"global", "thread_local", "relaxed"}

// CaptureOptions are the options of [Graph.Capture].
type CaptureOptions struct {
	Stream *Stream // the stream that is captured; nil is a stream for this purpose

	// CaptureErrorMode is "global", the default, where allocations of other threads
	// meanwhile are errors, "thread_local" or "relaxed".
	CaptureErrorMode string
}

// captureStream is the stream on which graphs are captured by default.
var captureStream = sync.OnceValue(func() Stream { return NewStream() })

// Capture calls f, whose work is not done but captured: with torch.cuda.graph(g). Run f
// some times before, on a stream other than the default one. Only one capture can run
// in the process. f must not read values of tensors, and must not call [torch.Run].
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.graph.html
func (g *Graph) Capture(f func(), options ...CaptureOptions) {
	const op = "cuda.Graph.Capture"
	o := torch.Only(options)
	mode := 0
	if o.CaptureErrorMode != "" {
		if mode = slices.Index(captureModes, o.CaptureErrorMode); mode < 0 {
			fail(op, "the error mode is %q; it can be %v", o.CaptureErrorMode, fmt.Sprintf("%q", captureModes))
		}
	}
	g.use(op, func(g libtorch.Graph) error {
		s := captureStream
		if o.Stream != nil {
			s = func() Stream { return *o.Stream }
		}
		Synchronize()
		EmptyCache()
		WithStream(s(), func() { must(op, capture(g, mode, f)) })
		return nil
	})
}

// capture calls f between the begin and the end of a capture, which ends also if f
// panics.
func capture(g libtorch.Graph, mode int, f func()) (err error) {
	if err := g.Begin(mode); err != nil {
		return err
	}
	returned := false
	defer func() {
		if end := g.End(); returned {
			err = end
		} // else f's panic says more
	}()
	f()
	returned = true
	return nil
}

// Replay gives the captured work to the current stream: g.replay().
func (g *Graph) Replay() { g.use("cuda.Graph.Replay", libtorch.Graph.Replay) }

// Reset frees the captured work, so that other work can be captured: g.reset().
func (g *Graph) Reset() { g.use("cuda.Graph.Reset", libtorch.Graph.Reset) }

// use calls f, and panics with the error that it returns.
func (g *Graph) use(op string, f func(g libtorch.Graph) error) {
	if g == nil || g.g.IsZero() {
		fail(op, "the graph was not made by NewGraph")
	}
	must(op, f(g.g))
	runtime.KeepAlive(g)
}
