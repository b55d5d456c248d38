// The CPU allocator that the shim gives to libtorch: it counts, and it caches.
#pragma once

#include <cstddef>
#include <cstdint>

namespace torchhub __attribute__((visibility("hidden"))) {

// install_allocator makes it libtorch's; tensors made before keep theirs. With
// TORCHHUB_FENCE in the environment it is one that finds kernels which leave
// their tensors, for tests: slow, and two pages and more for each tensor.
void install_allocator();

// gives is what frees the memory of the allocator's tensors.
extern void (*gives)(void *);

// count_mapped adds n to the bytes of mapped files. A page that was read is in
// memory as part of the file, and one that was written as a copy.
void count_mapped(int64_t n);

} // namespace torchhub
