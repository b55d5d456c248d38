// Tensors: making them from Go's memory, from the allocator's or from mapped files, and
// reading them.

#include "trace.h"
#include "values.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <iterator>
#include <map>
#include <mutex>

namespace torchhub __attribute__((visibility("hidden"))) {

void tensor_free(const uint64_t *tensors, size_t n) {
	for (size_t i = 0; i < n; i++)
		c10::raw::intrusive_ptr::decref(reinterpret_cast<at::TensorImpl *>(tensors[i]));
}

void tensor_new(const void *data, size_t nbytes, int32_t dtype, const int64_t *sizes, size_t ndim,
                thub_tensor *ret_tensor) {
	NotTraced constant;
	at::Tensor t = at::empty(at::IntArrayRef(sizes, ndim), at::TensorOptions().dtype(at::ScalarType(dtype)));
	TORCH_CHECK(t.nbytes() == nbytes, "a tensor of ", t.nbytes(), " bytes cannot be made of ", nbytes);
	if (nbytes)
		memcpy(t.data_ptr(), data, nbytes);
	*ret_tensor = give(std::move(t));
}

void tensor_share(void *data, int32_t dtype, const int64_t *sizes, size_t ndim, int32_t fd, uint64_t id,
                  thub_tensor *ret_tensor) {
	auto done = [fd, id](void *) {
		while (write(fd, &id, sizeof id) < 0 && errno == EINTR) {
		}
	};
	at::Tensor t = at::from_blob(data, at::IntArrayRef(sizes, ndim), done, at::TensorOptions().dtype(at::ScalarType(dtype)));
	*ret_tensor = give(std::move(t));
}

void tensor_data(thub_tensor t, void **ret_data) {
	Lent lent(t);
	const at::Tensor &x = lent.t;
	reads_traced(x);
	TORCH_CHECK(x.device().is_cpu() && x.layout() == at::kStrided && !x.is_nested() && x.is_contiguous() && !x.is_conj() && !x.is_neg(),
	            "only a dense, contiguous tensor on the CPU can be lent; call Contiguous first");
	*ret_data = x.data_ptr();
	TORCH_CHECK(*ret_data || x.numel() == 0, "the tensor has no memory that could be lent; call Clone first");
}

void tensor_read(thub_tensor t, void *dst, size_t nbytes) {
	c10::NoGradGuard no_grad;
	at::Tensor x = borrow(t);
	reads_traced(x);
	NotTraced below;
	TORCH_CHECK(!x.is_nested(), "the tensors in a nested tensor have sizes of their own; call aten.UnbindInt and read each");
	x = x.resolve_conj().resolve_neg();
	if (x._is_zerotensor())
		x = x.clone();
	if (!x.device().is_cpu())
		x = x.cpu();
	TORCH_CHECK(x.layout() == at::kStrided, "a tensor of the layout ", x.layout(), " cannot be read; call ToDense first");
	x = x.contiguous();
	TORCH_CHECK(x.nbytes() == nbytes, "a tensor of ", x.nbytes(), " bytes cannot be read into ", nbytes);
	const void *data = x.const_data_ptr();
	TORCH_CHECK(data || nbytes == 0, "the tensor has no memory that could be read");
	if (nbytes)
		memcpy(dst, data, nbytes);
}

void tensor_info(thub_tensor t, int64_t *info, size_t cap, size_t *ret_need) {
	Lent lent(t);
	const at::Tensor &x = lent.t;
	auto d = size_t(x.dim());
	*ret_need = THUB_INFO_SIZES + 2 * d;
	if (cap < *ret_need)
		return;
	std::fill(info, info + *ret_need, 0);
	info[THUB_INFO_DTYPE] = int64_t(x.scalar_type());
	info[THUB_INFO_DEVICE] = int64_t(x.device().type());
	info[THUB_INFO_INDEX] = x.device().index();
	info[THUB_INFO_NUMEL] = x.numel();
	info[THUB_INFO_ITEMSIZE] = int64_t(x.element_size());
	info[THUB_INFO_LAYOUT] = int64_t(x.layout());
	info[THUB_INFO_NDIM] = int64_t(d);
	info[THUB_INFO_FLAGS] = (x.requires_grad() ? THUB_FLAG_REQUIRES_GRAD : 0) | (x.is_inference() ? THUB_FLAG_INFERENCE : 0) |
	                        (x.is_nested() ? THUB_FLAG_NESTED : 0) | (x._is_zerotensor() ? THUB_FLAG_ZERO : 0);
	if (x.is_nested()) { // its component tensors have sizes of their own
		info[THUB_INFO_FLAGS] |= x.is_contiguous() ? THUB_FLAG_CONTIGUOUS : 0;
		return;
	}
	bool strided = x.layout() == at::kStrided;
	if (strided) {
		info[THUB_INFO_OFFSET] = x.storage_offset();
		info[THUB_INFO_FLAGS] |= x.is_contiguous() ? THUB_FLAG_CONTIGUOUS : 0;
	}
	at::IntArrayRef sizes = x.sizes(), strides = strided ? x.strides() : at::IntArrayRef();
	std::copy(sizes.begin(), sizes.end(), info + THUB_INFO_SIZES);
	std::copy(strides.begin(), strides.end(), info + THUB_INFO_SIZES + d);
}

// ---- mapped files

namespace {

struct Map {
	std::atomic<int64_t> refs{1};
	char *addr;
	size_t len;
	int fd; // open until map_close

	// Parts of the file that tensors use, from the first byte to behind the last. If some overlap, which no usual file has, their
	// memory is kept until the last tensor is freed: it may have been written to.
	std::mutex mu;
	std::map<size_t, size_t> parts;
	bool overlap = false;
	size_t dropped = 0; // bytes that are no longer in memory

	void use(size_t from, size_t to) {
		std::lock_guard<std::mutex> hold(mu);
		auto next = parts.lower_bound(from);
		overlap = overlap || (next != parts.end() && next->first < to) || (next != parts.begin() && std::prev(next)->second > from);
		if (from < to)
			parts.emplace(from, to);
	}

	// drop gives the memory of a part back to the system, but for pages that it shares with others.
	void drop(size_t from, size_t to) {
		std::lock_guard<std::mutex> hold(mu);
		if (overlap || from == to)
			return;
		parts.erase(from);
		size_t page = size_t(sysconf(_SC_PAGESIZE));
		from = (from + page - 1) / page * page, to = to / page * page;
		if (from >= to || madvise(addr + from, to - from, MADV_DONTNEED) != 0)
			return;
		dropped += to - from;
		count_mapped(-int64_t(to - from));
	}
};

// Reading into new memory costs half as much as copying from the mapping, whose
// pages would have to be faulted in first.
bool read_at(int fd, char *to, size_t n, off_t offset) {
	while (n > 0) {
		ssize_t got = pread(fd, to, std::min(n, size_t(1) << 30), offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got, n -= size_t(got), offset += got;
	}
	return true;
}

void unref(Map *m) {
	if (m->refs.fetch_sub(1) == 1) {
		munmap(m->addr, m->len);
		count_mapped(-int64_t(m->len - m->dropped));
		delete m;
	}
}

} // namespace

void map_open(const char *path, thub_map *ret_map, void **ret_addr, size_t *ret_len) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		throw std::runtime_error(strerror(errno));
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		throw std::runtime_error("not a regular file");
	}
	if (st.st_size == 0) {
		close(fd);
		throw std::runtime_error("the file is empty");
	}
	// Private and writable: in-place ops on such tensors change memory, never the file.
	void *p = mmap(nullptr, size_t(st.st_size), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		int e = errno;
		close(fd);
		throw std::runtime_error(strerror(e));
	}
	Map *m = new Map;
	m->fd = fd;
	m->addr = static_cast<char *>(p);
	m->len = size_t(st.st_size);
	count_mapped(int64_t(m->len));
	*ret_map = reinterpret_cast<thub_map>(m);
	*ret_addr = p;
	*ret_len = m->len;
}

void map_close(thub_map map) {
	Map *m = reinterpret_cast<Map *>(map);
	close(m->fd);
	unref(m);
}

void map_tensor(thub_map map, size_t offset, size_t nbytes, int32_t dtype, int64_t numel, thub_tensor *ret_tensor) {
	NotTraced constant;
	Map *m = reinterpret_cast<Map *>(map);
	auto options = at::TensorOptions().dtype(at::ScalarType(dtype));
	size_t item = c10::elementSize(at::ScalarType(dtype));
	TORCH_CHECK(numel >= 0 && size_t(numel) <= SIZE_MAX / item && size_t(numel) * item == nbytes &&
	                offset <= m->len && nbytes <= m->len - offset,
	            "a storage of ", numel, " elements at ", offset, " does not lie in the file");
	char *p = m->addr + offset;
	if (reinterpret_cast<uintptr_t>(p) % item != 0) {
		// Kernels may assume aligned elements.
		at::Tensor t = at::empty({numel}, options);
		TORCH_CHECK(read_at(m->fd, static_cast<char *>(t.data_ptr()), nbytes, off_t(offset)),
		            "the file could not be read: ", strerror(errno));
		*ret_tensor = give(std::move(t));
		return;
	}
	m->refs.fetch_add(1);
	m->use(offset, offset + nbytes);
	auto free = [m, offset, nbytes](void *) {
		m->drop(offset, offset + nbytes);
		unref(m);
	};
	at::Tensor t = at::from_blob(p, {numel}, free, options);
	*ret_tensor = give(std::move(t));
}

} // namespace torchhub
