package torch

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// DeviceType is a kind of device. The numbers are c10::DeviceType's.
type DeviceType int8

// Device types.
const (
	CPUType  DeviceType = 0
	CUDAType DeviceType = 1
	MPSType  DeviceType = 13
	MetaType DeviceType = 14
)

var deviceTypes = map[DeviceType]string{CPUType: "cpu", CUDAType: "cuda", MPSType: "mps", MetaType: "meta"}

// String returns PyTorch's name: "cpu", "cuda", "mps", "meta".
func (t DeviceType) String() string {
	if s, ok := deviceTypes[t]; ok {
		return s
	}
	return fmt.Sprintf("device(%d)", int8(t))
}

// Device is where a tensor lies: torch.device. The zero value is the CPU.
//
// https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.device
type Device struct {
	Type  DeviceType
	Index int // which one, from 0; -1 is the current one. Only CUDA has several.
}

// Devices.
var (
	CPU  = Device{Type: CPUType}
	CUDA = Device{Type: CUDAType, Index: -1} // the current CUDA device
	Meta = Device{Type: MetaType}            // tensors with a shape and no data
)

// CUDADevice returns the CUDA device of an index: torch.device("cuda", index).
func CUDADevice(index int) Device { return Device{Type: CUDAType, Index: index} }

// String returns PyTorch's text: "cpu", "cuda", "cuda:0".
func (d Device) String() string {
	if d.Type == CUDAType && d.Index >= 0 {
		return fmt.Sprintf("%v:%d", d.Type, d.Index)
	}
	return d.Type.String()
}

// ParseDevice reads PyTorch's text for a device: "cpu", "cuda", "cuda:0", "meta". It does not ask whether there is one.
func ParseDevice(s string) (Device, error) {
	name, index, has := strings.Cut(s, ":")
	d := Device{}
	for t, n := range deviceTypes {
		if n == name {
			d.Type = t
			if t == CUDAType {
				d.Index = -1
			}
			if !has {
				return d, nil
			}
			i, err := strconv.ParseUint(index, 10, 7)
			if err == nil && (t == CUDAType || i == 0) {
				d.Index = int(i)
				return d, nil
			}
		}
	}
	return Device{}, fmt.Errorf("torch: unknown device %q; use cpu, cuda or cuda:N", s)
}

// WithDevice calls f with new tensors made on d where no other device is
// asked for: the context manager "with torch.device(d):". On [Meta] it builds
// modules without memory for their parameters.
func WithDevice(d Device, f func()) {
	mustInit()
	within(func(s *libtorch.State) { s.Device, s.Index = int(d.Type), d.Index }, f)
}

// DefaultDevice returns the device on which new tensors are made here: torch.get_default_device.
func DefaultDevice() Device {
	mustInit()
	s := libtorch.ThreadState()
	if s.Device == int(CPUType) {
		s.Index = 0
	}
	return Device{DeviceType(s.Device), s.Index}
}
