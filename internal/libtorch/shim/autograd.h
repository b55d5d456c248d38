// What the other parts of the shim need to know of autograd.
#pragma once

#include <cstdint>
#include <exception>

namespace torchhub __attribute__((visibility("hidden"))) {

// prepare_autograd installs the engine, before its first use.
void prepare_autograd();

// thread_hooks returns the calling thread's hooks of saved tensors, see thub_state.
uint64_t thread_hooks();

// CallbackError is the failure of a callback, of which Go has kept the reason.
struct CallbackError : std::exception {
	uint64_t failure;
	explicit CallbackError(uint64_t f) : failure(f) {}
	const char *what() const noexcept override;
};

} // namespace torchhub
