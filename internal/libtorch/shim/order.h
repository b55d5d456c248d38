// The order of autograd's nodes.
#pragma once

#include <ATen/SequenceNumber.h>

#include <atomic>
#include <cstdint>

namespace torchhub __attribute__((visibility("hidden"))) {

// The engine runs the node with the highest sequence number first. libtorch counts
// them for each thread, so a goroutine that changes its thread between two operators
// would number its nodes in another order, and gradients would be summed in another
// order. InOrder carries the count over: a thread that is behind catches up first, one
// number at a time since libtorch has no other way.
class InOrder {
public:
	InOrder() {
		for (before_ = at::sequence_number::peek(); before_ < last.load(std::memory_order_relaxed); before_++)
			at::sequence_number::get_and_increment();
	}
	InOrder(const InOrder &) = delete;
	~InOrder() {
		uint64_t n = at::sequence_number::peek();
		uint64_t seen = before_;
		while (seen < n && !last.compare_exchange_weak(seen, n, std::memory_order_relaxed))
			;
	}

private:
	static inline std::atomic<uint64_t> last{0};
	uint64_t before_;
};

} // namespace torchhub
