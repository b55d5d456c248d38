// The state of the process and of its threads.
#pragma once

#include "shim.h"

#include <atomic>
#include <cstdint>

namespace torchhub __attribute__((visibility("hidden"))) {

// prepare makes libtorch's settings for the process.
void prepare();

extern std::atomic<int64_t> threads_in_scope;
uint64_t thread_scope();

// scope returns the calling thread's scope, see thub_state. Access to a
// thread-local variable costs a call, and few threads are in a scope.
inline uint64_t scope() { return threads_in_scope.load(std::memory_order_relaxed) ? thread_scope() : 0; }

// set_autocast makes libtorch's settings of autocast those of a state, where they
// differ from those of another one. It is in autocast.cpp.
void set_autocast(const thub_state &to, const thub_state &from);

} // namespace torchhub
