// Running a graph of autograd at less cost than libtorch's engine does.

#include "sweep.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <c10/core/GradMode.h>
#include <c10/util/flat_hash_map.h>
#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/csrc/autograd/forward_grad.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/graph_task.h>
#include <torch/csrc/autograd/input_buffer.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <string_view>
#include <typeinfo>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace ag = torch::autograd;
using ag::variable_list;

namespace {

// plain reports whether a node only evaluates a formula of libtorch's, whose operators need
// no autograd as nothing is recorded. The formulas of linear algebra call matmul, which
// multiplies in another way where a view has no base that requires a gradient.
bool plain(const ag::Node &n) {
	static thread_local ska::flat_hash_map<const char *, bool> known;
	const char *name = typeid(n).name();
	auto [at, added] = known.emplace(name, false);
	if (added) {
		std::string_view s(name);
		auto has = [&](std::string_view part) { return s.find(part) != s.npos; };
		at->second = s.starts_with("N5torch8autograd9generated") && !has("inalg") && !has("holesky") && !has("riangular") && !has("Lu") &&
		             !has("rmqr") && !has("eqrf") && !has("Matrix");
	}
	return at->second;
}

// dense reports whether the gradients that are defined are dense, without more to them.
bool dense(const variable_list &grads) {
	return std::all_of(grads.begin(), grads.end(), [](const at::Tensor &t) {
		return !t.defined() || (t.layout() == at::kStrided && !t.is_nested() && !t.unsafeGetTensorImpl()->key_set().has_any(c10::functorch_batched_ks));
	});
}

// mutex is that of nodes which accumulate gradients.
struct Locked : ag::Node {
	static std::mutex ag::Node::*mutex() { return &Locked::mutex_; }
};

// store makes a gradient that nothing else refers to that of a leaf without one, as
// AccumulateGrad does by way of a view. It reports false, and does nothing, in other cases.
bool store(ag::AccumulateGrad &n, at::Tensor &grad) {
	const at::Tensor &x = n.variable;
	if (!grad.defined() || grad.use_count() != 1 || grad.unsafeGetTensorImpl()->autograd_meta() || grad.layout() != at::kStrided ||
	    x.layout() != at::kStrided || !x.is_non_overlapping_and_dense() || grad.sizes() != x.sizes() || grad.strides() != x.strides() ||
	    n.tensor_post_acc_grad_hooks())
		return false;
	std::lock_guard<std::mutex> hold(n.*Locked::mutex());
	if (x.grad().defined())
		return false;
	x.mutable_grad() = std::move(grad);
	return true;
}

// A Sweep runs a graph of nodes on the CPU. The order of the nodes, the sums of gradients,
// hooks, and errors are those of libtorch's engine. The graph must outlive it.
class Sweep {
public:
	// below says whether formulas may call operators without autograd.
	Sweep(bool keep_graph, bool below) : keep_(keep_graph), below_(below) {}

	// plan numbers the nodes and counts the gradients that each gets. It reports whether
	// all are on the CPU.
	bool plan(ag::Node *root) {
		ska::flat_hash_map<ag::Node *, uint32_t> numbers;
		numbers.reserve(kSmall);
		steps_.reserve(kSmall);
		next_.reserve(2 * kSmall);
		numbers.emplace(root, 0);
		steps_.emplace_back(root);
		for (size_t i = 0; i < steps_.size(); i++) {
			ag::Node *n = steps_[i].node;
			if (!n->device().is_cpu())
				return false;
			steps_[i].next = next_.size();
			for (const ag::Edge &e : n->next_edges()) {
				ag::Node *to = e.function.get();
				if (!to) {
					next_.push_back(0);
					continue;
				}
				auto [at, added] = numbers.emplace(to, uint32_t(steps_.size()));
				if (added)
					steps_.emplace_back(to);
				steps_[at->second].missing++;
				next_.push_back(at->second);
			}
		}
		return true;
	}

	// run runs the planned graph, given the gradient of an output of its root.
	void run(uint32_t output, const at::Tensor &grad) {
		steps_[0].grads.resize(steps_[0].node->num_inputs());
		steps_[0].grads[output] = grad;
		push(0);
		while (!ready_.empty()) {
			std::pop_heap(ready_.begin(), ready_.end());
			Step &s = steps_[ready_.back().step];
			ready_.pop_back();
			pass(s, evaluate(*s.node, std::move(s.grads)));
		}
	}

private:
	static constexpr size_t kSmall = 32; // nodes for which memory is allocated once

	// A Step is a node that waits for gradients.
	struct Step {
		ag::Node *node;
		size_t next = 0; // where the numbers of its next nodes begin
		size_t missing = 0;
		variable_list grads;
		explicit Step(ag::Node *n) : node(n) {}
	};
	// A Ready is a step whose gradients are all there.
	struct Ready {
		uint64_t order;
		uint32_t step;
		bool operator<(const Ready &r) const { return order < r.order; }
	};

	const bool keep_, below_;
	std::vector<Step> steps_;    // by the numbers of the nodes; the first is the root
	std::vector<uint32_t> next_; // the number of the node that each edge leads to
	std::vector<Ready> ready_;   // a heap, in which libtorch's engine too keeps its tasks

	void push(uint32_t i) {
		ready_.push_back({steps_[i].node->sequence_nr(), i});
		std::push_heap(ready_.begin(), ready_.end());
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
		if (!keep_)
			n.will_release_variables();
		variable_list given;
		if (!n.post_hooks().empty())
			given = in;
		variable_list out;
		auto *leaf = below_ && typeid(n) == typeid(ag::AccumulateGrad) && n.post_hooks().empty() ? static_cast<ag::AccumulateGrad *>(&n) : nullptr;
		if (leaf && store(*leaf, in[0]))
			return out;
		{
			std::optional<at::AutoDispatchBelowADInplaceOrView> below;
			if (below_ && plain(n) && dense(in))
				below.emplace();
			out = n(std::move(in));
			ag::validate_outputs(n.next_edges(), out, [&](const std::string &what) { return "Function " + n.name() + " returned an " + what; });
		}
		for (const auto &hook : n.post_hooks())
			out = (*hook)(out, given);
		if (!keep_)
			n.release_variables();
		return out;
	}

	// pass gives the gradients that a node returned to the next nodes.
	void pass(const Step &from, variable_list &&grads) {
		for (size_t i = 0; i < grads.size(); i++) {
			const ag::Edge &e = from.node->next_edge(i);
			if (!e.is_valid())
				continue;
			uint32_t to = next_[from.next + i];
			Step &s = steps_[to];
			if (s.grads.empty())
				s.grads.resize(e.function->num_inputs());
			if (!s.grads[e.input_nr].defined()) {
				s.grads[e.input_nr] = std::move(grads[i]);
			} else {
				ag::InputBuffer sum(std::move(s.grads));
				sum.add(e.input_nr, std::move(grads[i]), std::nullopt, std::nullopt, e.function.get());
				s.grads = std::move(sum.buffer);
			}
			if (--s.missing == 0)
				push(to);
		}
	}
};

// Nested counts the sweeps of this thread, each within a callback of the one before.
// Beyond kMost of them libtorch's engine runs the graphs, which moves to other threads when
// it is nested too deep for a thread's stack.
class Nested {
public:
	Nested() { n++; }
	Nested(const Nested &) = delete;
	~Nested() { n--; }
	static bool enough() { return n >= kMost; }

private:
	static constexpr int kMost = 30;
	static thread_local int n;
};
thread_local int Nested::n = 0;

} // namespace

bool sweep(const ag::Edge &root, const at::Tensor &grad, bool keep_graph) {
	// What the engine needs to know of the node that runs: anomalies, and the inputs of a
	// graph within whose callback this is.
	if (!grad.defined() || ag::AnomalyMode::is_enabled() || ag::get_current_graph_task_exec_info() || Nested::enough())
		return false;
	bool mapped = c10::impl::tls_local_dispatch_key_set().included_.has(c10::DispatchKey::FuncTorchDynamicLayerFrontMode);
	Sweep s(keep_graph, !mapped && !ag::ForwardADLevel::try_get_by_idx(0));
	if (!s.plan(root.function.get()))
		return false;
	Nested nested;
	c10::AutoGradMode record(false);
	s.run(root.input_nr, grad);
	return true;
}

} // namespace torchhub
