// The CPU allocator that the shim installs in libtorch: it counts live bytes
// and caches freed blocks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace torchhub __attribute__((visibility("hidden"))) {

// install_allocator installs it; tensors made before keep theirs. With
// TORCHHUB_FENCE in the environment, it installs one for tests that detects
// kernels which exceed their tensors: it is slow, and uses two or more pages
// for each tensor.
void install_allocator();

// gives is the function that frees the memory of the allocator's tensors.
extern void (*gives)(void *);

// count_mapped adds n to the bytes of mapped files. A page that was read is in
// memory as part of the file, and one that was written as a copy.
void count_mapped(int64_t n);

} // namespace torchhub
