// Operators: found by name, and called with checked arguments.

#include "guard.h"
#include "order.h"
#include "values.h"
#include "vision.h"

#include <ATen/ScalarOps.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <c10/core/GradMode.h>
#include <torch/version.h>

#include <dlfcn.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <unordered_set>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

// spatial reports whether an argument is an int for each of so many dimensions, such as int[2] stride.
bool spatial(const c10::Argument &arg) {
	int n = arg.N().value_or(0);
	static const std::unordered_set<std::string> ones{"kernel_size", "stride", "padding", "dilation", "output_padding", "output_size", "input_size"};
	return n > 1 || (n == 1 && ones.count(arg.name()));
}

// spatial_value checks such an argument, whose length libtorch does not always check.
IValue spatial_value(const IValue &v, const c10::FunctionSchema &schema, const c10::Argument &arg) {
	auto vs = v.toIntVector();
	size_t n = vs.size(), want = size_t(*arg.N());
	bool pads = schema.name().find("pad") != std::string::npos; // for which one number is not a short form
	if (n == 1 && !pads)
		vs.resize(want, vs[0]);
	bool pools = arg.name() == "stride" && schema.name().find("pool") != std::string::npos; // the default is kernel_size
	const auto &d = arg.default_value();
	bool none = n == 0 && (pools || (d && (d->isNone() || (d->isIntList() && d->toIntVector().empty()))));
	TORCH_CHECK(vs.size() == want || none, arg.name(), " has ", n, " numbers; it takes ", want);
	for (int64_t v : vs) // kernels add and multiply them without checks, or count to them
		TORCH_CHECK(v >= -INT32_MAX && v <= INT32_MAX, arg.name(), " holds ", v, ", which is out of range");
	return IValue(c10::List<int64_t>(vs));
}

// push_args reads arguments for a schema; missing ones, and those marked as default, are the schema's
// defaults.
void push_args(torch::jit::Stack &stack, Reader r, const c10::FunctionSchema &schema, size_t first) {
	const auto &args = schema.arguments();
	size_t i = first;
	for (; r.p != r.end; i++) {
		if (i >= args.size())
			throw std::runtime_error("too many arguments for " + c10::toString(schema.operator_name()) + ", which takes " +
			                         std::to_string(args.size() - first));
		if (*r.p == THUB_DEFAULT) {
			r.p++;
			const auto &d = args[i].default_value();
			if (!d)
				throw std::runtime_error("argument \"" + args[i].name() + "\" has no default");
			stack.push_back(*d);
			continue;
		}
		IValue v = read_value(r, args[i].type().get());
		if (first == 0 && v.isScalar() && kind_of(args[i].type().get()) == c10::TypeKind::TensorType)
			v = at::native::wrapped_scalar_tensor(v.toScalar()); // as Python does for ops
		if (v.isIntList() && spatial(args[i]))
			v = spatial_value(v, schema, args[i]);
		stack.push_back(std::move(v));
	}
	for (; i < args.size(); i++) {
		const auto &d = args[i].default_value();
		if (!d)
			throw std::runtime_error("argument \"" + args[i].name() + "\" is missing");
		stack.push_back(*d);
	}
}

// The most common signatures are called without boxing, which saves a tenth of the time
// of a small op.
using Unary = at::Tensor(const at::Tensor &);
using Binary = at::Tensor(const at::Tensor &, const at::Tensor &);
using Sum = at::Tensor(const at::Tensor &, const at::Tensor &, const at::Scalar &); // self + alpha * other
using Scaled = at::Tensor(const at::Tensor &, const at::Scalar &);
using Add = at::Tensor &(at::Tensor &, const at::Tensor &, const at::Scalar &); // self += alpha * other
using Affine = at::Tensor(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &); // linear

bool aliases(const c10::FunctionSchema &schema) {
	auto any = [](const std::vector<c10::Argument> &args) {
		return std::any_of(args.begin(), args.end(), [](const c10::Argument &a) { return a.alias_info() != nullptr; });
	};
	return any(schema.arguments()) || any(schema.returns());
}

// written counts the tensors that an op changes.
size_t written(const c10::FunctionSchema &schema) {
	const auto &args = schema.arguments();
	return size_t(std::count_if(args.begin(), args.end(), [](const c10::Argument &a) {
		return a.type()->kind() == c10::TypeKind::TensorType && a.alias_info() && a.alias_info()->isWrite();
	}));
}

struct Op {
	c10::OperatorHandle handle;
	const c10::FunctionSchema &schema;
	std::optional<c10::TypedOperatorHandle<Unary>> unary;
	std::optional<c10::TypedOperatorHandle<Binary>> binary;
	std::optional<c10::TypedOperatorHandle<Sum>> sum;
	std::optional<c10::TypedOperatorHandle<Scaled>> scaled;
	std::optional<c10::TypedOperatorHandle<Add>> add;
	std::optional<c10::TypedOperatorHandle<Affine>> affine;
	Guard guard;
	std::optional<at::Scalar> alpha; // the default of the number of sum and scaled
	bool pure; // the results are new tensors, and the arguments do not change
	bool folds; // matmul, which multiplies in another way if its second matrix, or what that is a view of, requires a gradient in any mode
	bool like; // zeros_like and similar ops, which Python calls below autograd
	bool hides; // it writes to tensors that it does not return, for which libtorch fails to resolve conj and neg
	bool dense; // for mkldnn tensors libtorch falls back to a kernel that treats them as dense

	explicit Op(const c10::OperatorHandle &h)
	    : handle(h), schema(h.schema()), guard(guard_of(schema.operator_name())), pure(!aliases(schema)),
	      folds(schema.name() == "aten::linear" || schema.name() == "aten::matmul"), like(schema.name().ends_with("_like")), hides(written(schema) > schema.returns().size()),
	      dense(h.hasKernelForDispatchKey(c10::DispatchKey::CompositeExplicitAutogradNonFunctional) &&
	            !h.hasKernelForDispatchKey(c10::DispatchKey::MkldnnCPU)) {
		auto is = [&](std::initializer_list<c10::TypeKind> kinds, bool in_place = false) {
			const auto &args = schema.arguments();
			const auto &rets = schema.returns();
			auto plain = [](const c10::Argument &a) { return a.alias_info() == nullptr || !a.alias_info()->isWrite(); };
			return args.size() == kinds.size() && rets.size() == 1 && rets[0].type()->kind() == c10::TypeKind::TensorType &&
			       plain(rets[0]) != in_place && std::equal(kinds.begin(), kinds.end(), args.begin(), [&](c10::TypeKind k, const c10::Argument &a) {
				       return a.type()->kind() == k && plain(a) != (in_place && &a == &args[0]);
			       });
		};
		constexpr auto T = c10::TypeKind::TensorType, N = c10::TypeKind::NumberType, O = c10::TypeKind::OptionalType;
		if (guard)
			return; // it reads boxed arguments
		if (is({T}))
			unary = handle.typed<Unary>();
		else if (is({T, T}))
			binary = handle.typed<Binary>();
		else if (is({T, T, N}))
			sum = handle.typed<Sum>();
		else if (is({T, N}))
			scaled = handle.typed<Scaled>();
		else if (is({T, T, O}) && kind_of(schema.arguments()[2].type().get()) == T)
			affine = handle.typed<Affine>();
		else if (is({T, T, N}, true))
			add = handle.typed<Add>();
		if (sum || scaled || add)
			if (const auto &d = schema.arguments().back().default_value())
				alpha = d->toScalar();
	}
};

const Op &as_op(thub_op op) { return *reinterpret_cast<Op *>(op); }

// scalar reads the number after the tensors, or returns nothing if it is not a
// number.
std::optional<at::Scalar> scalar(const Op &o, const uint64_t *args, size_t n) {
	if (n == 0 || args[0] == THUB_DEFAULT)
		return o.alpha;
	if (n == 2 && args[0] == THUB_DOUBLE)
		return at::Scalar(as_double(args[1]));
	if (n == 2 && args[0] == THUB_INT)
		return at::Scalar(int64_t(args[1]));
	return std::nullopt;
}

// records reports whether autograd records here. With autocast it does in any mode: the
// cast of a leaf, which is kept for later uses in other modes.
bool records() {
	constexpr c10::DispatchKeySet autocast({c10::DispatchKey::AutocastCPU, c10::DispatchKey::AutocastCUDA, c10::DispatchKey::AutocastMPS});
	return c10::GradMode::is_enabled() || !c10::impl::tls_local_dispatch_key_set().excluded_.has_all(autocast);
}

// untracked reports whether autograd records nothing for the results of a tensor.
bool untracked(const at::Tensor &t) {
	if (t.unsafeGetTensorImpl()->key_set().has_any(c10::functorch_batched_ks)) // the tensor in it may be tracked
		return false;
	const auto *meta = t.defined() ? t.unsafeGetTensorImpl()->autograd_meta() : nullptr;
	return !meta || (!(meta->requires_grad() && records()) && !meta->fw_grad(0, t).defined());
}
bool untracked(const std::optional<at::Tensor> &t) { return !t || untracked(*t); }
bool untracked(const at::Scalar &) { return true; }

// requires_grad reports whether a tensor requires a gradient, also where autograd records nothing.
bool requires_grad(const at::Tensor &t) { return t.defined() && t.requires_grad(); }
bool requires_grad(const std::optional<at::Tensor> &t) { return t && requires_grad(*t); }
bool requires_grad(const at::Scalar &) { return false; }

void check_dense(const at::Tensor &t) {
	TORCH_CHECK(!t.is_mkldnn(), "the op takes no mkldnn tensors; call ToDense first");
}
void check_dense(const std::optional<at::Tensor> &t) {
	if (t)
		check_dense(*t);
}
void check_dense(const at::Scalar &) {}

// check refuses tensors that the op does not support and that libtorch does not
// refuse.
void check(const Op &o, const torch::jit::Stack &stack) {
	if (o.guard)
		o.guard(stack);
	for (const IValue &v : stack) {
		if (v.isTensor() && v.toTensor().defined()) {
			const at::Tensor &t = v.toTensor();
			TORCH_CHECK(!o.hides || (!t.is_conj() && !t.is_neg()), "the op takes no conjugated or negated views; call ResolveConj or aten.ResolveNeg first");
			if (o.dense)
				check_dense(t);
		} else if (o.dense && v.isTensorList()) {
			for (const at::Tensor &t : v.toTensorVector())
				if (t.defined())
					check_dense(t);
		}
	}
}

// call_unboxed makes the call if its signature is a common one. It bypasses
// autograd if that would record nothing, which saves a fifth of the time of a
// small op.
bool call_unboxed(const Op &o, const uint64_t *args, size_t n, Writer &w) {
	if (n < 2 || args[0] != THUB_TENSOR)
		return false;
	auto call = [&](const auto &op, const auto &...args) {
		std::optional<at::AutoDispatchBelowADInplaceOrView> below;
		if (o.pure && (untracked(args) && ...) && !(o.folds && (requires_grad(args) || ...)))
			below.emplace();
		if (o.dense)
			(check_dense(args), ...);
		at::Tensor result = op->call(args...);
		if (w.returns()) {
			w.put(THUB_TENSOR);
			w.put_tensor(std::move(result));
		}
		return true;
	};
	if (o.unary && n == 2)
		return call(o.unary, Lent(args[1]).t);
	if (o.scaled)
		if (auto v = scalar(o, args + 2, n - 2))
			return call(o.scaled, Lent(args[1]).t, *v);
	if (n < 4)
		return false;
	auto pair = [&](const at::Tensor &x, const at::Tensor &y) {
		if (o.binary && n == 4)
			return call(o.binary, x, y);
		if (o.sum)
			if (auto v = scalar(o, args + 4, n - 4))
				return call(o.sum, x, y, *v);
		return false;
	};
	if ((args[2] == THUB_INT || args[2] == THUB_DOUBLE) && (o.binary || o.sum))
		return pair(Lent(args[1]).t, at::native::wrapped_scalar_tensor(*scalar(o, args + 2, 2)));
	if (args[2] != THUB_TENSOR)
		return false;
	if (o.add && args[1] && args[3])
		if (auto v = scalar(o, args + 4, n - 4)) {
			Lent self(args[1]), other(args[3]);
			if (o.dense)
				(check_dense(self.t), check_dense(other.t));
			o.add->call(self.t, other.t, *v);
			if (w.returns()) {
				w.put(THUB_TENSOR);
				w.put_tensor(self.t);
			}
			return true;
		}
	if (pair(Lent(args[1]).t, Lent(args[3]).t))
		return true;
	if (o.affine && n == 6 && args[4] == THUB_TENSOR)
		return call(o.affine, Lent(args[1]).t, Lent(args[3]).t, std::optional<at::Tensor>(borrow(args[5])));
	return false;
}

// mend makes tensors empty whose storage is smaller than their shape: libtorch
// sets the shape of an out argument before it allocates the memory, and keeps
// the shape if that fails.
void mend(Args args) {
	auto one = [](const at::Tensor &t) {
		if (!t.defined() || t.layout() != at::kStrided || !t.has_storage() || t.is_meta() || t.numel() == 0)
			return;
		int64_t last = t.storage_offset() + 1;
		bool fits = true;
		for (int64_t d = 0; d < t.dim() && fits; d++) {
			int64_t step;
			fits = !__builtin_mul_overflow(t.size(d) - 1, t.stride(d), &step) && !__builtin_add_overflow(last, step, &last);
		}
		fits = fits && !__builtin_mul_overflow(last, int64_t(t.element_size()), &last) && last <= int64_t(t.storage().nbytes());
		if (!fits) {
			t.unsafeGetTensorImpl()->set_storage_offset(0);
			t.unsafeGetTensorImpl()->set_sizes_contiguous({0});
		}
	};
	for (const auto &v : args) {
		if (v.isTensor())
			one(v.toTensor());
		else if (v.isTensorList())
			for (const at::Tensor &t : v.toTensorVector())
				one(t);
	}
}

} // namespace

void op_find(const char *name, const char *overload, thub_op *ret_op) {
	if (std::string_view(name).starts_with("torchvision::"))
		need_vision();
	auto op = c10::Dispatcher::singleton().findSchema({name, overload});
	if (!op)
		C10_THROW_ERROR(NotImplementedError, std::string("libtorch ") + TORCH_VERSION + " has no such op");
	*ret_op = reinterpret_cast<thub_op>(new Op(*op));
}

// load_operators loads a library that registers operators. An exception of its static constructors would end the process, so a
// second library with torchvision's operators is refused. all_libtorch is the library that needs all others of libtorch: those for
// CUDA are not loaded where there is no driver, and libraries built for CUDA need them for their operators on the CPU too.
void load_operators(const char *path, const char *all_libtorch) {
	if (c10::Dispatcher::singleton().findSchema({"torchvision::nms", ""}) && !dlopen(path, RTLD_NOW | RTLD_NOLOAD)) {
		std::ifstream f(path, std::ios::binary);
		std::string text{std::istreambuf_iterator<char>(f), {}};
		bool registers = text.find(std::string("\0torchvision\0", 13)) != std::string::npos;
		TORCH_CHECK(!registers || !vision_is_ours(),
		            "it registers operators of torchvision, which this process has used without it; load it before the first of them, and before TorchScript and compiled models");
		TORCH_CHECK(!registers, "it registers operators of torchvision, which another library has registered; load one of them");
	}
	if (dlopen(path, RTLD_NOW | RTLD_LOCAL))
		return;
	std::string why = dlerror();
	if (!dlopen(all_libtorch, RTLD_NOW | RTLD_GLOBAL) || !dlopen(path, RTLD_NOW | RTLD_LOCAL))
		throw std::runtime_error(why);
}

char *op_schema(thub_op op) {
	std::ostringstream s;
	s << as_op(op).schema;
	return strdup(s.str().c_str());
}

void op_call(thub_op op, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) {
	char *err = caught([&] {
		tensor_free(rets + THUB_RETS_VALUES, rets[THUB_RETS_N]);
		const Op &o = as_op(op);
		InOrder order;
		Writer w(rets, cap);
		if (call_unboxed(o, args, nargs, w)) {
			w.finish();
			return;
		}
		torch::jit::Stack stack;
		stack.reserve(std::max(o.schema.arguments().size(), o.schema.returns().size()));
		push_args(stack, {args, args + nargs}, o.schema, 0);
		check(o, stack);
		std::optional<at::AutoDispatchBelowADInplaceOrView> below;
		if (o.like)
			below.emplace();
		try {
			o.handle.callBoxed(stack);
		} catch (...) {
			torch::jit::Stack given;
			push_args(given, {args, args + nargs}, o.schema, 0);
			mend(given);
			throw;
		}
		if (w.returns())
			for (IValue &v : stack)
				write_value(w, std::move(v));
		w.finish();
	});
	rets[THUB_RETS_ERROR] = reinterpret_cast<uint64_t>(err);
}

void op_call_back(thub_op op, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) { op_call(op, args, nargs, rets, cap); }

} // namespace torchhub
