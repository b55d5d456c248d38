// The shim: a table of C functions over libtorch. It is compiled on the user's
// machine against the headers of the libtorch found there.

#include "shim.hpp"

#include "alloc.h"
#include "autograd.h"
#include "state.h"

#include <c10/util/Exception.h>
#include <torch/version.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>

namespace torchhub {
namespace {

// error_text returns the text of an error of a kind. It does not throw.
char *error_text(char kind, const char *msg) noexcept {
	size_t n = strlen(msg);
	auto *p = static_cast<char *>(malloc(n + 2));
	if (p) {
		p[0] = kind;
		memcpy(p + 1, msg, n + 1);
	}
	return p;
}

// Entry makes a function of the table from its body, which may throw; call
// catches all exceptions. It then returns the error if the result is a
// thub_error or a thub_result, and otherwise zero.
template <class Type, auto body> struct Entry;
template <class R, class... A, auto body> struct Entry<R (*)(A...), body> {
	static R call(A... a) noexcept {
		if constexpr (std::is_same_v<R, thub_result>) {
			char *err = caught([&] { body(a...); });
			return {.err = err, .live = live_bytes() + cuda_held.load(std::memory_order_relaxed), .scope = scope()};
		} else if constexpr (std::is_same_v<R, thub_error>) {
			return {.err = caught([&] { body(a...); })};
		} else if constexpr (std::is_void_v<R>) {
			free(caught([&] { body(a...); })); // dropped, as in a destructor: the caller could not handle it
		} else {
			R r{};
			free(caught([&] { r = body(a...); }));
			return r;
		}
	}
};

const thub_table table = {
    .abi = THUB_ABI,
    .version = TORCH_VERSION,
#define THUB_FUNCTION(result, name, parameters, arguments) .name = &Entry<decltype(thub_table::name), &name>::call,
#include "functions.def"
#undef THUB_FUNCTION
};

} // namespace

char *thrown() noexcept {
	try {
		throw;
	} catch (const CallbackError &e) {
		return error_text(THUB_ERR_CALLBACK, std::to_string(e.failure).c_str());
	} catch (const c10::OutOfMemoryError &e) {
		return error_text(THUB_ERR_MEMORY, e.what_without_backtrace());
	} catch (const c10::IndexError &e) {
		return error_text(THUB_ERR_INDEX, e.what_without_backtrace());
	} catch (const c10::NotImplementedError &e) {
		return error_text(THUB_ERR_NOT_IMPLEMENTED, e.what_without_backtrace());
	} catch (const c10::Error &e) {
		return error_text(THUB_ERR_OTHER, e.what_without_backtrace());
	} catch (const std::bad_alloc &) {
		return error_text(THUB_ERR_MEMORY, "out of memory");
	} catch (const std::exception &e) {
		return error_text(THUB_ERR_OTHER, e.what());
	} catch (...) {
		return error_text(THUB_ERR_OTHER, "unknown C++ exception");
	}
}

} // namespace torchhub

extern "C" __attribute__((visibility("default"))) const thub_table *torchhub_table() {
	static bool once = [] {
		torchhub::install_allocator();
		torchhub::prepare();
		return true;
	}();
	(void)once;
	return &torchhub::table;
}
