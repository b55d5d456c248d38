// The C interface of the shim: the part of libtorch that is visible to Go.
//
// The shim exports one symbol, torchhub_table, which returns a table of the
// functions in functions.def. Only pointers, integers and floats cross the
// interface, and no C++ exceptions. Every function that can fail returns its
// error text, so no state is needed for a second call, which may run on another
// thread.
//
// References: a thub_tensor is one counted reference to a tensor. An
// out-parameter is named ret_…, and a comment states whether the caller owns
// the result.
#ifndef TORCHHUB_SHIM_H
#define TORCHHUB_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// THUB_ABI changes with the table; a shim with another number is refused.
#define THUB_ABI 47

// Tensors and operators are integers, since cgo checks for each pointer in a call whether it points
// to Go memory.
typedef uint64_t thub_tensor; // c10::TensorImpl*, one reference
typedef uint64_t thub_op;     // torchhub::Op*, never freed

typedef struct thub_module_s *thub_module; // torch::jit::Module*, of any object of TorchScript
typedef struct thub_map_s *thub_map;       // a mapped file, one reference
typedef struct thub_generator_s *thub_generator; // at::Generator*
typedef struct thub_event_s *thub_event; // c10::Event*
typedef struct thub_graph_s *thub_graph; // at::cuda::CUDAGraph*
typedef struct thub_plan_s *thub_plan; // a program, ready to run
typedef struct thub_package_s *thub_package; // torch::inductor::AOTIModelPackageLoader*

typedef struct thub_node_s *thub_node; // a counted reference to a torch::autograd::Node

// thub_callback calls a function of Go by its number, with tensors in the form of the
// results of a call. The function passes the tensors that it returns to callback_return;
// node is for function_saved and function_needs. The result is 0, or the number of its
// failure, which Go keeps.
typedef uint64_t (*thub_callback)(uint64_t id, uint64_t *args, void *node, void *ret_tensors, uint64_t *ret_word);

// THUB_CALLBACK_WORDS is the room for the arguments of a callback.
#define THUB_CALLBACK_WORDS 24

// Values are passed flat, as 64-bit words: a tag, then the words that the tag
// defines.
enum {
	THUB_NONE,    //
	THUB_BOOL,    // 0 or 1
	THUB_INT,     // int64
	THUB_DOUBLE,  // bits of a double
	THUB_COMPLEX, // bits of the real part, bits of the imaginary part
	THUB_STRING,  // length in bytes, the bytes padded to whole words
	THUB_TENSOR,  // thub_tensor, 0 = undefined; borrowed in arguments; in results a new reference, then its weight, see below
	THUB_DEVICE,  // c10::DeviceType, index
	THUB_LIST,    // n, then n values
	THUB_TUPLE,   // n, then n values
	THUB_DICT,    // n, then n times key, value
	THUB_INTS,    // n, then n int64
	THUB_DOUBLES, // n, then n bits of doubles
	THUB_BOOLS,   // n, then n times 0 or 1
	THUB_TENSORS, // n, then n thub_tensor, 0 = none
	THUB_DEFAULT, // the schema's default for this argument
	THUB_OTHER,   // in results only: a string that names a type without a representation here
	THUB_GENERATOR, // in arguments only: thub_generator, borrowed
	THUB_OBJECT,    // thub_module of a module or another object of TorchScript; borrowed in arguments; in results a new reference, then 1 for a module
	THUB_NAMED      // in arguments of jit_call only, after the positional ones: a name in the form of THUB_STRING, then a value
};

// The weight of a tensor is the number of bytes that it keeps alive: those of
// its storage, or THUB_HEAVY if that is unknown, as with a graph of autograd,
// or if it is a mapped file, all of which even a view of a few bytes keeps
// alive.
#define THUB_HEAVY INT64_MAX

// thub_error is the result of a function that can fail.
typedef struct {
	char *err; // NULL, or text owned by the caller (free), the first byte being its kind, see below
} thub_error;

// thub_result is the result of a function that can fail and that may make a
// tensor.
typedef struct {
	char *err;      // as in thub_error
	int64_t live;   // what held_bytes returned last, of the whole process
	uint64_t scope; // the calling thread's scope, see thub_state
} thub_result;

#define THUB_AUTOCAST_DEVICES 3
#define THUB_CUDA_DEVICES 16

// The modes of a thread.
typedef struct {
	int32_t grad;           // whether autograd records
	int32_t inference;      // inference mode
	int32_t device, index;  // on which new tensors are made
	uint64_t scope;         // the caller's number of the scope of new tensors
	uint64_t hooks;         // the callback that packs the tensors that autograd saves, or 0
	int32_t dual;           // whether the caller is in a level of forward-mode differentiation
	int64_t locks;          // how many times the caller has locked itself to the thread
	int32_t autocast[THUB_AUTOCAST_DEVICES]; // of the CPU, CUDA and MPS: twice the c10::ScalarType, plus 1 if it is on
	int32_t autocast_cache; // whether casts of weights are kept until the outermost region of autocast ends
	int32_t autocast_depth; // regions of autocast around
	int32_t cuda_device;    // the current one
	int64_t streams[THUB_CUDA_DEVICES]; // the c10::StreamId of each CUDA device's current stream, 0 being the default stream
} thub_state;

// Kinds of error: the first byte of err.
#define THUB_ERR_OTHER 'e'
#define THUB_ERR_MEMORY 'm'
#define THUB_ERR_INDEX 'i'
#define THUB_ERR_NOT_IMPLEMENTED 'n'
#define THUB_ERR_CALLBACK 'c' // the text is the number of a failure

// Calls of ops and methods fill rets, which has room for cap words, at least
// THUB_RETS_VALUES of them.
enum {
	THUB_RETS_N,     // words of results
	THUB_RETS_WORDS, // 0 if they fit after this head, else a uint64_t * owned by the caller (free)
	THUB_RETS_LIVE,  // as in thub_result
	THUB_RETS_SCOPE,
	THUB_RETS_ERROR, // of op_call: 0, or the err of the thub_error that the others return
	THUB_RETS_VALUES // the results
};

// THUB_JIT: the results of jit_list.
enum {
	THUB_JIT_TYPE,       // the name of its type, a string
	THUB_JIT_METHODS,    // their names, a list of strings
	THUB_JIT_ATTRIBUTES, // their names, a list of strings
	THUB_JIT_PARAMETERS, // of it and its submodules, a dict of strings to tensors
	THUB_JIT_BUFFERS,    // likewise
	THUB_JIT_STATE       // both, each module's parameters before its buffers
};

// THUB_SET: the settings of setting_get and setting_set, 0 or 1 unless said.
enum {
	THUB_SET_DETERMINISTIC, // 0, 1 to warn, 2 to refuse
	THUB_SET_FILL_UNINITIALIZED,
	THUB_SET_MATMUL_PRECISION, // at::Float32MatmulPrecision
	THUB_SET_DEFAULT_DTYPE,    // c10::ScalarType
	THUB_SET_INTEROP_THREADS,  // their number
	THUB_SET_CUDNN,
	THUB_SET_CUDNN_BENCHMARK,
	THUB_SET_CUDNN_DETERMINISTIC,
	THUB_SET_CUDNN_TF32,
	THUB_SET_CUBLAS_TF32,
	THUB_SET_CUBLAS_FP16_REDUCTION,
	THUB_SET_CUBLAS_BF16_REDUCTION,
	THUB_SET_MKLDNN,
	THUB_SET_MKLDNN_DETERMINISTIC,
	THUB_SET_FLASH_SDP,
	THUB_SET_MEM_EFFICIENT_SDP,
	THUB_SET_MATH_SDP,
	THUB_SET_CUDNN_SDP
};

// The words that tensor_info writes.
enum {
	THUB_INFO_DTYPE,
	THUB_INFO_DEVICE,
	THUB_INFO_INDEX,
	THUB_INFO_NUMEL,
	THUB_INFO_ITEMSIZE,
	THUB_INFO_OFFSET,
	THUB_INFO_FLAGS, // THUB_FLAG_…
	THUB_INFO_LAYOUT,
	THUB_INFO_NDIM,
	THUB_INFO_SIZES // then ndim sizes, then ndim strides, which are 0 if it has none
};

enum {
	THUB_FLAG_REQUIRES_GRAD = 1,
	THUB_FLAG_CONTIGUOUS = 2,
	THUB_FLAG_INFERENCE = 4,
	THUB_FLAG_NESTED = 8, // its component tensors have sizes of their own
	THUB_FLAG_ZERO = 16 // a tensor of zeros without memory
};

// The table has a field for each function of functions.def.
typedef struct {
	uint32_t abi;
	const char *version; // libtorch's, as its headers had it
#define THUB_FUNCTION(result, name, parameters, arguments) result(*name) parameters;
#include "functions.def"
#undef THUB_FUNCTION
} thub_table;

#ifdef __cplusplus
}
#endif

#endif
