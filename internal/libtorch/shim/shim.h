// The C face of the shim: what Go sees of libtorch.
//
// The shim exports one symbol, torchhub_table, which returns a table of
// functions. Only pointers, integers and floats cross, and no C++ exception does;
// every function that can fail returns its own error text, so no state is left
// behind for a second call that may run on another thread.
//
// References: a thub_tensor is one counted reference to a tensor. An
// out-parameter is named ret_… and says whether the caller then owns it.
#ifndef TORCHHUB_SHIM_H
#define TORCHHUB_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// THUB_ABI changes with the table; a shim of another number is refused.
#define THUB_ABI 32

typedef struct thub_tensor_s *thub_tensor; // c10::TensorImpl*, one reference
typedef struct thub_op_s *thub_op;         // c10::OperatorHandle*, never freed
typedef struct thub_module_s *thub_module; // torch::jit::Module*, of any object of TorchScript
typedef struct thub_map_s *thub_map;       // a mapped file, one reference
typedef struct thub_generator_s *thub_generator; // at::Generator*
typedef struct thub_package_s *thub_package; // torchhub::Package*

// Values are passed flat, as 64-bit words: a tag, then what the tag says.
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
	THUB_OTHER,   // in results only: a string that names the type, which has no form here
	THUB_GENERATOR, // in arguments only: thub_generator, borrowed
	THUB_OBJECT,    // thub_module of a module or another object of TorchScript; borrowed in arguments; in results a new reference, then 1 for a module
	THUB_NAMED      // in arguments of jit_call only, behind those without a name: a name as THUB_STRING has it, then a value
};

// The weight of a tensor is the bytes that it keeps alive: its storage's, or
// THUB_HEAVY where that cannot be told, as with a graph of autograd, or a mapped
// file, all of which a view of a few bytes keeps.
#define THUB_HEAVY INT64_MAX

// thub_result is what every failing function returns.
typedef struct {
	char *err;      // NULL, or text owned by the caller (free), the first byte being its kind, see below
	int64_t live;   // bytes that live CPU tensors and mapped files hold, in the whole process
	uint64_t scope; // the calling thread's scope, see thub_state
} thub_result;

// The modes of a thread.
typedef struct {
	int32_t grad;           // whether autograd records
	int32_t inference;      // inference mode
	int32_t device, index;  // on which new tensors are made
	uint64_t scope;         // the caller's number for what new tensors belong to
	int64_t locks;          // how often the caller has bound itself to the thread
} thub_state;

// Kinds of error: the first byte of err.
#define THUB_ERR_OTHER 'e'
#define THUB_ERR_MEMORY 'm'
#define THUB_ERR_INDEX 'i'
#define THUB_ERR_NOT_IMPLEMENTED 'n'

// Calls of ops and methods return an error as thub_result has it, and fill rets,
// which has room for cap words, at least THUB_RETS_VALUES of them.
enum {
	THUB_RETS_N,     // words of results
	THUB_RETS_WORDS, // 0 when they fitted behind this head, else a uint64_t * owned by the caller (free)
	THUB_RETS_LIVE,  // as in thub_result
	THUB_RETS_SCOPE,
	THUB_RETS_ERROR, // of op_call: 0, or the char * that the others return
	THUB_RETS_VALUES // the results
};

// THUB_JIT: what jit_list returns.
enum {
	THUB_JIT_TYPE,       // the name of its type, a string
	THUB_JIT_METHODS,    // their names, a list of strings
	THUB_JIT_ATTRIBUTES, // their names, a list of strings
	THUB_JIT_PARAMETERS, // of it and its submodules, a dict of strings to tensors
	THUB_JIT_BUFFERS,    // likewise
	THUB_JIT_STATE       // both, each module's parameters before its buffers
};

// What tensor_info writes.
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
	THUB_INFO_SIZES // then ndim sizes, then ndim strides; 0 where it has none
};

enum {
	THUB_FLAG_REQUIRES_GRAD = 1,
	THUB_FLAG_CONTIGUOUS = 2,
	THUB_FLAG_INFERENCE = 4,
	THUB_FLAG_NESTED = 8, // the tensors in it have sizes of their own
	THUB_FLAG_ZERO = 16 // a tensor of zeros that takes no memory
};

typedef struct {
	uint32_t abi;
	const char *version; // libtorch's, as its headers had it

	void (*free)(void *);

	// Ops.
	thub_result (*op_find)(const char *name, const char *overload, thub_op *ret_op /* borrowed */);
	char *(*op_schema)(thub_op op); // text owned by the caller
	// First gives back the references in rets: THUB_RETS_N of them, from THUB_RETS_VALUES on.
	// Where cap is THUB_RETS_VALUES it drops the results.
	// Returns nothing, since cgo makes two calls more for a result.
	void (*op_call)(thub_op op, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap); // see THUB_RETS

	// Tensors.
	thub_result (*tensor_new)(const void *data, size_t nbytes, int32_t dtype, const int64_t *sizes, size_t ndim,
	                          thub_tensor *ret_tensor /* new reference, a copy of data */);
	thub_result (*tensor_share)(void *data, int32_t dtype, const int64_t *sizes, size_t ndim, int32_t fd, uint64_t id,
	                            thub_tensor *ret_tensor /* new reference, over data; once nothing uses it, id is written to the pipe fd */);
	thub_result (*tensor_data)(thub_tensor t, void **ret_data /* borrowed */); // of a dense, contiguous one on the CPU
	thub_result (*tensor_read)(thub_tensor t, void *dst, size_t nbytes); // contiguous order, from any device
	char *(*tensor_info)(thub_tensor t, int64_t *info, size_t cap, size_t *ret_need); // an error; ret_need words, written when they fit
	void (*tensor_free)(const uint64_t *tensors, size_t n);
	char *(*tensor_grad_fn)(thub_tensor t); // the name of its grad_fn, owned by the caller; NULL without one

	// Mapped files: copy-on-write, shared by the tensors made of them.
	thub_result (*map_open)(const char *path, thub_map *ret_map /* new reference */, void **ret_addr /* borrowed */,
	                        size_t *ret_len);
	void (*map_close)(thub_map m);
	thub_result (*map_tensor)(thub_map m, size_t offset, size_t nbytes, int32_t dtype, int64_t numel,
	                          thub_tensor *ret_tensor /* new reference, 1-d, over the mapping where it is aligned */);

	// State of the calling thread.
	void (*get_state)(thub_state *ret_state);
	void (*set_state)(const thub_state *state);
	void (*set_thread_width)(int32_t n);                // intra-op threads of this OS thread's parallel regions
	int32_t (*get_thread_width)(void);

	// State of the process.
	int64_t (*live_bytes)(void);
	void (*trim)(void); // gives cached blocks back to the system
	thub_result (*manual_seed)(uint64_t seed);
	char *(*load_cuda)(const char *path); // NULL, or why not: text owned by the caller
	thub_result (*cuda_count)(int64_t *ret_count);
	char *(*cpu_capability)(void); // text owned by the caller

	// TorchScript.
	thub_result (*jit_load)(const char *path, thub_module *ret_module /* new reference */);
	thub_result (*jit_load_bytes)(const void *data, size_t n, thub_module *ret_module /* new reference */);
	void (*jit_free)(thub_module m);
	thub_result (*jit_to)(thub_module m, int32_t type, int32_t index);
	thub_result (*jit_train)(thub_module m, int32_t on);
	char *(*jit_attribute)(thub_module m, const char *name, uint64_t *rets, size_t cap);
	char *(*jit_list)(thub_module m, int32_t what, uint64_t *rets, size_t cap); // see THUB_JIT
	char *(*jit_call)(thub_module m, const char *method, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap);

	// Random number generators.
	thub_result (*generator_new)(int32_t type, int32_t index, thub_generator *ret_generator /* owned by the caller */);
	thub_result (*generator_seed)(thub_generator g, uint64_t seed);
	void (*generator_free)(thub_generator g);

	// AOTInductor packages: native code.
	thub_result (*aoti_load)(const char *path, const char *model, size_t runners, int32_t device_index,
	                         thub_package *ret_package /* owned by the caller */);
	char *(*aoti_run)(thub_package p, const uint64_t *inputs, size_t n, uint64_t *rets, size_t cap); // tensors in, a list of tensors out
	char *(*aoti_call_spec)(thub_package p, uint64_t *rets, size_t cap); // a list of two strings
	char *(*aoti_constants)(thub_package p, uint64_t *rets, size_t cap); // a list of the weights' names
	thub_result (*aoti_lacks_constants)(thub_package p, int32_t *ret_lacks);
	thub_result (*aoti_load_constants)(thub_package p, const uint64_t *dict, size_t n); // a dict of name to tensor
	void (*aoti_free)(thub_package p);
} thub_table;

#ifdef __cplusplus
}
#endif

#endif
