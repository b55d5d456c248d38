// Package amp computes with mixed precision: torch.amp. [Autocast] runs the ops that
// gain from it in float16 or bfloat16, and [GradScaler] keeps small gradients from
// becoming 0 in float16.
//
// https://docs.pytorch.org/docs/stable/amp.html
package amp

import (
	"cmp"
	"fmt"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// AutocastOptions are the options of [Autocast].
type AutocastOptions struct {
	DType        torch.DType // 0 is AutocastDType of the device
	Disabled     bool        // whether f computes without autocast: enabled=False
	CacheEnabled *bool       // whether casts of weights are kept for their next use; nil is as around Autocast, where true is the default
}

// Autocast calls f with autocast: with torch.autocast(device, dtype=…). Inside f, ops
// on tensors of the device's type whose results need no more precision, such as
// products of matrices and convolutions, cast their arguments to float16 or bfloat16,
// and others cast them to float32. The device's index has no meaning. Autocast nests,
// and applies inside [torch.Run], but not in other goroutines that f starts.
//
// As in Python, f computes without autocast for [torch.CUDA] if there is no CUDA
// device, and for the CPU and MPS if the dtype is neither float16 nor bfloat16. Other
// devices panic with a *[torch.Error].
//
// The weights that are cast are kept, and not cast again, until the outermost Autocast
// ends, so f must not change weights.
//
//	amp.Autocast(torch.CUDA, func() { loss = F.CrossEntropy(model.Forward(x), y) })
//	loss.Backward()
//
// https://docs.pytorch.org/docs/stable/amp.html#torch.autocast
func Autocast(d torch.Device, f func(), options ...AutocastOptions) {
	const op = "amp.Autocast"
	o := torch.Only(options)
	i := autocastIndex(op, d)
	dtype := cmp.Or(o.DType, AutocastDType(d))
	if dtype.Size() == 0 {
		panic(&torch.Error{Op: op, Msg: fmt.Sprintf("there is no %v", dtype)})
	}
	on := !o.Disabled
	if i == cudaIndex {
		on = on && cuda.IsAvailable()
	} else {
		on = on && (dtype == torch.Float16 || dtype == torch.BFloat16)
	}
	outermost := false
	defer func() {
		if outermost {
			libtorch.ClearAutocastCache()
		}
	}()
	engine.Within(func(s *libtorch.State) {
		outermost = s.AutocastDepth == 0
		s.AutocastDepth++
		s.Autocast[i] = libtorch.MakeAutocast(on, int(dtype)-1) // see torch.FromScalarType
		if o.CacheEnabled != nil {
			s.AutocastCache = *o.CacheEnabled
		}
	}, f)
}

// IsAutocastEnabled reports whether autocast is on for a type of device:
// torch.is_autocast_enabled(device).
//
// https://docs.pytorch.org/docs/stable/amp.html
func IsAutocastEnabled(d torch.Device) bool { return autocast("amp.IsAutocastEnabled", d).On() }

// AutocastDType returns the dtype to which autocast casts, also while it is off:
// torch.get_autocast_dtype(device). Unless an [Autocast] around changed it, it is
// bfloat16 for the CPU and float16 for GPUs.
//
// https://docs.pytorch.org/docs/stable/amp.html
func AutocastDType(d torch.Device) torch.DType {
	return torch.FromScalarType(autocast("amp.AutocastDType", d).ScalarType())
}

// IsAutocastCacheEnabled reports whether casts of weights are kept for their next use:
// torch.is_autocast_cache_enabled().
func IsAutocastCacheEnabled() bool { return state().AutocastCache }

// IsAutocastAvailable reports whether autocast can be used for a type of device:
// torch.amp.is_autocast_available(device).
//
// https://docs.pytorch.org/docs/stable/amp.html#torch.amp.autocast_mode.is_autocast_available
func IsAutocastAvailable(d torch.Device) bool {
	typ, _, err := engine.Device(string(d))
	_, ok := libtorch.AutocastIndex(typ)
	return ok && err == nil
}

func autocast(op string, d torch.Device) libtorch.Autocast {
	return state().Autocast[autocastIndex(op, d)]
}

func state() libtorch.State {
	torch.Version() // loads libtorch, or panics
	return libtorch.ThreadState()
}

var cudaIndex, _ = libtorch.AutocastIndex(1)

// autocastIndex returns the index of a device's type among those with autocast.
func autocastIndex(op string, d torch.Device) int {
	typ, _, err := engine.Device(string(d))
	if err != nil {
		panic(&torch.Error{Op: op, Msg: err.Error()})
	}
	i, ok := libtorch.AutocastIndex(typ)
	if !ok {
		panic(&torch.Error{Op: op, Msg: fmt.Sprintf("there is no autocast for the device %q", d)})
	}
	return i
}
