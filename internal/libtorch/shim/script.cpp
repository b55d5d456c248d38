// TorchScript, with checks that libtorch lacks.

#include "guard.h"
#include "order.h"
#include "values.h"
#include "vision.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/operator.h>
#include <torch/csrc/jit/serialization/import.h>

#include <pthread.h>

#include <exception>
#include <limits>
#include <sstream>
#include <unordered_set>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

// on_large_stack calls f on a thread of its own: libtorch's parser and compiler
// recurse for each level of nesting.
template <class F> void on_large_stack(F f) {
	constexpr size_t kStack = 256 << 20;
	struct Job {
		F &f;
		std::exception_ptr thrown;
	} job{f, nullptr};
	auto run = [](void *p) -> void * {
		auto *job = static_cast<Job *>(p);
		try {
			job->f();
		} catch (...) {
			job->thrown = std::current_exception();
		}
		return nullptr;
	};
	pthread_attr_t attr;
	pthread_t thread;
	TORCH_CHECK(pthread_attr_init(&attr) == 0, "a thread could not be made");
	pthread_attr_setstacksize(&attr, kStack);
	int failed = pthread_create(&thread, &attr, run, &job);
	pthread_attr_destroy(&attr);
	TORCH_CHECK(!failed, "a thread with a stack of 256 MiB could not be made");
	pthread_join(thread, nullptr);
	if (job.thrown)
		std::rethrow_exception(job.thrown);
}

// divides are the operators of TorchScript that divide integers without a check:
// a division by zero, or of the smallest integer by -1, would end the process.
bool divides(const c10::OperatorName &name) {
	static const std::unordered_set<std::string> names{"aten::remainder.int", "aten::floordiv.int", "aten::divmod.int", "aten::gcd.int", "aten::mod.int"};
	return names.count(c10::toString(name)) > 0;
}

torch::jit::Operation checked_division(torch::jit::Operation op) {
	return [op](torch::jit::Stack &stack) mutable {
		int64_t a = torch::jit::peek(stack, 0, 2).toInt(), b = torch::jit::peek(stack, 1, 2).toInt();
		TORCH_CHECK(b != 0, "integer division or modulo by zero");
		TORCH_CHECK(b != -1 || a != std::numeric_limits<int64_t>::min(), "the quotient of ", a, " and ", b, " is no 64-bit integer");
		op(stack);
	};
}

torch::jit::Operation checked(Guard guard, size_t n, torch::jit::Operation op) {
	return [guard, n, op](torch::jit::Stack &stack) mutable {
		torch::jit::Stack args(stack.end() - ptrdiff_t(n), stack.end());
		guard(args);
		args.clear(); // a held reference would prevent ops from working in place
		op(stack);
	};
}

// guard_scripts makes scripts call the guarded operators, and those that divide
// integers, with their checks.
void guard_scripts() {
	std::unordered_set<std::string> names{"aten::remainder", "aten::floordiv", "aten::divmod", "aten::gcd", "aten::mod"};
	for (const std::string &name : guarded())
		names.insert(name.substr(0, name.find('.')));
	for (const std::string &name : names) {
		auto ops = torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(name)); // a copy
		bool any = false;
		for (const auto &op : ops)
			any = any || divides(op->schema().operator_name()) || guard_of(op->schema().operator_name());
		if (!any)
			continue;
		// All operators of a name are registered again, since the compiler uses the first one that
		// matches.
		for (const auto &op : ops)
			torch::jit::deregisterOperator(op->schema());
		for (const auto &op : ops) {
			const auto &schema = op->schema();
			Guard guard = guard_of(schema.operator_name());
			auto handle = c10::Dispatcher::singleton().findSchema(schema.operator_name());
			if (divides(schema.operator_name()))
				torch::jit::registerOperator(torch::jit::Operator(c10::toString(schema), checked_division(op->getOperation()), op->aliasAnalysisKind()));
			else if (guard && handle)
				torch::jit::registerOperator(torch::jit::Operator(*handle, checked(guard, schema.arguments().size(), op->getOperation())));
			else
				torch::jit::registerOperator(torch::jit::Operator(*op));
		}
	}
}

torch::jit::Module &module(thub_module m) { return *reinterpret_cast<torch::jit::Module *>(m); }

template <class Load> void load_module(Load load, thub_module *ret_module) {
	static bool once = [] {
		guard_scripts();
		need_vision();
		return true;
	}();
	(void)once;
	on_large_stack([&] {
		auto *m = new torch::jit::Module(load());
		*ret_module = reinterpret_cast<thub_module>(m);
	});
}

// push_call reads the arguments of a method, keyword arguments after the others, and adds defaults for missing ones.
// The first is self.
void push_call(torch::jit::Stack &stack, Reader r, const c10::FunctionSchema &schema) {
	const auto &args = schema.arguments();
	std::vector<std::optional<IValue>> given(args.size());
	size_t i = 1;
	while (r.p != r.end) {
		size_t at = i++;
		if (*r.p == THUB_NAMED) {
			r.next();
			std::string name = read_string(r);
			for (at = 1; at < args.size() && args[at].name() != name; at++) {
			}
			TORCH_CHECK(at < args.size(), "there is no argument \"", name, "\"");
			TORCH_CHECK(!given[at], "argument \"", name, "\" is given twice");
		}
		TORCH_CHECK(at < args.size(), "too many arguments for ", schema.name(), ", which takes ", args.size() - 1);
		given[at] = read_value(r, args[at].type().get());
	}
	for (i = 1; i < args.size(); i++) {
		TORCH_CHECK(given[i] || args[i].default_value(), "argument \"", args[i].name(), "\" is missing");
		stack.push_back(given[i] ? std::move(*given[i]) : *args[i].default_value());
	}
}

// named collects a module's tensors and then its submodules', in the order of nn.Module, each once by identity.
void named(const torch::jit::Module &m, const std::string &prefix, bool parameters, bool buffers, std::unordered_set<at::TensorImpl *> *seen,
           std::vector<std::pair<std::string, at::Tensor>> &out) {
	auto add = [&](const auto &list) {
		for (const auto &e : list)
			if (e.value.defined() && (!seen || seen->insert(e.value.unsafeGetTensorImpl()).second))
				out.emplace_back(prefix + e.name, e.value);
	};
	if (parameters)
		add(m.named_parameters(false));
	if (buffers)
		add(m.named_buffers(false));
	for (const auto &child : m.named_children())
		named(child.value, prefix + child.name + ".", parameters, buffers, seen, out);
}

} // namespace

IValue object(thub_module m) { return IValue(module(m)._ivalue()); }

thub_module give_object(IValue &&v) { return reinterpret_cast<thub_module>(new torch::jit::Module(v.toObject())); }

void jit_load(const char *path, thub_module *ret_module) {
	load_module([&] { return torch::jit::load(std::string(path), at::Device(at::kCPU)); }, ret_module);
}

void jit_load_bytes(const void *data, size_t n, thub_module *ret_module) {
	load_module(
	    [&] {
		    std::istringstream in(std::string(static_cast<const char *>(data), n));
		    return torch::jit::load(in, at::Device(at::kCPU));
	    },
	    ret_module);
}

void jit_free(thub_module m) {
	on_large_stack([m] { delete &module(m); });
}

void jit_to(thub_module m, int32_t type, int32_t index) {
	module(m).to(at::Device(c10::DeviceType(type), c10::DeviceIndex(index)));
}

void jit_train(thub_module m, int32_t on) {
	module(m).train(on != 0);
}

void jit_call(thub_module m, const char *method, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) {
	auto f = module(m).find_method(method);
	if (!f)
		C10_THROW_ERROR(NotImplementedError, std::string("the module has no method \"") + method + "\"");
	torch::jit::Stack stack;
	push_call(stack, {args, args + nargs}, f->function().getSchema());
	InOrder order;
	IValue v = (*f)(std::move(stack));
	Writer w(rets, cap);
	write_value(w, std::move(v));
	w.finish();
}

void jit_attribute(thub_module m, const char *name, uint64_t *rets, size_t cap) {
	if (!module(m).hasattr(name))
		C10_THROW_ERROR(NotImplementedError, std::string("there is no attribute \"") + name + "\"");
	Writer w(rets, cap);
	write_value(w, module(m).attr(name));
	w.finish();
}

void jit_list(thub_module m, int32_t what, uint64_t *rets, size_t cap) {
	Writer w(rets, cap);
	const auto &type = module(m).type();
	std::vector<std::string> names;
	switch (what) {
	case THUB_JIT_TYPE:
		w.put(THUB_STRING);
		w.put_string(type->name() ? type->name()->qualifiedName() : "");
		return w.finish();
	case THUB_JIT_METHODS:
		for (const torch::jit::Function *f : type->methods())
			names.push_back(f->name());
		write_strings(names, w);
		return w.finish();
	case THUB_JIT_ATTRIBUTES:
		for (size_t i = 0; i < type->numAttributes(); i++)
			names.push_back(type->getAttributeName(i));
		for (size_t i = 0; i < type->numConstants(); i++)
			names.push_back(type->getConstantName(i));
		write_strings(names, w);
		return w.finish();
	}
	std::vector<std::pair<std::string, at::Tensor>> tensors;
	std::unordered_set<at::TensorImpl *> seen;
	named(module(m), "", what != THUB_JIT_BUFFERS, what != THUB_JIT_PARAMETERS, what == THUB_JIT_STATE ? nullptr : &seen, tensors);
	w.put(THUB_DICT);
	w.put(tensors.size());
	for (auto &[name, tensor] : tensors) {
		w.put(THUB_STRING);
		w.put_string(name);
		w.put(THUB_TENSOR);
		w.put_tensor(std::move(tensor));
	}
	w.finish();
}

// This is here because TorchScript's headers contain those of autograd, which take seconds to
// compile.
char *tensor_grad_fn(thub_tensor t) {
	Lent lent(t);
	std::string name;
	try {
		const auto &fn = lent.t.grad_fn();
		if (!fn)
			return nullptr;
		name = fn->name();
	} catch (const c10::Error &) { // a view that was changed without grad: its history is unknown
		name = "Invalid";
	}
	return strdup(name.substr(name.rfind(':') + 1).c_str()); // without a namespace, as in Python
}

} // namespace torchhub
