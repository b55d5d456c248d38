#pragma once

namespace torchhub __attribute__((visibility("hidden"))) {

// need_vision registers the operators of torchvision's library under their names, at the first call. If that library has been
// loaded, it registers only what the library lacks.
void need_vision();

// vision_is_ours reports whether the operators have been registered without torchvision's library, which then cannot be loaded.
bool vision_is_ours();

} // namespace torchhub
