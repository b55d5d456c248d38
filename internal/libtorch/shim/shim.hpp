// The functions of functions.def in C++: they throw exceptions, which table.cpp
// turns into errors.
#pragma once

#include "shim.h"

#include <type_traits>

// Hidden, so that calls between the shim's files are direct.
namespace torchhub __attribute__((visibility("hidden"))) {

// A Body is the C++ result of a function of the table: nothing if the C result is an error.
template <class R>
using Body = std::conditional_t<std::is_same_v<R, thub_error> || std::is_same_v<R, thub_result>, void, R>;

#define THUB_FUNCTION(result, name, parameters, arguments) Body<result> name parameters;
#include "functions.def"
#undef THUB_FUNCTION

// thrown returns the text of the exception that is being handled, as in thub_error.
char *thrown() noexcept;

// caught runs f and returns the text of the exception that it throws, or null.
template <class F> char *caught(F f) noexcept {
	try {
		f();
		return nullptr;
	} catch (...) {
		return thrown();
	}
}

} // namespace torchhub
