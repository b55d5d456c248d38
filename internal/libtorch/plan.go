package libtorch

/*
#include "table.h"

#cgo noescape t_plan_run
#cgo nocallback t_plan_run
*/
import "C"

import "unsafe"

// A Plan is a program of package kernels, ready to run.
type Plan struct{ h C.thub_plan }

// EngineBlock returns how many channels a block of the engine has, and the name of its instruction set.
func EngineBlock() (block int, name string) {
	var n *C.char
	block = int(C.t_engine_block(&n))
	return block, C.GoString(n)
}

// EngineBFloat16 reports whether plans may multiply bfloat16.
func EngineBFloat16() bool { return C.t_engine_bfloat16() != 0 }

// NewPlan checks a program, of which plan.cpp says what its words are, and refers to the weights, which are tensors, until Pack.
func NewPlan(words []int64, weights []uint64) (Plan, error) {
	var p Plan
	err := failure(C.t_plan_new((*C.int64_t)(unsafe.SliceData(words)), C.size_t(len(words)), first(weights), C.size_t(len(weights)), &p.h))
	return p, err
}

// Pack copies the weights, once, before the plan runs.
func (p Plan) Pack(threads int) error { return failure(C.t_plan_pack(p.h, C.int32_t(threads))) }

// Run runs the plan with inputs, followed by outputs. It returns early once cancel, which another goroutine may set, is not
// 0, and then canceled is true. It writes the nanoseconds of as many instructions as there is room for.
func (p Plan) Run(tensors []uint64, threads int, cancel *int32, nanoseconds []int64) (canceled bool, err error) {
	var stopped C.int32_t
	err = failure(C.t_plan_run(p.h, first(tensors), C.size_t(len(tensors)), C.int32_t(threads), (*C.int32_t)(cancel), &stopped,
		(*C.int64_t)(unsafe.SliceData(nanoseconds)), C.size_t(len(nanoseconds))))
	return stopped != 0, err
}

// Free frees the plan. No run may use it any more.
func (p Plan) Free() { C.t_plan_free(p.h) }
