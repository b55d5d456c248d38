// CUDA graphs. at::cuda::CUDAGraph is declared in a header that needs those of CUDA,
// so its functions are found by their names, which are the same in 2.11 to 2.15, and
// its objects are made in room that is large enough.

#include "shim.hpp"

#include <ATen/Context.h>
#include <c10/util/Exception.h>

#include <dlfcn.h>

#include <memory>
#include <utility>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

using Pool = std::pair<unsigned long long, unsigned long long>; // c10::MempoolId_t; zeros for one of its own

// method returns a member function of the class, whose first parameter is the object.
template <class... P> auto method(const char *mangled) {
	void *f = dlsym(RTLD_DEFAULT, mangled);
	TORCH_CHECK(f, "this libtorch has no CUDA graphs");
	return reinterpret_cast<void (*)(void *, P...)>(f);
}

struct Graph {
	alignas(64) unsigned char object[4096]; // it has 104 bytes in 2.11 and 448 in 2.15
	void (*destroy)(void *);
	Graph() : destroy(method<>("_ZN2at4cuda9CUDAGraphD1Ev")) {
		auto construct = method<bool>("_ZN2at4cuda9CUDAGraphC1Eb");
		at::globalContext().lazyInitDevice(at::kCUDA);
		construct(object, false); // the captured graph is not kept beside the executable one
	}
	Graph(const Graph &) = delete;
	~Graph() { destroy(object); }
};

void *object(thub_graph g) { return reinterpret_cast<Graph *>(g)->object; }

} // namespace

void graph_new(thub_graph *ret_graph) { *ret_graph = reinterpret_cast<thub_graph>(new Graph); }

void graph_begin(thub_graph g, int32_t mode) {
	method<Pool, int>("_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode")(object(g), Pool(), mode);
}

void graph_end(thub_graph g) { method<>("_ZN2at4cuda9CUDAGraph11capture_endEv")(object(g)); }

void graph_replay(thub_graph g) { method<>("_ZN2at4cuda9CUDAGraph6replayEv")(object(g)); }

void graph_reset(thub_graph g) { method<>("_ZN2at4cuda9CUDAGraph5resetEv")(object(g)); }

void graph_free(thub_graph g) { delete reinterpret_cast<Graph *>(g); }

} // namespace torchhub
