package libtorch

// #include <stdlib.h>
// #include "table.h"
import "C"

import "unsafe"

// A Package is an AOTInductor package, whose native code is loaded.
type Package struct{ h C.thub_package }

// LoadPackage unpacks a package and loads the library of one of its models,
// which must exist: otherwise libtorch would run a compiler with flags from the
// package.
func LoadPackage(path, model string, runners, deviceIndex int) (Package, error) {
	p, m := C.CString(path), C.CString(model)
	defer C.free(unsafe.Pointer(p))
	defer C.free(unsafe.Pointer(m))
	var pkg Package
	err := failure(C.t_aoti_load(p, m, C.size_t(runners), C.int32_t(deviceIndex), &pkg.h))
	return pkg, err
}

// Run calls the model with tensors and writes a List of tensors; see [Values].
func (p Package) Run(inputs, buf []uint64) error {
	return failure(C.t_aoti_run(p.h, first(inputs), C.size_t(len(inputs)), first(buf), C.size_t(len(buf))))
}

// CallSpec writes a List of two strings: the places of the inputs and of the outputs in Python's
// containers.
func (p Package) CallSpec(buf []uint64) error {
	return failure(C.t_aoti_call_spec(p.h, first(buf), C.size_t(len(buf))))
}

// Constants writes a List of the weights' names.
func (p Package) Constants(buf []uint64) error {
	return failure(C.t_aoti_constants(p.h, first(buf), C.size_t(len(buf))))
}

// LacksConstants reports whether the weights are neither in the library nor
// loaded; running the model would then end the process.
func (p Package) LacksConstants() (bool, error) {
	var lacks C.int32_t
	err := failure(C.t_aoti_lacks_constants(p.h, &lacks))
	return lacks != 0, err
}

// LoadConstants gives the model copies of all its weights, a Dict of names to tensors.
func (p Package) LoadConstants(dict []uint64) error {
	return failure(C.t_aoti_load_constants(p.h, first(dict), C.size_t(len(dict))))
}

// Free unloads the package, which must not be used afterwards.
func (p Package) Free() { C.t_aoti_free(p.h) }
