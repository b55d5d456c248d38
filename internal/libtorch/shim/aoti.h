// AOTInductor packages, run by libtorch's own loader. Their libraries ask for
// libtorch.so; the shim goes by that name (see build.go).
#ifndef TORCHHUB_AOTI_H
#define TORCHHUB_AOTI_H

#include <ATen/Tensor.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace torchhub {

struct Package; // torch::inductor::AOTIModelPackageLoader

// aoti_load unpacks a package to a folder of its own and loads the library in
// it. The caller has made sure that there is one.
Package *aoti_load(const std::string &path, const std::string &model, size_t runners, int device_index);
// aoti_run calls the model, which looks at no size, dtype or stride of its
// inputs: the caller has.
std::vector<at::Tensor> aoti_run(Package &p, std::vector<at::Tensor> inputs);
std::vector<std::string> aoti_call_spec(Package &p); // of the inputs, of the outputs
std::vector<std::string> aoti_constants(Package &p); // names of the weights
// aoti_lacks_constants reports whether the weights are not in the library and
// have not been loaded since; to run the model then ends the process.
bool aoti_lacks_constants(Package &p);
// aoti_load_constants gives the model copies of all its weights, by name.
void aoti_load_constants(Package &p, std::unordered_map<std::string, at::Tensor> constants);
void aoti_free(Package *p);

} // namespace torchhub

#endif
