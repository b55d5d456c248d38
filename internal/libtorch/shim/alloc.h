// The CPU allocator that the shim installs in libtorch: it counts live bytes
// and caches freed blocks.
#pragma once

#include <atomic>
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

// count_cuda counts the bytes of tensors on CUDA devices. It is in device.cpp.
void count_cuda();

// A sixteenth of the bytes that count_cuda counted last: there is more memory on a GPU,
// and the work of a collection is more in proportion to that of its ops.
extern std::atomic<int64_t> cuda_held;

} // namespace torchhub
