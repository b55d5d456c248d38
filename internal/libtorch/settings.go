package libtorch

// #include "table.h"
import "C"

// A Setting is one of libtorch's settings for the process.
type Setting int

// Settings. Their values are 0 and 1 unless a comment says otherwise.
const (
	Deterministic       Setting = C.THUB_SET_DETERMINISTIC // 0, 1 to warn, 2 to refuse
	FillUninitialized   Setting = C.THUB_SET_FILL_UNINITIALIZED
	MatmulPrecision     Setting = C.THUB_SET_MATMUL_PRECISION // 0 highest, 1 high, 2 medium
	DefaultDType        Setting = C.THUB_SET_DEFAULT_DTYPE    // a c10::ScalarType
	InteropThreads      Setting = C.THUB_SET_INTEROP_THREADS  // their number
	CuDNN               Setting = C.THUB_SET_CUDNN
	CuDNNBenchmark      Setting = C.THUB_SET_CUDNN_BENCHMARK
	CuDNNDeterministic  Setting = C.THUB_SET_CUDNN_DETERMINISTIC
	CuDNNTF32           Setting = C.THUB_SET_CUDNN_TF32
	CuBLASTF32          Setting = C.THUB_SET_CUBLAS_TF32
	CuBLASFP16Reduction Setting = C.THUB_SET_CUBLAS_FP16_REDUCTION
	CuBLASBF16Reduction Setting = C.THUB_SET_CUBLAS_BF16_REDUCTION
	MKLDNN              Setting = C.THUB_SET_MKLDNN
	MKLDNNDeterministic Setting = C.THUB_SET_MKLDNN_DETERMINISTIC
	FlashSDP            Setting = C.THUB_SET_FLASH_SDP
	MemEfficientSDP     Setting = C.THUB_SET_MEM_EFFICIENT_SDP
	MathSDP             Setting = C.THUB_SET_MATH_SDP
	CuDNNSDP            Setting = C.THUB_SET_CUDNN_SDP
)

// Get returns the value of the setting.
func (s Setting) Get() (int, error) {
	var v C.int64_t
	err := failure(C.t_setting_get(C.int32_t(s), &v))
	return int(v), err
}

// Set sets the value.
func (s Setting) Set(v int) error { return failure(C.t_setting_set(C.int32_t(s), C.int64_t(v))) }
