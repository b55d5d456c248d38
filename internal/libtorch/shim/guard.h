// Checks that libtorch lacks: some public operators trust their arguments, and
// wrong ones make them read or write out of bounds, divide by zero or never
// return. Their arguments are checked here first.
#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/core/operator_name.h>

#include <string>
#include <vector>

namespace torchhub __attribute__((visibility("hidden"))) {

// A Guard throws if an operator's arguments are not safe.
using Args = const std::vector<c10::IValue> &;
using Guard = void (*)(Args);

// guard_of returns an operator's guard, or null.
Guard guard_of(const c10::OperatorName &name);

// guarded returns the operators that have a guard.
std::vector<std::string> guarded();

} // namespace torchhub
