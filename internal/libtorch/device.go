package libtorch

// #include "table.h"
import "C"

// MaxCUDADevices is the number of CUDA devices whose current stream is part of a
// thread's modes.
const MaxCUDADevices = C.THUB_CUDA_DEVICES

// CUDACount returns the number of CUDA devices.
func CUDACount() (int, error) {
	var n C.int64_t
	err := failure(C.t_cuda_count(&n))
	return int(n), err
}

// CUDASynchronize waits for all work of a CUDA device.
func CUDASynchronize(index int) error { return failure(C.t_cuda_synchronize(C.int32_t(index))) }

// CUDAEmptyCache gives the memory back that libtorch keeps for new tensors on CUDA devices.
func CUDAEmptyCache() error { return failure(C.t_cuda_empty_cache()) }

// CUDAStats writes the statistics of a CUDA device's allocator, as Ints.
func CUDAStats(index int, buf []uint64) error {
	return failure(C.t_cuda_stats(C.int32_t(index), first(buf), C.size_t(len(buf))))
}

// CUDAResetStats resets the statistics of peaks, or the accumulated ones.
func CUDAResetStats(index int, peak bool) error {
	return failure(C.t_cuda_reset_stats(C.int32_t(index), cbool(peak)))
}

// CUDAMemory returns the bytes of memory that are free on a device, and all bytes of it.
func CUDAMemory(index int) (free, total int64, err error) {
	var f, t C.int64_t
	err = failure(C.t_cuda_memory(C.int32_t(index), &f, &t))
	return int64(f), int64(t), err
}

// CUDAProperties writes a List: the name, the 16 bytes of the UUID, the bytes of
// memory, and the attributes in the order of device.cpp.
func CUDAProperties(index int, buf []uint64) error {
	return failure(C.t_cuda_properties(C.int32_t(index), first(buf), C.size_t(len(buf))))
}

// CUDAPeer reports whether a CUDA device can use the memory of another one.
func CUDAPeer(index, peer int) (bool, error) {
	var can C.int32_t
	err := failure(C.t_cuda_peer(C.int32_t(index), C.int32_t(peer), &can))
	return can != 0, err
}

// A Stream is a stream of a CUDA device. They are never freed.
type Stream struct {
	Index int   // of the device
	ID    int64 // its c10::StreamId; 0 is the default stream
}

// NewStream takes a stream from libtorch's pool.
func NewStream(index, priority int) (Stream, error) {
	var id C.int64_t
	err := failure(C.t_stream_new(C.int32_t(index), C.int32_t(priority), &id))
	return Stream{index, int64(id)}, err
}

// Query reports whether all work of the stream is done.
func (s Stream) Query() (bool, error) {
	var done C.int32_t
	err := failure(C.t_stream_query(C.int32_t(s.Index), C.int64_t(s.ID), &done))
	return done != 0, err
}

// Synchronize waits for all work of the stream.
func (s Stream) Synchronize() error {
	return failure(C.t_stream_synchronize(C.int32_t(s.Index), C.int64_t(s.ID)))
}

// RecordTensor keeps a tensor's memory from being used again before the work that the
// stream has now is done.
func (s Stream) RecordTensor(t uint64) error {
	return failure(C.t_stream_record_tensor(C.int32_t(s.Index), C.int64_t(s.ID), C.thub_tensor(t)))
}

// An Event is a c10::Event of CUDA.
type Event struct{ h C.thub_event }

// NewEvent makes an event, which records the time if timing is set.
func NewEvent(timing bool) (Event, error) {
	var e Event
	err := failure(C.t_event_new(cbool(timing), &e.h))
	return e, err
}

// Record records the work that the stream has now.
func (e Event) Record(s Stream) error {
	return failure(C.t_event_record(e.h, C.int32_t(s.Index), C.int64_t(s.ID)))
}

// Wait makes the stream wait for the recorded work.
func (e Event) Wait(s Stream) error {
	return failure(C.t_event_wait(e.h, C.int32_t(s.Index), C.int64_t(s.ID)))
}

// Query reports whether the recorded work is done.
func (e Event) Query() (bool, error) {
	var done C.int32_t
	err := failure(C.t_event_query(e.h, &done))
	return done != 0, err
}

// Synchronize waits for the recorded work.
func (e Event) Synchronize() error { return failure(C.t_event_synchronize(e.h)) }

// Elapsed returns the milliseconds between two events.
func (e Event) Elapsed(end Event) (float64, error) {
	var ms C.double
	err := failure(C.t_event_elapsed(e.h, end.h, &ms))
	return float64(ms), err
}

// IsZero reports whether the event was not made by NewEvent.
func (e Event) IsZero() bool { return e.h == nil }

// Free frees the event.
func (e Event) Free() { C.t_event_free(e.h) }

// A Graph is an at::cuda::CUDAGraph.
type Graph struct{ h C.thub_graph }

// NewGraph makes a graph without work.
func NewGraph() (Graph, error) {
	var g Graph
	err := failure(C.t_graph_new(&g.h))
	return g, err
}

// Begin captures the work that the current stream is given; mode is a cudaStreamCaptureMode.
func (g Graph) Begin(mode int) error { return failure(C.t_graph_begin(g.h, C.int32_t(mode))) }

// End ends what Begin began.
func (g Graph) End() error { return failure(C.t_graph_end(g.h)) }

// Replay gives the captured work to the current stream.
func (g Graph) Replay() error { return failure(C.t_graph_replay(g.h)) }

// Reset frees the captured work.
func (g Graph) Reset() error { return failure(C.t_graph_reset(g.h)) }

// IsZero reports whether the graph was not made by NewGraph.
func (g Graph) IsZero() bool { return g.h == nil }

// Free frees the graph.
func (g Graph) Free() { C.t_graph_free(g.h) }

// MPSAvailable reports whether there is an MPS device.
func MPSAvailable() (bool, error) {
	var ok C.int32_t
	err := failure(C.t_mps_available(&ok))
	return ok != 0, err
}

// MPSSynchronize waits for all work of the MPS device.
func MPSSynchronize() error { return failure(C.t_mps_synchronize()) }

// MPSEmptyCache gives the memory back that libtorch keeps for new tensors on the MPS device.
func MPSEmptyCache() error { return failure(C.t_mps_empty_cache()) }

// MPSMemory returns bytes: of tensors, of the driver, and those that Metal recommends to use at most.
func MPSMemory() (allocated, driver, recommended int64, err error) {
	var a, d, r C.int64_t
	err = failure(C.t_mps_memory(&a, &d, &r))
	return int64(a), int64(d), int64(r), err
}
