// The CPU allocator that the shim gives to libtorch: it counts, and it caches.
#pragma once

#include <cstddef>
#include <cstdint>

namespace torchhub {

// install_allocator makes it libtorch's; tensors made before keep theirs. With
// TORCHHUB_FENCE in the environment it is one that finds kernels which leave
// their tensors, for tests: slow, and two pages and more for each tensor.
void install_allocator();

// gives is what frees the memory of the allocator's tensors.
extern void (*gives)(void *);

// live_bytes is what tensors hold now, cached blocks excluded.
int64_t live_bytes();

// trim gives the cached blocks back to the system.
void trim();

} // namespace torchhub
