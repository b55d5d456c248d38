#include "table.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>

// What libtorch's kernels take from malloc themselves (scratch space, the heads
// of tensors) else ends in one arena a thread, none of which is ever given back.
// Threads keep the arena of their first malloc, so this comes before all threads.
__attribute__((constructor)) static void one_arena(void) {
	if (!getenv("MALLOC_ARENA_MAX"))
		mallopt(M_ARENA_MAX, 1);
}
#endif

static const thub_table *T;

char *t_open(const char *path) {
	void *h = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!h)
		return strdup(dlerror());
	const thub_table *(*get)(void) = (const thub_table *(*)(void))dlsym(h, "torchhub_table");
	if (!get)
		return strdup("it is no shim: torchhub_table is missing");
	const thub_table *t = get();
	if (t->abi != THUB_ABI)
		return strdup("it was built for another version of torchhub");
	T = t;
	return NULL;
}

const char *t_version(void) { return T->version; }
thub_result t_op_find(const char *name, const char *overload, thub_op *ret_op) { return T->op_find(name, overload, ret_op); }
char *t_op_schema(uintptr_t op) { return T->op_schema((thub_op)op); }
void t_op_call(uintptr_t op, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) { T->op_call((thub_op)op, args, nargs, rets, cap); }
thub_result t_tensor_new(const void *data, size_t nbytes, int32_t dtype, const int64_t *sizes, size_t ndim, thub_tensor *ret_tensor) { return T->tensor_new(data, nbytes, dtype, sizes, ndim, ret_tensor); }
thub_result t_tensor_share(void *data, int32_t dtype, const int64_t *sizes, size_t ndim, int32_t fd, uint64_t id, thub_tensor *ret_tensor) { return T->tensor_share(data, dtype, sizes, ndim, fd, id, ret_tensor); }
thub_result t_tensor_data(thub_tensor t, void **ret_data) { return T->tensor_data(t, ret_data); }
thub_result t_tensor_read(thub_tensor t, void *dst, size_t nbytes) { return T->tensor_read(t, dst, nbytes); }
char *t_tensor_info(thub_tensor t, int64_t *info, size_t cap, size_t *ret_need) { return T->tensor_info(t, info, cap, ret_need); }
void t_tensor_free(const uint64_t *tensors, size_t n) { T->tensor_free(tensors, n); }
thub_result t_map_open(const char *path, thub_map *ret_map, void **ret_addr, size_t *ret_len) { return T->map_open(path, ret_map, ret_addr, ret_len); }
void t_map_close(thub_map m) { T->map_close(m); }
thub_result t_map_tensor(thub_map m, size_t offset, size_t nbytes, int32_t dtype, int64_t numel, thub_tensor *ret_tensor) { return T->map_tensor(m, offset, nbytes, dtype, numel, ret_tensor); }
void t_get_state(thub_state *ret_state) { T->get_state(ret_state); }
void t_set_state(const thub_state *state) { T->set_state(state); }
void t_set_thread_width(int32_t n) { T->set_thread_width(n); }
int32_t t_get_thread_width(void) { return T->get_thread_width(); }
int64_t t_live_bytes(void) { return T->live_bytes(); }
void t_trim(void) { T->trim(); }
thub_result t_manual_seed(uint64_t seed) { return T->manual_seed(seed); }
char *t_load_cuda(const char *path) { return T->load_cuda(path); }
thub_result t_cuda_count(int64_t *ret_count) { return T->cuda_count(ret_count); }
char *t_cpu_capability(void) { return T->cpu_capability(); }
thub_result t_jit_load(const char *path, thub_module *ret_module) { return T->jit_load(path, ret_module); }
thub_result t_jit_load_bytes(const void *data, size_t n, thub_module *ret_module) { return T->jit_load_bytes(data, n, ret_module); }
void t_jit_free(thub_module m) { T->jit_free(m); }
thub_result t_jit_to(thub_module m, int32_t type, int32_t index) { return T->jit_to(m, type, index); }
thub_result t_jit_train(thub_module m, int32_t on) { return T->jit_train(m, on); }
char *t_jit_attribute(thub_module m, const char *name, uint64_t *rets, size_t cap) { return T->jit_attribute(m, name, rets, cap); }
char *t_jit_list(thub_module m, int32_t what, uint64_t *rets, size_t cap) { return T->jit_list(m, what, rets, cap); }
char *t_jit_call(thub_module m, const char *method, const uint64_t *args, size_t nargs, uint64_t *rets, size_t cap) { return T->jit_call(m, method, args, nargs, rets, cap); }
thub_result t_generator_new(int32_t type, int32_t index, thub_generator *ret_generator) { return T->generator_new(type, index, ret_generator); }
thub_result t_generator_seed(thub_generator g, uint64_t seed) { return T->generator_seed(g, seed); }
void t_generator_free(thub_generator g) { T->generator_free(g); }
char *t_tensor_grad_fn(thub_tensor t) { return T->tensor_grad_fn(t); }
thub_result t_aoti_load(const char *path, const char *model, size_t runners, int32_t device_index, thub_package *ret_package) { return T->aoti_load(path, model, runners, device_index, ret_package); }
char *t_aoti_run(thub_package p, const uint64_t *inputs, size_t n, uint64_t *rets, size_t cap) { return T->aoti_run(p, inputs, n, rets, cap); }
char *t_aoti_call_spec(thub_package p, uint64_t *rets, size_t cap) { return T->aoti_call_spec(p, rets, cap); }
char *t_aoti_constants(thub_package p, uint64_t *rets, size_t cap) { return T->aoti_constants(p, rets, cap); }
thub_result t_aoti_lacks_constants(thub_package p, int32_t *ret_lacks) { return T->aoti_lacks_constants(p, ret_lacks); }
thub_result t_aoti_load_constants(thub_package p, const uint64_t *dict, size_t n) { return T->aoti_load_constants(p, dict, n); }
void t_aoti_free(thub_package p) { T->aoti_free(p); }
