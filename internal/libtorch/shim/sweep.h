// Running a graph of autograd at less cost than libtorch's engine does.
#pragma once

#include <torch/csrc/autograd/edge.h>

namespace torchhub __attribute__((visibility("hidden"))) {

// sweep runs the graph of root, given the gradient of its output, without recording. It
// reports false, and does nothing, if libtorch's engine must run it.
bool sweep(const torch::autograd::Edge &root, const at::Tensor &grad, bool keep_graph);

} // namespace torchhub
