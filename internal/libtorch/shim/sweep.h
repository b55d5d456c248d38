// Running a graph of autograd at less cost than libtorch's engine does.
#pragma once

#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/variable.h>

namespace torchhub __attribute__((visibility("hidden"))) {

// Nodes are counted by libtorch since 2.13, and by std::shared_ptr before.
#if __has_include(<torch/csrc/autograd/node.h>)
using NodePtr = c10::intrusive_ptr<torch::autograd::Node>;
template <class T> using NodePtrTo = c10::intrusive_ptr<T>;
template <class T, class... A> NodePtrTo<T> make_node(A &&...a) { return c10::make_intrusive<T>(std::forward<A>(a)...); }
#else
using NodePtr = std::shared_ptr<torch::autograd::Node>;
template <class T> using NodePtrTo = std::shared_ptr<T>;
template <class T, class... A> NodePtrTo<T> make_node(A &&...a) {
	return NodePtrTo<T>(new T(std::forward<A>(a)...), torch::autograd::deleteNode);
}
#endif

// make_sweep returns a node that runs the graph of root, given the gradient of its
// output, or null if libtorch's engine must run it.
NodePtr make_sweep(const torch::autograd::Edge &root, const at::Tensor &grad, bool keep_graph);

} // namespace torchhub
