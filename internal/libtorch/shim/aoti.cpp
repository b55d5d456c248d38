// AOTInductor packages, run by libtorch's own loader. Their libraries depend on
// libtorch.so; the shim has that name (see build.go).

#include "values.h"
#include "vision.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <unordered_map>

namespace torchhub __attribute__((visibility("hidden"))) {

using Package = torch::inductor::AOTIModelPackageLoader;

namespace {

Package &package(thub_package p) { return *reinterpret_cast<Package *>(p); }

void return_strings(const std::vector<std::string> &list, uint64_t *rets, size_t cap) {
	Writer w(rets, cap);
	write_strings(list, w);
	w.finish();
}

} // namespace

// aoti_load unpacks a package to a folder of its own and loads the library in
// it. The caller has checked that there is one.
void aoti_load(const char *path, const char *model, size_t runners, int32_t device_index, thub_package *ret_package) {
	need_vision();
	*ret_package = reinterpret_cast<thub_package>(new Package(path, model, false, runners, c10::DeviceIndex(device_index)));
}

// aoti_run calls the model, which does not check the sizes, dtypes and strides
// of its inputs: the caller has checked them.
void aoti_run(thub_package p, const uint64_t *inputs, size_t n, uint64_t *rets, size_t cap) {
	std::vector<at::Tensor> in;
	in.reserve(n);
	for (size_t i = 0; i < n; i++)
		in.push_back(borrow(inputs[i]).detach());
	c10::NoGradGuard no_grad; // the compiled code does not record for autograd
	auto out = package(p).run(in);
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

void aoti_call_spec(thub_package p, uint64_t *rets, size_t cap) { return_strings(package(p).get_call_spec(), rets, cap); }

void aoti_constants(thub_package p, uint64_t *rets, size_t cap) { return_strings(package(p).get_constant_fqns(), rets, cap); }

void aoti_lacks_constants(thub_package p, int32_t *ret_lacks) {
	bool needs = false;
	for (const auto &name : package(p).get_constant_fqns())
		needs = needs || (!name.empty() && name.rfind("_FOLDED_CONST_", 0) != 0); // computed from others
	*ret_lacks = needs && package(p).get_runner()->extract_constants_map(false).empty();
}

void aoti_load_constants(thub_package p, const uint64_t *dict, size_t n) {
	Reader r{dict, dict + n};
	std::unordered_map<std::string, at::Tensor> constants;
	for (const auto &e : read_value(r, nullptr).toGenericDict())
		constants[e.key().toStringRef()] = e.value().toTensor();
	package(p).load_constants(constants, false, true);
}

void aoti_free(thub_package p) { delete &package(p); }

} // namespace torchhub
