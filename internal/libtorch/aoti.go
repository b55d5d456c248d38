package libtorch

// #include <stdlib.h>
// #include "table.h"
import "C"

import "unsafe"

// A Package is an AOTInductor package, whose native code is loaded.
type Package struct{ h C.thub_package }

// LoadPackage unpacks a package and loads the library of one of its models,
// which must be there: else libtorch runs a compiler with what the package says.
func LoadPackage(path, model string, runners, deviceIndex int) (Package, error) {
	p, m := C.CString(path), C.CString(model)
	defer C.free(unsafe.Pointer(p))
	defer C.free(unsafe.Pointer(m))
	var pkg Package
	err := failure(C.t_aoti_load(p, m, C.size_t(runners), C.int32_t(deviceIndex), &pkg.h))
	return pkg, err
}

// Run calls the model with tensors, and gives a List of tensors; see [Values] for where.
func (p Package) Run(inputs, buf []uint64) error {
	return failure(C.t_aoti_run(p.h, first(inputs), C.size_t(len(inputs)), first(buf), C.size_t(len(buf))))
}

// CallSpec gives a List of two strings: how the inputs and the outputs lie in Python's containers.
func (p Package) CallSpec(buf []uint64) error {
	return failure(C.t_aoti_call_spec(p.h, first(buf), C.size_t(len(buf))))
}

// Constants gives a List of the weights' names.
func (p Package) Constants(buf []uint64) error {
	return failure(C.t_aoti_constants(p.h, first(buf), C.size_t(len(buf))))
}

// LacksConstants reports whether the weights are not in the library and have
// not been loaded since; to run the model then ends the process.
func (p Package) LacksConstants() (bool, error) {
	var lacks C.int32_t
	err := failure(C.t_aoti_lacks_constants(p.h, &lacks))
	return lacks != 0, err
}

// LoadConstants gives the model copies of all its weights, a Dict of names to tensors.
func (p Package) LoadConstants(dict []uint64) error {
	return failure(C.t_aoti_load_constants(p.h, first(dict), C.size_t(len(dict))))
}

// Free unloads it; it is not to be used after.
func (p Package) Free() { C.t_aoti_free(p.h) }
