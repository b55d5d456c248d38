// Trampolines: cgo can call a C function, but not a pointer out of a table.
// Each t_name calls the function of that name in the shim's table.
#ifndef TORCHHUB_TABLE_H
#define TORCHHUB_TABLE_H

#include "shim/shim.h"

// t_open loads the shim and takes its table. NULL, or why not: text owned by the caller.
char *t_open(const char *path);

const char *t_version(void);
thub_result t_op_find(const char *name, const char *overload, thub_op *ret_op);
char *t_op_schema(uintptr_t op);
void t_op_call(uintptr_t op, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap);
thub_result t_tensor_new(const void *data, size_t nbytes, int32_t dtype, const int64_t *sizes, size_t ndim, thub_tensor *ret_tensor);
thub_result t_tensor_share(void *data, int32_t dtype, const int64_t *sizes, size_t ndim, int32_t fd, uint64_t id, thub_tensor *ret_tensor);
thub_result t_tensor_data(thub_tensor t, void **ret_data);
thub_result t_tensor_read(thub_tensor t, void *dst, size_t nbytes);
char *t_tensor_info(thub_tensor t, int64_t *info, size_t cap, size_t *ret_need);
void t_tensor_free(const uint64_t *tensors, size_t n);
char *t_tensor_grad_fn(thub_tensor t);
thub_result t_aoti_load(const char *path, const char *model, size_t runners, int32_t device_index, thub_package *ret_package);
char *t_aoti_run(thub_package p, const uint64_t *inputs, size_t n, uint64_t *rets, size_t cap);
char *t_aoti_call_spec(thub_package p, uint64_t *rets, size_t cap);
char *t_aoti_constants(thub_package p, uint64_t *rets, size_t cap);
thub_result t_aoti_lacks_constants(thub_package p, int32_t *ret_lacks);
thub_result t_aoti_load_constants(thub_package p, const uint64_t *dict, size_t n);
void t_aoti_free(thub_package p);
thub_result t_map_open(const char *path, thub_map *ret_map, void **ret_addr, size_t *ret_len);
void t_map_close(thub_map m);
thub_result t_map_tensor(thub_map m, size_t offset, size_t nbytes, int32_t dtype, int64_t numel, thub_tensor *ret_tensor);
void t_get_state(thub_state *ret_state);
void t_set_state(const thub_state *state);
void t_set_thread_width(int32_t n);
int32_t t_get_thread_width(void);
int64_t t_live_bytes(void);
void t_trim(void);
thub_result t_manual_seed(uint64_t seed);
char *t_load_cuda(const char *path);
thub_result t_cuda_count(int64_t *ret_count);
char *t_cpu_capability(void);
thub_result t_jit_load(const char *path, thub_module *ret_module);
thub_result t_jit_load_bytes(const void *data, size_t n, thub_module *ret_module);
void t_jit_free(thub_module m);
thub_result t_jit_to(thub_module m, int32_t type, int32_t index);
thub_result t_jit_train(thub_module m, int32_t on);
char *t_jit_attribute(thub_module m, const char *name, uint64_t *rets, size_t cap);
char *t_jit_list(thub_module m, int32_t what, uint64_t *rets, size_t cap);
char *t_jit_call(thub_module m, const char *method, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap);
thub_result t_generator_new(int32_t type, int32_t index, thub_generator *ret_generator);
thub_result t_generator_seed(thub_generator g, uint64_t seed);
void t_generator_free(thub_generator g);

#endif
