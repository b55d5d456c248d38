package torch

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// A Tensor is a multi-dimensional array of one dtype on one device: torch.Tensor.
//
// https://docs.pytorch.org/docs/stable/tensors.html
type Tensor struct {
	h       uint64       // one reference to a c10::TensorImpl
	state   atomic.Int64 // calls that use h at this moment, plus freed
	scope   *scope       // that will free it, nil when the collector will
	cleanup runtime.Cleanup
}

// freed is set in state by Free. The reference goes back when no call uses it any more.
const freed = 1 << 62

// wrap makes a Tensor of a new reference; 0, libtorch's undefined tensor, is nil.
func wrap(h, scopeID uint64) *Tensor {
	if h == 0 {
		return nil
	}
	x := &Tensor{h: h}
	if s := scopeOf(scopeID); s != nil {
		s.add(x)
	} else {
		x.collect()
	}
	return x
}

// collect leaves freeing to the collector.
func (x *Tensor) collect() {
	x.cleanup = runtime.AddCleanup(x, func(h uint64) { libtorch.FreeTensors([]uint64{h}) }, x.h)
}

// acquire keeps the reference from being given back until release. It fails after Free.
func (x *Tensor) acquire() bool {
	if x.state.Add(1) < freed {
		return true
	}
	x.release()
	return false
}

func (x *Tensor) release() {
	if x.state.Add(-1) == freed {
		x.drop()
	}
}

// drop gives the reference back, once.
func (x *Tensor) drop() {
	if x.state.CompareAndSwap(freed, 3*freed/2) {
		libtorch.FreeTensors([]uint64{x.h})
	}
}

// Free gives the tensor's memory back now, unless views of it or autograd still
// need it. Using x afterwards is an [*Error] with [ErrFreed]. Freeing twice, and
// freeing nil, do nothing.
func (x *Tensor) Free() {
	if x == nil {
		return
	}
	for {
		s := x.state.Load()
		if s >= freed {
			return
		}
		if x.state.CompareAndSwap(s, s+freed) {
			break
		}
	}
	if x.scope == nil {
		x.cleanup.Stop()
	}
	if x.state.Load() == freed {
		x.drop()
	}
}

// Then returns f(x) and frees x, if f gave another tensor: a chain of layers
// that holds no more than one intermediate at a time.
//
//	x = m.Conv1.Forward(x).Then(m.BN1.Forward).Then(torch.ReLU)
func (x *Tensor) Then(f func(*Tensor) *Tensor) *Tensor {
	y := f(x)
	if y != x {
		x.Free()
	}
	return y
}

// use calls f with the reference, or panics with an Error in the name of op.
func (x *Tensor) use(op string, f func(h uint64)) {
	if x == nil {
		panic(&Error{Op: op, Msg: ErrNil.Error(), kind: ErrNil})
	}
	if !x.acquire() {
		panic(&Error{Op: op, Msg: ErrFreed.Error(), kind: ErrFreed})
	}
	defer x.release()
	f(x.h)
}

// info describes x. The buffer holds eight dimensions; more make a new one.
func (x *Tensor) info(op string) (info []int64) {
	x.use(op, func(h uint64) { info = libtorch.TensorInfo(h, make([]int64, libtorch.InfoSizes+16)) })
	return info
}

// Shape returns the sizes: tuple(x.shape).
func (x *Tensor) Shape() []int {
	info := x.info("Shape")
	return ints(info[libtorch.InfoSizes:][:info[libtorch.InfoDim]])
}

// Strides returns the steps between elements, in elements: x.stride().
func (x *Tensor) Strides() []int {
	info := x.info("Strides")
	d := info[libtorch.InfoDim]
	return ints(info[libtorch.InfoSizes+d:][:d])
}

func ints(v []int64) []int {
	s := make([]int, len(v))
	for i, n := range v {
		s[i] = int(n)
	}
	return s
}

// Dim returns the number of dimensions: x.dim().
func (x *Tensor) Dim() int { return int(x.info("Dim")[libtorch.InfoDim]) }

// Size returns the size of one dimension: x.size(dim). A negative dim counts from the end.
func (x *Tensor) Size(dim int) int {
	s := x.Shape()
	if dim < 0 {
		dim += len(s)
	}
	if dim < 0 || dim >= len(s) {
		panic(&Error{Op: "Size", Args: x.describe(), Msg: "dimension out of range", kind: ErrIndex})
	}
	return s[dim]
}

// Numel returns the number of elements: x.numel().
func (x *Tensor) Numel() int { return int(x.info("Numel")[libtorch.InfoNumel]) }

// DType returns the elements' type: x.dtype.
func (x *Tensor) DType() DType { return DType(x.info("DType")[libtorch.InfoDType]) }

// Device returns where x lies: x.device.
func (x *Tensor) Device() Device {
	info := x.info("Device")
	d := Device{DeviceType(info[libtorch.InfoDevice]), int(info[libtorch.InfoIndex])}
	if d.Type != CUDAType {
		d.Index = 0
	}
	return d
}

// RequiresGrad reports whether autograd records what is done with x: x.requires_grad.
func (x *Tensor) RequiresGrad() bool { return x.flag("RequiresGrad", libtorch.FlagRequiresGrad) }

// IsContiguous reports whether the elements lie in memory in the order of their indices: x.is_contiguous().
func (x *Tensor) IsContiguous() bool { return x.flag("IsContiguous", libtorch.FlagContiguous) }

// IsInference reports whether x was made in inference mode: x.is_inference().
func (x *Tensor) IsInference() bool { return x.flag("IsInference", libtorch.FlagInference) }

func (x *Tensor) flag(op string, bit int64) bool { return x.info(op)[libtorch.InfoFlags]&bit != 0 }

// describe returns shape and dtype for an error text: "[2, 3] float32".
func (x *Tensor) describe() string {
	if x == nil || !x.acquire() {
		return "freed"
	}
	defer x.release()
	info := libtorch.TensorInfo(x.h, nil)
	d := DType(info[libtorch.InfoDType])
	s := strings.ReplaceAll(fmt.Sprint(info[libtorch.InfoSizes:][:info[libtorch.InfoDim]]), " ", ", ") + " " + d.String()
	if t := DeviceType(info[libtorch.InfoDevice]); t != CPUType {
		s += " " + t.String()
	}
	return s
}

// SameShape reports whether x and y have equal sizes.
func (x *Tensor) SameShape(y *Tensor) bool { return slices.Equal(x.Shape(), y.Shape()) }
