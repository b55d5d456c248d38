package torch

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// A Device is where a tensor is stored: torch.device. It holds PyTorch's text
// for the device, so that a constant, a string and a conversion can be used:
//
//	x.To(torch.CUDA)
//	x.To("cuda:1")
//	torch.Options{Device: torch.Device(flag)}.Zeros(2, 3)
//
// The zero value is the default device, which is the CPU outside of [WithDevice];
// a function for which it means something else documents that. A function that
// takes a text that is not a device panics with an [*Error]; [ParseDevice] checks
// a text that a user typed.
//
// https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.device
type Device string

// Devices.
const (
	CPU  Device = "cpu"
	CUDA Device = "cuda" // the current CUDA device
	MPS  Device = "mps"  // the GPU of a Mac
	Meta Device = "meta" // tensors with a shape and no data
)

// deviceTypes are the types of device by c10::DeviceType.
var deviceTypes = map[int]Device{0: CPU, 1: CUDA, 13: MPS, 14: Meta}

const (
	cpuType  = 0
	cudaType = 1
)

const maxDevices = 128 // that c10::DeviceIndex can count

// cudaDevices are the texts of the first CUDA devices, so that naming one allocates nothing.
var cudaDevices = [...]Device{"cuda:0", "cuda:1", "cuda:2", "cuda:3", "cuda:4", "cuda:5", "cuda:6", "cuda:7"}

// CUDADevice returns the CUDA device of an index: torch.device("cuda", index). An
// index below 0 or above 127 panics with an [*Error].
func CUDADevice(index int) Device {
	if index < 0 || index >= maxDevices {
		fail("CUDADevice", fmt.Sprintf("the index is %d; it must be between 0 and %d", index, maxDevices-1))
	}
	if index < len(cudaDevices) {
		return cudaDevices[index]
	}
	return Device("cuda:" + strconv.Itoa(index))
}

// Type returns the part of d before the colon: torch.device.type. It is "" for the
// default device.
func (d Device) Type() string {
	name, _, _ := strings.Cut(string(d), ":")
	return name
}

// Index returns the number of d among the devices of its type, from 0, or -1 for
// the current one or the only one: torch.device.index, which is None for these.
func (d Device) Index() int {
	_, index, err := d.c10()
	if err != nil {
		return -1
	}
	return index
}

// String returns PyTorch's text, such as "cpu", "cuda" or "cuda:0", and "default" for the zero value.
func (d Device) String() string {
	if d == "" {
		return "default"
	}
	return string(d)
}

// ParseDevice checks PyTorch's text for a device: "cpu", "cuda", "cuda:0", "mps",
// "meta". It does not check whether the machine has such a device.
func ParseDevice(s string) (Device, error) {
	if s == "" { // which is the default device to c10
		return "", fmt.Errorf("torch: %w", unknownDevice(s))
	}
	typ, index, err := Device(s).c10()
	if err != nil {
		return "", fmt.Errorf("torch: %w", err)
	}
	return deviceOf(typ, index), nil
}

// c10 returns libtorch's numbers for d, with the index -1 if d has none. A type with a
// single device has no index. The zero value is the default device.
func (d Device) c10() (typ, index int, err error) {
	switch d { // the common cases
	case "":
		mustInit()
		s := libtorch.ThreadState()
		return s.Device, s.Index, nil
	case CPU:
		return 0, -1, nil
	case CUDA:
		return 1, -1, nil
	}
	name, text, has := strings.Cut(string(d), ":")
	for typ, known := range deviceTypes {
		if string(known) != name {
			continue
		}
		if !has {
			return typ, -1, nil
		}
		i, err := strconv.ParseUint(text, 10, 7)
		switch {
		case err != nil:
		case known == CUDA:
			return typ, int(i), nil
		case i == 0:
			return typ, -1, nil
		}
	}
	return 0, 0, unknownDevice(string(d))
}

// unknownDevice returns the error about a text that is not a device.
func unknownDevice(s string) error {
	return fmt.Errorf("unknown device %q; use cpu, cuda or cuda:N", s)
}

// mustC10 is c10 for a function that takes a device from its caller.
func (d Device) mustC10(op string) (typ, index int) {
	typ, index, err := d.c10()
	if err != nil {
		fail(op, err.Error())
	}
	return typ, index
}

// deviceOf returns the device of libtorch's numbers.
func deviceOf(typ, index int) Device {
	switch {
	case typ == 0: // the common case
		return CPU
	case typ == 1 && index >= 0:
		return CUDADevice(index)
	}
	if d, ok := deviceTypes[typ]; ok {
		return d
	}
	return Device(fmt.Sprintf("device(%d)", typ))
}

// WithDevice calls f with d as the default device: the context manager
// "with torch.device(d):". With [Meta] it builds modules without memory for their
// parameters. The zero value changes nothing.
func WithDevice(d Device, f func()) {
	mustInit()
	typ, index := d.mustC10("WithDevice")
	within(func(s *libtorch.State) { s.Device, s.Index = typ, index }, f)
}

// DefaultDevice returns the device on which new tensors are made here: torch.get_default_device().
func DefaultDevice() Device {
	mustInit()
	s := libtorch.ThreadState()
	return deviceOf(s.Device, s.Index)
}

// mustCUDA panics with an Error in the name of op if there is no CUDA device.
func mustCUDA(op string) {
	if _, err := CUDACount(context.Background()); err != nil {
		panic(&Error{Op: op, Msg: strings.TrimPrefix(err.Error(), "torch: "), kind: kindOf(err)})
	}
}
