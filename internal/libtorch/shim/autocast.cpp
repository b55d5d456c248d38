// Autocast, whose settings belong to a thread.

#include "shim.hpp"
#include "state.h"

#include <ATen/autocast_mode.h>

namespace torchhub __attribute__((visibility("hidden"))) {

void set_autocast(const thub_state &to, const thub_state &from) {
	constexpr at::DeviceType types[THUB_AUTOCAST_DEVICES] = {at::kCPU, at::kCUDA, at::kMPS};
	for (int i = 0; i < THUB_AUTOCAST_DEVICES; i++) {
		if (to.autocast[i] == from.autocast[i])
			continue;
		at::autocast::set_autocast_enabled(types[i], to.autocast[i] & 1);
		at::autocast::set_autocast_dtype(types[i], at::ScalarType(to.autocast[i] >> 1));
	}
	if (to.autocast_cache != from.autocast_cache)
		at::autocast::set_autocast_cache_enabled(to.autocast_cache != 0);
}

void autocast_clear() { at::autocast::clear_cache(); }

} // namespace torchhub
