// What the other files need of tracing.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace torchhub __attribute__((visibility("hidden"))) {

// NotTraced keeps calls of operators that the shim makes for itself out of the graph.
struct NotTraced {
	NotTraced();
	c10::impl::ExcludeDispatchKeyGuard guard;
};

// reads_traced refuses to read values that depend on the inputs of the graph that this thread traces.
void reads_traced(const at::Tensor &t);

} // namespace torchhub
