// Values as words, and words as values.

#include "values.h"

#include <ATen/core/class_type.h>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

// element is the element type of the list type `type`, or null if that is not a list.
c10::TypePtr element(const c10::Type *type) {
	if (!type)
		return nullptr;
	if (auto o = type->cast<c10::OptionalType>())
		return element(o->getElementType().get());
	if (auto l = type->cast<c10::ListType>())
		return l->getElementType();
	return nullptr;
}

template <class Get> c10::impl::GenericList generic_list(c10::TypePtr elem, uint64_t n, Get get) {
	c10::impl::GenericList l(elem);
	l.reserve(n);
	for (uint64_t i = 0; i < n; i++)
		l.push_back(get(i));
	return l;
}

IValue read_ints(Reader &r, const c10::Type *type) {
	uint64_t n = r.next();
	const uint64_t *w = r.many(n);
	auto elem = element(type);
	switch (elem ? kind_of(elem.get()) : c10::TypeKind::IntType) {
	case c10::TypeKind::FloatType: {
		c10::List<double> l;
		l.reserve(n);
		for (uint64_t i = 0; i < n; i++)
			l.push_back(double(int64_t(w[i])));
		return IValue(std::move(l));
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

IValue read_doubles(Reader &r, const c10::Type *type) {
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

IValue read_bools(Reader &r) {
	uint64_t n = r.next();
	const uint64_t *w = r.many(n);
	c10::List<bool> l;
	l.reserve(n);
	for (uint64_t i = 0; i < n; i++)
		l.push_back(w[i] != 0);
	return IValue(std::move(l));
}

IValue read_tensors(Reader &r, const c10::Type *type) {
	uint64_t n = r.next();
	const uint64_t *w = r.many(n);
	auto elem = element(type);
	if (elem && elem->kind() == c10::TypeKind::OptionalType) {
		c10::List<std::optional<at::Tensor>> l;
		l.reserve(n);
		for (uint64_t i = 0; i < n; i++) {
			if (w[i])
				l.push_back(borrow(w[i]));
			else
				l.push_back(std::nullopt);
		}
		return IValue(std::move(l));
	}
	c10::List<at::Tensor> l;
	l.reserve(n);
	for (uint64_t i = 0; i < n; i++)
		l.push_back(borrow(w[i]));
	return IValue(std::move(l));
}

IValue read_list(Reader &r, const c10::Type *type, int depth) {
	uint64_t n = r.next();
	c10::TypePtr elem = element(type);
	std::vector<IValue> vs;
	for (uint64_t i = 0; i < n; i++)
		vs.push_back(read_value(r, elem.get(), depth + 1));
	if (!elem) // no type is given: use that of the first element
		elem = vs.empty() ? c10::TypePtr(c10::AnyType::get()) : vs[0].type();
	return IValue(generic_list(elem, n, [&](uint64_t i) { return std::move(vs[i]); }));
}

IValue read_tuple(Reader &r, const c10::Type *type, int depth) {
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

IValue read_dict(Reader &r, const c10::Type *type, int depth) {
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

} // namespace

c10::TypeKind kind_of(const c10::Type *type) {
	if (!type)
		return c10::TypeKind::AnyType;
	if (auto o = type->cast<c10::OptionalType>())
		return kind_of(o->getElementType().get());
	return type->kind();
}

std::string read_string(Reader &r) {
	uint64_t n = r.next();
	return std::string(reinterpret_cast<const char *>(r.many((n + 7) / 8)), n);
}

IValue read_value(Reader &r, const c10::Type *type, int depth) {
	if (depth > 64)
		throw std::runtime_error("a value is nested more than 64 deep");
	uint64_t tag = r.next();
	switch (tag) {
	case THUB_NONE:
		return IValue();
	case THUB_OBJECT:
		return object(reinterpret_cast<thub_module>(r.next()));
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
	case THUB_STRING:
		return IValue(read_string(r));
	case THUB_TENSOR:
		return IValue(borrow(r.next()));
	case THUB_DEVICE: {
		auto t = c10::DeviceType(r.next());
		return IValue(c10::Device(t, c10::DeviceIndex(r.next())));
	}
	case THUB_INTS:
		return read_ints(r, type);
	case THUB_DOUBLES:
		return read_doubles(r, type);
	case THUB_BOOLS:
		return read_bools(r);
	case THUB_TENSORS:
		return read_tensors(r, type);
	case THUB_LIST:
		return read_list(r, type, depth);
	case THUB_TUPLE:
		return read_tuple(r, type, depth);
	case THUB_DICT:
		return read_dict(r, type, depth);
	default:
		throw std::runtime_error("argument with the unknown tag " + std::to_string(tag));
	}
}

void write_strings(const std::vector<std::string> &list, Writer &w) {
	w.put(THUB_LIST);
	w.put(list.size());
	for (const auto &s : list) {
		w.put(THUB_STRING);
		w.put_string(s);
	}
}

void write_value(Writer &w, IValue &&v, int depth) {
	if (depth > 64)
		throw std::runtime_error("a result is nested more than 64 deep");
	if (v.isTensor()) {
		w.put(THUB_TENSOR);
		w.put_tensor(std::move(v).toTensor());
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
		bool module = v.toObjectRef().type()->is_module();
		w.put(THUB_OBJECT);
		w.put(reinterpret_cast<uint64_t>(give_object(std::move(v))));
		w.put(module);
	} else if (!pack_plain(v, [&w](uint64_t word) { w.put(word); })) {
		w.put(THUB_OTHER);
		w.put_string(v.tagKind());
	}
}

} // namespace torchhub
