#include "aoti.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

namespace torchhub {

struct Package {
	torch::inductor::AOTIModelPackageLoader loader;
};

Package *aoti_load(const std::string &path, const std::string &model, size_t runners, int device_index) {
	return new Package{{path, model, false, runners, c10::DeviceIndex(device_index)}};
}

std::vector<at::Tensor> aoti_run(Package &p, std::vector<at::Tensor> inputs) {
	c10::NoGradGuard no_grad; // the code records nothing
	return p.loader.run(inputs);
}

std::vector<std::string> aoti_call_spec(Package &p) { return p.loader.get_call_spec(); }

std::vector<std::string> aoti_constants(Package &p) { return p.loader.get_constant_fqns(); }

bool aoti_lacks_constants(Package &p) {
	bool needs = false;
	for (const auto &name : p.loader.get_constant_fqns())
		needs = needs || !name.empty() && name.rfind("_FOLDED_CONST_", 0) != 0; // computed from others
	return needs && p.loader.get_runner()->extract_constants_map(false).empty();
}

void aoti_load_constants(Package &p, std::unordered_map<std::string, at::Tensor> constants) {
	p.loader.load_constants(constants, false, true);
}

void aoti_free(Package *p) { delete p; }

} // namespace torchhub
