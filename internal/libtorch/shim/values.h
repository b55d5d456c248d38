// The conversion of tensors and values at the table: thub_tensor, and the words
// that shim.h describes.
#pragma once

#include "alloc.h"
#include "shim.hpp"
#include "state.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace torchhub __attribute__((visibility("hidden"))) {

using c10::IValue;

inline at::TensorImpl *impl(thub_tensor t) { return reinterpret_cast<at::TensorImpl *>(t); }

// borrow makes a tensor of a reference that the caller keeps.
inline at::Tensor borrow(thub_tensor t) {
	if (!t)
		return at::Tensor();
	return at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim_copy(impl(t)));
}

// Lent is a tensor of a reference that the caller keeps, for callees that take
// it by const reference; it avoids reference counting.
struct Lent {
	at::Tensor t;
	explicit Lent(thub_tensor h) {
		if (h)
			t = at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(impl(h)));
	}
	Lent(const Lent &) = delete;
	~Lent() { t.unsafeReleaseTensorImpl(); }
};

// give turns a tensor into a reference that the caller owns.
inline thub_tensor give(at::Tensor t) {
	if (!t.defined())
		return 0;
	return reinterpret_cast<thub_tensor>(t.unsafeReleaseTensorImpl());
}

inline double as_double(uint64_t w) { return std::bit_cast<double>(w); }
inline uint64_t as_word(double d) { return std::bit_cast<uint64_t>(d); }

struct Reader {
	const uint64_t *p, *end;
	uint64_t next() {
		if (p == end)
			throw std::runtime_error("arguments end too early");
		return *p++;
	}
	const uint64_t *many(uint64_t n) {
		if (n > uint64_t(end - p))
			throw std::runtime_error("arguments end too early");
		const uint64_t *q = p;
		p += n;
		return q;
	}
};

// read_value reads a value of an expected type, which may be null.
IValue read_value(Reader &r, const c10::Type *type, int depth = 0);

std::string read_string(Reader &r);

// kind_of returns the kind of a type, and of the element of an Optional.
c10::TypeKind kind_of(const c10::Type *type);

// note_cuda is called for each tensor on a CUDA device that Go gets, and calls count_cuda
// now and then. It is in device.cpp.
void note_cuda(const at::Tensor &t);

// pack_string puts the words of a string, by put: its length and its bytes.
template <class Put> void pack_string(const std::string &s, Put put) {
	put(s.size());
	for (size_t i = 0; i < s.size(); i += 8) {
		uint64_t w = 0;
		memcpy(&w, s.data() + i, std::min<size_t>(8, s.size() - i));
		put(w);
	}
}

// pack_plain puts the words of a value, by put, and reports whether it is one without tensors, containers and objects.
template <class Put> bool pack_plain(const IValue &v, Put put) {
	if (v.isNone()) {
		put(THUB_NONE);
	} else if (v.isBool()) {
		put(THUB_BOOL);
		put(v.toBool());
	} else if (v.isInt() || v.isSymInt()) {
		put(THUB_INT);
		put(uint64_t(v.toInt()));
	} else if (v.isDouble()) {
		put(THUB_DOUBLE);
		put(as_word(v.toDouble()));
	} else if (v.isComplexDouble()) {
		put(THUB_COMPLEX);
		put(as_word(v.toComplexDouble().real()));
		put(as_word(v.toComplexDouble().imag()));
	} else if (v.isString()) {
		put(THUB_STRING);
		pack_string(v.toStringRef(), put);
	} else if (v.isDevice()) {
		put(THUB_DEVICE);
		put(uint64_t(v.toDevice().type()));
		put(uint64_t(int64_t(v.toDevice().index())));
	} else {
		return false;
	}
	return true;
}

// Writer fills the caller's buffer, and moves to memory of its own when that is
// full.
class Writer {
public:
	Writer(uint64_t *rets, size_t cap) : head_(rets), buf_(rets + THUB_RETS_VALUES), cap_(cap - THUB_RETS_VALUES) {}
	bool returns() const { return cap_ > 0; } // whether the results are kept
	void put(uint64_t w) {
		if (n_ < cap_) {
			buf_[n_++] = w;
			return;
		}
		spill(w);
	}
	__attribute__((noinline)) void spill(uint64_t w) {
		if (big_.empty())
			big_.assign(buf_, buf_ + n_);
		big_.push_back(w);
		n_++;
	}
	void put_string(const std::string &s) {
		pack_string(s, [this](uint64_t w) { put(w); });
	}
	void put_tensor(at::Tensor t) {
		if (t.defined() && t.is_cuda())
			note_cuda(t);
		bool heavy = t.defined() && (!t.has_storage() || t.requires_grad() ||
		                             (t.is_cpu() && t.storage().data_ptr().get_deleter() != gives));
		int64_t weight = heavy ? THUB_HEAVY : t.defined() ? int64_t(t.storage().nbytes()) : 0;
		put(give(std::move(t)));
		put(uint64_t(weight));
	}
	void put_tensors(std::vector<at::Tensor> list) {
		put(THUB_LIST);
		put(list.size());
		for (at::Tensor &t : list) {
			put(THUB_TENSOR);
			put_tensor(std::move(t));
		}
	}
	// finish fills the head.
	void finish() {
		uint64_t *words = nullptr;
		if (!big_.empty()) {
			words = static_cast<uint64_t *>(malloc(n_ * 8));
			if (!words)
				throw std::bad_alloc();
			memcpy(words, big_.data(), n_ * 8);
		}
		head_[THUB_RETS_N] = n_;
		head_[THUB_RETS_WORDS] = reinterpret_cast<uint64_t>(words);
		head_[THUB_RETS_LIVE] = uint64_t(live_bytes() + cuda_held.load(std::memory_order_relaxed));
		head_[THUB_RETS_SCOPE] = scope();
	}

private:
	uint64_t *head_, *buf_;
	size_t cap_, n_ = 0;
	std::vector<uint64_t> big_;
};

void write_value(Writer &w, IValue &&v, int depth = 0);

void write_strings(const std::vector<std::string> &list, Writer &w);

// object and give_object turn objects of TorchScript into values and back; they are in script.cpp.
IValue object(thub_module m);
thub_module give_object(IValue &&v);

} // namespace torchhub
