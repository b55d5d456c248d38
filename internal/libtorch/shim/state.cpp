// State of the calling thread and of the process.

#include "state.h"
#include "autograd.h"
#include "shim.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/AutogradState.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <dlfcn.h>

#include <cstring>

// OpenMP's own setting for each thread; at::set_num_threads would also start
// pools that are not used here. The symbol is weak, for a libtorch built
// without OpenMP.
extern "C" void omp_set_num_threads(int) __attribute__((weak));

namespace torchhub __attribute__((visibility("hidden"))) {

std::atomic<int64_t> threads_in_scope{0};

namespace {

// The state of a thread, without grad and inference, which libtorch stores.
constexpr int32_t bf16 = 2 * int32_t(at::kBFloat16), f16 = 2 * int32_t(at::kHalf);
thread_local thub_state thread{.grad = 0, .inference = 0, .device = 0 /* CPU */, .index = -1, .scope = 0, .hooks = 0, .dual = 0, .locks = 0,
                               .autocast = {bf16, f16, f16}, .autocast_cache = 1, .autocast_depth = 0, .cuda_device = 0, .streams = {}};

// Whether autocast is on is read from libtorch, which copies it to threads of its own.
constexpr c10::DispatchKey autocast_keys[THUB_AUTOCAST_DEVICES] = {c10::DispatchKey::AutocastCPU, c10::DispatchKey::AutocastCUDA,
                                                                   c10::DispatchKey::AutocastMPS};

// set_inference does what the constructor of c10::InferenceMode does, whose
// destructor would have to run on the same thread.
void set_inference(bool on) {
	auto keys = c10::impl::tls_local_dispatch_key_set();
	constexpr auto view = c10::DispatchKey::ADInplaceOrView;
	auto included = on ? keys.included_.remove(view) : keys.included_.add(view);
	auto excluded = on ? keys.excluded_ | c10::autograd_dispatch_keyset : keys.excluded_ - c10::autograd_dispatch_keyset;
	c10::AutogradState::set_tls_state(c10::AutogradState(!on, on, !on, !on));
	c10::impl::PODLocalDispatchKeySet pod{};
	pod.set_included(included);
	pod.set_excluded(excluded);
	c10::impl::_force_tls_local_dispatch_key_set(pod);
}

// set_cuda makes the current device and the current streams those of a state.
void set_cuda(const thub_state &to) {
	if (to.cuda_device != thread.cuda_device)
		c10::impl::VirtualGuardImpl(at::kCUDA).setDevice(at::Device(at::kCUDA, c10::DeviceIndex(to.cuda_device)));
	for (int i = 0; i < THUB_CUDA_DEVICES; i++) {
		if (to.streams[i] != thread.streams[i])
			c10::impl::VirtualGuardImpl(at::kCUDA).exchangeStream(
			    c10::Stream(c10::Stream::UNSAFE, at::Device(at::kCUDA, c10::DeviceIndex(i)), to.streams[i]));
	}
}

} // namespace

void prepare() {
	prepare_autograd();
	at::globalContext().setCheckSparseTensorInvariants(true); // indices out of range crash the operators that use them
}

uint64_t thread_scope() { return thread.scope; }

uint64_t thread_hooks() { return thread.hooks; }

void get_state(thub_state *ret_state) {
	*ret_state = thread;
	ret_state->grad = c10::GradMode::is_enabled();
	ret_state->inference = c10::InferenceMode::is_enabled();
	auto excluded = c10::impl::tls_local_dispatch_key_set().excluded_;
	for (int i = 0; i < THUB_AUTOCAST_DEVICES; i++)
		ret_state->autocast[i] = (ret_state->autocast[i] & ~1) | !excluded.has(autocast_keys[i]);
}

void set_state(const thub_state *state) {
	if ((state->inference != 0) != c10::InferenceMode::is_enabled())
		set_inference(state->inference != 0);
	c10::GradMode::set_enabled(state->grad != 0);
	thub_state was;
	get_state(&was);
	set_autocast(*state, was);
	set_cuda(*state);
	threads_in_scope.fetch_add(int64_t(state->scope != 0) - int64_t(thread.scope != 0));
	thread = *state;
}

void set_thread_width(int32_t n) {
	at::get_num_threads(); // the first call on a thread sets the width, so it comes first
	if (omp_set_num_threads)
		omp_set_num_threads(n);
	else
		at::set_num_threads(n);
}

int32_t get_thread_width() { return at::get_num_threads(); }

char *load_cuda(const char *path) {
	// Searching for the driver is fast; loading libtorch_cuda without one is
	// slow.
	if (!dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL))
		return strdup(dlerror());
	if (!dlopen(path, RTLD_NOW | RTLD_GLOBAL))
		return strdup(dlerror());
	return nullptr;
}

char *cpu_capability() { return strdup(at::get_cpu_capability().c_str()); }

} // namespace torchhub
