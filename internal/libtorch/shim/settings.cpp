// Settings of the process.

#include "shim.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/ScalarTypeToTypeMeta.h>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

// A Setting reads and writes one setting of libtorch.
struct Setting {
	int64_t (*get)(at::Context &);
	void (*set)(at::Context &, int64_t);
};

// flag is a setting that has a getter and a setter in at::Context.
template <auto getter, auto setter> constexpr Setting flag() {
	return {[](at::Context &c) { return int64_t((c.*getter)()); }, [](at::Context &c, int64_t v) { (c.*setter)(v != 0); }};
}

bool allows(at::CuBLASReductionOption o) { return o == at::CuBLASReductionOption::AllowReducedPrecisionWithSplitK; }

constexpr const char *precisions[] = {"highest", "high", "medium"}; // by at::Float32MatmulPrecision

Setting setting(int32_t which) {
	using C = at::Context;
	switch (which) {
	case THUB_SET_DETERMINISTIC:
		return {[](C &c) { return int64_t(!c.deterministicAlgorithms() ? 0 : c.deterministicAlgorithmsWarnOnly() ? 1 : 2); },
		        [](C &c, int64_t v) { c.setDeterministicAlgorithms(v != 0, v == 1); }};
	case THUB_SET_FILL_UNINITIALIZED:
		return flag<&C::deterministicFillUninitializedMemory, &C::setDeterministicFillUninitializedMemory>();
	case THUB_SET_MATMUL_PRECISION:
		return {[](C &c) { return int64_t(c.float32MatmulPrecision()); },
		        [](C &c, int64_t v) { c.setFloat32MatmulPrecision(precisions[v]); }};
	case THUB_SET_DEFAULT_DTYPE:
		return {[](C &) { return int64_t(c10::get_default_dtype_as_scalartype()); },
		        [](C &, int64_t v) { c10::set_default_dtype(c10::scalarTypeToTypeMeta(at::ScalarType(v))); }};
	case THUB_SET_INTEROP_THREADS:
		return {[](C &) { return int64_t(at::get_num_interop_threads()); }, [](C &, int64_t v) { at::set_num_interop_threads(int(v)); }};
	case THUB_SET_CUDNN:
		return flag<&C::userEnabledCuDNN, &C::setUserEnabledCuDNN>();
	case THUB_SET_CUDNN_BENCHMARK:
		return flag<&C::benchmarkCuDNN, &C::setBenchmarkCuDNN>();
	case THUB_SET_CUDNN_DETERMINISTIC:
		return flag<&C::deterministicCuDNN, &C::setDeterministicCuDNN>();
	case THUB_SET_CUDNN_TF32:
		return {[](C &c) { return int64_t(c.allowTF32CuDNN()); }, [](C &c, int64_t v) { c.setAllowTF32CuDNN(v != 0); }};
	case THUB_SET_CUBLAS_TF32:
		return flag<&C::allowTF32CuBLAS, &C::setAllowTF32CuBLAS>();
	case THUB_SET_CUBLAS_FP16_REDUCTION:
		return {[](C &c) { return int64_t(allows(c.allowFP16ReductionCuBLAS())); }, [](C &c, int64_t v) { c.setAllowFP16ReductionCuBLAS(v != 0); }};
	case THUB_SET_CUBLAS_BF16_REDUCTION:
		return {[](C &c) { return int64_t(allows(c.allowBF16ReductionCuBLAS())); }, [](C &c, int64_t v) { c.setAllowBF16ReductionCuBLAS(v != 0); }};
	case THUB_SET_MKLDNN:
		return flag<&C::userEnabledMkldnn, &C::setUserEnabledMkldnn>();
	case THUB_SET_MKLDNN_DETERMINISTIC:
		return flag<&C::deterministicMkldnn, &C::setDeterministicMkldnn>();
	case THUB_SET_FLASH_SDP:
		return flag<&C::userEnabledFlashSDP, &C::setSDPUseFlash>();
	case THUB_SET_MEM_EFFICIENT_SDP:
		return flag<&C::userEnabledMemEfficientSDP, &C::setSDPUseMemEfficient>();
	case THUB_SET_MATH_SDP:
		return flag<&C::userEnabledMathSDP, &C::setSDPUseMath>();
	case THUB_SET_CUDNN_SDP:
		return flag<&C::userEnabledCuDNNSDP, &C::setSDPUseCuDNN>();
	}
	TORCH_CHECK(false, "there is no setting ", which);
}

} // namespace

void setting_get(int32_t which, int64_t *ret_value) { *ret_value = setting(which).get(at::globalContext()); }

void setting_set(int32_t which, int64_t value) { setting(which).set(at::globalContext(), value); }

} // namespace torchhub
