// The shim: a table of C functions over libtorch. It is compiled on the user's
// machine against the headers of the libtorch found there.

#include "shim.h"

#include "alloc.h"
#include "aoti.h"
#include "guard.h"
#include "script.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/ScalarOps.h>
#include <ATen/Version.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

using c10::IValue;

namespace {

// The state of a thread.
struct Thread {
	uint64_t scope = 0;
	int32_t device = 0; // c10::DeviceType::CPU
	int32_t index = -1;
	int64_t locks = 0;
};
thread_local Thread thread;

// To reach the variable costs a call, and few threads are in a scope.
std::atomic<int64_t> in_scope{0};
uint64_t scope() { return in_scope.load(std::memory_order_relaxed) ? thread.scope : 0; }

// ---- results and errors

char *text(const std::string &s) { return strdup(s.c_str()); }

// error_text is the text of an error of a kind. It throws nothing.
char *error_text(char kind, const char *msg) noexcept {
	size_t n = strlen(msg);
	auto *p = static_cast<char *>(malloc(n + 2));
	if (p) {
		p[0] = kind;
		memcpy(p + 1, msg, n + 1);
	}
	return p;
}

// caught runs f and returns the text of what it throws, else null.
template <class F> char *caught(F f) noexcept {
	try {
		f();
		return nullptr;
	} catch (const c10::OutOfMemoryError &e) {
		return error_text(THUB_ERR_MEMORY, e.what_without_backtrace());
	} catch (const c10::IndexError &e) {
		return error_text(THUB_ERR_INDEX, e.what_without_backtrace());
	} catch (const c10::NotImplementedError &e) {
		return error_text(THUB_ERR_NOT_IMPLEMENTED, e.what_without_backtrace());
	} catch (const c10::Error &e) {
		return error_text(THUB_ERR_OTHER, e.what_without_backtrace());
	} catch (const std::bad_alloc &) {
		return error_text(THUB_ERR_MEMORY, "out of memory");
	} catch (const std::exception &e) {
		return error_text(THUB_ERR_OTHER, e.what());
	} catch (...) {
		return error_text(THUB_ERR_OTHER, "unknown C++ exception");
	}
}

// Entry makes a function of the table from f, which may throw: call lets no
// exception out. Where f returns nothing, call returns the error, as a
// thub_result or as its text alone. Otherwise call returns zero in place of f's
// result.
template <class Type, auto f> struct Entry;
template <class R, class... A, auto f> struct Entry<R (*)(A...), f> {
	static R call(A... a) noexcept {
		if constexpr (!std::is_void_v<std::invoke_result_t<decltype(f), A...>>) {
			R r{};
			if (char *err = caught([&] { r = f(a...); }))
				::free(err);
			return r;
		} else {
			char *err = caught([&] { f(a...); });
			if constexpr (std::is_same_v<R, thub_result>)
				return {err, torchhub::live_bytes(), scope()};
			else if constexpr (std::is_same_v<R, char *>)
				return err;
			else if (err)
				::free(err); // as of a destructor: there is nothing that the caller could do
		}
	}
};

// ---- tensors

at::TensorImpl *impl(thub_tensor t) { return reinterpret_cast<at::TensorImpl *>(t); }

// borrow makes a tensor of a reference that stays the caller's.
at::Tensor borrow(thub_tensor t) {
	if (!t)
		return at::Tensor();
	return at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim_copy(impl(t)));
}

// Lent is a tensor of a reference that stays the caller's, for callees that take
// it by const reference; it saves the counting.
struct Lent {
	at::Tensor t;
	explicit Lent(thub_tensor h) {
		if (h)
			t = at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(impl(h)));
	}
	Lent(const Lent &) = delete;
	~Lent() { t.unsafeReleaseTensorImpl(); }
};

// give turns a tensor into a reference that is the caller's.
thub_tensor give(at::Tensor t) {
	if (!t.defined())
		return nullptr;
	return reinterpret_cast<thub_tensor>(t.unsafeReleaseTensorImpl());
}

void tensor_free(const uint64_t *tensors, size_t n) {
	for (size_t i = 0; i < n; i++)
		c10::raw::intrusive_ptr::decref(reinterpret_cast<at::TensorImpl *>(tensors[i]));
}

// ---- values: words to IValue

struct Reader {
	const uint64_t *p, *end;
	uint64_t next() {
		if (p == end)
			throw std::runtime_error("arguments end too early");
		return *p++;
	}
	const uint64_t *many(uint64_t n) {
		if (n > uint64_t(end - p))
			throw std::runtime_error("arguments end too early");
		const uint64_t *q = p;
		p += n;
		return q;
	}
};

double as_double(uint64_t w) { return std::bit_cast<double>(w); }
uint64_t as_word(double d) { return std::bit_cast<uint64_t>(d); }

// element is the element type of the list that `type` asks for, or null when it does not ask for one.
c10::TypePtr element(const c10::Type *type) {
	if (!type)
		return nullptr;
	if (auto o = type->cast<c10::OptionalType>())
		return element(o->getElementType().get());
	if (auto l = type->cast<c10::ListType>())
		return l->getElementType();
	return nullptr;
}

c10::TypeKind kind_of(const c10::Type *type) {
	if (!type)
		return c10::TypeKind::AnyType;
	if (auto o = type->cast<c10::OptionalType>())
		return kind_of(o->getElementType().get());
	return type->kind();
}

IValue read_value(Reader &r, const c10::Type *type, int depth);

template <class Get> c10::impl::GenericList generic_list(c10::TypePtr elem, uint64_t n, Get get) {
	c10::impl::GenericList l(elem);
	l.reserve(n);
	for (uint64_t i = 0; i < n; i++)
		l.push_back(get(i));
	return l;
}

IValue read_value(Reader &r, const c10::Type *type, int depth = 0) {
	if (depth > 64)
		throw std::runtime_error("a value is nested more than 64 deep");
	uint64_t tag = r.next();
	switch (tag) {
	case THUB_NONE:
		return IValue();
	case THUB_OBJECT:
		return IValue(reinterpret_cast<torch::jit::Module *>(r.next())->_ivalue());
	case THUB_GENERATOR:
		return IValue(*reinterpret_cast<at::Generator *>(r.next()));
	case THUB_BOOL:
		return IValue(r.next() != 0);
	case THUB_INT: {
		auto v = int64_t(r.next());
		if (kind_of(type) == c10::TypeKind::FloatType)
			return IValue(double(v));
		return IValue(v);
	}
	case THUB_DOUBLE:
		return IValue(as_double(r.next()));
	case THUB_COMPLEX: {
		double re = as_double(r.next()), im = as_double(r.next());
		return IValue(c10::complex<double>(re, im));
	}
	case THUB_STRING: {
		uint64_t n = r.next();
		const uint64_t *w = r.many((n + 7) / 8);
		return IValue(std::string(reinterpret_cast<const char *>(w), n));
	}
	case THUB_TENSOR:
		return IValue(borrow(reinterpret_cast<thub_tensor>(r.next())));
	case THUB_DEVICE: {
		auto t = c10::DeviceType(r.next());
		return IValue(c10::Device(t, c10::DeviceIndex(r.next())));
	}
	case THUB_INTS: {
		uint64_t n = r.next();
		const uint64_t *w = r.many(n);
		auto elem = element(type);
		switch (elem ? kind_of(elem.get()) : c10::TypeKind::IntType) {
		case c10::TypeKind::FloatType: {
			c10::List<double> l;
			for (uint64_t i = 0; i < n; i++)
				l.push_back(double(int64_t(w[i])));
			return IValue(l);
		}
		case c10::TypeKind::NumberType:
			return IValue(generic_list(elem, n, [&](uint64_t i) { return IValue(int64_t(w[i])); }));
		default: {
			c10::List<int64_t> l;
			l.reserve(n);
			for (uint64_t i = 0; i < n; i++)
				l.push_back(int64_t(w[i]));
			return IValue(std::move(l));
		}
		}
	}
	case THUB_DOUBLES: {
		uint64_t n = r.next();
		const uint64_t *w = r.many(n);
		auto elem = element(type);
		if (elem && elem->kind() == c10::TypeKind::NumberType)
			return IValue(generic_list(elem, n, [&](uint64_t i) { return IValue(as_double(w[i])); }));
		c10::List<double> l;
		l.reserve(n);
		for (uint64_t i = 0; i < n; i++)
			l.push_back(as_double(w[i]));
		return IValue(std::move(l));
	}
	case THUB_BOOLS: {
		uint64_t n = r.next();
		const uint64_t *w = r.many(n);
		c10::List<bool> l;
		l.reserve(n);
		for (uint64_t i = 0; i < n; i++)
			l.push_back(w[i] != 0);
		return IValue(std::move(l));
	}
	case THUB_TENSORS: {
		uint64_t n = r.next();
		const uint64_t *w = r.many(n);
		auto elem = element(type);
		if (elem && elem->kind() == c10::TypeKind::OptionalType) {
			c10::List<std::optional<at::Tensor>> l;
			l.reserve(n);
			for (uint64_t i = 0; i < n; i++) {
				if (w[i])
					l.push_back(borrow(reinterpret_cast<thub_tensor>(w[i])));
				else
					l.push_back(std::nullopt);
			}
			return IValue(std::move(l));
		}
		c10::List<at::Tensor> l;
		l.reserve(n);
		for (uint64_t i = 0; i < n; i++)
			l.push_back(borrow(reinterpret_cast<thub_tensor>(w[i])));
		return IValue(std::move(l));
	}
	case THUB_LIST: {
		uint64_t n = r.next();
		r.many(0);
		c10::TypePtr elem = element(type);
		std::vector<IValue> vs;
		for (uint64_t i = 0; i < n; i++)
			vs.push_back(read_value(r, elem.get(), depth + 1));
		if (!elem) // nobody says of what: ask the first
			elem = vs.empty() ? c10::TypePtr(c10::AnyType::get()) : vs[0].type();
		c10::impl::GenericList l(elem);
		l.reserve(vs.size());
		for (auto &v : vs)
			l.push_back(std::move(v));
		return IValue(std::move(l));
	}
	case THUB_TUPLE: {
		uint64_t n = r.next();
		std::vector<c10::TypePtr> ts;
		if (type)
			if (auto t = type->cast<c10::TupleType>())
				ts = t->elements().vec();
		std::vector<IValue> vs;
		for (uint64_t i = 0; i < n; i++)
			vs.push_back(read_value(r, i < ts.size() ? ts[i].get() : nullptr, depth + 1));
		return c10::ivalue::Tuple::create(std::move(vs));
	}
	case THUB_DICT: {
		uint64_t n = r.next();
		c10::TypePtr kt, vt;
		if (type)
			if (auto d = type->cast<c10::DictType>()) {
				kt = d->getKeyType();
				vt = d->getValueType();
			}
		std::vector<std::pair<IValue, IValue>> kvs;
		for (uint64_t i = 0; i < n; i++) {
			IValue k = read_value(r, kt.get(), depth + 1);
			IValue v = read_value(r, vt.get(), depth + 1);
			kvs.emplace_back(std::move(k), std::move(v));
		}
		if (!kt)
			kt = kvs.empty() ? c10::TypePtr(c10::StringType::get()) : kvs[0].first.type();
		if (!vt)
			vt = kvs.empty() ? c10::TypePtr(c10::TensorType::get()) : kvs[0].second.type();
		c10::impl::GenericDict d(kt, vt);
		for (auto &kv : kvs)
			d.insert_or_assign(std::move(kv.first), std::move(kv.second));
		return IValue(std::move(d));
	}
	default:
		throw std::runtime_error("argument with the unknown tag " + std::to_string(tag));
	}
}

// spatial reports whether an argument is an int for each of so many dimensions, such as int[2] stride.
bool spatial(const c10::Argument &arg) {
	int n = arg.N().value_or(0);
	static const std::unordered_set<std::string> ones{"kernel_size", "stride", "padding", "dilation", "output_padding", "output_size", "input_size"};
	return n > 1 || n == 1 && ones.count(arg.name());
}

// spatial_value checks such an argument. libtorch does not always ask how long it is.
IValue spatial_value(const IValue &v, const c10::FunctionSchema &schema, const c10::Argument &arg) {
	auto vs = v.toIntVector();
	size_t n = vs.size(), want = size_t(*arg.N());
	bool pads = schema.name().find("pad") != std::string::npos; // where one number is no short form
	if (n == 1 && !pads)
		vs.resize(want, vs[0]);
	bool pools = arg.name() == "stride" && schema.name().find("pool") != std::string::npos; // whose default is kernel_size
	bool none = n == 0 && (pools || arg.default_value() && (arg.default_value()->isNone() || arg.default_value()->isIntList() && arg.default_value()->toIntVector().empty()));
	TORCH_CHECK(vs.size() == want || none, arg.name(), " has ", n, " numbers; it takes ", want);
	for (int64_t v : vs) // kernels add and multiply them unchecked, or count to them
		TORCH_CHECK(v >= -INT32_MAX && v <= INT32_MAX, arg.name(), " holds ", v, ", which is out of range");
	return IValue(c10::List<int64_t>(vs));
}

// push_args reads arguments for a schema; those left out, and those marked so, are the schema's defaults.
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

// ---- values: IValue to words

// Writer fills the caller's buffer and moves to memory of its own when that is full.
class Writer {
public:
	Writer(uint64_t *rets, size_t cap) : head_(rets), buf_(rets + THUB_RETS_VALUES), cap_(cap - THUB_RETS_VALUES) {}
	bool wants() const { return cap_ > 0; }
	void put(uint64_t w) {
		if (n_ < cap_) {
			buf_[n_++] = w;
			return;
		}
		spill(w);
	}
	__attribute__((noinline)) void spill(uint64_t w) {
		if (big_.empty())
			big_.assign(buf_, buf_ + n_);
		big_.push_back(w);
		n_++;
	}
	void put_string(const std::string &s) {
		put(s.size());
		for (size_t i = 0; i < s.size(); i += 8) {
			uint64_t w = 0;
			memcpy(&w, s.data() + i, std::min<size_t>(8, s.size() - i));
			put(w);
		}
	}
	void put_tensor(at::Tensor t) {
		bool heavy = t.defined() && (!t.has_storage() || t.requires_grad() ||
		                             (t.is_cpu() && t.storage().data_ptr().get_deleter() != torchhub::gives));
		int64_t weight = heavy ? THUB_HEAVY : t.defined() ? int64_t(t.storage().nbytes()) : 0;
		put(reinterpret_cast<uint64_t>(give(std::move(t))));
		put(uint64_t(weight));
	}
	// finish fills the head.
	void finish() {
		uint64_t *words = nullptr;
		if (!big_.empty()) {
			words = static_cast<uint64_t *>(malloc(n_ * 8));
			if (!words)
				throw std::bad_alloc();
			memcpy(words, big_.data(), n_ * 8);
		}
		head_[THUB_RETS_N] = n_;
		head_[THUB_RETS_WORDS] = reinterpret_cast<uint64_t>(words);
		head_[THUB_RETS_LIVE] = uint64_t(torchhub::live_bytes());
		head_[THUB_RETS_SCOPE] = scope();
	}

private:
	uint64_t *head_, *buf_;
	size_t cap_, n_ = 0;
	std::vector<uint64_t> big_;
};

void write_value(Writer &w, IValue &&v, int depth = 0) {
	if (depth > 64)
		throw std::runtime_error("a result is nested more than 64 deep");
	if (v.isTensor()) {
		w.put(THUB_TENSOR);
		w.put_tensor(std::move(v).toTensor());
	} else if (v.isNone()) {
		w.put(THUB_NONE);
	} else if (v.isBool()) {
		w.put(THUB_BOOL);
		w.put(v.toBool());
	} else if (v.isInt() || v.isSymInt()) {
		w.put(THUB_INT);
		w.put(uint64_t(v.toInt()));
	} else if (v.isDouble()) {
		w.put(THUB_DOUBLE);
		w.put(as_word(v.toDouble()));
	} else if (v.isComplexDouble()) {
		w.put(THUB_COMPLEX);
		w.put(as_word(v.toComplexDouble().real()));
		w.put(as_word(v.toComplexDouble().imag()));
	} else if (v.isString()) {
		w.put(THUB_STRING);
		w.put_string(v.toStringRef());
	} else if (v.isDevice()) {
		w.put(THUB_DEVICE);
		w.put(uint64_t(v.toDevice().type()));
		w.put(uint64_t(int64_t(v.toDevice().index())));
	} else if (v.isTuple()) {
		const auto &es = v.toTupleRef().elements();
		w.put(THUB_TUPLE);
		w.put(es.size());
		for (const IValue &e : es)
			write_value(w, IValue(e), depth + 1);
	} else if (v.isList()) {
		auto l = v.toListRef();
		w.put(THUB_LIST);
		w.put(l.size());
		for (const IValue &e : l)
			write_value(w, IValue(e), depth + 1);
	} else if (v.isGenericDict()) {
		auto d = v.toGenericDict();
		w.put(THUB_DICT);
		w.put(d.size());
		for (const auto &e : d) {
			write_value(w, IValue(e.key()), depth + 1);
			write_value(w, IValue(e.value()), depth + 1);
		}
	} else if (v.isObject()) {
		auto *m = new torch::jit::Module(v.toObject());
		w.put(THUB_OBJECT);
		w.put(reinterpret_cast<uint64_t>(m));
		w.put(m->type()->is_module());
	} else {
		w.put(THUB_OTHER);
		w.put_string(v.tagKind());
	}
}

// ---- ops

// The commonest signatures are called without boxing, which saves a tenth of a small op.
using Unary = at::Tensor(const at::Tensor &);
using Binary = at::Tensor(const at::Tensor &, const at::Tensor &);
using Sum = at::Tensor(const at::Tensor &, const at::Tensor &, const at::Scalar &); // self + alpha * other
using Scaled = at::Tensor(const at::Tensor &, const at::Scalar &);
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
	std::optional<c10::TypedOperatorHandle<Affine>> affine;
	torchhub::Guard guard;
	std::optional<at::Scalar> alpha; // the default of sum's and scaled's number
	bool pure; // the results are new tensors, and the arguments stay as they are
	bool like; // zeros_like and its kin, which Python calls below autograd
	bool hides; // it writes to tensors that it does not return: libtorch's way of resolving conj and neg fails
	bool dense; // for mkldnn tensors libtorch falls back to a kernel that takes them for dense ones

	explicit Op(const c10::OperatorHandle &h)
	    : handle(h), schema(h.schema()), guard(torchhub::guard_of(schema.operator_name())), pure(!aliases(schema)),
	      like(schema.name().ends_with("_like")), hides(written(schema) > schema.returns().size()),
	      dense(h.hasKernelForDispatchKey(c10::DispatchKey::CompositeExplicitAutogradNonFunctional) &&
	            !h.hasKernelForDispatchKey(c10::DispatchKey::MkldnnCPU)) {
		auto is = [&](std::initializer_list<c10::TypeKind> kinds) {
			const auto &args = schema.arguments();
			const auto &rets = schema.returns();
			auto plain = [](const c10::Argument &a) { return a.alias_info() == nullptr || !a.alias_info()->isWrite(); };
			return args.size() == kinds.size() && rets.size() == 1 && rets[0].type()->kind() == c10::TypeKind::TensorType &&
			       plain(rets[0]) && std::equal(kinds.begin(), kinds.end(), args.begin(), [&](c10::TypeKind k, const c10::Argument &a) {
				       return a.type()->kind() == k && plain(a);
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
		if (sum || scaled)
			if (const auto &d = schema.arguments().back().default_value())
				alpha = d->toScalar();
	}
};

void op_find(const char *name, const char *overload, thub_op *ret_op) {
	auto op = c10::Dispatcher::singleton().findSchema({name, overload});
	if (!op)
		C10_THROW_ERROR(NotImplementedError, std::string("libtorch ") + TORCH_VERSION + " has no such op");
	*ret_op = reinterpret_cast<thub_op>(new Op(*op));
}

const Op &as_op(thub_op op) { return *reinterpret_cast<Op *>(op); }

char *op_schema(thub_op op) {
	std::ostringstream s;
	s << as_op(op).schema;
	return text(s.str());
}

// scalar reads the number behind the tensors, or returns nothing where it is none.
std::optional<at::Scalar> scalar(const Op &o, const uint64_t *args, size_t n) {
	if (n == 0 || args[0] == THUB_DEFAULT)
		return o.alpha;
	if (n == 2 && args[0] == THUB_DOUBLE)
		return at::Scalar(as_double(args[1]));
	if (n == 2 && args[0] == THUB_INT)
		return at::Scalar(int64_t(args[1]));
	return std::nullopt;
}

// untracked reports whether autograd has nothing to record of what is made of a tensor.
bool untracked(const at::Tensor &t) {
	const auto *meta = t.defined() ? t.unsafeGetTensorImpl()->autograd_meta() : nullptr;
	return !meta || (!(c10::GradMode::is_enabled() && meta->requires_grad()) && !meta->fw_grad(0, t).defined());
}
bool untracked(const std::optional<at::Tensor> &t) { return !t || untracked(*t); }
bool untracked(const at::Scalar &) { return true; }

void check_dense(const at::Tensor &t) {
	TORCH_CHECK(!t.is_mkldnn(), "the op takes no mkldnn tensors; call ToDense first");
}
void check_dense(const std::optional<at::Tensor> &t) {
	if (t)
		check_dense(*t);
}
void check_dense(const at::Scalar &) {}

// check refuses tensors that the op cannot take and libtorch does not refuse.
void check(const Op &o, const torch::jit::Stack &stack) {
	if (o.guard)
		o.guard(stack);
	for (const IValue &v : stack) {
		if (v.isTensor() && v.toTensor().defined()) {
			const at::Tensor &t = v.toTensor();
			TORCH_CHECK(!o.hides || !t.is_conj() && !t.is_neg(), "the op takes no conjugated or negated views; call ResolveConj or aten.ResolveNeg first");
			if (o.dense)
				check_dense(t);
		} else if (o.dense && v.isTensorList()) {
			for (const at::Tensor &t : v.toTensorVector())
				if (t.defined())
					check_dense(t);
		}
	}
}

// call_unboxed makes the call if it is a common one. Where autograd would find
// nothing to record it is left out, which saves a fifth of a small op.
bool call_unboxed(const Op &o, const uint64_t *args, size_t n, Writer &w) {
	if (n < 2 || args[0] != THUB_TENSOR)
		return false;
	auto tensor = [&](size_t i) { return reinterpret_cast<thub_tensor>(args[i]); };
	auto call = [&](const auto &op, const auto &...args) {
		std::optional<at::AutoDispatchBelowADInplaceOrView> below;
		if (o.pure && (untracked(args) && ...))
			below.emplace();
		if (o.dense)
			(check_dense(args), ...);
		at::Tensor result = op->call(args...);
		if (w.wants()) {
			w.put(THUB_TENSOR);
			w.put_tensor(std::move(result));
		}
		return true;
	};
	if (o.unary && n == 2)
		return call(o.unary, Lent(tensor(1)).t);
	if (o.scaled)
		if (auto v = scalar(o, args + 2, n - 2))
			return call(o.scaled, Lent(tensor(1)).t, *v);
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
		return pair(Lent(tensor(1)).t, at::native::wrapped_scalar_tensor(*scalar(o, args + 2, 2)));
	if (args[2] != THUB_TENSOR)
		return false;
	if (pair(Lent(tensor(1)).t, Lent(tensor(3)).t))
		return true;
	if (o.affine && n == 6 && args[4] == THUB_TENSOR)
		return call(o.affine, Lent(tensor(1)).t, Lent(tensor(3)).t, std::optional<at::Tensor>(borrow(tensor(5))));
	return false;
}

void op_call(thub_op op, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) {
	char *err = caught([&] {
		tensor_free(rets + THUB_RETS_VALUES, rets[THUB_RETS_N]);
		const Op &o = as_op(op);
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
			torchhub::mend(given);
			throw;
		}
		if (w.wants())
			for (IValue &v : stack)
				write_value(w, std::move(v));
		w.finish();
	});
	rets[THUB_RETS_ERROR] = reinterpret_cast<uint64_t>(err);
}

// ---- tensors

void tensor_new(const void *data, size_t nbytes, int32_t dtype, const int64_t *sizes, size_t ndim,
                       thub_tensor *ret_tensor) {
	at::Tensor t = at::empty(at::IntArrayRef(sizes, ndim), at::TensorOptions().dtype(at::ScalarType(dtype)));
	TORCH_CHECK(t.nbytes() == nbytes, "a tensor of ", t.nbytes(), " bytes cannot be made of ", nbytes);
	if (nbytes)
		memcpy(t.data_ptr(), data, nbytes);
	*ret_tensor = give(std::move(t));
}

void tensor_share(void *data, int32_t dtype, const int64_t *sizes, size_t ndim, int32_t fd, uint64_t id,
                         thub_tensor *ret_tensor) {
	auto done = [fd, id](void *) {
		while (write(fd, &id, sizeof id) < 0 && errno == EINTR) {
		}
	};
	at::Tensor t = at::from_blob(data, at::IntArrayRef(sizes, ndim), done, at::TensorOptions().dtype(at::ScalarType(dtype)));
	*ret_tensor = give(std::move(t));
}

void tensor_data(thub_tensor t, void **ret_data) {
	Lent lent(t);
	const at::Tensor &x = lent.t;
	TORCH_CHECK(x.device().is_cpu() && x.layout() == at::kStrided && !x.is_nested() && x.is_contiguous() && !x.is_conj() && !x.is_neg(),
	            "only a dense, contiguous tensor on the CPU can be lent; call Contiguous first");
	*ret_data = x.data_ptr();
	TORCH_CHECK(*ret_data || x.numel() == 0, "the tensor has no memory that could be lent; call Clone first");
}

void tensor_read(thub_tensor t, void *dst, size_t nbytes) {
	c10::NoGradGuard no_grad;
	at::Tensor x = borrow(t);
	TORCH_CHECK(!x.is_nested(), "the tensors in a nested tensor have sizes of their own; call aten.UnbindInt and read each");
	x = x.resolve_conj().resolve_neg();
	if (x._is_zerotensor())
		x = x.clone();
	if (!x.device().is_cpu())
		x = x.cpu();
	TORCH_CHECK(x.layout() == at::kStrided, "a tensor of the layout ", x.layout(), " cannot be read; call ToDense first");
	x = x.contiguous();
	TORCH_CHECK(x.nbytes() == nbytes, "a tensor of ", x.nbytes(), " bytes cannot be read into ", nbytes);
	const void *data = x.const_data_ptr();
	TORCH_CHECK(data || nbytes == 0, "the tensor has no memory that could be read");
	if (nbytes)
		memcpy(dst, data, nbytes);
}

void tensor_info(thub_tensor t, int64_t *info, size_t cap, size_t *ret_need) {
	Lent lent(t);
	const at::Tensor &x = lent.t;
	auto d = size_t(x.dim());
	*ret_need = THUB_INFO_SIZES + 2 * d;
	if (cap < *ret_need)
		return;
	std::fill(info, info + *ret_need, 0);
	info[THUB_INFO_DTYPE] = int64_t(x.scalar_type());
	info[THUB_INFO_DEVICE] = int64_t(x.device().type());
	info[THUB_INFO_INDEX] = x.device().index();
	info[THUB_INFO_NUMEL] = x.numel();
	info[THUB_INFO_ITEMSIZE] = int64_t(x.element_size());
	info[THUB_INFO_LAYOUT] = int64_t(x.layout());
	info[THUB_INFO_NDIM] = int64_t(d);
	info[THUB_INFO_FLAGS] = (x.requires_grad() ? THUB_FLAG_REQUIRES_GRAD : 0) | (x.is_inference() ? THUB_FLAG_INFERENCE : 0) |
	                        (x.is_nested() ? THUB_FLAG_NESTED : 0) | (x._is_zerotensor() ? THUB_FLAG_ZERO : 0);
	if (x.is_nested()) { // its tensors have sizes of their own
		info[THUB_INFO_FLAGS] |= x.is_contiguous() ? THUB_FLAG_CONTIGUOUS : 0;
		return;
	}
	bool strided = x.layout() == at::kStrided;
	if (strided) {
		info[THUB_INFO_OFFSET] = x.storage_offset();
		info[THUB_INFO_FLAGS] |= x.is_contiguous() ? THUB_FLAG_CONTIGUOUS : 0;
	}
	at::IntArrayRef sizes = x.sizes(), strides = strided ? x.strides() : at::IntArrayRef();
	std::copy(sizes.begin(), sizes.end(), info + THUB_INFO_SIZES);
	std::copy(strides.begin(), strides.end(), info + THUB_INFO_SIZES + d);
}

char *tensor_grad_fn(thub_tensor t) {
	Lent lent(t);
	std::string name;
	try {
		const auto &fn = lent.t.grad_fn();
		if (!fn)
			return nullptr;
		name = fn->name();
	} catch (const c10::Error &) { // a view changed without grad, whose history cannot be told
		name = "Invalid";
	}
	return text(name.substr(name.rfind(':') + 1)); // without a namespace, as in Python
}

// ---- mapped files

struct Map {
	std::atomic<int64_t> refs{1};
	char *addr;
	size_t len;
	int fd; // open until map_close
};

// Reading into fresh memory costs half of copying out of the mapping, whose
// pages would have to be faulted in first.
bool read_at(int fd, char *to, size_t n, off_t offset) {
	while (n > 0) {
		ssize_t got = pread(fd, to, std::min(n, size_t(1) << 30), offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got, n -= size_t(got), offset += got;
	}
	return true;
}

void unref(Map *m) {
	if (m->refs.fetch_sub(1) == 1) {
		munmap(m->addr, m->len);
		torchhub::count_mapped(-int64_t(m->len));
		delete m;
	}
}

void map_open(const char *path, thub_map *ret_map, void **ret_addr, size_t *ret_len) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		throw std::runtime_error(strerror(errno));
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		throw std::runtime_error("not a regular file");
	}
	if (st.st_size == 0) {
		close(fd);
		throw std::runtime_error("the file is empty");
	}
	// Private and writable: in-place ops on such tensors change memory, never the file.
	void *p = mmap(nullptr, size_t(st.st_size), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		int e = errno;
		close(fd);
		throw std::runtime_error(strerror(e));
	}
	Map *m = new Map;
	m->fd = fd;
	m->addr = static_cast<char *>(p);
	m->len = size_t(st.st_size);
	torchhub::count_mapped(int64_t(m->len));
	*ret_map = reinterpret_cast<thub_map>(m);
	*ret_addr = p;
	*ret_len = m->len;
}

void map_close(thub_map map) {
	Map *m = reinterpret_cast<Map *>(map);
	close(m->fd);
	unref(m);
}

void map_tensor(thub_map map, size_t offset, size_t nbytes, int32_t dtype, int64_t numel, thub_tensor *ret_tensor) {
	Map *m = reinterpret_cast<Map *>(map);
	auto options = at::TensorOptions().dtype(at::ScalarType(dtype));
	size_t item = c10::elementSize(at::ScalarType(dtype));
	TORCH_CHECK(numel >= 0 && size_t(numel) <= SIZE_MAX / item && size_t(numel) * item == nbytes &&
	                offset <= m->len && nbytes <= m->len - offset,
	            "a storage of ", numel, " elements at ", offset, " does not lie in the file");
	char *p = m->addr + offset;
	if (reinterpret_cast<uintptr_t>(p) % item != 0) {
		// Kernels may assume aligned elements.
		at::Tensor t = at::empty({numel}, options);
		TORCH_CHECK(read_at(m->fd, static_cast<char *>(t.data_ptr()), nbytes, off_t(offset)),
		            "the file could not be read: ", strerror(errno));
		*ret_tensor = give(std::move(t));
		return;
	}
	m->refs.fetch_add(1);
	at::Tensor t = at::from_blob(p, {numel}, [m](void *) { unref(m); }, options);
	*ret_tensor = give(std::move(t));
}

// ---- state of the thread

// set_inference does what the constructor of c10::InferenceMode does, whose
// destructor would have to run on the same thread.
void set_inference(bool on) {
	auto keys = c10::impl::tls_local_dispatch_key_set();
	constexpr auto view = c10::DispatchKey::ADInplaceOrView;
	auto included = on ? keys.included_.remove(view) : keys.included_.add(view);
	auto excluded = on ? keys.excluded_ | c10::autograd_dispatch_keyset : keys.excluded_ - c10::autograd_dispatch_keyset;
	c10::AutogradState::set_tls_state(c10::AutogradState(!on, on, !on, !on));
	c10::impl::PODLocalDispatchKeySet pod{};
	pod.set_included(included);
	pod.set_excluded(excluded);
	c10::impl::_force_tls_local_dispatch_key_set(pod);
}

void get_state(thub_state *ret_state) {
	*ret_state = {c10::GradMode::is_enabled(), c10::InferenceMode::is_enabled(), thread.device, thread.index, thread.scope, thread.locks};
}

void set_state(const thub_state *state) {
	if ((state->inference != 0) != c10::InferenceMode::is_enabled())
		set_inference(state->inference != 0);
	c10::GradMode::set_enabled(state->grad != 0);
	in_scope.fetch_add(int64_t(state->scope != 0) - int64_t(thread.scope != 0));
	thread = {state->scope, state->device, state->index, state->locks};
}

// OpenMP's own setting, which is the thread's; at::set_num_threads would also
// start pools that are not used here. Weak, for a libtorch built without it.
extern "C" void omp_set_num_threads(int) __attribute__((weak));

void set_thread_width(int32_t n) {
	at::get_num_threads(); // the first call on a thread sets the width, so it comes first
	if (omp_set_num_threads)
		omp_set_num_threads(n);
	else
		at::set_num_threads(n);
}

int32_t get_thread_width() { return at::get_num_threads(); }

// ---- state of the process

void manual_seed(uint64_t seed) {
	at::manual_seed(seed);
}

void generator_new(int32_t type, int32_t index, thub_generator *ret_generator) {
	auto d = at::DeviceType(type);
	at::Generator g = d == at::kCPU ? at::make_generator<at::CPUGeneratorImpl>()
	                                : at::globalContext().getAcceleratorHooksInterface(d).getNewGenerator(c10::DeviceIndex(index));
	*ret_generator = reinterpret_cast<thub_generator>(new at::Generator(std::move(g)));
}

void generator_seed(thub_generator g, uint64_t seed) {
	auto *gen = reinterpret_cast<at::Generator *>(g);
	std::lock_guard<std::mutex> hold(gen->mutex());
	gen->set_current_seed(seed);
}

void generator_free(thub_generator g) { delete reinterpret_cast<at::Generator *>(g); }

char *load_cuda(const char *path) {
	// To find the driver is quick, to load libtorch_cuda without one is not.
	if (!dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL))
		return text(dlerror());
	if (!dlopen(path, RTLD_NOW | RTLD_GLOBAL))
		return text(dlerror());
	return nullptr;
}

void cuda_count(int64_t *ret_count) {
	*ret_count = at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
}

char *cpu_capability() { return text(at::get_cpu_capability()); }

// ---- TorchScript

void put_strings(const std::vector<std::string> &list, uint64_t *rets, size_t cap) {
	Writer w(rets, cap);
	w.put(THUB_LIST);
	w.put(list.size());
	for (const auto &s : list) {
		w.put(THUB_STRING);
		w.put_string(s);
	}
	w.finish();
}

torch::jit::Module &module(thub_module m) { return *reinterpret_cast<torch::jit::Module *>(m); }

template <class Load> void load_module(Load load, thub_module *ret_module) {
	static bool once = [] {
		torchhub::guard_scripts();
		return true;
	}();
	(void)once;
	torchhub::on_large_stack([&] {
		auto *m = new torch::jit::Module(load());
		*ret_module = reinterpret_cast<thub_module>(m);
	});
}

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
	torchhub::on_large_stack([m] { delete &module(m); });
}

void jit_to(thub_module m, int32_t type, int32_t index) {
	module(m).to(at::Device(c10::DeviceType(type), c10::DeviceIndex(index)));
}

void jit_train(thub_module m, int32_t on) {
	module(m).train(on != 0);
}

std::string read_string(Reader &r) {
	uint64_t n = r.next();
	return std::string(reinterpret_cast<const char *>(r.many((n + 7) / 8)), n);
}

// push_call reads the arguments of a method, those with a name behind the others, and puts defaults in the place of the rest. The first is self.
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

void jit_call(thub_module m, const char *method, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) {
	auto f = module(m).find_method(method);
	if (!f)
		C10_THROW_ERROR(NotImplementedError, std::string("the module has no method \"") + method + "\"");
	torch::jit::Stack stack;
	push_call(stack, {args, args + nargs}, f->function().getSchema());
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

// named collects a module's tensors and then its submodules', in the order of nn.Module: where each counts once, by identity.
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
		return put_strings(names, rets, cap);
	case THUB_JIT_ATTRIBUTES:
		for (size_t i = 0; i < type->numAttributes(); i++)
			names.push_back(type->getAttributeName(i));
		for (size_t i = 0; i < type->numConstants(); i++)
			names.push_back(type->getConstantName(i));
		return put_strings(names, rets, cap);
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

// ---- AOTInductor packages

torchhub::Package &package(thub_package p) { return *reinterpret_cast<torchhub::Package *>(p); }

void aoti_load(const char *path, const char *model, size_t runners, int32_t device_index, thub_package *ret_package) {
	*ret_package = reinterpret_cast<thub_package>(torchhub::aoti_load(path, model, runners, device_index));
}

void aoti_run(thub_package p, const uint64_t *inputs, size_t n, uint64_t *rets, size_t cap) {
	std::vector<at::Tensor> in;
	in.reserve(n);
	for (size_t i = 0; i < n; i++)
		in.push_back(borrow(reinterpret_cast<thub_tensor>(inputs[i])).detach());
	auto out = torchhub::aoti_run(package(p), std::move(in));
	Writer w(rets, cap);
	w.put(THUB_LIST);
	w.put(out.size());
	for (auto &t : out) {
		w.put(t.defined() ? THUB_TENSOR : THUB_NONE);
		if (t.defined())
			w.put_tensor(std::move(t));
	}
	w.finish();
}

void aoti_call_spec(thub_package p, uint64_t *rets, size_t cap) {
	put_strings(torchhub::aoti_call_spec(package(p)), rets, cap);
}

void aoti_constants(thub_package p, uint64_t *rets, size_t cap) {
	put_strings(torchhub::aoti_constants(package(p)), rets, cap);
}

void aoti_lacks_constants(thub_package p, int32_t *ret_lacks) {
	*ret_lacks = torchhub::aoti_lacks_constants(package(p));
}

void aoti_load_constants(thub_package p, const uint64_t *dict, size_t n) {
	Reader r{dict, dict + n};
	std::unordered_map<std::string, at::Tensor> constants;
	for (const auto &e : read_value(r, nullptr).toGenericDict())
		constants[e.key().toStringRef()] = e.value().toTensor();
	torchhub::aoti_load_constants(package(p), std::move(constants));
}

void aoti_free(thub_package p) { torchhub::aoti_free(&package(p)); }

// Every function of the table is an Entry.
#define ENTRY(name, f) .name = &Entry<decltype(thub_table::name), &f>::call

const thub_table table = {
    .abi = THUB_ABI,
    .version = TORCH_VERSION,
    ENTRY(free, ::free),
    ENTRY(op_find, op_find),
    ENTRY(op_schema, op_schema),
    ENTRY(op_call, op_call),
    ENTRY(tensor_new, tensor_new),
    ENTRY(tensor_share, tensor_share),
    ENTRY(tensor_data, tensor_data),
    ENTRY(tensor_read, tensor_read),
    ENTRY(tensor_info, tensor_info),
    ENTRY(tensor_free, tensor_free),
    ENTRY(tensor_grad_fn, tensor_grad_fn),
    ENTRY(map_open, map_open),
    ENTRY(map_close, map_close),
    ENTRY(map_tensor, map_tensor),
    ENTRY(get_state, get_state),
    ENTRY(set_state, set_state),
    ENTRY(set_thread_width, set_thread_width),
    ENTRY(get_thread_width, get_thread_width),
    ENTRY(live_bytes, torchhub::live_bytes),
    ENTRY(trim, torchhub::trim),
    ENTRY(manual_seed, manual_seed),
    ENTRY(load_cuda, load_cuda),
    ENTRY(cuda_count, cuda_count),
    ENTRY(cpu_capability, cpu_capability),
    ENTRY(jit_load, jit_load),
    ENTRY(jit_load_bytes, jit_load_bytes),
    ENTRY(jit_free, jit_free),
    ENTRY(jit_to, jit_to),
    ENTRY(jit_train, jit_train),
    ENTRY(jit_attribute, jit_attribute),
    ENTRY(jit_list, jit_list),
    ENTRY(jit_call, jit_call),
    ENTRY(generator_new, generator_new),
    ENTRY(generator_seed, generator_seed),
    ENTRY(generator_free, generator_free),
    ENTRY(aoti_load, aoti_load),
    ENTRY(aoti_run, aoti_run),
    ENTRY(aoti_call_spec, aoti_call_spec),
    ENTRY(aoti_constants, aoti_constants),
    ENTRY(aoti_lacks_constants, aoti_lacks_constants),
    ENTRY(aoti_load_constants, aoti_load_constants),
    ENTRY(aoti_free, aoti_free),
};

#undef ENTRY

} // namespace

extern "C" __attribute__((visibility("default"))) const thub_table *torchhub_table() {
	static bool once = [] {
		torchhub::install_allocator();
		at::globalContext().setCheckSparseTensorInvariants(true); // indices out of range crash whoever uses them
		return true;
	}();
	(void)once;
	return &table;
}
