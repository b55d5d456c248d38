package libtorch

/*
#include "table.h"
*/
import "C"

// BeginTrace begins a graph of the calls of operators on the calling thread. The words are the input tensors.
func BeginTrace(inputs, _ []uint64) error {
	return failure(C.t_trace_begin(first(inputs), C.size_t(len(inputs))))
}

// EndTrace ends it and writes the graph; see functions.def. The words are the output tensors.
func EndTrace(outputs, buf []uint64) error {
	return failure(C.t_trace_end(first(outputs), C.size_t(len(outputs)), first(buf), C.size_t(len(buf))))
}

// CancelTrace ends a graph and drops it.
func CancelTrace() {
	var rets [RetsHead]uint64
	_ = failure(C.t_trace_end(nil, 0, first(rets[:]), C.size_t(len(rets))))
}
