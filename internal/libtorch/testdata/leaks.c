// Goes through the shim's table, its errors too, and gives back all that it was
// given. LeakSanitizer, which this is built with, then finds what the shim keeps.
//
//	leaks shim.so model.pt file

#include "../shim/shim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const thub_table *T;

#define CHECK(x)                                                      \
	do {                                                              \
		if (!(x)) {                                                   \
			fprintf(stderr, "leaks.c:%d: %s is false\n", __LINE__, #x); \
			exit(2);                                                  \
		}                                                             \
	} while (0)

// failed frees a call's error and reports whether there was one.
static int failed(char *err) {
	free(err);
	return err != NULL;
}

static uint64_t tensor(int64_t n, int64_t m) {
	int64_t sizes[2] = {n, m};
	float *data = calloc((size_t)(n * m), sizeof *data);
	thub_tensor t;
	CHECK(!failed(T->tensor_new(data, (size_t)(n * m) * sizeof *data, 6 /* float32 */, sizes, 2, &t).err));
	free(data);
	return (uint64_t)t;
}

// find finds an op once, since what it returns is kept for ever.
static int find(const char *name, const char *overload, thub_op *op) {
	static struct {
		const char *name, *overload;
		thub_op op;
	} found[32];
	int i = 0;
	for (; found[i].name; i++)
		if (strcmp(found[i].name, name) == 0 && strcmp(found[i].overload, overload) == 0) {
			*op = found[i].op;
			return 1;
		}
	if (failed(T->op_find(name, overload, op).err))
		return 0;
	found[i].name = name, found[i].overload = overload, found[i].op = *op;
	return 1;
}

// call calls an op on two tensors and gives back its results.
static int call(const char *name, const char *overload, uint64_t x, uint64_t y, size_t cap) {
	thub_op op;
	if (!find(name, overload, &op))
		return 0;
	uint64_t args[4] = {THUB_TENSOR, x, THUB_TENSOR, y}, rets[64] = {0};
	T->op_call(op, args, y ? 4 : 2, rets, THUB_RETS_VALUES + cap);
	if (failed((char *)rets[THUB_RETS_ERROR]))
		return 0;
	uint64_t *words = rets[THUB_RETS_WORDS] ? (uint64_t *)rets[THUB_RETS_WORDS] : rets + THUB_RETS_VALUES;
	for (size_t i = 0; i < rets[THUB_RETS_N]; i++)
		if (words[i] == THUB_TENSOR && words[i + 1]) {
			T->tensor_free(&words[i + 1], 1);
			i += 2;
		}
	free((void *)rets[THUB_RETS_WORDS]);
	return 1;
}

// callback gives back the tensors that it is called with, and returns the first.
static uint64_t callback(uint64_t id, uint64_t *args, void *node, void *ret_tensors, uint64_t *ret_word) {
	uint64_t *words = args[THUB_RETS_WORDS] ? (uint64_t *)args[THUB_RETS_WORDS] : args + THUB_RETS_VALUES, first = 0;
	if (node) { // a derivative, which uses what it saved
		uint64_t rets[THUB_RETS_VALUES + 16];
		CHECK(T->function_needs(node, 0));
		CHECK(!failed(T->function_saved(node, rets, THUB_RETS_VALUES + 16).err));
		T->tensor_free(&rets[THUB_RETS_VALUES + 3], 1);
	}
	for (size_t i = 0; i < args[THUB_RETS_N]; i += 3) {
		if (i == 0)
			T->callback_return(ret_tensors, &words[1], 1);
		T->tensor_free(&words[i + 1], words[i + 1] != 0);
	}
	free((void *)args[THUB_RETS_WORDS]);
	return id == 3 ? 7 : 0; // the number of a failure
}

// differentiate runs hooks and a function whose derivative is a callback, one of which fails.
static void differentiate(void) {
	T->set_callback(callback, open("/dev/null", O_WRONLY));
	uint64_t x = tensor(3, 3), out = tensor(3, 3), one = tensor(3, 3), rets[THUB_RETS_VALUES + 16];
	CHECK(call("aten::requires_grad_", "", x, 0, 8));
	CHECK(failed(T->hook_add(one, 9, 0).err)); // it requires no gradient
	CHECK(!failed(T->hook_add(x, 1, 0).err));
	CHECK(!failed(T->hook_add(x, 4, 1).err));
	for (uint64_t id = 2; id <= 3; id++) {
		uint64_t apply[] = {THUB_TENSORS, 1, x, THUB_TENSORS, 1, out, THUB_TENSORS, 1, out, THUB_TENSORS, 0, THUB_TENSORS, 0, THUB_BOOL, 1};
		CHECK(!failed(T->function_apply(id, "F", apply, sizeof apply / 8, rets, THUB_RETS_VALUES + 16).err));
		uint64_t y = rets[THUB_RETS_VALUES + 3];
		uint64_t run[] = {THUB_TENSORS, 1, y, THUB_TENSORS, 1, one, THUB_TENSORS, 0, THUB_BOOL, 0, THUB_BOOL, 0, THUB_BOOL, 1, THUB_BOOL, 1};
		CHECK(failed(T->engine_run(run, sizeof run / 8, rets, THUB_RETS_VALUES + 16).err) == (id == 3));
		thub_node n;
		CHECK(!failed(T->node_of(y, &n).err));
		free(T->node_name(n));
		T->node_free(n);
		T->tensor_free(&y, 1);
	}
	CHECK(!failed(T->grad_get(x, rets, THUB_RETS_VALUES + 16).err));
	T->tensor_free(&rets[THUB_RETS_VALUES + 1], 1);
	CHECK(!failed(T->grad_set(x, 0).err));
	CHECK(failed(T->grad_set(x, x).err));
	T->hook_remove(1);
	T->hook_remove(1);
	T->tensor_free(&x, 1);
	T->tensor_free(&out, 1);
	T->tensor_free(&one, 1);
}

static void round_trip(const char *model, const char *file) {
	uint64_t x = tensor(3, 3), y = tensor(3, 3), odd = tensor(2, 5);
	CHECK(call("aten::add", "Tensor", x, y, 8));       // without boxes
	CHECK(call("aten::relu", "", x, 0, 8));
	CHECK(call("aten::maximum", "", x, y, 8));
	CHECK(call("aten::split_with_sizes_copy", "", x, 0, 8) == 0); // an argument is missing
	CHECK(call("aten::unbind", "int", x, 0, 1));       // results beyond the buffer
	CHECK(call("aten::svd", "", x, 0, 16));
	CHECK(!call("aten::add", "Tensor", x, odd, 8));    // an error of libtorch
	CHECK(!call("aten::linalg_cholesky", "", odd, 0, 8));
	CHECK(!call("aten::no_such", "", x, y, 8));
	thub_op op;
	CHECK(find("aten::cat", "", &op));
	free(T->op_schema(op));
	uint64_t list[] = {THUB_TENSORS, 2, x, y, THUB_INT, 0}, rets[16] = {1, 0, 0, 0, 0, odd}; // and gives odd back
	rets[THUB_RETS_N] = 1;
	rets[THUB_RETS_VALUES] = odd;
	T->op_call(op, list, 6, rets, 16);
	CHECK(!failed((char *)rets[THUB_RETS_ERROR]));
	T->tensor_free(&rets[THUB_RETS_VALUES + 1], 1);

	float buf[9];
	CHECK(!failed(T->tensor_read((thub_tensor)x, buf, sizeof buf).err));
	CHECK(failed(T->tensor_read((thub_tensor)x, buf, 4).err));
	free(T->tensor_grad_fn((thub_tensor)x));

	thub_map m;
	void *addr;
	size_t len;
	thub_tensor t;
	CHECK(failed(T->map_open("/no/such/file", &m, &addr, &len).err));
	CHECK(!failed(T->map_open(file, &m, &addr, &len).err));
	for (size_t at = 0; at < 2; at++) { // in the mapping, and beside it
		CHECK(!failed(T->map_tensor(m, at, 64, 6, 16, &t).err));
		T->tensor_free((uint64_t *)&t, 1);
	}
	CHECK(failed(T->map_tensor(m, len, 64, 6, 16, &t).err));
	T->map_close(m);

	thub_generator g;
	CHECK(!failed(T->generator_new(0, -1, &g).err));
	CHECK(!failed(T->generator_seed(g, 1).err));
	CHECK(!failed(T->generator_get_state(g, &t).err));
	CHECK(!failed(T->generator_set_state(g, t).err));
	CHECK(failed(T->generator_set_state(g, x).err));
	T->tensor_free((uint64_t *)&t, 1);
	T->generator_free(g);
	CHECK(!failed(T->generator_default(0, -1, &g).err));
	T->generator_free(g);
	thub_state was, inference = {.inference = 1, .index = -1};
	T->get_state(&was);
	T->set_state(&inference);
	CHECK(call("aten::add", "Tensor", x, y, 8));
	T->set_state(&was);
	free(T->cpu_capability());
	int64_t value;
	CHECK(!failed(T->setting_get(THUB_SET_DEFAULT_DTYPE, &value).err) && value == 6);
	CHECK(!failed(T->setting_set(THUB_SET_DEFAULT_DTYPE, value).err));
	CHECK(failed(T->setting_get(-1, &value).err));
	thub_state autocast = was;
	autocast.autocast[0] |= 1;
	T->set_state(&autocast);
	CHECK(call("aten::mm", "", x, y, 8));
	T->set_state(&was);
	T->autocast_clear();
	CHECK(!failed(T->cuda_count(&value).err));
	if (!value) { // as on machines where this test runs
		thub_event event;
		thub_graph graph;
		CHECK(failed(T->cuda_synchronize(0).err));
		CHECK(failed(T->event_new(1, &event).err));
		CHECK(failed(T->graph_new(&graph).err));
		CHECK(failed(T->stream_new(0, 0, &value).err));
	}

	differentiate();

	thub_module j;
	CHECK(failed(T->jit_load(file, &j).err));
	CHECK(failed(T->jit_load_bytes("no archive", 10, &j).err));
	CHECK(!failed(T->jit_load(model, &j).err));
	uint64_t none[16] = {0};
	CHECK(failed(T->jit_call(j, "no_such_method", none, 0, none, 16).err));
	CHECK(failed(T->jit_call(j, "forward", none, 0, none, 16).err));
	T->jit_free(j);
	T->tensor_free(&x, 1);
	T->tensor_free(&y, 1);
}

int main(int argc, char **argv) {
	(void)argc;
	__lsan_disable(); // what libtorch makes once is no leak
	void *h = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!h) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	T = ((const thub_table *(*)(void))dlsym(h, "torchhub_table"))();
	round_trip(argv[2], argv[3]);
	__lsan_enable();
	for (int i = 0; i < 20; i++)
		round_trip(argv[2], argv[3]);
	T->trim();
	if (T->live_bytes() != 0) {
		fprintf(stderr, "%ld bytes of tensors are alive\n", (long)T->live_bytes());
		return 2;
	}
	__lsan_do_leak_check();
	_Exit(0); // without libtorch's own destructors
}
