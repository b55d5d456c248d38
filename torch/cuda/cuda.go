// Package cuda uses NVIDIA GPUs: torch.cuda.
//
// Functions that take a device at the end use the current CUDA device without one,
// as Python's do. Which device is current belongs to a closure, see [WithDevice]: there
// is no set_device, since a goroutine has no thread of its own.
// Where there is no GPU, [IsAvailable] and [DeviceCount] say so, memory statistics are
// zero, and the other functions panic with a *[torch.Error] that gives the reason.
//
// Tensors on a GPU are freed by the garbage collector as all tensors are, and collections
// take their memory into account. An op that finds no memory collects and tries again,
// but [torch.Tensor.Backward] and ops in place do not: programs that need most of a GPU's
// memory should free tensors by [torch.Scope] or [torch.Tensor.Free].
//
// https://docs.pytorch.org/docs/stable/cuda.html
package cuda

import (
	"context"
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// IsAvailable reports whether tensors can be put on [torch.CUDA]:
// torch.cuda.is_available(). It is also false if libtorch cannot be installed;
// torch.CUDACount returns the reason.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_available.html
func IsAvailable() bool { return DeviceCount() > 0 }

// DeviceCount returns the number of GPUs: torch.cuda.device_count().
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.device_count.html
func DeviceCount() int {
	n, err := torch.CUDACount(context.Background())
	if err != nil {
		return 0
	}
	return n
}

// fail panics with an error in the name of op.
func fail(op, format string, args ...any) {
	panic(&torch.Error{Op: op, Msg: fmt.Sprintf(format, args...)})
}

// must panics with libtorch's error, if there is one.
func must(op string, err error) {
	if err != nil {
		panic(engine.Error(op, err))
	}
}

// available panics if there is no GPU.
func available(op string) (count int) {
	n, err := torch.CUDACount(context.Background())
	if err != nil {
		fail(op, "%s", strings.TrimPrefix(err.Error(), "torch: "))
	}
	return n
}

// indexOf returns the index of the device at the end of a function's arguments.
func indexOf(op string, device []torch.Device) int {
	return index(op, torch.Only(device))
}

// index returns the index of a CUDA device, which is the current one if d has none.
func index(op string, d torch.Device) int {
	n := available(op)
	typ, i, err := engine.Device(string(d))
	switch {
	case err != nil:
		fail(op, "%v", err)
	case d == "" || typ == 1 && i < 0:
		return libtorch.ThreadState().CUDADevice
	case typ != 1:
		fail(op, "the device is %q; it must be a CUDA device", d)
	}
	check(op, i, n)
	return i
}

func check(op string, i, count int) {
	if count = min(count, libtorch.MaxCUDADevices); i < 0 || i >= count {
		fail(op, "there is no CUDA device %d; there are %d", i, count)
	}
}

// CurrentDevice returns the index of the current CUDA device, which is the device
// [torch.CUDA]: torch.cuda.current_device(). It is 0 outside of [WithDevice] and
// [WithStream].
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.current_device.html
func CurrentDevice() int { return indexOf("cuda.CurrentDevice", nil) }

// WithDevice calls f with a current CUDA device: with torch.cuda.device(index). It
// applies inside [torch.Run], but not in other goroutines that f starts. For the
// device of new tensors, see [torch.WithDevice].
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.device.html
func WithDevice(index int, f func()) {
	const op = "cuda.WithDevice"
	check(op, index, available(op))
	engine.Within(func(s *libtorch.State) { s.CUDADevice = index }, f)
}

// Synchronize waits until a device has done all its work:
// torch.cuda.synchronize(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.synchronize.html
func Synchronize(device ...torch.Device) {
	const op = "cuda.Synchronize"
	must(op, libtorch.CUDASynchronize(indexOf(op, device)))
}

// Properties describe a GPU: torch.cuda.get_device_properties(device).
type Properties struct {
	Name         string
	UUID         [16]byte
	TotalMemory  int // in bytes
	Major, Minor int // the compute capability

	MultiProcessorCount         int
	WarpSize                    int
	MaxThreadsPerMultiProcessor int
	MaxThreadsPerBlock          int

	SharedMemoryPerBlock          int // in bytes
	SharedMemoryPerMultiprocessor int
	SharedMemoryPerBlockOptin     int
	RegsPerMultiprocessor         int

	L2CacheSize     int // in bytes
	ClockRate       int // in kHz
	MemoryClockRate int // in kHz
	MemoryBusWidth  int // in bits

	IsIntegrated    bool
	IsMultiGPUBoard bool

	PCIDomainID, PCIBusID, PCIDeviceID int
}

// DeviceProperties describes a GPU: torch.cuda.get_device_properties(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_device_properties.html
func DeviceProperties(device ...torch.Device) Properties {
	const op = "cuda.DeviceProperties"
	i := indexOf(op, device)
	v, err := engine.Read(func(rets []uint64) error { return libtorch.CUDAProperties(i, rets) })
	must(op, err)
	return properties(v.([]torch.Value))
}

// properties reads the list of libtorch.CUDAProperties.
func properties(v []torch.Value) (p Properties) {
	p.Name = v[0].(string)
	copy(p.UUID[:], v[1].(string))
	p.TotalMemory = v[2].(int)
	var integrated, several int
	for i, at := range []*int{
		&p.Major, &p.Minor,
		&p.MultiProcessorCount, &p.WarpSize, &p.MaxThreadsPerMultiProcessor, &p.MaxThreadsPerBlock,
		&p.SharedMemoryPerBlock, &p.SharedMemoryPerMultiprocessor, &p.SharedMemoryPerBlockOptin, &p.RegsPerMultiprocessor,
		&p.L2CacheSize, &p.ClockRate, &p.MemoryClockRate, &p.MemoryBusWidth,
		&integrated, &several,
		&p.PCIDomainID, &p.PCIBusID, &p.PCIDeviceID,
	} {
		*at = v[3+i].(int)
	}
	p.IsIntegrated, p.IsMultiGPUBoard = integrated != 0, several != 0
	return p
}

// DeviceName returns the name of a GPU, such as "NVIDIA H100 80GB HBM3":
// torch.cuda.get_device_name(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_device_name.html
func DeviceName(device ...torch.Device) string { return DeviceProperties(device...).Name }

// DeviceCapability returns the compute capability of a GPU, such as 9 and 0:
// torch.cuda.get_device_capability(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_device_capability.html
func DeviceCapability(device ...torch.Device) (major, minor int) {
	p := DeviceProperties(device...)
	return p.Major, p.Minor
}

// CanDeviceAccessPeer reports whether a GPU can use the memory of another one:
// torch.cuda.can_device_access_peer(device, peer).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.can_device_access_peer.html
func CanDeviceAccessPeer(device, peer torch.Device) bool {
	const op = "cuda.CanDeviceAccessPeer"
	can, err := libtorch.CUDAPeer(index(op, device), index(op, peer))
	must(op, err)
	return can
}
