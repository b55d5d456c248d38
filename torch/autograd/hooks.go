package autograd

import (
	"context"
	"slices"
	"sync"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// SavedTensorsHooks calls f with hooks for the tensors that autograd saves for
// derivatives: with torch.autograd.graph.saved_tensors_hooks(pack, unpack). Each is
// replaced by what pack returns, and unpack makes a tensor of that once it is needed, for
// instance to keep it in other memory, on disk, or compressed. The innermost hooks are
// used. pack must not modify its argument, and unpack must return a tensor with the same
// contents. Both may be called by several goroutines at once if graphs are run so. The
// argument of pack, and the tensors that it makes, belong to no [torch.Scope], since the
// graph may be used after the scope.
//
// https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.graph.saved_tensors_hooks
func SavedTensorsHooks[T any](pack func(x *torch.Tensor) T, unpack func(packed T) *torch.Tensor, f func()) {
	id, err := engine.Callback("a pack hook", func(in []any, r *libtorch.Returning) []any {
		x := in[0].(*torch.Tensor)
		engine.Unscope(x) // the graph may outlive the scope
		var packed T
		engine.Unscoped(func() { packed = pack(x) })
		id, err := engine.Callback("an unpack hook", func([]any, *libtorch.Returning) []any {
			x := unpack(packed)
			if x == nil {
				fail("SavedTensorsHooks", "the unpack hook returned nil; it must return a tensor")
			}
			return []any{x}
		})
		if err != nil {
			panic(err)
		}
		r.Word(id)
		return nil
	})
	if err != nil {
		fail("SavedTensorsHooks", err.Error())
	}
	defer libtorch.DropCallback(id)
	libtorch.Calling(1)
	defer libtorch.Calling(-1)
	engine.Within(func(s *libtorch.State) { s.Hooks = id }, f)
}

// SaveOnCPU calls f with the tensors that autograd saves moved to the CPU until they are
// needed: with torch.autograd.graph.save_on_cpu().
//
// https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.graph.save_on_cpu
func SaveOnCPU(f func()) {
	type packed struct {
		x      *torch.Tensor
		device torch.Device
	}
	SavedTensorsHooks(
		func(x *torch.Tensor) packed { return packed{x.To(torch.CPU), x.Device()} },
		func(p packed) *torch.Tensor { return p.x.To(p.device) },
		f)
}

// AnomalyOptions are the options of [DetectAnomaly].
type AnomalyOptions struct {
	NoCheckNaN bool // gradients are not checked for NaN
}

// DetectAnomaly calls f with the detection of anomalies: with
// torch.autograd.detect_anomaly(). A gradient that is NaN is then a mistake. If a node of a
// graph fails, the error has the stack of the goroutine that recorded the node; if a
// function that autograd calls panics, it has the stack of the panic. Detection is slow. As
// in Python it is on in the whole process meanwhile; calls nest, and several goroutines may
// call DetectAnomaly at once.
//
// https://docs.pytorch.org/docs/stable/autograd.html#anomaly-detection
func DetectAnomaly(f func(), options ...AnomalyOptions) {
	o := torch.Only(options)
	if err := torch.Init(context.Background()); err != nil {
		fail("DetectAnomaly", err.Error())
	}
	libtorch.Calling(1)
	defer libtorch.Calling(-1)
	setAnomalies(func(active []*AnomalyOptions) []*AnomalyOptions { return append(active, &o) })
	defer setAnomalies(func(active []*AnomalyOptions) []*AnomalyOptions {
		return slices.DeleteFunc(active, func(a *AnomalyOptions) bool { return a == &o })
	})
	f()
}

// anomalies are the calls of DetectAnomaly that run, in the order in which they began.
var anomalies struct {
	mu     sync.Mutex
	active []*AnomalyOptions
}

// setAnomalies changes the calls, of which the last one decides.
func setAnomalies(change func(active []*AnomalyOptions) []*AnomalyOptions) {
	anomalies.mu.Lock()
	defer anomalies.mu.Unlock()
	anomalies.active = change(anomalies.active)
	n := len(anomalies.active)
	libtorch.SetAnomalyMode(n > 0, n == 0 || !anomalies.active[n-1].NoCheckNaN)
}

// IsAnomalyEnabled reports whether anomalies are detected: torch.is_anomaly_enabled().
func IsAnomalyEnabled() bool { return libtorch.Loaded() != nil && libtorch.AnomalyMode() }
