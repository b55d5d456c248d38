// Devices other than the CPU. libtorch's interface to any device is used where it
// reaches, since the shim is compiled without the headers of CUDA; the driver and
// the runtime of CUDA, which libtorch_cuda loads, are found by name.

#include "alloc.h"
#include "values.h"

#include <ATen/Context.h>
#include <ATen/detail/MPSHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <dlfcn.h>

#include <atomic>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

using c10::DeviceIndex;

at::Device cuda(int32_t index) { return at::Device(at::kCUDA, DeviceIndex(index)); }

c10::Stream stream(int32_t index, int64_t id) { return c10::Stream(c10::Stream::UNSAFE, cuda(index), id); }

// guard returns the interface to the CUDA devices, which are ready for use then.
c10::impl::VirtualGuardImpl guard() {
	at::globalContext().lazyInitDevice(at::kCUDA);
	return c10::impl::VirtualGuardImpl(at::kCUDA);
}

c10::DeviceAllocator &allocator() {
	guard();
	return *c10::getDeviceAllocator(at::kCUDA);
}

// named returns a function of the driver or of the runtime.
template <class F> F *named(const char *name) {
	void *f = dlsym(RTLD_DEFAULT, name);
	TORCH_CHECK(f, "CUDA has no ", name);
	return reinterpret_cast<F *>(f);
}

// driver calls a function of the driver, of which 0 is success.
template <class... P, class... A> void driver(const char *name, A... args) {
	int code = named<int(P...)>(name)(args...);
	TORCH_CHECK(code == 0, name, " failed with error ", code);
}

struct Restore { // the current device
	c10::impl::VirtualGuardImpl impl;
	at::Device was;
	explicit Restore(int32_t index) : impl(guard()), was(impl.exchangeDevice(cuda(index))) {}
	~Restore() { impl.uncheckedSetDevice(was); }
};

void put_int(Writer &w, int64_t v) {
	w.put(THUB_INT);
	w.put(uint64_t(v));
}

void put_text(Writer &w, const std::string &s) {
	w.put(THUB_STRING);
	w.put_string(s);
}

const at::MPSHooksInterface &mps() {
	TORCH_CHECK(at::hasMPS(), "there is no MPS device");
	return at::detail::getMPSHooks();
}

std::atomic<bool> cuda_used{false};
std::atomic<int64_t> cuda_since{0}; // bytes of tensors, and of views of them, since the last count

c10::Event &event(thub_event e) { return *reinterpret_cast<c10::Event *>(e); }

} // namespace

std::atomic<int64_t> cuda_held{0};

void count_cuda() {
	if (!cuda_used.load(std::memory_order_relaxed))
		return;
	cuda_since = 0;
	free(caught([] { // an op that calls this has succeeded
		int64_t bytes = 0;
		for (DeviceIndex i = 0, n = guard().deviceCount(); i < n; i++)
			bytes += allocator().getDeviceStats(i).allocated_bytes[0].current; // of both pools
		cuda_held = bytes / 16;
	}));
}

void note_cuda(const at::Tensor &t) {
	cuda_used.store(true, std::memory_order_relaxed);
	int64_t bytes = t.has_storage() ? int64_t(t.storage().nbytes()) : 0;
	if (cuda_since.fetch_add(bytes) + bytes >= 64 << 20)
		count_cuda();
}

void cuda_count(int64_t *ret_count) { *ret_count = at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0; }

void cuda_synchronize(int32_t index) { guard().synchronizeDevice(DeviceIndex(index)); }

void cuda_empty_cache() { allocator().emptyCache(); }

void cuda_reset_stats(int32_t index, int32_t peak) {
	if (peak)
		allocator().resetPeakStats(DeviceIndex(index));
	else
		allocator().resetAccumulatedStats(DeviceIndex(index));
}

// cuda_stats writes the statistics in an order that Go knows.
void cuda_stats(int32_t index, uint64_t *rets, size_t cap) {
	auto s = allocator().getDeviceStats(DeviceIndex(index));
	std::vector<int64_t> out;
	auto put = [&out](const c10::CachingAllocator::Stat &s) { out.insert(out.end(), {s.current, s.peak, s.allocated, s.freed}); };
	for (const auto &pools : {s.allocation, s.segment, s.active, s.inactive_split, s.allocated_bytes, s.reserved_bytes, s.active_bytes,
	                          s.inactive_split_bytes, s.requested_bytes})
		for (const auto &pool : pools) // all, the small pool, the large pool
			put(pool);
	put(s.oversize_allocations);
	put(s.oversize_segments);
	out.insert(out.end(), {s.num_alloc_retries, s.num_ooms, s.num_sync_all_streams, s.num_device_alloc, s.num_device_free, s.max_split_size});
	Writer w(rets, cap);
	write_value(w, IValue(c10::List<int64_t>(out)));
	w.finish();
}

void cuda_memory(int32_t index, int64_t *ret_free, int64_t *ret_total) {
	Restore restore(index);
	size_t free = 0, total = 0;
	driver<size_t *, size_t *>("cudaMemGetInfo", &free, &total);
	*ret_free = int64_t(free);
	*ret_total = int64_t(total);
}

// cuda_properties writes a list: the name, the UUID, the bytes of memory, and the
// attributes in an order that Go knows.
void cuda_properties(int32_t index, uint64_t *rets, size_t cap) {
	// The numbers of CUdevice_attribute in cuda.h, which never change.
	static constexpr int attributes[] = {
	    75, 76,        // compute capability, major and minor
	    16, 10, 39, 1, // multiprocessors, warp size, threads of a multiprocessor, threads of a block
	    8, 81, 97, 82, // shared memory of a block, of a multiprocessor, of a block that opts in; registers of a multiprocessor
	    38, 13, 36, 37, // bytes of the L2 cache, clock rate, memory's clock rate and bus width
	    18, 84,        // integrated, on a board with several GPUs
	    50, 33, 34,    // PCI domain, bus and device
	};
	guard();
	int device = 0;
	driver<int *, int>("cuDeviceGet", &device, int(index));
	char name[256] = {};
	driver<char *, int, int>("cuDeviceGetName", name, int(sizeof name) - 1, device);
	unsigned char id[16] = {};
	driver<unsigned char *, int>("cuDeviceGetUuid_v2", id, device);
	size_t bytes = 0;
	driver<size_t *, int>("cuDeviceTotalMem_v2", &bytes, device);
	Writer w(rets, cap);
	w.put(THUB_LIST);
	w.put(3 + std::size(attributes));
	put_text(w, name);
	put_text(w, std::string(reinterpret_cast<char *>(id), sizeof id));
	put_int(w, int64_t(bytes));
	for (int a : attributes) {
		int v = 0;
		driver<int *, int, int>("cuDeviceGetAttribute", &v, a, device);
		put_int(w, v);
	}
	w.finish();
}

void cuda_peer(int32_t index, int32_t peer, int32_t *ret_can) {
	guard();
	int can = 0;
	driver<int *, int, int>("cudaDeviceCanAccessPeer", &can, int(index), int(peer));
	*ret_can = can;
}

void stream_new(int32_t index, int32_t priority, int64_t *ret_id) { *ret_id = guard().getNewStream(cuda(index), priority).id(); }

void stream_query(int32_t index, int64_t id, int32_t *ret_done) { *ret_done = guard().queryStream(stream(index, id)); }

void stream_synchronize(int32_t index, int64_t id) { guard().synchronizeStream(stream(index, id)); }

void stream_record_tensor(int32_t index, int64_t id, thub_tensor t) {
	Lent lent(t);
	TORCH_CHECK(lent.t.device().is_cuda(), "the tensor is on ", lent.t.device(), "; it must be on a CUDA device");
	lent.t.record_stream(stream(index, id));
}

void event_new(int32_t timing, thub_event *ret_event) {
	*ret_event = reinterpret_cast<thub_event>(new c10::Event(at::kCUDA, timing ? c10::EventFlag::BACKEND_DEFAULT : c10::EventFlag::PYTORCH_DEFAULT));
}

void event_record(thub_event e, int32_t index, int64_t id) {
	guard();
	event(e).record(stream(index, id));
}

void event_wait(thub_event e, int32_t index, int64_t id) { event(e).block(stream(index, id)); }

void event_query(thub_event e, int32_t *ret_done) { *ret_done = event(e).query(); }

void event_synchronize(thub_event e) { event(e).synchronize(); }

void event_elapsed(thub_event e, thub_event end, double *ret_ms) { *ret_ms = event(e).elapsedTime(event(end)); }

void event_free(thub_event e) { delete reinterpret_cast<c10::Event *>(e); }

void mps_available(int32_t *ret_available) { *ret_available = at::hasMPS(); }

void mps_synchronize() { mps().deviceSynchronize(); }

void mps_empty_cache() { mps().emptyCache(); }

void mps_memory(int64_t *ret_allocated, int64_t *ret_driver, int64_t *ret_recommended) {
	*ret_allocated = int64_t(mps().getCurrentAllocatedMemory());
	*ret_driver = int64_t(mps().getDriverAllocatedMemory());
	*ret_recommended = int64_t(mps().getRecommendedMaxMemory());
}

} // namespace torchhub
