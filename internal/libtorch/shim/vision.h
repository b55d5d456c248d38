#pragma once

namespace torchhub __attribute__((visibility("hidden"))) {

// register_vision registers the operators of torchvision's library under their names, unless that library is loaded.
void register_vision();

} // namespace torchhub
