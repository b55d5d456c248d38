// Running a graph of autograd at less cost than libtorch's engine does.

#include "sweep.h"

#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/csrc/autograd/input_buffer.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace ag = torch::autograd;
using ag::variable_list;

namespace {

// libtorch's engine saves and sets all modes of the thread for each node, and passes nodes
// between threads. A Sweep is one node to that engine, which runs a whole graph of nodes on
// the CPU on the engine's thread, and in the modes that the engine set for it. The order of
// the nodes, the sums of gradients, hooks, and errors are those of the engine.
struct Sweep : ag::Node {
	// A Task is a node all of whose gradients are there.
	struct Task {
		NodePtr node;
		variable_list grads;
		bool operator<(const Task &t) const { return node->sequence_nr() < t.node->sequence_nr(); }
	};
	// Pending is a node that waits for gradients.
	struct Pending {
		int missing = 0;
		variable_list grads;
	};

	const ag::Edge root;
	const bool keep;
	std::unordered_map<ag::Node *, Pending> pending;
	std::vector<Task> ready; // a heap, in which libtorch's engine too keeps its tasks

	Sweep(const ag::Edge &e, const at::Tensor &grad, bool keep_graph) : Node(UINT64_MAX), root(e), keep(keep_graph) { add_input_metadata(grad); }

	// plan counts the gradients that each node gets. It reports whether all nodes are on the CPU.
	bool plan() {
		std::vector<ag::Node *> todo{root.function.get()};
		while (!todo.empty()) {
			ag::Node *n = todo.back();
			todo.pop_back();
			if (!n->device().is_cpu())
				return false;
			for (const ag::Edge &e : n->next_edges())
				if (e.is_valid() && pending[e.function.get()].missing++ == 0)
					todo.push_back(e.function.get());
		}
		return true;
	}

	variable_list apply(variable_list &&grads) override {
		variable_list in(root.function->num_inputs());
		in[root.input_nr] = std::move(grads[0]);
		ready.push_back({root.function, std::move(in)});
		while (!ready.empty()) {
			std::pop_heap(ready.begin(), ready.end());
			Task t = std::move(ready.back());
			ready.pop_back();
			pass(*t.node, evaluate(*t.node, std::move(t.grads)));
		}
		return {};
	}

	// evaluate calls a node, with its hooks.
	variable_list evaluate(ag::Node &n, variable_list &&grads) const {
		variable_list in = std::move(grads);
		for (const auto &hook : n.tensor_pre_hooks())
			in = (*hook)(in);
		for (const auto &[i, hook] : n.retains_grad_hooks())
			in = (*hook)(in);
		for (const auto &hook : n.pre_hooks())
			in = (*hook)(in);
		if (!keep)
			n.will_release_variables();
		variable_list given;
		if (!n.post_hooks().empty())
			given = in;
		variable_list out = n(std::move(in));
		ag::validate_outputs(n.next_edges(), out, [&](const std::string &what) { return "Function " + n.name() + " returned an " + what; });
		for (const auto &hook : n.post_hooks())
			out = (*hook)(out, given);
		if (!keep)
			n.release_variables();
		return out;
	}

	// pass gives the gradients that a node returned to the next nodes.
	void pass(const ag::Node &from, variable_list &&grads) {
		for (size_t i = 0; i < grads.size(); i++) {
			const ag::Edge &e = from.next_edge(i);
			if (!e.is_valid())
				continue;
			auto at = pending.find(e.function.get());
			TORCH_CHECK(at != pending.end(), "dependency not found for ", e.function->name());
			variable_list &in = at->second.grads;
			in.resize(e.function->num_inputs());
			if (!in[e.input_nr].defined()) {
				in[e.input_nr] = std::move(grads[i]);
			} else {
				ag::InputBuffer sum(std::move(in));
				sum.add(e.input_nr, std::move(grads[i]), std::nullopt, std::nullopt, e.function.get());
				in = std::move(sum.buffer);
			}
			if (--at->second.missing == 0) {
				ready.push_back({e.function, std::move(in)});
				std::push_heap(ready.begin(), ready.end());
				pending.erase(at);
			}
		}
	}
};

} // namespace

NodePtr make_sweep(const ag::Edge &root, const at::Tensor &grad, bool keep_graph) {
	if (!grad.defined() || ag::AnomalyMode::is_enabled()) // which needs the engine to know the node
		return nullptr;
	auto sweep = make_node<Sweep>(root, grad, keep_graph);
	return sweep->plan() ? NodePtr(std::move(sweep)) : nullptr;
}

} // namespace torchhub
