// The CPU allocator that the shim gives to libtorch: it counts, and it caches.
#pragma once

#include <cstddef>
#include <cstdint>

namespace torchhub {

// install_allocator makes it libtorch's; tensors made before keep theirs.
void install_allocator();

// live_bytes is what tensors hold now, cached blocks excluded.
int64_t live_bytes();

// trim gives the cached blocks back to the system.
void trim();

} // namespace torchhub
