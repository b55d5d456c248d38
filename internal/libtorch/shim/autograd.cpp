// Autograd: the engine, gradients, hooks, and functions whose derivative is written in Go.

#include "autograd.h"
#include "order.h"
#include "sweep.h"
#include "values.h"

#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/graph_task.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/csrc/autograd/variable_info.h>

#include <ATen/DeviceGuard.h>
#include <ATen/functorch/BatchedTensorImpl.h>
#include <ATen/functorch/DynamicLayer.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_set>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace ag = torch::autograd;
using ag::variable_list;

namespace {

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

thub_callback go;
int release_fd = -1;

// released says that Go can drop the callback of an id.
void released(uint64_t id) noexcept {
	while (write(release_fd, &id, sizeof id) < 0 && errno == EINTR)
		;
}

// A Callback is a reference to a function of Go.
class Callback {
public:
	explicit Callback(uint64_t id) : id_(id) {}
	Callback(const Callback &) = delete;
	~Callback() {
		if (id_)
			released(id_);
	}
	uint64_t id() const { return id_; }
	void disown() { id_ = 0; }

	// call calls the function, and throws the error that it fails with.
	variable_list call(const variable_list &in, ag::Node *node = nullptr, uint64_t *ret_word = nullptr) const {
		uint64_t args[THUB_RETS_VALUES + THUB_CALLBACK_WORDS];
		Writer w(args, std::size(args));
		for (const at::Tensor &t : in) {
			w.put(THUB_TENSOR);
			w.put_tensor(t);
		}
		w.finish();
		variable_list out;
		uint64_t word = 0;
		if (uint64_t failure = go(id_, args, node, &out, &word))
			throw CallbackError(failure);
		if (ret_word)
			*ret_word = word;
		return out;
	}

private:
	uint64_t id_;
};

// Hooks are the callbacks of a tensor, in the order of their registration.
struct Hooks {
	std::mutex mu;
	std::vector<std::shared_ptr<Callback>> list;

	std::vector<std::shared_ptr<Callback>> all() {
		std::lock_guard<std::mutex> hold(mu);
		return list;
	}
	void add(uint64_t id) {
		std::lock_guard<std::mutex> hold(mu);
		list.push_back(std::make_shared<Callback>(id));
	}
	void remove(uint64_t id) {
		std::shared_ptr<Callback> dropped; // without the lock
		std::lock_guard<std::mutex> hold(mu);
		auto at = std::find_if(list.begin(), list.end(), [&](const auto &c) { return c->id() == id; });
		if (at != list.end()) {
			dropped = std::move(*at);
			list.erase(at);
		}
	}
};

// registered finds the hooks of a callback that may be removed.
struct {
	std::mutex mu;
	std::map<uint64_t, std::weak_ptr<Hooks>> of;
} registered;

void remember(uint64_t id, const std::shared_ptr<Hooks> &hooks) {
	std::lock_guard<std::mutex> hold(registered.mu);
	registered.of[id] = hooks;
}

void forget(Hooks &hooks) {
	std::lock_guard<std::mutex> hold(registered.mu);
	for (const auto &c : hooks.list)
		registered.of.erase(c->id());
}

std::shared_ptr<Hooks> make_hooks() {
	return std::shared_ptr<Hooks>(new Hooks, [](Hooks *h) {
		forget(*h);
		delete h;
	});
}

// PreHooks are called with the gradient of an output of a node, or of a leaf.
struct PreHooks : ag::FunctionPreHook {
	std::shared_ptr<Hooks> hooks = make_hooks();
	size_t index;

	explicit PreHooks(size_t i) : index(i) {}
	variable_list operator()(const variable_list &grads) override {
		variable_list out = grads;
		for (const auto &c : hooks->all()) {
			variable_list r = c->call({out[index]});
			if (r.empty() || !r[0].defined())
				continue;
			if (out[index].defined())
				ag::check_variable_result(out[index], r[0], "RegisterHook");
			out[index] = std::move(r[0]);
		}
		return out;
	}
};

// PostHooks are called with a leaf once its gradient is accumulated.
struct PostHooks : ag::PostAccumulateGradHook {
	std::shared_ptr<Hooks> hooks = make_hooks();

	void operator()(const at::Tensor &x) override {
		for (const auto &c : hooks->all())
			c->call({x});
	}
};

// SavedHooks pack a tensor that a node saves, and unpack it.
struct SavedHooks : ag::SavedVariableHooks {
	Callback pack; // borrowed: the mode outlives the operator that packs
	std::optional<Callback> packed;

	explicit SavedHooks(uint64_t id) : pack(id) {}
	~SavedHooks() override { pack.disown(); }
	void call_pack_hook(const at::Tensor &t) override {
		uint64_t id = 0;
		pack.call({t}, nullptr, &id);
		packed.emplace(id);
	}
	at::Tensor call_unpack_hook() override {
		// A sweep may call the node without autograd, which the function may use.
		auto keys = c10::impl::tls_local_dispatch_key_set();
		if (!c10::InferenceMode::is_enabled())
			keys.excluded_ = keys.excluded_ - c10::autograd_dispatch_keyset_with_ADInplaceOrView;
		c10::impl::ForceDispatchKeyGuard recording(keys);
		variable_list r = packed->call({});
		TORCH_CHECK(!r.empty() && r[0].defined(), "the unpack hook returned no tensor");
		return r[0];
	}
};

// Origin is the stack of the goroutine that recorded a node.
thread_local std::string thread_origin;

// failed_at collects the stacks of the nodes that failed, while anomalies are detected.
struct {
	std::mutex mu;
	std::string text;
} failed_at;

struct Origin : ag::AnomalyMetadata {
	std::string stack;
	NodePtr parent;

	void store_stack() override { stack = thread_origin; }
	void assign_parent(const NodePtr &p) override { parent = p; }
	void print_stack(const std::string &name) override {
		std::lock_guard<std::mutex> hold(failed_at.mu);
		append(name, "recorded");
	}
	void append(const std::string &name, const char *what) {
		failed_at.text += "\n\n" + name + " was " + what + " here:\n" + stack;
		if (!parent)
			return;
		if (auto *o = dynamic_cast<Origin *>(parent->metadata()))
			o->append(parent->name(), "run, and recorded it; it was itself recorded");
	}
};

// A Last is a node that runs after all others.
struct Last : ag::Node {
	Last() : Node(uint64_t(0)) {}
	std::string name() const override { return "Last"; }
	variable_list apply(variable_list &&) override { return {}; }
};

// GoEngine gives nodes the stack of a goroutine, and tensors that are saved the hooks of
// the thread's mode. It runs simple graphs as a sweep.
struct GoEngine : ag::Engine {
	std::unique_ptr<ag::AnomalyMetadata> make_anomaly_metadata() override { return std::make_unique<Origin>(); }
	std::unique_ptr<ag::SavedVariableHooks> get_default_saved_variable_hooks() override {
		uint64_t id = thread_hooks();
		return id ? std::make_unique<SavedHooks>(id) : nullptr;
	}
	variable_list execute(const ag::edge_list &roots, const variable_list &grads, bool keep_graph, bool create_graph, bool accumulate,
	                      const ag::edge_list &inputs) override {
		if (roots.size() == 1 && inputs.empty() && !create_graph) {
			variable_list checked = grads;
			ag::validate_outputs(roots, checked, [](const std::string &what) { return what; });
			if (sweep(roots[0], checked[0], keep_graph))
				return {};
		}
		try {
			return Engine::execute(roots, grads, keep_graph, create_graph, accumulate, inputs);
		} catch (...) {
			if (ag::get_current_graph_task_id() < 0)
				drop_tasks();
			throw;
		}
	}

private:
	// drop_tasks empties the queue of this thread, in which libtorch leaves the tasks of a
	// graph that failed, and so the graph, until the thread happens to run past them. It
	// skips them on the way to the task of a node that comes last.
	void drop_tasks() {
		NodePtr last = make_node<Last>();
		at::Tensor none = at::zeros({});
		last->add_input_metadata(none);
		Engine::execute({ag::Edge(last, 0)}, {none}, false, false, true, {});
	}
};

ag::Engine &go_engine() {
	static auto *e = new GoEngine; // never deleted: its threads never end
	return *e;
}

// run calls f, which runs the engine, and adds the stacks of the nodes that failed to its error.
template <class F> void run(F f) {
	InOrder order;
	if (!ag::AnomalyMode::is_enabled())
		return f();
	{
		std::lock_guard<std::mutex> hold(failed_at.mu);
		failed_at.text.clear();
	}
	try {
		f();
	} catch (const CallbackError &) {
		throw; // its error has the stack of the callback
	} catch (const c10::OutOfMemoryError &) {
		throw;
	} catch (const std::exception &e) {
		std::lock_guard<std::mutex> hold(failed_at.mu);
		if (failed_at.text.empty())
			throw;
		const auto *c = dynamic_cast<const c10::Error *>(&e);
		throw std::runtime_error((c ? c->what_without_backtrace() : e.what()) + failed_at.text);
	}
}

variable_list read_tensors(Reader &r) {
	return read_value(r, nullptr).toTensorVector();
}

// A Derivative is the node of a function whose derivative is a callback.
struct Derivative : ag::Node {
	Callback callback;
	std::string title;
	bool materialize = true;
	bool freed = false;
	std::vector<ag::SavedVariable> saved;
	std::vector<ag::VariableInfo> outputs;
	std::mutex mu; // of saved and freed

	Derivative(uint64_t id, std::string name, ag::edge_list &&edges) : Node(std::move(edges)), callback(id), title(std::move(name)) {}

	std::string name() const override { return title; }
	variable_list apply(variable_list &&grads) override {
		at::OptionalDeviceGuard guard;
		if (materialize)
			for (size_t i = 0; i < grads.size(); i++)
				if (!grads[i].defined())
					grads[i] = outputs[i].zeros(guard);
		variable_list out = callback.call(grads, this);
		while (out.size() > num_outputs() && !out.back().defined())
			out.pop_back();
		TORCH_CHECK(out.size() == num_outputs(), "function ", title, " returned an incorrect number of gradients (expected ",
		            num_outputs(), ", got ", out.size(), ")");
		return out;
	}
	void release_variables() override {
		std::vector<ag::SavedVariable> dropped; // without the lock
		std::lock_guard<std::mutex> hold(mu);
		dropped.swap(saved);
		freed = true;
	}
};

std::unordered_set<at::TensorImpl *> impls(const variable_list &ts) {
	std::unordered_set<at::TensorImpl *> out;
	for (const at::Tensor &t : ts)
		if (t.defined())
			out.insert(t.unsafeGetTensorImpl());
	return out;
}

variable_list wrapped(const variable_list &in, const variable_list &out, const variable_list &plain, const variable_list &dirty, const NodePtr &node) {
	std::vector<std::optional<at::Tensor>> raw(out.begin(), out.end());
	auto view = [](const at::Tensor &x) { return x.view_as(x); };
	auto jvp = [](const variable_list &, const variable_list &) -> variable_list {
		TORCH_CHECK(false, "a function whose derivative is written in Go has no forward-mode derivative");
	};
#if __has_include(<torch/csrc/autograd/node_creation_hook.h>)
	NodePtr attached;
	auto made = ag::_wrap_outputs(in, impls(plain), impls(dirty), raw, node, jvp, {}, view, false, attached);
#else
	auto made = ag::_wrap_outputs(in, impls(plain), impls(dirty), raw, node, jvp, {}, view, false);
#endif
	variable_list result;
	for (auto &t : made)
		result.push_back(t ? *t : at::Tensor());
	return result;
}

} // namespace

const char *CallbackError::what() const noexcept { return "a callback failed"; }

void prepare_autograd() { ag::set_default_engine_stub(go_engine); }

void set_callback(thub_callback f, int32_t fd) {
	go = f;
	release_fd = fd;
}

void callback_return(void *ret_tensors, const uint64_t *tensors, size_t n) {
	auto *out = static_cast<variable_list *>(ret_tensors);
	for (size_t i = 0; i < n; i++)
		out->push_back(borrow(tensors[i]));
}

void grad_get(thub_tensor t, uint64_t *rets, size_t cap) {
	Writer w(rets, cap);
	w.put(THUB_TENSOR);
	w.put_tensor(Lent(t).t.grad());
	w.finish();
}

void grad_set(thub_tensor t, thub_tensor grad) {
	at::Tensor x = borrow(t), g = borrow(grad);
	if (g.defined()) {
		TORCH_CHECK(x.unsafeGetTensorImpl() != g.unsafeGetTensorImpl(), "can't assign Variable as its own grad");
		TORCH_CHECK(g.scalar_type() == x.scalar_type(), "attempting to assign a gradient of type '", g.scalar_type(), "' to a tensor of type '",
		            x.scalar_type(), "'; the gradient must have the type of the tensor");
		TORCH_CHECK(g.device() == x.device(), "attempting to assign a gradient on ", g.device(), " to a tensor on ", x.device());
		TORCH_CHECK(g.sizes() == x.sizes(), "attempting to assign a gradient of size '", g.sizes(), "' to a tensor of size '", x.sizes(), "'");
	}
	x.mutable_grad() = g;
}

void engine_run(const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) {
	Reader r{args, args + nargs};
	variable_list roots = read_tensors(r), grads = read_tensors(r), inputs = read_tensors(r);
	bool keep = read_value(r, nullptr).toBool(), create = read_value(r, nullptr).toBool();
	bool accumulate = read_value(r, nullptr).toBool(), unused = read_value(r, nullptr).toBool();
	Writer w(rets, cap);
	run([&] {
		if (accumulate) {
			ag::backward(roots, grads, keep, create, inputs);
			return;
		}
		w.put_tensors(ag::grad(roots, inputs, grads, keep, create, unused));
	});
	w.finish();
}

void hook_add(thub_tensor t, uint64_t id, int32_t post) {
	at::Tensor x = borrow(t);
	TORCH_CHECK(x.requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
	std::shared_ptr<Hooks> hooks;
	if (post) {
		TORCH_CHECK(x.is_leaf(), "post accumulate grad hooks cannot be registered on non-leaf tensors");
		auto *h = dynamic_cast<PostHooks *>(ag::impl::post_acc_grad_hooks(x).get());
		if (!h) {
			auto made = std::make_unique<PostHooks>();
			h = made.get();
			ag::impl::set_post_acc_grad_hooks(x, std::move(made));
		}
		hooks = h->hooks;
	} else {
		const auto &fn = x.grad_fn();
		auto &list = fn ? fn->tensor_pre_hooks() : ag::impl::hooks(x);
		size_t index = fn ? x.output_nr() : 0;
		for (auto &p : list)
			if (auto *h = dynamic_cast<PreHooks *>(p.get()); h && h->index == index)
				hooks = h->hooks;
		if (!hooks) {
			auto made = std::make_unique<PreHooks>(index);
			hooks = made->hooks;
			if (!fn)
				ag::impl::grad_accumulator(x); // which calls them
			list.push_back(std::move(made));
		}
	}
	hooks->add(id);
	remember(id, hooks);
}

void hook_remove(uint64_t id) {
	std::shared_ptr<Hooks> hooks;
	{
		std::lock_guard<std::mutex> hold(registered.mu);
		auto at = registered.of.find(id);
		if (at == registered.of.end())
			return;
		hooks = at->second.lock();
		registered.of.erase(at);
	}
	if (hooks)
		hooks->remove(id);
}

void function_apply(uint64_t id, const char *name, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) {
	InOrder order;
	Callback callback(id);
	Reader r{args, args + nargs};
	variable_list in = read_tensors(r), out = read_tensors(r), saved = read_tensors(r), plain = read_tensors(r), dirty = read_tensors(r);
	bool materialize = read_value(r, nullptr).toBool();
	for (const auto *list : {&in, &out})
		for (const at::Tensor &t : *list)
			TORCH_CHECK(!t.defined() || !at::functorch::isBatchedTensor(t), "a function whose derivative is written in Go cannot be mapped by Vmap");
	auto requires_grad = [](const at::Tensor &t) { return t.defined() && t.requires_grad(); };
	NodePtrTo<Derivative> node;
	if (c10::GradMode::is_enabled() && std::any_of(in.begin(), in.end(), requires_grad)) {
		node = make_node<Derivative>(id, name, ag::collect_next_edges(in));
		callback.disown(); // it is the node's
		node->materialize = materialize;
	}
	for (const at::Tensor &t : dirty)
		ag::impl::bump_version(t);
	// The history is recorded in aliases of the outputs: the caller's own references to an
	// output would otherwise keep the graph alive.
	const variable_list raw = out;
	auto inputs = impls(in);
	for (const at::Tensor &t : raw) {
		if (inputs.count(t.unsafeGetTensorImpl()) || t.is_view())
			continue; // which libtorch recognizes
		at::Tensor alias = t.detach();
		for (variable_list *list : {&out, &plain, &dirty})
			for (at::Tensor &p : *list)
				if (p.defined() && p.unsafeGetTensorImpl() == t.unsafeGetTensorImpl())
					p = alias;
	}
	variable_list made = wrapped(in, out, plain, dirty, node);
	if (node) {
		for (const at::Tensor &t : made)
			node->outputs.push_back(t.defined() ? ag::VariableInfo(t) : ag::VariableInfo());
		for (const at::Tensor &t : saved) {
			at::Tensor x = t; // an output is saved as the caller gets it
			for (size_t i = 0; i < raw.size(); i++)
				if (t.defined() && t.unsafeGetTensorImpl() == raw[i].unsafeGetTensorImpl())
					x = made[i];
			node->saved.emplace_back(x, x.defined() && x.grad_fn().get() == node.get());
		}
	}
	Writer w(rets, cap);
	w.put_tensors(std::move(made));
	w.finish();
}

void function_saved(void *node, uint64_t *rets, size_t cap) {
	auto *d = static_cast<Derivative *>(static_cast<ag::Node *>(node));
	variable_list out;
	{
		std::lock_guard<std::mutex> hold(d->mu);
		TORCH_CHECK(!d->freed, ag::ERR_BACKWARD_TWICE);
		for (const ag::SavedVariable &s : d->saved)
			out.push_back(s.unpack(d->getptr()));
	}
	Writer w(rets, cap);
	w.put_tensors(std::move(out));
	w.finish();
}

int32_t function_needs(void *node, size_t i) {
	auto *n = static_cast<ag::Node *>(node);
	return i < n->num_outputs() && n->task_should_compute_output(i);
}

void node_of(thub_tensor t, thub_node *ret_node) {
	NodePtr fn = borrow(t).grad_fn();
	*ret_node = fn ? reinterpret_cast<thub_node>(new NodePtr(std::move(fn))) : nullptr;
}

void node_next(thub_node n, size_t i, thub_node *ret_node, int64_t *ret_input) {
	const auto &edges = (*reinterpret_cast<NodePtr *>(n))->next_edges();
	*ret_input = i < edges.size() ? int64_t(edges[i].input_nr) : -1;
	*ret_node = i < edges.size() && edges[i].function ? reinterpret_cast<thub_node>(new NodePtr(edges[i].function)) : nullptr;
}

char *node_name(thub_node n) { return strdup((*reinterpret_cast<NodePtr *>(n))->name().c_str()); }

void node_free(thub_node n) { delete reinterpret_cast<NodePtr *>(n); }

void set_anomaly(int32_t on, int32_t check_nan) { ag::AnomalyMode::set_enabled(on != 0, check_nan != 0); }

int32_t get_anomaly() { return ag::AnomalyMode::is_enabled(); }

void set_origin(const char *stack) { thread_origin = stack; }

void dual_enter(uint64_t *ret_level) { *ret_level = ag::forward_ad::enter_dual_level(); }

void dual_exit(uint64_t level) { ag::forward_ad::exit_dual_level(level); }

void vmap_enter(int64_t size, int32_t randomness, int64_t *ret_level) {
	namespace fn = at::functorch;
	*ret_level = fn::initAndPushDynamicLayer(fn::TransformType::Vmap, c10::SymInt(size), fn::RandomnessType(randomness));
}

void vmap_exit() { at::functorch::popDynamicLayerAndDeleteMetadata(); }

void vmap_map(const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) {
	Reader r{args, args + nargs};
	at::Tensor x = read_value(r, nullptr).toTensor();
	int64_t dim = read_value(r, nullptr).toInt(), level = read_value(r, nullptr).toInt();
	Writer w(rets, cap);
	w.put(THUB_TENSOR);
	w.put_tensor(at::functorch::addBatchDim(std::move(x), dim, level));
	w.finish();
}

void vmap_unmap(const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) {
	InOrder order;
	Reader r{args, args + nargs};
	at::Tensor x = read_value(r, nullptr).toTensor();
	int64_t level = read_value(r, nullptr).toInt(), size = read_value(r, nullptr).toInt(), dim = read_value(r, nullptr).toInt();
	const auto *mapped = at::functorch::maybeGetBatchedImpl(x);
	at::Tensor out;
	if (mapped && mapped->level() >= level) {
		TORCH_CHECK(mapped->level() == level, "a tensor is used outside of the mapped function that made it");
		out = mapped->value().movedim(mapped->bdim(), dim);
	} else {
		std::vector<int64_t> sizes = x.sizes().vec();
		sizes.insert(sizes.begin() + dim, size);
		out = x.unsqueeze(dim).expand(sizes);
	}
	Writer w(rets, cap);
	w.put(THUB_TENSOR);
	w.put_tensor(std::move(out));
	w.finish();
}

} // namespace torchhub
