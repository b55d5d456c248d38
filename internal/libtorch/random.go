package libtorch

// #include "table.h"
import "C"

import "unsafe"

// ManualSeed seeds libtorch's default generators, of all devices.
func ManualSeed(seed uint64) error {
	return failure(C.t_manual_seed(C.uint64_t(seed)))
}

// A Generator is an at::Generator.
type Generator struct{ h C.thub_generator }

// NewGenerator makes a generator of a device.
func NewGenerator(deviceType, index int) (Generator, error) {
	var g Generator
	err := failure(C.t_generator_new(C.int32_t(deviceType), C.int32_t(index), &g.h))
	return g, err
}

// DefaultGenerator returns the generator that a device uses if no other one is given.
func DefaultGenerator(deviceType, index int) (Generator, error) {
	var g Generator
	err := failure(C.t_generator_default(C.int32_t(deviceType), C.int32_t(index), &g.h))
	return g, err
}

// Device returns the type and the index of the generator's device.
func (g Generator) Device() (typ, index int, err error) {
	var t, i C.int32_t
	err = failure(C.t_generator_device(g.h, &t, &i))
	return int(t), int(i), err
}

// Seed seeds the generator.
func (g Generator) Seed(seed uint64) error {
	return failure(C.t_generator_seed(g.h, C.uint64_t(seed)))
}

// DrawSeed seeds the generator with a number that the system draws, and returns it.
func (g Generator) DrawSeed() (uint64, error) {
	var seed C.uint64_t
	err := failure(C.t_generator_draw_seed(g.h, &seed))
	return uint64(seed), err
}

// InitialSeed returns the number with which the generator was seeded.
func (g Generator) InitialSeed() (uint64, error) {
	var seed C.uint64_t
	err := failure(C.t_generator_get_seed(g.h, &seed))
	return uint64(seed), err
}

// State returns the generator's state, a new reference to a tensor of bytes.
func (g Generator) State() (uint64, Result, error) {
	var t C.thub_tensor
	res, err := result(C.t_generator_get_state(g.h, &t))
	return uint64(t), res, err
}

// SetState sets what State returned.
func (g Generator) SetState(state uint64) error {
	return failure(C.t_generator_set_state(g.h, C.thub_tensor(state)))
}

// Word returns the word of the generator in arguments.
func (g Generator) Word() uint64 { return uint64(uintptr(unsafe.Pointer(g.h))) }

// Free frees the generator.
func (g Generator) Free() { C.t_generator_free(g.h) }
