#include "alloc.h"
#include "shim.hpp"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

namespace torchhub __attribute__((visibility("hidden"))) {
namespace {

constexpr size_t kAlign = 64;           // as in c10's own allocator: a cache line, a vector
constexpr size_t kMapFrom = 64 << 10;   // larger blocks are mapped and cached; others come from malloc
constexpr size_t kHuge = 4 << 20;       // from this size on, huge pages are requested
constexpr int64_t kCacheMin = 128 << 20; // bytes that may be cached, plus a quarter of the live bytes

std::atomic<int64_t> live{0};   // without the bytes that Small counts
std::atomic<int64_t> mapped{0}; // of files

// A Header precedes the data of every block.
struct Header {
	void *base;   // what malloc or mmap returned
	size_t bytes; // of the block, the header included
	size_t asked; // bytes that the tensor requested
	Header *next; // in Small
};
static_assert(sizeof(Header) <= kAlign);

// Sizes of mapped blocks: eight steps to a doubling, so at most an eighth is lost.
struct Class {
	size_t index, bytes;
};

Class class_of(size_t bytes) {
	int top = std::bit_width(bytes - 1); // bytes <= 1 << top
	size_t step = size_t(1) << (top - 4);
	size_t steps = (bytes + step - 1) / step; // 9 to 16
	return {size_t(top) * 8 + (steps - 9), steps * step};
}

class Cache {
public:
	void *take(Class c) {
		std::lock_guard<std::mutex> hold(mu_);
		wanted_[c.index] = ++clock_;
		auto &l = lists_[c.index];
		if (l.empty())
			return nullptr;
		void *p = l.back();
		l.pop_back();
		bytes_ -= int64_t(c.bytes);
		return p;
	}

	// put caches a block, or returns false if the cache is full of blocks that may be needed soon.
	bool put(Class c, void *p) {
		std::lock_guard<std::mutex> hold(mu_);
		clock_++;
		int64_t room = kCacheMin + live.load(std::memory_order_relaxed) / 4 - int64_t(c.bytes);
		while (bytes_ > room)
			if (room < 0 || !evict())
				return false;
		lists_[c.index].push_back(p);
		bytes_ += int64_t(c.bytes);
		return true;
	}

	void trim() {
		std::lock_guard<std::mutex> hold(mu_);
		for (size_t i = kFirst; i < lists_.size(); i++) {
			for (void *p : lists_[i])
				munmap(p, bytes_of(i));
			lists_[i].clear();
		}
		bytes_ = 0;
	}

private:
	static constexpr size_t kFirst = 4 * 8; // smaller classes are empty
	static size_t bytes_of(size_t i) { return (i % 8 + 9) << (i / 8 - 4); }

	// evict unmaps a block of the size that was not asked for the longest, such as the weights of a
	// model that was closed. Sizes that were among the last kRecent are kept: a program that needs
	// more than the cache holds would else lose each block just before it asks for it.
	bool evict() {
		size_t oldest = 0;
		for (size_t i = kFirst; i < lists_.size(); i++)
			if (!lists_[i].empty() && (oldest == 0 || wanted_[i] < wanted_[oldest]))
				oldest = i;
		if (oldest == 0 || wanted_[oldest] + kRecent > clock_)
			return false;
		munmap(lists_[oldest].back(), bytes_of(oldest));
		lists_[oldest].pop_back();
		bytes_ -= int64_t(bytes_of(oldest));
		return true;
	}

	static constexpr uint64_t kRecent = 2048; // blocks taken and put
	std::mutex mu_;
	std::array<std::vector<void *>, 64 * 8 + 8> lists_;
	std::array<uint64_t, 64 * 8 + 8> wanted_{}; // when a block of the size was last asked for
	uint64_t clock_ = 0;
	int64_t bytes_ = 0;
};

// Small keeps freed small blocks for reuse, up to 1 MiB of each size. malloc
// keeps seven of a size and coalesces the others, at several times the cost.
// While another thread holds the lock, malloc and free are called instead.
class Small {
public:
	static constexpr size_t kClasses = 16, kKept = 1 << 20;
	static size_t index(size_t bytes) { return (bytes - 1) / kAlign; }

	// take returns a block for a tensor of the given number of bytes, or null.
	Header *take(size_t i, size_t asked) {
		Header *h = nullptr;
		if (i < kClasses && !busy_.test_and_set(std::memory_order_acquire)) {
			if ((h = kept_[i])) {
				kept_[i] = h->next;
				n_[i]--;
				h->asked = asked;
				count(int64_t(asked));
			}
			busy_.clear(std::memory_order_release);
		}
		return h;
	}

	bool put(Header *h) {
		size_t i = index(h->bytes);
		bool room = false;
		if (i < kClasses && !busy_.test_and_set(std::memory_order_acquire)) {
			if ((room = n_[i] < kKept / ((i + 1) * kAlign))) {
				h->next = kept_[i];
				kept_[i] = h;
				n_[i]++;
				count(-int64_t(h->asked));
			}
			busy_.clear(std::memory_order_release);
		}
		return room;
	}

	int64_t live() const { return live_.load(std::memory_order_relaxed); }

	void trim() {
		for (size_t i = 0; i < kClasses; i++)
			while (Header *h = take(i, 0))
				free(h->base);
	}

private:
	// The lock is held, so this needs no locked addition; readers have none.
	void count(int64_t n) { live_.store(live_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }

	std::atomic_flag busy_;
	std::atomic<int64_t> live_{0}; // requested bytes of blocks taken, minus those of blocks put
	size_t n_[kClasses] = {};
	Header *kept_[kClasses] = {};
};

Small small;

Cache &cache() {
	static Cache *c = new Cache; // never destroyed: tensors may outlive static destructors
	return *c;
}

[[noreturn]] void out_of_memory(size_t n) {
	C10_THROW_ERROR(OutOfMemoryError, "out of memory: a tensor asked for " + std::to_string(n) + " bytes");
}

void *map_block(size_t bytes) {
	void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return nullptr;
#ifdef MADV_HUGEPAGE
	if (bytes >= kHuge)
		madvise(p, bytes, MADV_HUGEPAGE);
#endif
	return p;
}

void *allocate_bytes(size_t n) {
	if (n == 0)
		return nullptr;
	if (n > SIZE_MAX / 4)
		out_of_memory(n);
	size_t bytes = n + 2 * kAlign;
	char *base;
	if (bytes <= kMapFrom) {
		bytes = (bytes + kAlign - 1) & ~(kAlign - 1);
		if (Header *h = small.take(Small::index(bytes), n))
			return reinterpret_cast<char *>(h) + kAlign;
		base = static_cast<char *>(malloc(bytes));
	} else {
		Class c = class_of(bytes);
		bytes = c.bytes;
		base = static_cast<char *>(cache().take(c));
		if (!base)
			base = static_cast<char *>(map_block(bytes));
		if (!base) { // retry after freeing the cached blocks
			cache().trim();
			base = static_cast<char *>(map_block(bytes));
		}
	}
	if (!base)
		out_of_memory(n);
	char *data = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(base) + 2 * kAlign - 1) & ~(kAlign - 1));
	*reinterpret_cast<Header *>(data - kAlign) = {base, bytes, n, nullptr};
	live.fetch_add(int64_t(n), std::memory_order_relaxed);
	return data;
}

void release(void *data) {
	if (!data)
		return;
	auto *h = reinterpret_cast<Header *>(static_cast<char *>(data) - kAlign);
	if (h->bytes <= kMapFrom && small.put(h))
		return;
	live.fetch_sub(int64_t(h->asked), std::memory_order_relaxed);
	size_t bytes = h->bytes;
	void *base = h->base;
	if (bytes <= kMapFrom)
		free(base);
	else if (!cache().put(class_of(bytes), base))
		munmap(base, bytes);
}

// A fenced block ends at an inaccessible page, and is unmapped when it is freed: a
// kernel that reads or writes beyond a tensor, or after it is freed, crashes at once.
const size_t kPage = size_t(sysconf(_SC_PAGESIZE));

void *fenced(size_t n) {
	if (n == 0)
		return nullptr;
	if (n > SIZE_MAX / 4)
		out_of_memory(n);
	size_t room = (n + kAlign - 1) & ~(kAlign - 1), pages = (room + kPage - 1) / kPage * kPage;
	char *base = static_cast<char *>(map_block(kPage + pages + kPage)); // the header's page, the data, the fence
	if (!base)
		out_of_memory(n);
	*reinterpret_cast<Header *>(base) = {base, kPage + pages + kPage, n, nullptr};
	mprotect(base + kPage + pages, kPage, PROT_NONE);
	live.fetch_add(int64_t(n), std::memory_order_relaxed);
	return base + kPage + pages - room;
}

void release_fenced(void *data) {
	if (!data)
		return;
	Header h = *reinterpret_cast<Header *>((reinterpret_cast<uintptr_t>(data) & ~(kPage - 1)) - kPage);
	live.fetch_sub(int64_t(h.asked), std::memory_order_relaxed);
	munmap(h.base, h.bytes);
}

struct Allocator final : at::Allocator {
	void *(*take)(size_t);
	void (*give)(void *);
	Allocator(void *(*t)(size_t), void (*g)(void *)) : take(t), give(g) {}
	at::DataPtr allocate(size_t n) override {
		void *p = take(n);
		return {p, p, give, at::Device(at::DeviceType::CPU)};
	}
	at::DeleterFnPtr raw_deleter() const override { return give; }
	void copy_data(void *dst, const void *src, size_t n) const override { std::memcpy(dst, src, n); }
};

} // namespace

void (*gives)(void *);

void install_allocator() {
	static Allocator *a = getenv("TORCHHUB_FENCE") ? new Allocator(&fenced, &release_fenced) : new Allocator(&allocate_bytes, &release);
	gives = a->give;
	c10::SetCPUAllocator(a, 100);
}

int64_t live_bytes() { return live.load(std::memory_order_relaxed) + small.live() + mapped.load(std::memory_order_relaxed); }

int64_t held_bytes() {
	count_cuda();
	return live_bytes() + cuda_held.load(std::memory_order_relaxed);
}

void count_mapped(int64_t n) { mapped.fetch_add(n, std::memory_order_relaxed); }

void trim() {
	small.trim();
	cache().trim();
}

} // namespace torchhub
