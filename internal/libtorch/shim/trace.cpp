// Tracing: the calls of operators on a thread are recorded at the dispatcher, above
// autograd and autocast, so that Go's calls and those of TorchScript are recorded alike.
//
// A mode key of the dispatcher is included on the thread; its fallback notes a call, makes it
// without the key, and notes the results. What an operator calls in turn is not noted.
// Tensors are numbered in the order in which they are seen. A tensor that is neither an input
// nor the result of a noted call is a constant.

#include "trace.h"
#include "values.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <unordered_map>
#include <unordered_set>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

// No library has kernels or a fallback for this key: it is kept for tests of the dispatcher.
constexpr auto key = c10::DispatchKey::TESTING_ONLY_GenericMode;

using Impl = c10::weak_intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>;

// A Tracer is the graph that a thread records.
class Tracer {
public:
	explicit Tracer(const std::vector<at::Tensor> &inputs) {
		for (const at::Tensor &t : inputs) {
			inputs_.push_back(number(t, true));
			kept_.push_back(t);
			given_.emplace(storage(t), "an input of the graph");
		}
	}

	// call makes a call and notes it.
	void call(const c10::OperatorHandle &op, torch::jit::Stack &stack) {
		const auto &schema = op.schema();
		size_t n = schema.arguments().size();
		auto args = torch::jit::last(stack, n);
		refuse(op, args);
		Undo undo{words_, words_.size()}; // if the call fails, which the traced function may handle
		words_.push_back(THUB_TUPLE);
		words_.push_back(4);
		text(schema.name());
		text(schema.overload_name());
		list(n);
		bool dynamic = false;
		for (const IValue &v : args) {
			value(v);
			each(v, [&](const at::Tensor &t) { dynamic = dynamic || is_dynamic(t); });
		}
		for (size_t i = 0; i < n; i++) { // what it writes depends on all of its arguments from now on
			const auto *alias = schema.arguments()[i].alias_info();
			if (alias && alias->isWrite() && dynamic)
				each(args[i], [&](const at::Tensor &t) { dynamic_.insert(storage(t)); });
		}
		bool draws = op.hasTag(at::Tag::nondeterministic_seeded);
		std::string before = draws ? generators() : "";
		auto given = written(args);
		op.callBoxed(stack);
		for (const auto &[t, version] : given)
			TORCH_CHECK(t._version() == version, schema.name(), " writes to a tensor from outside of the graph, which a graph cannot; call nn.Eval for the module");
		TORCH_CHECK(!draws || generators() == before, schema.name(),
		            " draws random numbers, which a graph cannot; call nn.Eval for the module, or draw them outside of the graph");
		auto rets = torch::jit::last(stack, schema.returns().size());
		list(rets.size());
		for (size_t i = 0; i < rets.size(); i++) {
			bool view = schema.returns()[i].alias_info() != nullptr;
			each(rets[i], [&](const at::Tensor &t) {
				number(t, dynamic || (view && is_dynamic(t)), view);
			});
			value(rets[i]);
		}
		undo.size = words_.size();
		calls_++;
	}

	// read refuses to let values of a tensor be read that depend on the inputs.
	void read(const at::Tensor &t) const {
		auto it = numbers_.find(t.unsafeGetTensorImpl());
		TORCH_CHECK(it == numbers_.end() || !is_dynamic(t), "its values depend on the inputs of the graph that is traced, and would be the same for all inputs; compute with tensors instead");
	}

	// finish writes the graph: calls, inputs, outputs, constants, and dtype, device and shape of each tensor.
	void finish(const std::vector<at::Tensor> &outputs, Writer &w) {
		std::vector<int64_t> out;
		for (const at::Tensor &t : outputs)
			out.push_back(number(t));
		w.put(THUB_TUPLE);
		w.put(5);
		w.put(THUB_LIST);
		w.put(calls_);
		for (uint64_t word : words_)
			w.put(word);
		write_ints(inputs_, w);
		write_ints(out, w);
		w.put(THUB_LIST);
		w.put(constants_.size());
		for (auto &[n, t] : constants_) {
			w.put(THUB_TUPLE);
			w.put(2);
			w.put(THUB_INT);
			w.put(uint64_t(n));
			w.put(THUB_TENSOR);
			w.put_tensor(t);
		}
		w.put(THUB_LIST);
		w.put(tensors_.size());
		for (const Meta &m : tensors_) {
			w.put(THUB_TUPLE);
			w.put(3);
			w.put(THUB_INT);
			w.put(uint64_t(m.dtype));
			w.put(THUB_DEVICE);
			w.put(uint64_t(m.device.type()));
			w.put(uint64_t(int64_t(m.device.index())));
			write_ints(m.sizes, w);
		}
	}

private:
	struct Undo {
		std::vector<uint64_t> &words;
		size_t size;
		~Undo() { words.resize(size); }
	};

	struct Meta {
		at::ScalarType dtype;
		at::Device device;
		std::vector<int64_t> sizes;
	};

	std::vector<uint64_t> words_; // the calls
	uint64_t calls_ = 0;
	std::vector<int64_t> inputs_;
	std::vector<Meta> tensors_; // by number
	std::vector<std::pair<int64_t, at::Tensor>> constants_;
	std::unordered_map<at::TensorImpl *, int64_t> numbers_;
	std::vector<Impl> seen_;       // keeps the addresses in numbers_ from being used again, but no memory of tensors
	std::vector<at::Tensor> kept_; // inputs, whose storage must not be written
	std::unordered_map<const void *, std::string> given_; // storages of inputs and constants
	std::unordered_set<const void *> dynamic_;            // storages whose values depend on the inputs

	// written returns the inputs and constants among arguments with their versions, which change when they are written:
	// schemas do not say that batch_norm writes to its statistics.
	std::vector<std::pair<at::Tensor, int64_t>> written(at::ArrayRef<IValue> args) const {
		std::vector<std::pair<at::Tensor, int64_t>> ts;
		for (const IValue &v : args)
			each(v, [&](const at::Tensor &t) {
				if (given_.count(storage(t)) && !t.is_inference())
					ts.emplace_back(t, t._version());
			});
		return ts;
	}

	// generators returns the states of the default generators.
	static std::string generators() {
		std::string states;
		for (auto type : {at::kCPU, at::kCUDA})
			if (type == at::kCPU || at::hasCUDA()) {
				at::Tensor t = at::globalContext().defaultGenerator(type).get_state();
				states.append(static_cast<const char *>(t.const_data_ptr()), t.nbytes());
			}
		return states;
	}

	static const void *storage(const at::Tensor &t) {
		return t.has_storage() ? static_cast<const void *>(t.storage().unsafeGetStorageImpl()) : t.unsafeGetTensorImpl();
	}

	bool is_dynamic(const at::Tensor &t) const { return dynamic_.count(storage(t)) > 0; }

	// number returns the number of a tensor that has one, or that of a new constant.
	int64_t number(const at::Tensor &t) {
		auto it = numbers_.find(t.unsafeGetTensorImpl());
		if (it != numbers_.end())
			return it->second;
		int64_t n = number(t, false);
		constants_.emplace_back(n, t);
		given_.emplace(storage(t), "a parameter or another tensor from outside of the graph");
		return n;
	}

	// number gives a tensor a new number, also if it has one: an operator that writes to a tensor returns it.
	int64_t number(const at::Tensor &t, bool dynamic, bool view = false) {
		TORCH_CHECK(t.layout() == at::kStrided && !t.is_nested(), "a graph has dense tensors only, and this one is ", t.layout());
		auto n = int64_t(tensors_.size());
		tensors_.push_back({t.scalar_type(), t.device(), t.sizes().vec()});
		if (numbers_.insert_or_assign(t.unsafeGetTensorImpl(), n).second)
			seen_.emplace_back(t.getIntrusivePtr());
		if (dynamic)
			dynamic_.insert(storage(t));
		else if (!view)
			dynamic_.erase(storage(t)); // its address may be that of a storage that is no more
		return n;
	}

	// each calls f with the tensors in a value.
	template <class F> static void each(const IValue &v, F f) {
		if (v.isTensor()) {
			if (v.toTensor().defined())
				f(v.toTensor());
		} else if (v.isList()) {
			for (const IValue &e : v.toListRef())
				each(e, f);
		} else if (v.isTuple()) {
			for (const IValue &e : v.toTupleRef().elements())
				each(e, f);
		}
	}

	// refuse refuses calls that cannot be part of a graph.
	void refuse(const c10::OperatorHandle &op, at::ArrayRef<IValue> args) const {
		const auto &schema = op.schema();
		for (size_t i = 0; i < args.size(); i++) {
			const auto *alias = schema.arguments()[i].alias_info();
			each(args[i], [&](const at::Tensor &t) {
				auto known = numbers_.count(t.unsafeGetTensorImpl()) > 0;
				if (alias && alias->isWrite()) {
					auto it = given_.find(storage(t));
					TORCH_CHECK(it == given_.end() && known, schema.name(), " writes to ",
					            it == given_.end() ? "a tensor from outside of the graph" : it->second, ", which a graph cannot; use the operator that returns a new tensor");
				}
				if (op.hasTag(at::Tag::data_dependent_output) || schema.name() == "aten::is_nonzero" || schema.name() == "aten::allclose")
					TORCH_CHECK(!is_dynamic(t), schema.name(), " reads values that depend on the inputs of the graph that is traced; compute with tensors instead");
				bool mask = t.scalar_type() == at::kBool || t.scalar_type() == at::kByte;
				if (op.hasTag(at::Tag::dynamic_output_shape) && (mask || schema.name() != "aten::index"))
					TORCH_CHECK(!is_dynamic(t), "the shape of the result of ", schema.name(), " depends on the values of the graph's inputs, and would be the same for all inputs");
			});
			TORCH_CHECK(!args[i].isGenerator(), schema.name(), " draws random numbers, which a graph cannot");
		}
	}

	void text(const std::string &s) {
		words_.push_back(THUB_STRING);
		pack_string(s, [this](uint64_t word) { words_.push_back(word); });
	}

	void list(size_t n) {
		words_.push_back(THUB_LIST);
		words_.push_back(n);
	}

	void two(uint64_t tag, uint64_t w) {
		words_.push_back(tag);
		words_.push_back(w);
	}

	// value notes a value: of a tensor its number, as a tuple.
	void value(const IValue &v) {
		if (v.isTensor()) {
			const at::Tensor &t = v.toTensor();
			if (!t.defined()) {
				words_.push_back(THUB_NONE);
			} else if (t.unsafeGetTensorImpl()->is_wrapped_number() && !numbers_.count(t.unsafeGetTensorImpl())) {
				value(IValue(t.item())); // a number that was made a tensor of
			} else {
				two(THUB_TUPLE, 1);
				two(THUB_INT, uint64_t(number(t)));
			}
		} else if (v.isList()) {
			auto l = v.toListRef();
			list(l.size());
			for (const IValue &e : l)
				value(e);
		} else {
			bool plain = pack_plain(v, [this](uint64_t word) { words_.push_back(word); });
			TORCH_CHECK(plain, "a graph cannot hold an argument of the type ", v.tagKind());
		}
	}

	static void write_ints(const std::vector<int64_t> &vs, Writer &w) {
		w.put(THUB_LIST);
		w.put(vs.size());
		for (int64_t v : vs) {
			w.put(THUB_INT);
			w.put(uint64_t(v));
		}
	}
};

thread_local std::unique_ptr<Tracer> tracer;

void note(const c10::OperatorHandle &op, torch::jit::Stack *stack) {
	NotTraced below;
	if (tracer)
		tracer->call(op, *stack);
	else
		op.callBoxed(*stack);
}

// register_fallback registers the fallback once, at the first use, since that touches the tables of all operators.
void register_fallback() {
	static torch::Library library = [] {
		torch::Library l(torch::Library::IMPL, "_", key, __FILE__, __LINE__);
		l.fallback(torch::CppFunction::makeFromBoxedFunction<&note>());
		return l;
	}();
}

std::vector<at::Tensor> tensors(Reader r) {
	std::vector<at::Tensor> ts;
	while (r.p != r.end)
		ts.push_back(read_value(r, nullptr).toTensor());
	return ts;
}

} // namespace

NotTraced::NotTraced() : guard(key) {}

void reads_traced(const at::Tensor &t) {
	if (tracer)
		tracer->read(t);
}

void trace_begin(const uint64_t *inputs, size_t n) {
	TORCH_CHECK(!tracer, "this thread is tracing a graph already");
	register_fallback();
	tracer = std::make_unique<Tracer>(tensors({inputs, inputs + n}));
	c10::impl::tls_set_dispatch_key_included(key, true);
}

void trace_end(const uint64_t *outputs, size_t n, uint64_t *rets, size_t cap) {
	TORCH_CHECK(tracer, "this thread traces no graph");
	c10::impl::tls_set_dispatch_key_included(key, false);
	auto done = std::move(tracer);
	if (cap <= THUB_RETS_VALUES) // given up
		return;
	Writer w(rets, cap);
	done->finish(tensors({outputs, outputs + n}), w);
	w.finish();
}

} // namespace torchhub
